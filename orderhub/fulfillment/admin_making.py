"""Operators' pages of what factories make to order."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import display
from django.core.exceptions import PermissionDenied
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import is_naive, make_aware
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RangeDateTimeFilter, RelatedDropdownFilter

from orderhub.fulfillment import making_panels, production
from orderhub.fulfillment.making_panels import EVENTS, QUALITY_TONES, TONES, Work
from orderhub.fulfillment.models import ComponentHold, WorkOrder, WorkStep
from orderhub.inventory.admin_base import ReadOnlyAdmin, actor_of, button, named
from orderhub.kernel import clock
from orderhub.kernel.errors import Refused
from orderhub.templatetags.ui import pill

_INPUT = {"class": "oh-input"}


class ReadOnlyInline(TabularInline):
    """Rows that only the machine writes."""

    extra = 0
    can_delete = False
    hide_title = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False


class WorkStepInline(ReadOnlyInline):
    """What the factory told, the newest first."""

    model = WorkStep
    fields = readonly_fields = ("said_at", "shown_event", "name", "good", "scrap", "planned_at", "reason")
    ordering = ("-said_at", "-pk")

    @display(description=_("what happened"))
    def shown_event(self, obj: WorkStep) -> str:
        """In words."""
        return str(EVENTS.get(obj.event, obj.event))


class ComponentInline(ReadOnlyInline):
    """What it takes to make it."""

    model = ComponentHold
    fields = readonly_fields = ("shown_sku", "shown_needed", "reserved", "used", "shown_short", "expected_at")

    def get_queryset(self, request: HttpRequest) -> Any:
        """With the SKU at hand."""
        return super().get_queryset(request).select_related("sku").order_by("pk")

    @display(description=_("component"))
    def shown_sku(self, obj: ComponentHold) -> str:
        """Code and name."""
        return f"{obj.sku.code} {named(obj.sku)}"

    @display(description=_("quantity needed"))
    def shown_needed(self, obj: ComponentHold) -> str:
        """The exact quantity with its unit."""
        return f"{obj.needed.normalize():f} {obj.unit}".strip()

    @display(description=_("short"))
    def shown_short(self, obj: ComponentHold) -> SafeString:
        """Units that are missing; a dash for what the factory keeps itself."""
        if not obj.is_kept:
            return pill("wait", str(_("kept elsewhere")))
        return pill("bad", str(obj.short)) if obj.short else pill("ok", "0")


class ChangeForm(forms.Form):
    """Until when it is wanted, and why."""

    due_at = forms.DateTimeField(
        label=_("Wanted by"), widget=forms.DateTimeInput(attrs={**_INPUT, "type": "datetime-local"})
    )
    reason = forms.CharField(label=_("Reason"), max_length=200, widget=forms.TextInput(attrs=_INPUT))

    def clean_due_at(self) -> datetime:
        """A time to come."""
        found: datetime = self.cleaned_data["due_at"]
        moment = make_aware(found) if is_naive(found) else found
        if moment <= clock.now():
            raise forms.ValidationError(_("This time is over: give one to come."))
        return moment


class LateFilter(admin.SimpleListFilter):
    """Work orders beyond their planned finish without a word, or lacking components."""

    title = _("needs a look")
    parameter_name = "look"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """The two sorts."""
        return [("late", _("late without a word")), ("short", _("lacks components"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Those of the chosen sort."""
        if self.value() == "late":
            return queryset.filter(stalled_at__isnull=False, state__in=production.OPEN)
        if self.value() == "short":
            return queryset.filter(pk__in=making_panels.lacking())
        return queryset


@admin.register(WorkOrder)
class WorkOrderAdmin(ReadOnlyAdmin):
    """What factories make to order; their steps come from the factory only."""

    list_display = (
        "shown_number", "shown_factory", "shown_state", "shown_quality", "shown_units", "due_at", "shown_finish", "last_told_at",
    )  # fmt: skip
    list_filter = (
        ("state", ChoicesDropdownFilter), LateFilter, ("fulfillment__warehouse", RelatedDropdownFilter),
        ("due_at", RangeDateTimeFilter), ("merchant", RelatedDropdownFilter),
    )  # fmt: skip
    list_select_related = ("fulfillment__warehouse",)
    search_fields = ("fulfillment__number__exact",)
    ordering = ("-pk",)
    inlines = (WorkStepInline, ComponentInline)
    fields = (
        ("shown_number", "shown_factory"), ("shown_state", "shown_quality"), ("shown_units", "scrap"),
        ("due_at", "shown_finish"), ("planned_start_at", "planned_finish_at"), ("started_at", "finished_at"),
        ("last_told_at", "stalled_at"), "bom_fault",
    )  # fmt: skip
    readonly_fields = (
        "shown_number", "shown_factory", "shown_state", "shown_units", "shown_quality", "shown_finish",
    )  # fmt: skip
    actions_detail = ("ask_change",)

    def has_ask_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Those who may change work orders."""
        return bool(request.user.has_perm("fulfillment.change_workorder"))

    @display(description=_("fulfillment order"), ordering="fulfillment__number")
    def shown_number(self, obj: WorkOrder) -> SafeString:
        """The fulfillment order, linked."""
        link = reverse("admin:fulfillment_fulfillmentorder_change", args=(obj.fulfillment_id,))
        return format_html('<a class="oh-link oh-n" href="{}">{}</a>', link, obj.fulfillment.number)

    @display(description=_("factory"))
    def shown_factory(self, obj: WorkOrder) -> str:
        """The factory in the reader's language."""
        return named(obj.fulfillment.warehouse)

    @display(description=_("state"), ordering="state")
    def shown_state(self, obj: WorkOrder) -> SafeString:
        """How far it is; bad once nobody hears of it."""
        if obj.stalled_at is not None and obj.state in production.OPEN:
            return pill("bad", str(_("late without a word")))
        return pill(TONES[Work(obj.state)], str(obj.get_state_display()))

    @display(description=_("inspection"), ordering="quality")
    def shown_quality(self, obj: WorkOrder) -> SafeString:
        """What the inspection said."""
        return pill(QUALITY_TONES.get(obj.quality, "wait"), str(obj.get_quality_display()))

    @display(description=_("units"))
    def shown_units(self, obj: WorkOrder) -> str:
        """Made of those to make."""
        return f"{obj.good}/{obj.quantity}"

    @display(
        description=_("finish by the last word"), ordering=Coalesce("told_finish_at", "planned_finish_at")
    )
    def shown_finish(self, obj: WorkOrder) -> datetime:
        """By the last word."""
        return obj.finish_at

    @button(
        description=_("Ask for another date"), url_path="ask-change", icon="event_repeat", permissions=["ask"]
    )
    def ask_change(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask the factory to be done by another time."""
        work = self.get_queryset(request).filter(pk=object_id).first()
        if work is None:
            raise Http404
        if not self.has_ask_permission(request):
            raise PermissionDenied
        form = ChangeForm(request.POST or None)
        back = reverse("admin:fulfillment_workorder_change", args=(work.pk,))
        if request.method == "POST" and form.is_valid():
            try:
                production.request_change(
                    work.pk, due_at=form.cleaned_data["due_at"], reason=form.cleaned_data["reason"],
                    actor=actor_of(request), now=clock.now(),
                )  # fmt: skip
            except Refused as no:
                messages.error(request, str(no))
            else:
                messages.success(request, _("The factory is asked; its plan comes as its answer."))
            return HttpResponseRedirect(back)
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "form": form, "back": back,
            "title": _("Ask for another date: %(number)s") % {"number": work.fulfillment.number},
            "effect": _("The factory is told when it is wanted. Dates move only when the factory answers with its plan."),
            "button": _("Ask the factory"),
        }  # fmt: skip
        return TemplateResponse(request, "admin/ask.html", context)

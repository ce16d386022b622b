"""Checked orders: what is missing, accepting a finding, clearing a name, supplying an identity number; the lists."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import display
from django.db.models import Case, When
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter

from orderhub.inventory.admin import ask
from orderhub.inventory.admin_base import ReadOnlyAdmin, actor_of, button, is_chinese
from orderhub.kernel import clock
from orderhub.kernel.errors import Refused
from orderhub.orders.compliance import admin_page, desk
from orderhub.orders.compliance.models import Clearance, ComplianceCheck, Party, PartyList
from orderhub.templatetags.ui import pill

TONES = {"pass": "ok", "note": "ok", "hold": "warn", "block": "bad"}


class AcceptForm(forms.Form):
    """Findings to accept, and why."""

    keys = forms.MultipleChoiceField(label=_("findings"), widget=forms.CheckboxSelectMultiple)
    reason = forms.CharField(
        label=_("Reason"), max_length=300, widget=forms.TextInput(attrs={"class": "oh-input"})
    )

    def __init__(self, *args: Any, check: ComplianceCheck, code: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["keys"].choices = [  # type: ignore[attr-defined]
            (x["key"], x["zh"] if is_chinese() else x["en"])
            for x in check.findings
            if x["outcome"] == "hold" and (not code or x["code"] == code)
        ]


class IdentityForm(forms.Form):
    """An identity number and the name on the card."""

    number = forms.CharField(
        label=_("identity number"), max_length=18, widget=forms.TextInput(attrs={"class": "oh-input"})
    )
    name = forms.CharField(
        label=_("name"), max_length=200, widget=forms.TextInput(attrs={"class": "oh-input"})
    )


@admin.register(ComplianceCheck)
class ComplianceCheckAdmin(ReadOnlyAdmin):
    """The newest verdict on each cross-border order."""

    list_display = ("shown_order", "lane", "shown_outcome", "shown_findings", "checked_at")
    list_filter = (("outcome", ChoicesDropdownFilter), "lane", ("merchant", RelatedDropdownFilter))
    list_select_related = ("order", "merchant")
    list_display_links = ("lane",)
    search_fields = ("order__external_id__exact",)
    fields = ("shown_order", "lane", "shown_outcome", "checked_at")
    readonly_fields = fields
    change_form_template = "admin/compliance/check.html"
    actions_detail = ("accept", "clear_name", "identity")

    def get_ordering(self, request: HttpRequest) -> Any:
        """What stops its order comes first, the newest on top."""
        stops = Case(When(outcome__in=("block", "hold"), then=0), default=1)
        return [stops.asc(), "-pk"]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> Any:  # fmt: skip
        """One check: what stops the order, who supplies what, names beside listed parties, notes."""
        rows = self.get_queryset(request).select_related("order__person", "order__channel")
        check = rows.filter(pk=object_id).first() if object_id.isdecimal() else None
        if check is None or not self.has_view_permission(request, check):
            return super().change_view(request, object_id, form_url, extra_context)
        shown = admin_page.context(request, check, may_decide=self.has_review_permission(request))
        titles = {"title": check.order.number, "subtitle": None}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **shown, **titles})

    def has_review_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Those who may put orders on hold and release them, with the right to check them."""
        return bool(request.user.has_perm("compliance.change_compliancecheck"))

    @button(description=_("Accept findings…"), url_path="accept", icon="done_all", permissions=["review"])
    def accept(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Accept what holds the order, with a reason; what is blocked cannot be accepted."""
        check = self._check(request, object_id)
        form = AcceptForm(request.POST or None, check=check)
        effect = _("The order is checked again; it goes on if nothing else is missing.")
        if request.method == "POST" and form.is_valid():
            given = form.cleaned_data
            return self._done(request, check, lambda: desk.accept(
                check.pk, given["keys"], reason=given["reason"], actor=actor_of(request), now=clock.now()
            ))  # fmt: skip
        return ask(
            self,
            request,
            title=_("Accept findings…"),
            effect=effect,
            button=_("Accept"),
            back=_page(check),
            form=form,
        )

    @button(
        description=_("Not the listed party…"), url_path="clear", icon="person_check", permissions=["review"]
    )
    def clear_name(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Remember that a name is not a listed party's."""
        check = self._check(request, object_id)
        form = AcceptForm(request.POST or None, check=check, code="party_near")
        effect = _("Remembered for this name and this entry, until either of them changes.")
        if request.method == "POST" and form.is_valid():
            given = form.cleaned_data
            chosen = [x for x in check.findings if x["key"] in given["keys"]]

            def clear() -> None:
                for x in chosen:
                    desk.clear_name(
                        check.pk, x["inputs"]["party"], x["inputs"]["name"], reason=given["reason"], actor=actor_of(request),
                        now=clock.now(),
                    )  # fmt: skip

            return self._done(request, check, clear)
        return ask(
            self,
            request,
            title=_("Not the listed party…"),
            effect=effect,
            button=_("Remember"),
            back=_page(check),
            form=form,
        )

    @button(description=_("Identity number…"), url_path="identity", icon="badge", permissions=["review"])
    def identity(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Supply the buyer's identity number; it is kept encrypted."""
        check = self._check(request, object_id)
        form = IdentityForm(request.POST or None)
        effect = _("Kept encrypted and shown masked; the order is checked again.")
        if request.method == "POST" and form.is_valid():
            given = form.cleaned_data
            return self._done(request, check, lambda: desk.supply_identity(
                check.pk, given["number"], given["name"], actor=actor_of(request), now=clock.now()
            ))  # fmt: skip
        return ask(
            self,
            request,
            title=_("Identity number…"),
            effect=effect,
            button=_("Save"),
            back=_page(check),
            form=form,
        )

    @display(description=_("order"), ordering="order_id")
    def shown_order(self, obj: ComplianceCheck) -> SafeString:
        """The order, linked."""
        link = reverse("admin:orders_order_change", args=(obj.order_id,))
        return format_html('<a class="oh-link" href="{}">{}</a>', link, obj.order.number)

    @display(description=_("outcome"), ordering="outcome")
    def shown_outcome(self, obj: ComplianceCheck) -> SafeString:
        """The outcome as a pill."""
        return pill(TONES[obj.outcome], obj.get_outcome_display())

    @display(description=_("findings"))
    def shown_findings(self, obj: ComplianceCheck) -> SafeString:
        """What stops the order; notes are only counted."""
        stopping = [x for x in obj.findings if x["outcome"] in ("hold", "block")]
        found = [(x["zh"] if is_chinese() else x["en"],) for x in stopping]
        notes = sum(x["outcome"] == "note" for x in obj.findings)
        if notes:
            found.append((ngettext("%(count)d note", "%(count)d notes", notes) % {"count": notes},))
        return format_html_join("", "<div>{}</div>", found) if found else SafeString("–")

    def _check(self, request: HttpRequest, object_id: str) -> ComplianceCheck:
        found: ComplianceCheck | None = self.get_queryset(request).filter(pk=object_id).first()
        if found is None:
            raise Http404
        return found

    def _done(self, request: HttpRequest, check: ComplianceCheck, act: Any) -> HttpResponse:
        try:
            act()
            check.refresh_from_db()
            messages.success(request, f"{_('Checked again.')} {check.get_outcome_display()}")
        except Refused as no:
            messages.error(request, str(no))
        return HttpResponseRedirect(_page(check))


def _page(check: ComplianceCheck) -> str:
    return reverse("admin:compliance_compliancecheck_change", args=(check.pk,))


@admin.register(PartyList)
class PartyListAdmin(ReadOnlyAdmin):
    """Lists of denied parties and how old they are."""

    merchant_path = ""
    list_display = ("code", "loaded_on", "entries", "added", "changed", "removed", "loaded_by")
    fields = list_display
    readonly_fields = fields
    ordering = ("code",)


@admin.register(Party)
class PartyAdmin(ReadOnlyAdmin):
    """Listed parties."""

    merchant_path = ""
    list_display = ("name", "source_list", "number", "kind", "program")
    list_select_related = ("source_list",)
    list_filter = (("source_list", RelatedDropdownFilter),)
    search_fields = ("name", "number__exact")
    fields = (*list_display, "countries")
    readonly_fields = fields
    ordering = ("name",)


@admin.register(Clearance)
class ClearanceAdmin(ReadOnlyAdmin):
    """Names somebody compared with a listed party's."""

    list_display = ("list_code", "number", "reason", "actor", "decided_at")
    list_select_related = ("merchant",)
    fields = ("merchant", *list_display)
    readonly_fields = fields
    ordering = ("-pk",)

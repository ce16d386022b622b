"""Operators' pages of pick waves: when they are, what planning together was worth, by hand and as a preview."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import display
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from simple_history.admin import SimpleHistoryAdmin
from unfold.contrib.filters.admin import RangeDateTimeFilter, RelatedDropdownFilter

from orderhub.inventory.admin import ask
from orderhub.inventory.admin_base import HubAdmin, ReadOnlyAdmin, button, named
from orderhub.kernel import clock
from orderhub.kernel.errors import Refused
from orderhub.templatetags.ui import pill
from routing.admin_parts import OwnMerchant
from routing.waves import services, waiting, words
from routing.waves.models import PickWave, WaveSchedule

#: A preview is thought about within one request.
PREVIEW_SECONDS = 3.0
MOST_SCHEDULES = 10
_TIMES = ("times", "every_hours", "time_zone")


def next_release(plan: WaveSchedule) -> str:
    """When its next wave is released, on its own clock; a dash where its times cannot be read."""
    try:
        at = plan.timetable.after(clock.now()).astimezone(ZoneInfo(plan.time_zone))
    except ValueError:
        return "–"
    return f"{at:%Y-%m-%d %H:%M} ({plan.time_zone})"


class ScheduleForm(forms.ModelForm):  # type: ignore[type-arg]
    """Times of the day or hours, never both; one active schedule for each merchant."""

    class Meta:
        model = WaveSchedule
        fields = (
            "merchant",
            "name",
            "name_en",
            "times",
            "every_hours",
            "time_zone",
            "replan_minutes",
            "max_changes",
            "seconds_limit",
            "is_active",
        )

    def clean(self) -> dict[str, Any]:
        """Say what is wrong at the field where it is mended."""
        given: dict[str, Any] = super().clean() or {}
        if given.get("time_zone") and given["time_zone"] not in available_timezones():
            self.add_error("time_zone", _("There is no such time zone; write one like Asia/Shanghai."))
        has_times, has_hours = bool(given.get("times", "").strip()), bool(given.get("every_hours"))
        if has_times == has_hours and "every_hours" not in self.errors:
            self.add_error("times", _("Give times of the day, or every so many hours; one of the two."))
        if not self.errors:
            self._check_times(given)
        others = WaveSchedule.objects.filter(merchant=given.get("merchant"), is_active=True)
        if given.get("is_active") and others.exclude(pk=self.instance.pk).exists():
            self.add_error(
                "is_active", _("This merchant has an active schedule already: switch it off first.")
            )
        return given

    def validate_constraints(self) -> None:
        """Nothing more: one active schedule for each merchant is asked for above, in words a reader knows."""

    def _check_times(self, given: dict[str, Any]) -> None:
        plan = WaveSchedule(**{name: given[name] for name in _TIMES})
        try:
            table = plan.timetable
        except ValueError:
            self.add_error("times", _("Write hours and minutes, apart by commas: 10:00, 14:00, 17:30."))
            return
        if not plan.every_hours:
            given["times"] = ", ".join(f"{at:%H:%M}" for at in table.times)


@admin.register(WaveSchedule)
class WaveScheduleAdmin(OwnMerchant, SimpleHistoryAdmin, HubAdmin):
    """When orders are picked; what waits is planned together just before."""

    form = ScheduleForm
    list_display = ("shown_name", "merchant", "shown_times", "shown_next", "max_changes", "is_active")
    list_filter = ("is_active", ("merchant", RelatedDropdownFilter))
    list_select_related = ("merchant",)
    search_fields = ("name", "name_en")
    ordering = ("merchant_id", "pk")
    readonly_fields = ("shown_next",)
    actions_detail = ("release_now", "preview")
    fieldsets = (
        (None, {"fields": ("merchant", ("name", "name_en"), "is_active")}),
        (
            _("Times"),
            {
                "description": _(
                    "Orders are routed and reserved as they come in, and go to the warehouses with the next wave."
                ),
                "fields": (("times", "every_hours"), "time_zone", "shown_next"),
            },
        ),
        (
            _("Planning together"),
            {
                "description": _(
                    "Waiting orders are planned together before the release; promises stay, the total never rises."
                ),
                "fields": (("replan_minutes", "max_changes"), "seconds_limit"),
            },
        ),
    )

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Its waves point to it: a schedule is switched off instead."""
        return False

    def has_release_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Whoever may change schedules may also release by hand."""
        return request.user.has_perm("routing.change_waveschedule")

    def save_model(self, request: HttpRequest, obj: WaveSchedule, form: Any, change: bool) -> None:
        """New times count from now on: no release of the past is made up for."""
        if not change or {*_TIMES, "is_active", "merchant"} & set(form.changed_data):
            obj.counts_from = clock.now()
        super().save_model(request, obj, form, change)

    @display(description=_("name"), ordering="name")
    def shown_name(self, obj: WaveSchedule) -> str:
        """The name in the reader's language."""
        return named(obj)

    @display(description=_("times"))
    def shown_times(self, obj: WaveSchedule) -> str:
        """Times of the day, or every so many hours."""
        if obj.every_hours:
            return str(_("every %(hours)d h") % {"hours": obj.every_hours})
        return obj.times

    @display(description=_("next release"))
    def shown_next(self, obj: WaveSchedule) -> str:
        """The next release in the schedule's own time zone."""
        return next_release(obj) if obj.pk and obj.is_active else "–"

    @button(
        description=_("Release the wave now"),
        url_path="release-now",
        icon="local_shipping",
        permissions=["release"],
    )
    def release_now(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask, then leave a wave for the clock, which plans and releases it within seconds."""
        plan = self._found(request, object_id)
        back = reverse("admin:routing_waveschedule_change", args=(plan.pk,))
        if request.method == "POST":
            try:
                wave = services.open_now(plan, now=clock.now())
            except Refused as refused:
                messages.error(request, str(refused))
                return HttpResponseRedirect(back)
            messages.success(request, _("The wave is planned and released within seconds."))
            return HttpResponseRedirect(reverse("admin:routing_pickwave_change", args=(wave.pk,)))
        effect = _("%(count)d waiting orders are planned together and go to their warehouses at once.") % {
            "count": waiting.count(plan.merchant_id)
        }
        return ask(
            self, request, title=named(plan), effect=effect, button=_("Release the wave now"), back=back
        )

    @button(
        description=_("Preview the planning"), url_path="preview", icon="visibility", permissions=["release"]
    )
    def preview(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask, then show what planning together would change now; nothing is written."""
        plan = self._found(request, object_id)
        back = reverse("admin:routing_waveschedule_change", args=(plan.pk,))
        if request.method != "POST":
            effect = _(
                "Shows what planning the %(count)d waiting orders together would change now. Nothing is changed."
            ) % {"count": waiting.count(plan.merchant_id)}
            return ask(
                self, request, title=named(plan), effect=effect, button=_("Preview the planning"), back=back
            )
        seconds = min(PREVIEW_SECONDS, float(plan.seconds_limit))
        found = services.preview(plan, now=clock.now(), seconds=seconds)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "media": self.media,
            "title": _("Preview: %(name)s") % {"name": named(plan)},
            "page": words.of_proposal(found),
            "is_preview": True,
            "back": back,
        }
        return TemplateResponse(request, "admin/routing/wave_preview.html", context)

    def _found(self, request: HttpRequest, object_id: str) -> WaveSchedule:
        row = self.get_queryset(request).filter(pk=object_id).first() if object_id.isdecimal() else None
        if row is None:
            raise Http404
        return row  # type: ignore[no-any-return]


@admin.register(PickWave)
class PickWaveAdmin(ReadOnlyAdmin):
    """Every wave with what planning it together changed and saved."""

    list_display = (
        "releases_at",
        "shown_schedule",
        "shown_state",
        "orders",
        "changed",
        "shown_saved",
        "released",
        "seconds",
    )
    list_filter = (
        "state",
        "is_manual",
        ("releases_at", RangeDateTimeFilter),
        ("schedule", RelatedDropdownFilter),
    )
    list_select_related = ("schedule",)
    ordering = ("-releases_at", "-pk")
    fields = ()
    change_form_template = "admin/routing/wave.html"
    list_before_template = "admin/routing/waves_before.html"

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """The list, below when the next waves are; one query more."""
        plans = WaveSchedule.objects.filter(is_active=True).select_related("merchant").order_by("merchant_id")
        merchant_id = getattr(request.user, "merchant_id", None)
        plans = plans.filter(merchant_id=merchant_id) if merchant_id else plans
        rows = [
            {
                "name": named(plan),
                "next": next_release(plan),
                "link": reverse("admin:routing_waveschedule_change", args=(plan.pk,)),
            }
            for plan in plans[:MOST_SCHEDULES]
        ]
        may_add = request.user.has_perm("routing.add_waveschedule")
        more = {"schedules": rows, "may_plan": may_add, "add_link": reverse("admin:routing_waveschedule_add")}
        return super().changelist_view(request, {**(extra_context or {}), **more})

    def get_queryset(self, request: HttpRequest) -> Any:
        """With the schedule."""
        return super().get_queryset(request).select_related("schedule", "merchant")

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """What became of the wave."""
        found = self.get_queryset(request).filter(pk=object_id).first() if object_id.isdecimal() else None
        if found is None:
            return super().change_view(request, object_id, form_url, extra_context)
        context = {
            "wave": found,
            "page": words.of_wave(found),
            "state": pill(words.STATE_TONES[found.state], found.get_state_display()),
            "title": named(found.schedule),
            "subtitle": None,
        }
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **context})

    @display(description=_("schedule"), ordering="schedule_id")
    def shown_schedule(self, obj: PickWave) -> str:
        """The schedule in the reader's language."""
        return named(obj.schedule)

    @display(description=_("state"), ordering="state")
    def shown_state(self, obj: PickWave) -> SafeString:
        """The state as a pill, and whether something failed."""
        shown = pill(words.STATE_TONES[obj.state], obj.get_state_display())
        return format_html("{} {}", shown, pill("bad", str(_("planning failed")))) if obj.error else shown

    @display(description=_("saved"))
    def shown_saved(self, obj: PickWave) -> str:
        """¥ saved by planning together."""
        if obj.cost_before is None or obj.cost_after is None:
            return "–"
        return f"¥{obj.cost_before - obj.cost_after:,.2f}"

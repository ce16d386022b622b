"""Alert rules with what was learned, and the lane times they learn from."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin import display
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from orderhub.inventory.admin_base import ReadOnlyAdmin
from orderhub.kernel import clock
from tracking.center import book as books
from tracking.center import limits, moves, watching
from tracking.center.admin_shared import SharedAdmin
from tracking.center.engine import lanes
from tracking.center.models import LaneTime, StallRule

#: These are no milestones, and rules may watch them.
_INNER = frozenset({moves.RELEASED, moves.REROUTED, moves.BACKORDERED})


class RuleForm(forms.ModelForm):  # type: ignore[type-arg]
    """One rule; its milestones must be known, its limit positive."""

    class Meta:
        model = StallRule
        fields = (
            "merchant", "code", "name", "name_en", "sort", "milestones", "times", "hours", "is_learned", "calendar",
            "template", "carrier", "origin", "destination", "season_from", "season_to", "severity", "escalate_hours",
            "deed", "tells", "is_active",
        )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        """Codes that exist, and what the sort of rule needs."""
        given: dict[str, Any] = super().clean() or {}
        owner = given.get("merchant")
        book = books.book(owner.pk if owner else 0)
        codes = limits.codes_of(StallRule(milestones=given.get("milestones", "")))
        unknown = sorted(code for code in codes if code not in _INNER and book.milestone(code) is None)
        if unknown:
            self.add_error(
                "milestones", _("There is no milestone “%(code)s”.") % {"code": ", ".join(unknown)}
            )
        if given.get("sort") != StallRule.Sort.LATE and not codes:
            self.add_error("milestones", _("Name at least one milestone."))
        if given.get("sort") == StallRule.Sort.STALL and not (given.get("hours") or 0) > 0:
            self.add_error("hours", _("A limit above zero is needed."))
        return given


@admin.register(StallRule)
class StallRuleAdmin(SharedAdmin):
    """When somebody must look; what changes here counts for everything open at once."""

    form = RuleForm
    list_display = (
        "name", "sort", "milestones", "hours", "is_learned", "calendar", "severity", "deed", "is_active",
    )  # fmt: skip
    list_filter = (("sort", ChoicesDropdownFilter), ("severity", ChoicesDropdownFilter), "is_active")
    list_select_related = ("calendar",)
    search_fields = ("code", "name", "name_en")
    ordering = ("code",)
    readonly_fields = ("shown_learned",)
    fields = (
        "merchant", ("code", "is_active"), ("name", "name_en"), "sort", ("milestones", "times"),
        ("hours", "is_learned", "calendar"), "shown_learned", ("template", "carrier"), ("origin", "destination"),
        ("season_from", "season_to"), ("severity", "escalate_hours"), ("deed", "tells"),
    )  # fmt: skip

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Alerts name their rule: it is switched off instead."""
        return (
            obj is not None
            and not obj.is_shipped
            and not obj.alerts.exists()
            and (self.has_change_permission(request, obj) and super().has_delete_permission(request, obj))
        )

    def save_model(self, request: HttpRequest, obj: StallRule, form: Any, change: bool) -> None:
        """Keep it, and say anew until when news is due of everything open."""
        super().save_model(request, obj, form, change)
        watching.reckon_again(now=clock.now())

    @display(description=_("learned limits"))
    def shown_learned(self, rule: StallRule) -> str:
        """What 95 % of the parcels needed, by carrier and milestone, where enough are known."""
        if not rule.pk or not rule.is_learned:
            return "–"
        rows = LaneTime.objects.filter(sort=LaneTime.Sort.STEP, milestone__in=limits.codes_of(rule))
        found: dict[tuple[str, str], list[Any]] = {}
        for row in rows:
            found.setdefault((row.carrier, row.milestone), []).append(row.known)
        lines = []
        for (carrier, milestone), many in sorted(found.items()):
            counts = lanes.merged(many)
            hours = lanes.quantile(counts, limits.SHARE)
            said = f"{hours:.0f} h" if hours is not None else f"{lanes.total(counts)} / {lanes.FEWEST}"
            lines.append(f"{carrier} {milestone}: {said}")
        return "; ".join(lines) or "–"


@admin.register(LaneTime)
class LaneTimeAdmin(ReadOnlyAdmin):
    """How long parcels of a lane took, month by month."""

    list_display = ("carrier", "origin", "destination", "milestone", "sort", "month", "samples", "shown_band")
    list_filter = (("sort", ChoicesDropdownFilter),)
    search_fields = ("carrier", "origin", "destination", "milestone")
    ordering = ("-month", "-samples")

    @display(description=_("hours, p10–p50–p90"))
    def shown_band(self, row: LaneTime) -> str:
        """The quantiles, once there are 30 samples."""
        found = [lanes.quantile(row.counts, share) for share in (0.1, 0.5, 0.9)]
        return "–".join(f"{one:.1f}" for one in found if one is not None) or "–"

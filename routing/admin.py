"""Operators' pages of decisions with why they were made; those of strategies and prices are beside."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin import display
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter, RangeDateTimeFilter, RelatedDropdownFilter

from orderhub.fulfillment.admin import order_link
from orderhub.inventory.admin_base import ReadOnlyAdmin, is_chinese, named
from orderhub.templatetags.ui import pill
from routing import admin_rules as admin_rules  # registers its pages
from routing import admin_strategies as admin_strategies
from routing import panels, record
from routing.admin_parts import Titled
from routing.engine.model import Plan
from routing.models import Decision
from routing.pricing import admin as pricing_admin  # noqa: F401  (registers its pages)
from routing.reports import admin as reports_admin  # noqa: F401  (likewise)
from routing.returns import admin as returns_admin  # noqa: F401  (likewise)
from routing.vocabulary import METHODS, STATUSES, word
from routing.waves import admin as waves_admin  # noqa: F401  (likewise)

Text = str | Promise

STATUS_TONES = {"routed": "ok", "partial": "warn", "unroutable": "bad"}


def _plan(plan: Plan) -> dict[str, Any]:
    names = dict.fromkeys(parcel.node_name or parcel.node_code for parcel in plan.parcels)
    return {"name": " + ".join(names), "plan": plan}


class OutcomeFilter(DropdownFilter):
    """Routed, partly, or not at all."""

    title = _("outcome")
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The three outcomes in the reader's language."""
        return [(code, pair[0] if is_chinese() else pair[1]) for code, pair in STATUSES.items()]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Decisions with that outcome."""
        return queryset.filter(status=self.value()) if self.value() else queryset


class CurrentFilter(DropdownFilter):
    """In force, or replaced by a later one."""

    title = _("state")
    parameter_name = "current"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Text]]:
        """The two."""
        return [("yes", _("in force")), ("no", _("replaced"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Decisions in that state."""
        if self.value() in ("yes", "no"):
            return queryset.filter(superseded_at__isnull=self.value() == "yes")
        return queryset


@admin.register(Decision)
class DecisionAdmin(Titled, ReadOnlyAdmin):
    """Every decision with its explanation; never edited."""

    list_display = (
        "decided_at",
        "shown_order",
        "shown_strategy",
        "shown_status",
        "shown_total",
        "shown_method",
        "shown_time",
        "superseded_at",
    )
    list_filter = (
        OutcomeFilter,
        CurrentFilter,
        ("decided_at", RangeDateTimeFilter),
        ("merchant", RelatedDropdownFilter),
    )
    list_select_related = ("order", "strategy__strategy")
    search_fields = ("order__external_id__exact",)
    ordering = ("-pk",)
    fields = ()
    change_form_template = "admin/routing/decision.html"

    def title_of(self, obj: Decision) -> str:
        """The number of its order."""
        return str(obj.order.number)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """The list, without the long explanations."""
        request.__dict__["_is_decision_list"] = True
        return super().changelist_view(request, extra_context)

    def get_queryset(self, request: HttpRequest) -> Any:
        """Only what is shown."""
        rows = super().get_queryset(request)
        if request.__dict__.get("_is_decision_list"):
            return rows.defer("plan", "alternatives", "removed", "shortages")
        return rows.select_related("order", "strategy__strategy")

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """The explanation."""
        found = self.get_queryset(request).filter(pk=object_id).first() if object_id.isdecimal() else None
        if found is None:
            return super().change_view(request, object_id, form_url, extra_context)
        part = panels.drawn(found)
        shown = {
            "part": part,
            "order_link": order_link(found.order),
            "title": found.order.number,
            "subtitle": None,
        }
        told = record.engine_decision(found, language="zh" if is_chinese() else "en")
        rows = [_plan(plan) for plan in (told.plan, *told.alternatives) if plan is not None]
        context = {**shown, "decision": found, "plans": rows}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **context})

    @display(description=_("order"), ordering="order_id")
    def shown_order(self, obj: Decision) -> SafeString:
        """The order, linked."""
        return order_link(obj.order)

    @display(description=_("strategy"))
    def shown_strategy(self, obj: Decision) -> str:
        """The strategy and its version."""
        return f"{named(obj.strategy.strategy)} v{obj.strategy.number}"

    @display(description=_("outcome"), ordering="status")
    def shown_status(self, obj: Decision) -> SafeString:
        """The outcome as a pill."""
        pair = STATUSES.get(obj.status, (obj.status, obj.status))
        return pill(STATUS_TONES.get(obj.status, "wait"), pair[0] if is_chinese() else pair[1])

    @display(description=_("cost"), ordering="total")
    def shown_total(self, obj: Decision) -> str:
        """Yuan with two decimals."""
        return f"¥{obj.total:,.2f}" if obj.total is not None else "–"

    @display(description=_("method"), ordering="method")
    def shown_method(self, obj: Decision) -> str:
        """How it was solved, in words."""
        return word(METHODS, obj.method, "zh" if is_chinese() else "en")

    @display(description=_("time to decide"), ordering="elapsed_ms")
    def shown_time(self, obj: Decision) -> str:
        """Milliseconds with one decimal."""
        return str(_("%(n)s ms") % {"n": f"{obj.elapsed_ms:.1f}"})

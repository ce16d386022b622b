"""What routing adds to the operators' pages: why an order ships this way, and the strategies in force."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Avg, Count, Max, OuterRef, Q, Subquery
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from orderhub.fulfillment.panels import Concern, Drawn, Figure, concern, figures, home, panel
from orderhub.inventory.admin_base import is_chinese, named
from orderhub.orders.models import Order
from routing import queries
from routing.board import concerns as concerns
from routing.models import Decision, StrategyVersion
from routing.waves import panels as waves_panels  # noqa: F401  (registers its part of the order page)

MOST_STRATEGIES = 8
#: Notes that say how a decision came about; all others warn.
TELLING = frozenset({"wave", "wave_dearer", "strategy_rule"})


@panel("decision", order=20, permission="routing.view_decision")
def decision(order: Order, request: HttpRequest) -> Drawn | None:
    """The decision in force: one sentence, winner against runner-up in ¥, what was removed, versions."""
    found = queries.current(order.pk)
    return None if found is None else drawn(found)


def drawn(found: Decision) -> Drawn:
    """A decision with what its template needs; the widest bar is the largest difference."""
    document = queries.document(found, language="zh" if is_chinese() else "en")
    terms = [_term(row) for row in document["terms"]]
    widest = max((abs(term["difference"] or Decimal(0)) for term in terms), default=Decimal(0))
    runner_up = document["runner_up"]
    difference = Decimal(document["total"]) - Decimal(runner_up["total"]) if runner_up else None
    links = {
        "decision": reverse("admin:routing_decision_change", args=(found.pk,)),
        "strategy": reverse("admin:routing_strategyversion_change", args=(found.strategy_id,)),
    }
    shown = {
        **document,
        "terms": terms,
        "widest": widest or Decimal(1),
        "difference": difference,
        "shown_difference": None if difference is None else signed(difference),
        "notes": [
            {**note, "is_warning": note["code"].partition(":")[0] not in TELLING}
            for note in document["notes"]
        ],
        "links": links,
    }
    return Drawn("admin/panels/decision.html", shown)


def _term(row: dict[str, str | None]) -> dict[str, Any]:
    figures_of = {
        name: None if row[name] is None else Decimal(str(row[name]))
        for name in ("winner", "runner_up", "difference", "cents")
    }
    gap = figures_of["cents"]
    return {"label": row["label"], **figures_of, "shown": "" if gap is None else signed(gap)}


def signed(yuan: Decimal) -> str:
    """Two decimals with a plus or a true minus; neither at nought."""
    text = f"{abs(yuan):.2f}"
    return text if not Decimal(text) else f"{'+' if yuan > 0 else '−'}{text}"


@home("strategies", order=30, aside=True, permission="routing.view_strategy")
def in_force(request: HttpRequest, now: datetime) -> Drawn | None:
    """The strategies that route orders right now, each with its version; two queries."""
    newest = (
        StrategyVersion.objects.filter(strategy=OuterRef("strategy")).order_by("-number").values("pk")[:1]
    )
    rows = StrategyVersion.objects.filter(pk=Subquery(newest), strategy__is_active=True).select_related(
        "strategy"
    )
    merchant_id = getattr(request.user, "merchant_id", None)
    rows = rows.filter(strategy__merchant_id=merchant_id) if merchant_id else rows
    recent = Q(decided_at__gt=now - timedelta(hours=24))
    used = dict(
        Decision.objects.filter(recent).values_list("strategy_id").annotate(count=Count("pk")).order_by()
    )
    lines = [
        {
            "name": named(row.strategy),
            "number": row.number,
            "since": row.created_at,
            "used": used.get(row.pk, 0),
            "is_default": row.strategy.is_default,
            "for_green": row.strategy.for_green,
            "link": reverse("admin:routing_strategy_change", args=(row.strategy_id,)),
        }
        for row in rows
    ]
    lines.sort(key=lambda line: (-line["used"], not line["is_default"]))
    return Drawn("admin/panels/strategies.html", {"lines": lines[:MOST_STRATEGIES]}) if lines else None


@figures("routing", order=20, permission="routing.view_decision")
def last_day(request: HttpRequest, now: datetime) -> list[Figure]:
    """Cost per order and how long deciding took; one query."""
    rows = Decision.objects.filter(decided_at__gt=now - timedelta(hours=24), plan__isnull=False)
    found = rows.aggregate(cost=Avg("total"), average=Avg("elapsed_ms"), slowest=Max("elapsed_ms"))
    if found["cost"] is None:
        return []
    slowest = _("slowest %(milliseconds)s ms") % {"milliseconds": f"{found['slowest']:,.0f}"}
    return [
        Figure(_("Fulfillment cost per order"), f"¥{found['cost']:,.2f}", "", _("as routed, all terms")),
        Figure(_("Time to decide"), f"{found['average']:,.1f}", _("ms"), slowest),
    ]


@concern("unroutable", permission="routing.view_decision")
def unroutable(request: HttpRequest, now: datetime) -> list[Concern]:
    """Orders that no warehouse can serve at all, whatever the stock; one query."""
    rows = Decision.objects.filter(
        superseded_at__isnull=True, status="unroutable", order__waiting_for="stock"
    )
    count = rows.filter(shortages=[]).count()
    if not count:
        return []
    link = f"{reverse('admin:routing_decision_changelist')}?status=unroutable&current=yes"
    text = _("No warehouse can serve %(count)d orders") % {"count": count}
    return [
        Concern(
            "bad",
            text,
            _("The reason is not stock: look at what was removed and why."),
            "",
            link,
            _("see why"),
            5,
        )
    ]

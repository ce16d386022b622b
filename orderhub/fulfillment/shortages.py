"""Fulfillment orders to serve from elsewhere when a warehouse has fewer units than it has promised."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Case, When

from orderhub.fulfillment import services
from orderhub.fulfillment.models import FulfillmentLine
from orderhub.fulfillment.models.fulfillment import State
from orderhub.inventory import reports
from orderhub.inventory.models import StockReportLine

#: What nobody has begun to pick comes first, and of that what no warehouse was told of yet.
_RANK = (State.RESERVED, State.RELEASED, State.ACKNOWLEDGED, State.IN_PROGRESS)
_MOST = 200


@dataclass(frozen=True, slots=True)
class Proposal:
    """A fulfillment order that holds units which are not there; `at_once` if no warehouse has to be asked first."""

    fulfillment_id: int
    number: str
    order_id: int
    order_number: str
    state: str
    units: int
    at_once: bool


def propose(line: StockReportLine) -> list[Proposal]:
    """Those whose units make up what is short, the newest orders first; empty if nothing is short. One query."""
    if not line.short or line.sku_id is None:
        return []
    rank = Case(*(When(fulfillment__state=state, then=n) for n, state in enumerate(_RANK)))
    rows = (
        FulfillmentLine.objects.filter(
            sku_id=line.sku_id, fulfillment__warehouse_id=line.warehouse_id, fulfillment__state__in=_RANK,
            reserved__gt=0, made_on__isnull=True,
        )
        .select_related("fulfillment__order")
        .order_by(rank, "-fulfillment__order__received_at", "-pk")
    )  # fmt: skip
    found: list[Proposal] = []
    missing = line.short
    for row in rows[:_MOST]:
        if missing <= 0:
            break
        work = row.fulfillment
        found.append(Proposal(
            work.pk, work.number, work.order_id, work.order.number, work.get_state_display(), row.reserved,
            at_once=work.state == State.RESERVED,
        ))  # fmt: skip
        missing -= row.reserved
    return found


@transaction.atomic
def reroute_and_book(
    line: StockReportLine, *, reason: str, note: str, actor: str, now: datetime
) -> tuple[Sequence[services.Outcome], StockReportLine]:
    """Send the proposed orders back to routing, then book what that makes free, before anybody can take it again.

    Warehouses that have an order already are asked to give it back; what they free is booked by a later call.
    """
    orders = list(dict.fromkeys(proposal.order_id for proposal in propose(line)))
    outcomes = (
        services.reroute(orders, reason=f"stock_report:{line.report_id}", actor=actor, now=now)
        if orders
        else []
    )
    [after] = reports.book([line.pk], reason=reason, note=note, actor=actor, now=now) or [line]
    return outcomes, after

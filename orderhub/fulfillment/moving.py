"""Moving an order to a warehouse that a person chose: what others were given is asked back, then it ships from there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import F, QuerySet, Sum
from django.utils.translation import gettext_lazy as _

from orderhub.events import log
from orderhub.fulfillment import standing
from orderhub.fulfillment.actions import why_not
from orderhub.fulfillment.asking import request_cancel
from orderhub.fulfillment.handlers import AT_WORK
from orderhub.fulfillment.models import FulfillmentLine, FulfillmentOrder
from orderhub.fulfillment.models.fulfillment import State
from orderhub.fulfillment.standing import Stand
from orderhub.inventory.models import Stock, Warehouse
from orderhub.kernel.errors import Refused
from orderhub.orders import kinds, lifecycle, parting
from orderhub.orders import services as orders_services
from orderhub.orders.models import Order

REASON = "moved"


@dataclass(frozen=True, slots=True)
class _Elsewhere:
    """What of an order is planned or at work somewhere else than where it should go."""

    planned: Sequence[FulfillmentOrder]
    working: Sequence[FulfillmentOrder]


@transaction.atomic
def move(order_id: int, warehouse: str, *, reason: str, actor: str, now: datetime) -> Order:
    """Ship what has not left from this warehouse (by code) and no other; the order. What others have is asked back,
    and goes when they agree; a part that a warehouse does not give back ships as it was.

    Raises Refused: "unknown_order", "order_cancelled", "order_merged", "already_shipped", "being_cancelled",
    "address_change_pending", "unknown_warehouse", "warehouse_refused", "already_there" or "not_in_stock_there".
    """
    stand = standing.load([order_id]).get(order_id)
    if stand is None:
        raise orders_services.unknown(order_id)
    order = stand.order
    if (no := why_not("move", standing.facts([stand])[order_id], order)) is not None:
        raise no
    place = places(order).filter(code=warehouse).first()
    if place is None:
        raise Refused(
            "unknown_warehouse", _("There is no open warehouse %(code)s.") % {"code": warehouse},
            remedy=_("Choose one of the merchant's open warehouses."), status=400, field="warehouse",
        )  # fmt: skip
    _check(stand, place)
    elsewhere = _elsewhere(stand, place)
    if order.only_at_id == place.pk and not elsewhere.planned and not elsewhere.working:
        raise Refused(
            "already_there", _("Order %(number)s ships from %(warehouse)s already.")
            % {"number": order.number, "warehouse": place.code},
            remedy=_("Nothing to do."), field="warehouse",
        )  # fmt: skip
    _send(stand, place, elsewhere, reason=reason, now=now, actor=actor)
    return order


@transaction.atomic
def let_go(order_id: int, *, actor: str, now: datetime) -> Order:
    """Let routing choose freely again for an order that somebody had moved."""
    stand = standing.load([order_id])[order_id]
    stand.order.only_at = None
    lifecycle.save([stand.order], ["only_at"], now=now)
    _free([stand], [work.number for work in stand.works if work.state in AT_WORK], now=now, actor=actor)
    return stand.order


def places(order: Order) -> QuerySet[Warehouse]:
    """The warehouses an order may be moved to."""
    rows = Warehouse.objects.filter(merchant_id=order.merchant_id, is_active=True, is_frozen=False)
    return rows.order_by("code")


def _send(
    stand: Stand, place: Warehouse, elsewhere: _Elsewhere, *, reason: str, now: datetime, actor: str
) -> None:
    order = stand.order
    before = [row.warehouse.code for row in (*elsewhere.working, *elsewhere.planned)]
    pinned = order.only_at.code if order.only_at is not None else ""
    numbers = [row.number for row in elsewhere.working]
    order.only_at = place
    lifecycle.save([order], ["only_at"], now=now)
    payload = {
        "warehouse": place.code, "before": sorted(set(before)), "pinned_before": pinned, "fulfillments": numbers,
        "reason": reason, "stage": order.stage,
    }  # fmt: skip
    log.record([log.Fact(order.stream, kinds.MOVED.name, payload, order.merchant_id)], now=now, actor=actor)
    _free([stand], numbers, now=now, actor=actor)


def _free(stands: Sequence[Stand], numbers: Sequence[str], *, now: datetime, actor: str) -> None:
    """Plan afresh what no warehouse has, and ask back what these fulfillment orders have."""
    going = [stand.order.pk for stand in stands if stand.is_movable and _is_at_routing(stand.order)]
    standing.unplan(stands, now=now, actor=actor)
    orders_services.reroute(going, reason=REASON, actor=actor, now=now)
    request_cancel(numbers, reason=REASON, intent="reroute", actor=actor, now=now)


def _is_at_routing(order: Order) -> bool:
    """Whether it has come to routing, or been through it; one that has not gets there by itself."""
    return not parting.is_before_routing(order)


def _elsewhere(stand: Stand, place: Warehouse) -> _Elsewhere:
    rows = FulfillmentOrder.objects.filter(order=stand.order).exclude(warehouse=place)
    rows = rows.select_related("warehouse").order_by("pk")
    planned = rows.filter(state__in=[State.PLANNED, State.RESERVED])
    return _Elsewhere(list(planned), list(rows.filter(state__in=AT_WORK)))


def _check(stand: Stand, place: Warehouse) -> None:
    """The warehouse did not refuse the order, and has on its shelves what is to ship from there."""
    refused = FulfillmentOrder.objects.filter(order=stand.order, warehouse=place).exclude(refusal="")
    if refused.exists():
        raise Refused(
            "warehouse_refused", _("Warehouse %(code)s has refused this order or could not pick it.") % {"code": place.code},
            remedy=_("Choose another warehouse."), field="warehouse",
        )  # fmt: skip
    if place.kind == Warehouse.Kind.FACTORY:
        return
    needed: dict[int, int] = {}
    for line in stand.lines:
        units = line.open + line.backordered + line.allocated + line.released
        needed[line.sku_id] = needed.get(line.sku_id, 0) + units
    rows = Stock.objects.filter(warehouse=place, sku_id__in=needed)
    there = dict(rows.values_list("sku_id", F("on_hand") - F("reserved") - F("safety")))
    own = FulfillmentLine.objects.filter(fulfillment__order=stand.order, fulfillment__warehouse=place)
    for row in own.filter(reserved__gt=0).values("sku_id").annotate(units=Sum("reserved")):
        there[row["sku_id"]] = there.get(row["sku_id"], 0) + row["units"]
    short = [line for line in stand.lines if there.get(line.sku_id, 0) < needed[line.sku_id]]
    if short:
        names = ", ".join(dict.fromkeys(line.name for line in short))
        raise Refused(
            "not_in_stock_there", _("Warehouse %(code)s does not have enough of: %(names)s.")
            % {"code": place.code, "names": names},
            remedy=_("Choose a warehouse that has all of it, or split the order first."), field="warehouse",
            facts={"lines": [line.position for line in short]},
        )  # fmt: skip

"""What may be done to orders: place, pay, hold, release, cancel, send back to routing. All of it in batches.

Each verb locks its orders in id order, says per order what became of it, and changes nothing where it
refuses.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from orderhub.events import log
from orderhub.inventory import queries as inventory
from orderhub.kernel.errors import Refused
from orderhub.orders import holding, kinds, ledger, lifecycle
from orderhub.orders.models import Hold, Order, OrderLine
from orderhub.orders.models.order import Stage, StepState
from orderhub.orders.placing import pack, place, place_many, place_packed, refusal
from orderhub.orders.promotions import counting as promotions

__all__ = [
    "Outcome", "backorder", "cancel", "expire_holds", "hold", "pack", "pay", "place", "place_many", "place_packed", "refusal",
    "release_holds", "reopen", "reroute", "resume",
]  # fmt: skip

_BATCH = 200
#: What reopened orders wait for.
STOCK = "stock"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one order: done, refused with a reason, or neither where it already was so."""

    order_id: int
    done: bool
    refused: Refused | None = None


@transaction.atomic
def pay(
    order_ids: Sequence[int], *, now: datetime, actor: str, paid_at: datetime | None = None
) -> list[Outcome]:
    """Note the payment and release the hold that waited for it; paid orders stay as they are."""
    orders = _locked(order_ids)
    refused = {order.pk: closed(order) for order in orders.values() if order.stage in lifecycle.CLOSED}
    paying = [x for x in orders.values() if x.payment == Order.Payment.UNPAID and x.pk not in refused]
    for order in paying:
        order.payment, order.paid_at = Order.Payment.PAID, paid_at or now
    lifecycle.save(paying, ["payment", "paid_at"], now=now)
    holding.release(paying, lambda x: x.reason == Hold.Reason.AWAITING_PAYMENT, note="", now=now, actor=actor)
    _tell(paying, kinds.PAID.name, {}, now=now, actor=actor)
    return _outcomes(order_ids, orders, done={order.pk for order in paying}, refused=refused)


@transaction.atomic
def hold(
    order_ids: Sequence[int],
    *,
    reason: str,
    detail: str = "",
    until: datetime | None = None,
    actor: str,
    now: datetime,
) -> list[Outcome]:
    """Stop orders at the step they stand at, for one more reason; a reason that is active already changes
    nothing.

    Refused("already_released") when everything is with the warehouses. Raises ValueError for an unknown
    reason.
    """
    reason = Hold.Reason(reason).value
    orders = _locked(order_ids)
    refused = {order.pk: _too_late(order) for order in orders.values() if not holding.can_hold(order)}
    have = {x.order_id for x in holding.active(orders) if x.reason == reason}
    stopping = [x for x in orders.values() if x.pk not in refused and x.pk not in have]
    holding.place([holding.NewHold(order, reason, detail, until) for order in stopping], now=now, actor=actor)
    return _outcomes(order_ids, orders, done={order.pk for order in stopping}, refused=refused)


@transaction.atomic
def release_holds(
    order_ids: Sequence[int], *, reason: str | None = None, note: str = "", actor: str, now: datetime
) -> list[Outcome]:
    """Release the active holds of one reason, or all; an order without any left goes on at its step.

    What an address change under way has frozen stays so until its answer.
    """
    orders = _locked(order_ids)
    done = holding.release(
        list(orders.values()),
        lambda x: (reason is None or x.reason == reason) and not holding.is_freeze(x),
        note=note,
        now=now,
        actor=actor,
    )
    return _outcomes(order_ids, orders, done=done)


def expire_holds(*, now: datetime, actor: str = "system") -> int:
    """Release every hold whose time is up, a few hundred orders per transaction; how many orders lost one."""
    done = 0
    due = Hold.objects.filter(released_at__isnull=True, until__lte=now).order_by("order_id")
    ids = sorted(set(due.values_list("order_id", flat=True)))
    for batch in _batches(ids):
        with transaction.atomic():
            orders = list(_locked(batch).values())
            done += len(holding.release(orders, lambda x: _is_due(x, now), note="", now=now, actor=actor))
    return done


@transaction.atomic
def cancel(order_ids: Sequence[int], *, reason: str, actor: str, now: datetime) -> list[Outcome]:
    """Cancel all units of orders of which nothing is with a warehouse yet; cancelled orders stay as they are.

    Stock already reserved is given back by whoever planned it, upon `order.cancelled`. Active holds end with
    it. Refused("already_released") otherwise: then the warehouse must be asked.
    """
    orders = _locked(order_ids)
    lines = holding.lines_of(list(orders.values()))
    refused = {
        order.pk: _too_late(order)
        for order in orders.values()
        if order.stage == Stage.MERGED or any(line.released or line.shipped for line in lines[order.pk])
    }
    going = [x for x in orders.values() if x.pk not in refused and x.stage != Stage.CANCELLED]
    affected = [line for order in going for line in lines[order.pk]]
    ledger.move(ledger.all_of(affected, ("open", "backordered", "allocated"), "cancelled"))
    ledger.save(affected)
    Hold.objects.filter(order__in=going, released_at__isnull=True).update(
        released_at=now, released_by=actor[:80], release_note=reason[:300]
    )
    lifecycle.transition(going, Stage.CANCELLED)
    lifecycle.finish(going)
    lifecycle.save(going, ["stage", *lifecycle.STEP_FIELDS], now=now)
    promotions.give_back(going)
    _tell(going, kinds.CANCELLED.name, {"reason": reason}, now=now, actor=actor)
    return _outcomes(order_ids, orders, done={order.pk for order in going}, refused=refused)


@transaction.atomic
def reroute(order_ids: Sequence[int], *, reason: str, actor: str, now: datetime) -> list[Outcome]:
    """Send orders back to routing; a plan they have stands until routing replaces it. Held orders wait there.

    Refused("already_released") when no unit is left to route.
    """
    orders = _locked(order_ids)
    lines = holding.lines_of(list(orders.values()))
    refused = {
        order.pk: _too_late(order)
        for order in orders.values()
        if not any(line.open or line.backordered or line.allocated for line in lines[order.pk])
    }
    going = [order for order in orders.values() if order.pk not in refused]
    _send_back(going, lines, reason=reason, now=now, actor=actor)
    return _outcomes(order_ids, orders, done={order.pk for order in going}, refused=refused)


@transaction.atomic
def resume(order_ids: Collection[int], *, reason: str, now: datetime, actor: str) -> int:
    """Send those of these orders back to routing that still wait for stock there; how many went."""
    orders = _waiting_for_stock(order_ids)
    _send_back(orders, holding.lines_of(orders), reason=reason, now=now, actor=actor)
    return len(orders)


def reopen(sku_ids: Collection[int], *, now: datetime, actor: str) -> int:
    """Send orders that wait for stock back to routing, the oldest first, as far as what can be promised now
    reaches.

    Only orders that need one of these SKUs are looked at; how many went back. A few queries per 200 of them.
    """
    needing = OrderLine.objects.filter(sku_id__in=set(sku_ids), order__waiting_for=STOCK).exclude(
        open=0, backordered=0
    )
    ids = list(
        Order.objects.filter(pk__in=needing.values("order_id"), step_state=StepState.WAITING)
        .order_by("received_at", "pk")
        .values_list("pk", flat=True)
    )
    units: dict[int, int] = {}
    return sum(_reopen(batch, units, now=now, actor=actor) for batch in _batches(ids))


def backorder(
    orders: Sequence[Order],
    *,
    reason: str,
    now: datetime,
    actor: str,
    lines: Mapping[int, Sequence[OrderLine]] | None = None,
) -> None:
    """Note on locked orders that their open units wait for stock: ledger, stage and event; the step says
    wait("stock").

    `lines` are the loaded lines by order id, if the caller has them. Orders that said so already are not told
    again.
    """
    found = lines if lines is not None else holding.lines_of(orders)
    going = [order for order in orders if any(line.open for line in found[order.pk])]
    affected = [line for order in going for line in found[order.pk] if line.open]
    ledger.move(ledger.all_of(affected, ("open",), "backordered"))
    ledger.save(affected)
    lifecycle.settle((order, found[order.pk]) for order in going)
    lifecycle.save(going, ["stage"], now=now)
    facts = [
        log.Fact(x.stream, kinds.BACKORDERED.name, _waiting(x, found[x.pk], reason=reason), x.merchant_id)
        for x in going
    ]
    log.record(facts, now=now, actor=actor)


@transaction.atomic
def _reopen(order_ids: Sequence[int], units: dict[int, int], *, now: datetime, actor: str) -> int:
    orders = _waiting_for_stock(order_ids)
    orders.sort(key=lambda order: (order.received_at, order.pk))
    lines = holding.lines_of(orders)
    asked = {line.sku_id for rows in lines.values() for line in rows if line.open + line.backordered}
    units.update(inventory.promisable(asked - units.keys()))
    going = [order for order in orders if _reserve_on_paper(lines[order.pk], units)]
    _send_back(going, lines, reason=STOCK, now=now, actor=actor)
    return len(going)


def _reserve_on_paper(lines: Sequence[OrderLine], units: dict[int, int]) -> bool:
    needed: dict[int, int] = {}
    for line in lines:
        needed[line.sku_id] = needed.get(line.sku_id, 0) + line.open + line.backordered
    if any(units.get(sku_id, 0) < quantity for sku_id, quantity in needed.items()):
        return False
    for sku_id, quantity in needed.items():
        units[sku_id] = units.get(sku_id, 0) - quantity
    return True


def _send_back(
    orders: Sequence[Order],
    lines: Mapping[int, Sequence[OrderLine]],
    *,
    reason: str,
    now: datetime,
    actor: str,
) -> None:
    """Backordered units open again; the order is ready at routing, or waits there while a hold is active."""
    affected = [line for order in orders for line in lines[order.pk] if line.backordered]
    ledger.move(ledger.all_of(affected, ("backordered",), "open"))
    ledger.save(affected)
    held = {x.order_id for x in holding.active([order.pk for order in orders])}
    lifecycle.transition([x for x in orders if x.stage in {Stage.ROUTED, Stage.BACKORDERED}], Stage.RECEIVED)
    for order in orders:
        order.attempts = 0
    lifecycle.send_to(orders, lifecycle.ROUTING_STEP)
    lifecycle.park([order for order in orders if order.pk in held], holding.WAITING_FOR)
    lifecycle.save(orders, ["stage", *lifecycle.STEP_FIELDS], now=now)
    _tell(orders, kinds.REROUTED.name, {"reason": reason}, now=now, actor=actor)


def _waiting_for_stock(order_ids: Collection[int]) -> list[Order]:
    """Those of these orders that wait for stock, locked."""
    found = _locked(order_ids).values()
    return [x for x in found if x.step_state == StepState.WAITING and x.waiting_for == STOCK]


def _locked(order_ids: Collection[int]) -> dict[int, Order]:
    rows = Order.objects.select_for_update(no_key=True).filter(pk__in=set(order_ids)).order_by("pk")
    return {order.pk: order for order in rows}


def _tell(
    orders: Sequence[Order], kind: str, payload: Mapping[str, object], *, now: datetime, actor: str
) -> None:
    facts = [log.Fact(x.stream, kind, {**payload, "stage": x.stage}, x.merchant_id) for x in orders]
    log.record(facts, now=now, actor=actor)


def _outcomes(
    order_ids: Sequence[int], orders: Mapping[int, Order], *, done: Collection[int],
    refused: Mapping[int, Refused] | None = None,
) -> list[Outcome]:  # fmt: skip
    missing = {pk: unknown(pk) for pk in order_ids if pk not in orders}
    reasons = {**(refused or {}), **missing}
    return [Outcome(pk, pk in done, reasons.get(pk)) for pk in order_ids]


def _waiting(order: Order, lines: Sequence[OrderLine], *, reason: str) -> dict[str, object]:
    short = [{"position": line.position, "units": line.backordered} for line in lines if line.backordered]
    return {"reason": reason, "lines": short, "stage": order.stage}


def _is_due(hold: Hold, now: datetime) -> bool:
    return hold.until is not None and hold.until <= now


def _batches(ids: Sequence[int]) -> list[Sequence[int]]:
    return [ids[start : start + _BATCH] for start in range(0, len(ids), _BATCH)]


def unknown(order_id: int) -> Refused:
    """No: nobody has heard of it."""
    return Refused("unknown_order", _("There is no such order."), status=404, facts={"order": order_id})


def _too_late(order: Order) -> Refused:
    return closed(order) if order.stage in lifecycle.CLOSED else released(order)


def released(order: Order) -> Refused:
    """No: a warehouse has it already."""
    return Refused(
        "already_released",
        _("Order %(number)s is with the warehouse already.") % {"number": order.number},
        remedy=_("Ask the warehouse to cancel its fulfillment order, or have the parcel intercepted."),
        facts={"order": order.pk, "stage": order.stage},
    )


def closed(order: Order) -> Refused:
    """No: it was cancelled, or merged into another order."""
    if order.stage == Stage.MERGED:
        return Refused(
            "order_merged",
            _("Order %(number)s was merged into another order.") % {"number": order.number},
            remedy=_("Work with the order that ships for both."),
            facts={"order": order.pk, "into": order.merged_into_id},
        )
    return Refused(
        "order_cancelled",
        _("Order %(number)s is cancelled.") % {"number": order.number},
        remedy=_("Refund the payment, or place the order again."),
        facts={"order": order.pk},
    )

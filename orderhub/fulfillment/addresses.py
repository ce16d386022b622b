"""A change of address, from the wish to its end: at once where nothing is released, else the warehouses are
asked to give back what they have, carriers to turn what left, and only when all have answered the order goes on.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from orderhub.events import log
from orderhub.fulfillment import intercepting, standing
from orderhub.fulfillment.actions import why_not
from orderhub.fulfillment.asking import request_cancel
from orderhub.fulfillment.models import FulfillmentOrder, Parcel
from orderhub.fulfillment.models.fulfillment import State
from orderhub.fulfillment.standing import Stand
from orderhub.kernel.errors import Refused
from orderhub.orders import addresses, kinds, lifecycle
from orderhub.orders import services as orders_services
from orderhub.orders.addresses import Address
from orderhub.orders.models import AddressChange, Order

_S = AddressChange.State
_STANDING = (_S.ASKING, _S.DECIDING, _S.APPLIED)
#: Whoever has not answered by then: a person is called.
DEADLINE = timedelta(minutes=30)
_SENT = (State.SHIPPED, State.DELIVERED)
_I = Parcel.Interception


@transaction.atomic
def request_address_change(
    order_id: int, wanted: Address, *, requested_by: str, reason: str, actor: str, now: datetime
) -> tuple[AddressChange, bool]:
    """The document of the change, and whether it is new: the same wish again gives the one that stands.

    Raises Refused: "unknown_order", "order_cancelled", "order_merged", "already_shipped", "being_cancelled",
    "address_change_pending", "same_address", "unknown_country" or "unknown_province".
    """
    stand = standing.load([order_id]).get(order_id)
    if stand is None:
        raise orders_services.unknown(order_id)
    order = stand.order
    last = order.address_changes.select_related("old_person", "new_person").order_by("-pk").first()
    if last is not None and last.state in _STANDING and addresses.is_for(last, wanted):
        return last, False
    facts = standing.facts([stand])[order_id]
    no = why_not("change_address", facts, order)
    turnable: list[Parcel] = []
    if no is not None and no.code == "already_shipped":
        turnable = intercepting.able_to_turn(order.merchant_id, intercepting.on_the_way(order))
        no = None if turnable and not facts.is_changing_address else no
    no = no or addresses.refusal(order, wanted)
    if no is not None:
        raise no
    change = addresses.document(order, wanted, requested_by=requested_by, reason=reason, now=now, actor=actor)
    if stand.works or turnable:
        _ask(stand, change, turnable, now=now, actor=actor)
    else:
        _apply(stand, change, now=now, actor=actor)
    return change, True


def settle(order_ids: Collection[int], *, now: datetime, actor: str) -> None:
    """End the changes of these orders where everybody has answered; in the transaction of the answer, so
    that nothing that came back can be sent to the old address in between. One query if there is none.
    """
    open_ones = AddressChange.objects.filter(order_id__in=order_ids, state=_S.ASKING)
    changes = {change.order_id: change for change in open_ones.select_related("new_person")}
    for pk, stand in standing.load(changes).items() if changes else ():
        _settle(stand, changes[pk], now=now, actor=actor)


@transaction.atomic
def decide(change_id: int, way: str, *, actor: str, now: datetime) -> AddressChange:
    """A person ends a change that cannot be done whole, or is not answered: "split" sends what came back to the new
    address and lets the rest run, "drop" sends all of it to the old one. Raises Refused("nothing_to_decide").
    """
    open_ones = AddressChange.objects.filter(pk=change_id, state__in=[_S.ASKING, _S.DECIDING])
    change = open_ones.select_related("new_person").first()
    stand = standing.load([change.order_id])[change.order_id] if change is not None else None
    if change is None or stand is None or (way == "split" and change.state != _S.DECIDING):
        raise Refused(
            "nothing_to_decide", _("This address change waits for no decision of that sort."),
            remedy=_("Reload the page to see its present state."),
        )  # fmt: skip
    change.decided_by = actor[:80]
    change.save(update_fields=["decided_by"])
    if way == "split":
        _apply(stand, change, partly=True, now=now, actor=actor)
    else:
        addresses.fail(stand.order, change, too_late=True, answer="dropped", now=now, actor=actor)
    return change


def waiting(order: Order) -> AddressChange | None:
    """The change of an order that waits for answers or for a decision; one query."""
    return order.address_changes.filter(state__in=[_S.ASKING, _S.DECIDING]).first()


def can_turn(order: Order) -> bool:
    """Whether a parcel of an order that left can still be taken elsewhere; no query before anything left."""
    if not any(line.shipped for line in order.lines.all()):
        return False
    return bool(intercepting.able_to_turn(order.merchant_id, intercepting.on_the_way(order)))


def escalate(*, now: datetime) -> int:
    """Call a person for the changes that wait longer than half an hour, once each; how many."""
    late = AddressChange.objects.filter(
        state=_S.ASKING, requested_at__lt=now - DEADLINE, escalated_at=None
    ).select_related("order")
    with transaction.atomic():
        rows = list(late.select_for_update(of=("self",))[:200])
        minutes = int(DEADLINE.total_seconds() // 60)
        facts = [
            log.Fact(
                row.order.stream, kinds.ADDRESS_CHANGE_LATE.name,
                {"change": row.pk, "minutes": minutes, "stage": row.order.stage}, row.order.merchant_id,
            )
            for row in rows
        ]  # fmt: skip
        AddressChange.objects.filter(pk__in=[row.pk for row in rows]).update(escalated_at=now)
        log.record(facts, now=now, actor="system")
    return len(rows)


@dataclass(slots=True)
class _Tally:
    """How the parts of a change stand: those that came back or were turned, those that go on, those not answered."""

    moved: int = 0
    stuck: int = 0
    open: int = 0
    answer: str = ""
    to_ask: list[Parcel] = field(default_factory=list)


def _settle(stand: Stand, change: AddressChange, *, now: datetime, actor: str) -> None:
    order = stand.order
    if order.stage in lifecycle.CLOSED:
        addresses.fail(order, change, too_late=False, answer="order_cancelled", now=now, actor=actor)
        return
    tally = _tally(stand, change)
    if tally.to_ask:
        log.record(intercepting.ask(order, change, tally.to_ask), now=now, actor=actor)
    elif tally.open:
        return
    elif not tally.stuck:
        _apply(stand, change, now=now, actor=actor)
    elif not tally.moved and not stand.is_movable:
        addresses.fail(order, change, too_late=True, answer=tally.answer, now=now, actor=actor)
    else:
        moved = tally.moved or 1
        addresses.divide(order, change, moved=moved, stuck=tally.stuck, now=now, actor=actor)


def _tally(stand: Stand, change: AddressChange) -> _Tally:
    order, found = stand.order, _Tally()
    asked = FulfillmentOrder.objects.filter(number__in=change.asked).select_related("rate_card")
    parcels = intercepting.asked_for(order)
    gone = {row.pk for row in asked if row.state in _SENT}
    _count_parcels(order.merchant_id, parcels, gone, found)
    able = intercepting.carriers(order.merchant_id, {row.rate_card.carrier for row in asked})
    for row in asked:
        if row.state in (State.CANCELLED, State.REJECTED):
            found.moved += 1
        elif row.state == State.CANCEL_REQUESTED:
            found.open += 1
        elif row.state not in _SENT and row.rate_card.carrier in able:
            found.open += 1  # it will be handed over, and the carrier asked then
        elif row.state not in _SENT:
            found.stuck, found.answer = found.stuck + 1, "cancel_refused"
        elif not any(parcel.fulfillment_id == row.pk for parcel in parcels):
            found.stuck, found.answer = found.stuck + 1, "shipped"
    return found


def _count_parcels(
    merchant_id: int, parcels: Collection[Parcel], gone: Collection[int], found: _Tally
) -> None:
    """Parcels that were asked for count as they stand; those that left meanwhile are asked for, if anybody can be."""
    late = [parcel for parcel in parcels if not parcel.intercept and parcel.fulfillment_id in gone]
    found.to_ask = intercepting.able_to_turn(merchant_id, late)
    for parcel in parcels:
        if parcel.intercept == _I.ASKED and parcel.delivered_at is None:
            found.open += 1
        elif parcel.intercept == _I.ASKED:
            found.stuck, found.answer = found.stuck + 1, "delivered"
        elif parcel.intercept == _I.REDIRECTED:
            found.moved += 1
        elif parcel.intercept == _I.REFUSED:
            found.stuck, found.answer = found.stuck + 1, "intercept_refused"
        elif parcel in late and parcel not in found.to_ask:
            found.stuck, found.answer = found.stuck + 1, "shipped"


def _apply(stand: Stand, change: AddressChange, *, partly: bool = False, now: datetime, actor: str) -> None:
    standing.unplan([stand], now=now, actor=actor)
    addresses.apply(stand.order, change, partly=partly, now=now, actor=actor)


def _ask(
    stand: Stand, change: AddressChange, parcels: Collection[Parcel], *, now: datetime, actor: str
) -> None:
    """Ask every warehouse that has a part to give it back, and the carriers of what left to turn it."""
    order = stand.order
    change.state, change.asked = _S.ASKING.value, stand.numbers
    change.save(update_fields=["state", "asked"])
    Parcel.objects.filter(fulfillment__order=order).exclude(intercept="").update(intercept="")
    addresses.freeze(order, change, now=now, actor=actor)
    facts: Mapping[str, object] = {
        "change": change.pk, "requested_by": change.requested_by, "fulfillments": stand.numbers,
        "stage": order.stage,
    }  # fmt: skip
    told = log.Fact(order.stream, kinds.ADDRESS_CHANGE_REQUESTED.name, dict(facts), order.merchant_id)
    log.record([told, *intercepting.ask(order, change, list(parcels))], now=now, actor=actor)
    request_cancel(stand.numbers, reason="address_change", intent="reroute", actor=actor, now=now)

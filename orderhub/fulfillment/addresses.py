"""A change of address, from the wish to its end: at once where nothing is released, else the warehouses are
asked to give back what they have, and only when all of it is back does the order go to the new address.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from orderhub.events import log
from orderhub.fulfillment import standing
from orderhub.fulfillment.actions import why_not
from orderhub.fulfillment.asking import request_cancel
from orderhub.fulfillment.models.fulfillment import State
from orderhub.fulfillment.standing import Stand
from orderhub.orders import addresses, kinds, lifecycle
from orderhub.orders import services as orders_services
from orderhub.orders.addresses import Address
from orderhub.orders.models import AddressChange

_STANDING = (AddressChange.State.ASKING, AddressChange.State.APPLIED)


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
    no = why_not("change_address", facts, order) or addresses.refusal(order, wanted)
    if no is not None:
        raise no
    change = addresses.document(order, wanted, requested_by=requested_by, reason=reason, now=now, actor=actor)
    if stand.works:
        _ask(stand, change, now=now, actor=actor)
    else:
        _apply(stand, change, now=now, actor=actor)
    return change, True


def settle(order_ids: Collection[int], *, now: datetime, actor: str) -> None:
    """End the changes of these orders whose warehouses have answered; in the transaction of the answer, so
    that nothing that came back can be sent to the old address in between. One query if there is none.
    """
    open_ones = AddressChange.objects.filter(order_id__in=order_ids, state=AddressChange.State.ASKING)
    changes = {change.order_id: change for change in open_ones.select_related("new_person")}
    for pk, stand in standing.load(changes).items() if changes else ():
        _settle(stand, changes[pk], now=now, actor=actor)


def _settle(stand: Stand, change: AddressChange, *, now: datetime, actor: str) -> None:
    states = {row.state for row in stand.works}
    if stand.order.stage in lifecycle.CLOSED:
        addresses.fail(stand.order, change, too_late=False, answer="order_cancelled", now=now, actor=actor)
    elif stand.has_shipped:
        addresses.fail(stand.order, change, too_late=True, answer="shipped", now=now, actor=actor)
    elif states - {State.CANCEL_REQUESTED}:
        addresses.fail(stand.order, change, too_late=True, answer="cancel_refused", now=now, actor=actor)
    elif not states:
        _apply(stand, change, now=now, actor=actor)


def _apply(stand: Stand, change: AddressChange, *, now: datetime, actor: str) -> None:
    standing.unplan([stand], now=now, actor=actor)
    addresses.apply(stand.order, change, now=now, actor=actor)


def _ask(stand: Stand, change: AddressChange, *, now: datetime, actor: str) -> None:
    """Ask every warehouse that has a part to give it back; a row for each system comes here with the saga."""
    order = stand.order
    change.state, change.asked = AddressChange.State.ASKING.value, stand.numbers
    change.save(update_fields=["state", "asked"])
    addresses.freeze(order, change, now=now, actor=actor)
    facts = {
        "change": change.pk, "requested_by": change.requested_by, "fulfillments": stand.numbers,
        "stage": order.stage,
    }  # fmt: skip
    told = log.Fact(order.stream, kinds.ADDRESS_CHANGE_REQUESTED.name, facts, order.merchant_id)
    log.record([told], now=now, actor=actor)
    request_cancel(stand.numbers, reason="address_change", intent="reroute", actor=actor, now=now)

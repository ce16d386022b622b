"""Asking carriers to take parcels that left to another address; who can be asked, the connectors say."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from django.db.models import Q

from orderhub.events import log
from orderhub.fulfillment import kinds
from orderhub.fulfillment.models import Parcel
from orderhub.orders.models import AddressChange, Order

#: Of these carriers, those that a merchant's connections can ask.
Able = Callable[[int, Collection[str]], set[str]]
#: From here on the van is out, or the parcel is where it goes.
_PAST = frozenset({
    Parcel.Status.OUT_FOR_DELIVERY, Parcel.Status.DELIVERED, Parcel.Status.RETURN_TO_SENDER, Parcel.Status.CANCELLED,
    Parcel.Status.READY_FOR_PICKUP,
})  # fmt: skip
_able: list[Able] = []


def who_can(function: Able) -> Able:
    """Register who knows which carriers can be asked."""
    if function not in _able:
        _able.append(function)
    return function


def carriers(merchant_id: int, asked: Collection[str]) -> set[str]:
    """Those of the carriers that can be asked; nobody is asked about none."""
    return set().union(*(able(merchant_id, asked) for able in _able)) if asked else set()


def on_the_way(order: Order) -> list[Parcel]:
    """The parcels of an order that left and are not there yet; one query."""
    rows = Parcel.objects.filter(
        fulfillment__order=order, shipped_at__isnull=False, delivered_at__isnull=True
    )
    return list(rows.select_related("fulfillment__warehouse").order_by("pk"))


def asked_for(order: Order) -> list[Parcel]:
    """The parcels on their way, and those that carriers were asked to turn, wherever they are; one query."""
    rows = Parcel.objects.filter(fulfillment__order=order, shipped_at__isnull=False)
    rows = rows.filter(Q(delivered_at__isnull=True) | ~Q(intercept=""))
    return list(rows.select_related("fulfillment__warehouse").order_by("pk"))


def able_to_turn(merchant_id: int, parcels: Sequence[Parcel]) -> list[Parcel]:
    """Those that may still be turned: not at the door yet, by a carrier that can be asked."""
    open_ = [parcel for parcel in parcels if parcel.status not in _PAST]
    able = carriers(merchant_id, {parcel.carrier for parcel in open_})
    return [parcel for parcel in open_ if parcel.carrier in able]


def ask(order: Order, change: AddressChange, parcels: Sequence[Parcel]) -> list[log.Fact]:
    """Mark the parcels as asked for; the facts to be recorded with it, which make the calls be owed."""
    facts = []
    for parcel in parcels:
        parcel.intercept = Parcel.Interception.ASKED.value
        parcel.save(update_fields=["intercept"])
        payload = {
            "fulfillment": parcel.fulfillment.number, "warehouse": parcel.fulfillment.warehouse.code,
            "parcel": parcel.pk, "carrier": parcel.carrier, "tracking_number": parcel.tracking_number,
            "change": change.pk,
        }  # fmt: skip
        facts.append(log.Fact(order.stream, kinds.INTERCEPT_REQUESTED.name, payload, order.merchant_id))
    return facts

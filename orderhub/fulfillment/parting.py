"""Splitting an order in two and merging orders to one address, before any warehouse has them.

What was planned is taken back first, so that stock, load and promise are decided afresh for what came about.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from orderhub.fulfillment import standing
from orderhub.fulfillment.actions import why_not
from orderhub.fulfillment.standing import Stand
from orderhub.kernel.errors import Refused
from orderhub.orders import lifecycle, parting, receivers
from orderhub.orders import services as orders_services
from orderhub.orders.models import Order, OrderLine
from orderhub.orders.services import Outcome

#: Orders that go into one at most.
MOST = 50
_WHERE = ("country", "province", "city", "district")
_WHO = ("name", "phone", "address", "postcode")
Key = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Portion:
    """Units of the line at a position."""

    position: int
    quantity: int


@transaction.atomic
def split(order_id: int, portions: Sequence[Portion], *, reason: str, actor: str, now: datetime) -> Order:
    """Move these units into an order of their own, which is returned; the rest stays.

    Raises Refused: "unknown_order", "order_cancelled", "order_merged", "already_released", "not_paid",
    "nothing_to_split", "unknown_line", "too_many_units", "nothing_moves" or "nothing_stays".
    """
    stand = standing.load([order_id]).get(order_id)
    if stand is None:
        raise orders_services.unknown(order_id)
    no = why_not("split", standing.facts([stand])[order_id], stand.order)
    if no is not None:
        raise no
    wanted = _checked(portions, stand.lines)
    standing.unplan([stand], now=now, actor=actor)
    return parting.split(stand.order, wanted, reason=reason, now=now, actor=actor)


@transaction.atomic
def merge(order_ids: Sequence[int], *, reason: str, actor: str, now: datetime) -> Order:
    """Bring orders of one buyer together in the oldest, which is returned. Merged ones again change nothing.

    Raises Refused: "unknown_order", "too_few_orders", "too_many_orders", "different_receivers" or one of
    `split`'s.
    """
    stands = standing.load(order_ids)
    missing = [pk for pk in order_ids if pk not in stands]
    if missing:
        raise orders_services.unknown(missing[0])
    if (done := _merged_before(stands)) is not None:
        return done
    if len(stands) < 2:
        raise _too_few()
    if len(stands) > MOST:
        raise _too_many()
    facts = standing.facts(stands.values())
    for pk, stand in stands.items():
        if (no := why_not("merge", facts[pk], stand.order)) is not None:
            raise no
    if len({key(stand.order) for stand in stands.values()}) > 1:
        raise _different()
    standing.unplan(stands.values(), now=now, actor=actor)
    return parting.merge([stand.order for stand in stands.values()], reason=reason, now=now, actor=actor)


def merge_alike(order_ids: Sequence[int], *, reason: str, actor: str, now: datetime) -> list[Outcome]:
    """Merge among these orders whatever goes to the same receiver; orders without a fellow stay as they are."""
    groups: dict[Key, list[int]] = {}
    with transaction.atomic():
        stands = standing.load(order_ids)
        facts = standing.facts(stands.values())
        refused = {pk: why_not("merge", facts[pk], stand.order) for pk, stand in stands.items()}
        refused |= {pk: orders_services.unknown(pk) for pk in order_ids if pk not in stands}
        for pk, stand in stands.items():
            if refused[pk] is None:
                groups.setdefault(key(stand.order), []).append(pk)
        done: set[int] = set()
        for group in groups.values():
            for chunk in (group[start : start + MOST] for start in range(0, len(group), MOST)):
                if len(chunk) > 1:
                    merge(chunk, reason=reason, actor=actor, now=now)
                    done |= set(chunk)
    return [Outcome(pk, pk in done, refused[pk]) for pk in order_ids]


def candidates(order: Order) -> list[Order]:
    """Other orders that may ship with this one, oldest first, at most fifty; the order comes with its
    receiver. Two queries.
    """
    rows = Order.objects.select_related("person__sealed", "channel").filter(
        merchant_id=order.merchant_id, channel_id=order.channel_id, stage__in=lifecycle.BEFORE_RELEASE,
        payment=Order.Payment.PAID, currency=order.currency, service=order.service, green=order.green,
        city=order.city, **_same_receiver(order),
    )  # fmt: skip
    found = rows.exclude(pk=order.pk).prefetch_related("lines").order_by("received_at", "pk")[: MOST - 1]
    return [other for other in found if key(other) == key(order) and not _is_handed_over(other)]


def key(order: Order) -> Key:
    """Orders with the same key may ship as one; the order comes with its receiver."""
    return (
        order.merchant_id, order.channel_id, order.currency, order.service, order.green,
        *(getattr(order, name).strip() for name in _WHERE),
        *_receiver(order),
    )  # fmt: skip


def _receiver(order: Order) -> Key:
    """Who gets it: a hidden receiver by the key of its token, since different people have equal masks."""
    sealed = receivers.sealed_of(order.person)
    if sealed is not None:
        return ("sealed", sealed.merge_key)
    hidden = receivers.of_order(order)
    if hidden:
        buyer = order.extra.get(receivers.BUYER)
        return ("sealed", receivers.merge_key(hidden, channel_id=order.channel_id, buyer=buyer))
    return tuple(getattr(order.person, name).strip() for name in _WHO)


def _same_receiver(order: Order) -> dict[str, object]:
    sealed = receivers.sealed_of(order.person)
    if sealed is not None:
        return {"person__sealed__merge_key": sealed.merge_key}
    return {f"person__{name}": getattr(order.person, name) for name in ("phone", "name", "address")}


def _is_handed_over(order: Order) -> bool:
    return any(line.released or line.shipped for line in order.lines.all())


def _checked(portions: Sequence[Portion], lines: Collection[OrderLine]) -> Mapping[int, int]:
    by_position = {line.position: line for line in lines}
    wanted: dict[int, int] = {}
    for portion in portions:
        if portion.position not in by_position:
            raise _bad("unknown_line", _("There is no line %(position)d.") % {"position": portion.position})
        wanted[portion.position] = wanted.get(portion.position, 0) + portion.quantity
    for position, units in wanted.items():
        left = parting.movable(by_position[position])
        if not 0 <= units <= left:
            text = _("Line %(position)d has %(left)d units that can move.")
            raise _bad("too_many_units", text % {"position": position, "left": left})
    if not any(wanted.values()):
        raise _bad("nothing_moves", _("No unit was chosen."))
    if sum(wanted.values()) == sum(parting.movable(line) for line in lines):
        raise _bad("nothing_stays", _("Every unit was chosen: nothing would stay."))
    return {position: units for position, units in wanted.items() if units}


def _merged_before(stands: Mapping[int, Stand]) -> Order | None:
    """The survivor, if all the others are merged into it already."""
    into = {stand.order.merged_into_id for stand in stands.values()} - {None}
    if len(into) != 1:
        return None
    survivor = stands.get(next(pk for pk in into if pk is not None))
    rest = [stand for stand in stands.values() if stand is not survivor]
    return survivor.order if survivor and all(x.order.merged_into_id in into for x in rest) else None


def _bad(code: str, message: object) -> Refused:
    return Refused(code, message, remedy=_("Choose some units, and leave some."), status=400, field="lines")


def _too_few() -> Refused:
    return Refused(
        "too_few_orders", _("A merge needs two orders."), remedy=_("Name another order."), status=400,
        field="orders",
    )  # fmt: skip


def _too_many() -> Refused:
    return Refused(
        "too_many_orders", _("At most %(count)d orders go into one.") % {"count": MOST},
        remedy=_("Merge fewer orders."), status=400, field="orders",
    )  # fmt: skip


def _different() -> Refused:
    return Refused(
        "different_receivers",
        _("These orders do not go to the same receiver by the same channel and service."),
        remedy=_("Merge orders with the same channel, receiver, address, service and currency."),
        field="orders",
    )

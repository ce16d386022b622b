"""What the table offers is what the verbs do: listed means that something happens, else nothing changes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from orderhub.events.models import Event
from orderhub.fulfillment import actions, addresses, cancelling, moving, parting, replacing, services
from orderhub.fulfillment.models import FulfillmentOrder
from orderhub.fulfillment.parting import Portion
from orderhub.fulfillment.replacing import Article
from orderhub.kernel.errors import Refused
from orderhub.orders import services as orders_services
from orderhub.orders.addresses import Address
from orderhub.orders.models import AddressChange, Hold, Order, OrderLine, Person
from tests.fulfillment import builders as make

pytestmark = pytest.mark.django_db

LATER = make.NOW + timedelta(hours=200)
ELSEWHERE = Address("CN", "广东省", "广州市", "体育西路 12 号")
_SAID = {"actor": "user:li", "now": LATER}
_PACKED = ("acknowledge", "pick")


def _placed(**fields: Any) -> Order:
    make.network()
    [order] = make.placed(1, **fields)
    return order


def received() -> Order:
    return _placed()


def unpaid() -> Order:
    return make.walk([_placed(paid=False, paid_at=None)])[0]


def held() -> Order:
    order = _placed()
    orders_services.hold([order.pk], reason="risk", actor="system", now=make.NOW)
    return make.walk([order])[0]


def backordered() -> Order:
    make.network(units=0)
    return make.walk(make.placed(1))[0]


def planned() -> Order:
    order = _placed()
    make.run_steps([order], until="routing.route")
    return order


def reserved() -> Order:
    order = _placed()
    make.run_steps([order], until="fulfillment.reserve")
    return order


def one_unit() -> Order:
    return _placed(lines=[("TEA", 1)])


def released() -> Order:
    return make.walk([_placed()])[0]


def partly_released() -> Order:
    make.network(units=1, at=("SHA",))
    return make.walk(make.placed(1))[0]


def picked() -> Order:
    order = released()
    make.apply(*(make.say(kind, order, n + 1) for n, kind in enumerate(_PACKED)))
    return order


def being_cancelled() -> Order:
    order = released()
    services.cancel([order.pk], reason="x", actor="user:li", now=make.at(1))
    return order


def being_rerouted() -> Order:
    order = released()
    services.reroute([order.pk], reason="x", actor="user:li", now=make.at(1))
    return order


def being_moved() -> Order:
    order = released()
    there = Address("CN", "四川省", "成都市", "人民南路 8 号")
    addresses.request_address_change(
        order.pk, there, requested_by="staff", reason="", actor="user:li", now=make.at(1)
    )
    return order


def part_shipped() -> Order:
    order = released()
    one = [services.Count("TEA", 1)]
    make.apply(make.say("ship", order, 2, tracking_number="T1", lines=tuple(one), more_to_come=True))
    return order


def short_shipped() -> Order:
    order = released()
    make.apply(make.say("ship", order, 2, tracking_number="T1", lines=(services.Count("TEA", 1),)))
    return order


def shipped() -> Order:
    order = released()
    make.apply(make.say("ship", order, 2, tracking_number="T1"))
    return order


def delivered() -> Order:
    order = shipped()
    make.apply(make.say("deliver", order, 9, tracking_number="T1"))
    return order


def refused_by_warehouse() -> Order:
    order = released()
    make.apply(make.say("reject", order, 2, reason="no"))
    return order


def cancelled() -> Order:
    order = _placed()
    services.cancel([order.pk], reason="x", actor="user:li", now=make.NOW)
    return order


def cancelled_unpaid() -> Order:
    order = unpaid()
    services.cancel([order.pk], reason="x", actor="user:li", now=make.NOW)
    return order


def merged() -> Order:
    make.network()
    first, second = make.placed(2)
    parting.merge([first.pk, second.pk], reason="x", actor="user:li", now=make.NOW)
    return second


def survivor() -> Order:
    return Order.objects.get(pk=merged().merged_into_id or Order.objects.order_by("pk")[0].pk)


def part_of_a_split() -> Order:
    order = _placed()
    return parting.split(order.pk, [Portion(1, 1)], reason="x", actor="user:li", now=make.NOW)


STATES: list[Callable[[], Order]] = [
    received, unpaid, held, backordered, planned, reserved, one_unit, released, partly_released, picked,
    being_cancelled, being_rerouted, being_moved, part_shipped, short_shipped, shipped, delivered,
    refused_by_warehouse, cancelled, cancelled_unpaid, merged, survivor, part_of_a_split,
]  # fmt: skip


def _merge_with_another(order: Order) -> None:
    """A fellow for it: the same receiver, paid, untouched."""
    [fellow] = make.placed(1, lines=[("TEA", 1)])
    Person.objects.filter(pk=fellow.person_id).update(
        **{name: getattr(order.person, name) for name in ("name", "phone", "address", "postcode")}
    )
    parting.merge([order.pk, fellow.pk], reason="x", **_SAID)


def _split_one_off(order: Order) -> None:
    parting.split(order.pk, [Portion(1, 1)], reason="x", **_SAID)


def _move_elsewhere(order: Order) -> None:
    """To a warehouse that has none of it yet."""
    make.stock(50, at="CTU")
    moving.move(order.pk, "CTU", reason="x", **_SAID)


def _one_left(order: Order) -> Portion:
    lines = order.lines.order_by("position")
    return Portion(next((x.position for x in lines if x.ordered - x.cancelled - x.shipped), 1), 1)


def _one_gone(order: Order) -> Portion:
    lines = order.lines.order_by("position")
    return Portion(next((x.position for x in lines if x.shipped - x.replaced), 1), 1)


DO: dict[str, Callable[[Order], Any]] = {
    "pay": lambda order: orders_services.pay([order.pk], **_SAID),
    "hold": lambda order: orders_services.hold([order.pk], reason="manual", **_SAID),
    "release": lambda order: orders_services.release_holds([order.pk], **_SAID),
    "reroute": lambda order: services.reroute([order.pk], reason="x", **_SAID),
    "move": _move_elsewhere,
    "split": _split_one_off,
    "merge": _merge_with_another,
    "change_address": lambda order: addresses.request_address_change(
        order.pk, ELSEWHERE, requested_by="staff", reason="", **_SAID
    ),
    "cancel_units": lambda order: cancelling.cancel_units(order.pk, [_one_left(order)], reason="x", **_SAID),
    "exchange": lambda order: replacing.exchange(
        order.pk, [_one_gone(order)], [Article("TEA", 1)], reason="choice", **_SAID
    ),
    "resend": lambda order: replacing.resend(order.pk, [_one_gone(order)], reason="lost", **_SAID),
    "cancel": lambda order: services.cancel([order.pk], reason="x", **_SAID),
}


def _everything(order: Order) -> list[Any]:
    """All that is known of the order."""
    return [
        Order.objects.filter(pk=order.pk).values().get(),
        list(OrderLine.objects.filter(order=order).order_by("pk").values()),
        list(Hold.objects.filter(order=order).order_by("pk").values()),
        list(FulfillmentOrder.objects.filter(order=order).order_by("pk").values()),
        list(AddressChange.objects.filter(order=order).order_by("pk").values()),
        Event.objects.filter(stream=order.stream).count(),
    ]


@pytest.mark.parametrize("state", STATES)
def test_listed_means_that_it_works_and_only_then(state: Callable[[], Order]) -> None:
    order = Order.objects.get(pk=state().pk)
    offered = actions.of(order)
    found: dict[str, bool] = {}
    before = _everything(order)

    for name, verb in DO.items():
        try:
            with transaction.atomic():
                answer = verb(Order.objects.get(pk=order.pk))
                outcomes = answer if isinstance(answer, list) else []
                refused = any(outcome.refused is not None for outcome in outcomes)
                found[name] = _everything(order) != before
                assert not (refused and found[name]), f"{name} refused and changed something"
                transaction.set_rollback(True)
        except Refused:
            found[name] = False
        assert _everything(order) == before

    assert [name for name in DO if found[name]] == offered


def test_the_table_is_drawn_up_for_every_stage() -> None:
    """Shown to partners, so written down: what each plain state takes."""
    facts = actions.Facts

    assert actions.supported_actions(facts("received", movable=2)) == [
        "hold", "reroute", "move", "split", "merge", "change_address", "cancel_units", "cancel",
    ]  # fmt: skip
    assert actions.supported_actions(facts("released", "done", at_work=1)) == [
        "reroute", "move", "change_address", "cancel",
    ]  # fmt: skip
    assert actions.supported_actions(facts("shipped", "done", shipped=2)) == []
    assert actions.supported_actions(facts("shipped", "done", shipped=2, replaceable=1)) == [
        "exchange",
        "resend",
    ]
    assert actions.supported_actions(facts("merged", "done")) == []
    assert actions.supported_actions(facts("cancelled", "done", payment="unpaid")) == []

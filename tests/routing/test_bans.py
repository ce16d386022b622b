"""SKU bans and levers on a warehouse: they hold from the next decision on, and end when they should."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from orderhub.events.models import Event
from orderhub.inventory.models import Warehouse
from orderhub.kernel.errors import Refused
from orderhub.orders.models import Order, OrderLine
from routing import candidates
from routing.engine.model import Node
from routing.models import Decision
from routing.pricing import levers
from routing.pricing.models import SkuBan, WarehouseLever
from tests.fulfillment import builders as make
from tests.orders import builders as orders

pytestmark = pytest.mark.django_db
NOW = make.NOW
ANN = "user:ann"


def node(order: Order, code: str = "SHA", *, hours: float = 0) -> Node:
    lines = list(OrderLine.objects.filter(order=order).select_related("sku"))
    snapshot = candidates.take_snapshot([order], lines, now=make.at(hours))
    return next(one for one in snapshot.offer(order, lines).nodes if one.code == code)


def ban(**fields: object) -> SkuBan:
    return SkuBan.objects.create(
        merchant=orders.merchant(), warehouse=make.warehouse("SHA"), sku=orders.sku("TEA"),
        reason="recall", **fields,
    )  # fmt: skip


# ---- bans ----------------------------------------------------------------------------------------


def test_a_banned_sku_ships_from_elsewhere_and_the_decision_says_why() -> None:
    make.network()
    ban()

    [order] = make.released()

    assert make.row(order).warehouse.code == "CAN"
    removed = Decision.objects.get(order=order).removed
    assert [(row["code"], row["reason"]) for row in removed] == [("SHA", "sku_banned")]


def test_a_ban_holds_in_its_window_only() -> None:
    make.network()
    ban(valid_from=make.at(2), valid_until=make.at(4))
    [order] = make.placed()
    sku = orders.sku("TEA").pk

    held = [sku in node(order, hours=hours).banned_skus for hours in (1, 2, 3, 4)]

    assert held == [False, True, True, False]


# ---- levers --------------------------------------------------------------------------------------


def test_a_lowered_capacity_and_a_dearer_parcel_count_from_the_next_decision() -> None:
    make.network()
    house = make.warehouse(
        "SHA",
    )
    [order] = make.placed()
    assert (node(order).capacity_left, node(order).capacity_price) == (None, 0)

    levers.set_capacity(house, 3, until=make.at(5), actor=ANN, why="two pickers ill", now=NOW)
    levers.raise_price(house, Decimal("2.50"), until=None, actor=ANN, why="too full", now=NOW)

    held = node(order)
    assert held.capacity_left == 3
    assert held.capacity_price >= Decimal("2.50")
    assert node(order, hours=5).capacity_left is None
    assert node(order, hours=5).capacity_price == Decimal("2.50")
    assert {lever.kind for lever in levers.levers_in_force(now=NOW)} == {"capacity", "price"}
    assert {lever.kind for lever in levers.levers_in_force(now=make.at(6))} == {"price"}


def test_setting_a_lever_again_ends_the_one_before() -> None:
    make.network()
    house = make.warehouse("SHA")

    for parcels in (9, 4):
        levers.set_capacity(house, parcels, until=None, actor=ANN, why="ill", now=NOW)

    [held] = levers.levers_in_force(now=NOW)
    assert held.value == 4
    assert WarehouseLever.objects.filter(ended_by=ANN).count() == 1


def test_a_freeze_with_an_end_reopens_by_the_clock_and_is_in_the_history() -> None:
    make.network()
    house = make.warehouse("SHA")
    [order] = make.placed()

    levers.freeze(house, until=make.at(2), actor=ANN, why="flood", now=NOW)

    assert node(order).frozen
    assert levers.expire(now=make.at(1)) == 0
    assert levers.expire(now=make.at(2)) == 1
    assert not node(order, hours=2).frozen
    assert [row.is_frozen for row in house.history.order_by("history_id")] == [False, True, False]
    assert set(Event.objects.filter(stream__startswith="levers:").values_list("kind", "actor")) == {
        ("routing.lever_set", ANN),
        ("routing.lever_ended", "system"),
    }


def test_a_lever_is_lifted_once() -> None:
    make.network()
    lever = levers.freeze(make.warehouse("SHA"), until=None, actor=ANN, why="flood", now=NOW)

    assert levers.lift(lever, actor="user:ben", now=make.at(1))
    assert not levers.lift(lever, actor=ANN, now=make.at(1))
    assert not Warehouse.objects.get(code="SHA").is_frozen


def test_a_freeze_by_hand_without_an_end_is_not_taken_over() -> None:
    make.network()
    house = make.warehouse("SHA")
    Warehouse.objects.filter(pk=house.pk).update(is_frozen=True)

    with pytest.raises(Refused) as refused:
        levers.freeze(house, until=make.at(1), actor=ANN, why="flood", now=NOW)

    assert refused.value.code == "frozen_already"


@pytest.mark.parametrize(
    ("parcels", "until", "why", "code"),
    [
        (-1, None, "x", "lever_value"),
        (10, None, "x", "lever_not_lower"),
        (5, NOW - timedelta(minutes=1), "x", "lever_over"),
        (5, None, "  ", "lever_why"),
    ],
)
def test_senseless_levers_are_refused(parcels: int, until: object, why: str, code: str) -> None:
    house = make.warehouse("SHA", capacity_per_day=10)

    with pytest.raises(Refused) as refused:
        levers.set_capacity(house, parcels, until=until, actor=ANN, why=why, now=NOW)  # type: ignore[arg-type]

    assert refused.value.code == code
    assert not WarehouseLever.objects.exists()


def test_a_price_that_is_no_price_is_refused() -> None:
    with pytest.raises(Refused):
        levers.raise_price(make.warehouse("SHA"), Decimal(0), until=None, actor=ANN, why="x", now=NOW)

"""What factories tell, in any order and as often as they like: one outcome, conserved units, true stock of components."""

from __future__ import annotations

import random
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from orderhub.fulfillment import components, production
from orderhub.fulfillment import services as fulfillment
from orderhub.fulfillment.models import ComponentHold, FulfillmentOrder, WorkOrder
from orderhub.fulfillment.updates import Count
from orderhub.inventory import services as inventory
from orderhub.inventory.models import Bom, BomAlternative, BomLine, Stock, Warehouse, Workshop
from orderhub.kernel.errors import Refused
from orderhub.orders.models import Order
from tests.fulfillment import builders as make
from tests.journeys.invariants import assert_all_hold
from tests.orders import builders as orders

pytestmark = pytest.mark.django_db


def chairs(units: int = 4, **shelf: int) -> Order:
    """An order of chairs, released to a factory that has these components on its shelf."""
    house = make.warehouse("CAN", kind=Warehouse.Kind.FACTORY)
    make.card()
    shop = Workshop.objects.create(merchant=orders.merchant(), warehouse=house, hours=Decimal(48))
    shop.skus.set([orders.sku("CHAIR")])
    bill = Bom.objects.create(merchant=orders.merchant(), sku=orders.sku("CHAIR"))
    for code, quantity in (("CLOTH", "0.5"), ("LEG", "4")):
        BomLine.objects.create(bom=bill, component=orders.sku(code), quantity=Decimal(quantity))
    for code, count in shelf.items():
        inventory.set_counts([(house, orders.sku(code), count)], actor="test", now=make.NOW)
    [order] = make.walk(make.placed(lines=[("CHAIR", units)]))
    assert order.stage == "released"
    return order


def work() -> WorkOrder:
    return WorkOrder.objects.select_related("fulfillment").order_by("pk")[0]


def say(event: str, hours: float = 1, **facts: Any) -> tuple[str, str]:
    update = make.say("make", work().fulfillment, hours, event=event, **facts)
    return make.apply(update)[0]


def held() -> dict[str, tuple[int, int, int]]:
    return {
        one.sku.code: (one.reserved, one.used, one.short)
        for one in ComponentHold.objects.select_related("sku")
    }


def shelf(code: str) -> tuple[int, int]:
    row = Stock.objects.get(sku__code=code)
    return row.on_hand, row.reserved


STORY: tuple[tuple[str, float, dict[str, Any]], ...] = (
    ("accepted", 1, {}),
    ("planned", 2, {"planned_at": make.at(60)}),
    ("material", 3, {}),
    ("started", 4, {}),
    ("step", 5, {"step": "cut", "good": 4}),
    ("step", 6, {"step": "sew", "good": 3, "scrap": 1}),
    ("qc_failed", 7, {"reason": "seam", "planned_at": make.at(90)}),
    ("rework", 8, {}),
    ("qc_passed", 9, {}),
    ("finished", 10, {"good": 4}),
)


@pytest.mark.parametrize("seed", range(8))
def test_shuffled_and_repeated_words_of_a_factory_come_to_what_they_come_to_in_order(seed: int) -> None:
    chairs(CLOTH=10, LEG=40)
    components.settle(now=make.at(0.1))
    planned = FulfillmentOrder.objects.get().eta_to_at
    words = [
        make.say("make", work().fulfillment, hours, event=event, **facts) for event, hours, facts in STORY
    ]
    dice = random.Random(seed)
    told = words * 2 if seed else words
    if seed:
        dice.shuffle(told)
    # Some together, some alone: one batch puts its own words in order, batches come as they come.
    while told:
        count = dice.randint(1, 4)
        fulfillment.apply(told[:count], now=make.at(200), actor="connection:mes")
        told = told[count:]

    row = work()
    assert (row.state, row.good, row.scrap, row.quality, row.step) == ("finished", 4, 1, "passed", "sew")
    assert row.told_finish_at == row.finished_at == make.at(10)
    eta = FulfillmentOrder.objects.get().eta_to_at
    assert eta is not None
    assert planned is not None
    assert eta - planned == make.at(10) - row.planned_finish_at
    assert (shelf("LEG"), held()["LEG"]) == ((24, 0), (0, 16, 0))
    assert FulfillmentOrder.objects.get().state == "in_progress"
    assert_all_hold()


def test_a_plan_counts_by_when_it_was_said() -> None:
    chairs()
    before = work().fulfillment.eta_to_at
    assert before is not None
    assert say("planned", 5, planned_at=make.at(100), key="b") == ("applied", "")
    assert say("planned", 2, planned_at=make.at(60), key="a") == ("ignored", "late")

    assert work().told_finish_at == make.at(100)
    assert work().fulfillment.eta_to_at == before + (make.at(100) - work().planned_finish_at)


def test_a_plan_that_moves_by_minutes_is_kept_and_told_to_nobody() -> None:
    order = chairs()
    say("planned", 1, planned_at=work().planned_finish_at + timedelta(minutes=20))

    assert work().told_finish_at is not None
    assert make.payloads(order, "production.rescheduled") == []


@pytest.mark.parametrize("event", ["step", "finished"])
def test_more_good_ones_than_ordered_are_refused(event: str) -> None:
    chairs()
    assert say(event, 1, good=5) == ("refused", "too_many")
    assert (work().good, work().state) == (0, "released")


def test_a_word_about_what_is_not_made_is_refused() -> None:
    make.network()
    [order] = make.released()
    assert make.apply(make.say("make", order, event="started")) == [("refused", "nothing_made")]


def test_components_are_taken_used_and_what_is_too_much_stays() -> None:
    chairs(CLOTH=10, LEG=40)
    assert components.settle(now=make.at(1)) == 1
    assert components.settle(now=make.at(1)) == 0
    assert held() == {"CLOTH": (2, 0, 0), "LEG": (16, 0, 0)}
    assert_all_hold()

    say("started")
    assert (shelf("CLOTH"), shelf("LEG")) == ((8, 0), (24, 0))
    assert_all_hold()


def test_goods_that_leave_before_anybody_said_that_the_making_began_have_used_their_components() -> None:
    order = chairs(LEG=40)
    components.settle(now=make.at(1))
    assert make.apply(make.say("ship", order, 5, tracking_number="SF1")) == [("applied", "")]
    assert shelf("LEG") == (24, 0)
    assert_all_hold()


def test_one_shelf_for_two_work_orders_is_given_in_turn_and_never_twice() -> None:
    chairs(LEG=20)
    make.walk(make.placed(lines=[("CHAIR", 2)]))
    assert components.settle(now=make.at(1)) == 2

    assert list(
        ComponentHold.objects.filter(sku__code="LEG").order_by("pk").values_list("reserved", flat=True)
    ) == [16, 4]
    assert shelf("LEG") == (20, 20)
    inventory.receive(
        [(Warehouse.objects.get(code="CAN"), orders.sku("LEG"), 9)],
        reference="r",
        actor="test",
        now=make.at(2),
    )
    assert components.settle(now=make.at(3)) == 1
    assert components.settle(now=make.at(3)) == 0
    assert shelf("LEG") == (29, 24)
    assert_all_hold()


def test_an_alternative_is_taken_where_the_shelf_has_enough_of_it() -> None:
    chairs(CLOTH=0, VELVET=9, LEG=40)
    BomAlternative.objects.create(
        line=BomLine.objects.get(component__code="CLOTH"),
        component=orders.sku("VELVET"),
        ratio=Decimal("1.5"),
    )
    make.walk(make.placed(lines=[("CHAIR", 4)]))
    components.settle(now=make.at(1))

    first, second = WorkOrder.objects.order_by("pk")
    assert {h.sku.code: h.short for h in first.components.all()} == {
        "CLOTH": 2,
        "LEG": 0,
    }  # released before it was named
    assert {h.sku.code: (h.reserved, h.short) for h in second.components.all()} == {
        "CLOTH": (0, 0), "VELVET": (3, 0), "LEG": (16, 0),
    }  # fmt: skip
    assert_all_hold()


def test_units_that_will_not_be_made_give_their_components_back() -> None:
    order = chairs(LEG=40)
    components.settle(now=make.at(1))
    assert make.apply(make.say("short", order, 2, lines=(Count("CHAIR", 1),))) == [("applied", "")]
    assert (work().quantity, shelf("LEG")) == (3, (40, 12))
    assert_all_hold()

    make.apply(make.say("reject", work().fulfillment, 3))
    assert work().state == "cancelled"
    assert shelf("LEG")[1] == sum(ComponentHold.objects.values_list("reserved", flat=True))
    assert_all_hold()


def test_a_circle_in_the_bill_stops_no_order_and_is_shown_on_its_work_order() -> None:
    house = make.warehouse("CAN", kind=Warehouse.Kind.FACTORY)
    make.card()
    shop = Workshop.objects.create(merchant=orders.merchant(), warehouse=house)
    shop.skus.set([orders.sku("CHAIR")])
    bill = Bom.objects.create(merchant=orders.merchant(), sku=orders.sku("CHAIR"))
    BomLine.objects.create(bom=bill, component=orders.sku("CHAIR"), quantity=Decimal(1))

    [order] = make.walk(make.placed(lines=[("CHAIR", 1)]))

    assert order.stage == "released"
    assert "CHAIR → CHAIR" in work().bom_fault


def test_a_finished_work_order_is_not_asked_to_change() -> None:
    chairs()
    say("finished", 1)
    with pytest.raises(Refused, match="已完工或已取消"):
        production.request_change(work().pk, due_at=make.at(9), reason="x", actor="user:li", now=make.at(2))


def test_orders_without_made_lines_open_no_work_and_ask_nothing_more(django_assert_num_queries: Any) -> None:
    make.network()
    make.released(3)
    assert not WorkOrder.objects.exists()
    with django_assert_num_queries(1):
        assert components.settle(now=make.at(1)) == 0

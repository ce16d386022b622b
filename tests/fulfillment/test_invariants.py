"""Each check of fulfillment finds the fault it is for, and nothing after a whole walk."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest

from orderhub.fulfillment import invariants
from orderhub.fulfillment.models import FulfillmentLine, Parcel
from orderhub.inventory.models import WarehouseDay
from tests.fulfillment import builders as make

pytestmark = pytest.mark.django_db

CHECKS: tuple[Callable[[], Iterable[str]], ...] = (
    invariants.reserved_is_held,
    invariants.ledger_agrees,
    invariants.delivered_arrived,
    invariants.load_is_planned,
)


def found() -> list[list[str]]:
    return [list(check()) for check in CHECKS]


def test_nothing_is_found_at_any_stop_of_a_walk() -> None:
    make.network()
    planned, shipped, delivered, refused = make.placed(4)
    make.run_steps([planned], until="fulfillment.reserve")
    make.walk([shipped, delivered, refused])
    make.apply(
        make.say("ship", shipped, 1),
        make.say("ship", delivered, 1),
        make.say("deliver", delivered, 2),
        make.say("reject", refused, 1),
    )

    assert found() == [[], [], [], []]


def test_each_fault_is_named() -> None:
    make.network()
    first, second = make.released(2)
    make.apply(make.say("ship", second, 1), make.say("deliver", second, 2))
    part = FulfillmentLine.objects.get(fulfillment=make.row(first))
    FulfillmentLine.objects.filter(pk=part.pk).update(reserved=1, quantity=5)
    Parcel.objects.update(delivered_at=None)
    WarehouseDay.objects.update(parcels=7)

    reserved, ledgers, delivered, load = found()

    place = f"warehouse {make.warehouse('SHA').pk}"
    assert reserved == [
        f"{place}, SKU {part.sku_id}: 2 reserved, fulfillment lines, work orders and carts hold 1"
    ]
    assert ledgers == [
        f"order line {part.order_line_id}: allocated, released, shipped [0, 2, 0], "
        "its fulfillment lines say [0, 5, 0]"
    ]
    assert delivered == [f"order line {second.lines.get().pk}: 2 delivered, its parcels held 0"]
    assert load == [f"{place}, 2026-11-22: load 7, fulfillment orders 2"]

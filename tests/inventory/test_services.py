"""Stock: all or nothing, never oversold, every change told by a movement."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from orderhub.events.models import Event
from orderhub.inventory import invariants, queries, services
from orderhub.inventory.models import Movement, Stock, Warehouse, WarehouseDay
from orderhub.inventory.services import Load, Take
from orderhub.kernel.errors import Refused
from tests.orders import builders as make

pytestmark = pytest.mark.django_db
NOW = make.NOW


def receive(units: int, code: str = "TEA", *, at: str = "SH1", safety: int = 0) -> None:
    services.receive(
        [(make.warehouse(at), make.sku(code), units)], reference="po:1", actor="user:li", now=NOW
    )
    Stock.objects.filter(sku=make.sku(code), warehouse=make.warehouse(at)).update(safety=safety)


def take(*wanted: tuple[Any, str, int], at: str = "SH1") -> set[Any]:
    return services.take([want(*each, at=at) for each in wanted], reference="order", actor="system", now=NOW)


def want(key: Any, code: str, quantity: int, *, at: str = "SH1") -> Take:
    return Take(key, make.warehouse(at).pk, make.sku(code).pk, quantity)


def figures(code: str = "TEA", *, at: str = "SH1") -> tuple[int, int]:
    return Stock.objects.values_list("on_hand", "reserved").get(sku__code=code, warehouse__code=at)


def violations() -> list[str]:
    return [*invariants.never_oversold(), *invariants.movements_add_up()]


def test_units_are_taken_until_none_is_left() -> None:
    receive(3)

    refused = take(("a", "TEA", 2), ("b", "TEA", 2), ("c", "TEA", 1))

    assert (refused, figures()) == ({"b"}, (3, 3))
    assert list(Movement.objects.filter(kind="reserve").values_list("reference", "reserved_change")) == [
        ("order:a", 2), ("order:c", 1),
    ]  # fmt: skip
    assert violations() == []


def test_a_key_gets_all_of_its_units_or_none() -> None:
    receive(5), receive(1, "CUP")

    refused = take((1, "TEA", 2), (1, "CUP", 2), (2, "TEA", 5))

    assert (refused, figures(), figures("CUP")) == ({1}, (5, 5), (1, 0))


def test_two_parts_of_a_key_from_one_row_are_added_up() -> None:
    receive(3)

    assert take((1, "TEA", 2), (1, "TEA", 2)) == {1}
    assert figures() == (3, 0)


def test_safety_stock_and_rows_that_do_not_exist_are_never_taken() -> None:
    receive(5, safety=3)
    make.sku("CUP")

    assert take((1, "TEA", 3), (2, "CUP", 1)) == {1, 2}
    assert take((3, "TEA", 2)) == set()


def test_taken_units_are_freed_or_shipped() -> None:
    receive(5)
    take((1, "TEA", 4))

    services.free([want(1, "TEA", 1)], reference="order", actor="system", now=NOW)
    services.ship([want(1, "TEA", 2)], reference="order", actor="system", now=NOW)

    assert figures() == (3, 1)
    assert violations() == []


@pytest.mark.parametrize("verb", [services.free, services.ship])
def test_more_than_is_reserved_is_refused_and_nothing_changes(verb: Any) -> None:
    receive(5)
    take((1, "TEA", 2))

    with pytest.raises(Refused) as refused:
        verb([want(1, "TEA", 1), want(1, "TEA", 2)], reference="order", actor="system", now=NOW)

    assert (refused.value.code, figures(), Movement.objects.count()) == ("stock_not_reserved", (5, 2), 2)


def test_no_units_cannot_be_taken() -> None:
    receive(5)

    with pytest.raises(ValueError, match="0 units"):
        take((1, "TEA", 0))


def test_the_table_itself_refuses_an_oversale() -> None:
    receive(1)

    with pytest.raises(IntegrityError), transaction.atomic():
        Stock.objects.update(reserved=2)


def test_received_units_are_told_to_the_log_by_warehouse() -> None:
    north, south = make.warehouse("BJ1"), make.warehouse("GZ1")
    tea, cup = make.sku("TEA"), make.sku("CUP")

    services.receive(
        [(north, tea, 3), (south, cup, 1), (south, tea, 2)], reference="po", actor="user:li", now=NOW
    )

    stream = f"stock:{make.merchant().pk}"
    assert [(x.kind, x.stream, x.payload) for x in Event.objects.order_by("pk")] == [
        ("stock.received", stream, {"warehouse": "BJ1", "skus": ["TEA"]}),
        ("stock.received", stream, {"warehouse": "GZ1", "skus": ["CUP", "TEA"]}),
    ]
    assert (figures(at="BJ1"), figures(at="GZ1"), figures("CUP", at="GZ1")) == ((3, 0), (2, 0), (1, 0))


def test_a_count_sets_what_is_on_hand_but_never_below_what_is_promised() -> None:
    receive(5), receive(5, "CUP")
    take((1, "CUP", 3))
    rows = [
        (make.warehouse(), make.sku("TEA"), 9),
        (make.warehouse(), make.sku("CUP"), 1),
        (make.warehouse(), make.sku("MUG"), 0),
    ]

    outcomes = services.set_counts(rows, actor="import:1", now=NOW)

    assert [(x.sku.code, x.on_hand, x.change, x.is_clamped) for x in outcomes] == [
        ("TEA", 9, 4, False), ("CUP", 3, -2, True), ("MUG", 0, 0, False),
    ]  # fmt: skip
    assert (figures("TEA"), figures("CUP"), figures("MUG")) == ((9, 0), (3, 3), (0, 0))
    assert Event.objects.order_by("-pk")[0].payload == {"warehouse": "SH1", "skus": ["TEA"]}
    assert violations() == []


def test_counting_the_same_again_tells_nothing() -> None:
    receive(5)
    events, movements = Event.objects.count(), Movement.objects.count()

    [outcome] = services.set_counts([(make.warehouse(), make.sku(), 5)], actor="import:1", now=NOW)

    assert (outcome.change, Event.objects.count(), Movement.objects.count()) == (0, events, movements)


def test_the_last_of_two_counts_of_one_place_stands() -> None:
    place = (make.warehouse(), make.sku())

    outcomes = services.set_counts([(*place, 5), (*place, 2)], actor="import:1", now=NOW)

    assert (figures(), [x.on_hand for x in outcomes]) == ((2, 0), [2, 2])


def test_a_day_takes_as_many_parcels_as_the_warehouse_can() -> None:
    small, free = make.warehouse("BJ1"), make.warehouse("GZ1")
    Warehouse.objects.filter(pk=small.pk).update(capacity_per_day=2)
    today, tomorrow = date(2026, 11, 22), date(2026, 11, 23)

    refused = services.take_capacity([
        Load(1, small.pk, today), Load(2, small.pk, today, 2), Load(3, small.pk, today),
        Load(4, small.pk, today),
        Load(4, free.pk, today), Load(5, small.pk, tomorrow), Load(6, free.pk, today, 1000),
    ])  # fmt: skip

    assert refused == {2, 4}
    assert set(WarehouseDay.objects.values_list("warehouse__code", "date", "parcels")) == {
        ("BJ1", today, 2), ("BJ1", tomorrow, 1), ("GZ1", today, 1000),
    }  # fmt: skip

    services.free_capacity([Load(1, small.pk, today), Load(3, small.pk, today, 5)])

    assert services.take_capacity([Load(2, small.pk, today, 2)]) == set()


def test_what_can_be_promised_leaves_out_frozen_warehouses() -> None:
    receive(5, safety=1), receive(7, at="BJ1"), receive(9, at="GZ1")
    take(("a", "TEA", 2))
    Warehouse.objects.filter(code="GZ1").update(is_frozen=True)

    assert queries.promisable([make.sku().pk, 404]) == {make.sku().pk: 9}


def test_a_dropped_movement_is_noticed() -> None:
    receive(5)
    Movement.objects.update(on_hand_change=4)

    assert violations() == [
        f"warehouse {make.warehouse().pk}, SKU {make.sku().pk}: "
        "on hand 5, reserved 0; its movements say 4 and 0"
    ]


def test_taking_for_many_orders_costs_as_many_queries_as_for_one() -> None:
    for number in range(30):
        receive(100, f"S{number}")
    one = [want(1, "S0", 1)]
    many = [want(key, f"S{key}", 1 + key % 3) for key in range(30)]

    with CaptureQueriesContext(connection) as single:
        services.take(one, reference="order", actor="system", now=NOW)
    with CaptureQueriesContext(connection) as batch:
        services.take(many, reference="order", actor="system", now=NOW)

    # SQLite: two more, one UPDATE per different quantity.
    assert (len(single), len(batch)) == ((1, 1) if connection.vendor == "postgresql" else (4, 6))


def test_more_than_eight_different_quantities_are_written_too() -> None:
    for number in range(1, 12):
        receive(100, f"S{number}")

    assert take(*[(number, f"S{number}", number) for number in range(1, 12)]) == set()
    assert sorted(Stock.objects.values_list("reserved", flat=True)) == list(range(1, 12))
    assert Stock.objects.filter(updated_at=NOW + timedelta(0)).count() == 11

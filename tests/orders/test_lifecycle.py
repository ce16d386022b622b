"""The stage is what the lines say: by table, and for any way the ledger can go."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orderhub.kernel.errors import Refused
from orderhub.orders import ledger, lifecycle
from orderhub.orders.ledger import Move
from orderhub.orders.models import Order, OrderLine
from orderhub.orders.models.order import Stage
from tests.orders import builders as make


def line(**columns: int) -> OrderLine:
    held = sum(units for name, units in columns.items() if name not in {"delivered", "returned"})
    return OrderLine(ordered=held, **{"open": 0, **columns})


def order(stage: str = "received") -> Order:
    return Order(stage=stage, received_at=make.NOW)


@pytest.mark.parametrize(
    ("lines", "stage"),
    [
        ([{"open": 2}], "received"),
        ([{"open": 1, "backordered": 1}], "backordered"),
        ([{"allocated": 2}, {"open": 1}], "routed"),
        ([{"allocated": 2}, {"backordered": 1}], "routed"),
        ([{"released": 1}, {"allocated": 1}], "released"),
        ([{"released": 1}, {"backordered": 1}], "released"),
        ([{"released": 1}, {"cancelled": 1}], "released"),
        ([{"shipped": 1}, {"released": 1}], "partially_shipped"),
        ([{"shipped": 1}, {"backordered": 1}], "partially_shipped"),
        ([{"shipped": 2}, {"cancelled": 1}], "shipped"),
        ([{"shipped": 2, "delivered": 1}], "partially_delivered"),
        ([{"shipped": 1, "delivered": 1}, {"released": 1}], "partially_delivered"),
        ([{"shipped": 1, "delivered": 1}, {"cancelled": 1}], "delivered"),
        ([{"cancelled": 3}], "cancelled"),
        ([{"shipped": 2, "delivered": 2, "returned": 1}], "partially_returned"),
        ([{"shipped": 1, "returned": 1}], "returned"),
        ([{"shipped": 1, "delivered": 1, "returned": 1}, {"open": 1}], "partially_returned"),
    ],
)
def test_the_stage_of_lines(lines: list[dict[str, int]], stage: str) -> None:
    assert lifecycle.stage_of([line(**columns) for columns in lines]) == stage


@pytest.mark.parametrize(
    ("stage", "lines", "rolled"),
    [
        ("reviewing", {"open": 1}, "reviewing"),
        ("reviewing", {"allocated": 1}, "reviewing"),
        ("reviewing", {"shipped": 1, "open": 1}, "partially_shipped"),
        ("completed", {"shipped": 1, "delivered": 1}, "completed"),
        ("completed", {"shipped": 1, "delivered": 1, "returned": 1}, "returned"),
        ("released", {"open": 1}, "received"),
    ],
)
def test_a_review_and_a_closed_order_stay(stage: str, lines: dict[str, int], rolled: str) -> None:
    assert lifecycle.rollup(order(stage), [line(**lines)]) == rolled


def test_an_illegal_transition_is_refused_before_any_order_changes() -> None:
    fine, done = order(), order("delivered")

    with pytest.raises(Refused) as refused:
        lifecycle.transition([fine, done], Stage.ROUTED)

    assert refused.value.code == "illegal_transition"
    assert refused.value.facts["stage"] == "delivered"
    assert (fine.stage, done.stage) == ("received", "delivered")


def test_an_order_that_is_there_already_stays() -> None:
    there, coming = order("routed"), order()

    lifecycle.transition([there, coming], Stage.ROUTED)

    assert (there.stage, coming.stage) == ("routed", "routed")


def test_settle_moves_only_what_changed() -> None:
    moved, same = order("released"), order("released")

    changed = lifecycle.settle([(moved, [line(shipped=1)]), (same, [line(released=1)])])

    assert (changed, moved.stage, same.stage) == ([moved], "shipped", "released")


@dataclass
class Walk:
    """One order's ledger going any way it may go."""

    lines: list[OrderLine] = field(default_factory=lambda: [line(open=2), line(open=1)])
    order: Order = field(default_factory=order)


WAYS = [
    ("open", "allocated"), ("backordered", "allocated"), ("allocated", "open"), ("allocated", "released"),
    ("released", "open"), ("released", "shipped"), ("open", "backordered"), ("backordered", "open"),
    ("open", "cancelled"), ("backordered", "cancelled"), ("allocated", "cancelled"),
    ("released", "cancelled"), ("shipped", "delivered"), ("shipped", "returned"),
    ("", "hold"), ("", "resume"),
]  # fmt: skip
_steps = st.lists(st.tuples(st.sampled_from(WAYS), st.integers(0, 1), st.integers(1, 2)), max_size=25)


@settings(max_examples=1500, deadline=None)
@given(_steps)
def test_whatever_way_the_ledger_goes_the_machine_allows_the_stage(
    steps: list[tuple[tuple[str, str], int, int]],
) -> None:
    walk = Walk()
    for (source, target), which, quantity in steps:
        _go(walk, source, target, which, quantity)

        lifecycle.settle([(walk.order, walk.lines)])

        assert walk.order.stage == lifecycle.rollup(walk.order, walk.lines)
        for held in walk.lines:
            assert held.ordered == sum(getattr(held, column) for column in ledger.COLUMNS)
            assert 0 <= held.delivered <= held.shipped
            assert 0 <= held.returned <= held.shipped


def _go(walk: Walk, source: str, target: str, which: int, quantity: int) -> None:
    held = walk.lines[which]
    if target == "hold":
        if walk.order.stage in {Stage.RECEIVED, Stage.ROUTED, Stage.BACKORDERED}:
            lifecycle.transition([walk.order], Stage.REVIEWING)
    elif target == "resume":
        if walk.order.stage == Stage.REVIEWING:
            lifecycle.transition([walk.order], lifecycle.stage_of(walk.lines))
    elif target == "delivered":
        ledger.deliver(held, min(quantity, held.shipped - max(held.delivered, held.returned)))
    elif target == "returned":
        ledger.take_back(held, min(quantity, held.shipped - held.returned))
    else:
        ledger.move([Move(held, source, target, min(quantity, getattr(held, source)))])  # type: ignore[arg-type]


def test_a_move_below_zero_is_refused_before_any_line_changes() -> None:
    first, second = line(open=2), line(open=1)

    with pytest.raises(ValueError, match="fewer than 2 open units"):
        ledger.move([Move(first, "open", "allocated", 1), Move(second, "open", "allocated", 2)])

    assert (first.open, first.allocated, second.open) == (2, 0, 1)


def test_moves_of_one_call_build_on_each_other() -> None:
    held = line(open=2)

    ledger.move([Move(held, "open", "allocated", 2), Move(held, "allocated", "released", 2)])

    assert (held.open, held.allocated, held.released) == (0, 0, 2)


@pytest.mark.parametrize("verb", [ledger.deliver, ledger.take_back])
def test_no_more_arrives_or_returns_than_was_shipped(verb: object) -> None:
    held = line(shipped=1)

    with pytest.raises(ValueError, match="than shipped"):
        verb(held, 2)  # type: ignore[operator]


@pytest.mark.django_db
def test_saving_many_different_ledgers_and_orders_writes_each() -> None:
    orders = make.placed(*[make.draft(f"T{n:02}", lines=[make.line(quantity=n)]) for n in range(1, 13)])
    lines = list(OrderLine.objects.order_by("pk"))

    ledger.move([Move(held, "open", "allocated", held.ordered) for held in lines])
    ledger.save(lines)
    for number, placed in enumerate(orders):
        placed.waiting_for = f"w{number}"
    lifecycle.save(orders, ["waiting_for"], now=make.NOW)

    assert list(OrderLine.objects.order_by("pk").values_list("allocated", flat=True)) == list(range(1, 13))
    assert list(Order.objects.order_by("pk").values_list("waiting_for", "version")) == [
        (f"w{number}", 2) for number in range(12)
    ]

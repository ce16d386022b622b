"""Stock reports: compared with the stock of their moment, booked within the tolerance, never below what is promised."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orderhub.events.models import Event
from orderhub.inventory import invariants, reports, services
from orderhub.inventory.models import Movement, Stock, StockReport, StockReportLine, Warehouse
from orderhub.inventory.reports import Outcome, Said
from orderhub.inventory.services import Take
from orderhub.kernel.errors import Refused
from tests.orders import builders as make

pytestmark = pytest.mark.django_db
NOW = make.NOW
State = StockReportLine.State


def count(units: int, code: str = "TEA", *, at: str = "SH1") -> None:
    services.set_counts([(make.warehouse(at), make.sku(code), units)], actor="", now=NOW - timedelta(hours=2))


def tolerate(units: int = 0, percent: str = "0") -> None:
    make.warehouse()
    Warehouse.objects.update(tolerance_units=units, tolerance_percent=percent)


def take(*lines: Said, kind: str = "count", ago: float = 0, key: str = "r1", **more: Any) -> Outcome:
    given = {
        "reported_at": NOW - timedelta(minutes=ago),
        "key": key,
        "actor": "wms:qimen",
        "now": NOW,
        **more,
    }
    return reports.take(make.merchant(), "SH1", lines, kind=kind, **given)


def on_hand(code: str = "TEA") -> int:
    return Stock.objects.get(sku__code=code, warehouse__code="SH1").on_hand


def kinds() -> list[str]:
    return list(
        Event.objects.filter(stream__startswith="stock:").order_by("seq").values_list("kind", flat=True)
    )


def test_a_count_from_ten_minutes_ago_does_not_undo_a_shipment_since() -> None:
    count(20)
    order = [Take("o", make.warehouse().pk, make.sku().pk, 5)]
    services.take(order, reference="order", actor="", now=NOW - timedelta(minutes=20))
    services.ship(order, reference="order", actor="", now=NOW - timedelta(minutes=5))
    assert on_hand() == 15

    [line] = take(Said("TEA", 20), ago=10).lines

    assert (line.expected, line.difference, line.state) == (20, 0, State.SAME)
    assert on_hand() == 15
    [fewer] = take(Said("TEA", 18), ago=10, key="r2").lines
    assert (fewer.difference, fewer.state) == (-2, State.WAITING)
    reports.book([fewer.pk], reason="damage", actor="user:li", now=NOW)
    assert on_hand() == 13


def test_what_had_left_before_the_count_but_was_told_later_is_not_taken_off_twice() -> None:
    count(20)
    left_at = NOW - timedelta(minutes=15)
    order = [Take("o", make.warehouse().pk, make.sku().pk, 5, left_at)]
    services.take(order, reference="order", actor="", now=NOW - timedelta(minutes=20))
    services.ship(order, reference="order", actor="", now=NOW - timedelta(minutes=5))

    [line] = take(Said("TEA", 15), ago=10).lines

    assert (line.expected, line.state, on_hand()) == (15, State.SAME, 15)


def test_differences_within_the_tolerance_are_booked_and_told() -> None:
    count(100), count(10, "CUP"), tolerate(units=1, percent="3")

    outcome = take(Said("TEA", 97), Said("CUP", 8), Said("NEW", 4))

    assert [(x.code, x.difference, x.state) for x in outcome.lines] == [
        ("TEA", -3, State.BOOKED), ("CUP", -2, State.WAITING), ("NEW", 0, State.REFUSED),
    ]  # fmt: skip
    assert (on_hand(), on_hand("CUP")) == (97, 10)
    moved = Movement.objects.latest("pk")
    assert (moved.kind, moved.on_hand_change, moved.reference) == (
        "count",
        -3,
        f"report:{outcome.report.pk}:count",
    )
    assert Event.objects.get(kind="stock.reported").payload | {"reported_at": ""} == {
        "report": outcome.report.pk, "warehouse": "SH1", "kind": "count", "reported_at": "", "lines": 3, "booked": 1,
        "waiting": 1, "refused": 1,
    }  # fmt: skip
    assert list(invariants.movements_add_up()) == []


def test_a_key_counts_once_for_each_warehouse() -> None:
    count(10), tolerate(units=5)
    first = take(Said("TEA", 8))

    again = take(Said("TEA", 6))

    assert again.is_repeated
    assert [line.pk for line in again.lines] == [line.pk for line in first.lines]
    assert (on_hand(), StockReport.objects.count()) == (8, 1)
    with pytest.raises(Refused, match="仓库"):
        reports.take(
            make.merchant("other"),
            "SH1",
            [Said("TEA", 1)],
            kind="count",
            reported_at=NOW,
            key="x",
            actor="",
            now=NOW,
        )
    assert StockReport.objects.count() == 1


def test_a_booking_never_goes_below_what_is_promised_and_keeps_the_rest() -> None:
    count(10), tolerate(units=50)
    order = [Take("o", make.warehouse().pk, make.sku().pk, 8)]
    services.take(order, reference="order", actor="", now=NOW)

    [line] = take(Said("TEA", 5), key="r").lines
    assert (line.state, line.short) == (State.WAITING, 3)  # within the tolerance, but orders would go short
    [line] = reports.book([line.pk], reason="theft", note="camera 4", actor="user:li", now=NOW)

    assert (line.state, line.booked, line.short, on_hand()) == (State.WAITING, -2, 3, 8)
    services.free(order, reference="order", actor="", now=NOW)
    [line] = reports.book([line.pk], reason="theft", note="camera 4", actor="user:li", now=NOW)
    assert (line.state, line.booked, line.short, on_hand()) == (State.BOOKED, -5, 0, 5)
    assert kinds()[-2:] == ["stock.corrected", "stock.corrected"]
    assert reports.book([line.pk], reason="theft", actor="user:li", now=NOW) == []


def test_changes_are_booked_as_of_their_moment_and_a_later_count_knows_them() -> None:
    count(10), tolerate(units=5)

    take(Said("TEA", -2, "damage"), kind="change", ago=30)
    assert on_hand() == 8
    # Counted before the damage, told after it.
    [early] = take(Said("TEA", 10), ago=40, key="early").lines
    [later] = take(Said("TEA", 8), ago=20, key="later").lines

    assert (early.expected, early.state) == (10, State.SAME)
    assert (later.expected, later.state) == (8, State.SAME)
    assert Movement.objects.get(kind="adjust").moved_at == NOW - timedelta(minutes=30)


def test_an_older_count_is_outdated_by_a_later_one() -> None:
    count(10)
    [first] = take(Said("TEA", 7), ago=30, key="a").lines

    [second] = take(Said("TEA", 6), ago=10, key="b").lines
    [third] = take(Said("TEA", 9), ago=20, key="c").lines

    first.refresh_from_db()
    assert [first.state, second.state, third.state] == [State.OUTDATED, State.WAITING, State.OUTDATED]
    reports.book([first.pk, second.pk, third.pk], reason="count", actor="user:li", now=NOW)
    assert on_hand() == 6


def test_unknown_skus_are_taken_once_they_exist() -> None:
    count(1)
    outcome = take(Said("NEW", 4), ago=10)
    ids = [line.pk for line in outcome.lines]
    assert reports.replay(ids, actor="user:li", now=NOW) == []

    make.sku("NEW")
    [line] = reports.replay(ids, actor="user:li", now=NOW)

    assert (line.state, line.expected, line.difference) == (State.WAITING, 0, 4)
    reports.book([line.pk], reason="found", actor="user:li", now=NOW)
    assert on_hand("NEW") == 4
    assert "stock.received" in kinds()  # orders that wait for it are tried again


def test_dismissing_needs_a_note_and_changes_nothing() -> None:
    count(10)
    [line] = take(Said("TEA", 3)).lines

    with pytest.raises(Refused, match="备注"):
        reports.dismiss([line.pk], note=" ", actor="user:li", now=NOW)
    [done] = reports.dismiss([line.pk], note="counted the wrong shelf", actor="user:li", now=NOW)

    assert (done.state, on_hand()) == (State.DISMISSED, 10)
    assert kinds()[-1] == "stock.difference_dismissed"
    assert reports.book([line.pk], reason="count", actor="user:li", now=NOW) == []


def test_200_lines_cost_as_many_queries_as_two() -> None:
    tolerate(units=5)
    costs = []
    for size in (2, 200):
        codes = [f"S{size}-{n}" for n in range(size)]
        services.set_counts([(make.warehouse(), make.sku(code), 10) for code in codes], actor="", now=NOW)
        with CaptureQueriesContext(connection) as seen:
            take(*[Said(code, 7 + n % 3) for n, code in enumerate(codes)], key=f"k{size}")
        costs.append(len(seen))

    assert costs[1] <= costs[0] + 6  # SQLite takes only so many values in one statement

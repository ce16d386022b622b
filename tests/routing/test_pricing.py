"""Price books: what they are made from, what they hold, when they are off, and that decisions read one of them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orderhub.events import tail
from orderhub.inventory import services as inventory
from orderhub.inventory.models import ExpectedReceipt, Stock
from orderhub.kernel import clock
from orderhub.orders.models import Order, OrderLine
from routing import candidates
from routing.candidates import Offer
from routing.pricing import books, demand, sentences, services
from routing.pricing.models import DailyDemand, HourlyOrders, PriceBook, PriceRow, PriceSettings
from routing.pricing.values import curve_of
from tests.fulfillment import builders as make
from tests.orders import builders as orders

pytestmark = pytest.mark.django_db
NOW = make.NOW
CLOCK = PriceBook.Reason.CLOCK


@pytest.fixture(autouse=True)
def fresh_memory() -> None:
    books.forget()


def sells(
    units: int, *, region: str = "CN-ZJ", sku: str = "TEA", days: int = 28, now: datetime = NOW
) -> None:
    """So many units a day over the last days, today left out."""
    house, goods = orders.merchant(), orders.sku(sku)
    today = now.astimezone(UTC).date()
    DailyDemand.objects.bulk_create(
        DailyDemand(
            merchant=house, sku=goods, region=region, day=today - timedelta(days=n), units=units, lines=units
        )
        for n in range(1, days + 1)
    )


def refresh(now: datetime = NOW) -> PriceBook:
    book = services.refresh(orders.merchant().pk, reason=CLOCK, actor="test", now=now)
    assert book is not None
    return book


def shop(*, shanghai: int = 40, canton: int = 400) -> None:
    """Two warehouses, ten units a day asked for beside each of them."""
    make.stock(shanghai, at="SHA")
    make.stock(canton, at="CAN")
    make.card(zones=[{"max_km": 400, "first_fee": Decimal(6)}, {"first_fee": Decimal(12)}])
    sells(10, region="CN-ZJ")
    sells(10, region="CN-GD")
    Stock.objects.update(updated_at=NOW)


def offer(order: Order, now: datetime = NOW) -> Offer:
    lines = list(OrderLine.objects.filter(order=order).select_related("sku"))
    return candidates.take_snapshot([order], lines, now=now).offer(order, lines)


def prices(found: Offer) -> dict[str, tuple[Decimal, ...]]:
    sku = orders.sku("TEA").pk
    return {node.code: tuple(node.stock_price.get(sku, ())) for node in found.nodes}  # type: ignore[arg-type]


# ---- demand --------------------------------------------------------------------------------------


def test_orders_are_added_once_to_the_day_and_region_they_came_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)
    make.network()
    make.placed(2, lines=[("TEA", 3)])
    make.placed(1, lines=[("TEA", 1), ("CUP", 2)], province="广东省", city="广州市")

    tail.project("routing.demand")
    tail.rewind("routing.demand")
    tail.project("routing.demand")

    found = set(DailyDemand.objects.values_list("sku__code", "region", "day", "units", "lines"))
    day = date(2026, 11, 22)
    assert found == {
        ("TEA", "CN-ZJ", day, 6, 2), ("TEA", "CN-GD", day, 1, 1), ("CUP", "CN-GD", day, 2, 1),
    }  # fmt: skip
    assert set(HourlyOrders.objects.values_list("region", "hour_at", "orders")) == {
        ("CN-ZJ", NOW, 2),
        ("CN-GD", NOW, 1),
    }


def test_old_demand_is_forgotten() -> None:
    sells(1, days=90)

    removed = demand.forget(now=NOW)

    assert removed == 30
    assert DailyDemand.objects.count() == 60


# ---- books ---------------------------------------------------------------------------------------


def test_a_scarce_unit_is_worth_more_than_one_that_is_plentiful() -> None:
    shop()

    book = refresh()

    row = PriceRow.objects.get(book=book)
    assert row.top_warehouse == make.warehouse("SHA")
    assert str(make.warehouse("CAN").pk) not in row.cells
    assert row.top_price > 1
    assert (book.number, book.is_off, book.guards, book.skus) == (1, False, [], 1)


def test_the_next_unit_costs_more_than_the_one_before_it() -> None:
    shop()
    refresh()
    [order] = make.placed(lines=[("TEA", 5)])

    here = prices(offer(order))["SHA"]

    assert len(here) == 5
    assert list(here) == sorted(here)
    assert here[0] < here[-1]


def test_an_expected_receipt_makes_the_stock_cheaper_until_then() -> None:
    shop(shanghai=40)
    before = PriceRow.objects.get(book=refresh()).cells[str(make.warehouse("SHA").pk)]
    ExpectedReceipt.objects.create(
        merchant=orders.merchant(), warehouse=make.warehouse("SHA"), sku=orders.sku("TEA"), units=500,
        expected_at=NOW + timedelta(days=3),
    )  # fmt: skip

    after = PriceRow.objects.get(book=refresh()).cells[str(make.warehouse("SHA").pk)]

    assert after["m"] < before["m"] / 2
    assert after["p"][2][-1] < before["p"][2][-1]
    assert after["r"].startswith("2026-11-25")


def test_only_the_newest_books_are_kept() -> None:
    shop()
    PriceSettings.objects.create(merchant=orders.merchant(), books_kept=2)

    for minutes in range(4):
        refresh(NOW + timedelta(minutes=minutes))

    found = list(PriceBook.objects.order_by("number").values_list("number", "status"))
    assert found == [(3, "replaced"), (4, "in_force")]
    assert PriceRow.objects.count() == 2


def test_a_batch_reads_one_book_and_each_row_once() -> None:
    shop()
    book = refresh()
    wanted = {orders.sku("TEA").pk}

    def read() -> tuple[int, dict[int, books.Book]]:
        with CaptureQueriesContext(connection) as made:
            found = books.in_force([book.merchant_id], wanted, now=NOW)
        return len(made), found

    first, again = read(), read()

    assert (first[0], again[0]) == (3, 1)
    assert again[1][book.merchant_id].rows == first[1][book.merchant_id].rows
    assert again[1][book.merchant_id].number == book.number


def test_a_curve_keeps_what_lies_between_its_points() -> None:
    yuan = pytest.importorskip("numpy").linspace(10, 2, 81)
    made = curve_of(yuan, 80)
    assert made is not None
    kept = books.Curve(made.low, made.high, made.yuan)

    assert [round(kept.at(k), 3) for k in (40, 57, 80)] == [
        round(float(yuan[k - 1]), 3) for k in (40, 57, 80)
    ]
    assert kept.at(10) == kept.at(40)
    assert kept.at(200) == 0


# ---- by the clock --------------------------------------------------------------------------------


def test_the_clock_makes_a_book_when_stock_moved_and_time_is_up() -> None:
    shop()

    assert services.refresh_due(now=NOW) == 1
    assert services.refresh_due(now=NOW + timedelta(minutes=29)) == 0
    assert services.refresh_due(now=NOW + timedelta(minutes=31)) == 0  # nothing moved
    Stock.objects.update(updated_at=NOW + timedelta(minutes=20))
    assert services.refresh_due(now=NOW + timedelta(minutes=31)) == 1


def test_a_receipt_makes_the_next_book_due_and_ticks_off_what_was_expected() -> None:
    shop()
    refresh()
    coming = ExpectedReceipt.objects.create(
        merchant=orders.merchant(), warehouse=make.warehouse("SHA"), sku=orders.sku("TEA"), units=50,
        expected_at=NOW + timedelta(hours=5),
    )  # fmt: skip
    later = NOW + timedelta(minutes=2)

    inventory.receive(
        [(make.warehouse("SHA"), orders.sku("TEA"), 50)], reference="R1", actor="test", now=later
    )
    services.note_receipts([(orders.merchant().pk, "SHA", ["TEA"])], now=later)

    coming.refresh_from_db()
    assert coming.arrived_at == later
    assert services.refresh_due(now=later) == 1
    newest = PriceBook.objects.get(status="in_force")
    assert (newest.number, newest.reason, newest.outdated_at) == (2, "receipt", None)
    assert services.refresh_due(now=later + timedelta(minutes=3)) == 0


# ---- guards --------------------------------------------------------------------------------------


def codes(book: PriceBook) -> list[str]:
    return [guard["code"] for guard in book.guards]


def test_without_demand_there_are_no_prices() -> None:
    make.network()

    book = refresh()

    assert (book.is_off, codes(book)) == (True, ["forecast_missing"])


def test_a_forecast_that_was_wrong_about_the_mix_switches_prices_off() -> None:
    make.network(units=40, skus=("TEA", "CUP"))
    today = NOW.astimezone(UTC).date()
    for sku, early, late in (("TEA", 20, 0), ("CUP", 1, 40)):
        DailyDemand.objects.bulk_create(
            DailyDemand(
                merchant=orders.merchant(), sku=orders.sku(sku), region="CN-ZJ", day=today - timedelta(days=n),
                units=late if n <= 7 else early, lines=1,
            )
            for n in range(1, 29)
        )  # fmt: skip
    Stock.objects.update(updated_at=NOW)
    [order] = make.placed()

    book = refresh()

    assert codes(book) == ["forecast_wrong"]
    assert book.forecast_error is not None
    assert book.forecast_error > Decimal("0.8")
    found = offer(order)
    assert prices(found) == {"SHA": (), "CAN": ()}
    assert found.notes == ["prices_forecast_wrong"]


def test_a_steady_forecast_is_right_whatever_its_level() -> None:
    shop()

    error = refresh().forecast_error

    assert error is not None
    assert error < Decimal("0.2")


def test_units_in_a_warehouse_whose_stock_is_stale_have_no_price() -> None:
    shop()
    Stock.objects.filter(warehouse__code="SHA").update(updated_at=NOW - timedelta(days=10))

    book = refresh()

    assert codes(book) == ["stock_stale"]
    assert not book.is_off
    assert str(make.warehouse("SHA").pk) not in PriceRow.objects.get(book=book).cells


def test_prices_switched_off_are_off_for_the_next_order_and_come_back() -> None:
    shop()
    refresh()
    [order] = make.placed()
    assert prices(offer(order))["SHA"]

    switched = services.switch(orders.merchant().pk, is_on=False, actor="user:ann", now=NOW)

    found = offer(order)
    assert switched
    assert prices(found)["SHA"] == ()
    assert found.notes == ["prices_switched_off"]
    assert not services.switch(orders.merchant().pk, is_on=False, actor="user:ann", now=NOW)
    services.switch(orders.merchant().pk, is_on=True, actor="user:ann", now=NOW)
    assert services.refresh_due(now=NOW + timedelta(minutes=2)) == 1
    assert prices(offer(order, NOW + timedelta(minutes=2)))["SHA"]


def test_a_book_that_nobody_renewed_for_a_day_counts_no_more() -> None:
    shop()
    refresh()
    [order] = make.placed()

    found = offer(order, NOW + timedelta(hours=25))

    assert found.notes == ["prices_old"]


def test_a_sku_without_demand_is_told_as_unknown_and_costs_nothing() -> None:
    shop()
    make.stock(5, at="SHA", sku="CUP")
    refresh()
    [order] = make.placed(lines=[("CUP", 1)])

    found = offer(order)

    assert found.notes == ["stock_price_off"]


# ---- words ---------------------------------------------------------------------------------------


def test_the_sentence_says_how_much_of_the_local_demand_is_covered() -> None:
    held = {"p": [1, 5, [4.0, 3.2]], "x": 31, "m": 50.0, "d": 10.0, "r": "2026-12-24T10:00+00:00"}

    text = sentences.cell(held, "Chengdu")

    assert "¥3.20" in text
    assert "62%" in text
    assert "Chengdu" in text


def test_a_guard_without_words_of_its_own_stands_for_itself() -> None:
    assert sentences.guard({"code": "new_one"}) == "new_one"
    assert "80%" in sentences.guard({"code": "forecast_wrong", "facts": {"error": "1.2", "limit": "0.8"}})


# ---- slots ---------------------------------------------------------------------------------------


def test_slots_get_dear_when_the_parcels_still_to_come_need_them() -> None:
    shop()
    HourlyOrders.objects.bulk_create(
        HourlyOrders(merchant=orders.merchant(), region="CN-ZJ", hour_at=NOW - timedelta(hours=n), orders=10)
        for n in range(1, 24 * 28)
    )
    house = make.warehouse("SHA")
    house.capacity_per_day = 1000
    house.save()
    refresh()
    [order] = make.placed()
    plenty = {node.code: node.capacity_price for node in offer(order).nodes}
    house.capacity_per_day = 5
    house.save()

    scarce = {node.code: node.capacity_price for node in offer(order).nodes}

    assert plenty["SHA"] == 0
    assert scarce["SHA"] > 1
    assert scarce["CAN"] == 0

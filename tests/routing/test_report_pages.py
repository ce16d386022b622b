"""The report's page, files, e-mail and advice: who may see it, what it says, what the twin makes of it."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core import mail
from django.urls import reverse

from orderhub.inventory.models import Sku, Warehouse
from routing import strategies
from routing.reports import advice, replays, service
from routing.reports.models import Recommendation, ReportSubscription, RoutingReport
from routing.reports.sums import Away, Lane, Sums, Tally
from tests import cast, make
from tests.admin import desk
from tests.routing import twin_cast as twin
from tests.routing.test_reports import days_of, made

pytestmark = pytest.mark.django_db
ZJ = "CN-ZJ"


@pytest.fixture
def report() -> RoutingReport:
    """A report on six days of orders, with a transfer of cups that was lacking."""
    twin.shop()
    now = twin.a_week(count=12)
    found = made(*days_of(now), now=now)
    house = {row.code: row.pk for row in Warehouse.objects.all()}
    move = {"from": house["CTU"], "to": house["HGH"], "sku": Sku.objects.get(code="CUP").pk, "units": 6}
    found.recommendations.all().delete()
    Recommendation.objects.create(
        report=found, kind="transfer", rank=1, value_yuan=Decimal("12.30"), moves=[move],
        facts={"from": house["CTU"], "to": house["HGH"], "skus": 1, "units": 6, "days": 7},
    )  # fmt: skip
    found.result["names"]["sku"][str(move["sku"])] = ["CUP", "杯子"]
    found.save(update_fields=["result"])
    return found


def address(found: RoutingReport) -> str:
    return f"{reverse('reports:page')}?kind=period&from={found.since}&to={found.until}"


def rows_of(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))


def test_page_pdf_and_csv_say_the_same(report: RoutingReport) -> None:
    browser = desk.boss("en")
    total = report.result["now"]["total"]

    text = browser.get(address(report)).content.decode()
    rows = rows_of(browser.get(reverse("reports:file", args=[report.pk, "csv"])).content)
    pdf = browser.get(reverse("reports:file", args=[report.pk, "pdf"])).content

    each = Decimal(total["cost"]) / (total["orders"] - total["unsent"])
    assert f"An order cost ¥{each:.2f}" in text
    assert "Move 6 units of 1 SKU" in text
    [whole] = [row for row in rows if row and row[0] == "total"]
    assert (int(whole[3]), Decimal(whole[5])) == (total["orders"], Decimal(total["cost"]))
    regions = [row for row in rows if row and row[0] == "region"]
    assert sum((Decimal(row[5]) for row in regions), Decimal(0)) == Decimal(total["cost"])
    assert pdf.startswith(b"%PDF")


def test_a_recommendation_is_exported_as_a_transfer_order(report: RoutingReport) -> None:
    row = report.recommendations.get()

    [_head, line] = rows_of(desk.boss("en").get(reverse("reports:transfers", args=[row.pk])).content)

    assert line[:7] == [f"TR-{report.pk}-1-1", "1", "CTU", "HGH", "CUP", "杯子", "6"]


def test_a_replay_moves_the_stock_on_the_twin_alone(report: RoutingReport) -> None:
    row = report.recommendations.get()
    shelves = {code: make.shelf(code, "CUP") for code in ("CTU", "HGH")}

    answer = desk.boss("en").post(reverse("reports:replay", args=[row.pk]), headers={"HX-Request": "true"})
    assert "Waiting for a worker" in answer.content.decode()
    assert replays.work() == 1

    row.refresh_from_db()
    assert row.replay == "done", row.replay_error
    found = row.replay_result
    assert found["paired"] > 0
    assert found["saved"] == pytest.approx(
        -found["figures"]["money"]["difference"] * found["paired"], abs=0.02
    )
    assert {code: make.shelf(code, "CUP") for code in ("CTU", "HGH")} == shelves
    assert "Twin: over" in desk.boss("en").get(address(report)).content.decode()


def test_nothing_changes_on_the_twin_when_nothing_is_moved(report: RoutingReport) -> None:
    row = report.recommendations.get()
    row.moves = []

    found = replays.replayed(row, tell=lambda done, total: None)

    assert (found["saved"], found["changed"]) == (0, 0)


def test_a_new_warehouse_nearby_is_used_on_the_twin(report: RoutingReport) -> None:
    row = report.recommendations.get()
    goods = [{"from": None, "to": None, "sku": sku.pk, "units": 50} for sku in Sku.objects.all()]
    regions = list(report.result["now"]["by"]["region"])
    row.kind, row.moves = "forward", goods

    found = []
    for region in regions:
        row.facts = {"region": region}
        found.append(replays.replayed(row, tell=lambda done, total: None))

    assert all(one["paired"] > 0 for one in found)
    assert any(one["changed"] > 0 and one["figures"]["hours"]["difference"] < 0 for one in found)


def test_a_lane_without_its_card_goes_by_the_other(report: RoutingReport) -> None:
    row = report.recommendations.get()
    house = Warehouse.objects.get(code="HGH")
    [region] = [key for key, sums in report.result["now"]["by"]["region"].items() if sums["orders"]][:1]
    row.kind, row.moves = "carrier", []
    row.facts = {
        "warehouse": house.pk, "region": region, "card": "TONGDA", "other": "TONGDA", "slowness": {"TONGDA": "2"},
    }  # fmt: skip

    found = replays.replayed(row, tell=lambda done, total: None)

    assert found["paired"] > 0
    assert (found["saved"], found["changed"]) == (0, 0), "there is no other card: the lane stays as it is"


def test_staff_of_another_merchant_find_nothing(report: RoutingReport) -> None:
    row = report.recommendations.get()
    stranger = desk.member("strategist", "en", merchant=make.merchant(cast.BOB))

    for path in (
        reverse("reports:report", args=[report.pk]), reverse("reports:file", args=[report.pk, "csv"]),
        reverse("reports:progress", args=[report.pk]), reverse("reports:replay", args=[row.pk]),
        reverse("reports:transfers", args=[row.pk]),
    ):  # fmt: skip
        assert stranger.get(path).status_code == 404, path
    page = stranger.get(f"{address(report)}&merchant={report.merchant_id}").content.decode()
    assert "This report has not been made yet" in page
    stranger.post(reverse("reports:make"), {"merchant": report.merchant_id, "kind": "weekly"})
    assert not RoutingReport.objects.filter(merchant=report.merchant_id, kind="weekly").exists()


def test_roles_without_the_right_are_kept_out(report: RoutingReport) -> None:
    for role, status in (("support", 403), ("carbon", 403), ("operator", 200), ("strategist", 200)):
        assert desk.member(role).get(address(report)).status_code == status, role


def test_an_empty_period_says_so_on_the_page_and_keeps_what_was_there(report: RoutingReport) -> None:
    browser = desk.boss("en")
    day = report.since - timedelta(days=40)
    query = {"kind": "daily", "from": day.isoformat(), "merchant": report.merchant_id}

    browser.post(reverse("reports:make"), query)
    service.work()

    text = browser.get(reverse("reports:page"), query).content.decode()
    assert "No order was routed in this period." in text
    assert "Choose a longer period" in text


def test_subscribers_get_what_the_clock_made_in_their_language(report: RoutingReport) -> None:
    for language, address_ in (("zh-hans", "zhang@example.com"), ("en", "ann@example.com")):
        ReportSubscription.objects.create(
            merchant=report.merchant,
            kind="daily",
            email=address_,
            language=language,
            with_pdf=language == "en",
        )
    ReportSubscription.objects.create(merchant=make.merchant(cast.BOB), kind="daily", email="bob@example.com")
    last = make.NOW + timedelta(days=1)
    day = days_of(last)[1]

    service.ask(report.merchant, "daily", day, day, actor="user:boss")
    service.work()
    make.run_until_idle()
    assert mail.outbox == [], "made by hand"
    service.ask(report.merchant, "daily", day, day, actor=service.CLOCK)
    service.work()
    make.run_until_idle()

    sent = {one.to[0]: one for one in mail.outbox}
    assert sent.keys() == {"zhang@example.com", "ann@example.com"}
    assert "每单成本" in sent["zhang@example.com"].body
    assert "An order cost" in sent["ann@example.com"].body
    assert len(sent["zhang@example.com"].attachments) == 1
    assert len(sent["ann@example.com"].attachments) == 2


# ---- advice ----------------------------------------------------------------------------------------


def ground(**tallied: Any) -> advice.Ground:
    """What a planted period of 28 days advises in Alice's network."""
    make.network(units=0)
    make.stock({"CTU": {"CUP": 100}})
    strategies.ensure_presets(make.merchant(), now=make.NOW)
    tally = Tally(**tallied)
    return advice.Ground(make.merchant().pk, tally, 28, {row.pk: row for row in Warehouse.objects.all()})


def lane(parcels: int, each: str, hours: str = "24", **fields: Any) -> Lane:
    delivered = fields.pop("delivered", parcels)
    return Lane(
        parcels, parcels * Decimal(each), parcels * Decimal(hours), delivered, delivered * Decimal(hours),
        delivered * Decimal(fields.pop("planned", hours)), **fields,
    )  # fmt: skip


def test_a_transfer_is_worth_what_the_lacking_units_cost_more_less_its_freight() -> None:
    make.network(units=0)
    house = {row.code: row.pk for row in Warehouse.objects.all()}
    cup = Sku.objects.get(merchant=make.merchant(), code="CUP")
    found = ground(
        lanes={
            (house["HGH"], ZJ, "TONGDA", 1): lane(50, "6"),
            (house["CTU"], ZJ, "TONGDA", 1): lane(40, "12"),
        },
        away={(cup.pk, house["HGH"], ZJ, 1, house["CTU"]): Away(40, 40, Decimal(480))},
    )

    [one] = advice.transfers(found)

    freight = (
        Decimal(cup.grams * 10)
        / 1000
        * found.bulk.per_kg(found.warehouses[house["CTU"]], found.warehouses[house["HGH"]])
    )
    assert one.moves == [{"from": house["CTU"], "to": house["HGH"], "sku": cup.pk, "units": 10}]
    assert one.value == (10 * Decimal(6) - freight).quantize(Decimal("0.01")) > 0


def test_no_transfer_where_the_nearest_is_dearer_or_nobody_has_any() -> None:
    make.network(units=0)
    house = {row.code: row.pk for row in Warehouse.objects.all()}
    cup = Sku.objects.get(merchant=make.merchant(), code="CUP")
    lamp = Sku.objects.get(merchant=make.merchant(), code="LAMP")
    lanes = {(house["HGH"], ZJ, "TONGDA", 1): lane(50, "6"), (house["CTU"], ZJ, "TONGDA", 1): lane(40, "5")}
    found = ground(
        lanes=lanes,
        away={
            (cup.pk, house["HGH"], ZJ, 1, house["CTU"]): Away(40, 40, Decimal(200)),
            (lamp.pk, house["CTU"], ZJ, 1, house["HGH"]): Away(40, 40, Decimal(240)),
        },
    )

    assert list(advice.transfers(found)) == []


def test_a_card_that_is_slower_than_it_says_is_to_be_changed() -> None:
    make.network(units=0)
    house = Warehouse.objects.get(merchant=make.merchant(), code="HGH").pk
    make.rate_card("JISU")
    found = ground(lanes={
        (house, "CN-XJ", "TONGDA", 1): lane(100, "8", "120", planned="60", remote=100),
        (house, "CN-XJ", "JISU", 1): lane(30, "9", "70", remote=30),
    })  # fmt: skip

    [one] = advice.carriers(found)

    rate = found.yuan_per_hour[1]
    assert (one.facts["card"], one.facts["other"]) == ("TONGDA", "JISU")
    assert one.value == (100 * (Decimal(8) - 9) + 50 * rate * 100).quantize(Decimal("0.01")) > 0
    assert one.facts["slowness"] == {"TONGDA": "2.0000", "JISU": "1.0000"}


def test_a_region_far_from_all_needs_a_forward_warehouse() -> None:
    make.network(units=0)
    house = {row.code: row.pk for row in Warehouse.objects.all()}
    cup = Sku.objects.get(merchant=make.merchant(), code="CUP")
    by: dict[str, dict[int | str, Sums]] = {
        "region": {"CN-XJ": Sums(orders=80), ZJ: Sums(orders=200)}, "channel": {}, "warehouse": {}, "strategy": {},
    }  # fmt: skip
    found = ground(
        by=by, wanted={("CN-XJ", cup.pk): 56},
        lanes={
            (house["HGH"], ZJ, "TONGDA", 1): lane(200, "5", "20", is_local=True),
            (house["CTU"], "CN-XJ", "TONGDA", 1): lane(80, "15", "90", remote=80),
        },
    )  # fmt: skip

    [one] = advice.forward_warehouses(found)

    saved = (80 * Decimal(10) + 80 * Decimal(70) * found.yuan_per_hour[1]) * Decimal("0.8")
    assert one.value == saved.quantize(Decimal("0.01"))
    assert one.moves == [{"from": house["CTU"], "to": None, "sku": cup.pk, "units": 14}]

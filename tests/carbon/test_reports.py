"""Reports: every dimension adds up to the same whole, each figure opens, files say what the ledger says."""

from __future__ import annotations

import csv
import io
import shutil
import subprocess
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from carbon import queries
from carbon.models import CalculationRun, LedgerEntry
from carbon.reports import auditbook, chart, exports, reading, scope, statement, terms
from carbon.reports.asked import asked
from carbon.reports.models import Disclosure, ReportProfile
from carbon.reports.scope import DIMENSIONS, Scope
from orderhub.access.models import User
from orderhub.inventory.models import Warehouse
from orderhub.orders.models import Order
from tests import cast, make
from tests.admin import desk

pytestmark = pytest.mark.django_db
MONTH = Scope(date(2026, 11, 1), date(2026, 11, 30))
TINY = Decimal("0.000001")


@pytest.fixture
def shop(hub_clock: make.Clock) -> list[Order]:
    """Two orders that have arrived, one of them from a solar warehouse, and one that is only planned."""
    make.network()
    Warehouse.objects.filter(code="CAN").update(energy_source=Warehouse.Energy.SOLAR)
    make.place(
        make.draft("A1", to=cast.LEI, lines={"QUILT": 1, "CUP": 2}), make.draft("A2", lines={"LAMP": 1})
    )
    make.play(hub_clock)
    make.place(make.draft("A3", to=cast.MEI, lines={"CUP": 3}))
    make.run_until_idle()
    return list(Order.objects.order_by("pk"))


def headline() -> Decimal:
    """What the orders' own pages say, added up."""
    found = [queries.of_order(order) for order in Order.objects.all()]
    return sum((Decimal(one["kg"]) for one in found if one is not None), Decimal(0))


def test_the_rows_of_every_dimension_add_up_to_what_the_orders_say(shop: list[Order]) -> None:
    for by in DIMENSIONS:
        found = reading.report(MONTH, by)

        assert found.total.kg == headline() > 0, by
        assert sum((row.sums.kg for row in found.rows), Decimal(0)) == found.total.kg, by
        assert found.total.orders == 3, by
        assert all(row.label and row.label != "未知" for row in found.rows), by
        assert found.total.around.p5_kg < found.total.kg < found.total.around.p95_kg, by


def test_a_row_opens_to_its_orders_and_they_add_up_to_it(shop: list[Order]) -> None:
    for by in ("warehouse", "lane", "channel", "product", "customer", "period"):
        for row in reading.report(MONTH, by).rows:
            inside = reading.report(MONTH.cut(by, row.value), "order")
            assert inside.total.kg == row.sums.kg
            assert inside.total.orders == row.sums.orders


def test_contracts_change_the_market_figure_only_and_by_their_warehouse_only(shop: list[Order]) -> None:
    rows = {row.note: row.sums for row in reading.report(MONTH, "warehouse").rows}

    assert rows["CAN"].market_kg < rows["CAN"].kg
    assert rows["HGH"].market_kg == rows["HGH"].kg
    runs = CalculationRun.objects.filter(order=shop[0], basis="actual", reverses__isnull=True)
    said = sum((Decimal(run.result["total"]["market_total_kg"]) for run in runs), Decimal(0))
    assert abs(rows["CAN"].market_kg - said) < Decimal("0.00001")


def test_the_number_of_queries_does_not_grow_with_the_orders(shop: list[Order]) -> None:
    with CaptureQueriesContext(connection) as few:
        reading.report(MONTH, "warehouse")
    make.place(*(make.draft(f"B{n}") for n in range(5)))
    make.run_until_idle()
    with CaptureQueriesContext(connection) as many:
        reading.report(MONTH, "warehouse")

    assert len(many) == len(few) <= 8


def test_terms_give_every_stored_element_again(shop: list[Order]) -> None:
    """What the audit book multiplies is what the engine multiplied, to the twelfth decimal."""
    count = 0
    for run in CalculationRun.objects.filter(reverses__isnull=True):
        for part in terms.parts(run):
            rates = [(term, term.factor) for term in part.terms]
            total = sum(
                (t.amount * (f.total if f.ttw is None or f.wtt is None else f.ttw + f.wtt) for t, f in rates),  # type: ignore[operator]
                Decimal(0),
            )
            assert abs(total - Decimal(part.figures["total_kg"])) < Decimal("1e-11"), part.element.id
            assert terms.formula(part)
            count += 1
    assert count >= 12


def test_months_stack_up_to_the_total_and_a_whisker_spans_the_band(shop: list[Order]) -> None:
    (month,) = reading.months(MONTH)
    drawn = chart.months([month])

    assert month.kg == reading.report(MONTH, "order").total.kg
    assert drawn["bars"][0]["high"] < drawn["bars"][0]["low"]
    assert len(drawn["bars"][0]["parts"]) == 3


@pytest.mark.parametrize(
    ("most", "top", "unit"),
    [("0.7", "0.8", "kg"), ("41", "50", "kg"), ("41860", "50", "t"), ("0", "0.001", "kg")],
)
def test_axes_are_round(most: str, top: str, unit: str) -> None:
    found = chart.axis(Decimal(most))

    assert found.top == Decimal(top)
    assert found.top >= Decimal(most) / found.divisor
    assert found.top <= max(Decimal(most) / found.divisor * 2, Decimal("0.001"))
    assert found.unit == unit
    assert 2 <= len(found.marks) <= 7


# ---- files ---------------------------------------------------------------------------------------


def rows_of(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


def test_categories_follow_who_pays_and_add_up(shop: list[Order]) -> None:
    paid = {row["category"]: row for row in rows_of(exports.ghg_protocol(MONTH))}
    ReportProfile.objects.create(merchant=make.merchant(), freight_paid_by="customer", owns_warehouses=True)
    other = {row["category"]: row for row in rows_of(exports.ghg_protocol(MONTH))}

    for found in (paid, other):
        kg = [Decimal(row["kg_co2e_location_based"]) for name, row in found.items() if name != "12"]
        assert abs(sum(kg) - headline()) < TINY
    assert Decimal(paid["4"]["kg_co2e_location_based"]) > 0 == Decimal(paid["9"]["kg_co2e_location_based"])
    assert Decimal(other["9"]["kg_co2e_location_based"]) > 0 == Decimal(other["4"]["kg_co2e_location_based"])
    assert other[""]["scope"] == "2"
    assert Decimal(other[""]["kg_co2e_market_based"]) < Decimal(other[""]["kg_co2e_location_based"])


def test_category_12_is_the_packaging_as_landfill_and_says_that_it_is_a_bound(shop: list[Order]) -> None:
    items = [
        item
        for run in scope.runs(MONTH)
        for one in run.case["elements"]
        if one["kind"] == "packaging"
        for item in one["items"]
    ]
    as_waste = {"board": Decimal("1.1644894"), "film": Decimal("0.00898311")}
    kg = sum(
        (
            Decimal(x["mass_kg"]) * next(v for k, v in as_waste.items() if f"{k}/" in x["factor"])
            for x in items
        ),
        Decimal(0),
    )

    (row,) = [row for row in rows_of(exports.ghg_protocol(MONTH)) if row["category"] == "12"]

    assert abs(Decimal(row["kg_co2e_location_based"]) - kg) < Decimal("0.00001")
    assert "landfilled (upper bound)" in row["note"]


def test_esrs_is_gross_and_names_what_is_not_on_ar6(shop: list[Order]) -> None:
    rows = rows_of(exports.esrs(MONTH))
    total = next(row for row in rows if row["stage"] == "total")

    assert Decimal(total["gross_kg_co2e_as_published"]) == headline()
    assert Decimal(total["gross_kg_co2e_ar6"]) != headline()  # DESNZ 2025 stands on AR5
    assert 0 < Decimal(total["not_rebased_kg_co2e"]) < headline()
    assert any(row["note"] == "GWP_NOT_REBASED" for row in rows)


def test_a_line_a_parcel_and_the_ledger_as_it_stands(shop: list[Order]) -> None:
    parcels = rows_of(exports.parcels(MONTH))
    ledger = rows_of(exports.ledger(MONTH))

    assert {row["order"] for row in parcels} == {shop[0].number, shop[1].number}
    assert all(Decimal(row["ghg_wtw_kg_co2e"]) > 0 and row["standard"] == "EN 17837" for row in parcels)
    assert sum(Decimal(row["total_kg_co2e"]) for row in ledger) == headline()
    hashes = set(LedgerEntry.objects.values_list("hash", flat=True))
    assert {row["hash"] for row in ledger} <= hashes


def test_the_statement_of_an_order_has_every_element_and_says_what_is_out(shop: list[Order]) -> None:
    for language, words in (("en", "Offsets are not counted"), ("zh-hans", "抵消不计入")):
        found = statement.of_order(shop[0], language=language, now=make.NOW)
        assert found is not None
        assert abs(sum(leg.total for leg in found.legs) - found.kg) < Decimal("0.00001")
        assert any(words in note for note in found.notes)
        assert not any("certified to" in note for note in found.notes)
        assert found.sources


def test_the_statement_of_a_period_adds_up(shop: list[Order]) -> None:
    found = statement.of_period(MONTH, name="Alice", language="en", now=make.NOW)

    assert abs(sum(leg.total for leg in found.legs) - headline()) < Decimal("0.0001")
    assert found.tkm > 0
    assert any("g/t·km" in leg.activity for leg in found.legs)


# ---- the audit book ------------------------------------------------------------------------------


def test_the_book_holds_formulas_where_figures_are(shop: list[Order]) -> None:
    book = openpyxl.load_workbook(io.BytesIO(auditbook.book(MONTH)))

    for row in book["Terms"].iter_rows(min_row=2):
        assert all(str(cell.value).startswith("=") for cell in row[12:16])
    assert all(str(row[9].value).startswith("=SUM") for row in book["Elements"].iter_rows(min_row=2))
    ledger = sum(Decimal(str(row[10].value)) for row in book["Elements"].iter_rows(min_row=2))
    assert ledger == headline()


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not on this machine")
def test_libreoffice_gives_the_ledger_and_follows_a_changed_factor(shop: list[Order], tmp_path: Path) -> None:
    plain = openpyxl.load_workbook(io.BytesIO(auditbook.book(MONTH)))
    doubled = openpyxl.load_workbook(io.BytesIO(auditbook.book(MONTH)))
    for row in doubled["Factors"].iter_rows(min_row=2):
        for cell in row[2:5]:
            if isinstance(cell.value, float):
                cell.value *= 2

    first, second = recalculated(plain, tmp_path / "one"), recalculated(doubled, tmp_path / "two")

    summary = {row[0]: row for row in first["Summary"].iter_rows(min_row=7, values_only=True)}
    assert abs(Decimal(str(summary["total"][1])) - headline()) <= TINY
    differences = [row[11] for row in first["Elements"].iter_rows(min_row=2, values_only=True)]
    assert differences
    assert all(abs(one) <= 0.000001 for one in differences)
    twice = {row[0]: row for row in second["Summary"].iter_rows(min_row=7, values_only=True)}
    assert abs(Decimal(str(twice["total"][1])) - 2 * headline()) < Decimal("0.0001")


def recalculated(book: Any, place: Path) -> Any:
    """The book as LibreOffice gives it back."""
    place.mkdir()
    book.save(place / "in.xlsx")
    home = f"-env:UserInstallation=file://{place}/profile"
    command = [
        "soffice",
        home,
        "--headless",
        "--convert-to",
        "xlsx:Calc MS Excel 2007 XML",
        "--outdir",
        str(place / "out"),
        str(place / "in.xlsx"),
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    return openpyxl.load_workbook(place / "out" / "in.xlsx", data_only=True)


# ---- pages ---------------------------------------------------------------------------------------

WHEN = {"from": "2026-11-01", "to": "2026-11-30"}


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_operators_see_the_report(shop: list[Order], language: str) -> None:
    client = desk.boss(language)
    for by in DIMENSIONS:
        page = client.get(reverse("carbon:reports"), {**WHEN, "by": by, "basis": "market"})

        text = page.content.decode()
        assert page.status_code == 200, by
        assert ("Carbon report" if language == "en" else "碳报告") in text, by
        assert chart.tidy(headline()) in text, by
        assert "style=" not in text.split("<main")[-1].split("oh-stack")[-1].split("</main")[0], by


def test_a_month_without_figures_says_so() -> None:
    text = desk.boss("en").get(reverse("carbon:reports"), {"from": "2020-01-01"}).content.decode()

    assert "No figures for this period" in text


def test_an_order_opens_to_its_formulas(shop: list[Order]) -> None:
    client = desk.boss("en")
    text = client.get(reverse("carbon:order", args=[shop[0].pk])).content.decode()
    pdf = client.get(reverse("carbon:order-pdf", args=[shop[0].pk]))

    assert "kg/tkm" in text
    assert "desnz-2025/freight/road_hgv" in text
    assert pdf.content.startswith(b"%PDF-")
    assert client.get(reverse("carbon:order", args=[10**9])).status_code == 404


def test_every_file_is_kept_on_record(shop: list[Order]) -> None:
    client = desk.boss()
    for name in ("statement", "audit-book", *exports.FILES):
        answer = client.get(reverse("carbon:file", args=[name]), WHEN)
        row = Disclosure.objects.latest("pk")

        assert answer.status_code == 200, name
        assert (row.kind, row.kg, row.orders) == (name, headline(), 3)
        assert "attachment" in answer["Content-Disposition"], name


def test_only_who_sees_the_ledger_sees_reports(shop: list[Order]) -> None:
    address = reverse("carbon:reports")

    assert desk.member("carbon").get(address).status_code == 200
    assert desk.member("support").get(address).status_code == 403
    assert Client().get(address).status_code == 302


def test_merchants_see_only_their_own(shop: list[Order]) -> None:
    alice, bob = (
        desk.browser(User.objects.create(username=who.code, merchant=make.merchant(who)))
        for who in (cast.ALICE, cast.BOB)
    )

    mine = alice.get(reverse("merchant:carbon"), WHEN).content.decode()
    theirs = bob.get(
        reverse("merchant:carbon"), {**WHEN, "merchant": str(make.merchant().pk)}
    ).content.decode()
    assert chart.tidy(headline()) in mine
    assert chart.tidy(headline()) not in theirs
    assert alice.get(reverse("merchant:carbon-order", args=[shop[0].pk])).status_code == 200
    assert bob.get(reverse("merchant:carbon-order", args=[shop[0].pk])).status_code == 404
    assert bob.get(reverse("merchant:carbon-order-pdf", args=[shop[0].pk])).status_code == 404
    ledger = bob.get(reverse("merchant:carbon-file", args=["ledger"]), WHEN)
    assert len(rows_of(ledger.content)) == 0


@pytest.mark.parametrize(
    "given",
    [
        {"from": "x", "to": "2026-13-40", "by": "'", "period": "1"},
        {"warehouse": "a;b", "lane": "x"},
        {"order": "９"},
    ],
)
def test_strange_questions_are_no_errors(shop: list[Order], given: dict[str, str]) -> None:
    found = asked(given, merchant_id=None, zone="Asia/Shanghai", now=make.NOW)

    assert reading.report(found.scope, found.by).total.kg >= 0
    assert scope.entries(found.scope) is not None

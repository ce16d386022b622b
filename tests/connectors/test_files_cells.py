"""One cell in, one value out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from orderhub.connectors.files import cells
from orderhub.connectors.files.dialects import SHANGHAI
from orderhub.connectors.files.faults import CellFault


def fault(read: Callable[[], object]) -> str:
    """The kind of fault that reading ends in."""
    with pytest.raises(CellFault) as caught:
        read()
    return caught.value.kind


@pytest.mark.parametrize(
    ("raw", "number"),
    [
        ('="1930001"', "1930001"),
        ("'1930001", "1930001"),
        ("1930001\t", "1930001"),
        (" #1001\u3000", "#1001"),
        ("\ufeff1001\u200b", "1001"),
        ("-1001", "-1001"),
        ("01037", "01037"),
        ("A-1 B", "A-1 B"),
    ],
)
def test_an_order_number_is_freed_of_what_spreadsheets_add(raw: str, number: str) -> None:
    assert cells.order_number(raw) == number


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        ("", "missing_order_no"),
        ("  \u3000", "missing_order_no"),
        ('=""', "missing_order_no"),
        ("'", "missing_order_no"),
        ("1.93E+17", "sci_order_no"),
        ("2.00000E+18", "sci_order_no"),
        ('="2E18"', "sci_order_no"),
        ("1,93e+17", "sci_order_no"),
        ("=1+1", "formula_cell"),
        ("@SUM(A1)", "formula_cell"),
        ("+cmd|' /C calc'!A0", "formula_cell"),
        ("=HYPERLINK(1)", "formula_cell"),
        ("x" * 65, "long_field"),
    ],
)
def test_an_order_number_that_cannot_be_trusted_is_refused(raw: str, kind: str) -> None:
    assert fault(lambda: cells.order_number(raw)) == kind


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        ("", "missing_sku"),
        ("=A1", "formula_cell"),
        ("@x", "formula_cell"),
        ("-x", "formula_cell"),
        ("1.2E+10", "sci_number"),
    ],
)
def test_an_article_number_that_cannot_be_trusted_is_refused(raw: str, kind: str) -> None:
    assert fault(lambda: cells.sku(raw)) == kind


def test_an_article_number_may_look_like_a_number_or_hold_an_e() -> None:
    assert [cells.sku(raw) for raw in ("-12", "12E45", '="0012"', "SKU-1")] == [
        "-12",
        "12E45",
        "0012",
        "SKU-1",
    ]


def test_phones_and_postcodes_are_text() -> None:
    assert cells.code("'+86 100 0000 0001", "phone", limit=40) == "+86 100 0000 0001"
    assert cells.code("\u202d10000000001\u202c", "phone", limit=40) == "10000000001"
    assert cells.code("01037", "postcode", limit=20) == "01037"
    assert fault(lambda: cells.code("1.0E+10", "phone", limit=40)) == "sci_number"


@pytest.mark.parametrize("raw", ["1", "10", " 7 ", "999999", "'3"])
def test_a_quantity_is_a_whole_number(raw: str) -> None:
    assert cells.quantity(raw) == int(raw.strip(" '"))


@pytest.mark.parametrize(
    "raw", ["", "0", "-1", "1.5", "1.0", "two", "1e3", "+1", "１", "٣", "1,000", "1000000", "nan"]
)
def test_anything_else_is_no_quantity(raw: str) -> None:
    assert fault(lambda: cells.quantity(raw)) == "bad_quantity"


@pytest.mark.parametrize("raw", ["0", "0.00", "12.30", "999999999.9999", " 5 "])
def test_a_price_is_a_plain_decimal(raw: str) -> None:
    assert cells.price(raw) == Decimal(raw.strip())


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "-5.00",
        "12.3O",
        "1e309",
        "1E2",
        "NaN",
        "inf",
        "1000000000",
        "1.00001",
        ".5",
        "5.",
        "+1",
        "1,5",
        "¥3",
        "１２",
    ],
)
def test_anything_else_is_no_price(raw: str) -> None:
    assert fault(lambda: cells.price(raw)) == "bad_price"


def test_a_unit_behind_the_amount_is_taken_only_where_the_profile_says_so() -> None:
    assert cells.price("0元", suffix="元") == Decimal(0)
    assert fault(lambda: cells.price("0元")) == "bad_price"


@pytest.mark.parametrize(
    ("raw", "moment"),
    [
        ("2026-11-11T00:00:03+08:00", datetime(2026, 11, 10, 16, 0, 3, tzinfo=UTC)),
        ("2026-11-10 16:00:00 -0800", datetime(2026, 11, 11, 0, 0, tzinfo=UTC)),
        ("2026-11-11 00:00:00 UTC", datetime(2026, 11, 11, tzinfo=UTC)),
        ("2026-11-11T00:00:00.123Z", datetime(2026, 11, 11, tzinfo=UTC)),
        ("2016/5/23 22:02", datetime(2016, 5, 23, 14, 2, tzinfo=UTC)),
        ("2020-02-29 23:59:54", datetime(2020, 2, 29, 15, 59, 54, tzinfo=UTC)),
        ("2026-11-11", datetime(2026, 11, 10, 16, 0, tzinfo=UTC)),
    ],
)
def test_a_date_has_its_own_offset_or_the_profiles_zone(raw: str, moment: datetime) -> None:
    found = cells.moment(raw, "placed_at", zone=SHANGHAI)

    assert found == moment
    assert found.tzinfo is not None


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "yesterday",
        "2026-02-30 10:00:00",
        "13/13/2026",
        "11/12/2026",
        "2025-02-29",
        "2026-11-11 24:00",
        "0000-01-01",
        "1999-12-31",
        "2101-01-01",
        "2026-11/11",
        "20261111",
        "2026-W01-1",
        "46337.5",
        "2026-11-11T00:00:00+15:00",
        "2026-11-11T00:00:00+08:99",
        "２０２６-11-11",
        "2026-11-11 10:00:00; DROP",
    ],
)
def test_a_date_that_does_not_exist_or_must_be_guessed_is_refused(raw: str) -> None:
    assert fault(lambda: cells.moment(raw, "placed_at", zone=SHANGHAI)) == "bad_date"


def test_offsets_keep_their_minutes_and_sign() -> None:
    found = cells.moment("2026-01-01T00:00:00-03:30", "placed_at", zone=UTC)

    assert found.tzinfo == timezone(-timedelta(hours=3, minutes=30))


def test_yes_and_no_are_known_in_both_languages() -> None:
    assert [
        cells.boolean(x, "green") for x in ("yes", "TRUE", "1", "是", "no", "False", "0", "否", "", " ")
    ] == ([True] * 4 + [False] * 6)
    assert fault(lambda: cells.boolean("maybe", "green")) == "bad_boolean"


def test_currencies_are_iso_codes() -> None:
    assert [cells.currency(x, "currency", default="CNY") for x in ("usd", " EUR ", "RMB", "")] == [
        "USD",
        "EUR",
        "CNY",
        "CNY",
    ]
    assert [fault(lambda x=x: cells.currency(x, "currency", default="")) for x in ("", "XXX", "¥", "US")] == (
        ["bad_currency"] * 4
    )


def test_countries_are_iso_codes_or_common_names() -> None:
    assert [cells.country(x, "country", default="CN") for x in ("us", "中国", "Germany", "")] == [
        "US",
        "CN",
        "DE",
        "CN",
    ]
    assert [
        fault(lambda x=x: cells.country(x, "country", default="")) for x in ("", "U1", "Utopia", "ＵＳ")
    ] == (["unknown_country"] * 4)


def test_services_are_normalized_and_unknown_ones_stay_as_given() -> None:
    given = ("Standard", "", "快递", "EMS", "Expedited", "平邮", "Green delivery", "By  Camel")

    assert [cells.service(x) for x in given] == (
        ["standard", "standard", "standard", "express", "express", "economy", "standard", "by camel"]
    )


def test_text_is_one_line_and_notes_keep_their_lines() -> None:
    assert cells.text(" a \r\n b\tc ", "name", limit=10) == "a b c"
    assert cells.note(" a\nb ", "note", limit=10) == "a\nb"
    assert fault(lambda: cells.text("x" * 11, "name", limit=10)) == "long_field"
    assert fault(lambda: cells.note("x" * 11, "note", limit=10)) == "long_field"

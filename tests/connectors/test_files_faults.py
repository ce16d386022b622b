"""One fault in a file: which row reports it, under which name, and which order stays out."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.connectors import files_cast as cast

#: field, value, kind
CASES = [
    *(("quantity", value, "bad_quantity") for value in ("two", "0", "-1", "1.5")),
    *(("price", value, "bad_price") for value in ("12.3O", "-5.00", "1e309")),
    *(("placed", value, "bad_date") for value in ("2026-02-30 10:00:00", "13/13/2026", "yesterday")),
    ("sku", "SKU-NONE-1", "unknown_sku"),
    ("sku", "", "missing_sku"),
    ("sku", "=A1", "formula_cell"),
    ("city", "", "missing_city"),
    ("name", "A\x00B", "nul_byte"),
    ("name", "A\x07B", "control_character"),
    ("name", "x" * 200_000, "long_field"),
    ("name", "", "missing_recipient"),
]


@pytest.mark.parametrize("dialect", sorted(cast.CAST))
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[2]}-{case[1][:12]!r}")
def test_one_bad_cell_is_one_error_and_keeps_one_order_out(
    tmp_path: Path, dialect: str, case: tuple[str, str, str]
) -> None:
    field, value, kind = case
    spots = cast.SPOTS[dialect]
    column = str(getattr(spots, field))
    is_line = field in ("quantity", "price", "sku")
    file, row = (spots.line_file, spots.line_row) if is_line else (0, spots.head_row)
    sheets = cast.CAST[dialect]()
    if dialect == "taobao" and kind == "missing_sku":
        sheets[1].put(row, "商家编码", "")
    sheets[file].put(row, column, "示例路1号" if dialect == "taobao" and kind == "missing_city" else value)

    result = cast.imported(tmp_path, sheets)

    assert cast.faults(result) == [(row, column.strip(), kind)]
    assert result.errors[0].file == sheets[file].name
    assert result.errors[0].order_no == cast.NUMBERS[dialect][1]
    assert cast.accepted(result) == [x for x in cast.NUMBERS[dialect] if "1002" not in x]


@pytest.mark.parametrize("dialect", sorted(cast.CAST))
def test_a_ragged_row_keeps_its_order_out(tmp_path: Path, dialect: str) -> None:
    sheets = cast.CAST[dialect]()
    row = cast.SPOTS[dialect].head_row
    del sheets[0].rows[row - 2][-3:]

    result = cast.imported(tmp_path, sheets)

    assert cast.faults(result) == [(row, "", "ragged_row")]
    assert len(result.orders) == 3


def test_trailing_blank_cells_are_no_ragged_row(tmp_path: Path) -> None:
    [sheet] = cast.generic()
    sheet.rows = [[*row, "", " "] for row in sheet.rows]

    assert cast.imported(tmp_path, [sheet]).errors == []


@pytest.mark.parametrize("dialect", ["generic", "shopify", "taobao"])
def test_undecodable_bytes_spoil_one_row_and_not_the_encoding(tmp_path: Path, dialect: str) -> None:
    sheets = cast.CAST[dialect]()
    row, column = cast.SPOTS[dialect].head_row, cast.SPOTS[dialect].name
    sheets[0].put(row, column, "A\x1aB")

    result = cast.imported(tmp_path, sheets)

    assert cast.faults(result) == [(row, column, "bad_bytes")]
    assert len(result.orders) == 3


def test_latin1_bytes_in_a_utf8_file_are_bad_rows_and_never_mojibake(tmp_path: Path) -> None:
    [sheet] = cast.generic()
    data = sheet.data().replace("收货人甲".encode(), "Müller".encode("latin-1"), 2)

    result = cast.imported_files([cast.saved_bytes(tmp_path, "orders.csv", data)])

    assert cast.faults(result) == [(2, "recipient", "bad_bytes"), (3, "recipient", "bad_bytes")]
    assert cast.accepted(result) == ["1002", "1003", "1004"]


@pytest.mark.parametrize("dialect", ["generic", "shopify", "amazon"])
def test_a_row_without_order_number_is_refused_alone(tmp_path: Path, dialect: str) -> None:
    [sheet] = cast.CAST[dialect]()
    sheet.put(4, cast.SPOTS[dialect].number, "")

    result = cast.imported(tmp_path, [sheet])

    assert cast.faults(result) == [(4, cast.SPOTS[dialect].number, "missing_order_no")]
    assert result.errors[0].order_no == ""
    assert len(result.orders) == 3


def test_scientific_notation_is_refused_and_shown(tmp_path: Path) -> None:
    [sheet] = cast.generic()
    sheet.put(4, "order_no", "2.00000E+18")

    result = cast.imported(tmp_path, [sheet])

    assert cast.faults(result) == [(4, "order_no", "sci_order_no")]
    assert (result.errors[0].order_no, result.errors[0].value) == ("2.00000E+18", "2.00000E+18")


@pytest.mark.parametrize(
    ("dialect", "column"), [("generic", "address"), ("amazon", "ship-address-1"), ("generic", "paid_at")]
)
def test_the_row_that_differs_from_the_first_reports_the_conflict(
    tmp_path: Path, dialect: str, column: str
) -> None:
    [sheet] = cast.CAST[dialect]()
    sheet.put(7, column, "2026-11-12 00:00:00" if column == "paid_at" else "Another Road 1")

    result = cast.imported(tmp_path, [sheet])

    assert cast.faults(result) == [(7, column, "header_conflict")]
    assert result.errors[0].facts == {"first_row": 5}
    assert cast.accepted(result) == [x for x in cast.NUMBERS[dialect] if "1003" not in x]


def test_the_same_value_spelled_otherwise_is_no_conflict(tmp_path: Path) -> None:
    [sheet] = cast.generic()
    sheet.put(6, "placed_at", "2026/11/11 8:00")
    sheet.put(7, "green_delivery", "否")

    assert cast.imported(tmp_path, [sheet]).errors == []


def test_good_rows_of_a_refused_order_report_nothing(tmp_path: Path) -> None:
    [sheet] = cast.generic()
    for row in (5, 6, 7):
        sheet.put(row, "placed_at", "yesterday")
    sheet.put(7, "quantity", "0")

    result = cast.imported(tmp_path, [sheet])

    assert cast.faults(result) == [(5, "placed_at", "bad_date"), (7, "quantity", "bad_quantity")]


def test_every_row_with_a_fault_of_its_own_reports_it_once(tmp_path: Path) -> None:
    [sheet] = cast.generic()
    sheet.put(5, "sku", "SKU-NONE")
    sheet.put(6, "unit_price", "x")
    sheet.put(6, "quantity", "y")

    result = cast.imported(tmp_path, [sheet])

    assert cast.faults(result) == [(5, "sku", "unknown_sku"), (6, "quantity", "bad_quantity")]


@pytest.mark.parametrize(
    ("dialect", "row", "column", "value", "kind"),
    [
        ("generic", 4, "province", "东海省", "unknown_province"),
        ("taobao", 3, "收货地址 ", "东海省 杭州市 滨江区 示例路1号", "unknown_province"),
        ("generic", 4, "country", "ZZ", "unknown_country"),
        ("generic", 4, "country", "Utopia", "unknown_country"),
        ("generic", 4, "currency", "XXX", "bad_currency"),
        ("generic", 4, "green_delivery", "perhaps", "bad_boolean"),
        ("generic", 4, "address", "", "missing_address"),
        ("generic", 4, "phone", "1.0E+10", "sci_number"),
        ("generic", 4, "recipient", "x" * 101, "long_field"),
        ("generic", 4, "order_no", "=1+1", "formula_cell"),
        ("shopify", 4, "Cancelled at", "2026-11-11 00:00:00 +0000", "order_closed"),
        ("shopify", 4, "Fulfillment Status", "fulfilled", "order_closed"),
        ("shopify", 4, "Financial Status", "refunded", "order_closed"),
        ("taobao", 3, "订单状态", "交易关闭", "order_closed"),
    ],
)
def test_other_faults_are_named_too(
    tmp_path: Path, dialect: str, row: int, column: str, value: str, kind: str
) -> None:
    sheets = cast.CAST[dialect]()
    sheets[0].put(row, column, value)

    result = cast.imported(tmp_path, sheets)

    assert cast.faults(result) == [(row, column.strip(), kind)]
    assert len(result.orders) == 3

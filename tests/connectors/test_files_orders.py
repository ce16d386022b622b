"""Whole orders from whole files: what they carry, how rows find together, what counts as a repetition."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from orderhub.connectors.files import reader, stream
from tests.connectors import files_cast as cast


@pytest.mark.parametrize("dialect", sorted(cast.CAST))
def test_every_dialect_gives_the_same_orders_lines_units_and_amount(tmp_path: Path, dialect: str) -> None:
    result = cast.imported(tmp_path, cast.CAST[dialect]())

    lines = [line for order in result.orders for line in order.lines]
    assert result.errors == []
    assert cast.accepted(result) == cast.NUMBERS[dialect]
    assert [len(order.lines) for order in result.orders] == [2, 1, 3, 1]
    assert sum(line.quantity for line in lines) == 20
    assert sum(line.line_total for line in lines) == Decimal("261.75")
    assert [order.paid for order in result.orders] == [True, True, False, True]
    assert [order.green for order in result.orders] == [dialect != "taobao", False, False, False]
    assert all(order.placed_at == datetime(2026, 11, 11, tzinfo=UTC) for order in result.orders)


def test_a_generic_order_carries_everything_its_rows_say(tmp_path: Path) -> None:
    order = cast.imported(tmp_path, cast.generic()).orders[0]

    assert (order.country, order.province, order.city, order.district) == ("CN", "浙江省", "杭州市", "滨江区")
    assert (order.address, order.postcode, order.name, order.phone) == (
        "示例路1号",
        "000000",
        "收货人甲",
        "10000000001",
    )
    assert (order.currency, order.service, order.total) == ("CNY", "standard", Decimal("300.00"))
    assert order.note == 'a "quoted", note'
    assert order.paid_at == datetime(2026, 11, 11, 0, 1, tzinfo=UTC)
    assert order.where == (("orders.csv", 2), ("orders.csv", 3))


def test_a_taobao_order_is_freed_of_its_quirks(tmp_path: Path) -> None:
    order = cast.imported(tmp_path, cast.taobao()).orders[0]

    assert (order.province, order.city, order.district) == ("浙江省", "杭州市", "滨江区")
    assert (order.address, order.postcode, order.phone) == ("示例路1号", "000000", "10000000001")
    assert (order.external_id, order.currency, order.total) == ("1001", "CNY", Decimal("300.00"))
    assert order.placed_at.utcoffset() is not None
    assert order.where == (
        ("ExportOrderList.csv", 2), ("ExportOrderDetailList.csv", 2), ("ExportOrderDetailList.csv", 3),
    )  # fmt: skip


def test_a_changed_taobao_address_is_the_one_that_counts(tmp_path: Path) -> None:
    sheets = cast.taobao()
    sheets[0].put(2, "修改后的收货地址", "上海 上海市 浦东新区 新路 2号（200000）")

    order = cast.imported(tmp_path, sheets).orders[0]

    assert (order.province, order.city, order.district, order.address) == (
        "上海",
        "上海市",
        "浦东新区",
        "新路 2号",
    )
    assert order.postcode == "200000"


def test_a_city_without_districts_keeps_its_street(tmp_path: Path) -> None:
    sheets = cast.taobao()
    sheets[0].put(2, "收货地址 ", "浙江省 东莞市 示例路1号(000000)")

    order = cast.imported(tmp_path, sheets).orders[0]

    assert (order.city, order.district, order.address) == ("东莞市", "", "示例路1号")


def test_an_amazon_price_for_the_whole_quantity_stays_exact(tmp_path: Path) -> None:
    [sheet] = cast.amazon()
    sheet.put(7, "item-price", "10.00")
    sheet.put(7, "quantity-purchased", "3")

    line = cast.imported(tmp_path, [sheet]).orders[2].lines[2]

    assert (line.quantity, line.unit_price, line.line_total) == (3, Decimal("3.3333"), Decimal("10.00"))


def test_the_content_hash_ignores_position_and_spelling_but_no_content(tmp_path: Path) -> None:
    [first], [moved], [changed] = cast.generic(), cast.generic(), cast.generic()
    moved.rows.reverse()
    moved.rows = [
        [x.replace("2026-11-11T08:00:00+08:00", "2026/11/11 8:00") for x in row] for row in moved.rows
    ]
    moved.put(7, "unit_price", "5.0000")
    changed.put(2, "quantity", "3")

    hashes = [
        {order.external_id: order.content_hash for order in cast.imported(tmp_path, [sheet]).orders}
        for sheet in (first, moved, changed)
    ]

    assert hashes[0] == hashes[1]
    assert {number for number in cast.ALL if hashes[0][number] != hashes[2][number]} == {"1001"}
    assert all(len(value) == 64 for value in hashes[0].values())


@pytest.mark.parametrize("dialect", sorted(cast.CAST))
def test_a_repeated_row_is_a_duplicate_and_changes_nothing(tmp_path: Path, dialect: str) -> None:
    sheets = cast.CAST[dialect]()
    before = cast.imported(tmp_path, sheets).orders
    sheets[0].rows.append(list(sheets[0].rows[cast.SPOTS[dialect].head_row - 2]))

    result = cast.imported(tmp_path, sheets)

    assert cast.faults(result) == [(len(sheets[0].rows) + 1, cast.SPOTS[dialect].number, "duplicate_order")]
    assert result.orders == before


def test_a_whole_shopify_order_again_repeats_all_of_its_rows(tmp_path: Path) -> None:
    [sheet] = cast.shopify()
    before = cast.imported(tmp_path, [sheet]).orders
    sheet.rows.extend([list(row) for row in sheet.rows[3:6]])

    result = cast.imported(tmp_path, [sheet])

    assert [kind for _, _, kind in cast.faults(result)] == ["duplicate_order"] * 3
    assert result.orders == before


def test_equal_lines_of_a_shopify_order_are_two_lines(tmp_path: Path) -> None:
    [sheet] = cast.shopify()
    sheet.rows.insert(2, list(sheet.rows[1]))

    result = cast.imported(tmp_path, [sheet])

    assert result.errors == []
    assert [line.sku for line in result.orders[0].lines] == ["SKU-1", "SKU-2", "SKU-2"]


def test_equal_taobao_details_count_only_where_the_order_announces_them(tmp_path: Path) -> None:
    announced, repeated = cast.taobao(), cast.taobao()
    for sheets in (announced, repeated):
        sheets[1].rows.append(list(sheets[1].rows[0]))
    announced[0].put(2, "宝贝总数量", "5")

    counted, dropped = cast.imported(tmp_path, announced), cast.imported(tmp_path, repeated)

    assert counted.errors == []
    assert [line.sku for line in counted.orders[0].lines] == ["SKU-1", "SKU-2", "SKU-1"]
    assert cast.faults(dropped) == [(9, "订单编号", "duplicate_order")]
    assert [line.sku for line in dropped.orders[0].lines] == ["SKU-1", "SKU-2"]


def test_rows_of_an_order_may_stand_anywhere_in_the_file(tmp_path: Path) -> None:
    [sheet] = cast.generic()
    random.Random(3).shuffle(sheet.rows)

    result = cast.imported(tmp_path, [sheet])

    assert result.errors == []
    assert sorted(cast.accepted(result)) == cast.ALL


def test_next_rows_may_leave_the_orders_own_cells_blank(tmp_path: Path) -> None:
    [sheet] = cast.generic()
    own = [x for x in sheet.header if x not in ("order_no", "line_no", "sku", "quantity", "unit_price")]
    for row in (3, 6, 7):
        for column in own:
            sheet.put(row, column, "")

    result = cast.imported(tmp_path, [sheet])

    assert result.errors == []
    assert [len(order.lines) for order in result.orders] == [2, 1, 3, 1]


def test_lines_whose_main_row_is_missing_are_refused(tmp_path: Path) -> None:
    [sheet] = cast.shopify()
    del sheet.rows[0]

    result = cast.imported(tmp_path, [sheet])

    assert cast.faults(result) == [(2, "Name", "detail_without_order")]
    assert cast.accepted(result) == ["#1002", "#1003", "#1004"]


def spoil_number(sheets: list[cast.Sheet], file: int, row: int, value: str) -> None:
    """Overwrite an order number of the Taobao pair."""
    sheets[file].put(row, "订单编号", value)


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (lambda s: spoil_number(s, 1, 4, ""), [(3, "order_without_detail"), (4, "missing_order_no")]),
        (lambda s: spoil_number(s, 0, 3, "2.00000E+18"), [(3, "sci_order_no"), (4, "detail_without_order")]),
        (
            lambda s: spoil_number(s, 1, 4, '="9999"'),
            [(3, "order_without_detail"), (4, "detail_without_order")],
        ),
        (lambda s: s[1].rows.__setitem__(2, [""] * 8), [(3, "order_without_detail")]),
        (lambda s: s[0].put(3, "订单创建时间", "x"), [(3, "bad_date")]),
        (lambda s: s[1].put(4, "购买数量", "0"), [(4, "bad_quantity")]),
    ],
    ids=[
        "detail without number",
        "number in e-notation",
        "stray detail",
        "no detail",
        "bad head",
        "bad detail",
    ],
)
def test_the_halves_of_a_taobao_order_report_what_the_other_lacks(
    tmp_path: Path, spoil: Callable[[list[cast.Sheet]], None], expected: list[tuple[int, str]]
) -> None:
    sheets = cast.taobao()
    spoil(sheets)

    result = cast.imported(tmp_path, sheets)

    assert [(row, kind) for row, _, kind in cast.faults(result)] == expected
    assert cast.accepted(result) == ["1001", "1003", "1004"]


def test_a_formula_in_free_text_is_kept_as_data(tmp_path: Path) -> None:
    [sheet] = cast.generic()
    sheet.put(4, "note", "=1+1")
    sheet.put(4, "recipient", "@anna")

    order = cast.imported(tmp_path, [sheet]).orders[1]

    assert (order.note, order.name) == ("=1+1", "@anna")


def test_catalog_and_regions_are_asked_once(tmp_path: Path) -> None:
    asked: list[set[str]] = []
    places: list[tuple[str, str, str]] = []

    def catalog(skus: Collection[str]) -> Collection[str]:
        asked.append(set(skus))
        return cast.SKUS

    def regions(country: str, province: str, city: str) -> reader.RegionVerdict:
        places.append((country, province, city))
        return "ok"

    recognized = reader.recognize(cast.saved(tmp_path, cast.generic()))
    [chunk] = reader.stream_orders(recognized, catalog=catalog, regions=regions)

    assert asked == [{"SKU-1", "SKU-2", "SKU-3", "SKU-4", "SKU-5"}]
    assert places == [("CN", "浙江省", "杭州市")]
    assert chunk.rows == 7


def test_a_preview_shows_first_rows_and_orders_without_asking_anyone(tmp_path: Path) -> None:
    sheets = cast.taobao()
    sheets[1].put(2, "外部系统编号", "SKU-NONE")

    preview = reader.preview(reader.recognize(cast.saved(tmp_path, sheets)), limit=3)

    assert [row for row, _ in preview.rows["ExportOrderList.csv"]] == [2, 3, 4]
    assert [order.external_id for order in preview.orders] == ["1001", "1002"]
    assert preview.errors == []


def test_errors_beyond_the_longest_list_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "MAX_ERRORS", 2)
    [sheet] = cast.generic()
    for row in range(2, 9):
        sheet.put(row, "quantity", "0")

    result = cast.imported(tmp_path, [sheet])

    assert (len(result.errors), result.unlisted_errors, result.orders) == (2, 5, [])

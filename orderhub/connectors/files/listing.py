"""Files with one thing a row: articles and stock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from orderhub.connectors.files import cells as read
from orderhub.connectors.files import parsed, records
from orderhub.connectors.files.custom import OWN, CustomColumns, Fields
from orderhub.connectors.files.faults import CellFault, RowError
from orderhub.connectors.files.grouping import row_error, usable
from orderhub.connectors.files.rows import Sheet

Item = TypeVar("Item")


def _each(
    sheet: Sheet, found: Iterator[records.Record], read_row: Callable[[int, list[str]], Item]
) -> tuple[list[Item], list[RowError], int]:
    items: list[Item] = []
    errors: list[RowError] = []
    rows = 0
    for record in found:
        rows += 1
        try:
            items.append(read_row(record.row, usable(sheet, record)))
        except CellFault as fault:
            errors.append(row_error(sheet, record.row, "", fault))
    return items, errors, rows


def skus(sheet: Sheet, found: Iterator[records.Record], fields: Fields | None = None) -> parsed.SkuResult:
    """Articles with a price from 0, a weight of at least 1 gram, and the custom fields there are columns of."""
    seen: dict[str, int] = {}
    custom = CustomColumns(sheet.header, OWN, (fields or Fields()).own)

    def read_row(row: int, cells: list[str]) -> parsed.ParsedSku:
        sku = read.sku(sheet.cell(cells, "sku"))
        if sku in seen:
            raise CellFault("duplicate_sku", "sku", sku, {"first_row": seen[sku]})
        name = read.text(sheet.cell(cells, "name"), "name", limit=500)
        price = read.price(sheet.cell(cells, "price"), "price")
        grams = read.quantity(sheet.cell(cells, "grams"), "grams")
        own = custom.given(cells)
        seen[sku] = row
        return parsed.ParsedSku(sku, name, price, grams, row, own)

    return parsed.SkuResult(*_each(sheet, found, read_row))


def stock(sheet: Sheet, found: Iterator[records.Record]) -> parsed.StockResult:
    """Pieces on hand from 0, once for an article and warehouse."""
    seen: dict[tuple[str, str], int] = {}

    def read_row(row: int, cells: list[str]) -> parsed.ParsedStock:
        warehouse = read.text(read.unwrapped(sheet.cell(cells, "warehouse")), "warehouse", limit=64)
        if not warehouse:
            raise CellFault("missing_warehouse", "warehouse")
        sku = read.sku(sheet.cell(cells, "sku"))
        if (warehouse, sku) in seen:
            raise CellFault("duplicate_sku", "sku", sku, {"first_row": seen[warehouse, sku]})
        on_hand = read.quantity(sheet.cell(cells, "on_hand"), "on_hand", lowest=0)
        seen[warehouse, sku] = row
        return parsed.ParsedStock(warehouse, sku, on_hand, row)

    return parsed.StockResult(*_each(sheet, found, read_row))

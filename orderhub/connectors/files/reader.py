"""The door to merchants' files: recognize, preview, read.

    recognized = reader.recognize([("orders.csv", path)])
    preview = reader.preview(recognized)
    for chunk in reader.stream_orders(recognized, catalog=known_skus, regions=judge_region):
        ...

Reading never raises for what is in a file that was recognized: every fault becomes one RowError.
"""

from __future__ import annotations

from collections.abc import Collection, Container
from dataclasses import dataclass
from itertools import islice

from orderhub.connectors.files import listing, parsed
from orderhub.connectors.files.custom import Fields
from orderhub.connectors.files.faults import RowError
from orderhub.connectors.files.grouping import Gathering
from orderhub.connectors.files.order_rows import OrderRows, RegionVerdict
from orderhub.connectors.files.recognize import Recognized, body, recognize
from orderhub.connectors.files.stream import MAX_ERRORS, stream_orders

__all__ = [
    "Chunk", "Fields", "Preview", "Recognized", "RegionVerdict", "preview", "read_skus", "read_stock",
    "recognize", "stream_orders",
]  # fmt: skip

Chunk = parsed.Chunk
MAX_PREVIEW_CELL_CHARS = 200


@dataclass(frozen=True, slots=True)
class Preview:
    """The first raw rows by file (record number, cells) and what they would become; orders may be cut."""

    rows: dict[str, list[tuple[int, list[str]]]]
    orders: list[parsed.ParsedOrder]
    errors: list[RowError]


class _Everything:
    """A catalogue that knows every article: a preview asks no database."""

    def __contains__(self, sku: object) -> bool:
        return True


def preview(recognized: Recognized, limit: int = 20) -> Preview:
    """The first `limit` records of each file and the orders in them; articles and regions are not checked."""
    first = {sheet.name: list(islice(body(sheet), limit)) for sheet in recognized.sheets}
    rows = {
        name: [(x.row, [cell[:MAX_PREVIEW_CELL_CHARS] for cell in x.cells]) for x in found]
        for name, found in first.items()
    }
    if recognized.kind != "orders":
        return Preview(rows, [], [])
    sheets = [OrderRows(sheet, regions=_any_region, fields=recognized.fields) for sheet in recognized.sheets]
    gathering = Gathering(sheets, max_errors=MAX_ERRORS)
    for number, sheet in enumerate(recognized.sheets):
        for record in islice(body(sheet), limit):
            gathering.take(number, record)
    result = gathering.finish(catalog=_any_article)
    unpaired = ("order_without_detail", "detail_without_order")
    # A pair cut after some rows tells nothing about who is missing whom.
    errors = [error for error in result.errors if error.kind not in unpaired]
    return Preview(rows, result.orders, errors)


def _any_region(country: str, province: str, city: str) -> RegionVerdict:
    return "ok"


def _any_article(skus: Collection[str]) -> Container[str]:
    return _Everything()


def read_skus(recognized: Recognized) -> parsed.SkuResult:
    """Read articles; the first row of a repeated article counts, later ones are errors."""
    return listing.skus(recognized.sheets[0], body(recognized.sheets[0]), recognized.fields)


def read_stock(recognized: Recognized) -> parsed.StockResult:
    """Read stock rows; whether warehouses and articles exist is the caller's to say."""
    return listing.stock(recognized.sheets[0], body(recognized.sheets[0]))

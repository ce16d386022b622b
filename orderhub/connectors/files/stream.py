"""Order files chunk by chunk, in the order of the orders' first rows, with no more than a chunk in memory."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Container, Iterator

from orderhub.connectors.files import parsed
from orderhub.connectors.files.grouping import Catalog, Gathering
from orderhub.connectors.files.order_rows import OrderRows, Regions
from orderhub.connectors.files.recognize import Recognized
from orderhub.connectors.files.survey import Survey

CHUNK_ORDERS = 2000
#: A chunk ends early at so many rows; only one order with more of them is larger.
CHUNK_ROWS = 10_000
#: Nobody reads a longer list, and a hostile file would fill the database with it.
MAX_ERRORS = 100_000
_MAX_KNOWN = 100_000


class _Known:
    """The catalog, asked for each article once."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._is_known: dict[str, bool] = {}

    def __call__(self, codes: Collection[str]) -> Container[str]:
        if len(self._is_known) > _MAX_KNOWN:
            self._is_known.clear()
        fresh = [code for code in codes if code not in self._is_known]
        if fresh:
            found = self._catalog(fresh)
            self._is_known.update((code, code in found) for code in fresh)
        return {code for code in codes if self._is_known[code]}


def stream_orders(
    recognized: Recognized,
    *,
    catalog: Catalog,
    regions: Regions,
    chunk_orders: int = CHUNK_ORDERS,
    resume_after: int = 0,
    errors_before: int = 0,
) -> Iterator[parsed.Chunk]:
    """Read whole orders in chunks of at most `chunk_orders` order numbers, each complete with its refused rows.

    `resume_after` is the position of the last chunk that was worked off, `errors_before` the number of refused
    rows listed by then. `catalog` is asked chunk by chunk, each article once; `regions` once for each place.
    """
    sheets = [OrderRows(sheet, regions=regions, fields=recognized.fields) for sheet in recognized.sheets]
    known = _Known(catalog)
    with Survey(recognized.sheets) as survey:
        heads = survey.heads
        at = bisect_right(heads, resume_after, key=survey.position)
        rows = sum(1 for head in heads[:at] for _ in survey.chain(head)) if at else 0
        while at < len(heads):
            behind, numbers = _next(survey, at, chunk_orders)
            gathering = Gathering(sheets, max_errors=max(0, MAX_ERRORS - errors_before))
            for file, record in survey.read(numbers):
                gathering.take(file, record)
            found = gathering.finish(catalog=known)
            rows += len(numbers)
            errors_before += len(found.errors)
            yield parsed.Chunk(
                found.orders,
                found.errors,
                found.unlisted_errors,
                rows,
                len(survey),
                len(heads),
                survey.position(heads[behind - 1]),
                behind,
            )
            at = behind


def _next(survey: Survey, at: int, chunk_orders: int) -> tuple[int, list[int]]:
    """The records of the next chains, in file order, and the first chain behind them."""
    numbers: list[int] = []
    behind = at
    while behind < len(survey.heads) and behind - at < chunk_orders and len(numbers) < CHUNK_ROWS:
        numbers.extend(survey.chain(survey.heads[behind]))
        behind += 1
    numbers.sort()
    return behind, numbers

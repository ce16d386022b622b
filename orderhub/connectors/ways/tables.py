"""Rows of a table: page after page by watermark and id, again and again over the last minutes, each state of a row once."""

from __future__ import annotations

from contextlib import closing
from datetime import datetime, timedelta
from typing import Any

from django.utils.dateparse import parse_datetime

from orderhub.connectors import envelopes, inbox
from orderhub.connectors.base import Incoming
from orderhub.connectors.speech import fetching, reading, trees
from orderhub.connectors.speech.limits import LARGEST
from orderhub.connectors.speech.requests import Request
from orderhub.connectors.ways import databases, keeping, turns, values
from orderhub.connectors.ways.databases import Row, Table
from orderhub.connectors.ways.keeping import Found
from orderhub.connectors.ways.reasons import NotTaken, megabytes
from orderhub.connectors.ways.turns import Turn

#: The cursor: `high` is the furthest row seen (watermark, id), `since` when it got there by our clock; `walk` is where a
#: walk that `began` then stopped for want of time; `settled` says that the last minutes were walked again long enough
#: after, so that they need not be walked once more; `of` stands for the table.


@turns.takes(fetching.TABLE)
def take(turn: Turn, now: datetime) -> None:
    """Walk from where the last walk began to count, page after page, each kept before the next is asked for."""
    with closing(databases.open_table(turn.connection)) as table:
        table.columns()
        if turn.mark.cursor.get("of") != _own(turn) and not _begin(turn, table, now=now):
            return
        rows = _first(turn, table, now=now)
        while True:
            _keep(turn, rows, now=now)
            is_end = len(rows) < turn.way.page
            _move(turn, rows, is_end=is_end, now=now)
            if is_end or turn.is_over:
                return
            rows = table.after(*_place(turn.mark.cursor["walk"], table), turn.way.page)


def _begin(turn: Turn, table: Table, *, now: datetime) -> bool:
    """The first look: where "new" was chosen, begin at the row that is furthest. Whether there is anything to walk."""
    last = table.last()
    if last is None:
        return False
    is_all = turn.connection.config.get("table_from") == "all"
    high = None if is_all else _row_place(last, table)
    turn.move({"of": _own(turn), "high": high, "walk": None, "since": now.isoformat(), "settled": False})
    return True


def _own(turn: Turn) -> str:
    """What stands for the table: where another one was entered, reading begins anew."""
    names = ("engine", "host", "database", "name", "moved_by", "id")
    return keeping.origin(*(str(turn.connection.config.get(f"table_{one}") or "") for one in names))


def _first(turn: Turn, table: Table, *, now: datetime) -> list[Row]:
    """The first page of this turn: where the last one stopped, else of a new walk."""
    cursor, way = turn.mark.cursor, turn.way
    if cursor["walk"] is not None:
        return table.after(*_place(cursor["walk"], table), way.page)
    cursor["began"] = now.isoformat()
    if cursor["high"] is None:
        return table.first(way.page)
    if cursor["settled"]:
        return table.after(*_place(cursor["high"], table), way.page)
    mark = values.earlier(cursor["high"][0], seconds=way.overlap_s, rows=way.overlap_rows)
    return table.since(mark, way.page)


def _move(turn: Turn, rows: list[Row], *, is_end: bool, now: datetime) -> None:
    cursor = dict(turn.mark.cursor)
    place = _noted(rows[-1], turn) if rows else cursor["walk"]
    if place is not None and _is_further(place, cursor["high"], is_end=is_end):
        cursor |= {"high": place, "since": now.isoformat(), "settled": False}
    cursor["walk"] = None if is_end else place
    if is_end:
        cursor["settled"] = cursor["settled"] or _is_settled(cursor, turn)
    turn.move(cursor)


def _is_further(place: list[Any], high: list[Any] | None, *, is_end: bool) -> bool:
    """Whether a row is further than any before; among rows of one moment only the end of a walk can tell."""
    if high is None or values.is_before(high[0], place[0]):
        return True
    return is_end and place != high and not values.is_before(place[0], high[0])


def _is_settled(cursor: dict[str, Any], turn: Turn) -> bool:
    """Whether the walk that ends here began so long after the furthest row came that nobody commits late any more."""
    began, since = parse_datetime(str(cursor.get("began") or "")), parse_datetime(cursor["since"])
    wait = timedelta(seconds=turn.way.overlap_s)
    return began is not None and since is not None and began - since > wait


def _keep(turn: Turn, rows: list[Row], *, now: datetime) -> None:
    messages = []
    for row in rows:
        text = trees.json_text(values.document(row), sort_keys=True).encode()
        own = f"{fetching.TABLE}:{reading.content_key({'_': text.decode()})}"
        if len(text) > LARGEST:
            fault = NotTaken("row_too_large", f"{_noted(row, turn)}: {megabytes(len(text))}")
            keeping.refuse(turn.connection, turn.way, Found("row", b"", keeping.origin(own)), fault, now=now)
            turn.refused += 1
            continue
        request = Request("ROW", "", "/table", (), {}, text, fetching.TABLE)
        messages.append(Incoming(own, {}, text, envelopes.envelope_of(request)))
    for start in range(0, len(messages), inbox.BATCH):
        turn.found += inbox.receive(turn.connection, messages[start : start + inbox.BATCH], now=now)


def _noted(row: Row, turn: Turn) -> list[Any]:
    config = turn.connection.config
    names = [str(config.get(f"table_{one}") or "").strip() for one in ("moved_by", "id")]
    return [values.noted(row[one]) for one in names if one]


def _row_place(row: Row, table: Table) -> list[Any]:
    return [values.noted(row[one]) for one in (table.moved_by, table.column) if one]


def _place(kept: list[Any], table: Table) -> tuple[Any, Any]:
    """Where to go on, as parameters; without an id the watermark alone."""
    return values.value(kept[0]), values.value(kept[1]) if table.column and len(kept) > 1 else None

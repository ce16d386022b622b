"""Counting what orders share, in the transaction of the order: one statement a table, whatever the batch.

`touch` writes and so locks the row of every key, in one fixed order: of two orders at once that share a phone the second
waits, and then counts the first one too. The same rows hold the block list, so that listing a key and screening an
order with it wait for each other as well.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Count, Q, Sum

from orderhub.orders.risk.identity import KeyName
from orderhub.orders.risk.models import Key, Link, Observed, OrderKey, Tally

_MOST_PARAMETERS = 30_000
#: Nothing is counted over a longer time.
LONGEST = timedelta(days=180)
Counts = dict[tuple[int, str], dict[int, int]]


@dataclass(frozen=True, slots=True)
class Touched:
    """A key's row as it stands now."""

    pk: int
    listed: str


@dataclass(frozen=True, slots=True)
class Sighting:
    """A key seen together with something, first and last."""

    key_id: int
    what: str
    member: str
    first_at: datetime
    last_at: datetime


def touch(wanted: Mapping[KeyName, str], *, now: datetime) -> dict[KeyName, Touched]:
    """The rows of these keys (with a hint each), made where missing, locked until the transaction ends."""
    if not wanted:
        return {}
    at = _moment(now)
    values = [(*name, wanted[name], "", "", "", at) for name in sorted(wanted)]
    found = _upsert(
        Key, ("merchant_id", "kind", "digest", "hint", "listed", "listed_reason", "listed_by", "last_at"), values,
        "ON CONFLICT (merchant_id, kind, digest) DO UPDATE SET last_at = excluded.last_at "
        "RETURNING merchant_id, kind, digest, id, listed",
    )  # fmt: skip
    return {
        (merchant_id, kind, digest): Touched(pk, listed) for merchant_id, kind, digest, pk, listed in found
    }


def mark(pairs: Collection[tuple[int, int]]) -> set[tuple[int, int]]:
    """Note that these orders are counted for these keys; the pairs (order, key) that were not before."""
    if not pairs:
        return set()
    taken = "ON CONFLICT (order_id, key_id) DO NOTHING RETURNING order_id, key_id"
    return {(order, key) for order, key in _upsert(OrderKey, ("order_id", "key_id"), sorted(pairs), taken)}


def observed(merchant_id: int, events: Mapping[str, datetime]) -> set[str]:
    """Note that these events (digest and moment) are counted; the digests that were not before."""
    if not events:
        return set()
    values = [(merchant_id, digest, _moment(at)) for digest, at in sorted(events.items())]
    taken = "ON CONFLICT (merchant_id, digest) DO NOTHING RETURNING digest"
    return {digest for (digest,) in _upsert(Observed, ("merchant_id", "digest", "at"), values, taken)}


def count(tallies: Mapping[tuple[int, str, datetime], int]) -> None:
    """Add to the tallies (key, what, moment); an hour is one row."""
    by_hour: dict[tuple[int, str, datetime], int] = {}
    for (key, what, at), more in tallies.items():
        if more:
            name = key, what, hour_of(at)
            by_hour[name] = by_hour.get(name, 0) + more
    values = [(key, what, _moment(hour), more) for (key, what, hour), more in sorted(by_hour.items())]
    table = connection.ops.quote_name(Tally._meta.db_table)
    added = (
        f"ON CONFLICT (key_id, what, hour) DO UPDATE SET {connection.ops.quote_name('count')} = "
        f"{table}.{connection.ops.quote_name('count')} + excluded.{connection.ops.quote_name('count')}"
    )
    if values:
        _upsert(Tally, ("key_id", "what", "hour", "count"), values, added)


def link(seen: Iterable[tuple[int, str, str, datetime]]) -> None:
    """Note that keys were seen with members (key, what, member, moment); the last time is kept."""
    times: dict[tuple[int, str, str], tuple[datetime, datetime]] = {}
    for key, what, member, at in seen:
        first, last = times.get((key, what, member), (at, at))
        times[(key, what, member)] = min(first, at), max(last, at)
    values = [(*name, _moment(first), _moment(last)) for name, (first, last) in sorted(times.items())]
    table = connection.ops.quote_name(Link._meta.db_table)
    later = (
        "ON CONFLICT (key_id, what, member) DO UPDATE SET last_at = "
        f"CASE WHEN excluded.last_at > {table}.last_at THEN excluded.last_at ELSE {table}.last_at END"
    )
    if values:
        _upsert(Link, ("key_id", "what", "member", "first_at", "last_at"), values, later)


def sightings(key_ids: Collection[int], *, now: datetime) -> list[Sighting]:
    """Everything these keys were seen with in the longest window; one query."""
    if not key_ids:
        return []
    rows = Link.objects.filter(key_id__in=key_ids, last_at__gt=now - LONGEST)
    return [Sighting(*row) for row in rows.values_list("key_id", "what", "member", "first_at", "last_at")]


def members(key_ids: Collection[int], windows: Sequence[int], *, now: datetime) -> Counts:
    """How many different members each key was seen with, by (key, what) and window in hours; one query."""
    if not key_ids or not windows:
        return {}
    since = {hours: now - timedelta(hours=hours) for hours in windows}
    rows = Link.objects.filter(key_id__in=key_ids, last_at__gt=min(since.values()))
    return _counted(rows, windows, lambda hours: Count("pk", filter=Q(last_at__gt=since[hours])))


def totals(key_ids: Collection[int], windows: Sequence[int], *, now: datetime) -> Counts:
    """The tallies of each key by (key, what) and window in hours, whole hours counted; one query."""
    if not key_ids or not windows:
        return {}
    since = {hours: hour_of(now - timedelta(hours=hours)) for hours in windows}
    rows = Tally.objects.filter(key_id__in=key_ids, hour__gte=min(since.values()))
    return _counted(rows, windows, lambda hours: Sum("count", filter=Q(hour__gte=since[hours])))


def forget(*, now: datetime) -> int:
    """Drop what no window reaches any more; keys on a list stay. How many rows went."""
    before = now - LONGEST - timedelta(hours=1)
    gone = (
        Tally.objects.filter(hour__lt=before).delete()[0]
        + Link.objects.filter(last_at__lt=before).delete()[0]
        + Observed.objects.filter(at__lt=before).delete()[0]
    )
    ip_before = now - timedelta(days=30)
    idle = Key.objects.filter(Q(last_at__lt=before) | Q(kind=Key.Kind.IP, last_at__lt=ip_before), listed="")
    return gone + idle.delete()[0]


def hour_of(at: datetime) -> datetime:
    """The full hour a moment lies in."""
    return at.replace(minute=0, second=0, microsecond=0)


def _counted(rows: Any, windows: Sequence[int], aggregate: Callable[[int], Any]) -> Counts:
    named = {f"w{hours}": aggregate(hours) for hours in windows}
    found = rows.values("key_id", "what").annotate(**named)
    return {
        (row["key_id"], row["what"]): {hours: row[f"w{hours}"] or 0 for hours in windows} for row in found
    }


def _upsert(
    model: Any, columns: Sequence[str], values: Sequence[Sequence[Any]], rest: str
) -> list[tuple[Any, ...]]:
    """Insert rows, `rest` saying what a known one does; one statement unless the rows are very many."""
    table = connection.ops.quote_name(model._meta.db_table)
    names = ", ".join(connection.ops.quote_name(name) for name in columns)
    marks = f"({', '.join(['%s'] * len(columns))})"
    at_once = _MOST_PARAMETERS // len(columns)
    found: list[tuple[Any, ...]] = []
    with connection.cursor() as cursor:
        for start in range(0, len(values), at_once):
            part = values[start : start + at_once]
            # Only names from our own models are put into the text; every value is a parameter.
            statement = f"INSERT INTO {table} ({names}) VALUES {', '.join([marks] * len(part))} {rest}"  # noqa: S608
            cursor.execute(statement, [value for row in part for value in row])
            found += cursor.fetchall() if "RETURNING" in rest else []
    return found


def _moment(value: datetime) -> Any:
    return connection.ops.adapt_datetimefield_value(value)

"""Writing stock: a set of movements goes through whole or not at all.

On PostgreSQL that is one statement, which locks the rows in (SKU, warehouse) order, checks them, writes rows and
movements and answers what it found; a caller without a transaction pays a single round trip, so the rows are
locked for little more than the commit. SQLite, with its one writer, does the same in a few statements.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import F

from orderhub.events import rows as writing
from orderhub.inventory import locks
from orderhub.inventory.locks import Place
from orderhub.inventory.models import Movement, Stock

# Up to this many different changes one conditional UPDATE each; more than that and each row is written alone.
_FEW = 8

_LOCKED = """
    SELECT s.id, s.sku_id, s.warehouse_id, s.on_hand, s.reserved, s.safety
    FROM inventory_stock s WHERE (s.sku_id, s.warehouse_id) IN (SELECT * FROM unnest(%s::bigint[], %s::bigint[]))
    ORDER BY s.sku_id, s.warehouse_id FOR NO KEY UPDATE OF s"""

# A row that another transaction changed while we waited for its lock comes out of `locked` as that one left it. The
# new figures are made from those: made from `s`, which is still the row of our snapshot when PostgreSQL first tries
# the check constraint, they could be refused for units that are there.
_POST = """
WITH locked AS MATERIALIZED (
    SELECT s.id, s.sku_id, s.warehouse_id, s.on_hand, s.reserved, s.safety, a.more_on_hand, a.more_reserved
    FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[])
        AS a(sku_id, warehouse_id, more_on_hand, more_reserved)
    JOIN inventory_stock s ON s.sku_id = a.sku_id AND s.warehouse_id = a.warehouse_id
    ORDER BY s.sku_id, s.warehouse_id FOR NO KEY UPDATE OF s
), checked AS MATERIALIZED (
    SELECT count(*) = %s AND bool_and(
        reserved + more_reserved BETWEEN 0 AND on_hand + more_on_hand
        AND (more_reserved <= 0 OR more_reserved <= on_hand - reserved - safety)
    ) AS fits
    FROM locked
), written AS (
    UPDATE inventory_stock s
    SET on_hand = l.on_hand + l.more_on_hand, reserved = l.reserved + l.more_reserved, updated_at = %s
    FROM locked l, checked WHERE s.id = l.id AND checked.fits
    RETURNING s.id
), told AS (
    INSERT INTO inventory_movement (stock_id, kind, on_hand_change, reserved_change, reference, actor, moved_at)
    SELECT l.id, %s, m.on_hand, m.reserved, m.reference, %s, m.moved_at
    FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::text[], %s::timestamptz[])
        WITH ORDINALITY AS m(sku_id, warehouse_id, on_hand, reserved, reference, moved_at, place)
    JOIN locked l USING (sku_id, warehouse_id), checked
    WHERE checked.fits ORDER BY m.place
)"""
_FOUND = """
SELECT l.sku_id, l.warehouse_id, l.on_hand, l.reserved, l.safety, checked.fits, (SELECT count(*) FROM written)
FROM locked l, checked"""


@dataclass(frozen=True, slots=True)
class Move:
    """One movement to be: changes in units, and its reference."""

    place: Place
    on_hand: int
    reserved: int
    reference: str
    moved_at: datetime


@dataclass(frozen=True, slots=True)
class Shelf:
    """What a locked stock row said before anything was written."""

    on_hand: int
    reserved: int
    safety: int

    @property
    def free(self) -> int:
        """Units that may still be promised; negative where the safety stock is broken into."""
        return self.on_hand - self.reserved - self.safety


@dataclass(frozen=True, slots=True)
class Beside:
    """On PostgreSQL, rows written by the same statement if the movements are: an INSERT … SELECT that joins
    `checked WHERE checked.fits`, under a name of its own, and its values.
    """

    name: str
    insert: str
    values: Sequence[Any]


@dataclass(frozen=True, slots=True)
class Posted:
    """Whether the movements were written, and the shelves as they were; places without a row are missing."""

    is_written: bool
    shelves: Mapping[Place, Shelf]


def post(
    moves: Sequence[Move], *, kind: Movement.Kind, actor: str, now: datetime, beside: Sequence[Beside] = ()
) -> Posted:
    """Write all of these movements, or none: not while a row is missing, more would be promised than is free,
    or more given back than is promised. The rows stay locked until the caller's transaction ends.
    """
    if not moves:
        return Posted(True, {})
    totals = _totals(moves)
    if connection.vendor == "postgresql":
        return _post_at_once(moves, totals, beside, kind=kind, actor=actor, now=now)
    if beside:
        raise NotImplementedError("only PostgreSQL writes other rows beside the movements")
    with transaction.atomic(savepoint=False):
        rows = locks.stock(totals)
        shelves = {place: Shelf(row.on_hand, row.reserved, row.safety) for place, row in rows.items()}
        fits = all(place in shelves and _fits(shelves[place], *more) for place, more in totals.items())
        if fits:
            _write(rows, totals, now=now)
            _tell(rows, moves, kind=kind, actor=actor)
    return Posted(fits, shelves)


def shelves(places: Collection[Place]) -> dict[Place, Shelf]:
    """What these stock rows say, locked; places without a row are missing."""
    if connection.vendor != "postgresql":
        found = locks.stock(places)
        return {place: Shelf(row.on_hand, row.reserved, row.safety) for place, row in found.items()}
    wanted = sorted(set(places))
    with connection.cursor() as cursor:
        cursor.execute(_LOCKED, [[sku for sku, _ in wanted], [warehouse for _, warehouse in wanted]])
        return {(sku, house): Shelf(*figures) for _, sku, house, *figures in cursor.fetchall()}


def _totals(moves: Sequence[Move]) -> dict[Place, tuple[int, int]]:
    """The sums per row decide, never the order."""
    totals: dict[Place, tuple[int, int]] = {}
    for move in moves:
        on_hand, reserved = totals.get(move.place, (0, 0))
        totals[move.place] = on_hand + move.on_hand, reserved + move.reserved
    return totals


def _fits(shelf: Shelf, on_hand: int, reserved: int) -> bool:
    is_covered = 0 <= shelf.reserved + reserved <= shelf.on_hand + on_hand
    return is_covered and (reserved <= 0 or reserved <= shelf.free)


# ---- PostgreSQL ----------------------------------------------------------------------------------


def _post_at_once(
    moves: Sequence[Move], totals: Mapping[Place, tuple[int, int]], beside: Sequence[Beside], *,
    kind: Movement.Kind, actor: str, now: datetime,
) -> Posted:  # fmt: skip
    values: list[Any] = [
        [sku for sku, _ in totals], [warehouse for _, warehouse in totals],
        [more for more, _ in totals.values()], [more for _, more in totals.values()],
        len(totals), now, kind.value, actor[:80],
        [move.place[0] for move in moves], [move.place[1] for move in moves],
        [move.on_hand for move in moves], [move.reserved for move in moves],
        [move.reference[:80] for move in moves], [move.moved_at for move in moves],
        *(value for other in beside for value in other.values),
    ]  # fmt: skip
    others = "".join(f", {other.name} AS ({other.insert})" for other in beside)
    with connection.cursor() as cursor:
        cursor.execute(_POST + others + _FOUND, values)
        found = cursor.fetchall()
    fits = bool(found) and bool(found[0][5])
    if fits and found[0][6] != len(totals):
        raise RuntimeError(f"{found[0][6]} of {len(totals)} stock rows were written")
    return Posted(fits, {(sku, house): Shelf(*figures) for sku, house, *figures, _fits, _n in found})


# ---- SQLite --------------------------------------------------------------------------------------


def _write(rows: Mapping[Place, Stock], totals: Mapping[Place, tuple[int, int]], *, now: datetime) -> None:
    groups: dict[tuple[int, int], list[Stock]] = {}
    for place, (on_hand, reserved) in totals.items():
        row = rows[place]
        row.on_hand, row.reserved, row.updated_at = row.on_hand + on_hand, row.reserved + reserved, now
        groups.setdefault((on_hand, reserved), []).append(row)
    if len(groups) > _FEW:
        writing.save([rows[place] for place in totals], ["on_hand", "reserved", "updated_at"])
        return
    for (on_hand, reserved), same in groups.items():
        Stock.objects.filter(pk__in=[row.pk for row in same]).update(
            on_hand=F("on_hand") + on_hand, reserved=F("reserved") + reserved, updated_at=now
        )


def _tell(rows: Mapping[Place, Stock], moves: Sequence[Move], *, kind: Movement.Kind, actor: str) -> None:
    Movement.objects.bulk_create([
        Movement(
            stock=rows[move.place], kind=kind, on_hand_change=move.on_hand, reserved_change=move.reserved,
            reference=move.reference[:80], actor=actor[:80], moved_at=move.moved_at,
        )
        for move in moves
    ])  # fmt: skip

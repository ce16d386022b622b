"""Changing stock: taken, freed, shipped, received and counted in batches, never oversold.

Every function is one transaction, the caller's if there is one. `posting` writes a set whole or not at all; the
table's check constraint is the last wall.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeVar

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from orderhub.events import log
from orderhub.inventory import kinds, locks, posting, telling
from orderhub.inventory.locks import Place
from orderhub.inventory.models import Movement, Sku, Stock, Warehouse, WarehouseDay, Workshop
from orderhub.inventory.posting import Move, Shelf
from orderhub.kernel.errors import Refused

Kind = Movement.Kind


@dataclass(frozen=True, slots=True)
class Take:
    """Units of one SKU in one warehouse for `key` (an order or fulfillment order); several share a key."""

    key: Hashable
    warehouse_id: int
    sku_id: int
    quantity: int
    #: When it left, if that was not just now.
    left_at: datetime | None = None

    @property
    def place(self) -> Place:
        """Its stock row."""
        return self.sku_id, self.warehouse_id


@dataclass(frozen=True, slots=True)
class Counted:
    """What a count did: `on_hand` is what stands now, `change` against before.

    `is_clamped` warns that fewer units were counted than are promised to orders; what is promised was kept.
    """

    warehouse: Warehouse
    sku: Sku
    on_hand: int
    change: int
    is_clamped: bool


def take(requests: Sequence[Take], *, reference: str, actor: str, now: datetime) -> set[Hashable]:
    """Reserve units, all or nothing per key in the order keys come; the keys that were refused.

    Available are on_hand − reserved − safety. Each movement's reference is `reference:key`. One statement where
    everything fits or there is one key; else a second one writes what fits of the rows the first has locked.
    """
    groups = _by_key(requests)
    moves = {
        key: [Move(x.place, 0, x.quantity, f"{reference}:{key}", now) for x in parts]
        for key, parts in groups.items()
    }
    least = min((request.quantity for request in requests), default=1)
    if least < 1:
        raise ValueError(f"{least} units cannot be taken")
    return take_moves(moves, actor=actor, now=now)


def take_moves(moves: Mapping[Any, Sequence[Move]], *, actor: str, now: datetime) -> set[Hashable]:
    """As `take`, for movements that are made already."""
    everything = [move for parts in moves.values() for move in parts]
    if len(moves) == 1:
        posted = posting.post(everything, kind=Kind.RESERVE, actor=actor, now=now)
        return set() if posted.is_written else set(moves)
    with transaction.atomic(savepoint=False):
        posted = posting.post(everything, kind=Kind.RESERVE, actor=actor, now=now)
        if posted.is_written:
            return set()
        refused = _refused(moves, posted.shelves)
        fitting = [move for key, parts in moves.items() if key not in refused for move in parts]
        if not posting.post(fitting, kind=Kind.RESERVE, actor=actor, now=now).is_written:
            raise RuntimeError("stock changed under its lock")
    return refused


def free(requests: Sequence[Take], *, reference: str, actor: str, now: datetime) -> None:
    """Give reserved units back to the shelf; Refused("stock_not_reserved") if more than is reserved."""
    moves = [Move(x.place, 0, -x.quantity, f"{reference}:{x.key}", now) for x in requests]
    _give(requests, moves, Kind.FREE, actor=actor, now=now)


def ship(requests: Sequence[Take], *, reference: str, actor: str, now: datetime) -> None:
    """Reserved units leave the warehouse; raises Refused("stock_not_reserved") if more than is reserved."""
    moves = [
        Move(x.place, -x.quantity, -x.quantity, f"{reference}:{x.key}", x.left_at or now) for x in requests
    ]
    _give(requests, moves, Kind.SHIP, actor=actor, now=now)


@transaction.atomic
def receive(
    rows: Sequence[tuple[Warehouse, Sku, int]], *, reference: str, actor: str, now: datetime,
    kind: Movement.Kind = Kind.RECEIPT, at: datetime | None = None, is_confirmed: bool = False,
) -> None:  # fmt: skip
    """Add units to what is on hand (a receipt, or a return; they came `at`, else now) and tell the log, so that waiting
    orders are tried again. `is_confirmed`: what was expected of them is settled already.
    """
    places = [(warehouse, sku) for warehouse, sku, _units in rows]
    moment = min(at, now) if at is not None else now
    moves = [Move((sku.pk, warehouse.pk), units, 0, reference, moment) for warehouse, sku, units in rows]
    posted = posting.post(moves, kind=kind, actor=actor, now=now)
    if not posted.is_written:
        _make(places, posted.shelves, now=now)
        if not posting.post(moves, kind=kind, actor=actor, now=now).is_written:
            raise ValueError("what is received cannot take away what is promised")
    more = [(warehouse, sku) for warehouse, sku, units in rows if units > 0]
    tell_more(more, actor=actor, now=now, is_confirmed=is_confirmed)


@transaction.atomic
def set_counts(
    rows: Sequence[tuple[Warehouse, Sku, int]], *, reference: str = "count", actor: str, now: datetime
) -> list[Counted]:
    """Set what is on hand to what was counted, one outcome per row; for a repeated place the last row counts.

    Never below what is reserved: then it is set to that, and the outcome says so. More than before is told to
    the log.
    """
    counts = {(sku.pk, warehouse.pk): (warehouse, sku, units) for warehouse, sku, units in rows}
    found = stand([(warehouse, sku) for warehouse, sku, _units in counts.values()], now=now)
    outcomes: dict[Place, Counted] = {}
    moves: list[Move] = []
    for place, (warehouse, sku, units) in counts.items():
        shelf = found[place]
        stands = max(units, shelf.reserved)
        outcomes[place] = Counted(warehouse, sku, stands, stands - shelf.on_hand, units < shelf.reserved)
        if stands != shelf.on_hand:
            moves.append(Move(place, stands - shelf.on_hand, 0, reference, now))
    if not posting.post(moves, kind=Kind.COUNT, actor=actor, now=now).is_written:
        raise RuntimeError("stock changed under its lock")
    tell_more([(x.warehouse, x.sku) for x in outcomes.values() if x.change > 0], actor=actor, now=now)
    return [outcomes[sku.pk, warehouse.pk] for warehouse, sku, _units in rows]


def stand(places: Sequence[tuple[Warehouse, Sku]], *, now: datetime) -> dict[Place, Shelf]:
    """What the stock rows of these places say, locked and made where missing; within the caller's transaction."""
    wanted = {(sku.pk, warehouse.pk) for warehouse, sku in places}
    found = posting.shelves(wanted)
    if len(found) < len(wanted):
        _make(places, found, now=now)
        found = posting.shelves(wanted)
    return found


@dataclass(frozen=True, slots=True)
class Load:
    """Parcels for `key` on one local day of a warehouse, and units it makes to order; several may share a key."""

    key: Hashable
    warehouse_id: int
    date: date
    parcels: int = 1
    made: int = 0


@transaction.atomic(savepoint=False)
def take_capacity(loads: Sequence[Load]) -> set[Hashable]:
    """Promise parcels and units to be made to warehouse days, all or nothing per key; the refused keys.

    No limit where the capacity is empty; a warehouse that makes nothing to order has none to give.
    """
    if not loads:
        return set()
    rows = locks.days({(load.warehouse_id, load.date) for load in loads})
    limits = _limits(loads)
    planned = {key: (row.parcels, row.made) for key, row in rows.items()}
    refused: set[Hashable] = set()
    for key, parts in _by_key(loads).items():
        after = dict(planned)
        for part in parts:
            parcels, made = after[part.warehouse_id, part.date]
            after[part.warehouse_id, part.date] = parcels + part.parcels, made + part.made
        if any(_over(rows[day], planned[day], more, limits) for day, more in after.items()):
            refused.add(key)
        else:
            planned = after
    _write_days(rows, planned)
    return refused


@transaction.atomic(savepoint=False)
def free_capacity(loads: Sequence[Load]) -> None:
    """Take promised parcels and units to be made off warehouse days again; never below zero."""
    if not loads:
        return
    rows = locks.days({(load.warehouse_id, load.date) for load in loads})
    planned = {key: (row.parcels, row.made) for key, row in rows.items()}
    for load in loads:
        parcels, made = planned[load.warehouse_id, load.date]
        planned[load.warehouse_id, load.date] = max(0, parcels - load.parcels), max(0, made - load.made)
    _write_days(rows, planned)


Part = TypeVar("Part", Take, Load)


def _by_key(parts: Iterable[Part]) -> dict[Hashable, list[Part]]:
    groups: dict[Hashable, list[Part]] = {}
    for part in parts:
        groups.setdefault(part.key, []).append(part)
    return groups


def _refused(moves: Mapping[Any, Sequence[Move]], shelves: Mapping[Place, Shelf]) -> set[Hashable]:
    """The keys that do not fit, each judged by what the keys before it left."""
    free_units = {place: shelf.free for place, shelf in shelves.items()}
    refused: set[Hashable] = set()
    for key, parts in moves.items():
        left = dict[Place, int]()
        for move in parts:
            left[move.place] = left.get(move.place, free_units.get(move.place, 0)) - move.reserved
        if min(left.values()) < 0:
            refused.add(key)
        else:
            free_units.update(left)
    return refused


def _give(
    requests: Sequence[Take], moves: Sequence[Move], kind: Movement.Kind, *, actor: str, now: datetime
) -> None:
    guilty = next((request for request in requests if request.quantity < 1), None)
    if guilty is None:
        posted = posting.post(moves, kind=kind, actor=actor, now=now)
        if posted.is_written:
            return
        guilty = _too_much(requests, posted.shelves)
    raise Refused(
        "stock_not_reserved",
        _("More units than are reserved cannot leave or be freed."),
        facts={"sku": guilty.sku_id, "warehouse": guilty.warehouse_id, "quantity": guilty.quantity},
    )


def _too_much(requests: Sequence[Take], shelves: Mapping[Place, Shelf]) -> Take:
    """The first request for which too few units are reserved."""
    left = {place: shelf.reserved for place, shelf in shelves.items()}
    for request in requests:
        left[request.place] = left.get(request.place, 0) - request.quantity
        if left[request.place] < 0:
            return request
    raise RuntimeError("stock changed under its lock")


def _make(places: Sequence[tuple[Warehouse, Sku]], known: Mapping[Place, Shelf], *, now: datetime) -> None:
    """Empty stock rows where there is none."""
    missing = {
        (sku.pk, warehouse.pk): Stock(
            merchant_id=warehouse.merchant_id, warehouse=warehouse, sku=sku, updated_at=now
        )
        for warehouse, sku in places
        if (sku.pk, warehouse.pk) not in known
    }
    Stock.objects.bulk_create([missing[place] for place in sorted(missing)], ignore_conflicts=True)


def _limits(loads: Sequence[Load]) -> dict[int, int | None]:
    """Units a day by warehouse that makes to order (None: any number); one query where something is to be made."""
    makers = {load.warehouse_id for load in loads if load.made}
    if not makers:
        return {}
    rows = Workshop.objects.filter(warehouse_id__in=makers, is_active=True)
    return dict(rows.values_list("warehouse_id", "units_per_day"))


def _over(
    day: WarehouseDay, before: tuple[int, int], after: tuple[int, int], limits: Mapping[int, int | None]
) -> bool:
    """Whether what a day gets more of goes beyond its limit."""
    parcels, made = after
    most, most_made = day.warehouse.capacity_per_day, limits.get(day.warehouse_id, 0)
    return (parcels > before[0] and most is not None and parcels > most) or (
        made > before[1] and most_made is not None and made > most_made
    )


def _write_days(
    rows: Mapping[tuple[int, date], WarehouseDay], planned: Mapping[tuple[int, date], tuple[int, int]]
) -> None:
    changed = [row for key, row in rows.items() if key in planned and (row.parcels, row.made) != planned[key]]
    if not changed:
        return
    fields = ["parcels"]
    for row in changed:
        parcels, made = planned[row.warehouse_id, row.date]
        if made != row.made:
            fields = ["parcels", "made"]
        row.parcels, row.made = parcels, made
    WarehouseDay.objects.bulk_update(changed, fields)


def tell_more(
    places: Sequence[tuple[Warehouse, Sku]], *, actor: str, now: datetime, is_confirmed: bool = False
) -> None:
    """Tell that more is on these shelves, so that waiting orders are tried again: one stock.received per warehouse, in
    the merchant's stock stream. Within the caller's transaction.
    """
    skus: dict[Warehouse, set[str]] = {}
    for warehouse, sku in places:
        skus.setdefault(warehouse, set()).add(sku.code)
    facts = [
        log.Fact(
            f"stock:{warehouse.merchant_id}", kinds.RECEIVED.name,
            {"warehouse": warehouse.code, "skus": sorted(codes), **({"confirmed": True} if is_confirmed else {})},
            warehouse.merchant_id,
        )
        for warehouse, codes in sorted(skus.items(), key=lambda item: (item[0].merchant_id, item[0].pk))
    ]  # fmt: skip
    telling.record(facts, actor=actor, now=now)


@transaction.atomic
def tell_changed(warehouses: Sequence[Warehouse], *, actor: str, now: datetime) -> None:
    """Tell the log that these warehouses were changed (reopened, frozen, edited), so that waiting orders are tried again."""
    facts = [
        log.Fact(
            f"stock:{warehouse.merchant_id}", kinds.WAREHOUSE_CHANGED.name,
            {"warehouse": warehouse.code, "takes_orders": warehouse.is_active and not warehouse.is_frozen},
            warehouse.merchant_id,
        )
        for warehouse in sorted(warehouses, key=lambda one: (one.merchant_id, one.pk))
    ]  # fmt: skip
    telling.record(facts, actor=actor, now=now)


@transaction.atomic
def set_safety(row: Stock, units: int, *, actor: str, now: datetime) -> None:
    """Change the safety stock of a row; a movement of no units tells readers that fewer or more can be promised."""
    Stock.objects.filter(pk=row.pk).update(safety=units, updated_at=now)
    Movement.objects.create(
        stock=row, kind=Kind.SAFETY, reference=f"safety:{units}", actor=actor[:80], moved_at=now
    )

"""The price book in force as a decision reads it: one consistent version, and each row of it only once.

Rows never change once written, so what a process has read of a book stays true and is kept in memory.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from threading import Lock
from typing import Any, NamedTuple

from routing.pricing.models import PriceBook, PriceRow
from routing.pricing.slots import Slots

#: A book that nobody renewed for so long says nothing any more.
MOST_AGE = timedelta(hours=24)
#: Yuan per unit; whatever the formulas say, a price steers and never forbids.
MOST_YUAN = 10_000.0
_ROWS_KEPT = 50_000
_GRAIN = -4
ZERO = Decimal(0)


class Curve(NamedTuple):
    """Yuan of taking the k-th unit, at even places from `low` to `high`; see `pricing.values.curve_of`."""

    low: int
    high: int
    yuan: tuple[float, ...]

    def at(self, units: int) -> float:
        """The price while so many units are there: flat below the curve, and a little above it, else 0."""
        if units > self.high + max(3, self.high // 4):
            return 0.0
        last = len(self.yuan) - 1
        if units <= self.low or not last:
            return self.yuan[0]
        if units >= self.high:
            return self.yuan[-1]
        place = (units - self.low) * last / (self.high - self.low)
        n = int(place)
        return self.yuan[n] + (self.yuan[n + 1] - self.yuan[n]) * (place - n)


class Priced(NamedTuple):
    """One SKU in one book: its curve by warehouse and that of the network; without any all units are free."""

    cells: Mapping[int, Curve]
    network: Curve | None


NO_PRICE = Priced({}, None)


@dataclass(frozen=True, slots=True)
class Book:
    """What one batch of decisions reads of a merchant's book. `note` says why all prices are 0, if so."""

    pk: int
    number: int
    rows: Mapping[int, Priced] = field(default_factory=dict)
    slots: Slots | None = None
    note: str = ""

    def knows(self, sku_id: int) -> bool:
        """Whether the SKU has a forecast, and so a price (which may be 0)."""
        return sku_id in self.rows

    def prices(
        self, warehouse_id: int, sku_id: int, *, own: int, network: int, units: int
    ) -> tuple[Decimal, ...]:
        """Yuan of the first, second, ... of `units` taken while a warehouse has `own` of all the `network` has.

        Empty where every one of them is free.
        """
        row = self.rows.get(sku_id)
        if row is None:
            return ()
        here = row.cells.get(warehouse_id)
        if here is None and row.network is None:
            return ()
        found = []
        for n in range(units):
            yuan = here.at(own - n) if here is not None else 0.0
            if row.network is not None:
                yuan += row.network.at(network - n)
            found.append(Decimal(round(min(yuan, MOST_YUAN) * 10_000)).scaleb(_GRAIN))
        return tuple(found) if found and found[-1] else ()


_cache: OrderedDict[tuple[int, int], Priced | None] = OrderedDict()
_slots: dict[int, Slots | None] = {}
_lock = Lock()


def in_force(merchant_ids: Collection[int], sku_ids: Collection[int], *, now: datetime) -> dict[int, Book]:
    """The book in force of each merchant with its rows of these SKUs; two queries, one if the rows are known.

    A merchant without any book is missing.
    """
    found: dict[int, Book] = {}
    heads = PriceBook.objects.filter(
        merchant_id__in=merchant_ids, status=PriceBook.Status.IN_FORCE
    ).values_list("pk", "number", "merchant_id", "made_at", "is_off", "guards")
    usable: dict[int, tuple[int, int]] = {}
    for pk, number, merchant_id, made_at, is_off, guards in heads:
        note = _note(made_at, is_off, guards, now=now)
        if note:
            found[merchant_id] = Book(pk, number, note=note)
        else:
            usable[pk] = (number, merchant_id)
    rows = _rows(list(usable), set(sku_ids))
    for pk, (number, merchant_id) in usable.items():
        found[merchant_id] = Book(pk, number, rows[pk], _slots.get(pk))
    return found


def decoded(cells: Mapping[str, Any], network: Mapping[str, Any]) -> Priced:
    """The curves of a row as it is kept."""
    here = {int(pk): _curve(cell["p"]) for pk, cell in cells.items()}
    return Priced(here, _curve(network["p"]) if network else None)


def forget() -> None:
    """Drop what this process remembers of books."""
    with _lock:
        _cache.clear()
        _slots.clear()


def _note(made_at: datetime, is_off: bool, guards: list[dict[str, Any]], *, now: datetime) -> str:
    if is_off:
        return f"prices_{guards[0]['code']}" if guards else "prices_switched_off"
    return "prices_old" if now - made_at > MOST_AGE else ""


def _curve(held: list[Any]) -> Curve:
    return Curve(held[0], held[1], tuple(held[2]))


def _rows(book_ids: list[int], sku_ids: set[int]) -> dict[int, dict[int, Priced]]:
    found: dict[int, dict[int, Priced]] = {pk: {} for pk in book_ids}
    missing: dict[int, list[int]] = {}
    with _lock:
        for pk in book_ids:
            for sku_id in sku_ids:
                if (pk, sku_id) not in _cache:
                    missing.setdefault(pk, []).append(sku_id)
                elif (row := _cache[pk, sku_id]) is not None:
                    found[pk][sku_id] = row
        unknown = [pk for pk in book_ids if pk not in _slots]
    wanted = {sku_id for group in missing.values() for sku_id in group}
    if unknown:
        _read_slots(unknown)
    if not wanted:
        return found
    read: dict[tuple[int, int], Priced | None] = {
        (pk, s): None for pk, group in missing.items() for s in group
    }
    rows = PriceRow.objects.filter(book_id__in=missing, sku_id__in=wanted)
    for pk, sku_id, cells, network in rows.values_list("book_id", "sku_id", "cells", "network"):
        found[pk][sku_id] = read[pk, sku_id] = decoded(cells, network)
    with _lock:
        _cache.update(read)
        while len(_cache) > _ROWS_KEPT:
            _cache.popitem(last=False)
    return found


def _read_slots(book_ids: list[int]) -> None:
    held = dict(PriceBook.objects.filter(pk__in=book_ids).values_list("pk", "slots"))
    with _lock:
        if len(_slots) > 1_000:
            _slots.clear()
        _slots.update({pk: Slots.from_json(json) for pk, json in held.items()})

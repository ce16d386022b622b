"""What a unit is worth where it lies, for one order: the curves of the price book at the stock of the moment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Protocol

from routing.engine.model import Need
from routing.pricing.books import Book

NOTE_OFF = "stock_price_off"
NOTE_MISSING = "prices_missing"
#: More units of one line than these cost what the last of them costs.
MOST_UNITS = 50


class Place(Protocol):
    """A warehouse with the units it has for the order."""

    warehouse: Any
    stock: dict[int, int]


class Prices:
    """Yuan of the first, second, ... unit of every SKU an order wants, by warehouse."""

    def __init__(self, book: Book | None, needs: Iterable[Need], places: Sequence[Place]) -> None:
        self._book = book if book is not None and not book.note else None
        self._units: dict[int, int] = {}
        self._network: dict[int, int] = {}
        if self._book is None:
            return
        for need in needs:
            self._units[need.sku_id] = self._units.get(need.sku_id, 0) + need.quantity
        for sku_id in self._units:
            self._network[sku_id] = sum(place.stock.get(sku_id, 0) for place in places)

    def at(self, place: Place) -> Mapping[int, tuple[Decimal, ...]]:
        """The curves of one warehouse; SKUs that cost nothing there are missing."""
        if self._book is None:
            return {}
        found = {}
        for sku_id, units in self._units.items():
            own = place.stock.get(sku_id, 0)
            if own:
                curve = self._book.prices(
                    place.warehouse.pk, sku_id, own=own, network=self._network[sku_id],
                    units=min(units, own, MOST_UNITS),
                )  # fmt: skip
                if curve:
                    found[sku_id] = curve
        return found


def note(book: Book | None, sku_ids: Iterable[int]) -> str | None:
    """Why some or all units of an order have no price, as a code of `vocabulary.NOTES`."""
    if book is None:
        return NOTE_MISSING
    if book.note:
        return book.note
    return None if all(book.knows(sku_id) for sku_id in sku_ids) else NOTE_OFF

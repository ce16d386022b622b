"""Where documents are kept, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar

from orderhub.connectors.fakes.faults import Unknown

#: Documents that a vendor keeps; the oldest go first.
SHELF_LIMIT = 20_000

Thing = TypeVar("Thing")


class Shelf(Generic[Thing]):
    """Documents by number, the oldest dropped when there are too many."""

    def __init__(self, limit: int = SHELF_LIMIT) -> None:
        self._limit = limit
        self._things: dict[str, Thing] = {}

    def put(self, number: str, thing: Thing) -> None:
        """Keep a document."""
        self._things[number] = thing
        if len(self._things) > self._limit:
            del self._things[next(iter(self._things))]

    def get(self, number: str) -> Thing | None:
        """The document, if it is kept."""
        return self._things.get(number)

    def find(self, number: str) -> Thing:
        """The document; raises Unknown."""
        thing = self._things.get(str(number))
        if thing is None:
            raise Unknown(f"There is no {number!r} here.")
        return thing

    def drop(self, number: str) -> None:
        """Keep it no longer."""
        self._things.pop(number, None)

    def __contains__(self, number: str) -> bool:
        return number in self._things

    def __iter__(self) -> Iterator[Thing]:
        return iter(self._things.values())

    def __len__(self) -> int:
        return len(self._things)

    def clear(self) -> None:
        """Empty the shelf."""
        self._things.clear()

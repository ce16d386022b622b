"""Moving units between the columns of an order line's ledger, which always add up to what was ordered."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from orderhub.events import rows
from orderhub.orders.models import OrderLine

Column = Literal["open", "backordered", "allocated", "released", "shipped", "cancelled"]
COLUMNS: tuple[Column, ...] = ("open", "backordered", "allocated", "released", "shipped", "cancelled")
_WRITTEN = (*COLUMNS, "delivered", "returned")


@dataclass(frozen=True, slots=True)
class Move:
    """Units of one loaded line that go from one column to another."""

    line: OrderLine
    source: Column
    target: Column
    quantity: int


def move(changes: Sequence[Move]) -> None:
    """Change loaded lines in the order given; `save` writes them.

    Raises ValueError, before any line changes, if a column would fall below zero or a quantity is negative.
    """
    left: dict[tuple[int, str], int] = {}
    for change in changes:
        if change.quantity < 0:
            raise ValueError(f"a move of {change.quantity} units")
        source, target = (id(change.line), change.source), (id(change.line), change.target)
        left[source] = left.get(source, getattr(change.line, change.source)) - change.quantity
        left[target] = left.get(target, getattr(change.line, change.target)) + change.quantity
        if left[source] < 0:
            raise ValueError(f"line {change.line.pk} has fewer than {change.quantity} {change.source} units")
    for change in changes:
        setattr(change.line, change.source, getattr(change.line, change.source) - change.quantity)
        setattr(change.line, change.target, getattr(change.line, change.target) + change.quantity)


def all_of(lines: Iterable[OrderLine], sources: Sequence[Column], target: Column) -> list[Move]:
    """The moves that bring everything in these columns of these lines to `target`."""
    return [
        Move(line, source, target, getattr(line, source))
        for line in lines
        for source in sources
        if getattr(line, source)
    ]


def deliver(line: OrderLine, quantity: int) -> None:
    """Count shipped units as arrived; raises ValueError if more would arrive than were shipped."""
    if quantity < 0 or line.delivered + quantity > line.shipped:
        raise ValueError(f"line {line.pk}: {quantity} more delivered than shipped")
    line.delivered += quantity


def take_back(line: OrderLine, quantity: int) -> None:
    """Count shipped units as returned; raises ValueError if more would return than were shipped."""
    if quantity < 0 or line.returned + quantity > line.shipped:
        raise ValueError(f"line {line.pk}: {quantity} more returned than shipped")
    line.returned += quantity


def save(lines: Iterable[OrderLine], fields: Sequence[str] = _WRITTEN) -> None:
    """Write the ledgers, or these fields, of lines whose orders are locked. One query."""
    rows.save(lines, fields)

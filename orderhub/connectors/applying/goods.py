"""Goods that come into warehouses: receipts that were expected, and what buyers sent back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from orderhub.connectors.applying import other_names
from orderhub.connectors.meant import Fault, Result, Told, moment, text
from orderhub.connectors.models import Alias, Connection
from orderhub.fulfillment import returns
from orderhub.fulfillment.returns import Back
from orderhub.inventory import receipts
from orderhub.inventory.receipts import Came
from orderhub.kernel import canonical
from orderhub.kernel.errors import Refused

#: Our services' words for what a person mends by naming it, as the inbox knows them.
_NAMED = {
    "sku_unknown": ("lines.sku", "unknown_sku", "sku"),
    "warehouse_unknown": ("warehouse", "unknown_warehouse", "warehouse"),
}


class _Names:
    """Their names for our warehouses and SKUs, read once for a batch."""

    def __init__(self, connection: Connection, told: Sequence[Told]) -> None:
        lines = [text(line, "sku") for one in told for line in _lines(one.document)]
        houses = [text(one.document, "warehouse") for one in told]
        self._skus = other_names.names(connection, Alias.Sort.SKU, lines)
        self._houses = other_names.names(connection, Alias.Sort.WAREHOUSE, houses)
        own = list(connection.warehouses.values_list("code", flat=True)[:2]) if not all(houses) else []
        self._only = own[0] if len(own) == 1 else ""

    def sku(self, line: Mapping[str, Any]) -> str:
        """Our code of a line's article."""
        return other_names.called(self._skus, text(line, "sku"))

    def house(self, document: Mapping[str, Any]) -> str:
        """Our code of the warehouse; the one the connection serves where none is told and there is only one."""
        return other_names.called(self._houses, text(document, "warehouse")) or self._only


def receive(connection: Connection, told: Sequence[Told], *, now: datetime) -> list[Result]:
    """Book confirmed receipts, each once by its key; what was expected is closed with its differences."""
    names = _Names(connection, told)

    def book(one: Told, at: datetime) -> bool:
        lines = [
            Came(names.sku(line), int(line["qty"]), text(line, "condition") == "damaged")
            for line in _lines(one.document)
        ]
        return receipts.take(
            connection.merchant, names.house(one.document), lines, reference=text(one.document, "reference"),
            key=_key(connection, one), is_final=one.document.get("final", True) is not False, said_at=at,
            actor=_actor(connection), now=now,
        ).is_repeated  # fmt: skip

    return [_booked(one, book) for one in told]


def take_back(connection: Connection, told: Sequence[Told], *, now: datetime) -> list[Result]:
    """Book goods that came back, each confirmation once by its key."""
    names = _Names(connection, told)

    def book(one: Told, at: datetime) -> bool:
        document = one.document
        lines = tuple(
            Back(
                names.sku(line),
                int(line["qty"]),
                text(line, "condition") == "damaged",
                text(line, "ext_order_id"),
            )
            for line in _lines(document)
        )
        said = returns.Said(
            reference=text(document, "reference"), key=_key(connection, one), said_at=at, lines=lines,
            warehouse=names.house(document), tracking_number=text(document, "tracking_number"),
            reason=text(document, "reason"),
        )  # fmt: skip
        return returns.take(connection.merchant, said, actor=_actor(connection), now=now).is_repeated

    return [_booked(one, book) for one in told]


def _booked(one: Told, book: Callable[[Told, datetime], bool]) -> Result:
    subject, at = text(one.document, "reference"), moment(one.document, "at")
    faults = _faults(one, at)
    if faults or at is None:
        return Result("refused", faults[0].code, faults, subject)
    try:
        is_repeated = book(one, at)
    except Refused as no:
        place, code, fact = _NAMED.get(no.code, ("", no.code, ""))
        value = str(no.facts.get(fact, "")) if fact else str(no)
        return Result("refused", code, (Fault(place, code, value),), subject)
    return Result("ignored", "repeat", subject=subject) if is_repeated else Result("applied", subject=subject)


def _faults(one: Told, at: datetime | None) -> list[Fault]:
    document, found = one.document, []
    if not text(document, "reference"):
        found.append(Fault("reference", "missing"))
    if at is None:
        found.append(Fault("at", "bad_moment", text(document, "at")))
    for number, line in enumerate(_lines(document)):
        units = line.get("qty")
        if not isinstance(units, int) or isinstance(units, bool) or units < 0:
            found.append(Fault(f"lines[{number}].qty", "bad_quantity", text(line, "qty")))
    return found


def _lines(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The lines with units; a planned line of which nothing came says nothing."""
    rows = [line for line in document.get("lines") or () if isinstance(line, Mapping)]
    return [line for line in rows if line.get("qty") != 0]


def _key(connection: Connection, one: Told) -> str:
    """What the system calls this confirmation, else what it says: the same words again are the same confirmation."""
    said = text(one.document, "key") or canonical.digest(dict(one.document))[:40]
    return f"{connection.code}/{said}"[:120]


def _actor(connection: Connection) -> str:
    return f"connection:{connection.code}"

"""What warehouses say they have: each message becomes a report, compared with our books and booked or shown."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from orderhub.connectors.applying import other_names
from orderhub.connectors.meant import Fault, Result, Told, moment, text
from orderhub.connectors.models import Alias, Connection
from orderhub.inventory import reports
from orderhub.inventory.reports import Said
from orderhub.kernel import canonical
from orderhub.kernel.errors import Refused


def apply(connection: Connection, told: Sequence[Told], *, now: datetime) -> list[Result]:
    """Take the lines of each warehouse, sort and moment as one report, once; what cannot be one is set apart."""
    skus = other_names.names(connection, Alias.Sort.SKU, (text(one.document, "sku") for one in told))
    houses = other_names.names(
        connection, Alias.Sort.WAREHOUSE, (text(one.document, "warehouse") for one in told)
    )
    groups: dict[tuple[str, str, str, str], list[int]] = {}
    results = [Result("applied", subject=text(one.document, "sku")) for one in told]
    for number, one in enumerate(told):
        fault = _fault(one)
        if fault is not None:
            results[number] = Result("refused", fault.code, (fault,), text(one.document, "sku"))
            continue
        document = one.document
        house = other_names.called(houses, text(document, "warehouse"))
        batch = text(document, "batch") or text(document, "reference")
        groups.setdefault((house, text(document, "kind"), text(document, "at"), batch), []).append(number)
    for (house, kind, at, batch), numbers in groups.items():
        lines = [
            Said(
                other_names.called(skus, text(told[n].document, "sku")), int(told[n].document["qty"]),
                text(told[n].document, "reason"),
            )
            for n in numbers
        ]  # fmt: skip
        key = f"{connection.code}/{canonical.digest([kind, at, batch, [told[n].document for n in numbers]])[:40]}"
        try:
            outcome = reports.take(
                connection.merchant, house, lines, kind=kind, reported_at=moment(told[numbers[0]].document, "at") or now,
                key=key, actor=f"connection:{connection.code}", now=now,
            )  # fmt: skip
        except Refused as no:
            for n in numbers:
                results[n] = Result("refused", no.code, (Fault("warehouse", no.code, house),), house)
        else:
            if outcome.is_repeated:
                for n in numbers:
                    results[n] = Result("ignored", "repeat", subject=house)
    return results


def _fault(one: Told) -> Fault | None:
    document = one.document
    if text(document, "kind") not in ("count", "change"):
        return Fault("kind", "unknown_kind", text(document, "kind"))
    if not text(document, "sku"):
        return Fault("sku", "missing")
    if not isinstance(document.get("qty"), int):
        return Fault("qty", "bad_quantity", text(document, "qty"))
    return None if moment(document, "at") is not None else Fault("at", "bad_moment", text(document, "at"))

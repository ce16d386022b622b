"""The ledger by custom fields: what operators write on orders, lines and SKUs as a column to group figures by."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Count, QuerySet, Sum
from django.db.models.fields.json import KeyTextTransform

from carbon.models import LedgerEntry
from orderhub.fields.engine import Definition, shown

#: From an entry to the records whose fields it may be grouped and cut by.
PATHS = {"order": "order", "line": "order_line", "sku": "order_line__sku"}
#: To the milligram: a database without exact decimals adds up no further.
_MILLIGRAM = Decimal("0.000001")
#: More values than these are no table any more; the least are left out.
MOST_VALUES = 200


@dataclass(frozen=True, slots=True)
class Total:
    """One value of a field: as it is stored (None: not filled), in words, how many orders, and their kg CO2e."""

    value: Any
    text: str
    orders: int
    kg: Decimal
    share: Decimal


def totals(entries: QuerySet[LedgerEntry], definition: Definition, *, zh: bool, none: str) -> list[Total]:
    """The net figures of these entries by the values of a field, the largest first; one query.

    An order counts once for each value that it or its lines have. `none` are the words for records without one.
    """
    value = KeyTextTransform(definition.code, f"{PATHS[definition.target]}__custom")
    rows = (
        entries.order_by()
        .annotate(field_value=value)
        .values_list("field_value")
        .annotate(kg=Sum("total_kgco2e"), orders=Count("order_id", distinct=True))
    )
    found = [
        (_stored(definition, text), Decimal(kg).quantize(_MILLIGRAM), orders) for text, kg, orders in rows
    ]
    whole = sum((kg for _value, kg, _orders in found), Decimal(0))
    found.sort(key=lambda row: (-row[1], str(row[0])))
    return [
        Total(stored, none if stored is None else shown(definition, stored, zh=zh), orders, kg,
              (kg / whole * 100).quantize(Decimal("0.1")) if whole else Decimal(0))
        for stored, kg, orders in found[:MOST_VALUES]
    ]  # fmt: skip


def table(rows: Sequence[Total]) -> list[list[str]]:
    """The rows as cells: value, orders, kg CO2e, share in percent."""
    return [[row.text, str(row.orders), f"{row.kg:f}", f"{row.share:f}"] for row in rows]


def _stored(definition: Definition, text: str | None) -> Any:
    """A value as it stands in records, from the database's text of it."""
    if text is None:
        return None
    if definition.kind == "boolean":
        return str(text).casefold() in ("true", "1")
    if definition.kind == "choices":
        return json.loads(text)
    if definition.kind == "integer":
        return int(text)
    return str(text)

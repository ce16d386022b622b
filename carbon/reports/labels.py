"""The values of a dimension in words, read with one or two queries for all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from carbon.wording import say
from orderhub.access.models import Merchant
from orderhub.inventory.admin_base import named
from orderhub.inventory.models import Sku, Warehouse
from orderhub.orders.models import Channel, Order, OrderLine

Key = tuple[Any, ...]
#: Label and a remark beneath it.
Words = tuple[str, str]


def of(dimension: str, keys: Sequence[Key]) -> Mapping[Key, Words]:
    """Words for these values."""
    found: Mapping[Key, Words] = _READERS[dimension](keys)
    return found


def value(dimension: str, key: Key) -> str:
    """A value as rows are cut by it."""
    if dimension == "lane":
        return f"{key[0] or ''}>{key[1]}"
    if isinstance(key[0], datetime):
        return key[0].date().isoformat()
    return "" if key[0] is None else str(key[0])


def unknown() -> str:
    """The word for what nobody told."""
    return say("未知", "unknown")


def _rows(model: Any, keys: Sequence[Key], *related: str) -> dict[Any, Any]:
    rows = model.objects.filter(pk__in=[key[0] for key in keys if key[0] is not None])
    return {row.pk: row for row in (rows.select_related(*related) if related else rows)}


def _plain(model: Any) -> Any:
    def read(keys: Sequence[Key]) -> Mapping[Key, Words]:
        rows = _rows(model, keys)
        return {
            key: (named(rows[key[0]]) if key[0] in rows else unknown(), _code(rows.get(key[0])))
            for key in keys
        }

    return read


def _code(row: Any) -> str:
    return str(getattr(row, "code", ""))


def _orders(keys: Sequence[Key]) -> Mapping[Key, Words]:
    rows = _rows(Order, keys)
    return {key: (rows[key[0]].number, rows[key[0]].external_id) for key in keys}


def _lines(keys: Sequence[Key]) -> Mapping[Key, Words]:
    rows = _rows(OrderLine, keys, "order", "sku")
    return {
        key: (f"{rows[key[0]].order.number} · {rows[key[0]].position}", rows[key[0]].sku.code) for key in keys
    }


def _lanes(keys: Sequence[Key]) -> Mapping[Key, Words]:
    houses = _rows(Warehouse, keys)
    return {
        key: (f"{named(houses[key[0]]) if key[0] in houses else unknown()} → {key[1] or unknown()}", "")
        for key in keys
    }


def _customers(keys: Sequence[Key]) -> Mapping[Key, Words]:
    """Telephone numbers with their middle hidden: enough to tell two customers apart."""
    return {key: (masked(str(key[0] or "")), "") for key in keys}


def masked(phone: str) -> str:
    """The first three and last two characters."""
    return f"{phone[:3]}****{phone[-2:]}" if len(phone) > 6 else unknown()


def _months(keys: Sequence[Key]) -> Mapping[Key, Words]:
    return {key: (f"{key[0]:%Y-%m}", "") for key in keys}


def _stages(keys: Sequence[Key]) -> Mapping[Key, Words]:
    return {key: (str(key[0]), "") for key in keys}


_READERS: Mapping[str, Any] = {
    "merchant": _plain(Merchant),
    "channel": _plain(Channel),
    "warehouse": _plain(Warehouse),
    "product": _plain(Sku),
    "customer": _customers,
    "lane": _lanes,
    "order": _orders,
    "line": _lines,
    "period": _months,
    "stage": _stages,
}

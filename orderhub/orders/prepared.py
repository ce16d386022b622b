"""Orders on their way into the tables: every value decided once, whichever writer takes them.

The ids are taken ahead, so that the rows of all tables, the event and its hash are known before anything is
written.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any

from django.db.models import Model

from orderhub.access.models import Merchant
from orderhub.events import log
from orderhub.events.tables import Row, Table, document, flag, moment, row
from orderhub.kernel import regions
from orderhub.orders import kinds, receivers, sharing
from orderhub.orders.drafts import OrderDraft
from orderhub.orders.journeys import Entry
from orderhub.orders.models import Order, OrderLine, Original, Person
from orderhub.orders.models.order import Stage


@dataclass(frozen=True, slots=True)
class _Shape:
    """The fields a draft decides, those a batch shares, and what all other fields of the model start with."""

    table: Table
    rest: Row


def _shape(model: type[Model], *decided: str) -> _Shape:
    others = [field for field in model._meta.concrete_fields if field.attname not in decided]
    names = (*decided, *(field.attname for field in others))
    return _Shape(Table(model, names), row(field.get_default() for field in others))


_PERSON = ("token", "name", "phone", "email", "address", "postcode", "merchant_id")
_ORDER = (
    "id", "person_id", "public_id", "share_hash", "channel_id", "external_id", "content_hash", "placed_at",
    "payment", "paid_at", "currency", "goods_total", "total", "country", "province", "city", "district",
    "latitude", "longitude", "is_remote", "service", "green", "note", "extra", "custom",
)  # fmt: skip
_BATCH = ("merchant_id", "source", "received_at", "updated_at", "step", "flow_version_id", "flow_node")
_LINE = (
    "id", "order_id", "position", "sku_id", "name", "unit_price", "line_total", "ordered", "open", "custom",
)  # fmt: skip

_persons = _shape(Person, *_PERSON)
_orders = _shape(Order, *_ORDER, *_BATCH)
_lines = _shape(OrderLine, *_LINE)
PERSONS, ORDERS, LINES = _persons.table, _orders.table, _lines.table
_PAID, _UNPAID, _RECEIVED = Order.Payment.PAID.value, Order.Payment.UNPAID.value, Stage.RECEIVED.value
ORIGINALS = Table(Original, ("order_id", "payload"))


@dataclass(frozen=True, slots=True)
class Batch:
    """What the orders of one call share; `entry` is where the merchant's orders begin."""

    merchant: Merchant
    actor: str
    source: str
    now: datetime
    entry: Entry


@dataclass(frozen=True, slots=True)
class Prepared:
    """One order as it will stand: its rows by table, and the fact that tells of it."""

    draft: OrderDraft
    order_id: int
    person: Row
    order: Row
    lines: list[Row]
    original: Row
    placed: log.Fact
    sealed: Row | None = None  # the receiver, where a platform hides it


def prepare(
    drafts: Sequence[OrderDraft], batch: Batch, *, order_ids: Sequence[int], line_ids: Iterator[int]
) -> list[Prepared]:
    """The drafts with these ids, in the same order; they must have passed `placing.refusal`."""
    shared = row((batch.merchant.pk, batch.source, batch.now, batch.now, *batch.entry)) + _orders.rest
    merchant = (str(batch.merchant.pk), *_persons.rest)
    # One draw for all: asking the system for chance twice an order costs more than the rest of this.
    chance = os.urandom(32 * len(drafts))
    tokens = [_uuid4(chance[at : at + 16]) for at in range(0, len(chance), 16)]
    return [
        _prepared(draft, pk, (public_id, token), shared, merchant, line_ids)
        for draft, pk, public_id, token in zip(drafts, order_ids, tokens[::2], tokens[1::2], strict=True)
    ]


def _uuid4(chance: bytes) -> uuid.UUID:
    return uuid.UUID(bytes=chance, version=4)


def _prepared(
    draft: OrderDraft, pk: int, tokens: tuple[uuid.UUID, uuid.UUID], shared: Row, merchant: Row,
    line_ids: Iterator[int],
) -> Prepared:  # fmt: skip
    place = regions.locate(draft.country, draft.province, draft.city)
    assert place is not None, "refusal() was asked before"
    order_id, public_id, token, total = str(pk), tokens[0], tokens[1].hex, draft.goods_total
    extra, hidden = receivers.apart(draft.extra) if draft.extra else (draft.extra, None)
    sum_text, placed_at = f"{total:.2f}", moment(draft.placed_at)
    paid_at = None if not draft.paid else moment(draft.paid_at) if draft.paid_at else placed_at
    person = (
        token, draft.name[:200], draft.phone[:60], draft.email[:254], draft.address[:500],
        draft.postcode[:20], *merchant,
    )  # fmt: skip
    # As `row` would spell them, without asking each value for its type: large files come through here.
    order = (
        order_id, token, public_id.hex, sharing.first_hash(public_id), str(draft.channel.pk), draft.external_id,
        draft.content_hash, placed_at, _PAID if draft.paid else _UNPAID, paid_at, draft.currency, sum_text,
        sum_text, place.country_code, draft.province[:60], draft.city[:80], draft.district[:80], f"{place.lat:.5f}",
        f"{place.lng:.5f}", flag(place.remote), str(draft.service), flag(draft.green), draft.note[:500],
        document(dict(extra)) if extra else "{}", document(dict(draft.custom)) if draft.custom else "{}",
    )  # fmt: skip
    lines: list[Row] = [
        (
            str(next(line_ids)), order_id, str(position), str(line.sku.pk), (line.name or line.sku.name)[:200],
            f"{line.unit_price:.4f}", f"{line.line_total:.2f}", str(line.quantity), str(line.quantity),
            document(dict(line.custom)) if line.custom else "{}", *_lines.rest,
        )
        for position, line in enumerate(draft.lines, start=1)
    ]  # fmt: skip
    original = (order_id, document(dict(receivers.without(draft.original) if hidden else draft.original)))
    sealed = receivers.row(
        token, hidden, channel_id=draft.channel.pk, buyer=extra.get(receivers.BUYER)
    ) if hidden else None  # fmt: skip
    payload = {
        "external_id": draft.external_id, "channel": draft.channel.code, "total": total,
        "currency": draft.currency, "lines": len(draft.lines), "paid": draft.paid, "stage": _RECEIVED,
    }  # fmt: skip
    placed = log.Fact(f"order:{pk}", kinds.PLACED.name, payload, draft.channel.merchant_id)
    return Prepared(draft, pk, person, order + shared, lines, original, placed, sealed)


# ---- as models ----------------------------------------------------------------------------------


def model(prepared: Prepared, batch: Batch) -> Order:
    """The order as it was written, with merchant, channel, person, lines (with SKU), no holds and no
    fulfillments at hand: telling of it needs no query.
    """
    order: Order = _instance(ORDERS, prepared.order)
    order.merchant, order.channel = batch.merchant, prepared.draft.channel
    order.person = _instance(PERSONS, prepared.person)
    lines: list[OrderLine] = [_instance(LINES, values) for values in prepared.lines]
    for line, asked in zip(lines, prepared.draft.lines, strict=True):
        line.order, line.sku = order, asked.sku
    cached = {"lines": lines, "holds": [], "fulfillments": []}
    order._prefetched_objects_cache = {  # type: ignore[attr-defined]
        name: _filled(getattr(order, name), rows) for name, rows in cached.items() if hasattr(order, name)
    }
    return order


def _filled(manager: Any, rows: list[Any]) -> Any:
    found = manager.get_queryset()
    found._result_cache, found._prefetch_done = rows, True
    return found


def _instance(table: Table, values: Row) -> Any:
    return table.model.from_db(
        "default", table.fields,
        [None if (value := values[place]) is None else read(value) for place, read in _readers(table)],
    )  # fmt: skip


def _is_set(text: str) -> bool:
    return text == "1"


_READ: dict[str, Callable[[str], Any]] = {
    "DecimalField": Decimal, "DateTimeField": datetime.fromisoformat, "BooleanField": _is_set,
    "UUIDField": uuid.UUID, "JSONField": json.loads, "CharField": str, "TextField": str,
}  # fmt: skip


@cache
def _readers(table: Table) -> list[tuple[int, Callable[[str], Any]]]:
    """Per field of the model: its place in a row, and what makes a value of the text again."""
    return [
        (table.fields.index(field.attname), _READ.get(_kind(field), int))
        for field in table.model._meta.concrete_fields
    ]


def _kind(field: Any) -> str:
    target = field.target_field if field.is_relation else field
    return str(target.get_internal_type())

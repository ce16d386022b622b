"""What a file says, in our words: orders with their lines, articles, stock."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from orderhub.connectors.files.custom import seal
from orderhub.connectors.files.faults import RowError

#: Stands between the parts of a content hash; a row with this control character in it is refused.
_BETWEEN = "\x1f"
#: Never changed; a plain dict, since drafts go from process to process.
_NOTHING: dict[str, Any] = {}


class ParsedLine(NamedTuple):
    """One line: pieces, price of a piece (4 decimals where the file gives only the sum) and the exact sum."""

    sku: str
    quantity: int
    unit_price: Decimal
    line_total: Decimal
    name: str
    custom: Mapping[str, Any] = _NOTHING


class Head(NamedTuple):
    """The part of an order that all of its rows share; `units` is the number of pieces the file announces."""

    placed_at: datetime
    paid: bool
    paid_at: datetime | None
    currency: str
    country: str
    province: str
    city: str
    district: str
    address: str
    postcode: str
    name: str
    phone: str
    email: str
    service: str
    green: bool
    note: str
    total: Decimal | None
    custom: Mapping[str, Any]
    units: int | None


class ParsedOrder(NamedTuple):
    """One whole order: aware times, ISO country and currency, and the rows (file, number) it came from."""

    external_id: str
    placed_at: datetime
    paid: bool
    paid_at: datetime | None
    currency: str
    country: str
    province: str
    city: str
    district: str
    address: str
    postcode: str
    name: str
    phone: str
    email: str
    service: str
    green: bool
    note: str
    total: Decimal | None
    custom: Mapping[str, Any]
    lines: tuple[ParsedLine, ...]
    where: tuple[tuple[str, int], ...]
    content_hash: str


@dataclass(frozen=True, slots=True)
class ParsedSku:
    """One article: price in the account's currency, weight of a piece in grams, row in the file."""

    sku: str
    name: str
    price: Decimal
    grams: int
    row: int
    custom: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ParsedStock:
    """Pieces on hand of one article in one warehouse, named by its code, and the row in the file."""

    warehouse: str
    sku: str
    on_hand: int
    row: int


@dataclass(frozen=True, slots=True)
class Result:
    """Accepted orders by first row, refused rows in file order, number of records not blank.

    `unlisted_errors` counts refused rows beyond the longest list kept; their orders stay out all the same.
    """

    orders: list[ParsedOrder]
    errors: list[RowError]
    rows: int
    unlisted_errors: int = 0


@dataclass(frozen=True, slots=True)
class Chunk:
    """The next orders of a file by first row, with the refused rows of the same order numbers.

    `rows` records and `orders_done` order numbers are done with so far, of `rows_total` and `orders_total` in the
    whole file, good or bad. Reading goes on behind this chunk with `resume_after=chunk.position`.
    """

    orders: list[ParsedOrder]
    errors: list[RowError]
    unlisted_errors: int
    rows: int
    rows_total: int
    orders_total: int
    position: int
    orders_done: int


@dataclass(frozen=True, slots=True)
class SkuResult:
    """Accepted articles and refused rows in file order, and the number of records that were not blank."""

    skus: list[ParsedSku]
    errors: list[RowError]
    rows: int


@dataclass(frozen=True, slots=True)
class StockResult:
    """Accepted stock rows and refused rows in file order, and the number of records that were not blank."""

    stock: list[ParsedStock]
    errors: list[RowError]
    rows: int


class SealedLine(NamedTuple):
    """A line and its part of the order's content hash."""

    line: ParsedLine
    seal: str


def sealed(line: ParsedLine) -> SealedLine:
    """The line with what it adds to the content hash."""
    texts = [line.sku, str(line.quantity), _plain(line.unit_price), _plain(line.line_total), line.name]
    if line.custom:
        texts.append(seal(line.custom))
    return SealedLine(line, _BETWEEN.join(texts))


def _plain(amount: Decimal) -> str:
    """The same text for the same amount, however many zeros end it."""
    return str(amount.normalize())


def order(
    external_id: str, head: Head, lines: Sequence[SealedLine], *, where: tuple[tuple[str, int], ...]
) -> ParsedOrder:
    """Join head and lines and seal them with the content hash."""
    content_hash = _hash(external_id, head, sorted(line.seal for line in lines))
    return ParsedOrder(external_id, *head[:-1], tuple(line.line for line in lines), where, content_hash)


def _hash(external_id: str, head: Head, lines: Sequence[str]) -> str:
    """SHA-256 of what the order says, whatever the order of rows, spelling of decimals or zone of times."""
    content = (
        external_id,
        str(head.placed_at.timestamp()),
        "paid" if head.paid else "",
        "" if head.paid_at is None else str(head.paid_at.timestamp()),
        head.currency, head.country, head.province, head.city, head.district, head.address, head.postcode,
        head.name, head.phone, head.email, head.service,
        "green" if head.green else "",
        head.note,
        "" if head.total is None else _plain(head.total),
        *([seal(head.custom)] if head.custom else ()),
        *lines,
    )  # fmt: skip
    return hashlib.sha256(_BETWEEN.join(content).encode()).hexdigest()

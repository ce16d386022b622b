"""What a caller hands in to place an order, whichever door it came through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Literal

from orderhub.inventory.models import Sku
from orderhub.orders.models import Channel, Order

Outcome = Literal["created", "unchanged", "conflict"]


# Not frozen, as freezing makes a file of 40,000 orders a second longer; nobody changes a draft once it is made.
@dataclass(slots=True)
class LineDraft:
    """Pieces of one SKU: `unit_price` of a piece (up to 4 decimals) and the exact sum, in the order's
    currency.
    """

    sku: Sku
    quantity: int
    unit_price: Decimal
    line_total: Decimal
    name: str = ""
    custom: Mapping[str, object] = field(default_factory=dict)


@dataclass(slots=True)
class OrderDraft:
    """One whole order: aware times, ISO country and currency, and what the channel sent word for word.

    `content_hash` is 64 hex digits over what the order says: the same number with the same hash is a repeat.
    """

    channel: Channel
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
    lines: Sequence[LineDraft]
    content_hash: str
    service: str = "standard"
    green: bool = False
    note: str = ""
    extra: Mapping[str, object] = field(default_factory=dict)
    #: Values of custom fields, as they are stored (`fields.filling`).
    custom: Mapping[str, object] = field(default_factory=dict)
    original: Mapping[str, object] = field(default_factory=dict)

    @property
    def key(self) -> tuple[int, str]:
        """What makes an order the same order: channel and the channel's number."""
        return self.channel.pk, self.external_id

    @property
    def goods_total(self) -> Decimal:
        """The sum of its lines."""
        return sum((line.line_total for line in self.lines), Decimal(0))


@dataclass(frozen=True, slots=True)
class Placement:
    """What became of a draft: created; unchanged (known, same content); conflict (known, other content, not
    applied).

    `order` is the order that stands under that number now.
    """

    draft: OrderDraft
    order: Order | None
    outcome: Outcome

"""From a token to a page: unknown and expired links look alike, and guessing is slowed down."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from orderhub.access import limits
from orderhub.orders import sharing
from orderhub.orders.models import Order
from orderhub.orders.models.order import Stage

TRIES_PER_MINUTE = 30
LIVES_AFTER_END = timedelta(days=60)
ENDED = frozenset({Stage.DELIVERED, Stage.COMPLETED, Stage.CANCELLED, Stage.RETURNED})


@dataclass(frozen=True, slots=True)
class Missing:
    """No page behind this token; `too_many` once this address guessed more than 30 times in a minute."""

    too_many: bool


@dataclass(frozen=True, slots=True)
class Page:
    """The order behind a token, with merchant and channel."""

    order: Order

    @property
    def order_id(self) -> int:
        """The order's id."""
        return int(self.order.pk)


def find_page(token: str, *, now: datetime, address: str) -> Page | Missing:
    """The page of a token that is known and has not expired (60 days after the order's end). One query.

    Only misses count against the address, so that one office full of buyers is never locked out.
    """
    order = sharing.find(token[:64])
    if order is not None and not is_expired(order, now=now):
        return Page(order)
    return Missing(limits.too_many(f"tracking:{address}", limit=TRIES_PER_MINUTE))


def is_expired(order: Order, *, now: datetime) -> bool:
    """Whether the order ended more than 60 days ago."""
    return order.stage in ENDED and now - order.updated_at > LIVES_AFTER_END


def address_behind(forwarded: str, peer: str) -> str:
    """The caller's address of a socket, through as many proxies as the settings trust (as for requests)."""
    proxies = int(str(settings.REST_FRAMEWORK["NUM_PROXIES"]))
    hops = [hop.strip() for hop in forwarded.split(",") if hop.strip()]
    return hops[-min(proxies, len(hops))] if proxies and hops else peer

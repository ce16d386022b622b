"""The buyer's link: a token derived from the order, of which the database keeps only the hash."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.conf import settings

from orderhub.kernel.secrets import derived_token, token_hash
from orderhub.orders.models import Order


def token(order: Order) -> str:
    """The token behind the buyer's link; the key it was made with is found again after a rotation of keys."""
    tokens = [derived_token(key=key, subject=_subject(order)) for key in _keys()]
    return next((text for text in tokens if token_hash(text) == order.share_hash), tokens[0])


def stamp(order: Order) -> None:
    """Set the hash the link is found by; the order must have its public id and nonce. The caller saves."""
    order.share_hash = token_hash(derived_token(key=_keys()[0], subject=_subject(order)))


def first_hash(public_id: UUID) -> str:
    """What `stamp` sets on a new order of that public id."""
    return token_hash(derived_token(key=_keys()[0], subject=_subject_of(public_id, 0)))


def find(token: str) -> Order | None:
    """The order of that link, with merchant and channel; None for an unknown or withdrawn one.

    The link of a merged order leads to the one that ships for it.
    """
    rows = Order.objects.select_related("merchant", "channel")
    found = rows.filter(share_hash=token_hash(token)).first()
    return found if found is None or found.merged_into_id is None else rows.get(pk=found.merged_into_id)


def withdraw(order: Order) -> None:
    """Make every link shown so far useless; the next `token` is a new one."""
    order.share_nonce += 1
    stamp(order)
    order.save(update_fields=["share_nonce", "share_hash"])


def tracking_path(order: Order) -> str:
    """The path of the buyer's page."""
    return f"/t/{token(order)}/"


def _subject(order: Order) -> str:
    return _subject_of(order.public_id, order.share_nonce)


def _subject_of(public_id: UUID, nonce: int) -> str:
    return f"order:{public_id}:{nonce}"


def _keys() -> Sequence[str]:
    return list(settings.SECRET_KEYS)

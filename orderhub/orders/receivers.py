"""Receivers that a platform shows as ciphers and a token: kept apart from the order, sealed, handed on byte by byte.

Nothing here opens a cipher. What is unsealed goes into the document of a warehouse or carrier and nowhere else.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from django.conf import settings

from orderhub.events.tables import Row, Table
from orderhub.kernel import canonical, secrets
from orderhub.orders.models import Order, Person, SealedReceiver

#: What hides a receiver, in what a channel sends along (`extra`); `town` goes with it, as it stands in no column.
HIDING = ("oaid", "cipher")
_ALL = (*HIDING, "town")
#: What tells the platform's account of a buyer.
BUYER = "buyer_id"
TABLE = Table(SealedReceiver, ("person_id", "sealed", "merge_key"))
_NOTHING: Mapping[str, Any] = {}


class Parted(NamedTuple):
    """What a channel sent along, without and with what hides the receiver; `hidden` is empty for a clear one."""

    rest: Mapping[str, Any]
    hidden: Mapping[str, Any]


def apart(extra: Mapping[str, Any]) -> Parted:
    """Part what hides the receiver from the rest."""
    if not any(extra.get(name) for name in HIDING):
        return Parted(extra, _NOTHING)
    hidden = {name: extra[name] for name in _ALL if extra.get(name)}
    return Parted({name: value for name, value in extra.items() if name not in _ALL}, hidden)


def without(original: Mapping[str, Any]) -> Mapping[str, Any]:
    """The channel's document as it is kept beside the order: what hides the receiver is sealed, not repeated there."""
    extra = original.get("extra")
    return {**original, "extra": dict(apart(extra).rest)} if isinstance(extra, Mapping) else original


def row(person: str, hidden: Mapping[str, Any], *, channel_id: int, buyer: object) -> Row:
    """The row of `TABLE` for a person's token."""
    return person, seal(hidden), merge_key(hidden, channel_id=channel_id, buyer=buyer)


def keep(person: Person, hidden: Mapping[str, Any], *, channel_id: int, buyer: object) -> None:
    """Keep what hides this receiver; nothing for a clear one."""
    if hidden:
        key = merge_key(hidden, channel_id=channel_id, buyer=buyer)
        person.sealed = SealedReceiver.objects.create(person=person, sealed=seal(hidden), merge_key=key)


def of(person: Person) -> Mapping[str, Any]:
    """What the platform sent in place of this receiver: oaid and cipher, or nothing; the person comes with `sealed`."""
    found = sealed_of(person)
    if found is None:
        return _NOTHING
    told: Mapping[str, Any] = json.loads(secrets.unseal(found.sealed, keys=settings.SECRET_KEYS))
    return told


def of_order(order: Order) -> Mapping[str, Any]:
    """The same for an order; rows written before receivers were kept apart still have it beside the order."""
    return of(order.person) or apart(order.extra).hidden


def sealed_of(person: Person) -> SealedReceiver | None:
    """The row of a person whom a platform hides; None for others. No query where it was loaded along."""
    return getattr(person, "sealed", None)


def seal(hidden: Mapping[str, Any]) -> str:
    """Sealed, so that `of` gives the very same characters back, whatever they are."""
    return secrets.seal(json.dumps(dict(hidden), separators=(",", ":")), keys=settings.SECRET_KEYS)


def merge_key(hidden: Mapping[str, Any], *, channel_id: int, buyer: object) -> str:
    """Equal for orders that may be sent as one: same shop, same buyer and the same token, else the same ciphers."""
    who = [channel_id, str(buyer or ""), hidden.get("oaid") or hidden.get("cipher") or ""]
    key = hashlib.sha256(b"orderhub.receiver:" + settings.SECRET_KEYS[0].encode()).digest()
    return hmac.new(key, canonical.dumps(who).encode("utf-8", "replace"), hashlib.sha256).hexdigest()

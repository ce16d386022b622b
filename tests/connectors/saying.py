"""Systems of the shipped profiles without their signatures: what one says is read by the map of that name."""

from __future__ import annotations

import json
from typing import Any

from orderhub.connectors import inbox
from orderhub.connectors.base import Incoming
from orderhub.connectors.models import Connection, InboxMessage
from orderhub.kernel import clock
from tests import make
from tests.connectors import wired


def connect(code: str, **fields: Any) -> Connection:
    """A live connection of the merchant that speaks the shipped profile of that code."""
    found, _made = Connection.objects.get_or_create(
        merchant=make.merchant(), code=fields.pop("as_code", code),
        defaults={"name": code, "kind": "profile", "profile": wired.shipped_profile(code), **fields},
    )  # fmt: skip
    return found


def say(connection: Connection, map: str, document: Any, *, key: str = "") -> InboxMessage:
    """Let the system say it, and the hub work; the message as it stands then."""
    name = key or f"m{InboxMessage.objects.count()}"
    raw = json.dumps(document, ensure_ascii=False).encode()
    inbox.receive(connection, [Incoming(name, {}, raw, {"fetched": map})], now=clock.now())
    make.run_until_idle()
    return InboxMessage.objects.get(connection=connection, key=name)

"""The webhook: what drawn flows tell goes to an https address as signed JSON; nothing comes back through it."""

from __future__ import annotations

import base64
import ipaddress
import json
import socket
from collections.abc import Sequence
from datetime import datetime
from urllib.parse import urlsplit

import httpx
from django.conf import settings
from standardwebhooks import Webhook as Signature

from orderhub.connectors import base
from orderhub.connectors.base import Push, Unreadable
from orderhub.connectors.models import Connection, InboxMessage
from orderhub.events.registry import GiveUp
from orderhub.fulfillment.updates import Update
from orderhub.kernel.secrets import derived_token

NAME = "webhook"
_TIMEOUT_SECONDS = 10.0
#: The receiver says that it will never take the message.
_REFUSED = frozenset({400, 404, 405, 410, 413, 415, 422})


class Webhook:
    """Posts each message by itself; the receiver tells repeats by the header `webhook-id`."""

    name = NAME

    def push(self, connection: Connection, pushes: Sequence[Push], *, now: datetime) -> None:
        """Send the messages in order; GiveUp where the address may not be called or refuses them for good."""
        url = address(connection)
        with httpx.Client(timeout=_TIMEOUT_SECONDS, follow_redirects=False) as client:
            for push in pushes:
                text = json.dumps(
                    {"type": push.operation, "order": push.reference, **push.body}, ensure_ascii=False
                )
                answer = client.post(
                    url, content=text.encode(), headers=headers(connection, push.key, text, now)
                )
                if answer.status_code in _REFUSED:
                    raise GiveUp(f"{connection.code} answered {answer.status_code}")
                answer.raise_for_status()
                if not answer.is_success:
                    raise GiveUp(f"{connection.code} answered {answer.status_code}")

    def normalize(self, connection: Connection, message: InboxMessage) -> Sequence[Update]:
        """Nothing comes in this way."""
        raise Unreadable("a webhook only sends")


def secret(connection: Connection) -> str:
    """What the receiver checks signatures with; it lasts as long as HUB_SECRET_KEY."""
    derived = derived_token(key=settings.SECRET_KEY, subject=f"webhook:{connection.pk}")
    return "whsec_" + base64.b64encode(derived.encode()).decode()


def headers(connection: Connection, key: str, text: str, now: datetime) -> dict[str, str]:
    """The three headers of Standard Webhooks, and the type."""
    return {
        "content-type": "application/json", "webhook-id": key, "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Signature(secret(connection)).sign(key, now, text),
    }  # fmt: skip


def address(connection: Connection) -> str:
    """The address of a connection; GiveUp unless it is https and leads out of our own network.

    In debug mode any http address will do.
    """
    url = str(connection.config.get("url", ""))
    parts = urlsplit(url)
    if settings.DEBUG and parts.scheme in {"http", "https"} and parts.hostname:
        return url
    if parts.scheme != "https" or not parts.hostname or parts.username:
        raise GiveUp(f"{connection.code}: the address must begin with https://")
    found = socket.getaddrinfo(parts.hostname, parts.port or 443, type=socket.SOCK_STREAM)
    if not all(ipaddress.ip_address(row[4][0]).is_global for row in found):
        raise GiveUp(f"{connection.code}: the address leads into a private network")
    return url


base.register(Webhook())

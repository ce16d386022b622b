"""The webhook: what drawn flows tell goes to an https address as signed JSON; nothing comes back through it."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from datetime import datetime

import httpx
from django.conf import settings
from django.db import transaction
from standardwebhooks import Webhook as Signature

from orderhub.connectors import base, net, switching
from orderhub.connectors.base import Push, Unreadable
from orderhub.connectors.models import Connection, InboxMessage
from orderhub.connectors.speech.answers import retry_after_s
from orderhub.events.registry import Busy, GiveUp
from orderhub.fulfillment.updates import Update
from orderhub.kernel.secrets import derived_token

NAME = "webhook"
_GONE = 410
#: The receiver says that it will never take the message.
_REFUSED = frozenset({400, 404, 405, 413, 415, 422})


class Webhook:
    """Posts each message by itself; the receiver tells repeats by the header `webhook-id`."""

    name = NAME

    def push(
        self, connection: Connection, pushes: Sequence[Push], *, now: datetime
    ) -> Mapping[str, Exception]:
        """Send the messages in order; what failed by key. Who answers 410 is sent nothing more."""
        failures: dict[str, Exception] = {}
        with net.client(allows_private=settings.DEBUG, connections=1) as client:
            for push in pushes:
                try:
                    _post(client, connection, push, now=now)
                except Exception as fault:  # kept on its delivery; the others are sent all the same
                    failures[push.key] = fault
        return failures

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


def _post(client: httpx.Client, connection: Connection, push: Push, *, now: datetime) -> None:
    text = json.dumps({"type": push.operation, "order": push.reference, **push.body}, ensure_ascii=False)
    url = str(connection.config.get("url", ""))
    try:
        answer = net.send(
            client, "POST", url, headers=headers(connection, push.key, text, now), body=text.encode(),
            allows_plain=settings.DEBUG,
        )  # fmt: skip
    except net.Forbidden as fault:
        raise GiveUp(f"{connection.code}: {fault}") from fault
    said = f"{connection.code} answered {answer.status}"
    if answer.status == _GONE:
        with transaction.atomic():
            switching.off_by_them(connection, now=now)
        raise GiveUp(said)
    if answer.status in _REFUSED or 300 <= answer.status < 400:
        raise GiveUp(said)
    if answer.status >= 400:
        wait = retry_after_s(answer.headers.get("retry-after", ""), now)
        raise Busy(said, wait) if wait else net.NotSent(said)


base.register(Webhook())

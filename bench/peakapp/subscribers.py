"""A connector that posts its messages to an address, all of a batch in one request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import httpx

from orderhub.connectors import base
from orderhub.connectors.base import Push, Unreadable
from orderhub.connectors.models import Connection
from orderhub.fulfillment.updates import Update


class Wire:
    """`config["url"]` is where the messages go."""

    name = "peak"

    def push(self, connection: Connection, pushes: Sequence[Push], *, now: datetime) -> None:
        """Post key, operation and reference of each message."""
        body = [
            {"key": push.key, "operation": push.operation, "reference": push.reference} for push in pushes
        ]
        httpx.post(connection.config["url"], json=body, timeout=5).raise_for_status()

    def normalize(self, connection: Connection, body: Mapping[str, Any]) -> Sequence[Update]:
        """Nothing ever comes back."""
        raise Unreadable("the peak bench sends nothing back")


base.register(Wire())

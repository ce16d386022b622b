"""Positions over MQTT: messages are gathered, stored in batches, and only then acknowledged to the broker.

Topics: `owntracks/<merchant>/<device>` and `positions/<merchant>/<device>` (any of the JSON shapes). The topic says whose
device it is, so the broker must let each log-in publish to its own topics only (docs/tracking.md shows how).
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic
from typing import Any
from urllib.parse import unquote, urlsplit

from django.db import DatabaseError, connection
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from orderhub.access.models import Merchant
from orderhub.kernel import clock
from tracking.live_position import formats, ingest, strays

logger = logging.getLogger("orderhub.positions")

TOPICS = ("owntracks/+/+", "positions/+/+")
MOST_BYTES = 256 * 1024
BATCH, GATHER_SECONDS = 500, 0.2
#: More waiting than this and the broker is left to keep the rest.
MOST_WAITING = 5000
RETRY_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Letter:
    """One message as it came."""

    topic: str
    body: bytes


@dataclass(slots=True)
class Listener:
    """Listens to a broker (`mqtt://user:password@host:port`, mqtts for TLS) until it is stopped."""

    url: str
    client_id: str = "orderhub-positions"
    _waiting: list[MQTTMessage] = field(default_factory=list)
    _lock: threading.Condition = field(default_factory=threading.Condition)
    _stopped: bool = False
    kept: int = 0

    def run(self, *, until: Callable[[], bool] = lambda: False) -> None:
        """Connect, and store what comes; a broker that is away is tried again for ever."""
        client = self._client()
        client.loop_start()
        try:
            while not self._stopped and not until():
                batch = self._gather()
                if batch and self._store(batch):
                    for message in batch:
                        client.ack(message.mid, message.qos)
        finally:
            client.disconnect()
            client.loop_stop()

    def stop(self) -> None:
        """End `run` soon."""
        with self._lock:
            self._stopped = True
            self._lock.notify_all()

    def _client(self) -> Client:
        parts = urlsplit(self.url)
        # The broker keeps what came while we were away, and what we did not acknowledge.
        client = Client(
            CallbackAPIVersion.VERSION2, client_id=self.client_id, clean_session=False, manual_ack=True
        )
        if parts.username:
            client.username_pw_set(unquote(parts.username), unquote(parts.password or ""))
        if parts.scheme == "mqtts":
            client.tls_set()
        client.max_inflight_messages_set(MOST_WAITING)
        client.reconnect_delay_set(min_delay=1, max_delay=30)
        client.on_connect = self._connected
        client.on_message = self._came
        client.connect_async(parts.hostname or "localhost", parts.port or 1883, keepalive=30)
        return client

    def _connected(self, client: Client, _data: Any, _flags: Any, reason: Any, _props: Any) -> None:
        if reason.is_failure:
            logger.warning("the broker refused: %s", reason)
            return
        client.subscribe([(topic, 1) for topic in TOPICS])
        logger.info("listening to %s", ", ".join(TOPICS))

    def _came(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        with self._lock:
            self._waiting.append(message)
            if len(self._waiting) >= BATCH:
                self._lock.notify_all()

    def _gather(self) -> list[MQTTMessage]:
        """Up to a batch, once there are enough or the first has waited long enough."""
        end = monotonic() + GATHER_SECONDS
        with self._lock:
            while len(self._waiting) < BATCH and not self._stopped and (left := end - monotonic()) > 0:
                self._lock.wait(left)
            batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
        return batch

    def _store(self, batch: Sequence[MQTTMessage]) -> bool:
        """Whether it is safe now; a database that is away is tried again until it is back or we are stopped."""
        letters = [Letter(message.topic, bytes(message.payload)) for message in batch]
        while not self._stopped:
            try:
                self.kept += take(letters, now=clock.now())
                return True
            except DatabaseError as fault:
                logger.warning("positions wait for the database: %s", fault)
                connection.close()
                with self._lock:
                    self._lock.wait(RETRY_SECONDS)
        return False


def take(letters: Sequence[Letter], *, now: datetime) -> int:
    """Store the positions of these messages, a batch a merchant; what cannot be read is counted apart. How many are new."""
    codes = {letter.topic.split("/")[1] for letter in letters if letter.topic.count("/") == 2}
    merchants = {row.code: row for row in Merchant.objects.filter(code__in=codes, is_active=True)}
    found: dict[str, list[formats.Reading]] = {}
    for letter in letters:
        _head, _slash, rest = letter.topic.partition("/")
        code, _slash, device = rest.partition("/")
        merchant = merchants.get(code)
        if merchant is None or not device:
            continue
        try:
            if len(letter.body) > MOST_BYTES:
                raise formats.Unreadable("too large")
            found.setdefault(code, []).extend(_of(formats.from_body(letter.body, device=device), device))
        except formats.Unreadable as fault:
            strays.unreadable(device, str(fault), merchant=merchant, now=now)
    return sum(
        ingest.take(readings, merchant=merchants[code], now=now).kept for code, readings in found.items()
    )


def _of(readings: list[formats.Reading], device: str) -> list[formats.Reading]:
    """Whatever the message names, the topic is what the broker checked."""
    wrong = next((one for one in readings if one.device != device), None)
    if wrong is not None:
        raise formats.Unreadable(f"it names {wrong.device}")
    return readings

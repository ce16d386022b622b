"""The hub wired to a fake world: calls go out over real sockets, pushes come in through the doors, as often as told."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

from django.core.cache import cache
from django.test import Client

from orderhub.access import limits
from orderhub.connectors import secretbox, shelf, speaking
from orderhub.connectors.fakes.world import World
from orderhub.connectors.models import Alias, Connection, Profile
from orderhub.connectors.speech import shipped
from orderhub.events.models import Delivery
from orderhub.kernel import clock
from orderhub.orders.models import Channel
from tests import make
from tests.connectors.fakes.receiver import Got, Receiver

_KEPT = ("content-length", "host", "connection", "accept-encoding", "user-agent")


class Wired:
    """A world, what it pushes, and the merchant's connections to it."""

    def __init__(self, world: World, receiver: Receiver) -> None:
        self.world, self.receiver = world, receiver
        self._taken = 0
        self._lock = threading.Lock()

    def connect(
        self, vendor: str, *, profile: str = "", channel: Channel | None = None, code: str = "",
        config: Mapping[str, Any] | None = None, secret: str = "", **secrets: str,
    ) -> Connection:  # fmt: skip
        """A live connection to a vendor of the world; its door has the vendor's name."""
        row = Connection(
            merchant=make.merchant(), code=code or vendor, name=vendor, kind="profile", profile=profile_of(profile or vendor),
            door_key=code or vendor, channel=channel, allows_private=True,
            config={"base_url": self.world.url(vendor), **(config or {})},
        )  # fmt: skip
        for name, value in {"secret": secret or self.world.keys(vendor)["secret"], **secrets}.items():
            secretbox.put(row, name, value, now=clock.now())
        row.save()
        return row

    def pump(self, *, hurry: bool = True, tries: int = 6) -> None:
        """Let the hub work and deliver what the world pushes, until both have nothing left to do.

        In a hurry, what failed is tried again so often at once.
        """
        for number in range(200):
            if hurry and number < tries:
                # As if rests were over and systems took more again.
                cache.delete_many(["breaker:connectors.push", "pace:connectors.push"])
                limits.reset()
                Delivery.objects.filter(state="ready", attempts__gt=0).update(not_before=clock.now())
            worked = make.run_until_idle()
            self.world.settle()
            if not self._deliver() and not worked:
                return
        raise AssertionError("the hub and the world never come to rest")

    def _deliver(self) -> int:
        """Hand every push to its door, with just the bytes and headers it came with."""
        with self._lock:
            fresh, self._taken = self.receiver.got[self._taken :], len(self.receiver.got)
        for got in fresh:
            answer = _enter(got)
            assert answer.status_code < 500, (got.vendor, answer.content)
        return len(fresh)


def _enter(got: Got) -> Any:
    headers = {name: value for name, value in got.headers.items() if name not in (*_KEPT, "content-type")}
    address = f"/in/{got.vendor}/" + (f"?{urlencode(got.query)}" if got.query else "")
    return Client().post(
        address,
        data=got.body,
        content_type=got.headers.get("content-type", "application/json"),
        headers=headers,
    )


@contextmanager
def wired(*, seed: int = 7) -> Iterator[Wired]:
    """A hub with nobody connected yet, beside a world of its own."""
    receiver = Receiver()
    try:
        with World(seed=seed, callback_url=receiver.url) as world:
            yield Wired(world, receiver)
    finally:
        speaking.forget_clients()
        receiver.close()


def profile_of(code: str) -> Profile:
    found = Profile.objects.filter(merchant=None, code=code).first()
    if found is not None:
        return found
    spec = shipped.load(code)
    row = Profile.objects.create(code=code, name=spec.zh, name_en=spec.en, role=spec.role, is_shipped=True)
    document = shelf.with_samples(dict(spec.document), shipped.FOLDER / code)
    shelf.put_in_force(row, document, note="shipped", actor="test", now=clock.now())
    return row


def name(connection: Connection, sort: str, **theirs: str) -> None:
    """Say what the other side calls our things: ours=theirs."""
    for ours, other in theirs.items():
        Alias.objects.create(connection=connection, sort=sort, ours=ours, theirs=other)

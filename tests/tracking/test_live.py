"""Live pages: a token opens the socket, hints arrive, and the watch lives no longer than the sockets."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from channels.layers import get_channel_layer

from tests import make
from tracking import consumers, following, links, live
from tracking.models import Journey
from tracking.sockets import patterns


class Pages:
    """Two orders' pages in memory: what the socket asks of links and database."""

    def __init__(self) -> None:
        self.revisions = {7: 3}

    def find_page(self, token: str, **_about: Any) -> Any:
        """One token is good, one has been guessed too often."""
        order = type("Order", (), {"pk": 7})()
        return links.Page(order) if token == "good" else links.Missing(too_many=token == "often")

    def asked(self, order_ids: Any) -> dict[int, tuple[int, int]]:
        """Where these pages are: revision and event."""
        return {key: (self.revisions[key], 40) for key in order_ids if key in self.revisions}


@pytest.fixture
def pages(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Pages:
    own = Pages()
    settings.EMBEDDED = True
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
    monkeypatch.setattr(links, "find_page", own.find_page)
    monkeypatch.setattr(following, "catch_up", own.asked)
    monkeypatch.setattr(following, "tail", following.Tail())
    monkeypatch.setattr(following, "follower", following.Follower())
    return own


class Socket(ApplicationCommunicator):
    """A browser's end of the socket."""

    def __init__(self) -> None:
        scope = {
            "type": "websocket",
            "path": "/ws/t/",
            "headers": [],
            "client": ("10.0.0.1", 5),
            "subprotocols": [],
        }
        super().__init__(patterns[0].callback, scope)

    async def connect(self) -> bool:
        """Whether the socket was accepted."""
        await self.send_input({"type": "websocket.connect"})
        return (await self.receive_output(2))["type"] == "websocket.accept"

    async def say(self, text: str) -> None:
        """Send a frame."""
        await self.send_input({"type": "websocket.receive", "text": text})

    async def hear(self) -> Any:
        """The next frame."""
        said = await self.receive_output(2)
        assert said["type"] == "websocket.send", said
        return json.loads(said["text"])

    async def disconnect(self) -> None:
        """Go away."""
        await self.send_input({"type": "websocket.disconnect", "code": 1000})
        await self.wait(2)


async def opened(token: str = "good", *, since: object = 0) -> Socket:
    client = Socket()
    assert await client.connect()
    await client.say(json.dumps({"token": token, "since": since}))
    return client


async def code_of(client: Socket) -> int:
    said = await client.receive_output(2)
    assert said["type"] == "websocket.close"
    return int(said["code"])


def test_what_was_missed_is_told_at_once_and_what_comes_too(pages: Pages) -> None:
    async def story() -> None:
        client = await opened(since=1)
        assert await client.hear() == {"type": "advanced", "seq": 3, "log": 40}
        pages.revisions[7] = 4
        assert await client.hear() == {"type": "advanced", "seq": 4, "log": 40}
        assert following.tail.is_running
        await client.disconnect()
        await asyncio.sleep(3 * following.POLL_SECONDS)
        assert not following.tail.is_running

    asyncio.run(story())


def test_an_up_to_date_page_hears_nothing_until_something_is_new(pages: Pages) -> None:
    async def story() -> None:
        client = await opened(since=3)
        assert await client.receive_nothing(0.3)
        await get_channel_layer().group_send(live.group(7), live.hint(9))
        assert await client.hear() == {"type": "advanced", "seq": 9, "log": 0}
        await client.disconnect()

    asyncio.run(story())


def test_two_sockets_of_a_page_both_hear(pages: Pages) -> None:
    async def story() -> None:
        first, second = await opened(since=3), await opened(since=3)
        await asyncio.sleep(0.2)
        pages.revisions[7] = 5
        for client in (first, second):
            assert (await client.hear())["seq"] == 5
        await first.disconnect()
        await asyncio.sleep(3 * following.POLL_SECONDS)
        assert following.tail.is_running
        await second.disconnect()

    asyncio.run(story())


def test_a_wrong_token_closes_the_socket(pages: Pages) -> None:
    async def story() -> None:
        assert await code_of(await opened("bad")) == 4404
        assert await code_of(await opened("often")) == 4429

    asyncio.run(story())


@pytest.mark.parametrize(
    ("text", "code"),
    [("x" * 70_000, 1009), ("not json", 4400), ("[1]", 4400)],
    ids=["large", "no-json", "list"],
)
def test_what_is_no_small_json_object_closes_the_socket(pages: Pages, text: str, code: int) -> None:
    async def story() -> None:
        client = Socket()
        await client.connect()
        await client.say(text)
        assert await code_of(client) == code

    asyncio.run(story())


def test_a_silent_socket_is_closed_and_an_open_one_is_pinged(
    pages: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers, "FIRST_WORD_SECONDS", 0.1)
    monkeypatch.setattr(consumers, "PING_SECONDS", 0.1)

    async def story() -> None:
        silent = Socket()
        await silent.connect()
        assert await code_of(silent) == 4408
        client = await opened(since=3)
        assert await client.hear() == {"type": "ping"}
        await client.disconnect()

    asyncio.run(story())


@pytest.mark.django_db
def test_touching_counts_and_revisions_are_those_of_pages_that_exist() -> None:
    make.network()
    (order,) = make.place()
    Journey.objects.create(order=order, merchant=make.merchant(), seq=1, revision=1, changed_at=make.NOW)

    live.touch([order.pk])

    assert live.revisions([order.pk, 999_999]) == {order.pk: 2}


def test_a_deaf_layer_stops_nobody(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    asked = []

    def deaf(messages: Any) -> None:
        asked.extend(messages)
        raise ConnectionError("no redis")

    monkeypatch.setattr(live, "_send", deaf)
    monkeypatch.setattr(live, "_rests_until", 0.0)

    for _time in range(2):
        live.announce([Journey(order_id=7, revision=2)])

    assert "no hint was sent: no redis" in caplog.text
    assert len(asked) == 1, "a server that is away is left alone for a while"


@pytest.mark.services
def test_with_redis_a_writer_elsewhere_reaches_the_socket(pages: Pages, settings: Any) -> None:
    settings.EMBEDDED = False
    settings.CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {"hosts": [settings.REDIS_URL], "prefix": "live-test"},
        }
    }

    async def story() -> None:
        client = await opened(since=3)
        await asyncio.sleep(0.2)
        await asyncio.to_thread(live.announce, [Journey(order_id=7, revision=8, seq=5)])
        assert await client.hear() == {"type": "advanced", "seq": 8, "log": 5}
        assert not following.tail.is_running
        await client.disconnect()

    asyncio.run(story())

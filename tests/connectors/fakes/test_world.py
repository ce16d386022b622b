"""The world as a whole: keys from the seed, its clock, its control interface, and living by itself."""

from __future__ import annotations

import threading
from io import StringIO
from typing import Any

import pytest
from defusedxml.ElementTree import fromstring
from django.core.management import CommandError, call_command

from orderhub.connectors.fakes.journal import Journal, Received
from orderhub.connectors.fakes.server import Server
from orderhub.connectors.fakes.shelf import Shelf
from orderhub.connectors.fakes.universe import Universe
from orderhub.connectors.fakes.world import World
from tests.connectors.fakes import calls
from tests.connectors.fakes.receiver import Receiver


def _keys(seed: int) -> dict[str, dict[str, str]]:
    return {code: vendor.keys for code, vendor in Universe(seed).vendors.items()}


def test_keys_come_from_the_seed_and_say_that_they_are_fake() -> None:
    assert _keys(1) == _keys(1)
    assert all(_keys(1)[code] != keys for code, keys in _keys(2).items())
    others = {"partner", "kingdee"}  # theirs are base64 by rule
    secrets = [keys["secret"] for code, keys in _keys(1).items() if "secret" in keys and code not in others]
    assert len(secrets) > 8
    assert all(secret.startswith("fake-") for secret in secrets)


def test_another_world_is_steered_from_its_address(world: World) -> None:
    other = World.connect(world.base_url)
    other.place("shopify", quiet=True)
    other.close()

    assert len(world.state("shopify")["orders"]) == 1


def test_a_reset_world_is_empty(world: World) -> None:
    calls.create(world)
    world.fault("delay")
    world.automatic()

    world.reset()

    assert world.state("qimen") == {"deliveries": [], "entries": [], "stock": {}}
    assert (world.received(), world.faults()["script"], world.about()["automatic"]["on"]) == ([], [], False)
    assert world.about()["waiting"] == 0


def test_what_was_received_is_kept_in_order(world: World) -> None:
    for number in range(3):
        calls.create(world, f"FO-{number}")
    calls.cancel(world, "FO-0")

    rows = world.received("qimen")

    assert [one["operation"] for one in rows] == ["deliveryorder.create"] * 3 + ["order.cancel"]
    assert [one["number"] for one in rows] == sorted(one["number"] for one in rows)
    assert [one["body"] for one in world.received("qimen", after=rows[2]["number"])] == [
        calls.CANCEL.format(code="FO-0")
    ]


def test_the_world_lives_by_itself(world: World, receiver: Receiver) -> None:
    world.automatic(
        channels=["shopify"], orders_per_minute=60, address_share=0, cancel_share=0, review_share=0
    )
    world.advance(30)
    sold = len(world.state("shopify")["orders"])
    assert 15 <= sold <= 60
    world.automatic(channels=[])
    calls.create(world)

    world.advance(24 * 3600)

    delivery = world.state("qimen")["deliveries"][0]
    assert delivery["state"] == "DELIVERED"
    assert {one["scans"][-1] for one in world.parcels()} == {"signed"}
    assert world.settle()
    steps = [
        fromstring(got.body).findtext("process/processStatus")
        for got in receiver.got
        if got.vendor == "qimen"
    ]
    assert steps[:3] == ["ACCEPT", "PICK", "PACKAGE"]
    assert len(world.state("shopify")["orders"]) == sold


def test_a_canceled_order_stops_the_automatic_warehouse(world: World) -> None:
    world.automatic(channels=[])
    calls.create(world)
    assert calls.SUCCESS in calls.cancel(world).text

    world.advance(24 * 3600)

    assert world.state("qimen")["deliveries"][0]["state"] == "CANCELED"
    assert world.parcels() == []


def test_a_world_that_is_stopped_leaves_things_where_they_are(world: World) -> None:
    world.automatic(channels=["shopify"], orders_per_minute=60)
    calls.create(world)

    world.automatic(False)
    world.advance(24 * 3600)

    assert world.state("qimen")["deliveries"][0]["state"] == "ACCEPT"
    assert world.state("shopify")["orders"] == []


def test_another_pace_goes_on_with_what_is_under_way(world: World) -> None:
    world.automatic(channels=[])
    calls.create(world)

    world.automatic(channels=[], pack_seconds=1)
    world.advance(24 * 3600)

    assert world.state("qimen")["deliveries"][0]["state"] == "DELIVERED"


def test_buyers_change_their_minds_by_themselves(world: World) -> None:
    world.automatic(
        channels=["taobao", "douyin"],
        orders_per_minute=60,
        address_share=0.5,
        cancel_share=0.5,
        review_share=0,
    )
    world.advance(30)
    world.automatic(channels=[])
    world.advance(600)

    taobao, douyin = (world.state(channel)["orders"] for channel in ("taobao", "douyin"))
    assert {"cancelled", "paid"} == {one["status"] for one in taobao}
    assert all(one["version"] > 1 for one in taobao)
    assert any(one["address_wanted"] for one in douyin)


def test_a_clock_may_run_faster() -> None:
    with World(seed=1, factor=100_000) as fast:
        fast.automatic(channels=[])
        calls.create(fast)
        for _look in range(100):
            if fast.state("qimen")["deliveries"][0]["state"] == "DELIVERED":
                break
            threading.Event().wait(0.02)
        assert fast.state("qimen")["deliveries"][0]["state"] == "DELIVERED"


@pytest.mark.parametrize(("headers", "status"), [
    ({"content-type": "text/plain"}, 415),
    ({"content-type": "application/json", "host": "evil.example"}, 403),
])  # fmt: skip
def test_a_web_page_cannot_steer_the_world(world: World, headers: dict[str, str], status: int) -> None:
    answer = calls.send(
        "POST",
        world.base_url + "/_world/callbacks",
        content=b'{"url":"http://10.0.0.1/"}',
        headers=headers,
    )

    assert answer.status_code == status
    assert "10.0.0.1" not in str(world.about()["vendors"])


@pytest.mark.parametrize(("path", "body"), [
    ("/nothing", {}), ("/shopify/explode", {}), ("/shopify/cancel", {"ext_id": "1"}), ("/shopify/place", {"colour": "red"}),
    ("/callbacks", {"url": "ftp://x"}), ("/clock", {"factor": -1}), ("/settings", {"vendor": "qimen", "nope": 1}),
    ("/automatic", {"channels": ["qimen"]}), ("/chance", {"probability": 2}),
])  # fmt: skip
def test_what_does_not_exist_is_said_with_400(world: World, path: str, body: dict[str, Any]) -> None:
    answer = calls.send("POST", world.base_url + "/_world" + path, json=body)

    assert answer.status_code == 400
    assert answer.json()["error"]


def test_a_path_of_no_vendor_is_not_found(world: World) -> None:
    assert calls.send("GET", world.base_url + "/amazon/orders").status_code == 404


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orderhub.connectors.fakes.journal.KEEP_BYTES", 1000)
    journal, shelf = Journal(), Shelf[int](limit=3)
    for number in range(50):
        journal.take(Received(number, "", "qimen", "", "", "", "", {}, b"x" * 100))
        shelf.put(str(number), number)

    assert len(journal.received) == 10
    assert journal.totals["qimen"] == 50
    assert list(shelf) == [47, 48, 49]


def test_the_command_prints_where_everything_is(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Universe] = []
    monkeypatch.setattr(Server, "run", lambda self, sockets: made.append(self._make()))
    out = StringIO()

    call_command(
        "fake_vendors",
        port=0,
        callback_url="http://127.0.0.1:8000/in/{vendor}/",
        seed=5,
        misbehave=0.05,
        auto=True,
        stdout=out,
    )

    lines = {line.split()[0]: line for line in out.getvalue().splitlines()[1:]}
    assert lines.keys() == {*made[0].vendors, "control"}
    assert all(
        value in lines[code] for code, vendor in made[0].vendors.items() for value in vendor.keys.values()
    )
    assert made[0].callbacks["kingdee"] == "http://127.0.0.1:8000/in/kingdee/"
    assert made[0].faults.probability == 0.05
    assert made[0].automatic.tell()["channels"] == ["taobao", "douyin", "shopify"]


@pytest.mark.parametrize("options", [
    {"port": 70_000}, {"misbehave": 1.5}, {"callback_url": "nowhere"}, {"auto": True, "channels": "nobody"}, {"factor": 0.0},
])  # fmt: skip
def test_the_command_refuses_what_cannot_work(options: dict[str, Any]) -> None:
    with pytest.raises(CommandError):
        call_command("fake_vendors", stdout=StringIO(), **{"port": 0, **options})

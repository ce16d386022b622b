"""The demo beside the systems it is connected to: its orders are sold and booked, one message and one call want a person."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from orderhub.connectors import shelf, speaking
from orderhub.connectors.fakes.world import World
from orderhub.connectors.models import Call, Connection, InboxMessage
from orderhub.kernel import clock
from orderhub.management import demo_world
from orderhub.management.demo_world import DemoWorld
from orderhub.orders.models import Order
from tests import make
from tests.connectors.fakes.receiver import Receiver
from tests.connectors.wired import Wired

pytestmark = pytest.mark.django_db


@pytest.fixture
def hub_clock() -> None:
    """Signatures are made at the machine's time, so the hub keeps it too."""


class Played(DemoWorld):
    """The demo's world whose pushes the test hands in, and whose beginning it says itself."""

    def __init__(self, receiver: Receiver) -> None:
        make.network()
        super().__init__(make.merchant(), "http://127.0.0.1:1")
        self.receiver = receiver

    def wires(self) -> Wired:
        """Hub and world as one, to be worked until both rest."""
        assert self._world is not None
        self._world.callback(self.receiver.url)
        return Wired(self._world, self.receiver)


@pytest.fixture
def played(monkeypatch: Any) -> Iterator[Played]:
    Connection.objects.update(is_active=False)
    shelf.load_shipped(now=clock.now())
    # The demo's connections are closed by the thread that waits for the hub; here the test is the hub.
    monkeypatch.setattr(DemoWorld, "_live", lambda *_args: None)
    monkeypatch.setattr(demo_world.database, "close", lambda: None)
    receiver = Receiver()
    world = Played(receiver)
    world.start()
    Connection.objects.filter(code="taobao").update(door_key="taobao")
    yield world
    world.close()
    speaking.forget_clients()
    receiver.close()


def _begin(world: World) -> None:
    demo_world.begin(world, is_new=True, goods=("LAMP",))


def test_what_a_newcomer_finds(played: Played) -> None:
    wires = played.wires()
    _begin(wires.world)
    wires.world.automatic(False)
    wires.pump(hurry=False)

    strange = InboxMessage.objects.get(state=InboxMessage.State.QUARANTINED)
    assert [fault["code"] for fault in strange.faults] == ["unknown_sku"]
    assert Order.objects.filter(channel__code="taobao").count() == 1
    dead = Call.objects.get(operation="erp_order")
    assert (dead.state, dead.answer) == (Call.State.REFUSED, "客户尚未建档")

    again = Played(played.receiver)
    again.start()
    again.close()
    assert Connection.objects.filter(code="taobao").count() == 1
    assert Connection.objects.get(code="taobao").door_key == "taobao"

"""What the hub tells other systems: built by the profile, acknowledged by the body, asked for before it is said again."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from orderhub.connectors import mending, net
from orderhub.connectors.models import Call, Connection
from orderhub.events import relay
from orderhub.events.models import Delivery
from orderhub.fulfillment import services as fulfillment
from orderhub.fulfillment.models import FulfillmentOrder
from orderhub.fulfillment.models.fulfillment import State as Work
from orderhub.kernel import clock
from orderhub.orders.models import Order
from tests import make
from tests.connectors import systems
from tests.connectors.systems import Store
from tests.make import Clock

pytestmark = pytest.mark.django_db
State = Call.State


@pytest.fixture(autouse=True)
def store(hub_clock: Clock, monkeypatch: Any) -> Store:
    make.network()
    Connection.objects.update(is_active=False)  # the make-believe warehouse would answer too
    systems.connect(systems.STORE, config={"base": "https://store.example"})
    return systems.stand_in(monkeypatch, Store())


def _release(number: str = "A1") -> Order:
    (order,) = make.place(make.draft(number))
    make.run_until_idle()
    return order


def _again(time: Clock, seconds: float = 4000) -> None:
    time.advance(seconds=seconds)
    make.run_until_idle()


def test_a_release_is_said_in_their_words_signed_and_acknowledged(store: Store) -> None:
    order = _release()

    (sent,) = store.sent
    work = FulfillmentOrder.objects.get()
    said = json.loads(sent.content)
    assert said["no"] == work.number
    assert said["rows"] == [{"sku": "LAMP", "n": 1}]
    assert "before" not in said
    assert len(sent.headers["x-sign"]) == 64
    call = Call.objects.get()
    assert (call.state, call.their_reference, call.order_id) == (State.ACKED, "J-1", order.pk)
    assert work.state == Work.ACKNOWLEDGED


def test_a_failure_in_a_200_is_no_acknowledgment(store: Store, hub_clock: Clock) -> None:
    store.answers = [lambda _request: httpx.Response(200, json={"ok": False, "why": "busy"})]
    _release()
    assert (Call.objects.get().state, FulfillmentOrder.objects.get().state) == (State.FAILED, Work.RELEASED)

    _again(hub_clock)

    call = Call.objects.get()
    assert (call.state, call.attempts) == (State.ACKED, 2)


def test_a_refusal_waits_for_a_person_in_their_words(store: Store) -> None:
    store.answers = [lambda _request: httpx.Response(200, json={"code": "BAD", "why": "no such item"})]
    _release()

    dead = Delivery.objects.get(state=Delivery.State.DEAD)
    assert "no such item" in dead.dead_reason
    call = Call.objects.get()
    assert (call.state, call.answer) == (State.REFUSED, "no such item")

    relay.replay(dead, actor="li")
    make.run_until_idle()

    assert Call.objects.get().state == State.ACKED


def test_a_call_whose_answer_never_came_is_asked_for_and_not_repeated(store: Store, hub_clock: Clock) -> None:
    def taken_and_silent(request: httpx.Request) -> httpx.Response:
        store.jobs.add(json.loads(request.content)["no"])
        raise httpx.ReadTimeout("slow", request=request)

    store.answers = [taken_and_silent]
    _release()
    assert Call.objects.get().state == State.UNKNOWN

    _again(hub_clock)

    assert store.paths == ["POST /jobs", "GET /jobs/*"]
    assert Call.objects.get().state == State.ACKED


def test_what_nobody_knows_stays_unknown_while_it_cannot_be_asked_for(store: Store, hub_clock: Clock) -> None:
    def taken_and_silent(request: httpx.Request) -> httpx.Response:
        store.jobs.add(json.loads(request.content)["no"])
        raise httpx.ReadTimeout("slow", request=request)

    def nobody(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    store.answers = [taken_and_silent, nobody, lambda _request: httpx.Response(503)]
    _release()
    for _try in range(3):
        _again(hub_clock)

    assert store.paths == ["POST /jobs", "GET /jobs/*", "GET /jobs/*", "GET /jobs/*"]
    assert Call.objects.get().state == State.ACKED


def test_a_call_that_never_arrived_is_asked_for_and_said_again(store: Store, hub_clock: Clock) -> None:
    def cut(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadError("cut", request=request)

    store.answers = [cut]
    _release()
    _again(hub_clock)

    assert store.paths == ["POST /jobs", "GET /jobs/*", "POST /jobs"]
    assert len(store.jobs) == 1


def test_a_worker_that_died_while_sending_leaves_a_call_that_is_asked_for(
    store: Store, hub_clock: Clock
) -> None:
    _release()
    Call.objects.update(state=State.SENDING)
    Delivery.objects.filter(subscriber="connectors.push").update(state="ready", attempts=0)
    make.run_until_idle()

    assert store.paths == ["POST /jobs", "GET /jobs/*"]
    assert Call.objects.get().state == State.ACKED


def test_a_cancellation_they_grant_opens_the_units_and_one_they_refuse_goes_on(store: Store) -> None:
    order = _release()
    fulfillment.cancel([order.pk], reason="customer", actor="li", now=clock.now())
    make.run_until_idle()
    assert make.fresh(order).stage == "cancelled"

    other = _release("A2")
    store.answers = [lambda _request: httpx.Response(200, json={"ok": False, "why": "picked"})]
    fulfillment.cancel([other.pk], reason="customer", actor="li", now=clock.now())
    make.run_until_idle()

    assert FulfillmentOrder.objects.get(order=other).state == Work.ACKNOWLEDGED
    refused = Call.objects.get(state=State.REFUSED)
    assert (refused.operation, refused.answer) == ("cancel", "picked")
    assert not Delivery.objects.filter(state=Delivery.State.DEAD).exists()


def test_a_system_gets_no_more_than_its_pace_and_all_of_it_in_the_end(store: Store, hub_clock: Clock) -> None:
    Connection.objects.filter(code="small_store").update(calls_per_second="2")
    make.place(*(make.draft(f"A{n}") for n in range(5)))
    make.run_until_idle()
    assert len(store.jobs) == 2

    waiting = Delivery.objects.filter(subscriber="connectors.push", state="ready")
    assert set(waiting.values_list("attempts", flat=True)) == {0}


def test_a_message_that_cannot_be_built_is_for_a_person(store: Store) -> None:
    Connection.objects.update(config={})
    _release()

    dead = Delivery.objects.get(state=Delivery.State.DEAD)
    assert "url.base: missing" in dead.dead_reason
    assert Call.objects.get().state == State.DEAD


def test_what_a_person_corrected_is_said_instead(store: Store) -> None:
    store.answers = [lambda _request: httpx.Response(200, json={"code": "BAD", "why": "bad address"})]
    _release()
    call = Call.objects.get()
    message = {
        "number": call.reference,
        "receiver": {"address": "文三路 1 号"},
        "lines": [{"sku": "LAMP", "qty": 1}],
    }

    mending.correct(call, message, actor="li", now=clock.now())
    make.run_until_idle()

    assert json.loads(store.sent[-1].content)["to"] == "文三路 1 号"
    assert Call.objects.get().state == State.ACKED


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "10.0.0.8",
        "169.254.169.254",
        "[::1]",
        "[::ffff:10.0.0.1]",
        "0.0.0.0",
        "192.168.1.1",
    ],
)
def test_an_address_in_our_own_network_is_never_called(host: str) -> None:
    with net.client(allows_private=False) as client, pytest.raises(net.Forbidden):
        net.send(client, "GET", f"https://{host}/x", headers={}, body=b"", allows_plain=False)


@pytest.mark.parametrize(
    "url", ["ftp://a.example/", "http://a.example/", "https://u:p@a.example/", "https:///x"]
)
def test_other_sorts_of_addresses_are_not_called(url: str) -> None:
    with net.client(allows_private=False) as client, pytest.raises(net.Forbidden):
        net.send(client, "GET", url, headers={}, body=b"", allows_plain=False)

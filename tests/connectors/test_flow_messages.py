"""What drawn flows tell other systems: signed, from the log, once; never into our own network."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook as Signature

from orderhub.connectors import flow_messages, net, wishes
from orderhub.connectors.kinds.webhook import kind
from orderhub.connectors.models import Connection
from orderhub.events import log
from orderhub.events.models import Delivery, Event
from orderhub.events.registry import Busy, GiveUp
from orderhub.orders import advance, journeys, kinds
from rules.flows import publishing
from rules.models import Flow
from tests.orders import builders as make
from tests.rules.test_flow_checking import standard

pytestmark = pytest.mark.django_db


@pytest.fixture
def hook() -> Connection:
    return Connection.objects.create(
        merchant=make.merchant(),
        code="crm",
        name="CRM",
        kind="webhook",
        config={"url": "https://crm.example/in"},
    )


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[httpx.Request]:
    """Requests go nowhere; what is answered is in ANSWER."""
    requests: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(ANSWER["status"], headers=ANSWER["headers"])

    monkeypatch.setattr(
        kind.net, "client", lambda **_options: httpx.Client(transport=httpx.MockTransport(answer))
    )
    monkeypatch.setitem(ANSWER, "status", 200)
    monkeypatch.setitem(ANSWER, "headers", {})
    return requests


ANSWER: dict[str, Any] = {"status": 200, "headers": {}}


def test_a_flow_that_calls_a_webhook_owes_it_one_signed_message(
    hook: Connection, sent: list[httpx.Request]
) -> None:
    content = standard(
        "screen-call", "call-look", "look-price", without="screen-price",
        call=("flow.webhook", {"connection": "crm", "operation": "review.needed"}),
        look=("flow.hold", {"reason": "manual"}),
    )  # fmt: skip
    row = Flow.objects.create(code="f", name="f", scope=f"merchant:{hook.merchant_id}", draft=content)
    publishing.publish(row, None, now=make.NOW)
    journeys.forget()
    [order] = make.placed()
    advance.advance([order.pk], now=make.NOW, actor="test")

    owed = list(Delivery.objects.filter(subscriber="connectors.flow_messages"))
    assert [delivery.destination for delivery in owed] == [str(hook.pk)]
    flow_messages.send(owed)

    [request] = sent
    body = json.loads(request.content)
    assert (str(request.url), body["type"], body["order"]) == (
        "https://crm.example/in",
        "review.needed",
        order.number,
    )
    assert body["node"] == "call"
    assert Signature(kind.secret(hook)).verify(request.content, dict(request.headers)) == body
    assert request.headers["webhook-id"] == f"event:{owed[0].event_id}/connectors.flow_messages"


def test_a_webhook_is_no_warehouse(hook: Connection) -> None:
    event = Event(merchant_id=hook.merchant_id, kind="fulfillment.released", payload={"warehouse": "SH1"})

    assert wishes.destinations([event]) == [[]]


def test_a_notice_goes_to_every_webhook_of_its_merchant_only(hook: Connection) -> None:
    other = Connection.objects.create(
        merchant=make.merchant("other"),
        code="crm",
        name="x",
        kind="webhook",
        config={"url": "https://x.example/"},
    )
    [order] = make.placed()
    payload = {"node": "n", "audience": "customer", "text": "好", "text_en": "ok"}
    log.record(
        [log.Fact(order.stream, kinds.FLOW_NOTIFIED.name, payload, order.merchant_id)],
        now=make.NOW,
        actor="test",
    )

    owed = Delivery.objects.filter(subscriber="connectors.flow_messages").values_list(
        "destination", flat=True
    )

    assert list(owed) == [str(hook.pk)]
    assert str(other.pk) not in owed


@pytest.mark.parametrize(
    "url", ["http://crm.example/", "https://user@crm.example/", "ftp://crm.example/", ""]
)
def test_only_https_addresses_are_called(hook: Connection, sent: list[httpx.Request], url: str) -> None:
    hook.config = {"url": url}

    failed = kind.Webhook().push(hook, [kind.Push("k", "x", "OH1", {})], now=make.NOW)

    assert isinstance(failed["k"], GiveUp)
    assert sent == []


@pytest.mark.parametrize("host", ["127.0.0.1", "10.1.2.3", "169.254.169.254", "192.168.1.1", "[::1]"])
def test_no_address_leads_into_our_own_network(hook: Connection, host: str) -> None:
    hook.config = {"url": f"https://{host}/in"}

    failed = kind.Webhook().push(hook, [kind.Push("k", "x", "OH1", {})], now=make.NOW)

    assert isinstance(failed["k"], GiveUp)
    assert "network" in str(failed["k"]) or "no address of a system" in str(failed["k"])


@pytest.mark.parametrize(
    ("status", "fault"), [(410, GiveUp), (302, GiveUp), (404, GiveUp), (500, net.NotSent), (429, net.NotSent)]
)
def test_a_refusal_for_good_is_not_tried_again_and_a_fault_is(
    hook: Connection, sent: Any, status: int, fault: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ANSWER, "status", status)

    failed = kind.Webhook().push(hook, [kind.Push("k", "x", "OH1", {})], now=make.NOW)

    assert type(failed["k"]) is fault
    hook.refresh_from_db()
    assert hook.is_active is (status != 410)


def test_whoever_asks_to_wait_is_left_alone_so_long(
    hook: Connection, sent: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ANSWER, "status", 503)
    monkeypatch.setitem(ANSWER, "headers", {"retry-after": "77"})

    failed = kind.Webhook().push(hook, [kind.Push("k", "x", "OH1", {})], now=make.NOW)

    assert isinstance(failed["k"], Busy)
    assert failed["k"].seconds == 77

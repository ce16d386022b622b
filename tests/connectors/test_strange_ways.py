"""Ways of systems nobody has seen, over the whole hub: kept tokens, refresh tokens that turn, packed pushes, pages, rests."""

from __future__ import annotations

import base64
import gzip
import hashlib
import hmac
import json
from datetime import timedelta
from typing import Any

import httpx
import pytest
from django.core.cache import cache
from django.test import Client

from orderhub.connectors import polling, secretbox, speaking
from orderhub.connectors.models import Call, Connection, InboxMessage, PollMark
from orderhub.fulfillment import services as fulfillment
from orderhub.fulfillment.models import FulfillmentOrder
from orderhub.kernel import clock
from orderhub.orders.models import Order
from tests import make
from tests.connectors import systems
from tests.connectors.systems import SECRET, SHOP, STORE, Store
from tests.make import Clock

pytestmark = pytest.mark.django_db
_ASKS = [*STORE["asks"], {"name": "refresh", "zh": "刷新令牌", "en": "Refresh token", "kind": "secret"}]


def _with_token(**kept: Any) -> dict[str, Any]:
    """The store, whose releases carry a token that is asked for first."""
    release = {
        **{name: part for name, part in STORE["operations"]["release"].items() if name != "query_first"},
        "headers": {"fields": [{"to": "Authorization", "from": "token", "required": True}]},
        "prepare": [{"operation": "token", "take": {"token": "access", "next": "refresh"}, **kept}],
    }  # fmt: skip
    token = {"url": "{base}/token", "form": "form", "body": {"fields": [{"to": "refresh", "from": "_config.refresh"}]},
             "ack": {"form": "json"}}  # fmt: skip
    return {
        **STORE,
        "code": "token_store",
        "asks": _ASKS,
        "operations": {"release": release, "token": token},
        "tests": [
            {
                "name": "token",
                "kind": "out",
                "operation": "token",
                "message": {},
                "config": {"base": "https://a.example"},
                "expected": {},
            }
        ],
    }


class TokenStore(Store):
    """Answers tokens, each with the next refresh token, and takes only the newest."""

    def __init__(self) -> None:
        super().__init__()
        self.tokens, self.refreshed = 0, list[str]()

    def handle(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        if request.url.path == "/token":
            self.tokens += 1
            self.refreshed.append(request.content.decode())
            return httpx.Response(
                200, json={"access": f"t{self.tokens}", "refresh": f"r{self.tokens}", "left": 3600}
            )
        if request.headers.get("authorization") != f"t{self.tokens}":
            self.sent.append(request)
            return httpx.Response(401, json={"error": "token"})
        return super().handle(request)


def _store(monkeypatch: Any, **kept: Any) -> tuple[TokenStore, Connection]:
    make.network()
    Connection.objects.update(is_active=False)
    cache.clear()
    row = systems.connect(_with_token(**kept), config={"base": "https://store.example"})
    secretbox.put(row, "refresh", "r0", now=clock.now())
    row.save()
    store = TokenStore()
    systems.stand_in(monkeypatch, store)
    return store, row


def _release(number: str) -> Order:
    (order,) = make.place(make.draft(number))
    make.run_until_idle()
    return order


def test_one_token_serves_until_it_runs_out(hub_clock: Clock, monkeypatch: Any) -> None:
    store, _row = _store(monkeypatch, keep_for="left")
    _release("A1")
    _release("A2")

    assert store.tokens == 1
    assert [call.state for call in Call.objects.all()] == [Call.State.ACKED] * 2


def test_a_token_that_is_taken_no_more_is_asked_for_anew_at_once(hub_clock: Clock, monkeypatch: Any) -> None:
    store, _row = _store(monkeypatch, keep_for="left")
    _release("A1")
    store.tokens += 1  # the other side has let go of the first one

    _release("A2")

    assert store.tokens == 3
    assert [call.state for call in Call.objects.all()] == [Call.State.ACKED] * 2


def test_a_refresh_token_that_turns_is_written_in_place_of_the_one_before(
    hub_clock: Clock, monkeypatch: Any
) -> None:
    store, row = _store(monkeypatch, keep_s=3600, rotates={"refresh": "next"})
    _release("A1")
    cache.clear()
    _release("A2")

    assert store.refreshed == ["refresh=r0", "refresh=r1"]
    row.refresh_from_db()
    assert secretbox.current(row, "refresh") == "r2"
    assert len(row.sealed_secrets["refresh"]) == 1
    assert [call.state for call in Call.objects.all()] == [Call.State.ACKED] * 2


def test_without_keeping_each_call_asks(hub_clock: Clock, monkeypatch: Any) -> None:
    store, _row = _store(monkeypatch)
    _release("A1")
    _release("A2")

    assert store.tokens == 2


def test_a_system_that_says_when_it_takes_more_is_not_asked_before(
    hub_clock: Clock, monkeypatch: Any
) -> None:
    make.network()
    Connection.objects.update(is_active=False)
    systems.connect(STORE, config={"base": "https://store.example"})
    store = systems.stand_in(monkeypatch, Store())
    store.answers = [lambda _request: httpx.Response(429, headers={"Retry-After": "30"})]
    _release("A1")
    assert len(store.sent) == 1

    hub_clock.advance(seconds=15)
    make.run_until_idle()
    assert len(store.sent) == 1

    hub_clock.advance(seconds=600)
    make.run_until_idle()
    assert Call.objects.get().state == Call.State.ACKED


@pytest.mark.parametrize("signs", ["packed", "plain"])
def test_a_packed_push_is_read_whatever_was_signed(signs: str, hub_clock: Clock) -> None:
    make.network()
    systems.shop()
    plain = json.dumps(systems.order(), ensure_ascii=False).encode()
    packed = gzip.compress(plain)
    mark = base64.b64encode(
        hmac.new(SECRET.encode(), packed if signs == "packed" else plain, hashlib.sha256).digest()
    ).decode()

    def push(body: bytes) -> int:
        return Client().post(
            "/in/corner_shop/", data=body, content_type="application/json",
            headers={"X-Shop-Signature": mark, "X-Shop-Id": "1", "X-Shop-Topic": "order", "Content-Encoding": "gzip"},
        ).status_code  # fmt: skip

    assert push(gzip.compress(plain + b" ")) == 401
    assert push(packed) == 200
    make.run_until_idle()
    assert Order.objects.get(external_id="1001").total == 18
    assert InboxMessage.objects.get().state == InboxMessage.State.APPLIED


def test_pages_are_followed_by_the_address_a_header_names_and_the_next_turn_begins_with_their_word(
    hub_clock: Clock, monkeypatch: Any
) -> None:
    make.network()
    document = {
        **SHOP, "code": "paged", "asks": [*SHOP["asks"], {"name": "base", "zh": "址", "en": "Base", "kind": "url"}],
        "operations": {"list_orders": {
            "method": "GET", "url": "{base}/orders", "map": "order", "items": "rows", "ack": {"form": "json"},
            "query": {"fields": [{"to": "after", "from": "after"}, {"to": "since", "from": "since"},
                                 {"to": "skip", "from": "offset"}]},
        }},
        "schedules": [{"name": "orders", "operation": "list_orders", "every_s": 60, "remember": "sync",
                       "next": "parameter(link(_headers.link, 'next'), 'after')"}],
    }  # fmt: skip
    row = systems.connect(document, channel=make.channel("paged"), config={"base": "https://shop.example"})
    asked: list[dict[str, str]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(dict(request.url.params))
        last = "after" in request.url.params or "since" in request.url.params
        number = 2000 + len(asked)
        link = {} if last else {"Link": '<https://elsewhere.example/orders?after=p%2F2>; rel="next"'}
        return httpx.Response(
            200, headers=link, json={"rows": [systems.order(id=number)], "sync": f"s{number}"}
        )

    client = httpx.Client(transport=httpx.MockTransport(answer))
    monkeypatch.setattr(speaking, "_client", lambda _connection: client)
    polling.prepare(row, now=clock.now())
    assert polling.run_due(now=clock.now()) == 2
    hub_clock.advance(seconds=120)
    polling.run_due(now=clock.now())

    assert asked == [{"skip": "0"}, {"after": "p/2", "skip": "1"}, {"since": "s2002", "skip": "0"}]
    mark = PollMark.objects.get()
    assert (mark.cursor, mark.last_error) == ("s2003", "")
    assert mark.next_at > clock.now() + timedelta(seconds=30)


def test_a_warehouse_with_a_system_of_its_own_is_released_to_that_one_only(
    hub_clock: Clock, monkeypatch: Any
) -> None:
    make.network()
    Connection.objects.update(is_active=False)
    store = systems.stand_in(monkeypatch, Store())
    systems.connect(STORE, config={"base": "https://all.example"})
    _release("A1")
    work = FulfillmentOrder.objects.get()
    assert store.sent[0].url.host == "all.example"

    here = systems.connect(STORE, code="here", config={"base": "https://here.example"})
    here.warehouses.add(work.warehouse)
    _release("A2")
    assert [one.url.host for one in store.sent] == ["all.example", "here.example"]

    # What the first was told of is taken back where it was told, though the warehouse has another system now.
    fulfillment.cancel([work.order_id], reason="customer", actor="li", now=clock.now())
    make.run_until_idle()
    assert (store.sent[-1].url.host, store.sent[-1].url.path.rsplit("/", 1)[-1]) == ("all.example", "stop")
    assert len(store.sent) == 3

    here.is_active = False
    here.save()
    _release("A3")
    assert store.sent[-1].url.host == "all.example"

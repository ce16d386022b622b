"""The HTTP door itself: one request, one thread; bodies too large are told so without being kept."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from django.conf import settings as hub

from orderhub.access import services as access
from orderhub.asgi import FOR_BROWSERS, Web
from orderhub.orders.models import Order
from tests import make

pytestmark = pytest.mark.django_db(transaction=True)
ORDERS = "/api/v1/orders/"


def ask(
    web: Web, path: str, *, method: str = "GET", parts: tuple[bytes, ...] = (b"",), **headers: str
) -> tuple[int, dict[str, str], bytes, int]:
    """One request through the ASGI door: status, headers, body, and how many parts were asked for."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    scope = {
        "type": "http", "method": method, "path": path, "query_string": b"", "scheme": "http", "root_path": "",
        "headers": [(k.encode(), v.encode()) for k, v in {"host": "testserver", **names}.items()],
        "client": ("127.0.0.1", 1), "server": ("testserver", 80),
    }  # fmt: skip
    asked, sent = 0, []

    async def receive() -> dict[str, Any]:
        nonlocal asked
        asked += 1
        return {"type": "http.request", "body": parts[asked - 1], "more_body": asked < len(parts)}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    asyncio.run(web(scope, receive, send))
    found = {name.decode().lower(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], found, b"".join(part.get("body", b"") for part in sent[1:]), asked


@pytest.fixture
def web() -> Any:
    """The door with one thread a pool, and its connections closed at the end."""
    door = Web(threads=1)
    yield door
    for pool in (door._api_threads, door._page_threads):
        pool.stop()


@pytest.fixture
def key() -> str:
    """The header of a merchant with a network."""
    _row, clear = access.issue_key(make.network(), name="door")
    return f"Api-Key {clear}"


def test_an_order_comes_through_the_door_whole_or_in_parts(web: Web, key: str) -> None:
    raw = json.dumps(make.order_json()).encode()

    first = ask(web, ORDERS, method="POST", parts=(raw,), authorization=key, content_type="application/json")
    again = ask(
        web,
        ORDERS,
        method="POST",
        parts=(raw[:50], raw[50:]),
        authorization=key,
        content_type="application/json",
    )

    assert (first[0], again[0]) == (201, 200)
    assert Order.objects.count() == 1


def test_a_body_of_50_mb_is_told_before_it_is_read(web: Web, key: str) -> None:
    headers = {"authorization": key, "content_type": "application/json", "content_length": str(50 * 2**20)}

    status, _headers, body, asked = ask(web, ORDERS, method="POST", **headers)

    assert (status, json.loads(body)["code"], asked) == (413, "body_too_large", 0)
    assert json.loads(body)["remedy"]


def test_a_body_without_a_length_is_cut_off_at_the_limit(web: Web, key: str, settings: Any) -> None:
    settings.API_BODY_LIMIT_BYTES = 1024 * 1024
    parts = tuple([b" " * 400_000] * 10)

    status, _headers, body, asked = ask(
        web, ORDERS, method="POST", parts=parts, authorization=key, content_type="application/json"
    )

    assert (status, json.loads(body)["code"], asked) == (413, "body_too_large", 3)


def test_a_caller_with_a_key_gets_the_same_protection_as_one_without(web: Web, key: str) -> None:
    with_key = ask(web, ORDERS, authorization=key)
    without = ask(web, ORDERS)
    wrong = ask(web, ORDERS, authorization="Api-Key wrong")

    protection = {"x-frame-options", "x-content-type-options", "referrer-policy", "content-security-policy"}
    assert (with_key[0], without[0], wrong[0]) == (200, 401, 401)
    for answer in (with_key, without, wrong):
        assert protection <= set(answer[1])


def test_what_a_key_caller_skips_are_middleware_that_exist() -> None:
    assert set(hub.MIDDLEWARE) >= FOR_BROWSERS


def test_pages_still_come_with_a_session(web: Web) -> None:
    status, headers, body, _asked = ask(web, "/login/")

    assert (status, "csrftoken" in headers.get("set-cookie", "")) == (200, True)
    assert b"<form" in body

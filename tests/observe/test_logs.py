"""Log lines are JSON that ties them together, and hold nothing personal."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from orderhub.access import request_id
from orderhub.connectors import imports
from orderhub.events import relay
from orderhub.events.models import Delivery
from orderhub.kernel import clock
from orderhub.observe.logs import JsonLines
from tests import cast, make

pytestmark = pytest.mark.django_db

CANARY_NAME, CANARY_PHONE = "金丝雀甲乙", "13912348765"


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """All that is logged, at any level, as production writes it."""
    text = io.StringIO()
    handler = logging.StreamHandler(text)
    handler.setFormatter(JsonLines())
    root, hub = logging.getLogger(), logging.getLogger("orderhub")
    before = root.level, hub.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    try:
        yield text
    finally:
        root.removeHandler(handler)
        root.setLevel(before[0])
        hub.setLevel(before[1])


def lines(text: io.StringIO) -> list[dict[str, Any]]:
    """The lines, parsed."""
    return [json.loads(line) for line in text.getvalue().splitlines()]


def test_a_line_says_when_what_and_for_which_request(written: io.StringIO) -> None:
    with request_id.bound("req-1"):
        logging.getLogger("orderhub.test").warning("hello %s", "there", extra={"order": 7, "phone": "1"})

    (line,) = lines(written)
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "level": "WARNING", "logger": "orderhub.test", "message": "hello there", "request_id": "req-1",
        "order": 7,
    }  # fmt: skip


def test_an_error_is_told_by_type_and_place_without_its_text(written: io.StringIO) -> None:
    try:
        raise ValueError(f"bad row of {CANARY_NAME}")
    except ValueError:
        logging.getLogger("orderhub.test").exception("it failed")

    (line,) = lines(written)
    assert line["error"] == "ValueError"
    assert line["trace"][-1].endswith("test_an_error_is_told_by_type_and_place_without_its_text")
    assert CANARY_NAME not in written.getvalue()


def test_each_request_is_a_line_by_its_route(written: io.StringIO) -> None:
    logging.getLogger("orderhub.web").setLevel(logging.INFO)

    Client().get("/t/a-secret-token/", headers={"X-Request-Id": "abc"})
    Client().get("/healthz")

    (line,) = [line for line in lines(written) if line["logger"] == "orderhub.web"]
    assert (line["route"], line["status"], line["method"], line["request_id"]) == (
        "tracking-page", 404, "GET", "abc",
    )  # fmt: skip
    assert line["duration_ms"] >= 0
    assert "a-secret-token" not in json.dumps(line)


def test_a_canary_never_sings(written: io.StringIO, settings: Any, tmp_path: Any, monkeypatch: Any) -> None:
    settings.MEDIA_ROOT = tmp_path
    logging.getLogger("orderhub.web").setLevel(logging.INFO)
    merchant = make.network()
    api = make.client(merchant)
    person = {**make.order_json("C1")["destination"], "name": CANARY_NAME, "phone": CANARY_PHONE}
    buyer = cast.LEI

    assert api.post("/api/v1/orders/", {**make.order_json("C1"), "destination": person}).status_code == 201
    api.post("/api/v1/orders/", {**make.order_json("C2"), "destination": {**person, "country": CANARY_NAME}})
    content = make.csv_file([("W1", buyer, {"CUP": 1})]).replace(buyer.name.encode(), CANARY_NAME.encode())
    imports.upload([("orders.csv", content)], merchant=merchant, kind="orders", actor="user:a",
                   now=clock.now(), user=None)  # fmt: skip

    def _fails(_rows: Any) -> None:
        raise RuntimeError(f"the warehouse refused {CANARY_NAME}, {CANARY_PHONE}")

    name = "orders.advance"
    broken = relay.registry.subscribers[name]
    monkeypatch.setitem(
        relay.registry.subscribers, name, type(broken)(**{
            **{field: getattr(broken, field) for field in broken.__slots__}, "handle": _fails, "max_attempts": 1,
        }),
    )  # fmt: skip
    make.run_until_idle()

    assert Delivery.objects.filter(state=Delivery.State.DEAD, last_error__contains=CANARY_NAME).exists()
    assert "needs a person" in written.getvalue()
    assert CANARY_NAME not in written.getvalue()
    assert CANARY_PHONE not in written.getvalue()

"""The Python client against the hub itself, over HTTP."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.conf import settings as hub

from orderhub.access import services
from orderhub.client import OrderHub, Problem
from orderhub.orders.models import Order
from tests import cast, make

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def key() -> str:
    """The key of a merchant with a small network."""
    return services.issue_key(make.network(), name="erp", key=hub.DEMO_API_KEY)[1]


@pytest.fixture
def client(live_server: Any, key: str) -> Iterator[OrderHub]:
    """The client with that key."""
    with OrderHub(live_server.url, key) as found:
        yield found


def body(number: str = "A-1") -> Any:
    """A new order as the client takes it."""
    return make.order_json(number)


def test_an_order_is_placed_read_and_acted_on(client: OrderHub) -> None:
    placed = client.orders_create(body())
    again = client.orders_retrieve(placed["id"])
    tag = client.etag
    same = client.orders_retrieve(placed["id"], if_none_match=tag)
    held = client.orders_hold_create(placed["id"], {"reason": "manual"}, if_match=tag)

    with pytest.raises(Problem) as late:
        client.orders_cancel_create(placed["id"], {}, if_match=tag)

    assert again is not None
    assert (placed["external_id"], again["id"], same) == ("A-1", placed["id"], None)
    assert held["stage"] == "reviewing"
    assert (late.value.status, late.value.code) == (412, "precondition_failed")
    assert late.value.remedy
    assert late.value.request_id
    assert client.orders_cancel_create(placed["id"], {}, if_match=late.value.etag)["stage"] == "cancelled"


def test_lists_are_walked_to_their_end(client: OrderHub) -> None:
    for number in range(5):
        client.orders_create(body(f"A-{number}"))

    rows = client.iter_orders(page_size=2, ordering="id", stage="received")

    assert [row["external_id"] for row in rows] == [f"A-{number}" for number in range(5)]
    assert client.skus_list(sku="LAMP", is_active=True)["count"] == 1


def test_a_refusal_names_field_code_and_remedy(client: OrderHub) -> None:
    wrong = body()
    wrong["lines"][0]["sku"] = "NO"

    with pytest.raises(Problem) as refused:
        client.orders_create(wrong)

    assert (refused.value.status, refused.value.code) == (400, "unknown_sku")
    assert refused.value.errors[0]["field"] == "lines[0].sku"
    assert refused.value.title.isascii()
    assert Order.objects.count() == 0


def test_a_file_is_uploaded(client: OrderHub, settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path
    content = make.csv_file([("W1", cast.LEI, {"CUP": 1})])

    batch = client.imports_create([("orders.csv", content)], {"kind": "orders"})

    assert client.imports_list(kind="orders")["results"][0]["id"] == batch["id"]


class Stubborn(httpx.BaseTransport):
    """A way that fails after the hub did its work, and a hub that is busy, before all goes well."""

    def __init__(self) -> None:
        self.inner, self.keys = httpx.HTTPTransport(), list[str]()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Lost, busy, then answered."""
        self.keys.append(request.headers.get("idempotency-key", ""))
        if len(self.keys) == 2:
            return httpx.Response(503, headers={"Retry-After": "0"})
        answer = self.inner.handle_request(request)
        if len(self.keys) == 1:
            answer.read()
            answer.close()
            raise httpx.ReadError("the connection was lost")
        return answer

    def close(self) -> None:
        """Give the connections back."""
        self.inner.close()


def test_an_order_whose_answer_was_lost_is_asked_for_again_and_placed_once(
    live_server: Any, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)
    way = Stubborn()

    with httpx.Client(transport=way) as http:
        placed = OrderHub(live_server.url, key, client=http).orders_create(body())

    assert Order.objects.get().pk == placed["id"]
    assert len(set(way.keys)) == 1
    assert len(way.keys[0]) == 32
    assert waits == [0.25, 0.5]


def test_a_deed_without_an_idempotency_key_is_not_repeated(live_server: Any, key: str) -> None:
    with OrderHub(live_server.url, key) as calm:
        placed = calm.orders_create(body())
    way = Stubborn()

    with httpx.Client(transport=way) as http, pytest.raises(httpx.ReadError):
        OrderHub(live_server.url, key, client=http).orders_hold_create(placed["id"], {})

    assert len(way.keys) == 1


def test_the_ten_lines_of_the_documentation_work(
    live_server: Any, key: str, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (Path(hub.BASE_DIR) / "docs/api.md").read_text("utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)

    exec(code.replace("http://localhost:8000", live_server.url), {})

    order = Order.objects.get()
    assert (order.external_id, order.stage) == ("SO-1", "reviewing")
    assert capsys.readouterr().out == f"['{order.number}']\n"

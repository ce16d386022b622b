"""The demo shop as a running hub, as its buyers, merchants and operators meet it: through its pages and its API."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests import cast
from tests.faults.hub import Process

API_KEY = "key-of-the-browser-tests-only"
PASSWORD = "word-of-the-browser-tests"
#: A day of the make-believe warehouse and carrier takes half a minute.
SPEED = 3000
#: Half a minute on two free cores; the rest is for cores that others use too.
READY_SECONDS = 150.0
Json = dict[str, Any]


@dataclass(slots=True)
class Hub:
    """A running `manage.py serve --demo` and a client of its API."""

    url: str
    process: Process
    client: httpx.Client
    _numbers: itertools.count[int] = field(default_factory=itertools.count)

    def place(
        self,
        *,
        to: cast.Buyer = cast.FANG,
        lines: Mapping[str, int] | None = None,
        price: str = "10.00",
        **fields: Any,
    ) -> Json:
        """Place an order through the API, paid unless told otherwise; `lines` are units by SKU code, at this price each."""
        rows = [
            {"sku": sku, "quantity": units, "unit_price": price}
            for sku, units in (lines or {"DEMO-001": 1}).items()
        ]
        number = f"BROWSER-{next(self._numbers):03d}"
        body = {"external_id": number, "paid": True, "destination": to.destination, "lines": rows, **fields}
        answer = self.client.post("orders/", json=body)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def order(self, order_id: int) -> Json:
        """The order as the API tells it."""
        return dict(self.client.get(f"orders/{order_id}/").raise_for_status().json())

    def orders(self, **asked: object) -> list[Json]:
        """Up to a hundred orders, newest first; `asked` are the list's filters."""
        parameters = {"page_size": "100", **{key: str(value) for key, value in asked.items()}}
        return list(self.client.get("orders/", params=parameters).raise_for_status().json()["results"])

    def events(self, order_id: int) -> list[Json]:
        """The order's log, oldest first."""
        return list(self.client.get(f"orders/{order_id}/events/").raise_for_status().json()["results"])

    def act(self, order_id: int, verb: str, **body: Any) -> Json:
        """Hold, release, reroute or cancel an order through the API."""
        answer = self.client.post(f"orders/{order_id}/{verb}/", json=body)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def when(self, order_id: int, holds: Callable[[Json], bool], *, seconds: float = 40.0) -> Json:
        """The order once the condition holds of it; fails after `seconds`."""
        until(lambda: holds(self.order(order_id)), seconds=seconds, what="the order gets there")
        return self.order(order_id)


def path_of(order: Json) -> str:
    """The path of the order's public page."""
    return "/t/" + str(order["tracking_url"]).partition("/t/")[2]


def until(holds: Callable[[], bool], *, seconds: float, what: str, every: float = 0.2) -> None:
    """Wait until the condition holds; fails after `seconds`."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"not within {seconds:.0f} s: {what}"
        time.sleep(every)


def answers(url: str) -> Callable[[], bool]:
    """Whether the hub there says that it is ready."""

    def ask() -> bool:
        try:
            return httpx.get(f"{url}/readyz", timeout=5).status_code == 200
        except httpx.HTTPError:
            return False

    return ask

"""Talking with other systems: what one signature and one mapped order cost, and how much passes the doors.

    python bench/connect.py [--rounds 2000] [--seconds 20] [--calls 3000] [--pure]

`inbound_per_s` is how many signed pushes a second, each a new order, web and workers on PostgreSQL and Redis take from eight
clients that send as fast as they are answered; `inbound_p95_ms` the time to the acknowledgment when they come at 100 a
second, while the workers make orders of them. Every push must be an order at the end.
`outbound_per_s` is how many calls a second one worker makes to a system that answers at once, kept and judged.

`verify_us` is the check of a Shopify signature over a body of 4 kB; `map_us` is the Shopify sample from its parsed tree
to our order, `read_us` the whole way from bytes to what the message means. All times are CPU of one thread, the median
of the rounds. The last line is the figures as one JSON object.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import httpx

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from django.db import transaction  # noqa: E402

from bench import house  # noqa: E402
from orderhub.connectors.fakes.world import World  # noqa: E402
from orderhub.connectors.speech import mapping, reading, shipped, signing, trees  # noqa: E402
from orderhub.connectors.speech.requests import Request  # noqa: E402

BODY_BYTES = 4096
LIMIT_VERIFY_US, LIMIT_MAP_US = 100.0, 1000.0
LIMIT_INBOUND_MS, LIMIT_OUTBOUND = 100.0, 200.0
RATE, CLIENTS = 100, 8
NOW = datetime(2026, 11, 11, 1, 31, 30, tzinfo=UTC)
SECRET = "example-secret-0001"


def microseconds(action: Callable[[], Any], rounds: int) -> float:
    """The median CPU time of a call, after ten to warm up."""
    spent = []
    for number in range(rounds + 10):
        started = time.thread_time_ns()
        action()
        if number >= 10:
            spent.append((time.thread_time_ns() - started) / 1000)
    return median(spent)


def pure(rounds: int) -> dict[str, float]:
    """The figures that need no database: verify_us, map_us, read_us."""
    shop = shipped.load("shopify")
    body = shipped.samples("shopify")("order.json")
    long = (body * (BODY_BYTES // len(body) + 1))[:BODY_BYTES]
    mark = signing.sign(shop.signatures["webhook"], Request(body=long), SECRET, {})
    signed = Request(headers={"x-shopify-hmac-sha256": mark}, body=long)
    assert reading.verify(shop, signed, [SECRET], {}, NOW).ok
    order, tree, near = shop.maps["order"], trees.read(body, "json"), mapping.around(Request(), {})
    mapped = mapping.apply(order, tree, near)
    assert not mapped.faults
    assert mapped.value["total"] == "409.94"
    request = Request(headers={"x-shopify-topic": "orders/create", "x-shopify-event-id": "e1"}, body=body)
    assert reading.parts(shop, request, {})[0].became == "mapped"
    return {
        "verify_us": round(microseconds(lambda: reading.verify(shop, signed, [SECRET], {}, NOW), rounds), 1),
        "map_us": round(microseconds(lambda: mapping.apply(order, tree, near), rounds // 4), 1),
        "read_us": round(microseconds(lambda: reading.parts(shop, request, {}), rounds // 4), 1),
    }


def wired(seconds: float, calls: int) -> dict[str, float]:
    """The figures of a running hub: inbound_per_s, inbound_p95_ms, outbound_per_s."""
    from bench.peak import hub_of, prepare

    prepare(9)  # a shop with goods; its make-believe warehouse is not needed
    key = _shop()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="orderhub-connect-")))
        url, _processes = stack.enter_context(hub_of(1, folder))
        pushes = Pushes(f"{url}/in/{key}/")
        pushes.steady(RATE, 3.0)  # warms up
        times = pushes.steady(RATE, seconds)
        per_second = pushes.flat_out(seconds / 2)
        _applied(pushes)
    return {
        "inbound_per_s": round(per_second, 1), "inbound_p95_ms": round(quantiles(times, n=20)[18] * 1000, 1),
        "outbound_per_s": round(_outbound(calls), 1),
    }  # fmt: skip


def _applied(pushes: Pushes) -> None:
    """Wait until the workers have applied every message: each is an order, none is set apart."""
    from orderhub.connectors.models import InboxMessage
    from orderhub.orders.models import Order

    sent, until = next(pushes.numbers) - 1, time.monotonic() + 300
    while InboxMessage.objects.filter(state="received").exists() and time.monotonic() < until:
        time.sleep(0.2)
    orders = Order.objects.count()
    if orders != sent or InboxMessage.objects.exclude(state="applied").exists():
        strays = list(InboxMessage.objects.exclude(state="applied").values("state", "error")[:3])
        raise SystemExit(f"{sent} pushes were taken, {orders} became orders: {strays}")


def _shop() -> str:
    """A live connection to a Shopify shop; the key of its door."""
    from orderhub.access.models import Merchant
    from orderhub.connectors import secretbox, shelf
    from orderhub.connectors.models import Connection, Profile
    from orderhub.kernel import clock
    from orderhub.orders.models import Channel

    now = clock.now()
    shelf.load_shipped(now=now)
    shop = Merchant.objects.get()
    channel, _made = Channel.objects.get_or_create(
        merchant=shop, code="shopify", defaults={"name": "Shopify"}
    )
    row = Connection(
        merchant=shop, code="shopify", name="Shopify", kind="profile", door_key="bench-door", channel=channel,
        profile=Profile.objects.get(code="shopify", merchant=None),
    )  # fmt: skip
    secretbox.put(row, "secret", SECRET, now=now)
    row.save()
    return "bench-door"


class Pushes:
    """Signed pushes of a shop, each a new order: the sample with a number of its own, goods we know, and a buyer in China."""

    def __init__(self, url: str) -> None:
        self.url, self.numbers, self.lock = url, itertools.count(1), threading.Lock()
        self.rule = shipped.load("shopify").signatures["webhook"]
        self.sample = json.loads(shipped.samples("shopify")("order.json"))
        order = self.sample.get("order", self.sample)
        for line, code in zip(order["line_items"], ("LAMP", "CUP", "QUILT"), strict=False):
            line["sku"] = code
        order["shipping_address"] |= {
            "country_code": "CN", "country": "China", "province": "上海市", "city": "上海市", "address1": "世纪大道 1 号",
            "latitude": None, "longitude": None,
        }  # fmt: skip
        order["financial_status"] = "paid"
        self.order = order

    def message(self) -> tuple[bytes, dict[str, str]]:
        """The body and the headers of the next."""
        number = next(self.numbers)
        self.order |= {"id": 7_000_000 + number, "name": f"#{number}", "order_number": number}
        body = json.dumps(self.sample).encode()
        return body, {
            "x-shopify-hmac-sha256": signing.sign(self.rule, Request(body=body), SECRET, {}),
            "x-shopify-topic": "orders/create", "content-type": "application/json", "x-shopify-event-id": f"e{number}",
        }  # fmt: skip

    def steady(self, rate: float, seconds: float) -> list[float]:
        """Send at a rate; how long after each was due it was acknowledged, in seconds."""
        begun, times = time.monotonic(), list[float]()

        def one(client: httpx.Client, number: int) -> None:
            due = begun + number / rate
            time.sleep(max(0.0, due - time.monotonic()))
            self._send(client)
            times.append(time.monotonic() - due)

        self._all(one, int(rate * seconds))
        return times

    def flat_out(self, seconds: float) -> float:
        """As many as are answered, a second."""
        begun = time.monotonic()
        sent: list[int] = []

        def one(client: httpx.Client, number: int) -> None:
            if time.monotonic() - begun < seconds:
                self._send(client)
                sent.append(number)

        self._all(one, int(seconds * 2000))
        return len(sent) / (time.monotonic() - begun)

    def _all(self, work: Callable[[httpx.Client, int], None], count: int) -> None:
        numbers = itertools.count()

        def loop() -> None:
            with httpx.Client(timeout=30) as client:
                while (number := next(numbers)) < count:
                    work(client, number)

        with ThreadPoolExecutor(CLIENTS) as pool:
            for done in [pool.submit(loop) for _client in range(CLIENTS)]:
                done.result()

    def _send(self, client: httpx.Client) -> None:
        with self.lock:
            body, headers = self.message()
        answer = client.post(self.url, content=body, headers=headers)
        if answer.status_code != 200:
            raise SystemExit(f"{answer.status_code} {answer.text[:200]}")


def _outbound(count: int) -> float:
    """Calls a second from this process to a warehouse of the fake world, each a stream of its own."""
    from orderhub.access.models import Merchant
    from orderhub.connectors import secretbox
    from orderhub.connectors.models import Call, Connection, Profile
    from orderhub.events import log, relay
    from orderhub.events.models import Delivery
    from orderhub.kernel import clock

    message = next(case.message for case in shipped.load("qimen").tests if case.operation == "release")
    with World(seed=1) as world:
        now, keys = clock.now(), world.keys("qimen")
        row = Connection(
            merchant=Merchant.objects.get(), code="qimen", name="Qimen", kind="profile", allows_private=True,
            calls_per_second=10_000, profile=Profile.objects.get(code="qimen", merchant=None),
            config={"base_url": world.url("qimen"), "app_key": keys["app_key"], "customer_id": keys["customer_id"],
                    "owner_code": "OWNER01"},
        )  # fmt: skip
        secretbox.put(row, "secret", keys["secret"], now=now)
        row.save()
        for start in range(0, count, 500):
            facts = [
                log.Fact(
                    f"bench:{number}", "system.call_wished",
                    {"connection": row.pk, "operation": "release", "reference": f"FO-{number}", "cause": "",
                     "document": {**message, "number": f"FO-{number}"}},
                    row.merchant_id,
                )
                for number in range(start, min(start + 500, count))
            ]  # fmt: skip
            with transaction.atomic():
                log.record(facts, now=now, actor="bench")
        begun = time.monotonic()
        while relay.run_queue("outbox", budget_seconds=60):
            pass
        spent = time.monotonic() - begun
        if Call.objects.filter(connection=row, state="acked").count() != count:
            waiting = Delivery.objects.filter(destination=str(row.pk)).exclude(state="done")
            raise SystemExit(f"not all were acknowledged: {list(waiting.values('state', 'last_error')[:3])}")
    return count / spent


def main() -> int:
    """Measure, print, and fail where a limit is passed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--calls", type=int, default=3000)
    parser.add_argument("--pure", action="store_true", help="Only what needs no database.")
    asked = parser.parse_args()
    if not asked.pure:
        house.services()
    figures = pure(asked.rounds)
    print(f"signature over {BODY_BYTES} bytes: {figures['verify_us']} µs")
    print(f"Shopify order, tree to ours: {figures['map_us']} µs; bytes to meaning: {figures['read_us']} µs")
    if not asked.pure:
        figures |= wired(asked.seconds, asked.calls)
        print(f"inbound {figures['inbound_per_s']}/s, p95 {figures['inbound_p95_ms']} ms at {RATE}/s")
        print(f"outbound {figures['outbound_per_s']}/s")
    print(json.dumps(figures))
    is_slow = figures["verify_us"] > LIMIT_VERIFY_US or figures["map_us"] > LIMIT_MAP_US
    is_slow |= figures.get("inbound_p95_ms", 0.0) > LIMIT_INBOUND_MS
    return int(is_slow or figures.get("outbound_per_s", LIMIT_OUTBOUND) < LIMIT_OUTBOUND)


if __name__ == "__main__":
    sys.exit(main())

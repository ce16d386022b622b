"""A merchant with shops, warehouses, an ERP and carriers in a fake world: one virtual clock for the hub and for them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Barrier
from typing import Any
from unittest import mock
from urllib.parse import urlencode

from django.core.cache import cache
from django.db import connections
from django.test import Client

from orderhub.access import limits
from orderhub.connectors import net, polling, speaking
from orderhub.connectors.fakes import clock as fake_clock
from orderhub.connectors.fakes import courier
from orderhub.connectors.fakes import shelf as fake_shelf
from orderhub.connectors.fakes.universe import Universe
from orderhub.connectors.fakes.world import World
from orderhub.connectors.models import Connection
from orderhub.events import audit, leases
from orderhub.fulfillment.models import RateCard, RateZone
from orderhub.inventory import services as inventory
from orderhub.inventory.models import Sku, Warehouse
from orderhub.kernel import clock
from tests import cast, make
from tests.connectors.fakes.receiver import Got, Receiver
from tests.connectors.wired import Wired

SHOPS = ("taobao", "douyin", "shopify", "woocommerce", "pinduoduo", "jd")
GOODS = 12
UNITS = 1_000_000
#: Carriers by their codes: SF tells its own parcels, the other one is watched by Kuaidi100.
CARDS = (("SFE", "sf", "12", "9"), ("YTO", "yuantong", "5", "30"))
#: Real seconds that a call may take here, where those who hang are cut short too.
PATIENCE_SECONDS = 0.4
_DOORS = 2
_NOT_SENT_ON = ("content-length", "host", "connection", "accept-encoding", "user-agent", "content-type")


class Doors:
    """Takes what the world pushes into the hub's doors while the hub works, on threads with connections of their own."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(_DOORS, thread_name_prefix="door")
        self.refused: dict[tuple[str, int], int] = {}

    def enter(self, got: Got) -> tuple[int, bytes]:
        """The hub's own answer to one push."""
        job: Future[tuple[int, bytes]] = self._pool.submit(self._enter, got)
        return job.result()

    def close(self) -> None:
        """Give the connections back."""
        barrier = Barrier(_DOORS)

        def leave() -> None:
            connections.close_all()
            barrier.wait(10)

        for job in [self._pool.submit(leave) for _ in range(_DOORS)]:
            job.result()
        self._pool.shutdown()

    def _enter(self, got: Got) -> tuple[int, bytes]:
        headers = {name: value for name, value in got.headers.items() if name not in _NOT_SENT_ON}
        address = f"/in/{got.vendor}/" + (f"?{urlencode(got.query)}" if got.query else "")
        kind = got.headers.get("content-type", "application/json")
        answer: Any = Client().post(address, data=got.body, content_type=kind, headers=headers)
        if answer.status_code != 200:
            key = (got.vendor, answer.status_code)
            self.refused[key] = self.refused.get(key, 0) + 1
        return answer.status_code, answer.content


class Town:
    """The world, the hub's connections to it, and the time both live by."""

    def __init__(self, world: World, doors: Doors) -> None:
        self.world, self.doors = world, doors
        universe = world._server.universe
        assert universe is not None
        self.universe: Universe = universe
        self._wires = Wired(world, Receiver.__new__(Receiver))

    def build(self) -> None:
        """Goods in three warehouses, two carriers, and a live connection to every vendor."""
        merchant = make.merchant()
        goods = [f"DAY-{number:02d}" for number in range(1, GOODS + 1)]
        Sku.objects.bulk_create(
            Sku(merchant=merchant, code=code, name=code, name_en=code, grams=400, price=Decimal("59.00"))
            for code in goods
        )
        skus = list(Sku.objects.filter(merchant=merchant))
        houses = [make.warehouse(site) for site, *_rest in cast.SITES]
        Warehouse.objects.update(phone="0571-10000000")
        inventory.set_counts(
            [(house, sku, UNITS) for house in houses for sku in skus], actor="user:test", now=clock.now()
        )
        for code, carrier, near, far in CARDS:
            card = RateCard.objects.create(
                merchant=merchant, code=code, carrier=carrier, name=code, name_en=code
            )
            RateZone.objects.create(card=card, name="near", max_km=200, first_fee=near, step_fee="1")
            RateZone.objects.create(card=card, name="far", first_fee=far, step_fee="4")
        self.world.do(
            "taobao", "set_goods", goods=[{"sku": code, "price": "59.00", "grams": 400} for code in goods]
        )
        # As long as an operator may take to try an answer again that was refused.
        self.world.settings("douyin", answer_seconds=6 * 3600)
        for house in houses:
            for code in goods:
                self.world.set_stock(house.code, code, UNITS)
        self._connect()

    def _connect(self) -> None:
        keys, base, connect = self.world.keys, self.world.base_url, self._wires.connect
        for code in ("shopify", "woocommerce"):
            self.universe.vendors[code].abroad = False  # type: ignore[attr-defined]
        k = {code: keys(code) for code in self.universe.vendors}

        def shop(code: str, config: dict[str, str], **secrets: str) -> None:
            connect(
                code, channel=make.channel(code), config={"base_url": f"{base}/{code}", **config}, **secrets
            )

        shop("taobao", {"app_key": k["taobao"]["app_key"]}, session=k["taobao"]["session"])
        shop("douyin", {"app_key": k["douyin"]["app_key"]}, access_token=k["douyin"]["access_token"])
        shop("shopify", {"api_version": "2025-01"}, access_token=k["shopify"]["access_token"])
        shop(
            "woocommerce",
            {"consumer_key": k["woocommerce"]["consumer_key"]},
            consumer_secret=k["woocommerce"]["consumer_secret"],
        )
        shop("pinduoduo", {"client_id": k["pinduoduo"]["client_id"]}, access_token=k["pinduoduo"]["session"])
        shop("jd", {"app_key": k["jd"]["app_key"]}, access_token=k["jd"]["session"])
        connect("qimen", config={
            "app_key": k["qimen"]["app_key"], "customer_id": k["qimen"]["customer_id"], "owner_code": "OWNER01",
            "base_url": f"{base}/qimen/router",
        })  # fmt: skip
        connect("kingdee", app_id=k["kingdee"]["app_id"], config={
            "base_url": f"{base}/kingdee/k3cloud", "acct_id": k["kingdee"]["acct_id"], "user_name": "hub",
            "sale_org": "100",
        })  # fmt: skip
        connect("sf", config={
            "base_url": f"{base}/sf/std/service", "partner_id": k["sf"]["partner_id"], "carriers": ["sf"],
        })  # fmt: skip
        connect("kuaidi100", secret=k["kuaidi100"]["salt"], key=k["kuaidi100"]["key"], config={
            "base_url": f"{base}/kuaidi100", "carriers": ["yuantong"], "customer": k["kuaidi100"]["customer"],
            "callback_url": self.universe.callbacks["kuaidi100"],
        })  # fmt: skip

        self.world.callback("", "jd")  # it is only asked
        for row in Connection.objects.select_related("profile__in_force"):
            polling.prepare(row, now=clock.now())

    def forgotten(self) -> list[str]:
        """What the world itself dropped for want of room: then nothing it says about the rest is worth much."""
        dropped = self.universe.courier.dropped
        return [f"{dropped} pushes were dropped by the world itself"] if dropped else []

    def connection(self, code: str) -> Connection:
        """The connection of that code."""
        return Connection.objects.select_related("profile__in_force", "merchant", "channel").get(code=code)


@contextmanager
def town(*, seed: int = 7, documents: int = 20_000) -> Iterator[Town]:
    """A hub and a world that keep the same time, which moves only when told; so many `documents` are kept of each sort."""
    doors, receiver = Doors(), Receiver()
    receiver.answer = doors.enter
    state = random.getstate()
    random.seed(seed)
    with ExitStack() as stack:
        stack.callback(random.setstate, state)
        stack.callback(receiver.close)
        stack.callback(speaking.forget_clients)
        stack.callback(doors.close)
        stack.enter_context(mock.patch.object(fake_shelf.Shelf.__init__, "__defaults__", (documents,)))
        for module in (courier, fake_clock):
            stack.enter_context(mock.patch.object(module, "WAITING_LIMIT", documents * 20))
        stack.enter_context(mock.patch.object(courier, "SHUFFLE_WAIT_SECONDS", 0.05))
        stack.enter_context(mock.patch.object(net, "TOTAL_SECONDS", PATIENCE_SECONDS))
        stack.enter_context(mock.patch.object(limits, "take", _passes))
        folder = stack.enter_context(TemporaryDirectory())
        stack.enter_context(mock.patch.object(audit, "ANCHORS", Path(folder) / "anchors.jsonl"))
        stack.enter_context(mock.patch.object(leases, "_database_offset", return_value=timedelta(0)))
        world = stack.enter_context(World(seed=seed, callback_url=receiver.url, factor=0.0, stamps="all"))
        found = Town(world, doors)
        stack.enter_context(mock.patch.object(clock, "now", found.universe.clock.now))
        cache.clear()
        yield found


def _passes(_name: str, *, rate: float, burst: int) -> limits.Verdict:
    """Pace is kept in real time, which hardly passes here; it has tests and a bench of its own."""
    return limits.Verdict(True, burst, burst, 0, 0.0)

"""What the demo is connected to: a Taobao shop and an ERP that are played beside it, in this process, and stop with it."""

from __future__ import annotations

import logging
import threading
import time
from secrets import token_urlsafe
from typing import Any

import httpx
from django.db import connection as database

from orderhub.access.models import Merchant
from orderhub.connectors import secretbox
from orderhub.connectors.fakes.world import World
from orderhub.connectors.models import Connection, InboxMessage, Profile
from orderhub.kernel import clock
from orderhub.orders.models import Channel

SEED = 20261122
#: Orders of the shop beside those of the demo's own customers; few, so that people can follow each.
ORDERS_PER_MINUTE = 1.0
#: What the shop calls an article that we know under another name: the first message a person is wanted for.
STRANGE_SKU = "QH-PILLOW-OLD"
#: Numbers of the shop's orders begin with the moment it was started at, so that no start takes one twice.
_FIRST = 2_000_000_000_000_000_000
_READY_SECONDS = 120
_log = logging.getLogger("orderhub.demo")


class DemoWorld:
    """Plays the vendors from `start` to `close`; nothing of it is left then."""

    def __init__(self, merchant: Merchant, home: str) -> None:
        self._merchant, self._home = merchant, home
        self._ended = threading.Event()
        self._world: World | None = None

    def start(self) -> str:
        """Begin to play, connect the shop to it, and let life begin once the hub answers; the address that steers it."""
        world = self._world = World(seed=SEED, stamps="wall")
        shop = self._connect(
            "taobao",
            "青禾旗舰店",
            {"app_key": world.keys("taobao")["app_key"]},
            session=world.keys("taobao")["session"],
        )
        erp = {"acct_id": world.keys("kingdee")["acct_id"], "user_name": "hub", "sale_org": "100"}
        self._connect("kingdee", "总账 ERP", erp, app_id=world.keys("kingdee")["app_id"])
        world.callback(f"{self._home}/in/{shop.door_key}/", "taobao")
        is_new = not InboxMessage.objects.filter(connection=shop).exists()
        database.close()
        threading.Thread(target=self._live, args=(world, is_new), name="demo-world", daemon=True).start()
        return world.base_url

    def close(self) -> None:
        """Stop playing."""
        self._ended.set()
        if self._world is not None:
            self._world.close()

    def _connect(self, vendor: str, name: str, config: dict[str, Any], **secrets: str) -> Connection:
        """The connection to a vendor; its address and keys are those of this start, what people changed otherwise stays."""
        assert self._world is not None
        paths = {"kingdee": "/kingdee/k3cloud", "taobao": "/taobao"}
        profile = Profile.objects.get(merchant=None, code=vendor)
        row = Connection.objects.filter(merchant=self._merchant, code=vendor).first()
        if row is None:
            row = Connection(
                merchant=self._merchant, code=vendor, name=name, kind="profile", profile=profile, allows_private=True,
            )  # fmt: skip
            if vendor == "taobao":
                row.door_key, row.channel = token_urlsafe(18), self._channel(name)
        row.config = {**row.config, **config, "base_url": f"{self._world.base_url}{paths[vendor]}"}
        for one, value in {"secret": self._world.keys(vendor)["secret"], **secrets}.items():
            if secretbox.current(row, one) != value:
                secretbox.put(row, one, value, now=clock.now())
        row.save()
        return row

    def _channel(self, name: str) -> Channel:
        found, _made = Channel.objects.get_or_create(
            merchant=self._merchant,
            code="taobao",
            defaults={"name": name, "name_en": "Qinghe flagship shop", "kind": "taobao"},
        )
        return found

    def _live(self, world: World, is_new: bool) -> None:
        """Wait for the hub, then let life begin."""
        end = time.monotonic() + _READY_SECONDS
        while not self._ended.wait(1.0) and time.monotonic() < end:
            try:
                if httpx.get(f"{self._home}/healthz", timeout=2, trust_env=False).status_code < 500:
                    break
            except httpx.HTTPError:
                continue
        if self._ended.is_set():
            return
        try:
            begin(world, is_new=is_new)
        except (httpx.HTTPError, ValueError) as fault:
            # The hub was stopped meanwhile, or somebody steers the world by hand.
            _log.info("the demo's vendors stay quiet: %s", fault)


def begin(world: World, *, is_new: bool, goods: tuple[str, ...] = ("DEMO-003",)) -> None:
    """At the first start one article nobody knows and one order the ERP refuses; then the shop sells by itself."""
    world.do("taobao", "count_from", number=_FIRST + int(time.time()) * 100)
    if is_new:
        world.fault("failure", "kingdee", times=1, code="500", message="客户尚未建档")
        world.place("taobao", lines=[{"sku": STRANGE_SKU, "quantity": 1}])
        for sku in goods:
            world.place("taobao", lines=[{"sku": sku, "quantity": 1}])
    world.automatic(
        channels=["taobao"], orders_per_minute=ORDERS_PER_MINUTE, cancel_share=0.0, review_share=0.0
    )

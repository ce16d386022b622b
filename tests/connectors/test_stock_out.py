"""Quantities in each shop's own way: one article a call where they take no more, by numbers that are looked up first."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from orderhub.connectors.models import Call, Published, StockRule
from orderhub.connectors.models.connection import Connection
from orderhub.connectors.offering import jobs, publishing
from orderhub.events.models import Delivery, Event
from orderhub.inventory import services as inventory
from orderhub.kernel import clock
from tests import make
from tests.connectors.wired import Wired, wired

pytestmark = pytest.mark.django_db(transaction=True)

#: What each shop's profile asks for, by the name of the vendor's key.
SHOPS: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "taobao": ({"app_key": "app_key"}, {"session": "session"}),
    "douyin": ({"app_key": "app_key"}, {"access_token": "access_token"}),
    "jd": ({"app_key": "app_key"}, {"access_token": "session"}),
    "pinduoduo": ({"client_id": "client_id"}, {"access_token": "session"}),
    "woocommerce": ({"consumer_key": "consumer_key"}, {"consumer_secret": "consumer_secret"}),
    "shopify": ({}, {"access_token": "access_token"}),
}
MORE = {"shopify": {"api_version": "2025-01", "location_id": "1"}}


@pytest.fixture
def town() -> Iterator[Wired]:
    with wired() as found:
        yield found


def _connect(town: Wired, vendor: str) -> Connection:
    keys, (config, secrets) = town.world.keys(vendor), SHOPS[vendor]
    return town.connect(
        vendor, channel=make.channel(vendor),
        config={**{name: keys[key] for name, key in config.items()}, **MORE.get(vendor, {})},
        **{name: keys[key] for name, key in secrets.items()},
    )  # fmt: skip


def _sell(**units: int) -> None:
    """Goods in one warehouse, on offer on every channel."""
    skus, house = make.goods(), make.warehouse()
    counts = [(house, skus[code], number) for code, number in units.items()]
    inventory.set_counts(counts, actor="user:test", now=clock.now())
    StockRule.objects.get_or_create(merchant=make.merchant())


def _tell(town: Wired) -> None:
    jobs.publish()
    town.pump()


@pytest.mark.parametrize("vendor", SHOPS)
def test_a_shop_hears_each_quantity_by_its_own_numbers(town: Wired, vendor: str) -> None:
    connection = _connect(town, vendor)
    town.world.settings(vendor, unlisted=["CUP"] if vendor not in ("jd", "douyin") else [])
    _sell(LAMP=7, QUILT=3, CUP=5)

    _tell(town)

    told = town.world.state(vendor)["stock"]
    shown = {row.sku.code: row.quantity for row in Published.objects.select_related("sku")}
    assert shown == {"LAMP": 7, "QUILT": 3, "CUP": 5}
    asked = dict(
        Call.objects.filter(connection=connection, operation="stock").values_list("reference", "state")
    )
    if vendor in ("jd", "douyin"):
        assert told == shown
        assert set(asked.values()) == {"acked"}
    else:
        # What the shop does not sell is no failure.
        assert told == {"LAMP": 7, "QUILT": 3}
        assert asked == {"LAMP #1": "acked", "QUILT #1": "acked", "CUP #1": "skipped"}
    assert not Published.objects.filter(acknowledged_at=None).exists()


def test_a_shop_that_refuses_one_article_is_told_of_the_others(town: Wired) -> None:
    _connect(town, "jd")
    town.world.settings("jd", unlisted=["CUP"])
    _sell(LAMP=7, CUP=5)

    _tell(town)

    assert town.world.state("jd")["stock"] == {"LAMP": 7}
    states = dict(Call.objects.filter(operation="stock").values_list("reference", "state"))
    assert states == {"LAMP #1": "acked", "CUP #1": "refused"}


def test_messages_cut_before_the_shop_was_connected_are_told_again_one_by_one(town: Wired) -> None:
    make.channel("taobao")
    _sell(LAMP=7, QUILT=3)
    jobs.publish()
    (many,) = Event.objects.filter(kind=publishing.facts.STOCK_PUBLISHED.name)
    assert len(many.payload["items"]) == 2
    connection = _connect(town, "taobao")
    # As if it had been owed to a system that takes many, and a new profile takes one.
    Delivery.objects.create(
        event=many, merchant=connection.merchant, subscriber="connectors.push", destination=str(connection.pk),
        stream=many.stream, not_before=clock.now(), created_at=clock.now(),
    )  # fmt: skip

    town.pump()
    _tell(town)

    told = Event.objects.filter(kind=publishing.facts.STOCK_PUBLISHED.name, pk__gt=many.pk)
    assert [len(event.payload["items"]) for event in told] == [1, 1]
    # Nobody knows yet that the first message showed nothing anywhere, so these are careful figures.
    assert town.world.state("taobao")["stock"].keys() == {"LAMP", "QUILT"}

"""Publishers, readers of movements, confirmations and reports at once, on PostgreSQL: nothing lost, nobody in a circle."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from time import monotonic
from typing import Any

import pytest
from django.db import connection

from orderhub.connectors.models import OfferChange, Published, StockRule
from orderhub.connectors.offering import marking, publishing
from orderhub.connectors.offering.publishing import Acknowledged
from orderhub.events.models import Event
from orderhub.inventory import invariants, reports, services
from orderhub.inventory.models import Stock
from orderhub.inventory.reports import Said
from orderhub.kernel import clock
from tests.orders import builders as make
from tests.orders.test_races import at_once

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]
CODES = [f"S{n}" for n in range(12)]


@pytest.fixture(autouse=True)
def _only_postgresql() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite lets one writer in at a time")


def until(deadline: float, work: Callable[[], Any]) -> Callable[[], int]:
    def run() -> int:
        done = 0
        while monotonic() < deadline:
            work()
            done += 1
        return done

    return run


def test_publishers_confirmations_and_movements_at_once_lose_nothing() -> None:
    channels = [make.channel(code) for code in ("a", "b")]
    house, skus = make.warehouse(), [make.sku(code) for code in CODES]
    StockRule.objects.create(merchant=make.merchant(), buffer="fixed")
    services.set_counts([(house, sku, 50) for sku in skus], actor="", now=clock.now())
    publishing.publish(now=clock.now())
    deadline = monotonic() + 2
    dice = random.Random(3)

    def move() -> None:
        services.set_counts([(house, dice.choice(skus), dice.randint(20, 80))], actor="", now=clock.now())

    def confirm(channel: Any) -> None:
        rows = Published.objects.filter(channel=channel).select_related("sku").order_by("?")[:8]
        items = [Acknowledged(row.sku.code, row.version) for row in rows]
        publishing.acknowledge(channel, items, at=clock.now(), now=clock.now())

    def publish() -> None:
        publishing.publish(now=clock.now())

    def touch() -> None:
        marking.mark([sku.pk for sku in dice.sample(skus, 5)], now=clock.now())

    works = [move, publish, publish, touch, lambda: confirm(channels[0]), lambda: confirm(channels[1])]
    done = at_once([until(deadline, work) for work in works])
    assert all(isinstance(count, int) and count for count in done), done

    late = clock.now() + timedelta(hours=1)  # nothing is under way any more
    for channel in channels:
        rows = Published.objects.filter(channel=channel).select_related("sku")
        items = [Acknowledged(row.sku.code, row.version) for row in rows]
        publishing.acknowledge(channel, items, at=clock.now(), now=clock.now())
    while publishing.publish(now=late):
        pass
    assert not OfferChange.objects.exists()
    told: Counter[tuple[str, str, int]] = Counter()
    for event in Event.objects.filter(kind="stock.published"):
        for item in event.payload["items"]:
            told[event.payload["channel"], item["sku"], item["version"]] += 1
    # Each version was told once, and none is missing.
    assert set(told.values()) == {1}
    for row in Published.objects.select_related("channel", "sku"):
        assert {n for c, s, n in told if (c, s) == (row.channel.code, row.sku.code)} == set(
            range(1, row.version + 1)
        )
    for stock in Stock.objects.all():
        shown = sum(Published.objects.filter(sku=stock.sku_id).values_list("quantity", flat=True))
        assert shown <= stock.on_hand


def test_the_same_report_from_two_doors_is_taken_once() -> None:
    services.set_counts([(make.warehouse(), make.sku(code), 10) for code in CODES], actor="", now=make.NOW)
    house = make.warehouse()
    house.tolerance_units = 9
    house.save()

    def take() -> bool:
        said = [Said(code, 8) for code in CODES]
        return reports.take(
            make.merchant(), "SH1", said, kind="count", reported_at=make.NOW, key="k", actor="", now=make.NOW
        ).is_repeated

    assert sorted(at_once([take, take, take])) == [False, True, True]
    assert set(Stock.objects.values_list("on_hand", flat=True)) == {8}
    assert list(invariants.movements_add_up()) == []

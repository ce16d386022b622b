"""A thousand stored decisions, made again from their own records: not one byte differs."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from django.db import transaction

from orderhub.orders.models import Order
from routing import replaying, services, strategies
from routing.models import Decision, Strategy
from tests.fulfillment import builders as make
from tests.orders import builders as orders

pytestmark = pytest.mark.django_db
SKUS = ("TEA", "CUP", "POT", "JAM")
STRATEGIES = {"tmall": "balanced", "wechat": "speed", "shop": "cost", "app": "stock"}


def place_orders(rng: random.Random) -> None:
    """250 orders of one to four lines from four channels, two of them routed one criterion after the other."""
    strategies.ensure_presets(orders.merchant(), now=make.NOW)
    for code, criteria in (("speed", ["hours", "money"]), ("stock", ["parcels", "kgco2e", "distance"])):
        saved = Strategy.objects.get(code=code)
        saved.sequence = ",".join(criteria)
        saved.save()
        strategies.save_version(saved, actor=None, now=make.NOW)
    for channel, code in STRATEGIES.items():
        Strategy.objects.get(code=code).channels.add(orders.channel(channel))
    drafts = []
    for n in range(250):
        lines = [
            orders.line(sku, quantity=rng.randint(1, 3))
            for sku in rng.sample(SKUS, rng.choice((1, 1, 2, 3, 4)))
        ]
        shop = orders.channel(rng.choice(tuple(STRATEGIES)))
        drafts.append(orders.draft(f"R{n}", lines=lines, channel=shop, green=rng.random() < 0.1))
    orders.placed(*drafts)


def test_a_thousand_stored_decisions_are_made_again_to_the_last_byte() -> None:
    rng = random.Random(4)
    for warehouse in ("SHA", "CAN", "CTU"):
        for sku in SKUS:
            make.stock(rng.randint(60, 160), at=warehouse, sku=sku)
    make.card("ground")
    make.card("air", zones=[{"first_fee": "19.50", "step_fee": "7.25", "base_hours": "6"}], max_grams=3000)
    place_orders(rng)
    statuses: set[str] = set()
    for hours in range(
        0, 8, 2
    ):  # the same orders four times, later in the day: other waits, other free slots
        with transaction.atomic():
            found = list(Order.objects.select_for_update().order_by("pk"))
            rng.shuffle(found)
            statuses |= set(services.route(found, now=make.at(hours), actor="system").values())

    decisions = list(Decision.objects.order_by("pk"))
    different = [(d.pk, r.path) for d in decisions if not (r := replaying.compare(d)).is_identical]

    assert len(decisions) == 1000
    assert different == []
    assert {"routed", "partial", "unroutable"} <= statuses
    assert Counter(d.method for d in decisions)["sequential"] > 300
    assert sum(len((d.plan or {"parcels": ()})["parcels"]) > 1 for d in decisions) > 50

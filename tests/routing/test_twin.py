"""The twin: real orders routed again, faithful to what happened, under other figures, touching nothing."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db.models import Model

from orderhub.events.models import Event
from orderhub.fulfillment.models import FulfillmentOrder
from orderhub.inventory import services as inventory
from orderhub.inventory.models import Movement, Stock, WarehouseDay
from orderhub.kernel import clock
from orderhub.orders import services as orders
from orderhub.orders.models import Order
from routing import strategies
from routing.models import Decision, Strategy, StrategyVersion
from routing.twin import service
from routing.twin.models import TwinRun
from tests import cast, make

pytestmark = pytest.mark.django_db
BUYERS = (cast.FANG, cast.LEI, cast.MEI)


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Iterator[make.Clock]:
    """The hub's clock, moved by the test."""
    moved = make.Clock()
    monkeypatch.setattr(clock, "now", moved.now)
    yield moved


def a_week(time: make.Clock, *, count: int = 40, days: int = 6, seed: int = 5) -> list[Order]:
    """Orders one by one over some days, through the whole journey, on stock that gets scarce."""
    chance = random.Random(seed)
    house = make.merchant()
    make.channel(owner=house)
    make.rate_card(owner=house)
    make.stock({"HGH": {"LAMP": 9, "CUP": 14, "QUILT": 4}, "CAN": {"LAMP": 14, "CUP": 9, "QUILT": 6},
                "CTU": {"LAMP": 12, "CUP": 30, "QUILT": 9}})  # fmt: skip
    found: list[Order] = []
    for number in range(count):
        time.advance(seconds=days * 86400 / count)
        codes = chance.sample(["LAMP", "CUP", "QUILT"], chance.choice((1, 1, 2, 3)))
        lines = {code: chance.choice((1, 1, 2)) for code in codes}
        found += make.place(make.draft(f"T{number}", to=chance.choice(BUYERS), lines=lines))
        make.run_until_idle()
    time.advance(hours=1)
    return found


def default() -> Strategy:
    return Strategy.objects.get(merchant=make.merchant(), is_default=True)


def figures(**changes: Any) -> dict[str, Any]:
    version = strategies.in_force(default())
    assert version is not None
    return {**version.values, **changes}


def replayed(days: int = 7, **changes: Any) -> TwinRun:
    run = service.start(default(), figures(**changes), days)
    service.work()
    run.refresh_from_db()
    assert run.state == TwinRun.State.DONE, (run.state, run.error, run.error_facts)
    return run


def test_the_same_figures_do_what_was_really_done(time: make.Clock) -> None:
    placed = a_week(time)

    result = replayed().result

    assert result is not None
    assert result["orders"] == len(placed)
    fidelity = result["fidelity"]
    assert (fidelity["plans"], fidelity["same"]) == (Decision.objects.count(), Decision.objects.count())
    assert fidelity["cost_gap"] == 0
    assert result["changed"] == 0

"""A week of orders for the twin's tests: through the whole journey, one by one, on stock that gets scarce."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

from orderhub.orders import services as orders
from orderhub.orders.advance import advance
from orderhub.orders.models import Order
from routing import strategies
from routing.models import Strategy
from routing.twin import service
from routing.twin.models import TwinRun
from tests import cast, make

BUYERS = (cast.FANG, cast.LEI, cast.MEI)
STOCK = {
    "HGH": {"LAMP": 6, "CUP": 9, "QUILT": 1},
    "CAN": {"LAMP": 9, "CUP": 6, "QUILT": 2},
    "CTU": {"LAMP": 8, "CUP": 20, "QUILT": 2},
}
CODES = ("LAMP", "CUP", "QUILT")


def shop(stock: dict[str, dict[str, int]] = STOCK, *, now: datetime = make.NOW, **fields: Any) -> None:
    """Alice's warehouses with that stock; `fields` are the warehouses'."""
    make.channel()
    make.rate_card()
    for site in stock:
        make.warehouse(site, **fields)
    make.stock(stock, now=now)


def ordered(number: int, lines: dict[str, int], *, now: datetime, to: cast.Buyer = cast.FANG) -> Order:
    """One order through the journey: routed, reserved and released if there is stock."""
    draft = make.draft(f"T{number}", to=to, lines=lines, placed_at=now, paid_at=now)
    [placed] = orders.place([draft], merchant=make.merchant(), actor="api:test", now=now, source="api")
    assert placed.order is not None
    advance([placed.order.pk], now=now, actor="system")
    return make.fresh(placed.order)


def a_week(*, count: int = 24, days: int = 6, seed: int = 5) -> datetime:
    """So many orders over some days; the moment after the last."""
    chance = random.Random(seed)
    now = make.NOW
    for number in range(count):
        now += timedelta(seconds=days * 86400 // count)
        codes = chance.sample(CODES, chance.choice((1, 1, 2, 3)))
        lines = {code: chance.choice((1, 1, 2)) for code in codes}
        ordered(number, lines, now=now, to=chance.choice(BUYERS))
    return now + timedelta(hours=1)


def default() -> Strategy:
    """The strategy in force."""
    return Strategy.objects.get(merchant=make.merchant(), is_default=True)


def figures(**changes: Any) -> dict[str, Any]:
    """The figures in force with changes."""
    version = strategies.in_force(default())
    assert version is not None
    return {**version.values, **changes}


def replayed(now: datetime, days: int = 7, **changes: Any) -> TwinRun:
    """A finished run of changed figures up to that moment."""
    run = service.start(default(), figures(**changes), days, now=now)
    service.work(now)
    run.refresh_from_db()
    return run


def result_of(now: datetime, days: int = 7, **changes: Any) -> dict[str, Any]:
    """Its result."""
    run = replayed(now, days, **changes)
    assert run.state == TwinRun.State.DONE, (run.state, run.error, run.error_facts)
    assert run.result is not None
    return dict(run.result)

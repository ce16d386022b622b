"""Worlds of the routing protocol played from end to end: rules kept, prices scaled, odd worlds survived."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from django.core.management import call_command

from routing.world.door import serve
from tests.routing.small_world import Checked, Message, small_world, stream, times


def test_a_world_with_waves_breaks_no_rule_and_waves_change_something() -> None:
    world = small_world(per_day=30)
    checked = Checked(world)
    checked.play(stream(world))
    assert checked.changed > 0


def test_the_same_world_in_another_currency_gets_the_same_plans() -> None:
    world = {**small_world(2), "wave_hours": None}
    one, seven = Checked(world), Checked(times(world, 7.0))
    cost = one.play(stream(world, 2))
    assert seven.play(stream(world, 2)) == pytest.approx(7 * cost, rel=1e-6)
    assert seven.plans == one.plans


def test_prices_and_waves_save_money_over_several_streams() -> None:
    alone = planned = 0.0
    for seed in (1, 2):
        world = {**small_world(seed, per_day=30, fill=1.0), "wave_hours": 12}
        alone += Checked({**world, "foresight": False, "wave_hours": None}).play(
            stream({**world, "wave_hours": None}, seed)
        )
        planned += Checked(world).play(stream(world, seed))
    assert planned < alone


@pytest.mark.parametrize("factor", [2.0, 0.5])
def test_a_forecast_wrong_by_two_does_no_great_harm(factor: float) -> None:
    alone = priced = 0.0
    for seed in (4, 5):
        world = {**small_world(seed), "wave_hours": None}
        messages = list(stream(world, seed))
        wrong = {**world, "forecast": {**world["forecast"]}}
        wrong["forecast"]["units_per_day"] *= factor
        wrong["forecast"]["orders_per_day"] *= factor
        alone += Checked({**world, "foresight": False}).play(iter(messages))
        priced += Checked(wrong).play(iter(messages))
    assert priced < alone * 1.01


def test_tight_capacity_and_an_outage_are_kept() -> None:
    world = {**small_world(3, slots=9), "wave_hours": 12}
    checked = Checked(world)
    closed = {"type": "capacity", "t": 30.0, "warehouse": "N1", "parcels_per_day": 0}
    opened = {**closed, "t": 50.0, "parcels_per_day": 9}
    messages = sorted([*stream(world, 3), closed, opened], key=lambda m: (m["t"], RANK[m["type"]]))
    checked.play(iter(messages))
    assert any(p["warehouse"] == "DROP" for plan in checked.plans.values() for p in plan)


RANK = {"wave": 0, "receipt": 1, "day": 2, "capacity": 3, "order": 4}


def _no_stock(world: Message) -> None:
    world["forecast"]["planned_receipt"] = [[0] * 6 for _ in range(3)]


def _no_forecast(world: Message) -> None:
    del world["forecast"]


def _little(world: Message) -> None:
    for key in ("promise", "packaging", "protocol"):
        del world[key]
    for row in world["cities"]:
        del row["remote"]


def _null_lanes(world: Message) -> None:
    world["lanes"]["hours"]["air"] = [[None] * 5 for _ in range(3)]
    world["lanes"]["hours"]["road"][0] = [None] * 5


def _no_daily_orders(world: Message) -> None:
    world["forecast"]["orders_per_day"] = 0
    world["forecast"]["next_receipts_h"] = []


def _thin_forecast(world: Message) -> None:
    world["forecast"] = {key: world["forecast"][key] for key in ("units_per_day", "share_ppm")}


@pytest.mark.parametrize(
    "change", [_no_stock, _no_forecast, _little, _null_lanes, _no_daily_orders, _thin_forecast]
)
def test_odd_worlds_are_answered(change: Any) -> None:
    full = {**small_world(4, per_day=15), "wave_hours": 12}
    messages = list(stream(full, 4))
    world = {**small_world(4, per_day=15), "wave_hours": 12}
    change(world)
    if change is _no_stock:
        messages = [m if m["type"] != "receipt" else {**m, "stock": []} for m in messages]
    checked = Checked(world)
    checked.play(iter(messages))
    assert len(checked.plans) == 45


def test_long_orders_are_whole_and_left_alone_by_waves() -> None:
    world = small_world(5)
    world["skus"] = [{"id": f"K{s}", "grams": 100 + 50 * s, "cm3": 300} for s in range(20)]
    world["forecast"]["share_ppm"] = [[10_000] * 20 for _ in range(5)]
    world["forecast"]["planned_receipt"] = [[4] * 20 for _ in range(3)]
    checked = Checked(world)
    first = [["N0", f"K{s}", 3] for s in range(12)] + [["N1", f"K{s}", 3] for s in range(6, 20)]
    lines = [{"sku": f"K{s}", "qty": 1 + s % 2} for s in range(15)]
    orders = [{"type": "order", "id": f"L{n}", "t": 1.0 + n, "city": "T1", "lines": lines} for n in range(2)]
    short = [
        {"type": "order", "id": f"S{n}", "t": 4.0, "city": "T2", "lines": lines[n : n + 2]} for n in range(4)
    ]
    messages = [{"type": "receipt", "t": 0.0, "stock": first}, {"type": "day", "t": 0.0, "day": 0}]
    checked.play(iter([*messages, *orders, *short, {"type": "wave", "wave": 1, "t": 6.0}]))
    assert len(checked.plans) == 6


def test_the_door_speaks_one_answer_per_question_and_starts_afresh_with_a_second_world() -> None:
    world = {**small_world(6, per_day=5), "unknown": 1}
    messages = [world, *stream(world, 6), world]
    waiting: list[str] = []
    for message in messages:
        if message["type"] == "order":
            waiting.append(message["id"])
        elif message["type"] == "wave":
            message["orders"], waiting = waiting, []
    out = io.StringIO()
    given = [
        json.dumps(m) + "\n" for m in [*messages, {"type": "gossip"}, {"type": "end"}, {"type": "world"}]
    ]
    serve(given, out)
    kinds = [
        "type" if "type" in m else "order" if "order" in m else "wave"
        for m in map(json.loads, out.getvalue().splitlines())
    ]
    asked = [m["type"] for m in messages if m["type"] in ("world", "order", "wave")]
    assert kinds == ["type" if kind == "world" else kind for kind in asked]


def test_the_command_reads_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    given = io.TextIOWrapper(io.BytesIO((json.dumps(small_world()) + '\n{"type":"end"}\n').encode()))
    raw = io.BytesIO()
    monkeypatch.setattr("sys.stdin", given)
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(raw))
    call_command("route_world")
    assert json.loads(raw.getvalue()) == {"type": "ready"}

"""The door of a wave: what it reads, what it answers, and how it refuses what it cannot read."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from routing.world import wavedoor

ROOT = Path(__file__).resolve().parents[2]

INSTANCE: dict[str, Any] = {
    "format": "orderhub-wave/1",
    "name": "three",
    "time_limit_s": 60,
    "warehouses": [{"id": "W01", "parcel_capacity": 1}, {"id": "W02", "parcel_capacity": 9}],
    "stock_units": {"A": {"W01": 2, "W02": 1}, "B": {"W01": 5}},
    "drop_ship": {"parcel_cost_fen": 3000, "unit_cost_fen": 600},
    "orders": [
        {
            "id": "O1",
            "lines": [{"line": 1, "sku": "A", "units": 2}, {"line": 4, "sku": "B", "units": 1}],
            "parcel_cost_fen": [900, 1200],
            "unit_cost_fen": [50, 60],
        },
        {
            "id": "O2",
            "lines": [{"line": 1, "sku": "A", "units": 1}],
            "parcel_cost_fen": [1000, 1500],
            "unit_cost_fen": [50, 60],
        },
        {
            "id": "O3",
            "lines": [{"line": 7, "sku": "C", "units": 3}],
            "parcel_cost_fen": [100, 100],
            "unit_cost_fen": [1, 1],
        },
    ],
}


def test_the_answer_is_the_best_plan_with_its_proof() -> None:
    answer = json.loads(wavedoor.plan_text(json.dumps(INSTANCE)))
    assert answer["format"] == "orderhub-wave-plan/1"
    assert answer["plans"] == [
        {"order": "O1", "parcels": [{"warehouse": "W01", "lines": [1, 4]}]},
        {"order": "O2", "parcels": [{"warehouse": "W02", "lines": [1]}]},
        {"order": "O3", "parcels": [{"warehouse": "DROP", "lines": [7]}]},
    ]
    cost = (900 + 3 * 50) + (1500 + 60) + (3000 + 3 * 600)
    assert cost - 40 <= answer["lower_bound_fen"] <= cost


def test_no_orders_are_an_empty_plan() -> None:
    empty = INSTANCE | {"orders": []}
    assert json.loads(wavedoor.plan_text(json.dumps(empty)))["plans"] == []


def _broken(*path: str | int, value: Any = None, drop: bool = False) -> str:
    data = copy.deepcopy(INSTANCE)
    place: Any = data
    for key in path[:-1]:
        place = place[key]
    if drop:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return json.dumps(data)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not one JSON value"),
        ("[1, 2]", "not an object of format"),
        (_broken("format", value="orderhub-wave/2"), "not an object of format"),
        (_broken("stock_units", drop=True), "missing: 'stock_units'"),
        (_broken("time_limit_s", value=0), "time_limit_s"),
        (_broken("time_limit_s", value="5"), "time_limit_s"),
        (_broken("warehouses", 1, "id", value="W01"), "must differ"),
        (_broken("warehouses", 1, "id", value="DROP"), "must differ"),
        (_broken("warehouses", 0, "parcel_capacity", value=-1), "parcel_capacity of W01"),
        (_broken("stock_units", "A", "W01", value=1.5), "stock of A at W01"),
        (_broken("stock_units", "A", "W09", value=1), "unknown warehouse 'W09'"),
        (_broken("orders", 0, "lines", 0, "units", value=0), "units of order O1"),
        (_broken("orders", 0, "lines", 0, "units", value=True), "units of order O1"),
        (_broken("orders", 0, "lines", 1, "line", value=1), "different numbers"),
        (_broken("orders", 0, "lines", value=[]), "1 to 8 lines"),
        (_broken("orders", 1, "id", value="O1"), "order ids must differ"),
        (_broken("orders", 0, "parcel_cost_fen", value=[1]), "parcel_cost_fen of order O1 must list 2"),
        (_broken("orders", 0, "unit_cost_fen", 0, value="x"), "unit_cost_fen of order O1"),
        (_broken("orders", 0, "unit_cost_fen", 0, value=-3), "unit_cost_fen must lie"),
        (_broken("orders", value=3), "orders must be a list"),
        (_broken("orders", 0, value=7), "wrong type"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(text: str, words: str) -> None:
    with pytest.raises(wavedoor.BadInstance, match=words):
        wavedoor.read(text)


def _command(given: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", "route_wave"],
        cwd=ROOT,
        input=given,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_command_plans_from_standard_input_to_standard_output() -> None:
    done = _command(json.dumps(INSTANCE))
    assert done.returncode == 0, done.stderr
    assert [plan["order"] for plan in json.loads(done.stdout)["plans"]] == ["O1", "O2", "O3"]


def test_the_command_says_on_standard_error_why_it_cannot() -> None:
    done = _command(_broken("orders", drop=True))
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == "route_wave: a field is missing: 'orders'\n"

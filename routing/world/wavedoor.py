"""The door of a wave: one instance as JSON on standard input, one plan as JSON on standard output.

Reads `orderhub-wave/1` and writes `orderhub-wave-plan/1`; the planning itself is `routing.engine.wave`.
Nothing of the framework is imported, so that a short limit is not spent on starting.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from routing.engine.wave.model import UNLIMITED, Solved, Wave, WaveOrder
from routing.engine.wave.solve import solve

FORMAT = "orderhub-wave/1"
PLAN_FORMAT = "orderhub-wave-plan/1"
DROP = "DROP"
MAX_LINES = 8
_MAX_FEN = 10**9
_GOOD_ENOUGH = 0.002  # gap at which the rest of the time is given back


class BadInstance(ValueError):
    """The instance cannot be read; the message says where and why."""


@dataclass(frozen=True, slots=True)
class Instance:
    """A wave with the names to answer with: order ids, line numbers per order, warehouse ids (the last is DROP)."""

    wave: Wave
    orders: list[str]
    lines: list[tuple[int, ...]]
    houses: list[str]
    seconds: float


def read(text: bytes | str) -> Instance:
    """Parse one instance; raises BadInstance with the field at fault."""
    try:
        data = json.loads(text)
    except ValueError as problem:
        raise BadInstance(f"the input is not one JSON value: {problem}") from None
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise BadInstance(f"the input is not an object of format {FORMAT!r}")
    try:
        return _instance(data)
    except KeyError as problem:
        raise BadInstance(f"a field is missing: {problem}") from None
    except (TypeError, AttributeError, IndexError, OverflowError) as problem:
        raise BadInstance(f"a field has the wrong type or size: {problem}") from None


def _whole(value: Any, what: str, *, low: int = 0, high: int = _MAX_FEN) -> int:
    if type(value) is not int or not low <= value <= high:
        raise BadInstance(f"{what} must be a whole number from {low} to {high}, not {str(value)[:40]!r}")
    return value


def _instance(data: Mapping[str, Any]) -> Instance:
    houses = [str(house["id"]) for house in data["warehouses"]]
    if len(set(houses)) != len(houses) or DROP in houses:
        raise BadInstance(f"warehouse ids must differ from each other and from {DROP!r}")
    capacity = [_whole(h["parcel_capacity"], f"parcel_capacity of {h['id']}") for h in data["warehouses"]]
    limit = data["time_limit_s"]
    if isinstance(limit, bool) or not isinstance(limit, int | float) or not 0 < limit < 1e6:
        raise BadInstance(f"time_limit_s must be a positive number of seconds, not {str(limit)[:40]!r}")
    skus: dict[str, int] = {sku: i for i, sku in enumerate(data["stock_units"])}
    names, numbers, lines = _lines(data["orders"], skus)
    stock = np.zeros((len(houses) + 1, max(len(skus), 1)), dtype=np.int64)
    column = {house: i for i, house in enumerate(houses)}
    for sku, cells in data["stock_units"].items():
        for house, units in cells.items():
            if house not in column:
                raise BadInstance(f"stock_units of {sku} names an unknown warehouse {house!r}")
            stock[column[house], skus[sku]] = min(_whole(units, f"stock of {sku} at {house}"), UNLIMITED - 1)
    stock[-1] = UNLIMITED
    free = np.minimum(np.array([*capacity, UNLIMITED], dtype=np.int64), UNLIMITED)
    costs = _costs(data, lines, len(houses))
    orders = [WaveOrder(tuple(each), cost) for each, cost in zip(lines, costs, strict=True)]
    return Instance(Wave(orders, stock, free), names, numbers, [*houses, DROP], float(limit))


def _lines(
    orders: Any, skus: dict[str, int]
) -> tuple[list[str], list[tuple[int, ...]], list[list[tuple[int, int]]]]:
    """Order ids, line numbers and (SKU index, units); SKUs without stock are added to the index."""
    if not isinstance(orders, list):
        raise BadInstance("orders must be a list")
    names, numbers, lines = [], [], []
    for order in orders:
        name = order["id"]
        each = [
            (skus.setdefault(line["sku"], len(skus)), _whole(line["units"], f"units of order {name}", low=1))
            for line in order["lines"]
        ]
        which = tuple(_whole(line["line"], f"line of order {name}") for line in order["lines"])
        if not each or len(each) > MAX_LINES or len(set(which)) != len(which):
            raise BadInstance(f"order {name} must have 1 to {MAX_LINES} lines with different numbers")
        names.append(name)
        numbers.append(which)
        lines.append(each)
    if len(set(names)) != len(names):
        raise BadInstance("order ids must differ from each other")
    return names, numbers, lines


def _costs(data: Mapping[str, Any], lines: list[list[tuple[int, int]]], houses: int) -> list[np.ndarray]:
    """Cost in fen of every subset of lines from every warehouse and from drop-ship, [1 << L, houses + 1] per order."""
    drop = data["drop_ship"]
    drop_parcel = _whole(drop["parcel_cost_fen"], "parcel_cost_fen of drop_ship")
    drop_unit = _whole(drop["unit_cost_fen"], "unit_cost_fen of drop_ship")
    parcel = _table(data["orders"], "parcel_cost_fen", houses, drop_parcel)
    unit = _table(data["orders"], "unit_cost_fen", houses, drop_unit)
    result: list[np.ndarray] = [np.zeros(0)] * len(lines)
    length = np.array([len(each) for each in lines])
    for size in np.unique(length):
        where = np.flatnonzero(length == size)
        units = np.array([[units for _, units in lines[i]] for i in where], dtype=float)
        member = np.arange(1 << size)[:, None] >> np.arange(size) & 1
        cost = parcel[where, None, :] + (units @ member.T)[:, :, None] * unit[where, None, :]
        cost[:, 0] = np.inf
        for i, each in zip(where, cost, strict=True):
            result[i] = each
    return result


def _table(orders: list[Any], key: str, houses: int, drop: int) -> np.ndarray:
    """One cost list per order with the drop-ship cost at its end: [orders, houses + 1]."""
    rows = [order[key] for order in orders]
    for order, row in zip(orders, rows, strict=True):
        if not isinstance(row, list) or len(row) != houses:
            raise BadInstance(f"{key} of order {order['id']} must list {houses} numbers")
        if not all(type(value) is int for value in row):
            raise BadInstance(f"{key} of order {order['id']} must list whole numbers")
    table = np.array(rows, dtype=float).reshape(len(rows), houses)
    if table.size and not (table.min() >= 0 and table.max() <= _MAX_FEN):
        raise BadInstance(f"{key} must lie between 0 and {_MAX_FEN}")
    return np.concatenate([table, np.full((len(rows), 1), float(drop))], axis=1)


def write(instance: Instance, solved: Solved) -> str:
    """The plan as JSON text."""
    plans = [
        {"order": name, "parcels": [_parcel(instance.houses[node], subset, numbers) for node, subset in plan]}
        for name, numbers, plan in zip(instance.orders, instance.lines, solved.plans, strict=True)
    ]
    answer = {"format": PLAN_FORMAT, "lower_bound_fen": int(np.floor(solved.lower_bound)), "plans": plans}
    return json.dumps(answer, separators=(",", ":"))


def _parcel(house: str, subset: int, numbers: tuple[int, ...]) -> dict[str, Any]:
    return {"warehouse": house, "lines": [n for position, n in enumerate(numbers) if subset >> position & 1]}


def plan_text(text: bytes | str, *, spent: float = 0.0) -> str:
    """Read, plan within the instance's own limit, write; ``spent`` are the seconds of the limit already used."""
    began = time.monotonic()
    instance = read(text)
    spent += time.monotonic() - began
    left = instance.seconds - spent - _reserve(instance.seconds, len(instance.orders), spent)
    solved = solve(instance.wave, seconds=max(left, 0.2), gap=_GOOD_ENOUGH)
    return write(instance, solved)


def _reserve(limit: float, orders: int, spent: float) -> float:
    """Seconds kept back for writing, ending and a busy machine: more where starting and reading took long already."""
    share = orders / 10_000
    slow = min(max(spent / (1.0 + 0.8 * share), 1.0), 4.0)
    return min(0.5 * limit, (0.8 + 0.3 * share) * slow + 0.02 * limit)


def age_seconds() -> float:
    """Seconds since this process was started, reading what the kernel knows; half a second where it does not say."""
    try:
        fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
        up = float(Path("/proc/uptime").read_text().split()[0])
        return max(up - int(fields[19]) / os.sysconf("SC_CLK_TCK"), 0.0)
    except (OSError, ValueError, IndexError):
        return 0.5


def main() -> int:
    """The whole command: standard input to standard output; messages and a status other than 0 when it cannot."""
    gc.disable()  # many small objects, none of them in circles: collecting costs a tenth of the reading
    text = sys.stdin.buffer.read()
    try:
        answer = plan_text(text, spent=age_seconds())
    except BadInstance as problem:
        sys.stderr.write(f"route_wave: {problem}\n")
        return 2
    sys.stdout.write(answer + "\n")
    sys.stdout.flush()
    return 0

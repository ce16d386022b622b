"""How near to the best possible waves of orders are planned, and in what time.

Makes waves of its own (30 warehouses, 500 SKUs, scarce or ample stock), sends each through the same door as
`manage.py route_wave`, counts cost and limits again from the answer alone, and holds the cost against a lower bound
proven beside it: prices from the same subgradient steps with far more of them, then the bound worked out anew in
whole numbers, one order and one plan at a time. Seconds are the wall clock of the whole process.

    .venv/bin/python bench/wave.py [--seed 5] [--slow 3]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench.house import end_with  # noqa: E402
from routing.engine.wave.bound import climb  # noqa: E402
from routing.engine.wave.shape import FRACTIONS, shape  # noqa: E402
from routing.world import wavedoor  # noqa: E402

CASES = {"1k": (1_000, "tight", 5), "10k_slack": (10_000, "slack", 12), "10k_tight": (10_000, "tight", 22)}
HOUSES, SKUS = 30, 500


def make(orders: int, stock: str, seed: int, limit: float) -> dict[str, Any]:
    """One instance: towns on a map, a few SKUs that everybody wants and many that few want."""
    random = np.random.default_rng([seed, orders, stock == "tight"])
    towns, houses = random.random((40, 2)), random.random((HOUSES, 2))
    popularity = (np.arange(SKUS) + 2.0) ** -1.1
    popularity /= popularity.sum()
    place = towns[random.integers(0, len(towns), orders)] + random.normal(0, 0.02, (orders, 2))
    far = np.hypot(*(place[:, None] - houses).transpose(2, 0, 1))
    parcel = np.rint(500 + 1900 * far + random.uniform(0, 300, HOUSES)).astype(int)
    unit = np.rint(30 + 50 * far + random.uniform(0, 50, HOUSES)).astype(int)
    lines = []
    for _ in range(orders):
        skus = random.choice(SKUS, int(random.integers(2, 4)), replace=False, p=popularity)
        lines.append([(int(sku), int(random.integers(1, 4))) for sku in skus])
    demand = np.bincount([s for each in lines for s, _ in each], [q for each in lines for _, q in each], SKUS)
    share = random.random((SKUS, HOUSES)) * (random.random((SKUS, HOUSES)) < 0.6)
    wanted = 1.2 * share / (share.sum(axis=1, keepdims=True) + 1e-9) * demand[:, None]
    extra = random.integers(0, 2, share.shape) if stock == "tight" else np.full(share.shape, 2.5)
    units = np.floor(wanted + extra * (share > 0)).astype(int)
    return {
        "format": wavedoor.FORMAT,
        "name": f"bench-{stock}-{orders}-{seed}",
        "time_limit_s": limit,
        "warehouses": [
            {"id": f"H{h}", "parcel_capacity": int(1.25 * orders / HOUSES) + 2} for h in range(HOUSES)
        ],
        "stock_units": {
            f"S{s}": {f"H{h}": int(units[s, h]) for h in np.flatnonzero(units[s])} for s in range(SKUS)
        },
        "drop_ship": {"parcel_cost_fen": 3000, "unit_cost_fen": 600},
        "orders": [
            {
                "id": f"B{i}",
                "lines": [{"line": n + 1, "sku": f"S{s}", "units": q} for n, (s, q) in enumerate(each)],
                "parcel_cost_fen": parcel[i].tolist(),
                "unit_cost_fen": unit[i].tolist(),
            }
            for i, each in enumerate(lines)
        ],
    }


def cost_of(data: dict[str, Any], answer: dict[str, Any]) -> int:
    """Cost in fen, counted from the answer; raises where a rule is broken."""
    column = {house["id"]: i for i, house in enumerate(data["warehouses"])}
    left = {house["id"]: house["parcel_capacity"] for house in data["warehouses"]}
    stock = {sku: dict(cells) for sku, cells in data["stock_units"].items()}
    plans = {plan["order"]: plan["parcels"] for plan in answer["plans"]}
    cost = 0
    for order in data["orders"]:
        lines = {line["line"]: line for line in order["lines"]}
        parcels = plans[order["id"]]
        sent = sorted(n for parcel in parcels for n in parcel["lines"])
        if sent != sorted(lines) or len({parcel["warehouse"] for parcel in parcels}) < len(parcels):
            raise ValueError(f"order {order['id']} is not sent whole and once")
        for parcel in parcels:
            house, units = parcel["warehouse"], sum(lines[n]["units"] for n in parcel["lines"])
            if house == wavedoor.DROP:
                cost += data["drop_ship"]["parcel_cost_fen"] + units * data["drop_ship"]["unit_cost_fen"]
                continue
            cost += order["parcel_cost_fen"][column[house]] + units * order["unit_cost_fen"][column[house]]
            left[house] -= 1
            for n in parcel["lines"]:
                stock[lines[n]["sku"]][house] = stock[lines[n]["sku"]].get(house, 0) - lines[n]["units"]
    if min(left.values()) < 0 or min(units for cells in stock.values() for units in cells.values()) < 0:
        raise ValueError("a warehouse is overbooked")
    return cost


def bound_of(data: dict[str, Any], steps: int) -> int:
    """A lower bound in fen: prices in 1/1000 fen, then integers only, independent of the planner's own arithmetic."""
    instance = wavedoor.read(json.dumps(data))
    packed = shape(instance.wave)
    y, _ = climb(packed, None, steps=steps, until=time.monotonic() + 3600)
    price = np.append(np.rint(y * 1000), 0).astype(np.int64)
    cell = price[packed.rows.cell]  # [4, N, S]
    parcel_price = price[packed.rows.parcel]
    stock, capacity = instance.wave.stock, instance.wave.capacity
    total = -int((parcel_price[:-1] * capacity[:-1]).sum())
    for which, (over, under) in enumerate(FRACTIONS):
        total -= int((cell[which, :-1] * (stock[:-1] * over // under)).sum())
    for order in instance.wave.orders:
        total += _least(order, cell, parcel_price, stock)
    return -(-total // 1000)


def _least(order: Any, cell: np.ndarray, parcel_price: np.ndarray, stock: np.ndarray) -> int:
    """The cheapest plan of one order at the prices, in 1/1000 fen: every division of its lines, every node."""
    full, far = (1 << len(order.lines)) - 1, 1 << 60
    part = [far] * (full + 1)
    for subset in range(1, full + 1):
        priced = (
            np.where(np.isfinite(order.cost[subset]), order.cost[subset], 0).astype(np.int64) * 1000
            + parcel_price
        )
        for line, (sku, units) in enumerate(order.lines):
            if subset >> line & 1:
                for which, (over, under) in enumerate(FRACTIONS):
                    priced = priced + cell[which, :, sku] * (units * over // under)
                priced = np.where(stock[:, sku] >= units, priced, far)
        part[subset] = int(priced.min())
    best = [0] + [far] * full
    for left in range(1, full + 1):
        take = left
        while take:
            best[left] = min(best[left], part[take] + best[left ^ take])
            take = (take - 1) & left
    return best[full]


def main() -> None:
    """Plan one wave of each kind and print gaps and seconds."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--slow", type=float, default=1.0, help="multiply the time limits (busy machine)")
    parser.add_argument("--steps", type=int, default=300, help="subgradient steps for the bound")
    given = parser.parse_args()
    figures: dict[str, float] = {}
    for label, (orders, stock, limit) in CASES.items():
        data = make(orders, stock, given.seed, limit * given.slow)
        text, before, started = json.dumps(data), os.times(), time.perf_counter()
        done = subprocess.run(
            [sys.executable, str(ROOT / "manage.py"), "route_wave"], cwd=ROOT, input=text, capture_output=True, text=True,
            check=True,
        )  # fmt: skip
        seconds, after = time.perf_counter() - started, os.times()
        answer = json.loads(done.stdout)
        cost, bound = cost_of(data, answer), bound_of(data, given.steps)
        if not answer["lower_bound_fen"] <= cost:
            raise ValueError("the planner claims a bound above its own cost")
        cpu = sum(after[2:4]) - sum(before[2:4])
        load = os.getloadavg()[0]
        print(
            f"{label:<10} cost {cost / 100:>12,.2f}  bound {bound / 100:>12,.2f}  gap {cost / bound - 1:7.3%}  {seconds:6.2f} s "
            f"of {limit * given.slow:g}, {cpu:.1f} s of processor, load {load:.1f}",
            flush=True,
        )
        figures |= {f"gap_{label}": round(cost / bound - 1, 5), f"seconds_{label}": round(seconds, 2)}
    end_with(**figures)


if __name__ == "__main__":
    main()

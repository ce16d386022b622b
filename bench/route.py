"""Latency of one routing decision at the sizes the hub promises, beside PuLP with HiGHS on the same orders.

    python bench/route.py [--decisions 200] [--nodes 200] [--pulp 6]

Every decision is a new order on new nodes: filters, prices of all sources and carriers, the exact split and
five alternatives. `p50_ms` and `p99_ms` are wall milliseconds of orders of one to five lines, `p99_ms_12_lines`
of twelve lines, all among 200 warehouses of two carriers each; the same in processor time stands in the lines
above (on a machine that does other work too, wall time measures that work). `ratio_to_pulp` is the median of
PuLP's solving time over the median of ours for the same split of the same orders (both without reading the
order); the program gets as long as it needs up to a minute, and the optima are compared. The last line is one
JSON object.
"""

from __future__ import annotations

import argparse
import gc
import os
import random
import sys
import time
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import partial
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import house

from routing.engine import program
from routing.engine.decide import decide
from routing.engine.model import Lane, Need, Node, Request, Strategy
from routing.engine.pieces import cut
from routing.engine.quick import Scale
from routing.engine.screen import screen
from routing.engine.search import Problem, search
from routing.engine.tariff import tariff

BALANCED = Strategy(
    "balanced", Decimal("0.08"), Decimal("0.5"), Decimal("0.5"), Decimal(1), Decimal("0.5"), Decimal("0.3")
)
Case = tuple[Request, list[Node]]


def cents(rng: random.Random, low: int, high: int) -> Decimal:
    """A random amount, given in cents."""
    return Decimal(rng.randint(low, high)).scaleb(-2)


def random_case(rng: random.Random, *, lines: int, nodes: int) -> Case:
    """An order and a network: each warehouse stocks a line with probability 0.7, one in ten is out of slots."""
    needs = tuple(
        Need(n, n, f"S{n:03d}", rng.randint(1, 3), rng.randint(50, 2500)) for n in range(1, lines + 1)
    )
    return Request(1, needs, rng.random() < 0.2, None), [_node(rng, n, lines) for n in range(nodes)]


def _node(rng: random.Random, number: int, lines: int) -> Node:
    return Node(
        id=number, code=f"W{number:03d}", name=f"仓{number}", kind="warehouse",
        stock={sku: rng.randint(1, 9) for sku in range(1, lines + 1) if rng.random() < 0.7},
        lanes=tuple(_lane(rng, carrier) for carrier in ("ground", "air")),
        capacity_left=rng.choice([None, 0, *[500] * 8]), frozen=False, accepts=frozenset(), banned_skus=frozenset(),
        handling_per_parcel=cents(rng, 50, 300), handling_per_line=cents(rng, 10, 60),
        stock_price={
            sku: tuple(sorted(cents(rng, 0, 400) for _ in range(4))) if sku % 2 else cents(rng, 0, 400)
            for sku in range(1, lines + 1)
        },
        capacity_price=cents(rng, 0, 50), serves_region=True,
    )  # fmt: skip


def _lane(rng: random.Random, carrier: str) -> Lane:
    return Lane(
        carrier, "std", "z", 1000, cents(rng, 400, 1500), rng.choice([500, 1000]), cents(rng, 50, 500),
        cents(rng, 1200, 9000), cents(rng, 1000, 200000), cents(rng, 1, 60), cents(rng, 1, 20),
        rng.choice([None, 30_000]), 150, rng.choice([None, 6000]),
    )  # fmt: skip


def timed(action: Callable[[], object]) -> tuple[float, float]:
    """Wall and own processor milliseconds of one call."""
    with house.Stopwatch() as watch:
        action()
    return watch.wall_seconds * 1000, watch.cpu_seconds * 1000


def quantile(spent: Sequence[float], share: float) -> float:
    """The smallest value that is not exceeded by this share of all."""
    return sorted(spent)[min(len(spent) - 1, int(len(spent) * share))]


def decisions(seed: int, count: int, sizes: Sequence[int], nodes: int) -> dict[str, float]:
    """Median and 99th percentile of decisions on orders of these numbers of lines, after some to warm up."""
    rng = random.Random(seed)
    wall, cpu = [], []
    for n in range(count + len(sizes) * 2):
        case = random_case(rng, lines=sizes[n % len(sizes)], nodes=nodes)
        spent = timed(partial(decide, *case, BALANCED))
        if n >= len(sizes) * 2:
            wall.append(spent[0])
            cpu.append(spent[1])
    return {
        "p50_ms": round(median(wall), 3), "p99_ms": round(quantile(wall, 0.99), 3),
        "cpu_p50_ms": round(median(cpu), 3), "cpu_p99_ms": round(quantile(cpu, 0.99), 3),
    }  # fmt: skip


def against_pulp(count: int, lines: int, nodes: int) -> dict[str, float]:
    """The same problems split by the dynamic program and by PuLP with HiGHS; costs are compared to the digit."""
    program.TIME_LIMIT_SECONDS, program._MAX_CHOICES = 60.0, 10**9
    rng = random.Random(99)
    ours, theirs, equal, proven = [], [], 0, 0
    for n in range(count + 1):
        request, network = random_case(rng, lines=lines, nodes=nodes)
        screened = screen(request, request.needs, network)
        pieces = cut(request.needs, screened)
        prices = tariff(request, BALANCED, request.needs, screened.sources, shared=pieces.shared_sku)
        problem = Problem(pieces.items, screened.sources, request.needs, prices, None, pieces.shared_sku)
        fast = timed(partial(search, problem, alternatives=5))[1]
        started = time.process_time()
        peer = program.program(problem)
        slow = (time.process_time() - started) * 1000
        if n and peer is not None:  # the first one also loads PuLP
            proven += 1
            ours.append(fast)
            theirs.append(slow)
            scale = Scale(problem)
            equal += scale.plan(search(problem, alternatives=0).best) == scale.plan(peer)
    return {
        "orders": proven, "same_optimum": equal, "ours_cpu_p50_ms": round(median(ours), 3),
        "pulp_cpu_p50_ms": round(median(theirs), 3), "ratio": round(median(theirs) / median(ours), 1),
    }  # fmt: skip


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--decisions", type=int, default=200)
    parser.add_argument("--nodes", type=int, default=200)
    parser.add_argument("--pulp", type=int, default=6)
    args = parser.parse_args()
    gc.collect()
    gc.freeze()
    print("load", *(f"{each:.2f}" for each in os.getloadavg()), f"on {os.cpu_count()} processors")
    short = decisions(5, args.decisions, (1, 2, 3, 4, 5), args.nodes)
    print(f"1-5 lines, {args.nodes} warehouses", short)
    for lines in (5, 8):
        print(
            f"{lines} lines, {args.nodes} warehouses", decisions(lines, args.decisions, (lines,), args.nodes)
        )
    long = decisions(12, max(100, args.decisions // 2), (12,), args.nodes)
    print(f"12 lines, {args.nodes} warehouses", long)
    print("12 lines, 30 warehouses", decisions(30, max(100, args.decisions // 2), (12,), 30))
    pulp = against_pulp(args.pulp, 5, args.nodes)
    print(f"against PuLP, 5 lines, {args.nodes} warehouses", pulp)
    house.end_with(
        p50_ms=short["p50_ms"], p99_ms=short["p99_ms"], p99_ms_12_lines=long["p99_ms"],
        cpu_p99_ms=short["cpu_p99_ms"], cpu_p99_ms_12_lines=long["cpu_p99_ms"], ratio_to_pulp=pulp["ratio"],
    )  # fmt: skip


if __name__ == "__main__":
    main()

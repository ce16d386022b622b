"""Latency of one routing decision, against a PuLP program with the same optimum solved in the same run.

    python bench/decide.py [--decisions 300]

Prints a line per case (CPU milliseconds: median, p99) and, last, all figures as one JSON object.
``ratio_to_pulp`` is the median of PuLP over the median of ours on the same orders (3 lines, 12 nodes).
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from decimal import Decimal
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from routing.engine.decide import decide
from routing.engine.model import Lane, Need, Node, Request, Strategy
from routing.engine.pieces import cut
from routing.engine.program import program
from routing.engine.quick import Scale
from routing.engine.screen import screen
from routing.engine.search import Problem, search
from routing.engine.tariff import tariff

BALANCED = Strategy(
    "balanced", Decimal("0.08"), Decimal("0.5"), Decimal("0.5"), Decimal(1), Decimal("0.5"), Decimal("0.3")
)


def money(rng: random.Random, low: int, high: int) -> Decimal:
    """A random amount, given in cents."""
    return Decimal(rng.randint(low, high)).scaleb(-2)


def random_case(rng: random.Random, *, lines: int, nodes: int, lanes: int) -> tuple[Request, list[Node]]:
    """An order and a network: each node stocks a line with probability 0.7, one in ten is out of slots."""
    needs = tuple(
        Need(n, n, f"S{n:03d}", rng.randint(1, 3), rng.randint(50, 2500)) for n in range(1, lines + 1)
    )
    return Request(1, needs, rng.random() < 0.2, None), [_node(rng, n, lines, lanes) for n in range(nodes)]


def _node(rng: random.Random, number: int, lines: int, lanes: int) -> Node:
    return Node(
        number, f"W{number:03d}", f"仓{number}", "warehouse",
        {sku: rng.randint(1, 9) for sku in range(1, lines + 1) if rng.random() < 0.7},
        tuple(_lane(rng, f"c{k}") for k in range(lanes)), rng.choice([None, 0, *[500] * 8]), False,
        frozenset(), frozenset(), money(rng, 50, 300), money(rng, 10, 60),
        {sku: money(rng, 0, 400) for sku in range(1, lines + 1)}, money(rng, 0, 50), True,
    )  # fmt: skip


def _lane(rng: random.Random, carrier: str) -> Lane:
    return Lane(
        carrier, "std", "z", 1000, money(rng, 400, 1500), 1000, money(rng, 50, 500), money(rng, 1200, 9000),
        money(rng, 1000, 200000), money(rng, 1, 60), money(rng, 1, 20), rng.choice([None, 30_000]),
    )  # fmt: skip


def milliseconds(action: Any) -> float:
    """CPU time of one call."""
    started = time.process_time()
    action()
    return (time.process_time() - started) * 1000


def run_case(seed: int, count: int, **size: int) -> dict[str, float]:
    """Median and 99th percentile of ``count`` decisions on fresh orders, after five to warm up."""
    rng = random.Random(seed)
    cases = [random_case(rng, **size) for _ in range(count + 5)]
    spent = [milliseconds(lambda case=case: decide(*case, BALANCED)) for case in cases][5:]
    return {"p50_ms": round(median(spent), 3), "p99_ms": round(sorted(spent)[int(count * 0.99)], 3)}


def against_pulp(count: int) -> dict[str, float]:
    """The same problems split by our dynamic program and by PuLP with HiGHS; equal optima counted."""
    rng = random.Random(99)
    ours, theirs, equal = [], [], 0
    for _ in range(count):
        request, nodes = random_case(rng, lines=3, nodes=12, lanes=2)
        screened = screen(request, request.needs, nodes)
        pieces = cut(request.needs, screened)
        prices = tariff(request, BALANCED, request.needs, screened.sources)
        problem = Problem(pieces.items, screened.sources, request.needs, prices, None, pieces.shared_sku)
        ours.append(milliseconds(lambda problem=problem: search(problem, alternatives=5)))
        theirs.append(milliseconds(lambda problem=problem: program(problem)))
        best, peer = search(problem, alternatives=0).best, program(problem)
        equal += peer is not None and Scale(problem).plan(best) == Scale(problem).plan(peer)
    return {
        "ours_p50_ms": round(median(ours), 3), "pulp_p50_ms": round(median(theirs), 3),
        "ratio_to_pulp": round(median(theirs) / median(ours), 1), "same_optimum_share": equal / count,
    }  # fmt: skip


def main() -> None:
    """Run all cases and print them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--decisions", type=int, default=300)
    count = parser.parse_args().decisions
    figures: dict[str, Any] = {
        "pulp": against_pulp(min(count, 20))
    }  # also loads PuLP, so no case pays for it
    for lines, nodes in ((1, 12), (3, 12), (5, 12), (3, 50), (5, 50), (8, 30), (12, 12), (12, 50)):
        few = count if lines < 8 else max(20, count // 5)
        figures[f"{lines}_lines_{nodes}_nodes"] = run_case(
            lines * 1000 + nodes, few, lines=lines, nodes=nodes, lanes=2
        )
        print(f"{lines:3d} lines {nodes:3d} nodes", figures[f"{lines}_lines_{nodes}_nodes"])
    print("against PuLP", figures["pulp"])
    print(json.dumps(figures))


if __name__ == "__main__":
    main()

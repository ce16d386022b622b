"""Rules on the hot path: a cart against 200 promotions, and a decision table beside zen-engine in the same run.

    python bench/rules.py [--rounds 300]

Two figures count: a cart of 10 lines against 200 active promotions (limit 2 ms), and the 50-row table whose last row
is the one that holds (limit 100 microseconds). The same table is asked of zen-engine, where it is installed, with the
same facts; ``ratio_to_zen`` is its time over ours, null where it is not installed. All times are CPU of one thread,
the median of the rounds. The last line is the figures as one JSON object.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import sys
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "orderhub.settings")
os.environ.setdefault("HUB_DATA_DIR", f"/tmp/orderhub-bench-{os.getpid()}")

import django  # noqa: E402

django.setup()

from orderhub.orders.promotions.engine import apply  # noqa: E402
from orderhub.orders.promotions.engine.model import Cart, Promotion  # noqa: E402
from orderhub.orders.promotions.recording import MOST_SKIPPED  # noqa: E402
from rules.engine import Action, Fact, Table, Vocabulary, compile_rule  # noqa: E402
from tests.orders.promotion_cases import cart, do, promotion, when  # noqa: E402

ROWS = 50
PROMOTIONS = 200
LIMIT_CART_MS, LIMIT_TABLE_US = 2.0, 100.0
_SKUS = [f"S{n:02d}" for n in range(40)]


def promotions(*, matching: int) -> tuple[Promotion, ...]:
    """200 promotions of all kinds, of which the conditions of every `matching`-th hold for the cart."""
    deeds = (
        do("threshold_off", full="300", off="5", repeat=True), do("percent_off", value="1", skus=_SKUS[:3]),
        do("nth_price", nth=2, percent=50, skus=[_SKUS[1]]), do("bundle_price", skus=_SKUS[2:4], price="150"),
        do("buy_get", buy=2, get=1, skus=_SKUS[4:6]), do("tiered_off", full=["100", "500"], off=["1", "8"]),
        do("amount_off", value="0.50"), do("units_percent", units=[2, 5], percent=["0.5", "1"]),
    )  # fmt: skip
    found = []
    for number in range(PROMOTIONS):
        holds = number % matching == 0
        condition = {
            "all": [
                when("order.channel", "==", "tmall"), when("order.total", ">=", "100"),
                {"any": [when("order.province", "in", ["浙江", "上海"]), when("customer.level", "==", "gold")]},
                when("order.coupons", "contains", "SPRING" if holds else f"CODE{number}"),
            ]
        }  # fmt: skip
        found.append(
            promotion(f"p{number:03d}", deeds[number % len(deeds)], condition=condition, priority=number)
        )
    return apply.ordered(found)


def a_cart() -> Cart:
    """Ten lines of one to three units."""
    lines = [(_SKUS[n], n % 3 + 1, f"{60 + 7 * n}.90") for n in range(10)]
    return cart(
        *lines,
        order__channel="tmall",
        order__province="浙江",
        customer__level="gold",
        order__coupons=["SPRING"],
    )


def table() -> tuple[Table, dict[str, object]]:
    """50 rows of three comparisons, of which the last holds; every row before fails at its last comparison."""
    words = Vocabulary.of(
        [Fact("total", "money", "金额", "total"), Fact("channel", "text", "渠道", "channel"),
         Fact("units", "integer", "件数", "units")],
        [Action("give", {"value": "money"}, "给", "give")],
    )  # fmt: skip
    rows = [
        compile_rule(
            {
                "id": n, "priority": n, "then": [{"do": "give", "with": {"value": str(n)}}],
                "when": {"all": [
                    when("total", ">=", str(n)), when("channel", "==", "tmall"),
                    when("units", "==", 7 if n == ROWS else 100 + n),
                ]},
            },
            words,
        )
        for n in range(1, ROWS + 1)
    ]  # fmt: skip
    return Table.of(rows), {"total": Decimal("350.50"), "channel": "tmall", "units": 7}


def zen_table() -> Any:
    """The same table as a decision of zen-engine; None where it is not installed."""
    if importlib.util.find_spec("zen") is None:
        return None
    import zen

    rows = [
        {"_id": f"r{n}", "t": f">= {n}", "c": '"tmall"', "u": str(7 if n == ROWS else 100 + n), "o": str(n)}
        for n in range(1, ROWS + 1)
    ]
    graph = {
        "nodes": [
            {"id": "in", "name": "in", "type": "inputNode", "position": {"x": 0, "y": 0}},
            {
                "id": "t", "name": "t", "type": "decisionTableNode", "position": {"x": 1, "y": 0},
                "content": {
                    "hitPolicy": "first",
                    "inputs": [
                        {"id": "t", "name": "total", "field": "total"}, {"id": "c", "name": "channel", "field": "channel"},
                        {"id": "u", "name": "units", "field": "units"},
                    ],
                    "outputs": [{"id": "o", "name": "give", "field": "give"}],
                    "rules": rows,
                },
            },
            {"id": "out", "name": "out", "type": "outputNode", "position": {"x": 2, "y": 0}},
        ],
        "edges": [
            {"id": "1", "sourceId": "in", "targetId": "t", "type": "edge"},
            {"id": "2", "sourceId": "t", "targetId": "out", "type": "edge"},
        ],
    }  # fmt: skip
    return zen.ZenEngine().create_decision(json.dumps(graph))


def microseconds(action: Callable[[], Any], rounds: int) -> float:
    """The median CPU time of a call, after as many as ten to warm up."""
    spent = []
    for number in range(rounds + 10):
        started = time.thread_time_ns()
        action()
        if number >= 10:
            spent.append((time.thread_time_ns() - started) / 1000)
    return median(spent)


def main() -> int:
    """Measure, print, and fail where a limit is passed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=300)
    rounds = parser.parse_args().rounds
    usual, worst = promotions(matching=10), promotions(matching=1)
    applied = apply.apply(usual, a_cart())
    print(f"{PROMOTIONS} promotions, 10 lines: {len(applied.applied)} count, {applied.cents / 100:.2f} off")
    given = a_cart()  # nothing in it is limited or given away, so it stays as it is
    cart_ms = microseconds(lambda: apply.apply(usual, given, reasons=MOST_SKIPPED), rounds) / 1000
    all_ms = microseconds(lambda: apply.apply(worst, given, reasons=MOST_SKIPPED), rounds) / 1000
    print(f"  20 of them match: {cart_ms:.3f} ms; all match and are worked out: {all_ms:.3f} ms")
    ready, facts = table()
    hit = ready.first(facts)
    assert hit is not None
    assert hit.id == ROWS
    table_us = microseconds(lambda: ready.first(facts), rounds)
    print(f"{ROWS}-row table, last row holds: {table_us:.1f} µs")
    ratio = _beside_zen(table_us, rounds)
    print(json.dumps({"cart_ms": round(cart_ms, 3), "table50_us": round(table_us, 1), "ratio_to_zen": ratio}))
    return int(cart_ms > LIMIT_CART_MS or table_us > LIMIT_TABLE_US)


def _beside_zen(table_us: float, rounds: int) -> float | None:
    decision = zen_table()
    if decision is None:
        print("zen-engine is not installed: no comparison")
        return None
    given = {"total": 350.5, "channel": "tmall", "units": 7}
    answer = decision.evaluate(given)["result"]
    assert answer == {"give": ROWS}, answer
    zen_us = microseconds(lambda: decision.evaluate(given), rounds)
    print(f"  zen-engine, same table and facts: {zen_us:.1f} µs (in floats)")
    return round(zen_us / table_us, 2)


if __name__ == "__main__":
    sys.exit(main())

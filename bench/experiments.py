"""Whether experiments give the right answer: planted worlds with a known true effect, A/A runs, and the power promised.

    python bench/experiments.py [--worlds 40] [--aa 1000] [--seed 1]

- Worlds: shops that share stock between regions (bench/planted.py), a champion and a challenger, and what the twin does
  not know: surcharges of warehouses, noise, weather of a region, parcels that a warehouse refused and another sent. The
  true effect is what all orders cost with the challenger everywhere less the same with the champion.
- A/A: the same with two equal arms, looked at after every single witness; a run that is decided once stopped falsely.
- Power: the helper's number of cycles for 80 %, confirmed on witnesses drawn from the A/A runs with the effect added.

`order_split_right_sign` is what the obvious design, orders 50/50, says of the same worlds. The last line is JSON.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from bench.house import end_with
from bench.planted import MYOPIC, Floats, Ints, Lived, Rule, Shop, Stream, live, shop, stream
from routing.experiments.engine.design import arm_of_cluster
from routing.experiments.engine.estimate import Outcome, Result, estimate
from routing.experiments.engine.hindsight import unit_prices
from routing.experiments.engine.power import cycles_needed
from routing.experiments.engine.watching import course

PRICED = Rule(a=6.0, c=40.0, d=0.5)
#: (champion, challenger): prices come, prices go, prices far too high, a belief that what is far is cheap.
CASES = (
    (MYOPIC, PRICED), (PRICED, MYOPIC), (MYOPIC, Rule(a=40.0, b=2.5)), (MYOPIC, Rule(factor=0.0, far=-16.0)),
    (Rule(), Rule(a=6.0, b=0.6, c=60.0, d=1.0)),
)  # fmt: skip
#: Cycles of the experiment, after some in which everybody has the champion: they tell what is always so in a region.
REFUSED, BEFORE, CYCLES = 0.02, 4, 28


@dataclass(frozen=True, slots=True)
class Trial:
    """What an experiment said and what is true, in yuan per order."""

    true: float
    result: Result
    order_split: float


def refusals(orders: Stream, seed: int) -> list[bool]:
    """Which orders the first warehouse will not have, whatever the arm; the twin does not know it."""
    drawn: list[bool] = (np.random.default_rng([seed, 9]).random(len(orders.day)) < REFUSED).tolist()
    return drawn


def real_yuan(one: Shop, orders: Stream, lived: Lived, seed: int) -> Floats:
    """What orders really cost; chance is the same for every arm, the surcharges of warehouses are not."""
    random = np.random.default_rng([seed, 4])
    houses = len(one.cost)
    surcharge = np.append(random.normal(0, 0.6, houses), 0.0)
    weather = random.normal(0, 0.4, (houses, orders.cycles)).cumsum(axis=1) / 2
    noise = random.gamma(2.0, 0.8, len(orders.day))
    yuan: Floats = lived.yuan + surcharge[lived.house] + weather[one.area[orders.town], orders.cycle] + noise
    return yuan


def after_prices(one: Shop, orders: Stream, supply: Ints) -> Floats:
    """Hindsight prices [cycle, warehouse + drop-ship, sku]."""
    found = np.zeros((orders.cycles, len(one.cost) + 1, one.base.shape[1]))
    for cycle in range(orders.cycles):
        for sku in range(one.base.shape[1]):
            town = orders.town[(orders.cycle == cycle) & (orders.sku == sku)]
            costs = np.concatenate([one.cost[:, town].T, one.drop[town][:, None]], axis=1)
            found[cycle, :-1, sku] = unit_prices(costs, supply[cycle, :, sku].tolist())
    return found


def assigned(one: Shop, orders: Stream, salt: str) -> tuple[Ints, Ints, Ints]:
    """Pair, side and arm of every order: areas of warehouses, paired by size, drawn anew every cycle."""
    rank = np.argsort(np.argsort(-np.bincount(one.area[orders.town], minlength=len(one.cost))))
    pair, side = rank[one.area[orders.town]] // 2, rank[one.area[orders.town]] % 2
    table = np.array([
        [[arm_of_cluster(salt, p, s, c) for c in range(orders.cycles)] for s in (0, 1)]
        for p in range(len(one.cost) // 2)
    ])  # fmt: skip
    return pair, side, np.where(orders.cycle < BEFORE, 0, table[pair, side, orders.cycle])


def outcomes(one: Shop, orders: Stream, rules: tuple[Rule, Rule], seed: int) -> list[Outcome]:
    """The experiment as it would be lived."""
    pair, side, arm = assigned(one, orders, f"bench-{seed}")
    arms = arm.tolist()
    real = live(one, orders, rules, arms, refused=refusals(orders, seed))
    champion = live(one, orders, [rules[0]])
    twins = (champion, champion, champion)
    if rules[0] != rules[1]:
        everywhere = live(one, orders, rules, (orders.cycle >= BEFORE).tolist())
        twins = (live(one, orders, rules, arms), champion, everywhere)
    yuan = real_yuan(one, orders, real, seed)
    worth = after_prices(one, orders, real.supply)
    stock = worth[orders.cycle, real.house, orders.sku]
    twin_stock = worth[orders.cycle, twins[0].house, orders.sku]
    columns = (
        pair,
        side,
        orders.cycle - BEFORE,
        arm,
        yuan,
        stock,
        twins[0].yuan,
        twin_stock,
        twins[1].yuan,
        twins[2].yuan,
    )
    return [Outcome(*row) for row in zip(*(column.tolist() for column in columns), strict=True)]


def planted(seed: int) -> Trial:
    """One world: its truth, the experiment's answer, and that of orders split 50/50."""
    rules = CASES[seed % len(CASES)]
    one = shop(seed)
    orders = stream(one, BEFORE + CYCLES, seed)
    inside = orders.cycle >= BEFORE
    no = refusals(orders, seed)
    pure = [
        real_yuan(one, orders, live(one, orders, [rule], refused=no), seed)[inside].mean() for rule in rules
    ]
    coin = np.random.default_rng([seed, 5]).integers(0, 2, len(orders.day))
    split = real_yuan(one, orders, live(one, orders, rules, coin.tolist(), refused=no), seed)
    order_split = float(split[inside & (coin == 1)].mean() - split[inside & (coin == 0)].mean())
    return Trial(float(pure[1] - pure[0]), estimate(outcomes(one, orders, rules, seed)), order_split)


def alike(seed: int) -> list[float]:
    """The witnesses of one A/A run."""
    one = shop(seed, skus=3, per_day=48.0)
    orders = stream(one, BEFORE + CYCLES // 2, seed)
    found = estimate(outcomes(one, orders, (MYOPIC, MYOPIC), seed))
    return [witness.difference for witness in found.witnesses]


def confirmed(runs: list[list[float]], seed: int) -> tuple[float, float, int]:
    """Power promised and reached, and the cycles: whole A/A runs joined, with an effect added to every witness."""
    random = np.random.default_rng(seed)
    spread = float(np.std([one for run in runs for one in run], ddof=1))
    effect, pairs = 0.6 * spread, 4
    size = cycles_needed(effect, spread, pairs)
    if size.cycles is None:
        raise SystemExit("The helper found no number of cycles")
    reached = 0
    for _ in range(1000):
        drawn = [one + effect for n in random.integers(0, len(runs), 3) for one in runs[n]]
        looks = course(drawn[: size.cycles * pairs])[pairs - 1 :: pairs]
        reached += any(one.is_decided and one.mean > 0 for one in looks)
    return size.power, reached / 1000, size.cycles


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--worlds", type=int, default=40)
    parser.add_argument("--aa", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    began = time.perf_counter()
    trials = [planted(given.seed * 1000 + n) for n in range(given.worlds)]
    for n, one in enumerate(trials):
        seen = one.result.seen
        print(f"world {n:3d}  true {one.true:+.3f}  said {seen.mean:+.3f} [{seen.low}, {seen.high}]"
              f"  orders 50/50 {one.order_split:+.3f}", flush=True)  # fmt: skip
    runs = [alike(given.seed * 100_000 + n) for n in range(given.aa)]
    false_stops = sum(any(look.is_decided for look in course(run)) for run in runs)
    promised, reached, cycles = confirmed(runs, given.seed)
    shares = [one.result.seen.mean / one.true - 1 for one in trials]
    intervals = [(one.result.seen.low, one.result.seen.high, one.true) for one in trials]
    held = [low <= true <= high for low, high, true in intervals if low is not None and high is not None]
    found = {
        "right_sign_share": sum(one.result.seen.mean * one.true > 0 for one in trials) / len(trials),
        "bias": round(float(np.mean(shares)), 4),
        "mean_absolute_bias": round(float(np.mean(np.abs(shares))), 4),
        "false_stop_rate": false_stops / len(runs),
        "interval_holds_truth": sum(held) / max(len(held), 1),
        "order_split_right_sign": sum(one.order_split * one.true > 0 for one in trials) / len(trials),
        "power_promised": round(promised, 4), "power_reached": reached, "power_cycles": cycles,
        "worlds": len(trials), "aa_runs": len(runs), "seconds": round(time.perf_counter() - began, 1),
    }  # fmt: skip
    end_with(**found)


if __name__ == "__main__":
    main()

"""What the nightly search learns from bad parameters, what it publishes, and what a poisoned forecast does.

    python bench/learning.py [--shops 6] [--cycles 8] [--seed 1]

- From bad parameters: each cycle replays the last 42 days (14 replenishment cycles) of a shop (bench/planted.py) and
  accepts a challenger or not. The gain over the exact rule without foresight, on days nobody saw, is held against that
  of parameters tuned at length.
- Every published version is replayed against the one before it on 90 days it did not see: the worst loss, as a share.
- Poison: a forecast wrong by lognormal σ = 1 per article and area comes in while prices are in force. The alarm looks at
  it before it is used and every day. `poisoned_minus_myopic` is what is then saved against the exact rule without
  foresight, in yuan per order (below nought: a loss), the worst world; without the alarm: `poisoned_unguarded`.

The last line is JSON.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from bench.house import end_with
from bench.planted import MYOPIC, Floats, Lived, Rule, Shop, Stream, live, shop, stream
from routing.learning.engine.alarm import forecast_error, is_poisoned
from routing.learning.engine.policy import Block, Point, Search, night

#: Each 3 to 20 times too large or too small.
BAD = {"a": 30.0, "b": 2.5, "c": 5.0, "d": 0.15}
ENDS = {"a": (0.1, 60.0), "b": (0.1, 5.0), "c": (0.01, 400.0), "d": (0.05, 4.0)}
NIGHT_CYCLES, UNSEEN_CYCLES = 14, 30
#: Replenishment cycles of sales that the alarm looks back on.
ALARM_CYCLES = 3


@dataclass(slots=True)
class Learned:
    """The way of one shop: gain in yuan per order after each cycle, the tuned gain, losses of published versions."""

    tuned: float
    gains: list[float]
    losses: list[float] = field(default_factory=list)


def rule(point: Point) -> Rule:
    """The prices of a point."""
    return Rule(point["a"], point["b"], point["c"], point["d"])


def by_cycle(one: Shop, orders: Stream, point: Point) -> Callable[[Sequence[int]], list[Block]]:
    """A replay of one point, cut into replenishment cycles."""
    lived = live(one, orders, [rule(point)])
    orders_of = np.bincount(orders.cycle, minlength=orders.cycles)
    yuan = np.bincount(orders.cycle, lived.yuan, orders.cycles)
    return lambda which: [Block(int(orders_of[n]), float(yuan[n])) for n in which]


def learn(seed: int, cycles: int) -> Learned:
    """Go through so many cycles from bad parameters."""
    one = shop(seed)
    unseen = stream(one, UNSEEN_CYCLES, seed + 50_000)
    myopic = live(one, unseen, [MYOPIC]).yuan.mean()

    def cost(point: Point) -> float:
        return float(live(one, unseen, [rule(point)]).yuan.mean())

    point: Point = BAD
    found = Learned(float(myopic) - cost(tuned(one, seed)), [float(myopic) - cost(point)])
    search = Search(ends=ENDS, step=3.0)
    for cycle in range(cycles):
        logged = stream(one, NIGHT_CYCLES, seed + 1000 * (cycle + 1))
        kept: dict[tuple[float, ...], Callable[[Sequence[int]], list[Block]]] = {}

        def replay(trial: Point, which: Sequence[int], logged: Stream = logged, kept=kept) -> list[Block]:  # type: ignore[no-untyped-def]
            key = tuple(trial.values())
            if key not in kept:
                kept[key] = by_cycle(one, logged, trial)
            return kept[key](which)

        over = night(point, search, range(NIGHT_CYCLES), replay)
        if over.is_changed:
            found.losses.append(cost(over.point) / cost(point) - 1)
        point = over.point
        found.gains.append(float(myopic) - cost(point))
    return found


def tuned(one: Shop, seed: int) -> Point:
    """Parameters tuned at length: the same climb on 120 days, from a good start."""
    orders = stream(one, 40, seed + 90_000)
    point: Point = {"a": 4.0, "b": 1.0, "c": 80.0, "d": 0.7}
    search = Search(ends=ENDS, step=2.0, errors=0.0)
    for _ in range(6):
        over = night(point, search, range(40), lambda p, days: by_cycle(one, orders, p)(days))
        point = over.point
    return point


def poisoned(seed: int) -> tuple[float, float, float]:
    """Yuan per order saved with the alarm and without, and after how many days prices were off (inf: never)."""
    one = shop(seed)
    before, orders = stream(one, ALARM_CYCLES, seed + 7), stream(one, 10, seed + 8)
    wrong = (
        one.rate
        * np.random.default_rng([seed, 6]).lognormal(0, 1, (len(one.cost), one.rate.shape[1]))[one.area]
    )
    prices = Rule(a=6.0, c=40.0, d=0.5)
    off_at = float("inf")
    for day in range(int(orders.cycles * one.cycle_days)):
        told, seen = areas(one, wrong) * ALARM_CYCLES * one.cycle_days, sold(one, before, orders, day)
        if is_poisoned(told.ravel().tolist(), seen.ravel().tolist()):
            off_at = float(day)
            break
    myopic = live(one, orders, [MYOPIC])
    guarded = live(one, orders, [prices, MYOPIC], (orders.day >= off_at).tolist(), forecast=wrong)
    loose = live(one, orders, [prices], forecast=wrong)
    return saved(myopic, guarded), saved(myopic, loose), off_at


def saved(myopic: Lived, other: Lived) -> float:
    """Yuan per order."""
    return float(myopic.yuan.mean() - other.yuan.mean())


def areas(one: Shop, units: Floats) -> Floats:
    """Units by [warehouse's area, sku]."""
    found = np.zeros((len(one.cost), units.shape[1]))
    np.add.at(found, one.area, units)
    return found


def sold(one: Shop, before: Stream, orders: Stream, day: int) -> Floats:
    """Units sold by area and sku over the cycles the alarm looks back on, up to the morning of a day."""
    found = np.zeros((len(one.cost), one.base.shape[1]))
    span = ALARM_CYCLES * one.cycle_days
    for part, shift in ((before, -span), (orders, 0.0)):
        is_in = (part.day + shift >= day - span) & (part.day + shift < day)
        np.add.at(found, (one.area[part.town[is_in]], part.sku[is_in]), 1)
    return found


def sound(seed: int) -> float:
    """The error of a right forecast, which must not alarm anybody."""
    one = shop(seed)
    seen = sold(one, stream(one, ALARM_CYCLES, seed + 7), stream(one, 1, seed + 8), 0)
    error = forecast_error(
        (areas(one, one.rate) * ALARM_CYCLES * one.cycle_days).ravel().tolist(), seen.ravel().tolist()
    )
    return error or 0.0


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shops", type=int, default=6)
    parser.add_argument("--cycles", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    began = time.perf_counter()
    learned = [learn(given.seed * 100 + n, given.cycles) for n in range(given.shops)]
    for n, one in enumerate(learned):
        print(
            f"shop {n}  tuned {one.tuned:+.3f}  at the start and after each cycle",
            *(f"{gain:+.3f}" for gain in one.gains),
            flush=True,
        )
    poison = [poisoned(given.seed * 1000 + n) for n in range(20)]
    shares = [one.gains[-1] / one.tuned for one in learned]
    losses = [loss for one in learned for loss in one.losses]
    end_with(
        gain_share_after_8=round(sum(one.gains[-1] for one in learned) / sum(one.tuned for one in learned), 4),
        worst_published_loss=round(max([0.0, *losses]), 5),
        poisoned_minus_myopic=round(min(one[0] for one in poison), 4),
        least_gain_share=round(min(shares), 4), published=len(losses), shops=len(learned),
        poisoned_unguarded=round(float(np.mean([one[1] for one in poison])), 4),
        poisoned_off_after_days=max(one[2] for one in poison), poisoned_worlds=len(poison),
        sound_forecast_worst_error=round(max(sound(given.seed * 1000 + n) for n in range(20)), 3),
        seconds=round(time.perf_counter() - began, 1),
    )  # fmt: skip


if __name__ == "__main__":
    main()

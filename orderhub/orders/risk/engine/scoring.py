"""From facts to a score, a band and the sentences that say why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from orderhub.orders.risk.engine.policy import PLACEHOLDER, Policy, Signal
from orderhub.orders.risk.engine.words import VOCABULARY

Band = Literal["pass", "review", "hold"]
MOST_POINTS = 100
Windowed = Mapping[int, Mapping[str, object]]


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one order: facts of its own, and counted facts by window in hours."""

    plain: Mapping[str, object]
    counted: Windowed = field(default_factory=dict)

    def over(self, window_hours: int) -> Mapping[str, object]:
        """All facts as a signal with this window sees them."""
        return {**self.plain, **self.counted.get(window_hours, {})}


@dataclass(frozen=True, slots=True)
class Fired:
    """A signal that fired, in words; `counted` of its `points` remain after the cap of its group.

    `values` are the facts its condition looked at, so that another limit can be tried on them later.
    """

    code: str
    group: str
    points: int
    counted: int
    holds: bool
    zh: str
    en: str
    values: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Score:
    """The verdict on one order, and beside it what it would be with the signals still in shadow."""

    points: int
    band: Band
    fired: tuple[Fired, ...]
    shadow: tuple[Fired, ...]
    shadow_points: int
    shadow_band: Band


def score(policy: Policy, facts: Facts) -> Score:
    """Score one order. A missing fact fires nothing; points never leave 0 to 100."""
    views = {hours: facts.over(hours) for hours in {x.window_hours for x in policy.signals}}
    firing = [x for x in policy.signals if x.mode != "off" and x.condition.test(views[x.window_hours])]
    live = [x for x in firing if x.mode == "live"]
    points, counted = _add_up(live, policy.group_cap)
    all_points, all_counted = _add_up(firing, policy.group_cap)
    return Score(
        points, _band(policy, points, live),
        tuple(_fired(x, counted[x.code], views[x.window_hours]) for x in live),
        tuple(_fired(x, all_counted[x.code], views[x.window_hours]) for x in firing if x.mode == "shadow"),
        all_points, _band(policy, all_points, firing),
    )  # fmt: skip


def judge(policy: Policy, firing: Iterable[Signal]) -> tuple[int, Band]:
    """Score and band of an order on which these signals fire; only the live ones count."""
    live = [x for x in firing if x.mode == "live"]
    points, _counted = _add_up(live, policy.group_cap)
    return points, _band(policy, points, live)


def still_fires(signal: Signal, values: Mapping[str, object]) -> bool:
    """Whether the signal, maybe changed since, fires on the kept values of an order; figures may be texts."""
    facts = {name: _figure(name, values[name]) for name in signal.words if name in values}
    return bool(signal.condition.test(facts))


def _figure(name: str, value: object) -> object:
    is_figure = VOCABULARY.facts[name].type in ("number", "money")
    return Decimal(value) if is_figure and isinstance(value, str) else value


def _kept(value: object) -> object:
    return str(value) if isinstance(value, Decimal) else value


def _add_up(signals: Iterable[Signal], cap: int) -> tuple[int, dict[str, int]]:
    """The score, and what is left of each signal's points; the strongest of a group count first."""
    left: dict[str, int] = {}
    counted: dict[str, int] = {}
    for signal in sorted(signals, key=lambda x: (-x.points, x.code)):
        room = left.get(signal.group, cap)
        counted[signal.code] = min(signal.points, room) if signal.points > 0 else signal.points
        left[signal.group] = room - max(0, counted[signal.code])
    return max(0, min(MOST_POINTS, sum(counted.values()))), counted


def _band(policy: Policy, points: int, signals: Iterable[Signal]) -> Band:
    if points >= policy.hold_from or any(x.holds for x in signals):
        return "hold"
    return "review" if points >= policy.review_from else "pass"


def _fired(signal: Signal, counted: int, facts: Mapping[str, object]) -> Fired:
    zh, en = (_say(text, facts) for text in (signal.says_zh or signal.zh, signal.says_en or signal.en))
    values = {name: _kept(facts[name]) for name in sorted(signal.words) if name in facts}
    return Fired(signal.code, signal.group, signal.points, counted, signal.holds, zh, en, values)


def _say(text: str, facts: Mapping[str, object]) -> str:
    return PLACEHOLDER.sub(lambda found: _plain(facts.get(found.group(1))), text)


def _plain(value: object) -> str:
    if isinstance(value, Decimal):
        return format(
            value.normalize() if value != value.to_integral_value() else value.quantize(Decimal(1)), "f"
        )
    return "?" if value is None else str(value)

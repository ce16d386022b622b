"""Which change of a single weight would make a kept alternative cheaper than the chosen plan, reckoned exactly."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from routing.engine.model import ZERO, Decision, Plan, Strategy

#: Weights are set with so many decimals.
STEP = Decimal("0.0001")
Measure = Callable[[Plan], Decimal | None]


@dataclass(frozen=True, slots=True)
class Flip:
    """From ``then`` on (upward if it is above ``now``, else downward) the alternative is the cheaper plan.

    ``alternative`` is its number among the decision's alternatives, 0 the runner-up.
    """

    weight: str
    now: Decimal
    then: Decimal
    alternative: int


def flips(decision: Decision, strategy: Strategy, *, remote: bool) -> list[Flip]:
    """The nearest such change of each weight, in the order of the weights; none where the criteria are sequential.

    Every term is linear in its weight, so the figure is the tie of the two plans, with a margin for the rounding
    of their terms and rounded away from ``now``: beyond it the order is certain. A weight is never below zero.
    """
    plan = decision.plan
    if plan is None or strategy.order:
        return []
    found = []
    for weight, now, measure in _weights(strategy, remote=remote):
        rows = [
            Flip(weight, now, then, number)
            for number, other in enumerate(decision.alternatives)
            if (then := _tie(plan, other, now, measure, strategy.digits)) is not None
        ]
        if rows:
            found.append(min(rows, key=lambda flip: (abs(flip.then - flip.now), flip.alternative)))
    return found


def _tie(plan: Plan, other: Plan, now: Decimal, measure: Measure, digits: int) -> Decimal | None:
    """The weight at which the other plan is surely cheaper; None if there is none."""
    mine, its = measure(plan), measure(other)
    gap = other.total - plan.total
    if mine is None or its is None or mine == its or gap < 0:
        return None
    margin = Decimal(len(plan.parcels) + len(other.parcels)) * Decimal(1).scaleb(-digits)
    exact = now + (gap + margin) / (mine - its)
    then = exact.quantize(STEP, ROUND_CEILING if mine > its else ROUND_FLOOR)
    return then if then >= 0 and then != now else None


def _weights(strategy: Strategy, *, remote: bool) -> Sequence[tuple[str, Decimal, Measure]]:
    """Name, present value, and what of a plan it is multiplied with."""
    hour = "yuan_per_hour_remote" if remote else "yuan_per_hour"
    return (
        (hour, getattr(strategy, hour), _over("time", getattr(strategy, hour), _hours(strategy))),
        ("yuan_per_kgco2e", strategy.yuan_per_kgco2e, _kgco2e),
        (
            "stock_price_factor",
            strategy.stock_price_factor,
            _over("stock_price", strategy.stock_price_factor, None),
        ),
        ("yuan_per_extra_parcel", strategy.yuan_per_extra_parcel, _extra_parcels),
        (
            "capacity_price_factor",
            strategy.capacity_price_factor,
            _over("capacity_price", strategy.capacity_price_factor, None),
        ),
    )


def _hours(strategy: Strategy) -> Measure | None:
    """All parcels' hours; by share of lines they follow from the term alone."""
    if strategy.time_by_line_share:
        return None
    return lambda plan: sum((parcel.hours for parcel in plan.parcels), ZERO)


def _over(term: str, weight: Decimal, known: Measure | None) -> Measure:
    """What is known of a plan, else its term over the weight; nothing is known at weight zero."""
    if known is not None:
        return known
    return lambda plan: plan.terms.get(term, ZERO) / weight if weight else None


def _kgco2e(plan: Plan) -> Decimal:
    return sum((parcel.kgco2e for parcel in plan.parcels), ZERO)


def _extra_parcels(plan: Plan) -> Decimal:
    return Decimal(len(plan.parcels) - 1)


# ---- in words ------------------------------------------------------------------------------------

_NAMES: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "zh": {
        "yuan_per_hour": ("每小时 ¥", ""),
        "yuan_per_hour_remote": ("偏远地区每小时 ¥", ""),
        "yuan_per_kgco2e": ("每 kgCO2e ¥", ""),
        "stock_price_factor": ("库存价格 × ", ""),
        "yuan_per_extra_parcel": ("每多一个包裹 ¥", ""),
        "capacity_price_factor": ("产能价格 × ", ""),
    },
    "en": {
        "yuan_per_hour": ("¥", " per hour"),
        "yuan_per_hour_remote": ("¥", " per hour in remote regions"),
        "yuan_per_kgco2e": ("¥", " per kgCO2e"),
        "stock_price_factor": ("× ", " stock price"),
        "yuan_per_extra_parcel": ("¥", " per extra parcel"),
        "capacity_price_factor": ("× ", " capacity price"),
    },
}


def flip_sentence(flip: Flip, decision: Decision, language: str) -> str:
    """What the change would do, in ``zh`` or ``en``."""
    plan = decision.alternatives[flip.alternative]
    separator = "＋" if language == "zh" else " + "
    name = separator.join(dict.fromkeys(parcel.node_name or parcel.node_code for parcel in plan.parcels))
    before, after = _NAMES[language][flip.weight]
    now, then = _short(flip.now), _short(flip.then)
    is_up = flip.then > flip.now
    if language == "zh":
        return f"{before}{then}{after}{'以上' if is_up else '以下'}（现为 {now}）时，{name}的方案更便宜"
    side = "or more" if is_up else "or less"
    return f"at {before}{then}{after} {side} (now {now}) the plan from {name} is cheaper"


def no_flip_sentence(strategy: Strategy, language: str) -> str:
    """Why no change is listed."""
    if strategy.order:
        return (
            "按判据先后决定，没有权重可改变结果"
            if language == "zh"
            else "the criteria decide one after the other: no weight flips it"
        )
    return (
        "单独改变任何一项权重都不会改变结果" if language == "zh" else "no change of a single weight flips it"
    )


def _short(figure: Decimal) -> str:
    return f"{figure.normalize():f}" if figure else "0"

"""What ordered criteria saw in two plans: each figure as the engine compared it, and the first that differs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from routing.engine.model import ZERO, Plan

_MILLIGRAM = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class Compared:
    """One criterion of two plans, less is better: parcels, hours, yuan, kg CO2e, units or km by its code."""

    code: str
    winner: Decimal
    runner_up: Decimal

    @property
    def is_equal(self) -> bool:
        """Whether the next criterion had to be asked."""
        return self.winner == self.runner_up


def compared(winner: Plan, runner_up: Plan, order: Sequence[str]) -> list[Compared]:
    """The criteria in their order; the money last where it is not among them, as the engine has it."""
    names = [*order, *([] if "money" in order else ["money"])]
    return [Compared(name, figure(winner, name), figure(runner_up, name)) for name in names]


def deciding(rows: Sequence[Compared]) -> int | None:
    """The place of the first criterion in which the plans differ; None where they are equal in all."""
    return next((place for place, row in enumerate(rows) if not row.is_equal), None)


def figure(plan: Plan, code: str) -> Decimal:
    """What a criterion counts of a plan."""
    match code:
        case "parcels":
            return Decimal(len(plan.parcels))
        case "hours":
            return plan.hours
        case "money":
            return plan.total
        case "kgco2e":  # to the milligram, parcel by parcel
            return sum((p.kgco2e.quantize(_MILLIGRAM, ROUND_HALF_UP) for p in plan.parcels), ZERO)
        case "forward":
            return Decimal(sum(parcel.units_away for parcel in plan.parcels))
        case "distance":
            return sum((parcel.distance_km for parcel in plan.parcels), ZERO)
    raise ValueError(code)


# ---- in words ------------------------------------------------------------------------------------

#: What is compared, the winner's advantage, and how a figure of it is written.
_WORDS = {
    "zh": {
        "parcels": ("包裹数", "包裹更少", "{} 个"),
        "hours": ("时效", "更快", "{} 小时"),
        "money": ("花费", "更省", "¥{}"),
        "kgco2e": ("碳排放", "碳排放更低", "{} kg"),
        "forward": ("前置仓发货件数", "更多由前置仓发货", "非前置仓 {} 件"),
        "distance": ("距离", "更近", "{} km"),
    },
    "en": {
        "parcels": ("parcels", "fewer parcels", "{}"),
        "hours": ("hours", "faster", "{} h"),
        "money": ("cost", "cheaper", "¥{}"),
        "kgco2e": ("CO2e", "less CO2e", "{} kg"),
        "forward": ("units from forward warehouses", "more from forward warehouses", "{} units from elsewhere"),
        "distance": ("distance", "nearer", "{} km"),
    },
}  # fmt: skip
_DIGITS = {"hours": "0.1", "money": "0.01", "kgco2e": "0.001", "distance": "1"}


def label(code: str, language: str) -> str:
    """The name of a criterion, ``zh`` or ``en``."""
    return _WORDS[language][code][0]


def shown(row: Compared, language: str) -> tuple[str, str]:
    """Both figures with their unit, with as many digits as it takes to tell them apart."""
    pattern, digits = _WORDS[language][row.code][2], Decimal(_DIGITS.get(row.code, "1"))
    while not row.is_equal and _rounded(row.winner, digits) == _rounded(row.runner_up, digits):
        digits /= 10
    one, two = (_rounded(value, digits) for value in (row.winner, row.runner_up))
    return pattern.format(one), pattern.format(two)


def _rounded(value: Decimal, digits: Decimal) -> str:
    text = f"{value.quantize(digits, ROUND_HALF_UP):,f}"
    return text.removesuffix(".0")


def reason(rows: Sequence[Compared], language: str) -> str:
    """Why the winner stands before the runner-up: what is equal, and the criterion that decides."""
    zh, place = language == "zh", deciding(rows)
    if place is None:
        return (
            "各项判据全部相同，取包裹更少、再取编号在前的仓"
            if zh
            else "equal in every criterion; fewer parcels, then the warehouse listed first"
        )
    row, words = rows[place], _WORDS[language]
    one, two = shown(row, language)
    names = [words[earlier.code][0] for earlier in rows[:place]]
    is_near = row.winner > row.runner_up  # only where a long order was solved in groups
    if zh:
        same = f"{'、'.join(names)}相同，" if names else ""
        told = f"{words[row.code][0]}按近似求解" if is_near else words[row.code][1]
        return f"{same}{told}（{one}，次优 {two}）"
    same = f"equal in {_listed(names)}, " if names else ""
    told = f"{words[row.code][0]} solved nearly" if is_near else words[row.code][1]
    return f"{same}{told} ({one} against {two})"


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"

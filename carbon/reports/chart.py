"""Months as stacked bars with their 90 % band, and bands of rows on one axis: positions for inline SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from carbon.estimate import STAGES, Band
from carbon.reports.reading import Month

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 720, 222, 44, 196, 12
#: Stage → class of its color; the second series is hatched as well.
COLORS = {"transport": "c1", "warehouse": "c4", "packaging": "c3", "return": "c5"}
ORDER = ("transport", "packaging", "warehouse", "return")
_STEPS = (Decimal(1), Decimal(2), Decimal(5), Decimal(10))


@dataclass(frozen=True, slots=True)
class Axis:
    """From 0 to `top` in steps; kg or tonnes."""

    top: Decimal
    step: Decimal
    unit: str
    divisor: int

    @property
    def marks(self) -> list[Decimal]:
        """Where lines are drawn."""
        count = int(self.top / self.step)
        return [self.step * n for n in range(count + 1)]


def axis(most_kg: Decimal) -> Axis:
    """A round axis up to this figure; in tonnes from 1,000 kg on."""
    unit, divisor = ("t", 1000) if most_kg >= 1000 else ("kg", 1)
    most = max(most_kg / divisor, Decimal("0.001"))
    power = Decimal(10) ** (most / 5).adjusted()
    step = next(power * factor for factor in _STEPS if power * factor * 5 >= most)
    count = int(most / step) + (1 if most % step else 0)
    return Axis(step * count, step, unit, divisor)


def months(rows: Sequence[Month]) -> dict[str, Any]:
    """The drawing of up to twelve months."""
    shown = list(rows[-12:])
    scale = axis(max((max(row.around.p95_kg, row.kg) for row in shown), default=Decimal(1)))
    pitch = (WIDTH - LEFT - 8) / max(len(shown), 1)
    wide = min(34.0, pitch * 0.66)

    def y(kg: Decimal) -> float:
        return round(BOTTOM - float(kg / scale.divisor / scale.top) * (BOTTOM - TOP), 1)

    bars = []
    for number, row in enumerate(shown):
        x = round(LEFT + pitch * number + (pitch - wide) / 2, 1)
        bars.append({
            "x": x, "wide": wide, "middle": round(x + wide / 2, 1), "label": f"{row.first:%Y-%m}", "kg": row.kg,
            "parts": _stack(row, y), "low": y(row.around.p5_kg), "high": y(row.around.p95_kg),
            "left": round(x + wide / 2 - 6, 1), "right": round(x + wide / 2 + 6, 1),
            "text": f"{row.first:%Y-%m}: {tidy(row.kg)} ({tidy(row.around.p5_kg)}–{tidy(row.around.p95_kg)})",
        })  # fmt: skip
    lines = [{"y": y(mark * scale.divisor), "text": f"{mark.normalize():f}"} for mark in scale.marks]
    return {"bars": bars, "lines": lines, "unit": scale.unit, "width": WIDTH, "height": HEIGHT, "left": LEFT}


def _stack(row: Month, y: Any) -> list[dict[str, Any]]:
    """The parts of a bar from below; what is taken back more than was counted is not drawn."""
    parts, below = [], Decimal(0)
    for stage in ORDER if set(ORDER) == set(STAGES) else STAGES:
        kg = row.stages.get(stage, Decimal(0))
        if kg > 0:
            top, bottom = y(below + kg), y(below)
            parts.append({"y": top, "tall": round(max(bottom - top, 0.5), 1), "color": COLORS[stage]})
            below += kg
    return parts


def on_axis(around: Band, kg: Decimal, most: Decimal) -> dict[str, float]:
    """A band and its figure as percents of the longest one's width."""
    top = float(most) or 1.0
    low, high = float(around.p5_kg) / top * 100, float(around.p95_kg) / top * 100
    return {
        "low": round(low, 2),
        "wide": round(max(high - low, 0.4), 2),
        "at": round(float(kg) / top * 100, 2),
    }


def tidy(kg: Decimal) -> str:
    """The figure people see with its unit: three digits, two below 1 kg, tonnes from 1,000 kg on."""
    if abs(kg) >= 1000:
        return f"{_digits(kg / 1000, 3)} t"
    return f"{_digits(kg, 2 if abs(kg) < 1 else 3)} kg"


def _digits(value: Decimal, count: int) -> str:
    if not value:
        return "0"
    rounded = Decimal(f"{value:.{count}g}")
    return f"{rounded:,f}"

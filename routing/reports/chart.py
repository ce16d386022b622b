"""Positions for inline SVG: days as bars, and a change as a bridge from the mean before to the mean now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from routing.reports import sentences, words
from routing.reports.changes import PARTS
from routing.reports.showing import figures

WIDTH, LEFT, TOP, BOTTOM, HEIGHT = 720, 48, 14, 178, 204
STEPS = (Decimal(1), Decimal(2), Decimal(5), Decimal(10))
MOST_LABELS = 10
Json = Mapping[str, Any]
Drawn = dict[str, Any]


def axis(most: Decimal) -> tuple[Decimal, list[Decimal]]:
    """A round top and the marks up to it, from nought."""
    most = max(most, Decimal("0.0001"))
    power = Decimal(10) ** (most / 4).adjusted()
    step = next(power * factor for factor in STEPS if power * factor * 4 >= most)
    count = int(most / step) + (1 if most % step else 0)
    return step * count, [step * n for n in range(count + 1)]


def days(result: Json) -> Drawn:
    """Cost per order by day as bars; a day without an order that was sent has none."""
    rows = [(day, figures(sums)) for day, sums in result["now"]["days"].items()]
    top, marks = axis(max((row.cost or Decimal(0) for _day, row in rows), default=Decimal(1)))
    pitch = (WIDTH - LEFT - 8) / max(len(rows), 1)
    wide = round(min(36.0, pitch * 0.7), 1)
    every = -(-len(rows) // MOST_LABELS)
    bars = []
    for number, (day, row) in enumerate(rows):
        cost = row.cost or Decimal(0)
        x, y = round(LEFT + pitch * number + (pitch - wide) / 2, 1), _y(cost, top)
        bars.append({
            "x": x, "y": y, "wide": wide, "tall": round(BOTTOM - y, 1), "middle": round(x + wide / 2, 1),
            "label": day[5:] if number % every == 0 else "",
            "title": f"{day}: ¥{cost:.2f} · {row.orders:,}",
        })  # fmt: skip
    return {"bars": bars, "marks": _marks(marks, top), **_box()}


def bridge(found: Json) -> Drawn:
    """Before, the three parts, now: the parts hang between the two means, on an axis that begins at nought."""
    before, now = Decimal(found["before"]), Decimal(found["now"])
    levels, at = [before], before
    for part in PARTS:
        at += Decimal(found["parts"][part])
        levels.append(at)
    top, marks = axis(max(*levels, now, Decimal(0)))
    pitch = (WIDTH - LEFT - 8) / 5
    wide = round(pitch * 0.56, 1)
    bars, links = [], []
    # Cents as in the sentence above the chart, which add up.
    told = [f"{before:.2f}", *(sentences.parts(found)[part] for part in PARTS), f"{now:.2f}"]
    steps: list[tuple[str, Decimal, Decimal, str]] = [(_("before"), Decimal(0), before, "whole")]
    steps += [
        (
            str(words.PART_SHORT[part]),
            levels[n],
            levels[n + 1],
            "dearer" if levels[n + 1] > levels[n] else "cheaper",
        )
        for n, part in enumerate(PARTS)
    ]
    steps.append((_("now"), Decimal(0), now, "whole"))
    for number, (label, start, end, tone) in enumerate(steps):
        x = round(LEFT + pitch * number + (pitch - wide) / 2, 1)
        high, low = _y(max(start, end), top), _y(min(start, end), top)
        bars.append({
            "x": x, "y": high, "wide": wide, "tall": round(max(low - high, 1.5), 1), "tone": tone, "label": label,
            "middle": round(x + wide / 2, 1), "text_y": round(max(high - 4, 11), 1),
            "text": told[number],
        })  # fmt: skip
        if number < len(steps) - 1:
            links.append({"x1": round(x + wide, 1), "x2": round(x + pitch, 1), "y": _y(end, top)})
    return {"bars": bars, "links": links, "marks": _marks(marks, top), **_box()}


def _y(value: Decimal, top: Decimal) -> float:
    return round(BOTTOM - float(value / top) * (BOTTOM - TOP), 1)


def _marks(marks: Sequence[Decimal], top: Decimal) -> list[Drawn]:
    return [{"y": _y(mark, top), "text": f"{mark.normalize():f}"} for mark in marks]


def _box() -> Drawn:
    return {
        "width": WIDTH,
        "height": HEIGHT,
        "left": LEFT,
        "right": WIDTH - 8,
        "bottom": BOTTOM,
        "under": BOTTOM + 16,
    }

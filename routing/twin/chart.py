"""The frontier as SVG: cost to the right, hours upward, carbon by size; drawn here, colored by the tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, floor, hypot, log10

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

WIDTH, HEIGHT = 640, 330
LEFT, RIGHT, TOP, BOTTOM = 58, 24, 22, 52
SMALLEST, LARGEST = 4.5, 9.0
#: Widths of 12 px type: a Chinese character, and anything else on average.
WIDE, NARROW = 12.0, 6.8
LINE = 14


@dataclass(frozen=True, slots=True)
class Dot:
    """One point: `kind` is current, draft, neighbor or strategy."""

    kind: str
    label: str
    cost: float
    hours: float
    kgco2e: float


@dataclass(frozen=True, slots=True)
class _Box:
    x: float
    y: float
    width: float
    anchor: str

    def meets(self, other: _Box) -> bool:
        """Whether two labels would overlap."""
        across = self.x < other.x + other.width and other.x < self.x + self.width
        return across and abs(self.y - other.y) < LINE


@dataclass(frozen=True, slots=True)
class _Axis:
    low: float
    high: float
    step: float
    start: float
    span: float

    def at(self, value: float) -> float:
        return round(self.start + (value - self.low) / (self.high - self.low) * self.span, 1)

    @property
    def ticks(self) -> list[float]:
        count = round((self.high - self.low) / self.step)
        return [self.low + n * self.step for n in range(count + 1)]


def draw(dots: Sequence[Dot]) -> SafeString:
    """The chart with its text answer; every point is in the table beneath it as well."""
    x = _axis([dot.cost for dot in dots], LEFT, WIDTH - LEFT - RIGHT)
    y = _axis([dot.hours for dot in dots], HEIGHT - BOTTOM, -(HEIGHT - TOP - BOTTOM))
    return format_html(
        '<svg class="oh-wi-chart" viewBox="0 0 {} {}" role="img" aria-label="{}">{}{}{}{}{}</svg>',
        WIDTH, HEIGHT, _answer(dots), _grid(x, y), _front(dots, x, y), _arrow(dots, x, y),
        _dots(dots, x, y), _labels(dots, x, y),
    )  # fmt: skip


def frontier(dots: Sequence[Dot]) -> list[Dot]:
    """Those that no other beats in both cost and hours, the cheapest first."""
    found: list[Dot] = []
    for dot in sorted(dots, key=lambda dot: (dot.cost, dot.hours)):
        if not found or dot.hours < found[-1].hours:
            found.append(dot)
    return found


def _axis(values: Sequence[float], start: float, span: float) -> _Axis:
    low, high = min(values), max(values)
    room = max((high - low) * 0.12, abs(high) * 0.004, 0.01)
    step = _step((high - low + 2 * room) / 5)
    return _Axis(
        max(0.0, floor((low - room) / step) * step), ceil((high + room) / step) * step, step, start, span
    )


def _step(rough: float) -> float:
    """1, 2 or 5 times a power of ten, not below the rough one."""
    power = 10.0 ** floor(log10(rough))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)


def _digits(step: float) -> int:
    return max(0, -floor(log10(step) + 1e-9))


def _grid(x: _Axis, y: _Axis) -> SafeString:
    bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    rows: list[tuple[object, ...]] = [
        (LEFT, y.at(v), right, y.at(v), LEFT - 8, y.at(v) + 4, "end", f"{v:.{_digits(y.step)}f}")
        for v in y.ticks
    ]
    rows += [
        (x.at(v), TOP, x.at(v), bottom, x.at(v), bottom + 18, "middle", f"{v:.{_digits(x.step)}f}")
        for v in x.ticks
    ]
    lines = format_html_join(
        "",
        '<line class="oh-wi-grid" x1="{}" y1="{}" x2="{}" y2="{}"/><text x="{}" y="{}" text-anchor="{}">{}</text>',
        rows,
    )
    middle = (TOP + bottom) / 2
    return format_html(
        '{}<text x="{}" y="{}" text-anchor="middle">{}</text>'
        '<text x="14" y="{}" text-anchor="middle" transform="rotate(-90 14 {})">{}</text>',
        lines, (LEFT + right) / 2, HEIGHT - 10, _("¥ per order (← cheaper)"), middle, middle,
        _("hours to the door (← faster)"),
    )  # fmt: skip


def _front(dots: Sequence[Dot], x: _Axis, y: _Axis) -> SafeString:
    path = " ".join(f"{x.at(dot.cost)},{y.at(dot.hours)}" for dot in frontier(dots))
    return format_html('<polyline class="oh-wi-front" points="{}"/>', path)


def _arrow(dots: Sequence[Dot], x: _Axis, y: _Axis) -> SafeString:
    """From what is in force to the draft, where they lie apart."""
    ends = {dot.kind: (x.at(dot.cost), y.at(dot.hours)) for dot in dots if dot.kind in ("current", "draft")}
    if len(ends) < 2:
        return SafeString("")
    (x1, y1), (x2, y2) = ends["current"], ends["draft"]
    if abs(x1 - x2) + abs(y1 - y2) < 30:
        return SafeString("")
    return format_html('<line class="oh-wi-move" x1="{}" y1="{}" x2="{}" y2="{}"/>', x1, y1, x2, y2)


def _dots(dots: Sequence[Dot], x: _Axis, y: _Axis) -> SafeString:
    low, high = min(dot.kgco2e for dot in dots), max(dot.kgco2e for dot in dots)
    drawn = []
    for dot in sorted(dots, key=lambda dot: ("neighbor", "strategy", "current", "draft").index(dot.kind)):
        part = (dot.kgco2e - low) / (high - low) if high > low else 0.5
        r = round(SMALLEST + (LARGEST - SMALLEST) * part, 1)
        cx, cy = x.at(dot.cost), y.at(dot.hours)
        title = f"{dot.label}: ¥{dot.cost:.2f}, {dot.hours:.1f} h, {dot.kgco2e:.3f} kg CO₂e"
        if dot.kind == "strategy":
            shape = format_html(
                '<rect class="oh-wi-strategy" x="{}" y="{}" width="{}" height="{}"><title>{}</title></rect>',
                round(cx - r * 0.9, 1), round(cy - r * 0.9, 1), round(r * 1.8, 1), round(r * 1.8, 1), title,
            )  # fmt: skip
        else:
            shape = format_html(
                '<circle class="oh-wi-{}" cx="{}" cy="{}" r="{}"><title>{}</title></circle>',
                dot.kind, cx, cy, r, title,
            )  # fmt: skip
        drawn.append(shape)
    return SafeString("".join(drawn))


def _labels(dots: Sequence[Dot], x: _Axis, y: _Axis) -> SafeString:
    """The draft's and the current one's first; each where it meets no other, else not at all."""
    placed: list[_Box] = []
    marks = [_Box(x.at(dot.cost) - 7, y.at(dot.hours) + 4, 14, "start") for dot in dots]
    drawn = []
    line = _along([(x.at(dot.cost), y.at(dot.hours)) for dot in frontier(dots)])
    rank = ("draft", "current", "strategy", "neighbor")
    for dot in sorted(dots, key=lambda dot: rank.index(dot.kind)):
        own = _Box(x.at(dot.cost) - 7, y.at(dot.hours) + 4, 14, "start")
        others = [mark for mark in marks if mark != own]
        box = _place(x.at(dot.cost), y.at(dot.hours), dot.label, [*placed, *others, *line])
        if box is None:
            box = _place(x.at(dot.cost), y.at(dot.hours), dot.label, [*placed, *others])
        if box is None and dot.kind in ("draft", "current"):
            box = _place(x.at(dot.cost), y.at(dot.hours), dot.label, placed)
        if box is not None:
            placed.append(box)
            at = {"start": box.x, "end": box.x + box.width, "middle": box.x + box.width / 2}[box.anchor]
            drawn.append(
                format_html(
                    '<text class="oh-wi-label is-{}" x="{}" y="{}" text-anchor="{}">{}</text>',
                    dot.kind,
                    round(at, 1),
                    round(box.y, 1),
                    box.anchor,
                    dot.label,
                )
            )
    return SafeString("".join(drawn))


def _along(points: Sequence[tuple[float, float]]) -> list[_Box]:
    """Small boxes along a line, so that labels keep off it where they can."""
    found = []
    for (x1, y1), (x2, y2) in pairwise(points):
        count = max(1, ceil(hypot(x2 - x1, y2 - y1) / 5))
        found += [
            _Box(x1 + (x2 - x1) * n / count - 1, y1 + (y2 - y1) * n / count + 4, 2, "start")
            for n in range(count + 1)
        ]
    return found


def _place(cx: float, cy: float, label: str, taken: Sequence[_Box]) -> _Box | None:
    width = sum(WIDE if ord(sign) > 0x2E7F else NARROW for sign in label)
    tries = (
        _Box(cx + 13, cy + 4, width, "start"),
        _Box(cx + 10, cy - 10, width, "start"),
        _Box(cx + 10, cy + 20, width, "start"),
        _Box(cx - 13 - width, cy + 4, width, "end"),
        _Box(cx - 10 - width, cy - 10, width, "end"),
        _Box(cx - 10 - width, cy + 20, width, "end"),
        _Box(cx - width / 2, cy - 15, width, "middle"),
        _Box(cx - width / 2, cy + 25, width, "middle"),
    )
    for box in tries:
        is_inside = box.x >= LEFT + 2 and box.x + box.width <= WIDTH - 2 and TOP <= box.y <= HEIGHT - BOTTOM
        if is_inside and not any(box.meets(other) for other in taken):
            return box
    return None


def _answer(dots: Sequence[Dot]) -> str:
    told = [f"{dot.label}: ¥{dot.cost:.2f}, {dot.hours:.1f} h" for dot in dots]
    return _("Cost against hours per order.") + " " + "; ".join(told)

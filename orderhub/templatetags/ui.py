"""Template words for our components: icons, pills and bars drawn as SVG, so pages need no inline styles."""

from __future__ import annotations

import re
from datetime import datetime
from math import asin, cos, radians, sin, sqrt
from typing import Any

from django import template
from django.templatetags.static import static
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString

from orderhub.kernel import clock

register = template.Library()

TONES = ("wait", "go", "ok", "warn", "bad", "hold", "leaf")
CLOCK_RANGE = re.compile(r"\d{1,2}:\d{2}\s?[–-]\s?\d{1,2}:\d{2}")
EARTH_RADIUS_KM = 6371.0
# The axis of an ETA band keeps free room at both ends, in percent of its width, for the labels.
AXIS_START, AXIS_WIDTH = 8.0, 76.0
# Two labels closer than this would touch on a phone; then the outer one moves to a second row.
LABEL_ROOM = 30.0


@register.simple_tag
def icon(name: str) -> SafeString:
    """Draw one icon of the sprite; decorative, so hidden from screen readers."""
    sprite = static("orderhub/icons.svg")
    return format_html('<svg class="oh-i" aria-hidden="true"><use href="{}#{}"></use></svg>', sprite, name)


@register.simple_tag
def pill(tone: str, text: str) -> SafeString:
    """Draw a status pill: shape, word and color; an unknown tone is shown as waiting."""
    known = tone if tone in TONES else "wait"
    return format_html('<span class="oh-pill t-{}">{}<span>{}</span></span>', known, icon(known), text)


@register.simple_tag
def vendor(path: str) -> str:
    """Give the address of a fetched browser library, or nothing where set-up has not fetched it."""
    try:
        return static(f"vendor/{path}")
    except ValueError:
        return ""


@register.filter
def tone(value: str) -> str:
    """Name the class of a tone."""
    return f"t-{value}" if value in TONES else "t-wait"


@register.filter
def moment(value: str | datetime | None) -> datetime | None:
    """Read an ISO time as a local, aware one, ready for the `date` filter."""
    at = parse_datetime(value) if isinstance(value, str) else value
    if at is None:
        return None
    return timezone.localtime(at) if timezone.is_aware(at) else timezone.make_aware(at)


@register.filter
def percent(share: float | str | None) -> int | None:
    """Turn a share of 0 to 1 into whole percent."""
    return None if share is None or share == "" else round(float(share) * 100)


@register.filter
def clock_ranges(text: str) -> SafeString:
    """Mark times like 15:10–16:00 inside a sentence, so that they stand out and never break."""
    escaped = str(conditional_escape(text))
    return SafeString(CLOCK_RANGE.sub(lambda found: f'<em class="oh-n">{found.group()}</em>', escaped))


@register.inclusion_tag("ui/eta_band.html")
def eta_band(eta: dict[str, Any] | None, now: str | datetime | None = None) -> dict[str, Any]:
    """Draw now, the p10–p90 band and the promise on one axis; nothing without a band."""
    now_at = moment(now) or timezone.localtime(clock.now())
    starts_at, ends_at = (moment(eta.get("from")), moment(eta.get("to"))) if eta else (None, None)
    if eta is None or starts_at is None or ends_at is None:
        return {"shown": False}
    promise_at = moment(eta.get("promise"))
    times = {"now": now_at, "left": starts_at, "right": ends_at}
    if promise_at is not None:
        times["promise"] = promise_at
    return {
        "shown": True,
        "eta": eta,
        "now_at": now_at,
        "promise_at": promise_at,
        "promise_today": promise_at is not None and promise_at.date() == now_at.date(),
        **_with_labels(_places(times)),
    }


def _places(times: dict[str, datetime]) -> dict[str, float]:
    """Map times to percent of the axis, the first at its start and the last at its end."""
    first, last = min(times.values()), max(times.values())
    span_seconds = (last - first).total_seconds() or 1.0
    return {
        name: round(AXIS_START + AXIS_WIDTH * (at - first).total_seconds() / span_seconds, 2)
        for name, at in times.items()
    }


def _with_labels(places: dict[str, float]) -> dict[str, Any]:
    """Add where the labels go; one that would touch the band's label drops to the second row."""
    middle, promise = (places["left"] + places["right"]) / 2, places.get("promise")
    now_low = middle - places["now"] < LABEL_ROOM
    promise_low = promise is not None and promise - middle < LABEL_ROOM + 6
    return {
        **places,
        "promise": promise,
        "width": max(3.0, round(places["right"] - places["left"], 2)),
        "middle": min(max(middle, 16.0), 84.0),
        "now_low": now_low,
        "promise_low": promise_low,
        "promise_label": None if promise is None else max(promise, 24.0),
        "is_tall": now_low or promise_low,
    }


@register.inclusion_tag("ui/range_bar.html")
def range_bar(low: float | str, value: float | str, high: float | str) -> dict[str, Any]:
    """Draw a value inside its 90 % band on an axis that starts at zero."""
    top = max(float(high) * 1.25, 1e-9)
    left, mark, right = (round(100 * float(part) / top, 2) for part in (low, value, high))
    return {"left": left, "width": max(1.0, round(right - left, 2)), "mark": mark, "low": low, "high": high}


@register.simple_tag
def diverging_bar(difference: float | str, widest: float | str) -> SafeString:
    """Draw one difference in money: left and plain when negative (cheaper), right and striped when dearer."""
    value, scale = float(difference), max(abs(float(widest)), 1e-9)
    width = round(46 * abs(value) / scale, 2)
    bar = SafeString("")
    if value < 0:
        good = '<rect class="oh-dv-good" x="{}%" y="3" width="{}%" height="12" rx="2"></rect>'
        bar = format_html(good, round(50 - width, 2), width)
    elif value > 0:
        cost = (
            '<rect class="oh-dv-cost" x="50%" y="3" width="{}%" height="12"></rect>'
            '<line class="oh-dv-stripe" x1="50%" x2="{}%" y1="9" y2="9"></line>'
        )
        bar = format_html(cost, width, round(50 + width, 2))
    middle = SafeString('<line class="oh-dv-mid" x1="50%" x2="50%" y1="-6" y2="24"></line>')
    return format_html('<svg class="oh-dv" aria-hidden="true">{}{}</svg>', middle, bar)


@register.simple_tag
def load_bar(used: float | str, forecast: float | str, limit: float | str) -> SafeString:
    """Draw a warehouse's day: used, forecast on top of it, and the limit line, in the same unit."""
    used_now, at_end, cap = float(used), max(float(forecast), float(used)), max(float(limit), 1e-9)
    scale = max(at_end, cap * 1.15)
    share = at_end / cap
    state = "bad" if share > 1 else "warn" if share > 0.9 else "go"
    solid, end, mark = (round(100 * part / scale, 2) for part in (used_now, at_end, cap))
    return format_html(
        '<svg class="oh-load t-{}" aria-hidden="true">'
        '<rect class="oh-load-axis" width="100%" height="20" rx="5"></rect>'
        '<rect class="oh-load-used" width="{}%" height="20" rx="3"></rect>'
        '<line class="oh-load-more" x1="{}%" x2="{}%" y1="10" y2="10"></line>'
        '<line class="oh-load-cap" x1="{}%" x2="{}%" y1="-4" y2="24"></line></svg>',
        state,
        solid,
        solid,
        end,
        mark,
        mark,
    )


@register.simple_tag
def steps(done: int, total: int, state: str = "go") -> SafeString:
    """Draw a strip of steps: the first `done` finished, the next one in the tone of `state`."""
    tones = ["t-ok"] * min(done, total)
    if done < total:
        tones += [f"t-{state}", *[""] * (total - done - 1)]
    parts = format_html_join("", '<i class="{}"></i>', ((name,) for name in tones))
    return format_html('<span class="oh-steps" aria-hidden="true">{}</span>', parts)


@register.simple_tag
def travelled(parcel: dict[str, Any] | None) -> float | None:
    """Place a parcel on a line drawn from 8 to 92 percent of its way; nothing if a place is unknown."""
    if not parcel:
        return None
    origin, here, goal = parcel.get("origin"), parcel.get("position"), parcel.get("destination")
    if not (_is_place(origin) and _is_place(here) and _is_place(goal)):
        return None
    behind_km, ahead_km = _distance_km(origin, here), _distance_km(here, goal)
    return round(8 + 84 * behind_km / max(behind_km + ahead_km, 1e-6), 2)


def _is_place(point: dict[str, Any] | None) -> bool:
    return bool(point) and point is not None and point.get("lat") is not None and point.get("lng") is not None


def _distance_km(start: Any, end: Any) -> float:
    lat_1, lat_2 = radians(float(start["lat"])), radians(float(end["lat"]))
    half_lng = radians(float(end["lng"]) - float(start["lng"])) / 2
    chord = sin((lat_2 - lat_1) / 2) ** 2 + cos(lat_1) * cos(lat_2) * sin(half_lng) ** 2
    return 2 * EARTH_RADIUS_KM * asin(sqrt(min(1.0, chord)))

"""Which positions count: judged one by one against the device's last good one; pure.

What is wrong is not thrown away: it is kept apart with its reason, for a person to see that a device is broken.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from orderhub.kernel.geo import haversine_km
from tracking.geofence import AHEAD_OF_CLOCK, FASTEST_KMH, WORST_ACCURACY_M
from tracking.live_position.formats import Reading
from tracking.live_position.land import is_at_sea

Reason = Literal["unknown_device", "wrong_key", "clock", "sea", "jump", "unreadable"]


@dataclass(frozen=True, slots=True)
class Seen:
    """The device's newest good position, WGS-84."""

    at: datetime
    lat: float
    lng: float


@dataclass(slots=True)
class Judged:
    """What became of a device's readings, in order of time: `fresh` move "now", `late` are only history.

    `doubt` is the newest jump: a fix that agrees with it shows that the place before was the wrong one.
    """

    doubt: Seen | None = None
    fresh: list[Reading] = field(default_factory=list)
    late: list[Reading] = field(default_factory=list)
    stray: list[tuple[Reading, Reason]] = field(default_factory=list)
    repeated: int = 0

    @property
    def kept(self) -> list[Reading]:
        """All that is history."""
        return [*self.late, *self.fresh]


def judge(
    readings: Iterable[Reading],
    *,
    last: Seen | None,
    doubt: Seen | None = None,
    now: datetime,
    on_land: bool,
    oldest: datetime,
) -> Judged:
    """Sort a device's readings (WGS-84) by what they are good for.

    Strays: more than 2 minutes ahead of our clock or older than `oldest` (what history still holds), at sea for a vehicle
    `on_land`, or a jump faster than 200 km/h. Late and blurred ones (worse than 500 m) are history but never "now".
    """
    found = Judged(doubt)
    seen = {last.at} if last is not None else set()
    for reading in sorted(readings, key=lambda one: one.at):
        if reading.at in seen:
            found.repeated += 1
        elif reading.at > now + AHEAD_OF_CLOCK or reading.at < oldest:
            found.stray.append((reading, "clock"))
        elif on_land and is_at_sea(reading.lat, reading.lng):
            found.stray.append((reading, "sea"))
        elif (last is not None and reading.at < last.at) or is_blurred(reading):
            found.late.append(reading)
        elif _is_jump(last, reading) and (found.doubt is None or _is_jump(found.doubt, reading)):
            found.stray.append((reading, "jump"))
            found.doubt = Seen(reading.at, reading.lat, reading.lng)
        else:
            found.fresh.append(reading)
            found.doubt, last = None, Seen(reading.at, reading.lat, reading.lng)
        seen.add(reading.at)
    return found


def is_blurred(reading: Reading) -> bool:
    """Too inaccurate to say where the vehicle is now."""
    return reading.accuracy_m is not None and reading.accuracy_m > WORST_ACCURACY_M


def _is_jump(last: Seen | None, reading: Reading) -> bool:
    if last is None:
        return False
    hours = (reading.at - last.at).total_seconds() / 3600
    km = haversine_km(last.lat, last.lng, reading.lat, reading.lng)
    return hours > 0 and km / hours > FASTEST_KMH

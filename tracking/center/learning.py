"""What lanes took: durations counted as they happen, read back as quantiles of the last months."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from django.db.models import F

from orderhub.events import rows
from tracking.center.engine import lanes
from tracking.center.models import LaneTime, Standing

#: This month and so many before it count: at least 60 days.
MONTHS = 2
STEP, REST = LaneTime.Sort.STEP.value, LaneTime.Sort.REST.value
Key = tuple[int, str, str, str, str, str, date]


@dataclass(slots=True)
class Tally:
    """Durations of one batch, by lane and milestone; written once."""

    hours: dict[Key, list[float]] = field(default_factory=dict)

    def add(self, row: Standing, sort: str, milestone: str, first: datetime, last: datetime) -> None:
        """A parcel needed from `first` to `last`; parts that are no parcel teach nothing of lanes."""
        if row.parcel_id is None or not row.carrier or last < first:
            return
        key = (
            row.merchant_id,
            sort,
            row.carrier,
            row.origin,
            row.destination,
            milestone,
            last.date().replace(day=1),
        )
        self.hours.setdefault(key, []).append((last - first).total_seconds() / 3600)

    def write(self) -> None:
        """Merge into the rows of the months; three queries for any number."""
        if not self.hours:
            return
        names = ("merchant_id", "sort", "carrier", "origin", "destination", "milestone", "month")
        wanted = {name: {key[n] for key in self.hours} for n, name in enumerate(names)}
        held = LaneTime.objects.select_for_update(no_key=True).filter(
            **{f"{name}__in": values for name, values in wanted.items()}
        )
        known = {tuple(getattr(row, name) for name in names): row for row in held}
        fresh = [LaneTime(**dict(zip(names, key, strict=True))) for key in self.hours if key not in known]
        for row in [*known.values(), *fresh]:
            more = self.hours.get(tuple(getattr(row, name) for name in names), [])
            row.counts = lanes.added(row.counts, more)
            row.samples = lanes.total(row.counts)
        rows.insert(fresh)
        rows.save(list(known.values()), ["counts", "samples"])


@dataclass(frozen=True, slots=True)
class Learned:
    """The counts of some carriers and milestones, by lane and, all lanes together, by carrier."""

    by_lane: Mapping[tuple[int, str, str, str, str], lanes.Counts]
    by_carrier: Mapping[tuple[int, str, str], lanes.Counts]

    def of(self, row: Standing, milestone: str) -> tuple[lanes.Counts, str]:
        """The lane's counts where they are enough, else the carrier's, and which of the two."""
        own = self.by_lane.get((row.merchant_id, row.carrier, row.origin, row.destination, milestone), {})
        if lanes.total(own) >= lanes.FEWEST:
            return own, "lane"
        return self.by_carrier.get((row.merchant_id, row.carrier, milestone), {}), "carrier"


NOTHING = Learned({}, {})


def learned(
    standings: Iterable[Standing], sort: str, milestones: Collection[str], *, now: datetime
) -> Learned:
    """What is known of the carriers of these parcels at these milestones; one query, none without parcels."""
    held = [row for row in standings if row.parcel_id is not None and row.carrier]
    if not held or not milestones:
        return NOTHING
    since = _months_back(now.date().replace(day=1), MONTHS)
    found = LaneTime.objects.filter(
        merchant__in={row.merchant_id for row in held}, carrier__in={row.carrier for row in held}, sort=sort,
        milestone__in=milestones, month__gte=since,
    )  # fmt: skip
    by_lane: dict[tuple[int, str, str, str, str], list[lanes.Counts]] = {}
    by_carrier: dict[tuple[int, str, str], list[lanes.Counts]] = {}
    for row in found:
        lane = (row.merchant_id, row.carrier, row.origin, row.destination, row.milestone)
        by_lane.setdefault(lane, []).append(row.known)
        by_carrier.setdefault((row.merchant_id, row.carrier, row.milestone), []).append(row.known)
    return Learned(
        {key: lanes.merged(many) for key, many in by_lane.items()},
        {key: lanes.merged(many) for key, many in by_carrier.items()},
    )


def publish() -> int:
    """Reckon from now on with everything counted so far; once a night, so that nothing flickers by day."""
    return LaneTime.objects.update(known=F("counts"))


def _months_back(first: date, months: int) -> date:
    number = first.year * 12 + first.month - 1 - months
    return date(number // 12, number % 12 + 1, 1)

"""What must always hold: apps declare it in their `invariants.py`, `manage.py check_invariants` asks all of
them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from time import monotonic

from django.db.models import Count, Sum

from orderhub.events import audit, guard, leases
from orderhub.events.models import Delivery, DeliveryTally

#: Answers the violations, a sentence each; lazily, since only the first ones are shown.
Check = Callable[[], Iterable[str]]
SHOWN = 20
OVERDUE = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Invariant:
    """One promise under the id it has in docs/reliability.md; several checks may share an id."""

    id: str
    zh: str
    en: str
    check: Check


@dataclass(frozen=True, slots=True)
class Result:
    """What one check found: how many violations, the first twenty of them, and how long it took."""

    invariant: Invariant
    count: int
    shown: list[str]
    seconds: float


_invariants: list[Invariant] = []


def invariant(identifier: str, *, zh: str, en: str) -> Callable[[Check], Check]:
    """Declare a check of that promise; the function answers violations."""

    def register(function: Check) -> Check:
        _invariants.append(Invariant(identifier, zh, en, function))
        return function

    return register


def declared() -> list[Invariant]:
    """All checks, by id (I1, I2, … I10)."""
    return sorted(
        _invariants, key=lambda each: (int("".join(filter(str.isdigit, each.id)) or 0), each.id, each.en)
    )


def run(invariants: Iterable[Invariant] | None = None) -> Iterable[Result]:
    """Check each one, in order."""
    for each in declared() if invariants is None else invariants:
        started = monotonic()
        violations = iter(each.check())
        shown = list(islice(violations, SHOWN))
        count = len(shown) + sum(1 for _violation in violations)
        yield Result(each, count, shown, monotonic() - started)


# ---- the log's own ------------------------------------------------------------------------------


@invariant(
    "I3",
    zh="每个单据的事件连续编号,无缺口,流头即最后一个事件",
    en="Every stream is numbered without gaps and its head is its last event",
)
def streams_are_gapless() -> Iterable[str]:
    """I3, the log's part: the heads here; gaps inside a stream are named by I8's walk along the chains."""
    return audit.head_differences()


@invariant(
    "I5", zh="没有无人处理的投递", en="No delivery is left lying: all are done, dead and visible, or soon due"
)
def deliveries_move() -> Iterable[str]:
    """I5: leases that ran out over 60 s ago, and states nobody knows; dead ones are visible, so they are no
    violation.
    """
    now = leases.db_now()
    late = Delivery.objects.filter(state=Delivery.State.LEASED, lease_until__lt=now - OVERDUE)
    for row in late.order_by("pk").iterator():
        yield f"delivery {row.pk} ({row}) has had no worker since {row.lease_until:%H:%M:%S}"
    unknown = Delivery.objects.exclude(state__in=Delivery.State.values).count()
    if unknown:
        yield f"{unknown} deliveries are in no known state"


@invariant("I8", zh="审计链未被篡改", en="The audit trail is as it was written")
def log_is_untouched() -> Iterable[str]:
    """I8: chains, anchors and the triggers that refuse changes."""
    yield from (f"trigger {name} is missing" for name in guard.missing_triggers())
    yield from audit.verify()
    yield from audit.broken_anchors()


def delivery_counts() -> dict[str, int]:
    """Deliveries by state, those forgotten since included: all ever created is their sum."""
    rows = Delivery.objects.values_list("state").annotate(number=Count("pk")).order_by("state")
    counts = dict(rows)
    for state, number in (
        DeliveryTally.objects.values_list("state").annotate(n=Sum("number")).order_by("state")
    ):
        counts[state] = counts.get(state, 0) + number
    return counts

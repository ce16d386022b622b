"""Who is owed which notice: rules, quiet hours and gathering, worked out behind the order path; deliveries carry it on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction

from orderhub.events import doorbell, kinds, rows
from orderhub.events.log import CLOCK_SLACK
from orderhub.events.models import Delivery, Event
from tracking.everywhere.models import NoticeRule

NAME = "tracking.notices"
#: Whoever reads the log again writes to nobody about what is older.
TOLD_FOR = timedelta(days=1)
SCANNED = "parcel.scanned"


def milestone_of(event: Event) -> str:
    """The milestone an event means to the public; "" for none."""
    kind = kinds.get(event.kind)
    if kind.visibility == "internal":
        return ""
    return str(event.payload.get("milestone") or "") if event.kind == SCANNED else kind.milestone


def owe(events: Sequence[Event], *, now: datetime) -> int:
    """Write the deliveries these events owe, each once by event and rule; how many. Inside the caller's transaction."""
    fresh = [
        event for event in events if event.stream.startswith("order:") and event.recorded_at > now - TOLD_FOR
    ]
    merchants = {event.merchant_id for event in fresh if event.merchant_id is not None}
    active = NoticeRule.objects.filter(merchant_id__in=merchants, is_active=True).select_related("merchant")
    rules = list(active) if merchants else []
    if not rules:
        return 0
    wanted = [
        (event, rule)
        for event in fresh
        for rule in rules
        if rule.merchant_id == event.merchant_id and milestone_of(event) in rule.milestones
    ]
    gathered = _gathered(wanted)
    owed = []
    for event, rule in wanted:
        key = (event.stream, str(rule.pk))
        # What waits already takes this along; else it waits for more to come, and for the end of the night.
        due = gathered.setdefault(key, due_at(rule, now=now))
        owed.append(
            Delivery(
                event_id=event.pk, merchant_id=event.merchant_id, subscriber=NAME, destination=str(rule.pk),
                stream=event.stream, ordered=False, not_before=due if due > now else now - CLOCK_SLACK, created_at=now,
            )
        )  # fmt: skip
    rows.insert(owed, skip_known=True)
    if owed:
        transaction.on_commit(lambda: doorbell.ring(["outbox"]), robust=True)
    return len(owed)


def due_at(rule: NoticeRule, *, now: datetime) -> datetime:
    """When a notice of this rule may go at the earliest."""
    due = now + timedelta(minutes=rule.merge_minutes)
    if rule.quiet_from is None or rule.quiet_until is None:
        return due
    return _after_quiet(due, rule.quiet_from, rule.quiet_until, ZoneInfo(rule.merchant.time_zone))


def _after_quiet(at: datetime, begins: time, ends: time, zone: ZoneInfo) -> datetime:
    local = at.astimezone(zone)
    is_overnight = begins > ends
    within = local.time() >= begins or local.time() < ends if is_overnight else begins <= local.time() < ends
    if not within:
        return at
    day = local.date() + timedelta(days=1 if is_overnight and local.time() >= begins else 0)
    return datetime.combine(day, ends, zone)


def _gathered(wanted: Sequence[tuple[Event, NoticeRule]]) -> dict[tuple[str, str], datetime]:
    """When what waits already goes, by stream and rule; one query."""
    if not wanted:
        return {}
    waiting = Delivery.objects.filter(
        subscriber=NAME, state=Delivery.State.READY, attempts=0,
        stream__in={event.stream for event, _rule in wanted},
        destination__in={str(rule.pk) for _event, rule in wanted},
    )  # fmt: skip
    return {
        (stream, destination): at
        for stream, destination, at in waiting.values_list("stream", "destination", "not_before")
    }

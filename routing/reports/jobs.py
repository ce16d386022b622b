"""Reports by the clock and by e-mail: what waits is made, what is due is asked for, subscribers are told."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from orderhub.events.models import Delivery, Event
from orderhub.events.registry import every, on
from orderhub.kernel import clock
from routing.kinds import REPORT_MADE
from routing.reports import mail, replays, service
from routing.reports.models import ReportSubscription

WORK_SECONDS = 2
DUE_SECONDS = 900
FORGET_SECONDS = 24 * 3600


@every(WORK_SECONDS, name="routing.reports", queue="low")
def work_off() -> int:
    """Make the oldest report that waits; without one, replay the oldest recommendation that waits."""
    return service.work() or replays.work()


@every(DUE_SECONDS, name="routing.reports_due", queue="low")
def ask_due() -> int:
    """Ask for the reports of yesterday and of last week that nobody asked for yet."""
    return service.make_due()


@every(FORGET_SECONDS, name="routing.reports_forget", queue="low")
def forget() -> int:
    """Delete old reports."""
    return service.forget(now=clock.now())


def _subscribers(events: Sequence[Event]) -> list[Iterable[str]]:
    """The subscriptions of a report's merchant and kind; a report somebody asked for by hand is not mailed."""
    wanted = ReportSubscription.objects.filter(
        merchant__in={event.merchant_id for event in events if event.merchant_id}, is_active=True
    )
    rows: dict[tuple[int | None, str], list[str]] = {}
    for pk, merchant_id, kind in wanted.values_list("pk", "merchant_id", "kind"):
        rows.setdefault((merchant_id, kind), []).append(str(pk))
    return [
        rows.get((event.merchant_id, str(event.payload["kind"])), []) if event.actor == service.CLOCK else []
        for event in events
    ]


@on(
    REPORT_MADE.name, name="routing.report_mail", queue="outbox", batch=1, ordered=False, outside=True,
    destinations=_subscribers, dead_blocks=False,
)  # fmt: skip
def send(deliveries: Sequence[Delivery]) -> None:
    """Mail a report to one subscription; the key in its head is the same in every try."""
    for row in deliveries:
        mail.send(
            int(row.event.payload["report"]),
            int(row.destination),
            key=f"event:{row.event_id}/{row.destination}",
        )

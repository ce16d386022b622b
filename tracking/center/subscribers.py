"""What the control tower listens to and does by the clock."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.core.mail import send_mail
from django.utils.translation import gettext as _
from django.utils.translation import override

from orderhub.events import registry
from orderhub.events.models import Delivery, Event
from orderhub.kernel import clock
from tracking.center import alerts, kinds, learning, moves, reading, telling, watching
from tracking.center.models import StallRule

__all__ = ["reading", "telling"]

#: News that is overdue is told within a minute of its time.
CHECK_SECONDS = 30.0

registry.projection("center.watch", kinds=moves.watched_kinds(), queue="low", batch=300)(watching.apply)


@registry.every(CHECK_SECONDS, name="center.alerts", queue="low")
def watch() -> int:
    """Open what is overdue, escalate what nobody took, and tell it."""
    now = clock.now()
    done = alerts.open_due(now=now) + alerts.escalate(now=now)
    return done + alerts.tell(now=now)


@registry.every(24 * 3600, name="center.limits", queue="low")
def learn() -> int:
    """Limits that are learned and arrivals move with what lanes took, once a night."""
    learning.publish()
    return watching.reckon_again(now=clock.now())


def _addresses(events: Sequence[Event]) -> list[Iterable[str]]:
    codes = {str(event.payload.get("rule")) for event in events}
    told = dict(StallRule.objects.filter(code__in=codes).exclude(tells="").values_list("code", "tells"))
    return [
        [one.strip() for one in told.get(str(event.payload.get("rule")), "").split(",") if one.strip()]
        for event in events
    ]


@registry.on(
    kinds.OPENED.name, kinds.ESCALATED.name,
    name="center.mail", queue="outbox", batch=20, outside=True, destinations=_addresses, dead_blocks=False,
)  # fmt: skip
def mail(deliveries: Sequence[Delivery]) -> None:
    """Mail an alert to the addresses of its rule; it names the order and what is overdue, never a person."""
    names = dict(StallRule.objects.values_list("code", "name"))
    for row in deliveries:
        said = row.event.payload
        with override("zh-hans"):
            subject = _("Order %(number)s needs somebody") % {"number": said["order_number"]}
            text = _("%(rule)s, since %(since)s. Open the control tower to see what can be done.") % {
                "rule": names.get(str(said["rule"]), said["rule"]), "since": said["since"],
            }  # fmt: skip
        send_mail(subject, text, None, [row.destination])

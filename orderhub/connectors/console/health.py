"""The state of a connection in figures and one sentence; what its page and the list of connections show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from django.db.models import Count, Min, Q
from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from orderhub.connectors import partners, silence
from orderhub.connectors.models import Call, Connection, InboxMessage, Profile, Traffic
from orderhub.events import breaker
from orderhub.events.models import Delivery

SUBSCRIBERS = ("connectors.push", partners.NAME)
HOURS = 24
#: More than this share of failures is worth a look.
BAD_SHARE = 0.05
#: Fewer than this are a mishap.
FEWEST_BAD = 3
FAILURES = 3
_OPEN = ("ready", "leased", "dead")
Text = str | Promise


@dataclass(frozen=True, slots=True)
class State:
    """A connection's state as a pill and a sentence."""

    tone: str
    word: Text
    text: str


@dataclass(frozen=True, slots=True)
class Bar:
    """One hour of the strip: place and height in a box of 720 × 60, its tone, and what a reader is told of it."""

    x: float
    y: float
    height: float
    tone: str
    title: str


def figures(connection: Connection, *, now: datetime) -> dict[str, Any]:
    """The last 24 hours, what waits, how fast it answers; five queries."""
    hours = list(Traffic.objects.filter(connection=connection, hour__gt=now - timedelta(hours=HOURS)))
    names = ("received", "repeated", "forged", "quarantined", "sent", "acked", "refused", "failed")
    sums = {name: sum(getattr(row, name) for row in hours) for name in names}
    recent = Call.objects.filter(connection=connection, milliseconds__isnull=False).order_by("-id")
    times = [took for took in recent.values_list("milliseconds", flat=True)[:200] if took is not None]
    waiting = Delivery.objects.filter(
        subscriber__in=SUBSCRIBERS, destination=str(connection.pk), state__in=_OPEN
    ).aggregate(count=Count("pk"), oldest=Min("created_at"), dead=Count("pk", filter=Q(state="dead")))
    apart = InboxMessage.objects.filter(connection=connection, state=InboxMessage.State.QUARANTINED).count()
    gap = silence.usual_gaps([connection.pk], now=now).get(connection.pk)
    out = _rest(connection)
    bad = sums["forged"] + sums["quarantined"] + sums["failed"]
    total = sums["received"] + sums["forged"] + sums["sent"]
    return {
        **sums, "median_ms": round(median(times)) if times else None,
        "slowest_ms": max((row.slowest_ms for row in hours), default=0) or None,
        "share": bad / total if total else None, "bad": bad, "waiting": waiting["count"], "dead": waiting["dead"],
        "oldest": waiting["oldest"], "apart": apart, "usual": span(gap) if gap else "",
        "silence": span(now - connection.last_message_at) if connection.last_message_at else "",
        "is_quiet": _is_quiet(connection, gap, now), "out_until": datetime.fromisoformat(out["until"]) if out else None,
        "bars": bars(hours, now=now), "hours": hours,
    }  # fmt: skip


def _rest(connection: Connection) -> breaker.Rest | None:
    """Until when it rests, if nobody is there; a partner's subscription is told by another subscriber of the log."""
    name = partners.NAME if _is_partner(connection) else "connectors.push"
    return breaker.is_out(name, str(connection.pk))


def _is_partner(connection: Connection) -> bool:
    return connection.profile is not None and connection.profile.role == Profile.Role.PARTNER


def _is_quiet(connection: Connection, gap: timedelta | None, now: datetime) -> bool:
    limit = silence.limit_of(connection, gap)
    at = connection.last_message_at
    return (
        connection.is_active and at is not None and limit is not None and now - at > max(limit, timedelta(0))
    )


def state(connection: Connection, found: Mapping[str, Any], *, now: datetime) -> State:
    """What is true now and what to do about it, the worst first."""
    name = connection.name
    if not connection.is_active:
        return State("hold", _("off"), _("It is switched off: its door is closed and nothing is sent to it."))
    if connection.paused_until is not None and connection.paused_until > now:
        return State("hold", _("paused"), _("It rests until %(time)s; what is owed to it waits in order.")
                     % {"time": f"{localtime(connection.paused_until):%m-%d %H:%M}"})  # fmt: skip
    dead, apart = found.get("dead", 0), found.get("apart", 0)
    if dead:
        return State("bad", _("needs a person"), ngettext(
            "%(count)d call was refused for good and waits for you.",
            "%(count)d calls were refused for good and wait for you.", dead
        ) % {"count": dead})  # fmt: skip
    if apart:
        return State("bad", _("needs a person"), ngettext(
            "%(count)d message could not be read and waits for you.",
            "%(count)d messages could not be read and wait for you.", apart
        ) % {"count": apart})  # fmt: skip
    if found.get("out_until") or connection.failures_in_a_row >= FAILURES:
        return State(
            "bad",
            _("out"),
            _("%(name)s does not answer. What is owed to it waits in order; nothing is lost.")
            % {"name": name},
        )
    if found.get("is_quiet"):
        return State("warn", _("quiet"),
            _("No message for %(time)s; usual at this hour: %(usual)s between two. Ask the other side whether it still sends.")
                     % {"time": found["silence"], "usual": found["usual"] or "–"})  # fmt: skip
    if (found.get("share") or 0) > BAD_SHARE and found.get("bad", 0) >= FEWEST_BAD:
        return State("warn", _("faults"), _("%(share)s %% of the last 24 hours went wrong; see below what.")
                     % {"share": number_format(found["share"] * 100, 1)})  # fmt: skip
    if connection.last_message_at is None and connection.tested_at is None:
        return State(
            "wait",
            _("new"),
            _("Nothing has been exchanged yet. Press Test, then have the other side send a message."),
        )
    if connection.last_message_at is None and connection.door_key:
        return State(
            "wait", _("new"), _("Nothing has come in yet: have the other side send a message to its door.")
        )
    return State("ok", _("well"), _("It works as usual."))


def states(connections: Sequence[Connection], *, now: datetime) -> dict[int, State]:
    """The states of many connections, for a list; four queries whatever their number."""
    ids = [row.pk for row in connections]
    apart = _counts(InboxMessage.objects.filter(connection_id__in=ids, state="quarantined"))
    dead = _counts(Call.objects.filter(connection_id__in=ids, state="dead"))
    gaps = silence.usual_gaps(ids, now=now)
    found = {}
    for row in connections:
        gap = gaps.get(row.pk)
        facts = {
            "dead": dead.get(row.pk, 0), "apart": apart.get(row.pk, 0), "usual": span(gap) if gap else "",
            "out_until": _rest(row), "is_quiet": _is_quiet(row, gap, now),
            "silence": span(now - row.last_message_at) if row.last_message_at else "",
        }  # fmt: skip
        found[row.pk] = state(row, facts, now=now)
    return found


def _counts(rows: Any) -> dict[int, int]:
    return dict(
        rows.values_list("connection_id").annotate(count=Count("pk")).values_list("connection_id", "count")
    )


def bars(hours: Sequence[Traffic], *, now: datetime) -> list[Bar]:
    """24 hours as bars; an hour with faults is striped or red, an hour without messages a thin line."""
    end = now.replace(minute=0, second=0, microsecond=0)
    known = {row.hour: row for row in hours}
    most = max((_total(row) for row in hours), default=0) or 1
    made = []
    for number in range(HOURS):
        at = end - timedelta(hours=HOURS - 1 - number)
        row = known.get(at)
        total = _total(row) if row else 0
        bad = row.failed + row.forged + row.quarantined if row else 0
        height = max(2.0, 56.0 * total / most)
        tone = "wait" if not total else "ok" if not bad else "bad" if bad * 4 > total else "warn"
        clock = f"{localtime(at):%H:%M}"
        text = _("%(time)s: %(in)d in, %(out)d out, %(bad)d wrong") % {
            "time": clock, "in": row.received if row else 0, "out": row.sent if row else 0, "bad": bad,
        }  # fmt: skip
        made.append(Bar(round(number * 30.0, 1), round(60 - height, 1), round(height, 1), tone, text))
    return made


def _total(row: Traffic) -> int:
    return row.received + row.sent + row.forged


def span(length: timedelta) -> str:
    """A length of time in words: seconds, minutes, hours or days."""
    seconds = length.total_seconds()
    for size, unit in (
        (86400, gettext_lazy("%(n)s d")),
        (3600, gettext_lazy("%(n)s h")),
        (60, gettext_lazy("%(n)s min")),
    ):
        if seconds >= size:
            number = seconds / size
            return str(unit) % {"n": f"{number:.0f}" if number >= 10 else f"{number:.1f}".removesuffix(".0")}
    return _("%(n)s s") % {"n": f"{seconds:.0f}"}

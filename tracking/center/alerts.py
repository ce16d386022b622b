"""Alerts: opened when news is overdue or trouble is told, closed by the next news, told through the log, and worked off."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from orderhub.access.models import User
from orderhub.connectors import silence
from orderhub.events import log
from orderhub.events import rows as writing
from orderhub.orders.models import Order
from tracking.center import kinds, limits
from tracking.center.limits import Rulebook
from tracking.center.models import Alert, Expectation, StallRule, Standing

AT_ONCE = 300
_Sort = StallRule.Sort
_WEIGHTS = {"critical": 1000.0, "high": 300.0, "normal": 100.0}
#: How a severity looks.
TONES = {"critical": "bad", "high": "warn", "normal": "wait"}
_MORE = {"normal": "high", "high": "critical", "critical": "critical"}
#: The value of an order counts up to this: a cheap parcel that is lost matters too.
_MOST_VALUE = 500.0
_LATE = 200.0


def follow(moved: Sequence[Standing], *, now: datetime) -> None:
    """Close what the news settled and open what is trouble by itself; in the transaction of the news."""
    by_row = {row.pk: row for row in moved}
    held = Alert.objects.select_for_update(no_key=True, of=("self",)).select_related("rule")
    open_now = list(held.filter(standing__in=by_row, cleared_at__isnull=True).order_by("pk"))
    gone = [(alert, cause) for alert in open_now if (cause := _settled(alert, by_row[alert.standing_id]))]
    clear(gone, now=now)
    left = {(alert.standing_id, alert.rule_id) for alert in open_now if alert.cleared_at is None}
    rules = list(StallRule.objects.filter(is_active=True, sort=_Sort.EVENT))
    troubled = [row for row in moved if any(row.milestone in limits.codes_of(rule) for rule in rules)]
    if not troubled:
        return
    book = limits.rulebook(troubled, now=now)
    found = []
    for row in troubled:
        rule = book.chosen(row, _Sort.EVENT)
        is_due = rule is not None and row.counts.get(row.milestone, 0) >= rule.times
        if rule is not None and is_due and (row.pk, rule.pk) not in left:
            found.append((row, rule, row.since_at))
    open_all(found, now=now)


def _settled(alert: Alert, row: Standing) -> str:
    """What closes an alert; "" while it stands."""
    if alert.rule.sort == _Sort.LATE:
        return "" if row.is_open else row.milestone
    if alert.rule.sort == _Sort.EVENT:
        return row.milestone if row.milestone != alert.milestone or not row.is_open else ""
    if row.held_at is not None:
        return "held"
    return row.milestone if not row.is_open or row.since_at != alert.since_at else ""


def clear(settled: Iterable[tuple[Alert, str]], *, now: datetime) -> int:
    """Close alerts, each with its cause; returns how many."""
    closed = []
    for alert, cause in settled:
        alert.cleared_at, alert.cause, alert.is_untold, alert.escalate_at = now, cause[:60], True, None
        closed.append(alert)
    writing.save(closed, ["cleared_at", "cause", "is_untold", "escalate_at"])
    return len(closed)


def open_all(found: Sequence[tuple[Standing, StallRule, datetime]], *, now: datetime) -> int:
    """Open an alert for each part, rule and moment it was due; the parts have none open of that rule. Three queries."""
    if not found:
        return 0
    orders = Order.objects.in_bulk({row.order_id for row, _rule, _due in found})
    parcels = {row.parcel_id for row, _rule, _due in found if row.parcel_id is not None}
    expected = dict(Expectation.objects.filter(parcel__in=parcels).values_list("parcel_id", "latest_at"))
    made = [
        _made(row, rule, due, orders[row.order_id], expected.get(row.parcel_id or 0), now=now)
        for row, rule, due in found
    ]
    writing.insert(made, skip_known=True)
    return len(made)


def _made(
    row: Standing, rule: StallRule, due: datetime, order: Order, latest: datetime | None, *, now: datetime
) -> Alert:
    escalate = timedelta(hours=float(rule.escalate_hours)) if rule.escalate_hours is not None else None
    return Alert(
        standing=row, order_id=row.order_id, merchant_id=row.merchant_id, rule=rule, severity=rule.severity,
        milestone=row.milestone, since_at=row.since_at, due_at=due, opened_at=now,
        group=f"{rule.code}|{row.place or row.carrier or row.warehouse}"[:160],
        consequence=consequence(rule.severity, order, latest, now=now),
        escalate_at=now + escalate if escalate is not None else None,
    )  # fmt: skip


def consequence(severity: str, order: Order, latest: datetime | None, *, now: datetime) -> float:
    """What comes first in the control tower: severity, then the order's worth (a tenth of its total, 500 at most), and 200
    more where its promise is missed or will be.
    """
    promise = order.promised_at
    is_late = promise is not None and (now > promise or (latest is not None and latest > promise))
    return _WEIGHTS[severity] + min(float(order.total) / 10, _MOST_VALUE) + (_LATE if is_late else 0.0)


# ---- what the clock does ------------------------------------------------------------------------


def open_due(*, now: datetime) -> int:
    """Open alerts for everything whose news is overdue; returns how many. Parcels of a carrier that has gone silent wait:
    the silence is told instead, once.
    """
    opened = 0
    quiet = _silent_carriers(now)
    while True:
        with transaction.atomic():
            chosen = Standing.objects.select_for_update(no_key=True, of=("self",)).select_related("rule")
            overdue = chosen.filter(is_open=True, due_at__lte=now)
            for merchant_id, carrier in quiet:
                overdue = overdue.exclude(merchant_id=merchant_id, carrier=carrier, parcel__isnull=False)
            batch = list(overdue.order_by("due_at")[:AT_ONCE])
            if not batch:
                return opened
            known = Alert.objects.filter(standing__in=batch, cleared_at__isnull=True)
            told = set(known.values_list("standing_id", "rule_id"))
            opened += open_all(
                [
                    (row, row.rule, row.due_at) for row in batch
                    if row.rule is not None and row.due_at is not None and (row.pk, row.rule_id) not in told
                ],
                now=now,
            )  # fmt: skip
            for row in batch:
                row.due_at = None
            writing.save(batch, ["due_at"])


def _silent_carriers(now: datetime) -> set[tuple[int, str]]:
    found = set()
    for one in silence.quiet(now=now):
        row = one.connection
        carriers = row.config.get("carriers") or row.code
        names = carriers if isinstance(carriers, list) else str(carriers).replace(",", " ").split()
        found |= {(row.merchant_id, str(name)) for name in names}
    return found


def escalate(*, now: datetime) -> int:
    """Raise what nobody took in time by one severity; returns how many."""
    with transaction.atomic():
        rows = Alert.objects.select_for_update(no_key=True, of=("self",)).filter(
            cleared_at__isnull=True, escalate_at__lte=now
        )
        batch = list(
            rows.filter(Q(snoozed_until__isnull=True) | Q(snoozed_until__lte=now)).order_by("pk")[:AT_ONCE]
        )
        for alert in batch:
            alert.consequence += _WEIGHTS[_MORE[alert.severity]] - _WEIGHTS[alert.severity]
            alert.severity, alert.escalated_at, alert.escalate_at, alert.is_untold = (
                _MORE[alert.severity],
                now,
                None,
                True,
            )
        writing.save(batch, ["severity", "consequence", "escalated_at", "escalate_at", "is_untold"])
    return len(batch)


def recheck(standings: Sequence[Standing], *, now: datetime) -> int:
    """Close stall alerts that the rules as they are now do not bear out; `due_at` of the parts is reckoned."""
    by_row = {row.pk: row for row in standings}
    held = Alert.objects.filter(standing__in=by_row, cleared_at__isnull=True, rule__sort=_Sort.STALL)
    gone = []
    for alert in held.order_by("pk"):
        row = by_row[alert.standing_id]
        if row.rule_id != alert.rule_id or row.due_at is None or row.due_at > now:
            gone.append((alert, "rules"))
    return clear(gone, now=now)


def tell(*, now: datetime) -> int:
    """Write into the log what was opened, escalated and cleared and is not told yet; each in a stream of its own."""
    with transaction.atomic():
        chosen = Alert.objects.select_for_update(no_key=True, of=("self",)).filter(is_untold=True)
        batch = list(chosen.select_related("order", "rule", "standing").order_by("pk")[:AT_ONCE])
        facts = [fact for alert in batch for fact in _facts(alert)]
        for alert in batch:
            alert.is_untold = False
        writing.save(batch, ["told", "is_untold"])
        log.record(facts, now=now, actor="system")
    return len(batch)


def _facts(alert: Alert) -> list[log.Fact]:
    found = []
    if not alert.told and alert.cleared_at is None:
        found.append(_fact(alert, kinds.OPENED.name))
        alert.told = "opened"
    if alert.escalated_at is not None and alert.told == "opened" and alert.cleared_at is None:
        found.append(_fact(alert, kinds.ESCALATED.name))
        alert.told = "escalated"
    if alert.cleared_at is not None and alert.told in ("opened", "escalated"):
        found.append(_fact(alert, kinds.CLEARED.name, cause=alert.cause))
        alert.told = "cleared"
    return found


def _fact(alert: Alert, kind: str, **more: object) -> log.Fact:
    payload: dict[str, object] = {
        "alert": alert.pk, "order": alert.order_id, "order_number": alert.order.number, "rule": alert.rule.code,
        "severity": alert.severity, "milestone": alert.milestone, "part": alert.standing.subject,
        "since": alert.since_at.isoformat(), "due": alert.due_at.isoformat(), **more,
    }  # fmt: skip
    return log.Fact(f"alert:{alert.pk}", kind, payload, alert.merchant_id)


# ---- late before it is late ----------------------------------------------------------------------


def late_risk(
    found: Mapping[int, tuple[Standing, datetime, datetime | None]], book: Rulebook, *, now: datetime
) -> None:
    """By part: when it is expected at the latest and what was promised. Opens an alert where that is past the promise and
    closes it where it no longer is.
    """
    held = Alert.objects.filter(standing__in=found, cleared_at__isnull=True, rule__sort=_Sort.LATE)
    known = {alert.standing_id: alert for alert in held.order_by("pk")}
    fresh, gone = [], []
    for pk, (row, latest, promise) in found.items():
        is_late = promise is not None and latest > promise
        if (
            is_late
            and pk not in known
            and (rule := book.chosen(row, _Sort.LATE)) is not None
            and promise is not None
        ):
            fresh.append((row, rule, promise))
        elif not is_late and pk in known:
            gone.append((known[pk], "in_time"))
    clear(gone, now=now)
    open_all(fresh, now=now)


# ---- what people do ------------------------------------------------------------------------------


def take(alert_ids: Collection[int], *, user: User | None, note: str, now: datetime) -> int:
    """Somebody looks after these; they escalate no more."""
    rows = Alert.objects.filter(pk__in=alert_ids, cleared_at__isnull=True)
    said = {"note": note[:300]} if note else {}
    return rows.update(owner=user, taken_at=now, escalate_at=None, **said)


def put_off(alert_ids: Collection[int], *, until: datetime, note: str, now: datetime) -> int:
    """Out of sight until then; the next news closes them as ever."""
    rows = Alert.objects.filter(pk__in=alert_ids, cleared_at__isnull=True)
    said = {"note": note[:300]} if note else {}
    return rows.update(snoozed_until=until, **said)


def settle(alert_ids: Collection[int], *, note: str, user: User | None, now: datetime) -> int:
    """A person settled it outside of what the hub hears; with the reason."""
    with transaction.atomic():
        rows = list(
            Alert.objects.select_for_update().filter(pk__in=alert_ids, cleared_at__isnull=True).order_by("pk")
        )
        for alert in rows:
            alert.note, alert.owner = note[:300], user
        writing.save(rows, ["note", "owner_id"])
        return clear([(alert, "person") for alert in rows], now=now)

"""How well the check worked: per signal and limit, in shadow, by province; and the points the labels suggest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from statistics import median

from django.db.models import Prefetch, QuerySet

from orderhub.orders.risk.engine import Case, Proposal, SignalQuality, by_signal, of_band, propose
from orderhub.orders.risk.models import Assessment, Label, Review, RiskPolicy

_MOST = 50_000
#: Before so much was seen in shadow, its figures say little.
SHADOW_DAYS, SHADOW_ORDERS = 7, 200
#: A province held so much more often than the average is looked at.
UNFAIR = 3.0
_FEWEST_IN_PROVINCE = 30


@dataclass(frozen=True, slots=True)
class Report:
    """Labeled orders of a time, and what signals and limits made of them."""

    orders: int
    bad: int
    reviewed_bad: int
    signals: Sequence[SignalQuality]
    review: SignalQuality
    hold: SignalQuality
    minutes_in_review: float | None
    money_saved: Decimal
    money_lost: Decimal
    unfair: Sequence[tuple[str, float, float]]


@dataclass(frozen=True, slots=True)
class Shadow:
    """What a signal in shadow would have done: orders it touched, holds it would add, how many turned out bad."""

    code: str
    fired: int
    would_stop: int
    bad: int
    value: Decimal
    is_ready: bool


def report(policy: RiskPolicy, *, since: datetime, now: datetime) -> Report:
    """The report over orders whose truth had time to show; four queries."""
    rows = _labeled(policy, since=since, now=now)
    cases = [_case(row) for row in rows if _truth(row) is not None]
    codes = list(policy.signals.order_by("position").values_list("code", flat=True))
    waits = Review.objects.filter(
        order__risk__merchant=policy.merchant_id, is_final=True, decided_at__gt=since
    )
    seconds = list(waits.exclude(action="undo").values_list("waited_seconds", flat=True))
    lost = [row for row in rows if _truth(row) and (row.band == Assessment.Band.PASS or row.is_shadow)]
    saved = [row for row in rows if Label.Kind.REVIEWED_BAD in _kinds(row)]
    return Report(
        len(cases), sum(case.is_bad for case in cases), len(saved), by_signal(cases, codes),
        of_band(cases, policy.review_from), of_band(cases, policy.hold_from),
        median(seconds) / 60 if seconds else None, _value(saved), _value(lost), _unfair(rows),
    )  # fmt: skip


def suggest(policy: RiskPolicy, *, since: datetime, now: datetime) -> Proposal:
    """The points that the labels suggest for the draft; nothing is changed."""
    rows = _labeled(policy, since=since, now=now)
    cases = [_case(row) for row in rows if _truth(row) is not None]
    scored = policy.signals.filter(holds=False).exclude(mode="off")
    return propose(cases, dict(scored.values_list("code", "points")), hold_from=policy.hold_from)


def shadow(policy: RiskPolicy, *, now: datetime) -> list[Shadow]:
    """What each signal in shadow would have done since it has been there; two queries."""
    signals = {x.code: x for x in policy.signals.filter(mode="shadow").order_by("position")}
    if not signals:
        return []
    starts = {code: x.mode_since or now for code, x in signals.items()}
    rows = list(_with_labels(Assessment.objects.filter(
        merchant=policy.merchant_id, assessed_at__gte=min(starts.values())
    ))[:_MOST])  # fmt: skip
    found = []
    for code, since in starts.items():
        seen = [row for row in rows if row.assessed_at >= since]
        fired = [row for row in seen if any(x["code"] == code for x in row.shadow)]
        stops = [row for row in fired if row.shadow_band != "pass" and row.band == "pass"]
        is_ready = len(seen) >= SHADOW_ORDERS and now - since >= timedelta(days=SHADOW_DAYS)
        bad = sum(bool(_kinds(row) & set(Label.BAD)) for row in stops)
        found.append(Shadow(code, len(fired), len(stops), bad, _value(stops), is_ready))
    return found


def _labeled(policy: RiskPolicy, *, since: datetime, now: datetime) -> list[Assessment]:
    """Scored orders old enough for their truth to be known, newest first, with their labels at hand."""
    known_until = now - timedelta(days=policy.label_days)
    rows = Assessment.objects.filter(
        merchant=policy.merchant_id, assessed_at__gt=since, assessed_at__lte=known_until
    )
    return list(_with_labels(rows)[:_MOST])


def _with_labels(rows: QuerySet[Assessment]) -> QuerySet[Assessment]:
    labels = Prefetch("order__risk_labels", queryset=Label.objects.only("order_id", "kind"))
    return rows.select_related("order").prefetch_related(labels).order_by("-pk")


def _kinds(row: Assessment) -> set[str]:
    return {label.kind for label in row.order.risk_labels.all()}


def _truth(row: Assessment) -> bool | None:
    """Whether the order was bad; None where nothing is known: a cancelled one has no outcome."""
    kinds = _kinds(row)
    if kinds & set(Label.BAD):
        return True
    return False if Label.Kind.GOOD in kinds else None


def _case(row: Assessment) -> Case:
    codes = frozenset(str(x["code"]) for x in (*row.fired, *row.shadow))
    return Case(codes, row.points, bool(_truth(row)))


def _value(rows: Sequence[Assessment]) -> Decimal:
    return sum((row.order.total for row in rows), Decimal(0))


def _unfair(rows: Sequence[Assessment]) -> list[tuple[str, float, float]]:
    """Provinces held more than three times the average without labels to support it: share held, share bad."""
    stopped = [row.band != Assessment.Band.PASS for row in rows]
    average = sum(stopped) / len(rows) if rows else 0.0
    by_province: dict[str, list[Assessment]] = {}
    for row in rows:
        by_province.setdefault(row.order.province, []).append(row)
    found = []
    for province, those in sorted(by_province.items()):
        held = sum(row.band != Assessment.Band.PASS for row in those) / len(those)
        bad = sum(bool(_truth(row)) for row in those) / len(those)
        if len(those) >= _FEWEST_IN_PROVINCE and held > UNFAIR * average and bad < held / 2:
            found.append((province, held, bad))
    return found

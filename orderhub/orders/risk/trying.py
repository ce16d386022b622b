"""Trying a draft on what was scored lately: which orders it would stop, and which it would let go; nothing is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Prefetch

from orderhub.orders.risk import policies
from orderhub.orders.risk.engine import Policy, Signal, compile_policy, judge, still_fires
from orderhub.orders.risk.models import Assessment, Label, RiskPolicy

LOOK_BACK = timedelta(days=30)
MOST = 5000
_SHOWN = 8


@dataclass(slots=True)
class SignalSeen:
    """One signal of the draft: orders it fired on, as it stands now; those it would stop that pass today, and how many
    of these turned out bad. `is_least` where the draft asks for less than what was recorded: there may be more.
    """

    fired: int = 0
    stops: int = 0
    bad: int = 0
    value: Decimal = Decimal(0)
    is_least: bool = False


@dataclass(slots=True)
class Trial:
    """The draft on the scored orders of the last 30 days, beside what was decided then."""

    orders: int = 0
    stopped_then: int = 0
    stopped_now: int = 0
    added: list[Assessment] = field(default_factory=list)
    added_bad: int = 0
    added_count: int = 0
    added_value: Decimal = Decimal(0)
    dropped_count: int = 0
    dropped_bad: int = 0
    signals: dict[str, SignalSeen] = field(default_factory=dict)


def try_draft(policy: RiskPolicy, *, now: datetime) -> Trial:
    """The draft on the newest 5,000 orders scored within 30 days; three queries. RuleError if it does not compile.

    A signal is tried on the values it was recorded with. What did not fire then is not known to fire now: where the
    draft asks for less, the figures are the least.
    """
    content = policies.content(policy)
    draft = compile_policy(content)
    newest = policy.versions.order_by("-number").first()
    eased = _eased(content, newest.content if newest else {"signals": []})
    trial = Trial(signals={x.code: SignalSeen(is_least=x.code in eased) for x in draft.signals})
    labels = Prefetch("order__risk_labels", queryset=Label.objects.only("order_id", "kind"))
    rows = Assessment.objects.filter(merchant=policy.merchant_id, assessed_at__gt=now - LOOK_BACK)
    for row in rows.select_related("order").prefetch_related(labels).order_by("-pk")[:MOST]:
        _add(trial, draft, row)
    return trial


def _add(trial: Trial, draft: Policy, row: Assessment) -> None:
    by_code = {x.code: x for x in draft.signals}
    firing = [
        signal
        for kept in (*row.fired, *row.shadow)
        if (signal := by_code.get(str(kept["code"]))) is not None and _fires(signal, kept)
    ]
    _points, band = judge(draft, firing)
    is_bad = any(label.kind in Label.BAD for label in row.order.risk_labels.all())
    was, is_now = row.band != Assessment.Band.PASS, band != "pass"
    trial.orders += 1
    trial.stopped_then += was
    trial.stopped_now += is_now
    if is_now and not was:
        trial.added_count += 1
        trial.added_bad += is_bad
        trial.added_value += row.order.total
        if len(trial.added) < _SHOWN:
            trial.added.append(row)
    if was and not is_now:
        trial.dropped_count += 1
        trial.dropped_bad += is_bad
    for signal in firing:
        seen = trial.signals[signal.code]
        seen.fired += 1
        if not was and _would_stop(draft, firing, signal):
            seen.stops += 1
            seen.bad += is_bad
            seen.value += row.order.total


def _would_stop(draft: Policy, firing: Sequence[Signal], signal: Signal) -> bool:
    """Whether the order is stopped with this signal live beside those that are, and is not without it."""
    others = [x for x in firing if x.mode == "live" and x.code != signal.code]
    alone = _live(signal)
    return judge(draft, [*others, alone])[1] != "pass" and judge(draft, others)[1] == "pass"


def _live(signal: Signal) -> Signal:
    return Signal(
        signal.code, signal.group, signal.window_hours, signal.condition, signal.words, signal.points, signal.holds, "live",
        signal.zh, signal.en, signal.says_zh, signal.says_en,
    )  # fmt: skip


def _fires(signal: Signal, kept: Mapping[str, object]) -> bool:
    """Whether it fires still; a record without values, of an older time, is taken as it was."""
    if signal.mode == "off":
        return False
    values = kept.get("values")
    return still_fires(signal, values) if isinstance(values, Mapping) and values else True


def _eased(draft: Mapping[str, Any], before: Mapping[str, Any]) -> set[str]:
    """Signals that were off, are new, or whose condition or window is another now: what is recorded may lack some."""
    old = {x["code"]: (x["condition"], x["window_hours"]) for x in before["signals"] if x["mode"] != "off"}
    return {x["code"] for x in draft["signals"] if old.get(x["code"]) != (x["condition"], x["window_hours"])}

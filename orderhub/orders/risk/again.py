"""Scoring orders again that wait: when a policy comes into force, and when an order they share something with is stopped.

An order is scored under its row's lock, before it can be released. One that passed by the older policy, or before its
kin were known, and still waits for a warehouse is caught here; one that a warehouse has is left alone.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import F, OuterRef, Q, QuerySet, Subquery

from orderhub.events import rows
from orderhub.orders import carrying, holding
from orderhub.orders.compliance.models import ComplianceCheck
from orderhub.orders.models import Channel, Hold, Order
from orderhub.orders.models.order import StepState
from orderhub.orders.risk import screening
from orderhub.orders.risk.models import Assessment, Key, OrderKey, RiskPolicyVersion
from rules.flow import Context

AT_ONCE = 100
#: A key that more orders share than this (a school, a call center) makes nobody kin.
MOST_KIN = 200
#: An IP address is shared by strangers.
_TYING = (Key.Kind.ACCOUNT.value, Key.Kind.PHONE.value, Key.Kind.DEVICE.value, Key.Kind.ADDRESS.value)
_REASON = Hold.Reason.RISK.value


def rescore(order_ids: Collection[int], *, now: datetime, actor: str) -> int:
    """Score these orders again as far as something of them waits, and hold those with a new sign; how many were held."""
    ids = sorted(set(order_ids))
    return sum(
        _rescore(ids[start : start + AT_ONCE], now=now, actor=actor) for start in range(0, len(ids), AT_ONCE)
    )


def outdated(merchant_id: int | None = None) -> QuerySet[Order]:
    """Waiting orders, of shops that have the check on, that are not scored by the version in force; also those not yet
    scored at all, of which one may just be on its way past the older version.
    """
    newest = RiskPolicyVersion.objects.filter(policy__merchant=OuterRef("merchant")).order_by("-number")
    found = (
        Order.objects.exclude(step_state=StepState.DONE)
        .exclude(channel__risk_mode=Channel.RiskMode.OFF)
        .annotate(newest=Subquery(newest.values("number")[:1]))
        .filter(Q(risk__isnull=True) | ~Q(risk__policy_number=F("newest")), newest__isnull=False)
    )
    return found if merchant_id is None else found.filter(merchant=merchant_id)


def catch_up(
    merchant_id: int | None = None, *, now: datetime, actor: str, most: int = 5000, is_first: bool = True
) -> int:
    """Score outdated orders again, the newest first; how many were held.

    Called once a version is published and committed, then (`is_first` false) for what is still left over.
    """
    rows = outdated(merchant_id) if is_first else outdated(merchant_id).filter(risk__isnull=False)
    return rescore(list(rows.order_by("-pk").values_list("pk", flat=True)[:most]), now=now, actor=actor)


def kin_of(order_ids: Collection[int]) -> set[int]:
    """Other waiting orders that share an account, phone, device or address with one of these; three queries."""
    keys = OrderKey.objects.filter(order__in=order_ids, key__kind__in=_TYING).values_list("key", flat=True)
    found = OrderKey.objects.filter(key__in=list(keys)).exclude(order__step_state=StepState.DONE)
    by_key: dict[int, set[int]] = {}
    for key_id, order_id in found.order_by("-order")[: 10 * MOST_KIN].values_list("key", "order"):
        by_key.setdefault(key_id, set()).add(order_id)
    kin = {pk for members in by_key.values() if len(members) <= MOST_KIN for pk in members}
    return kin - set(order_ids)


@transaction.atomic
def _rescore(order_ids: Sequence[int], *, now: datetime, actor: str) -> int:
    locked = Order.objects.select_for_update(no_key=True).filter(pk__in=order_ids)
    waiting = locked.exclude(step_state=StepState.DONE).prefetch_related("merchant", "channel", "person")
    orders = list(waiting.order_by("pk"))
    # Asked only now: whoever had the lock before may have scored them.
    scored = set(Assessment.objects.filter(order__in=orders).values_list("pk", flat=True))
    orders = [order for order in orders if order.pk in scored]
    if not orders:
        return 0
    lines = carrying.lines_of(orders, Context(now, actor))
    with rows.gathered():
        wanted = screening.assess(orders, lines, near=_near(orders), now=now)
    held = {x.order_id for x in holding.active([order.pk for order in orders]) if x.reason == _REASON}
    new = [x for x in wanted if x.order.pk not in held]
    holding.place(new, now=now, actor=actor)
    return len(new)


def _near(orders: Sequence[Order]) -> set[int]:
    """Those whose name is near a listed party's, by the last cross-border check."""
    checks = ComplianceCheck.objects.filter(order__in=orders).exclude(outcome=ComplianceCheck.Outcome.PASS)
    return {
        row.order_id
        for row in checks
        if any(x["code"] == "party_near" and x["outcome"] == "hold" for x in row.findings)
    }

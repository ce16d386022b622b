"""The risk check of a batch inside `order.screen`: every order of a shop with the check on gets its assessment."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from orderhub.events import rows
from orderhub.orders.holding import NewHold
from orderhub.orders.models import Channel, Hold, Order, OrderLine
from orderhub.orders.risk import facts, policies
from orderhub.orders.risk.engine import Facts, Score, score
from orderhub.orders.risk.models import Assessment
from orderhub.orders.risk.policies import InForce

logger = logging.getLogger(__name__)
_UNSCORED = Score(0, "pass", (), (), 0, "pass")
#: What became of the order later is written by others.
_LATER = {"order", "delivered_at", "refused_at"}
_FIELDS = [field.name for field in Assessment._meta.concrete_fields if field.name not in _LATER]
_STOPPING = frozenset({Assessment.Band.REVIEW.value, Assessment.Band.HOLD.value})


def is_on(order: Order) -> bool:
    """Whether the order's shop has the check on; no query."""
    return order.channel.risk_mode != Channel.RiskMode.OFF


def assess(
    orders: Sequence[Order], lines: Mapping[int, Sequence[OrderLine]], *, near: Collection[int], now: datetime
) -> list[NewHold]:
    """Score locked orders of shops that have the check on, keep every reason, and say which must be held.

    A person's release stands until a reason appears that the person has not seen. `near` are orders whose names are
    near a listed party's. Twelve statements or fewer for any number of orders; none where no shop has the check on.
    """
    wanted = [order for order in orders if is_on(order)]
    in_force = policies.in_force({order.merchant_id for order in wanted}) if wanted else {}
    wanted = [order for order in wanted if order.merchant_id in in_force]
    if not wanted:
        return []
    before = Assessment.objects.in_bulk([order.pk for order in wanted])
    subjects = [
        facts.Subject(
            order,
            lines[order.pk],
            in_force[order.merchant_id].policy.settings,
            order.pk in near,
            order.pk in before,
        )
        for order in wanted
    ]
    windows = sorted({hours for found in in_force.values() for hours in found.policy.windows})
    known = facts.gather(subjects, windows, now=now)
    found = [
        _assessed(order, in_force[order.merchant_id], known[order.pk], before.get(order.pk), now=now)
        for order in wanted
    ]
    stopping = [x for x in found if _stops(x, before.get(x.order_id))]
    for assessment in stopping:
        _open(assessment, in_force[assessment.merchant_id], now=now)
    rows.insert(found, update=_FIELDS)
    return [_hold(x, in_force[x.merchant_id]) for x in stopping]


def _assessed(
    order: Order, in_force: InForce, known: Facts, before: Assessment | None, *, now: datetime
) -> Assessment:
    said, fault = _scored(order, in_force, known)
    settings = in_force.policy.settings
    assessment = Assessment(
        order=order, merchant_id=order.merchant_id, policy_number=in_force.number, points=said.points,
        band=said.band, fired=[asdict(x) for x in said.fired], shadow_points=said.shadow_points,
        shadow_band=said.shadow_band, shadow=[asdict(x) for x in said.shadow], fault=fault,
        is_shadow=order.channel.risk_mode == Channel.RiskMode.SHADOW, assessed_at=now,
        seen=before.seen if before else [], state=before.state if before else "",
        due_at=before.due_at if before else None, escalated_at=before.escalated_at if before else None,
    )  # fmt: skip
    assessment.is_holdout = before.is_holdout if before else _is_holdout(order, assessment, settings)
    return assessment


def _scored(order: Order, in_force: InForce, known: Facts) -> tuple[Score, str]:
    """The score; where scoring itself fails, what the merchant chose for that, and the fault in words."""
    try:
        return score(in_force.policy, known), ""
    except Exception as fault:
        logger.exception("order %s could not be scored", order.pk)
        settings = in_force.policy.settings
        held = settings["on_fault"] == "hold" and order.total >= Decimal(settings["fault_amount"])
        return (Score(0, "hold", (), (), 0, "hold") if held else _UNSCORED), repr(fault)[:200]


def _is_holdout(order: Order, assessment: Assessment, settings: Mapping[str, Any]) -> bool:
    """A share of the review band goes through, drawn by the order's own number: again the same, unguessable."""
    share = Decimal(settings["holdout_percent"])
    if (
        assessment.band != Assessment.Band.REVIEW
        or not share
        or order.total >= Decimal(settings["holdout_below"])
    ):
        return False
    drawn = int.from_bytes(hashlib.sha256(b"holdout:" + order.public_id.bytes).digest()[:4], "big") / 2**32
    return drawn * 100 < share


def _stops(assessment: Assessment, before: Assessment | None) -> bool:
    if assessment.is_shadow or assessment.is_holdout or assessment.band not in _STOPPING:
        return False
    return before is None or not before.seen or bool(_codes(assessment) - set(before.seen))


def _open(assessment: Assessment, in_force: InForce, *, now: datetime) -> None:
    minutes = int(in_force.policy.settings["review_minutes"])
    assessment.state, assessment.escalated_at = Assessment.State.OPEN.value, None
    assessment.due_at = now + timedelta(minutes=minutes)
    assessment.seen = sorted(_codes(assessment) | set(assessment.seen))


def _codes(assessment: Assessment) -> set[str]:
    """The reasons by code; an order that could not be scored has one, too."""
    return {str(x["code"]) for x in assessment.fired} | ({"fault"} if assessment.fault else set())


def _hold(assessment: Assessment, in_force: InForce) -> NewHold:
    settings = in_force.policy.settings
    is_timed = assessment.band == Assessment.Band.REVIEW and settings["on_timeout"] == "release"
    reasons = "；".join(str(x["zh"]) for x in assessment.fired) or assessment.fault
    reasons_en = "; ".join(str(x.get("en") or x["zh"]) for x in assessment.fired) or assessment.fault
    return NewHold(
        assessment.order, Hold.Reason.RISK.value, f"{assessment.points}：{reasons}"[:300],
        until=assessment.due_at if is_timed else None, detail_en=f"{assessment.points}: {reasons_en}"[:300],
    )  # fmt: skip

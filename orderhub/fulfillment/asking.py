"""Asking warehouses to stop work on fulfillment orders they have."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from orderhub.fulfillment import desk as desks
from orderhub.fulfillment import kinds
from orderhub.fulfillment.desk import Case, Desk
from orderhub.fulfillment.handlers import AT_WORK
from orderhub.fulfillment.models.fulfillment import State


@transaction.atomic
def request_cancel(
    numbers: Sequence[str], *, reason: str, intent: str = "reroute", actor: str, now: datetime
) -> list[str]:
    """Ask the warehouses of these fulfillment orders to stop; the numbers that were asked.

    `intent` says what a yes leads to: "reroute" (units open again) or "cancel". Those asked before are not
    asked again, but the later wish counts; those not at work are left alone.
    """
    desk = desks.load(numbers, (), merchant_id=None, now=now, actor=actor)
    asked = [case for case in desk.cases.values() if case.row.state in AT_WORK]
    for case in desk.cases.values():
        if case.row.state == State.CANCEL_REQUESTED:
            case.row.cancel_intent = intent
    for case in asked:
        _ask(desk, case, intent=intent, reason=reason)
    desk.write()
    return [case.row.number for case in asked]


def _ask(desk: Desk, case: Case, *, intent: str, reason: str) -> None:
    case.row.state_before_cancel = case.row.state
    case.row.cancel_intent = intent
    case.row.to_cancel_requested()
    desk.tell(case, kinds.CANCEL_REQUESTED, desk.now, reason=reason)

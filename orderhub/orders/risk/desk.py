"""What a reviewer does: release, cancel, block, trust, ask; with a reason, undone within ten minutes where it can be.

A key is listed first and committed; then the orders that carry it are held. An order screened at the same moment waits
for the key's row, or is waited for: either it sees the list or the sweep sees the order, never neither.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from orderhub.events import log
from orderhub.kernel.errors import Refused
from orderhub.orders import services as orders
from orderhub.orders.models import Hold, Order
from orderhub.orders.risk import counters, identity, kinds, policies
from orderhub.orders.risk.models import Action, Assessment, Key, Label, OrderKey, Review

MOST_AT_ONCE = 50
UNDO_FOR = timedelta(minutes=10)
#: What a list may be about; an IP address or a whole house is too many people.
LISTABLE = (Key.Kind.ACCOUNT.value, Key.Kind.PHONE.value, Key.Kind.DEVICE.value, Key.Kind.ADDRESS.value)
_RISK = Hold.Reason.RISK.value
_OPEN = (Assessment.State.OPEN, Assessment.State.SECOND, Assessment.State.ASKED)


@dataclass(frozen=True, slots=True)
class Decided:
    """What became of one order: done, waiting for a second person, or refused with a reason."""

    order_id: int
    done: bool
    refused: Refused | None = None


def queue(merchant_id: int | None = None) -> QuerySet[Assessment]:
    """The orders that wait for a reviewer, the most urgent first."""
    found = Assessment.objects.filter(state__in=_OPEN).select_related("order", "order__channel", "merchant")
    if merchant_id is not None:
        found = found.filter(merchant_id=merchant_id)
    return found.order_by("due_at", "order_id")


def decide(order_ids: Sequence[int], action: str, *, reason: str, actor: str, now: datetime) -> list[Decided]:
    """Decide up to 50 waiting reviews with one reason; each order by itself, in the order given.

    Raises Refused("reason_missing" | "too_many") before anything happens; per order "not_in_review", "own_release"
    and what the orders' own verbs refuse.
    """
    action = Action(action).value
    if not reason.strip():
        raise Refused("reason_missing", _("A decision needs a reason."), status=400, field="reason",
                      remedy=_("Say in a few words why."))  # fmt: skip
    if len(order_ids) > MOST_AT_ONCE:
        raise Refused("too_many", _("At most 50 orders are decided at once."), status=400,
                      remedy=_("Choose fewer orders."))  # fmt: skip
    return [_decide(pk, action, reason=reason.strip()[:300], actor=actor, now=now) for pk in order_ids]


def undo(order_id: int, *, reason: str, actor: str, now: datetime) -> None:
    """Take a release or a listing back within ten minutes, while nothing is with a warehouse.

    Raises Refused("nothing_to_undo" | "too_late_to_undo") and what holding the order refuses; a cancelled order stays
    cancelled, only the listing is taken back.
    """
    with transaction.atomic():
        last = Review.objects.filter(order_id=order_id, is_final=True).order_by("-pk").first()
        if last is None or last.action in ("undo", Action.ASK.value):
            raise Refused("nothing_to_undo", _("There is no decision to take back."))
        if now - last.decided_at > UNDO_FOR:
            raise Refused("too_late_to_undo", _("A decision can be taken back for ten minutes only."),
                          remedy=_("Put the order on hold, or change the list."))  # fmt: skip
        if last.action in (Action.RELEASE, Action.TRUST):
            [outcome] = orders.hold([order_id], reason=_RISK, detail=reason, actor=actor, now=now)
            if outcome.refused is not None:
                raise outcome.refused
            Assessment.objects.filter(pk=order_id).update(state=Assessment.State.OPEN)
        assessment = Assessment.objects.select_related("order").get(pk=order_id)
        _note(assessment, "undo", reason=reason[:300], actor=actor, now=now)
        if last.action in (Action.BLOCK, Action.TRUST):
            _list_order(order_id, Key.Listed.NO, reason=reason, actor=actor, now=now)
        Label.objects.filter(order_id=order_id, kind=Label.Kind.REVIEWED_BAD).delete()


def put_on_list(
    merchant_id: int, kind: str, value: str, listed: str, *, reason: str, actor: str, now: datetime
) -> int:
    """Put a value on the block or trust list, or take it off; then hold what waits with a blocked one. How many."""
    name = identity.key(merchant_id, kind, identity.normalized(kind, value))
    with transaction.atomic():
        [row] = counters.touch(
            {name: identity.hint(kind, identity.normalized(kind, value))}, now=now
        ).values()
        _list([row.pk], listed, reason=reason, actor=actor, now=now)
    return sweep([row.pk], actor=actor, now=now) if listed == Key.Listed.BLOCK else 0


def sweep(key_ids: Collection[int], *, actor: str, now: datetime) -> int:
    """Hold every order with one of these keys of which something waits for a warehouse; how many were held."""
    carrying = OrderKey.objects.filter(key_id__in=key_ids).values_list("order_id", flat=True)
    waiting = Order.objects.filter(pk__in=carrying).exclude(step_state="done").order_by("pk")
    ids = list(waiting.values_list("pk", flat=True))
    held = 0
    for start in range(0, len(ids), 200):
        outcomes = orders.hold(
            ids[start : start + 200], reason=_RISK, detail="黑名单 / block list", actor=actor, now=now
        )
        done = [x.order_id for x in outcomes if x.done]
        held += len(done)
        Assessment.objects.filter(pk__in=done).update(state=Assessment.State.OPEN, due_at=now)
    return held


def escalate(*, now: datetime) -> int:
    """Mark reviews whose time is over; the Today page shows them. Releases by themselves are the holds' own."""
    late = Assessment.objects.filter(
        state__in=(Assessment.State.OPEN, Assessment.State.SECOND), due_at__lte=now, escalated_at=None
    )
    return late.update(escalated_at=now)


def settle(*, now: datetime) -> int:
    """Close reviews whose order is held no more: released by time or by hand elsewhere, or cancelled."""
    held = Hold.objects.filter(reason=_RISK, released_at__isnull=True).values("order_id")
    return Assessment.objects.filter(state__in=_OPEN).exclude(pk__in=held).update(state=Assessment.State.DONE)


# ---- one order ------------------------------------------------------------------------------------


def _decide(order_id: int, action: str, *, reason: str, actor: str, now: datetime) -> Decided:
    if action in (Action.BLOCK, Action.TRUST):
        why_not = _not_open(order_id)
        if why_not is not None:
            return Decided(order_id, False, why_not)
        listed = Key.Listed.BLOCK if action == Action.BLOCK else Key.Listed.TRUST
        if action == Action.BLOCK:  # committed before the orders are swept
            keys = _list_order(order_id, listed, reason=reason, actor=actor, now=now)
    with transaction.atomic():
        # The order first, as the journey does: two that lock the same two rows must come in one order.
        list(Order.objects.select_for_update(no_key=True).filter(pk=order_id).values_list("pk"))
        assessment = Assessment.objects.select_related("order").filter(pk=order_id).first()
        if assessment is None or assessment.state not in _OPEN:
            return Decided(order_id, False, _closed(order_id))
        decided = _act(assessment, action, reason=reason, actor=actor, now=now)
    if decided.refused is None and action == Action.BLOCK:
        sweep(keys, actor=actor, now=now)
    return decided


def _act(assessment: Assessment, action: str, *, reason: str, actor: str, now: datetime) -> Decided:
    pk = assessment.order_id
    if action in (Action.RELEASE, Action.TRUST):
        if _needs_second(assessment, actor):
            if assessment.state == Assessment.State.SECOND:
                return Decided(pk, False, Refused(
                    "own_release", _("A second person has to release this order."),
                    remedy=_("Ask a colleague."), facts={"order": pk},
                ))  # fmt: skip
            _note(assessment, action, reason=reason, actor=actor, now=now, is_final=False)
            _move(assessment, Assessment.State.SECOND)
            return Decided(pk, False)
        _note(assessment, action, reason=reason, actor=actor, now=now)
        _move(assessment, Assessment.State.DONE)
        if action == Action.TRUST:
            _list_order(pk, Key.Listed.TRUST, reason=reason, actor=actor, now=now)
        orders.release_holds([pk], reason=_RISK, note=reason, actor=actor, now=now)
        return Decided(pk, True)
    if action == Action.ASK:
        _note(assessment, action, reason=reason, actor=actor, now=now)
        _move(assessment, Assessment.State.ASKED)
        return Decided(pk, True)
    _note(assessment, action, reason=reason, actor=actor, now=now)
    [outcome] = orders.cancel([pk], reason=reason, actor=actor, now=now)
    if outcome.refused is not None:
        transaction.set_rollback(True)
        return Decided(pk, False, outcome.refused)
    _move(assessment, Assessment.State.DONE)
    Label.objects.get_or_create(
        order_id=pk,
        kind=Label.Kind.REVIEWED_BAD,
        defaults={"source": actor, "note": reason[:200], "labeled_at": now},
    )
    return Decided(pk, True)


def _needs_second(assessment: Assessment, actor: str) -> bool:
    """Whether the order is worth two people and nobody else has said yes yet."""
    found = policies.in_force([assessment.merchant_id]).get(assessment.merchant_id)
    limit = found.policy.settings.get("four_eyes_from") if found else None
    if limit is None or assessment.order.total < Decimal(limit):
        return False
    first = Review.objects.filter(order=assessment.order, is_final=False).order_by("-pk").first()
    return not (assessment.state == Assessment.State.SECOND and first is not None and first.actor != actor)


def _move(assessment: Assessment, state: Assessment.State) -> None:
    assessment.state = state.value
    assessment.save(update_fields=["state"])


def _note(
    assessment: Assessment, action: str, *, reason: str, actor: str, now: datetime, is_final: bool = True
) -> None:
    order = Order.objects.select_for_update(no_key=True).get(pk=assessment.order_id)
    waited = max(0, int((now - assessment.assessed_at).total_seconds()))
    Review.objects.create(
        order=order, action=action, reason=reason, actor=actor[:80], is_final=is_final, points=assessment.points,
        waited_seconds=waited, decided_at=now,
    )  # fmt: skip
    told = {"action": action, "reason": reason, "points": assessment.points, "final": is_final}
    log.record([log.Fact(order.stream, kinds.REVIEWED.name, told, order.merchant_id)], now=now, actor=actor)


# ---- lists ----------------------------------------------------------------------------------------


@transaction.atomic
def _list_order(order_id: int, listed: Key.Listed, *, reason: str, actor: str, now: datetime) -> list[int]:
    found = OrderKey.objects.filter(order_id=order_id, key__kind__in=LISTABLE)
    if listed == Key.Listed.TRUST:  # an address is shared by neighbors, a device by a family
        found = found.filter(key__kind__in=(Key.Kind.ACCOUNT, Key.Kind.PHONE))
    ids = list(found.order_by("key_id").values_list("key_id", flat=True))
    _list(ids, listed, reason=reason, actor=actor, now=now)
    return ids


def _list(key_ids: Sequence[int], listed: str, *, reason: str, actor: str, now: datetime) -> None:
    Key.objects.filter(pk__in=key_ids).update(
        listed=listed, listed_reason=reason[:200], listed_by=actor[:80], listed_at=now
    )


def _not_open(order_id: int) -> Refused | None:
    return None if Assessment.objects.filter(pk=order_id, state__in=_OPEN).exists() else _closed(order_id)


def _closed(order_id: int) -> Refused:
    return Refused(
        "not_in_review", _("This order does not wait for a review."), remedy=_("Open the order to see where it stands."),
        facts={"order": order_id},
    )  # fmt: skip

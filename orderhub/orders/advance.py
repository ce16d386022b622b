"""The journey's engine: takes orders through their steps, a batch at a time.

Safe at any moment: a pass takes its orders through all the steps it can in one transaction, under their row locks,
and the step pointers move in it; so a crash or a second worker finds either the old pointers or the new ones, and
running it again changes nothing. Where a step fails, the pass is undone and its steps are gone one at a time, by
halves, until the faulty order stands alone.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import OperationalError, connection, transaction

from orderhub.events import log, rows
from orderhub.orders import journeys, lifecycle
from orderhub.orders.flows.trail import Trail
from orderhub.orders.models import Hold, Order
from orderhub.orders.models.order import StepState
from rules import flow
from rules.flow import Context, Verdict

# Far above any flow with its repeats; reached only by steps that send an order to and fro for ever.
_MAX_ROUNDS = 60
_MOST_STEPS = 20
# SQLite has one writer at a time, and whoever places an order waits for it: no pass may take longer than about 100 ms.
_AT_ONCE = {"sqlite": 15}
_AT_ONCE_ELSEWHERE = 250
# Routed, reserved, released: what an ordinary pass tells of an order.
_EVENTS_PER_ORDER = 3


class Unfinished(RuntimeError):
    """Some orders of the batch could not be taken on; `faults` says why by order id. All others were."""

    def __init__(self, faults: Mapping[int, Exception]) -> None:
        first = next(iter(faults.items()))
        super().__init__(f"{len(faults)} orders stopped by faults; order {first[0]}: {first[1]!r}")
        self.faults = dict(faults)


def advance(order_ids: Collection[int], *, now: datetime, actor: str) -> int:
    """Run the steps of these orders until none can go on; how many steps were taken in all.

    Orders that wait, are held, are done or are unknown are left alone. A fault in a step rolls back that step
    for that order only: the others go on, and Unfinished is raised at the end, the faulty orders ready at
    their step.
    """
    faults: dict[int, Exception] = {}
    left = set(order_ids)
    taken = 0
    for _round in range(_MAX_ROUNDS):
        waves = _ready(left - faults.keys())
        if not waves:
            break
        left = set()
        for name, ids in waves.items():
            for some in _parts(ids):
                walked, failed = _run(name, some, now=now, actor=actor)
                faults.update(failed)
                left |= walked.left
                taken += walked.steps
    else:
        faults.update({order_id: RuntimeError("the journey goes in circles") for order_id in left})
    if faults:
        raise Unfinished(faults) from next(iter(faults.values()))
    return taken


def _ready(order_ids: Collection[int]) -> dict[str, list[int]]:
    waves: dict[str, list[int]] = {}
    if order_ids:
        rows = Order.objects.filter(pk__in=order_ids, step_state=StepState.READY).order_by("pk")
        for order_id, name in rows.values_list("pk", "step"):
            waves.setdefault(name, []).append(order_id)
    return waves


def _parts(order_ids: Sequence[int]) -> list[Sequence[int]]:
    size = _AT_ONCE.get(connection.vendor, _AT_ONCE_ELSEWHERE)
    return [order_ids[start : start + size] for start in range(0, len(order_ids), size)]


@dataclass(frozen=True, slots=True)
class _Walked:
    """The orders of a pass that are ready at some other step, and the steps taken."""

    left: set[int]
    steps: int


def _run(
    name: str, order_ids: Sequence[int], *, now: datetime, actor: str, most: int = _MOST_STEPS
) -> tuple[_Walked, dict[int, Exception]]:
    """A pass, or one step at a time where it fails: how it went, and the faults of those that could not."""
    try:
        return _pass(name, order_ids, Context(now, actor), most=most), {}
    except OperationalError as fault:  # a lock timeout or a lost connection is nobody's fault in particular
        return _Walked(set(), 0), dict.fromkeys(order_ids, fault)
    except Exception as fault:
        if most == 1 and len(order_ids) == 1:
            return _Walked(set(), 0), {order_ids[0]: fault}
    middle = len(order_ids) // 2 if most == 1 else 0
    left: set[int] = set()
    steps = 0
    faults: dict[int, Exception] = {}
    for part in filter(None, (order_ids[:middle], order_ids[middle:])):
        walked, failed = _run(name, part, now=now, actor=actor, most=1)
        left |= walked.left
        steps += walked.steps
        faults.update(failed)
    return _Walked(left, steps), faults


@transaction.atomic
def _pass(name: str, order_ids: Sequence[int], context: Context, *, most: int) -> _Walked:
    """Take the orders from this step as far as they go, `most` steps at most; an order that is sent back ends here."""
    orders = _locked(name, order_ids)
    held = set(
        Hold.objects.filter(order__in=orders, released_at__isnull=True).values_list("order_id", flat=True)
    )
    walks = journeys.kept(context, orders)
    trail = Trail(orders, walks, context)
    walking = {name: [order for order in orders if order.pk not in held]}
    lifecycle.park([order for order in orders if order.pk in held], "hold")
    steps = 0
    with rows.gathered(), log.chained(spare=len(orders) * _EVENTS_PER_ORDER):
        while walking and most:
            at = next(iter(walking))
            group, most = walking.pop(at), most - 1
            verdicts = flow.get(at).run(group, context) if group else {}
            _apply(group, verdicts, walks, trail)
            ready = [order for order in group if order.step_state == StepState.READY]
            steps += len(ready)
            for order in ready:
                if verdicts[order.pk].kind == "next":
                    walking.setdefault(order.step, []).append(order)
        lifecycle.save(orders, [*lifecycle.STEP_FIELDS, *trail.fields], now=context.now)
        trail.record()
    return _Walked({order.pk for order in orders if order.step_state == StepState.READY}, steps)


def _locked(name: str, order_ids: Sequence[int]) -> list[Order]:
    """The orders still ready at this step, locked in id order, with merchant, channel and receiver."""
    found = Order.objects.select_for_update(no_key=True, of=("self",)).filter(
        pk__in=order_ids, step=name, step_state=StepState.READY
    )
    return list(found.select_related("merchant", "channel", "person").order_by("pk"))


def _apply(
    orders: Sequence[Order],
    verdicts: Mapping[int, Verdict],
    walks: Mapping[int, journeys.Walk],
    trail: Trail,
) -> None:
    for order in orders:
        verdict = verdicts[order.pk]
        if verdict.kind in {"next", "stop"}:
            walk = walks[order.pk]
            step, node = walk.following(order, verdict.exit) if verdict.kind == "next" else ("", "")
            trail.leave(order, verdict, to=node)
            if step:
                lifecycle.send_to([order], step)
            else:
                lifecycle.finish([order])
        elif verdict.kind == "wait":
            trail.stay(order, verdict)
            lifecycle.park([order], verdict.waiting_for)
        else:
            order.attempts += 1
            lifecycle.send_to([order], verdict.waiting_for)
            trail.settle(order)

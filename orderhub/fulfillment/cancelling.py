"""Cancelling some units of an order: at once where no warehouse has them, else those warehouses are asked back that
have them, and no other; what they give back and is still wanted goes on to be shipped.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from orderhub.fulfillment import standing
from orderhub.fulfillment.actions import why_not
from orderhub.fulfillment.asking import request_cancel
from orderhub.fulfillment.handlers import AT_WORK
from orderhub.fulfillment.models import FulfillmentLine, FulfillmentOrder
from orderhub.fulfillment.models.fulfillment import State
from orderhub.fulfillment.parting import Portion
from orderhub.fulfillment.standing import Stand
from orderhub.kernel.errors import Refused
from orderhub.orders import cutting, lifecycle, parting
from orderhub.orders import services as orders_services
from orderhub.orders.models import Cancellation, Order, OrderLine

_S = Cancellation.State
REASON = "units_cancelled"


@transaction.atomic
def cancel_units(
    order_id: int, portions: Sequence[Portion], *, reason: str, actor: str, now: datetime
) -> Cancellation:
    """The document of the wish: applied, or asking while warehouses have some of the units.

    Raises Refused: "unknown_order", "order_cancelled", "order_merged", "being_cancelled", "being_recalled",
    "address_change_pending", "nothing_to_cancel", "unknown_line", "nothing_moves", "already_shipped", "too_many_units"
    or "nothing_stays".
    """
    stand = standing.load([order_id]).get(order_id)
    if stand is None:
        raise orders_services.unknown(order_id)
    if (no := why_not("cancel_units", standing.facts([stand])[order_id], stand.order)) is not None:
        raise no
    wanted = _checked(portions, stand)
    row = Cancellation.objects.create(
        order=stand.order, reason=reason[:300], wanted={str(pk): units for pk, units in wanted.items()},
        requested_at=now, actor=actor[:80],
    )  # fmt: skip
    _take(stand, row, now=now, actor=actor)
    asked = _touched(stand, cutting.missing(row))
    if asked:
        row.asked = asked
        row.save(update_fields=["asked"])
        cutting.ask(stand.order, stand.lines, row, asked, now=now, actor=actor)
        request_cancel(asked, reason=REASON, intent="reroute", actor=actor, now=now)
    return row


def settle(order_ids: Collection[int], *, now: datetime, actor: str) -> None:
    """Cancel what came back of what was wanted; in the transaction of the warehouse's answer, so that it is not sent
    out again in between. One query if nothing is wanted back.
    """
    rows = {row.order_id: row for row in Cancellation.objects.filter(order_id__in=order_ids, state=_S.ASKING)}
    for pk, stand in standing.load(rows).items() if rows else ():
        _take(stand, rows[pk], now=now, actor=actor)


@transaction.atomic
def restore_units(cancellation_id: int, *, reason: str, actor: str, now: datetime) -> Order:
    """Undo a partial cancellation while nothing of the order left; the order, which is sent on.

    Raises Refused: "nothing_to_undo" or "already_shipped".
    """
    found = Cancellation.objects.filter(pk=cancellation_id).first()
    stand = standing.load([found.order_id])[found.order_id] if found is not None else None
    row = Cancellation.objects.filter(pk=cancellation_id, state__in=[_S.APPLIED, _S.PARTLY]).first()
    if stand is None or row is None or stand.order.stage in lifecycle.CLOSED:
        raise Refused(
            "nothing_to_undo", _("This partial cancellation cannot be undone any more."),
            remedy=_("Place a new order for the units."),
        )  # fmt: skip
    if stand.has_shipped:
        raise gone(stand.order)
    was_released = _was_released(stand.order)
    cutting.put_back(
        stand.order, stand.lines, row, was_released=was_released, reason=reason, now=now, actor=actor
    )
    _send_on(stand.order, now=now, actor=actor)
    return stand.order


def gone(order: Order) -> Refused:
    """No: a part of the order has left the building, so nothing can be made as it was."""
    return Refused(
        "already_shipped", _("A part of order %(number)s has left the warehouse.") % {"number": order.number},
        remedy=_("Take it back as a return, or place a new order."), facts={"order": order.pk, "stage": order.stage},
    )  # fmt: skip


def _take(stand: Stand, row: Cancellation, *, now: datetime, actor: str) -> None:
    """Cancel what can be cancelled now, say whether that was all, and send the rest of the order on."""
    order = stand.order
    planned = any(line.allocated and str(line.pk) in row.wanted for line in stand.lines)
    if planned:
        standing.unplan([stand], now=now, actor=actor)
    taken = cutting.take_out(order, stand.lines, row, was_released=_was_released(order), now=now, actor=actor)
    open_ones = FulfillmentOrder.objects.filter(number__in=row.asked, state=State.CANCEL_REQUESTED)
    missing = cutting.missing(row)
    if not missing:
        row.state = _S.APPLIED.value
    elif row.asked and not open_ones.exists():
        row.state = (_S.PARTLY if row.done else _S.REFUSED).value
        cutting.give_up(order, stand.lines, row, answer="cancel_refused", now=now, actor=actor)
    if row.state != _S.ASKING:
        row.settled_at = now
    row.save(update_fields=["state", "done", "settled_at"])
    if taken and planned and any(line.open for line in stand.lines):
        _send_on(order, now=now, actor=actor)


def _send_on(order: Order, *, now: datetime, actor: str) -> None:
    """Let routing decide about what is open; an order that has not come to routing yet gets there by itself."""
    if not parting.is_before_routing(order):
        orders_services.reroute([order.pk], reason=REASON, actor=actor, now=now)


def _was_released(order: Order) -> bool:
    return FulfillmentOrder.objects.filter(order=order, released_at__isnull=False).exists()


def _touched(stand: Stand, missing: cutting.Units) -> list[str]:
    """Which fulfillment orders must come back for these units: as few other units with them as possible."""
    needed = dict(missing)
    if not needed:
        return []
    parts: dict[int, dict[int, int]] = {work.pk: {} for work in stand.works}
    for part in FulfillmentLine.objects.filter(fulfillment__in=stand.works, reserved__gt=0):
        parts[part.fulfillment_id][part.order_line_id] = part.reserved
    found: list[str] = []
    for work in sorted(_at_work(stand.works), key=lambda work: (_others(parts[work.pk], needed), work.pk)):
        hit = {pk: min(units, needed.get(pk, 0)) for pk, units in parts[work.pk].items()}
        if any(hit.values()):
            found.append(work.number)
            needed = {pk: units - hit.get(pk, 0) for pk, units in needed.items()}
    return found


def _at_work(works: Iterable[FulfillmentOrder]) -> list[FulfillmentOrder]:
    return [work for work in works if work.state in AT_WORK]


def _others(parts: dict[int, int], needed: cutting.Units) -> int:
    return sum(max(0, units - needed.get(pk, 0)) for pk, units in parts.items())


def _checked(portions: Sequence[Portion], stand: Stand) -> cutting.Units:
    by_position = {line.position: line for line in stand.lines}
    wanted: dict[int, int] = {}
    for portion in portions:
        if portion.position not in by_position:
            raise _bad("unknown_line", _("There is no line %(position)d.") % {"position": portion.position})
        line = by_position[portion.position]
        wanted[line.pk] = wanted.get(line.pk, 0) + max(0, portion.quantity)
    wanted = {pk: units for pk, units in wanted.items() if units}
    if not wanted:
        raise _bad("nothing_moves", _("No unit was chosen."))
    for line in stand.lines:
        if wanted.get(line.pk, 0) > cutting.left(line):
            raise _too_many(stand.order, line, wanted[line.pk])
    if not stand.has_shipped and sum(wanted.values()) == sum(map(cutting.left, stand.lines)):
        raise Refused(
            "nothing_stays", _("Every unit was chosen: nothing would stay."),
            remedy=_("Cancel the whole order instead."), status=400, field="lines",
        )  # fmt: skip
    return wanted


def _too_many(order: Order, line: OrderLine, wanted: int) -> Refused:
    facts = {
        "order": order.pk,
        "position": line.position,
        "left": cutting.left(line),
        "shipped": line.shipped,
    }
    if wanted <= line.ordered - line.cancelled:
        return Refused(
            "already_shipped",
            _("Of line %(position)d only %(left)d units are still here, %(shipped)d have left.") % facts,
            remedy=_("Cancel fewer units; take back what has left as a return or an exchange."), field="lines",
            facts=facts,
        )  # fmt: skip
    return Refused(
        "too_many_units", _("Line %(position)d has %(left)d units that can be cancelled.") % facts,
        remedy=_("Choose fewer units."), status=400, field="lines", facts=facts,
    )  # fmt: skip


def _bad(code: str, message: object) -> Refused:
    return Refused(code, message, remedy=_("Choose some units, and leave some."), status=400, field="lines")

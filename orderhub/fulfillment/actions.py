"""What may be done to an order as it stands: one pure table for the API's document, the pages and the verbs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from orderhub.fulfillment.handlers import AT_WORK
from orderhub.fulfillment.models import FulfillmentOrder
from orderhub.fulfillment.models.fulfillment import State
from orderhub.kernel.errors import Refused
from orderhub.orders import holding, lifecycle, parting
from orderhub.orders import services as orders_services
from orderhub.orders.models import Hold, Order, OrderLine
from orderhub.orders.models.order import StepState


@dataclass(frozen=True, slots=True)
class Facts:
    """All that decides which verbs an order takes; units and fulfillment orders are counted."""

    stage: str
    step_state: str = StepState.READY.value
    payment: str = Order.Payment.PAID.value
    is_held: bool = False  # by a hold that may be released by hand
    is_changing_address: bool = False  # warehouses were asked and have not all answered
    movable: int = 0  # units that no warehouse was given
    shipped: int = 0  # units
    replaceable: int = 0  # units that left and that no exchange or resend stands for
    released: int = 0  # units with warehouses
    at_work: int = 0  # fulfillment orders with warehouses, not asked to stop
    asked_to_cancel: int = 0
    asked_to_reroute: int = 0

    @property
    def is_paid(self) -> bool:
        """Paid, and not paid back."""
        return self.payment == Order.Payment.PAID

    @property
    def is_closed(self) -> bool:
        """Cancelled, or merged into another order."""
        return self.stage in lifecycle.CLOSED

    @property
    def is_with_warehouses(self) -> bool:
        """Whether any part was handed over."""
        return bool(self.shipped or self.at_work or self.asked_to_cancel or self.asked_to_reroute)


def facts_of(
    order: Order,
    *,
    lines: Iterable[OrderLine],
    holds: Iterable[Hold],
    works: Iterable[FulfillmentOrder],
) -> Facts:
    """The facts of a loaded order; nothing is read."""
    held = [hold for hold in holds if hold.released_at is None]
    rows, units = list(works), list(lines)
    asked = [row.cancel_intent for row in rows if row.state == State.CANCEL_REQUESTED]
    return Facts(
        stage=order.stage,
        step_state=order.step_state,
        payment=order.payment,
        is_held=any(not holding.is_freeze(hold) for hold in held),
        is_changing_address=any(holding.is_freeze(hold) for hold in held),
        movable=sum(parting.movable(line) for line in units),
        shipped=sum(line.shipped for line in units),
        replaceable=sum(line.shipped - line.replaced for line in units),
        released=sum(line.released for line in units),
        at_work=sum(row.state in AT_WORK for row in rows),
        asked_to_cancel=asked.count("cancel"),
        asked_to_reroute=len(asked) - asked.count("cancel"),
    )


def supported_actions(facts: Facts) -> list[str]:
    """The verbs that would do something now, in the order they are offered."""
    return [name for name, applies in _RULES.items() if applies(facts)]


def of(order: Order) -> list[str]:
    """The same for an order whose lines, holds and fulfillment orders are prefetched."""
    return supported_actions(
        facts_of(order, lines=order.lines.all(), holds=order.holds.all(), works=order.fulfillments.all())
    )


def why_not(action: str, facts: Facts, order: Order) -> Refused | None:
    """Why a verb that is asked one order at a time is refused; None where `supported_actions` lists it."""
    if facts.is_closed:
        return orders_services.closed(order)
    for applies, refused in _REFUSALS[action]:
        if applies(facts):
            return refused(order)
    return None


def _open_units(facts: Facts) -> bool:
    return bool(facts.movable or facts.at_work)


def _can_split(facts: Facts) -> bool:
    return facts.is_paid and not facts.is_closed and not facts.is_with_warehouses and facts.movable > 1


def _can_merge(facts: Facts) -> bool:
    return facts.is_paid and not facts.is_closed and not facts.is_with_warehouses and facts.movable > 0


def _can_change_address(facts: Facts) -> bool:
    stopped = facts.is_closed or facts.shipped or facts.asked_to_cancel or facts.is_changing_address
    return not stopped


def _is_asked_back(facts: Facts) -> bool:
    return bool(facts.asked_to_cancel or facts.asked_to_reroute or facts.is_changing_address)


def _can_cancel_units(facts: Facts) -> bool:
    left = facts.movable + facts.released
    return (
        not facts.is_closed and not _is_asked_back(facts) and (left > 1 or (left > 0 and facts.shipped > 0))
    )


def _can_move(facts: Facts) -> bool:
    return not facts.is_closed and not _is_asked_back(facts) and _open_units(facts)


_RULES: Mapping[str, Callable[[Facts], bool]] = {
    "pay": lambda x: x.payment == Order.Payment.UNPAID and not x.is_closed,
    "hold": lambda x: x.step_state != StepState.DONE,
    "release": lambda x: x.is_held,
    "reroute": lambda x: _open_units(x) or x.asked_to_cancel > 0,
    "move": _can_move,
    "split": _can_split,
    "merge": _can_merge,
    "change_address": _can_change_address,
    "cancel_units": _can_cancel_units,
    "exchange": lambda x: not x.is_closed and x.replaceable > 0,
    "resend": lambda x: not x.is_closed and x.replaceable > 0,
    "cancel": lambda x: not x.is_closed and not x.shipped and (_open_units(x) or x.asked_to_reroute > 0),
}


def _unpaid(order: Order) -> Refused:
    return Refused(
        "not_paid",
        _("Order %(number)s is not paid yet.") % {"number": order.number},
        remedy=_("Wait for the payment: it is for the order as the channel has it."),
        facts={"order": order.pk},
    )


def _indivisible(order: Order) -> Refused:
    return Refused(
        "nothing_to_split",
        _("Order %(number)s has only one unit left to ship.") % {"number": order.number},
        facts={"order": order.pk},
    )


def shipped(order: Order) -> Refused:
    """No: it is on its way."""
    return Refused(
        "already_shipped",
        _("Order %(number)s has left the warehouse.") % {"number": order.number},
        remedy=_("Have the parcel intercepted, or take it back as a return."),
        facts={"order": order.pk, "stage": order.stage},
    )


def _pending(order: Order) -> Refused:
    return Refused(
        "address_change_pending",
        _("The warehouse has not answered the last address change of order %(number)s.")
        % {"number": order.number},
        remedy=_("Wait for its answer, then ask again."),
        facts={"order": order.pk},
    )


def _being_recalled(order: Order) -> Refused:
    return Refused(
        "being_recalled",
        _("A warehouse was asked to give back a part of order %(number)s.") % {"number": order.number},
        remedy=_("Wait for its answer, then ask again."),
        facts={"order": order.pk},
    )


def _nothing_left(order: Order) -> Refused:
    return Refused(
        "nothing_to_cancel",
        _("Order %(number)s has no units of which some could be cancelled.") % {"number": order.number},
        remedy=_("Cancel the whole order, or take back what has left as a return."),
        facts={"order": order.pk},
    )


def _nothing_sent(order: Order) -> Refused:
    return Refused(
        "nothing_to_replace",
        _("Order %(number)s has no unit that has left and was not replaced yet.") % {"number": order.number},
        remedy=_("Before it leaves, cancel units and place a new order; what is replaced is replaced in the new order."),
        facts={"order": order.pk},
    )  # fmt: skip


def _being_cancelled(order: Order) -> Refused:
    return Refused(
        "being_cancelled",
        _("Order %(number)s is being cancelled.") % {"number": order.number},
        remedy=_("Re-route it first if it is to be shipped after all."),
        facts={"order": order.pk},
    )


_Refusals = tuple[tuple[Callable[[Facts], bool], Callable[[Order], Refused]], ...]
_UNTOUCHED: _Refusals = (
    (lambda x: x.is_with_warehouses, orders_services.released),
    (lambda x: not x.is_paid, _unpaid),
)
_ASKED_BACK: _Refusals = (
    (lambda x: x.is_changing_address, _pending),
    (lambda x: x.asked_to_cancel > 0, _being_cancelled),
    (lambda x: x.asked_to_reroute > 0, _being_recalled),
)
_REFUSALS: Mapping[str, _Refusals] = {
    "split": (*_UNTOUCHED, (lambda x: x.movable < 2, _indivisible)),
    "merge": (*_UNTOUCHED, (lambda x: x.movable < 1, orders_services.released)),
    "cancel_units": (*_ASKED_BACK, (lambda x: not _can_cancel_units(x), _nothing_left)),
    "move": (*_ASKED_BACK, (lambda x: not _open_units(x), shipped)),
    "exchange": ((lambda x: x.replaceable < 1, _nothing_sent),),
    "resend": ((lambda x: x.replaceable < 1, _nothing_sent),),
    "change_address": (
        (lambda x: x.shipped > 0, shipped),
        (lambda x: x.is_changing_address, _pending),
        (lambda x: x.asked_to_cancel > 0, _being_cancelled),
    ),
}

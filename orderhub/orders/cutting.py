"""Taking single units out of an order and putting them back; works on orders whose rows the caller has locked."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from orderhub.events import log
from orderhub.orders import crediting, kinds, ledger, lifecycle
from orderhub.orders.models import Cancellation, Order, OrderLine

Units = dict[int, int]


def left(line: OrderLine) -> int:
    """Units of a line that are neither cancelled nor gone."""
    return line.ordered - line.cancelled - line.shipped


def cause(row: Cancellation) -> str:
    """What its credits are called by."""
    return f"cancellation:{row.pk}"


def take_out(
    order: Order,
    lines: Sequence[OrderLine],
    row: Cancellation,
    *,
    was_released: bool,
    now: datetime,
    actor: str,
) -> Units:
    """Cancel what the row still wants and no warehouse has; the units by line id, credited and told.

    What was planned must be open again. The caller saves the row and says how the order goes on.
    """
    taken: Units = {}
    for line in lines:
        wanted = row.wanted.get(str(line.pk), 0) - row.done.get(str(line.pk), 0)
        if units := min(wanted, line.open + line.backordered):
            waiting = min(line.backordered, units)
            ledger.move([
                ledger.Move(line, "backordered", "cancelled", waiting),
                ledger.Move(line, "open", "cancelled", units - waiting),
            ])  # fmt: skip
            taken[line.pk] = units
    if not taken:
        return taken
    ledger.save(lines)
    row.done = {**row.done, **{str(pk): row.done.get(str(pk), 0) + units for pk, units in taken.items()}}
    refund = sum(crediting.credit(lines, taken, cause=cause(row), now=now).values(), Decimal(0))
    _settle(order, lines, now=now)
    payload = {
        "cancellation": row.pk, "lines": _told(lines, taken), "refund": refund, "currency": order.currency,
        "was_released": was_released, "reason": row.reason, "stage": order.stage,
    }  # fmt: skip
    _tell(order, kinds.UNITS_CANCELLED.name, payload, now=now, actor=actor)
    return taken


def ask(
    order: Order, lines: Sequence[OrderLine], row: Cancellation, numbers: Collection[str], *, now: datetime,
    actor: str,
) -> None:  # fmt: skip
    """Tell the log that warehouses are asked for the rest of what is wanted."""
    payload = {
        "cancellation": row.pk, "lines": _told(lines, missing(row)), "fulfillments": list(numbers),
        "reason": row.reason, "stage": order.stage,
    }  # fmt: skip
    _tell(order, kinds.CANCEL_ASKED.name, payload, now=now, actor=actor)


def give_up(
    order: Order, lines: Sequence[OrderLine], row: Cancellation, *, answer: str, now: datetime, actor: str
) -> None:
    """Tell the log that the rest of what was wanted cannot be cancelled any more."""
    payload = {
        "cancellation": row.pk, "lines": _told(lines, missing(row)), "reason": answer, "stage": order.stage,
    }  # fmt: skip
    _tell(order, kinds.UNITS_KEPT.name, payload, now=now, actor=actor)


def put_back(
    order: Order, lines: Sequence[OrderLine], row: Cancellation, *, was_released: bool, reason: str,
    now: datetime, actor: str,
) -> None:  # fmt: skip
    """Open again what the row cancelled, and take its credits back; the caller sends the order on."""
    done = {int(pk): units for pk, units in row.done.items()}
    by_id = {line.pk: line for line in lines}
    ledger.move([ledger.Move(by_id[pk], "cancelled", "open", units) for pk, units in done.items()])
    ledger.save(lines)
    refund = crediting.void(cause(row), now=now)
    row.state, row.settled_at = Cancellation.State.RESTORED.value, now
    row.save(update_fields=["state", "settled_at"])
    lifecycle.settle([(order, lines)])
    lifecycle.save([order], ["stage"], now=now)
    payload = {
        "cancellation": row.pk, "lines": _told(lines, done), "refund": refund, "currency": order.currency,
        "was_released": was_released, "reason": reason, "stage": order.stage,
    }  # fmt: skip
    _tell(order, kinds.UNITS_RESTORED.name, payload, now=now, actor=actor)


def missing(row: Cancellation) -> Units:
    """What is wanted and not done, by line id."""
    units = {int(pk): wanted - row.done.get(pk, 0) for pk, wanted in row.wanted.items()}
    return {pk: count for pk, count in units.items() if count}


def _settle(order: Order, lines: Sequence[OrderLine], *, now: datetime) -> None:
    """The stage that is left, and the end of the journey where nothing waits to be handed over."""
    lifecycle.settle([(order, lines)])
    if not any(line.open or line.backordered or line.allocated for line in lines):
        lifecycle.finish([order])
    lifecycle.save([order], ["stage", *lifecycle.STEP_FIELDS], now=now)


def _told(lines: Sequence[OrderLine], units: Mapping[int, int]) -> list[dict[str, int]]:
    return [{"position": line.position, "units": units[line.pk]} for line in lines if units.get(line.pk)]


def _tell(order: Order, kind: str, payload: Mapping[str, object], *, now: datetime, actor: str) -> None:
    log.record([log.Fact(order.stream, kind, payload, order.merchant_id)], now=now, actor=actor)

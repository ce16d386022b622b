"""Goods that came back: booked once by their condition, counted for the order they belong to, told to whom it concerns.

Whose they are is asked of whoever registered (a return that was agreed on, for example), then found by our own numbers:
fulfillment order, order, the channel's order, parcel. Goods nobody knows are booked all the same and wait for a name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from orderhub.access.models import Merchant
from orderhub.events import log
from orderhub.events import rows as writing
from orderhub.fulfillment import kinds
from orderhub.fulfillment.models import FulfillmentOrder, Parcel, ReturnReceipt, ReturnReceiptLine
from orderhub.inventory import receipts
from orderhub.inventory import services as inventory
from orderhub.inventory.models import Movement, Warehouse
from orderhub.kernel.errors import Refused
from orderhub.orders import ledger, lifecycle
from orderhub.orders.models import Order, OrderLine

Condition = ReturnReceiptLine.Condition


@dataclass(frozen=True, slots=True)
class Back:
    """Units of a SKU (its code) that came back in one condition; `their_order` is the channel's number, if told."""

    sku: str
    units: int
    is_damaged: bool = False
    their_order: str = ""


@dataclass(frozen=True, slots=True)
class Said:
    """What a warehouse says of goods that came back."""

    reference: str
    key: str
    said_at: datetime
    lines: tuple[Back, ...]
    warehouse: str = ""
    tracking_number: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The kept confirmation; repeated means that this key was taken before and nothing was done."""

    receipt: ReturnReceipt
    is_repeated: bool = False


#: Says which order of a merchant goods belong to; None where it does not know.
Finder = Callable[[Merchant, Said], int | None]
_finders: dict[str, Finder] = {}


def finder(name: str) -> Callable[[Finder], Finder]:
    """Register who is asked first whose goods came back."""

    def register(function: Finder) -> Finder:
        _finders[name] = function
        return function

    return register


@transaction.atomic
def take(merchant: Merchant, said: Said, *, actor: str, now: datetime) -> Outcome:
    """Book goods that came back, once for a warehouse and key. Raises Refused: "warehouse_unknown", "sku_unknown"."""
    order_id = _order_of(merchant, said)
    warehouse = _warehouse(merchant, said, order_id)
    skus = receipts.skus_of(merchant, (one.sku for one in said.lines))
    order = _locked(order_id)
    receipt, made = ReturnReceipt.objects.get_or_create(
        warehouse=warehouse, key=said.key[:120],
        defaults={
            "merchant": merchant, "order": order, "reference": said.reference[:80],
            "tracking_number": said.tracking_number[:60], "reason": said.reason[:200],
            "said_at": min(said.said_at, now), "received_at": now, "actor": actor[:80],
        },
    )  # fmt: skip
    if not made:
        return Outcome(receipt, is_repeated=True)
    sums: dict[tuple[int, str], ReturnReceiptLine] = {}
    for one in sorted(said.lines, key=lambda one: skus[one.sku].pk):
        condition = (Condition.DAMAGED if one.is_damaged else Condition.GOOD).value
        line = sums.setdefault(
            (skus[one.sku].pk, condition),
            ReturnReceiptLine(receipt=receipt, sku=skus[one.sku], condition=condition, units=0),
        )
        line.units += one.units
        line.restocked += 0 if one.is_damaged else one.units
    lines = [line for line in sums.values() if line.units]
    stage = _save_order(order, _count(order, lines) if order is not None else [], now=now)
    inventory.receive(
        [(warehouse, line.sku, line.restocked) for line in lines if line.restocked],
        reference=f"return:{said.reference or said.key}"[:80], actor=actor, now=now, at=receipt.said_at,
        kind=Movement.Kind.RETURN, is_confirmed=True,
    )  # fmt: skip
    ReturnReceiptLine.objects.bulk_create(lines)
    _tell(receipt, order, lines, stage=stage, actor=actor, now=now)
    return Outcome(receipt)


@transaction.atomic
def assign(receipt_id: int, order: Order, *, actor: str, now: datetime) -> ReturnReceipt:
    """A person says whose goods these are; they are counted for that order now.

    Raises Refused: "return_assigned" if they have an order already, "return_of_other_merchant".
    """
    locked = _locked(order.pk)
    receipt = (
        ReturnReceipt.objects.select_for_update(of=("self",)).select_related("warehouse").get(pk=receipt_id)
    )
    assert locked is not None
    if receipt.order_id is not None:
        raise Refused(
            "return_assigned", _("These goods belong to an order already."), remedy=_("Reload the page."),
            status=409, facts={"return": receipt.pk},
        )  # fmt: skip
    if receipt.merchant_id != locked.merchant_id:
        raise Refused(
            "return_of_other_merchant", _("This order belongs to another merchant."),
            remedy=_("Give the number of an order of the same merchant."), facts={"return": receipt.pk},
        )  # fmt: skip
    lines = list(receipt.lines.select_related("sku").order_by("sku_id", "pk"))
    stage = _save_order(locked, _count(locked, lines), now=now)
    writing.save(lines, ["counted", "order_line_id"])
    receipt.order, receipt.assigned_by = locked, actor[:80]
    receipt.save(update_fields=["order", "assigned_by"])
    _tell(receipt, locked, lines, stage=stage, actor=actor, now=now)
    return receipt


# ---- whose goods, and where ----------------------------------------------------------------------


def _order_of(merchant: Merchant, said: Said) -> int | None:
    for name in sorted(_finders):
        found = _finders[name](merchant, said)
        if found is not None:
            return found
    return _by_numbers(merchant, said)


def _by_numbers(merchant: Merchant, said: Said) -> int | None:
    numbers = [said.reference] if said.reference else []
    work = FulfillmentOrder.objects.filter(merchant=merchant, number__in=numbers).first()
    if work is not None:
        return work.order_id
    orders = Order.objects.filter(merchant=merchant)
    theirs = {one.their_order for one in said.lines if one.their_order}
    known = {
        order.pk
        for order in orders.filter(pk__in=_ids([*numbers, *theirs]))
        if order.number in {*numbers, *theirs}
    }
    by_channel = (
        set(orders.filter(external_id__in=theirs).values_list("pk", flat=True)[:2]) if theirs else set()
    )
    for found in (known, by_channel):
        if len(found) == 1:  # two shops may use one number: then a person says whose it is
            return found.pop()
    if not said.tracking_number:
        return None
    parcels = Parcel.objects.filter(merchant=merchant, tracking_number=said.tracking_number)
    owners = set(parcels.values_list("fulfillment__order_id", flat=True)[:2])
    return owners.pop() if len(owners) == 1 else None


def _ids(numbers: Sequence[str]) -> list[int]:
    """What numbers of ours end with: the id of the order."""
    tails = (number.rpartition("-")[2] for number in numbers if number.startswith("OH"))
    return [int(tail) for tail in tails if tail.isascii() and tail.isdigit() and len(tail) < 16]


def _warehouse(merchant: Merchant, said: Said, order_id: int | None) -> Warehouse:
    """The warehouse they came to; if it is not told, the one that shipped them."""
    if said.warehouse or order_id is None:
        return receipts.warehouse_of(merchant, said.warehouse)
    sent = FulfillmentOrder.objects.filter(order_id=order_id, shipped_at__isnull=False)
    row = sent.select_related("warehouse").order_by("-shipped_at", "-pk").first()
    return row.warehouse if row is not None else receipts.warehouse_of(merchant, said.warehouse)


def _locked(order_id: int | None) -> Order | None:
    """The order, or the one it was merged into, which ships for both."""
    if order_id is None:
        return None
    merged = Order.objects.filter(pk=order_id).values_list("merged_into_id", flat=True).first()
    return Order.objects.select_for_update(no_key=True).get(pk=merged or order_id)


# ---- what the order hears ------------------------------------------------------------------------


def _count(order: Order, lines: Sequence[ReturnReceiptLine]) -> list[OrderLine]:
    """Count units as returned, never more than were shipped; all lines of the order."""
    own = list(OrderLine.objects.filter(order=order).order_by("position"))
    for line in lines:
        left = line.units
        for held in own:
            part = min(left, held.shipped - held.returned) if held.sku_id == line.sku_id else 0
            if part > 0:
                ledger.take_back(held, part)
                line.order_line = line.order_line or held
                line.counted, left = line.counted + part, left - part
    return own


def _save_order(order: Order | None, lines: Sequence[OrderLine], *, now: datetime) -> str:
    """Write the ledger and the stage it leads to; the new stage, empty if it stays."""
    if order is None:
        return ""
    ledger.save(lines, ["returned"])
    changed = lifecycle.settle([(order, lines)])
    lifecycle.save(changed, ["stage"], now=now)
    return order.stage if changed else ""


def _tell(
    receipt: ReturnReceipt, order: Order | None, lines: Sequence[ReturnReceiptLine], *, stage: str, actor: str,
    now: datetime,
) -> None:  # fmt: skip
    """One event: in the order's stream, or where nobody knows whose goods they are, in that of the merchant's stock."""
    payload: dict[str, object] = {
        "return": receipt.pk, "reference": receipt.reference, "warehouse": receipt.warehouse.code,
        "tracking_number": receipt.tracking_number, "reason": receipt.reason, "stage": stage,
        "lines": [
            {"sku": line.sku.code, "line": line.order_line_id, "quantity": line.units, "condition": line.condition,
             "restocked": line.restocked, "counted": line.counted}
            for line in lines
        ],
    }  # fmt: skip
    said = {name: value for name, value in payload.items() if value not in (None, "")}
    if order is None:
        stream, kind = f"returns:{receipt.pk}", kinds.RETURN_UNKNOWN.name
    else:
        stream, kind = order.stream, kinds.RETURN_RECEIVED.name
    log.record([log.Fact(stream, kind, said, receipt.merchant_id, receipt.said_at)], now=now, actor=actor)

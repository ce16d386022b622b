"""Components on a factory's own shelf: taken for work orders a moment after their release, and whenever more of them comes.

A factory keeps what it has a stock row for; of anything else its own systems take care. What is short is said once with
the names and when it is expected, and moves the planned dates.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, Decimal

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q

from orderhub.events import log
from orderhub.events import rows as writing
from orderhub.events.log import Fact
from orderhub.fulfillment import production_kinds as kinds
from orderhub.fulfillment import rescheduling
from orderhub.fulfillment.models import ComponentHold, WorkOrder
from orderhub.inventory import posting
from orderhub.inventory import services as inventory
from orderhub.inventory.models import ExpectedReceipt, Sku, Stock
from orderhub.inventory.posting import Shelf
from orderhub.inventory.services import Take
from orderhub.orders.models import Order

State = WorkOrder.State
#: Before it is started, a work order's components can still be taken.
TAKING = (State.RELEASED, State.ACCEPTED)
MOST = 100
ACTOR = "system"


def settle(*, now: datetime) -> int:
    """Look at new work orders, and again at those that lack something the shelf has now; how many."""
    free = Stock.objects.filter(
        sku_id=OuterRef("sku_id"), warehouse_id=OuterRef("work__fulfillment__warehouse_id"),
        on_hand__gt=F("reserved") + F("safety"),
    )  # fmt: skip
    short = ComponentHold.objects.filter(
        work_id=OuterRef("pk"), is_kept=True, units__gt=F("reserved") + F("used")
    )
    wanted = WorkOrder.objects.filter(state__in=TAKING).filter(
        Q(checked_at__isnull=True) | Exists(short.filter(Exists(free)))
    )
    found = list(wanted.order_by("pk").values_list("pk", "fulfillment__order_id")[:MOST])
    return sum(_settle_one(work_id, order_id, now=now) for work_id, order_id in found)


@transaction.atomic
def _settle_one(work_id: int, order_id: int, *, now: datetime) -> int:
    """Take what there is for one work order; its order is locked first, as everywhere."""
    order = Order.objects.select_for_update(no_key=True).get(pk=order_id)
    work = WorkOrder.objects.select_related("fulfillment__warehouse").get(pk=work_id)
    if work.state not in TAKING:
        return 0
    is_first = work.checked_at is None
    holds = list(work.components.select_related("sku").order_by("sku_id", "pk"))
    was_short = any(hold.short for hold in holds) and not is_first
    taken = _take(work, holds, now=now)
    if not taken and not is_first:
        return 0
    work.checked_at = now
    work.save(update_fields=["checked_at"])
    log.record(
        _said(order, work, holds, was_short=was_short, is_first=is_first, now=now), now=now, actor=ACTOR
    )
    return 1


def free(work: WorkOrder, holds: Sequence[ComponentHold]) -> list[Take]:
    """What a work order that is not made gives back to the shelf; the caller frees the stock and saves the holds."""
    takes = []
    for hold in holds:
        if hold.reserved:
            takes.append(Take(f"work-{work.pk}", work.fulfillment.warehouse_id, hold.sku_id, hold.reserved))
            hold.reserved = 0
    return takes


def free_part(work: WorkOrder, holds: Sequence[ComponentHold], before: int) -> list[Take]:
    """What a work order of fewer units than `before` needs no more; the caller frees the stock and saves the holds."""
    takes = []
    for hold in holds:
        units = -(-hold.units * work.quantity // before)
        spare = max(0, hold.reserved - units)
        hold.units = max(units, hold.used)
        if spare:
            hold.reserved -= spare
            takes.append(Take(f"work-{work.pk}", work.fulfillment.warehouse_id, hold.sku_id, spare))
    return takes


def use(work: WorkOrder, holds: Sequence[ComponentHold]) -> list[Take]:
    """What leaves the shelf as the making begins; the caller ships the stock and saves the holds."""
    takes = []
    for hold in holds:
        if hold.reserved:
            takes.append(Take(f"work-{work.pk}", work.fulfillment.warehouse_id, hold.sku_id, hold.reserved))
            hold.used, hold.reserved = hold.used + hold.reserved, 0
    return takes


# ---- taking ----------------------------------------------------------------------------------------


def _take(work: WorkOrder, holds: list[ComponentHold], *, now: datetime) -> int:
    """Reserve what the shelf has of what is short, alternatives after; the units taken."""
    site = work.fulfillment.warehouse_id
    places = {(hold.sku_id, site) for hold in holds} | {
        (pk, site) for hold in holds for pk, _ratio in hold.instead
    }
    shelves = posting.shelves(places) if places else {}
    left = {place: max(0, shelf.free) for place, shelf in shelves.items()}
    for hold in holds:
        hold.is_kept = (hold.sku_id, site) in shelves
    takes = [take for hold in holds if (take := _take_own(work, hold, left)) is not None]
    fresh: list[ComponentHold] = []
    for hold in holds:
        fresh += _take_instead(work, hold, holds, shelves, left, takes)
    if takes and inventory.take(takes, reference="make", actor=ACTOR, now=now):
        raise RuntimeError("stock changed under its lock")
    writing.save(holds, ["reserved", "is_kept", "units", "needed"])
    ComponentHold.objects.bulk_create(fresh)
    holds += fresh
    return sum(take.quantity for take in takes)


def _take_own(work: WorkOrder, hold: ComponentHold, left: dict[tuple[int, int], int]) -> Take | None:
    place = (hold.sku_id, work.fulfillment.warehouse_id)
    units = min(hold.short, left.get(place, 0))
    if units <= 0:
        return None
    left[place] -= units
    hold.reserved += units
    return Take(f"work-{work.pk}", place[1], place[0], units)


def _take_instead(
    work: WorkOrder, hold: ComponentHold, holds: Sequence[ComponentHold], shelves: dict[tuple[int, int], Shelf],
    left: dict[tuple[int, int], int], takes: list[Take],
) -> list[ComponentHold]:  # fmt: skip
    """All that is short, of the first alternative that the shelf has enough of; half of one and half of the other is
    no way to make a chair."""
    if not hold.short:
        return []
    site = work.fulfillment.warehouse_id
    used = {one.sku_id for one in holds if one.line_id == hold.line_id}
    for sku_id, ratio in hold.instead:
        exact = hold.short * Decimal(ratio)
        units = int(exact.to_integral_value(rounding=ROUND_CEILING))
        if sku_id in used or (sku_id, site) not in shelves or left.get((sku_id, site), 0) < units:
            continue
        left[sku_id, site] -= units
        takes.append(Take(f"work-{work.pk}", site, sku_id, units))
        hold.units -= hold.short
        hold.needed = min(hold.needed, Decimal(hold.units))
        sku = Sku.objects.get(pk=sku_id)
        return [
            ComponentHold(work=work, line_id=hold.line_id, sku=sku, needed=exact, units=units, reserved=units)
        ]
    return []


# ---- saying ----------------------------------------------------------------------------------------


def _said(
    order: Order,
    work: WorkOrder,
    holds: Sequence[ComponentHold],
    *,
    was_short: bool,
    is_first: bool,
    now: datetime,
) -> list[Fact]:
    about = {"fulfillment": work.fulfillment.number, "warehouse": work.fulfillment.warehouse.code}
    short = [hold for hold in holds if hold.short]
    if not short:
        complete = [Fact(order.stream, kinds.COMPONENTS_COMPLETE.name, about, order.merchant_id)]
        return complete if was_short else []
    if not is_first:
        return []
    for hold in short:
        hold.expected_at = _expected(work, hold)
    writing.save(short, ["expected_at"])
    told = [
        {"sku": hold.sku.code, "name": hold.sku.name, "name_en": hold.sku.name_en, "missing": hold.short,
         "unit": hold.unit, "expected_at": hold.expected_at.isoformat() if hold.expected_at else None}
        for hold in short
    ]  # fmt: skip
    detail = "; ".join(
        f"{hold.sku.code} {hold.sku.name} −{hold.short}"
        + (
            f" → {hold.expected_at.astimezone(rescheduling.zone_of(work)):%Y-%m-%d}"
            if hold.expected_at
            else ""
        )
        for hold in short
    )
    payload = {**about, "components": told, "detail": detail[:300]}
    facts = [Fact(order.stream, kinds.COMPONENTS_SHORT.name, payload, order.merchant_id)]
    dates = [hold.expected_at for hold in short if hold.expected_at is not None]
    if len(dates) == len(short) and max(dates) > work.planned_start_at:
        facts += _later(order, work, max(dates) - work.planned_start_at)
    return facts


def _later(order: Order, work: WorkOrder, span: timedelta) -> list[Fact]:
    """Start when the last component comes, and tell what that means."""
    work.planned_start_at += span
    moved = rescheduling.move(order, work, work.finish_at + span, reason="components", is_ours=True)
    work.save(update_fields=["planned_start_at", "planned_finish_at"])
    work.fulfillment.save(update_fields=["eta_from_at", "eta_to_at"])
    return moved


def _expected(work: WorkOrder, hold: ComponentHold) -> datetime | None:
    """When enough of it is on its way; None where nobody expects so much."""
    rows = ExpectedReceipt.objects.filter(
        warehouse_id=work.fulfillment.warehouse_id, sku_id=hold.sku_id, arrived_at__isnull=True
    ).order_by("expected_at", "pk")
    coming = 0
    for row in rows:
        coming += max(0, row.units - row.came)
        if coming >= hold.short:
            return row.expected_at
    return None

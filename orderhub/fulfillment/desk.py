"""Everything a batch of updates touches, loaded once under the locks of its orders and written back once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Q

from orderhub.events import log
from orderhub.events import rows as writing
from orderhub.events.kinds import Kind
from orderhub.fulfillment import components
from orderhub.fulfillment.models import (
    ComponentHold,
    FulfillmentLine,
    FulfillmentOrder,
    Parcel,
    ParcelLine,
    WorkOrder,
    WorkStep,
)
from orderhub.fulfillment.saving import Watch
from orderhub.inventory import services as inventory
from orderhub.inventory.services import Load, Take
from orderhub.orders import holding, ledger, lifecycle
from orderhub.orders.models import Order, OrderLine
from orderhub.orders.models.order import Stage

_ROW_FIELDS = (
    "state",
    "state_before_cancel",
    "cancel_intent",
    "refusal",
    "told",
    "packed_at",
    "packed_grams",
    "carton_grams",
    "shipped_at",
    "delivered_at",
    "eta_from_at",
    "eta_to_at",
)
_WORK_FIELDS = (
    "state", "quality", "quantity", "good", "scrap", "step", "planned_finish_at", "told_finish_at",
    "plan_said_at", "quality_said_at",
    "started_at", "finished_at", "last_told_at", "stalled_at",
)  # fmt: skip
_PART_FIELDS = ("quantity", "reserved", "shipped")
_LINE_FIELDS = (*ledger.COLUMNS, "delivered")
_ORDER_FIELDS = ("stage", *lifecycle.STEP_FIELDS)
_PARCEL_FIELDS = (
    "status",
    "intercept",
    "status_at",
    "scans",
    "grams",
    "carton_grams",
    "packed_at",
    "shipped_at",
    "delivered_at",
    "eta_from_at",
    "eta_to_at",
)


@dataclass(slots=True)
class Case:
    """One fulfillment order with its lines, parcels (and what is in them), and its order with all lines."""

    row: FulfillmentOrder
    order: Order
    order_lines: dict[int, OrderLine]
    parts: list[FulfillmentLine]
    parcels: list[Parcel] = field(default_factory=list)
    contents: dict[str, list[ParcelLine]] = field(default_factory=dict)
    work: WorkOrder | None = None
    components: list[ComponentHold] = field(default_factory=list)
    #: Keys of what the factory told before.
    told: set[str] = field(default_factory=set)
    step_said_at: datetime | None = None

    @property
    def left(self) -> int:
        """Units the warehouse still holds for it."""
        return sum(part.reserved for part in self.parts)

    @property
    def shipped(self) -> int:
        """Units that left."""
        return sum(part.shipped for part in self.parts)

    def parcel(self, tracking_number: str) -> Parcel | None:
        """The parcel of that number; without a number the only one there is."""
        if not tracking_number:
            return self.parcels[0] if len(self.parcels) == 1 else None
        return next((p for p in self.parcels if p.tracking_number == tracking_number), None)


@dataclass(slots=True)
class _Told:
    case: Case
    kind: str
    occurred_at: datetime
    payload: dict[str, object]
    parcel: Parcel | None


@dataclass(slots=True)
class _Watches:
    """Everything loaded, as it was."""

    rows: Watch[FulfillmentOrder]
    parts: Watch[FulfillmentLine]
    parcels: Watch[Parcel]
    lines: Watch[OrderLine]
    orders: Watch[Order]
    works: Watch[WorkOrder]
    components: Watch[ComponentHold]

    @classmethod
    def over(cls, cases: Iterable[Case]) -> _Watches:
        """Watch these cases; what two of them share is watched once."""
        held = list(cases)
        orders = {case.order.pk: case.order for case in held}
        lines = {line.pk: line for case in held for line in case.order_lines.values()}
        return cls(
            rows=Watch([case.row for case in held], _ROW_FIELDS),
            parts=Watch([part for case in held for part in case.parts], _PART_FIELDS),
            parcels=Watch([parcel for case in held for parcel in case.parcels], _PARCEL_FIELDS),
            lines=Watch(lines.values(), _LINE_FIELDS),
            orders=Watch(orders.values(), _ORDER_FIELDS),
            works=Watch([case.work for case in held if case.work is not None], _WORK_FIELDS),
            components=Watch(
                [hold for case in held for hold in case.components], ("reserved", "used", "units")
            ),
        )


@dataclass(slots=True)
class Desk:
    """The loaded cases by fulfillment number and what the handlers decided so far."""

    now: datetime
    actor: str
    cases: dict[str, Case]
    taken_numbers: set[tuple[str, str]]
    watches: _Watches
    told: list[_Told | log.Fact] = field(default_factory=list)
    freed: list[Take] = field(default_factory=list)
    left_house: list[Take] = field(default_factory=list)
    slots: list[Load] = field(default_factory=list)
    new_parcels: list[Parcel] = field(default_factory=list)
    new_contents: list[ParcelLine] = field(default_factory=list)
    new_steps: list[WorkStep] = field(default_factory=list)

    def tell(
        self,
        case: Case,
        kind: Kind,
        occurred_at: datetime,
        *,
        parcel: Parcel | None = None,
        **payload: object,
    ) -> None:
        """Settle the order's stage and note an event; empty values are left out of its payload."""
        stage_before = case.order.stage
        settle(case)
        facts = {name: value for name, value in payload.items() if value not in (None, "")}
        if case.order.stage != stage_before:
            facts["stage"] = case.order.stage
        about = (
            {"fulfillment": case.row.number, "warehouse": case.row.warehouse.code}
            if "fulfillment" in kind.fields
            else {}
        )
        self.told.append(_Told(case, kind.name, occurred_at, {**about, **facts}, parcel))

    def free(self, case: Case, part: FulfillmentLine, quantity: int) -> None:
        """Give reserved units of a line back to the shelf, or to the day they were to be made on."""
        if not quantity:
            return
        part.reserved -= quantity
        if part.made_on is None:
            self.freed.append(Take(case.order.pk, case.row.warehouse_id, part.sku_id, quantity))
        else:
            self.slots.append(
                Load(case.order.pk, case.row.warehouse_id, part.made_on, parcels=0, made=quantity)
            )
            self.unmake(case, quantity)

    def unmake(self, case: Case, quantity: int) -> None:
        """So many units are not made: their components go back to the shelf, unless they are in the making."""
        work = case.work
        if work is None or work.state == WorkOrder.State.CANCELLED:
            return
        before, work.quantity = work.quantity, max(work.good, work.quantity - quantity)
        if not work.quantity:
            work.state = WorkOrder.State.CANCELLED
            self.freed += components.free(work, case.components)
        elif work.state in components.TAKING and work.quantity < before:
            self.freed += components.free_part(work, case.components, before)

    def begin_making(self, case: Case) -> None:
        """The factory's components leave its shelf."""
        if case.work is not None:
            self.left_house += components.use(case.work, case.components)

    def free_slot(self, case: Case) -> None:
        """Give the parcel slot of the day back: nothing of it will be worked on."""
        if case.row.capacity_date is not None:
            self.slots.append(Load(case.order.pk, case.row.warehouse_id, case.row.capacity_date))

    def ship(self, case: Case, part: FulfillmentLine, quantity: int, parcel: Parcel) -> None:
        """Let reserved units of a line leave in a parcel; those made to order never lay on a shelf."""
        part.reserved -= quantity
        part.shipped += quantity
        ledger.move([ledger.Move(case.order_lines[part.order_line_id], "released", "shipped", quantity)])
        if part.made_on is None:
            # A stock report of a moment in between must know what had left by then.
            left_at = min(parcel.shipped_at, self.now) if parcel.shipped_at else None
            self.left_house.append(Take(case.order.pk, case.row.warehouse_id, part.sku_id, quantity, left_at))
        else:
            self.begin_making(case)  # where nobody told that it began
        content = ParcelLine(parcel=parcel, fulfillment_line=part, quantity=quantity)
        self.new_contents.append(content)
        case.contents.setdefault(parcel.tracking_number, []).append(content)

    def add_parcel(self, case: Case, parcel: Parcel) -> Parcel:
        """Note a new parcel; it is written with the rest."""
        case.parcels.append(parcel)
        self.new_parcels.append(parcel)
        self.taken_numbers.add((parcel.carrier, parcel.tracking_number))
        return parcel

    def write(self) -> None:
        """Write everything, stock after orders and the log last; a constant number of queries."""
        self._write_rows()
        self._write_parcels()
        self.watches.parts.write()
        self.watches.works.write()
        self.watches.components.write()
        WorkStep.objects.bulk_create(self.new_steps)
        ledger.save(self.watches.lines.changed()[0])
        lifecycle.save(*self.watches.orders.changed(), now=self.now)
        if self.freed:
            inventory.free(self.freed, reference="order", actor=self.actor, now=self.now)
        if self.left_house:
            inventory.ship(self.left_house, reference="order", actor=self.actor, now=self.now)
        inventory.free_capacity(self.slots)
        facts = [told if isinstance(told, log.Fact) else _fact(told) for told in self.told]
        log.record(facts, now=self.now, actor=self.actor)

    def _write_rows(self) -> None:
        rows, names = self.watches.rows.changed()
        for row in rows:
            row.updated_at = self.now
        writing.save(rows, [*names, "updated_at"])

    def _write_parcels(self) -> None:
        self.watches.parcels.write()
        Parcel.objects.bulk_create(self.new_parcels)
        for content in self.new_contents:
            content.parcel_id = content.parcel.pk
        ParcelLine.objects.bulk_create(self.new_contents)


def load(
    numbers: Iterable[str],
    tracking_numbers: Iterable[str],
    *,
    merchant_id: int | None,
    now: datetime,
    actor: str,
) -> Desk:
    """Lock the orders of these fulfillment orders (of one merchant, if given) and load them, in a
    transaction."""
    wanted = FulfillmentOrder.objects.filter(number__in=set(numbers))
    if merchant_id is not None:
        wanted = wanted.filter(merchant_id=merchant_id)
    order_ids = set(wanted.values_list("order_id", flat=True))
    locked = Order.objects.select_for_update(no_key=True).filter(pk__in=order_ids).order_by("pk")
    orders = {order.pk: order for order in locked}
    rows = list(wanted.select_related("warehouse", "rate_card").order_by("pk"))
    lines = holding.lines_of(list(orders.values()))
    parts: dict[int, list[FulfillmentLine]] = {row.pk: [] for row in rows}
    for part in FulfillmentLine.objects.filter(fulfillment__in=rows).select_related("sku").order_by("pk"):
        parts[part.fulfillment_id].append(part)
    # Two fulfillment orders of one order share its lines: one instance each, or one would undo the other.
    shared = {pk: {line.pk: line for line in group} for pk, group in lines.items()}
    cases = {r.number: Case(r, orders[r.order_id], shared[r.order_id], parts[r.pk]) for r in rows}
    _load_works(cases.values())
    taken = _load_parcels({case.row.pk: case for case in cases.values()}, set(tracking_numbers))
    watches = _Watches.over(cases.values())
    return Desk(now=now, actor=actor, cases=cases, taken_numbers=taken, watches=watches)


def settle(case: Case) -> None:
    """Move the order to the stage its lines say.

    The machine knows no way from released straight to routed: an order whose released part came back while
    another part is planned passes through received.
    """
    lines = list(case.order_lines.values())
    if case.order.stage == Stage.RELEASED and lifecycle.rollup(case.order, lines) == Stage.ROUTED:
        lifecycle.transition([case.order], Stage.RECEIVED)
    lifecycle.settle([(case.order, lines)])


def _load_works(cases: Iterable[Case]) -> None:
    """Put work orders, their components and what was told of them into the cases that make something; no query for
    others."""
    making = {case.row.pk: case for case in cases if any(part.made_on for part in case.parts)}
    if not making:
        return
    for work in WorkOrder.objects.filter(fulfillment__in=making):
        case = making[work.fulfillment_id]
        work.fulfillment, case.work = case.row, work
    works = {case.work.pk: case for case in making.values() if case.work is not None}
    for hold in ComponentHold.objects.filter(work__in=works).order_by("pk"):
        works[hold.work_id].components.append(hold)
    told = WorkStep.objects.filter(work__in=works).order_by("said_at", "pk")
    for work_id, key, event, said_at in told.values_list("work_id", "key", "event", "said_at"):
        works[work_id].told.add(key)
        if event == "step":
            works[work_id].step_said_at = said_at


def _load_parcels(cases: Mapping[int, Case], tracking_numbers: set[str]) -> set[tuple[str, str]]:
    """Put parcels and their contents into the cases; returns the (carrier, number) pairs that exist
    already."""
    wanted = Q(fulfillment__in=cases.keys()) | Q(tracking_number__in=tracking_numbers)
    parcels = list(Parcel.objects.filter(wanted).order_by("pk"))
    own = {parcel.pk: parcel for parcel in parcels if parcel.fulfillment_id in cases}
    for parcel in own.values():
        cases[parcel.fulfillment_id].parcels.append(parcel)
    for content in ParcelLine.objects.filter(parcel__in=own.keys()).order_by("pk"):
        parcel = own[content.parcel_id]
        contents = cases[parcel.fulfillment_id].contents
        contents.setdefault(parcel.tracking_number, []).append(content)
    return {(parcel.carrier, parcel.tracking_number) for parcel in parcels}


def _fact(told: _Told) -> log.Fact:
    payload = (
        told.payload
        if told.parcel is None
        else {
            **told.payload,
            "parcel": told.parcel.pk,
            "tracking_number": told.parcel.tracking_number,
        }
    )
    order = told.case.order
    return log.Fact(order.stream, told.kind, payload, order.merchant_id, told.occurred_at)

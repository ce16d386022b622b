"""Routing a batch of orders: decide each on one snapshot, keep the decisions, plan the fulfillment, tell
the log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, Decimal
from time import perf_counter

from orderhub.events import log
from orderhub.events import rows as writing
from orderhub.fulfillment import plan as planning
from orderhub.fulfillment import reserve
from orderhub.fulfillment.models import FulfillmentOrder
from orderhub.fulfillment.plan import OrderPlan, ParcelPlan
from orderhub.kernel import canonical
from orderhub.orders import lifecycle
from orderhub.orders import services as orders_services
from orderhub.orders.models import Order, OrderLine
from routing import candidates, inputs, kinds, record, strategies
from routing.candidates import Snapshot
from routing.engine.decide import decide
from routing.engine.model import PlannedParcel
from routing.models import Decision, StrategyVersion
from routing.record import Decided
from routing.seldom import standing

# A promise is the slowest parcel's planned hours with this margin, rounded up to the full hour.
PROMISE_MARGIN = Decimal("1.25")
#: A warehouse picks, packs and hands over within this many hours; the lane's hours begin after it.
HANDLING_HOURS = Decimal(6)
#: Reasons named before those that merely left out most warehouses.
FIRST_REASONS = ("bad_quantity", "bad_strategy", "beyond_range", "no_weight", "parcel_limit", "out_of_stock")
MILLISECOND = Decimal("0.001")
GRAIN = Decimal("0.000000000001")


def route(
    orders: Sequence[Order],
    *,
    lines: Mapping[int, Sequence[OrderLine]] | None = None,
    planned: planning.Planned | None = None,
    releases: Mapping[int, datetime] | None = None,
    now: datetime,
    actor: str,
) -> dict[int, str]:
    """Route the open units of locked orders; per order "routed", "partial", "unroutable" or "nothing" open.

    Oldest orders choose first, and what they take is gone for the others of the batch. Writes decisions,
    plans, stages, promises and events with a constant number of queries, in the caller's transaction.
    `lines` are the orders' lines with SKUs, if the caller has them; `planned` is filled with what was planned.
    `releases`: when the orders that wait for a pick wave go to their warehouses; their hours begin there.
    """
    lines = _lines(orders) if lines is None else lines
    # A plan that nobody has been given yet is decided afresh: its units are free before anybody looks.
    reserve.drop([order.pk for order in orders], lines=_flat(lines), now=now, actor=actor)
    needs = {pk: [line for line in group if line.open + line.backordered] for pk, group in lines.items()}
    waiting = [order for order in orders if needs[order.pk]]
    found = dict.fromkeys((order.pk for order in orders), "nothing")
    if not waiting:
        return found
    stands = standing.of(order.merchant_id for order in waiting)
    picked = strategies.pick(waiting, now=now, lines=needs, shelf=stands.shelf)
    versions = {pk: one.version for pk, one in picked.items()}
    snapshots = _snapshots(waiting, needs, releases or {}, stands.network, now=now)
    writer = inputs.Writer()
    decided = [
        _decide(order, needs[order.pk], snapshots[order.pk], picked[order.pk], writer)
        for order in sorted(waiting, key=lambda order: (order.placed_at, order.pk))
    ]
    fulfillments = keep(decided, versions, lines, releases=releases or {}, now=now, actor=actor)
    if planned is not None:
        planned.update((order.pk, []) for order in waiting)
        for row in fulfillments:
            row.warehouse = snapshots[row.order_id].site(row.order, row.warehouse_id).warehouse
            planned[row.order_id].append(row)
    short = [one.order for one in decided if one.decision.status != "routed"]
    for reason, group in _by_reason(decided, short).items():
        orders_services.backorder(group, reason=reason, lines=lines, now=now, actor=actor)
    return found | {one.order.pk: one.decision.status for one in decided}


def sendable(orders: Sequence[Order], *, now: datetime) -> list[Order]:
    """Those of these orders that would get a plan now, each on what the earlier ones leave; nothing is written.

    Orders with nothing open are none of them.
    """
    lines = _lines(orders)
    needs = {pk: [line for line in group if line.open + line.backordered] for pk, group in lines.items()}
    waiting = [order for order in orders if needs[order.pk]]
    if not waiting:
        return []
    stands = standing.of(order.merchant_id for order in waiting)
    picked = strategies.pick(waiting, now=now, lines=needs, shelf=stands.shelf)
    snapshot = _snapshots(waiting, needs, {}, stands.network, now=now)
    decided = [
        _decide(order, needs[order.pk], snapshot[order.pk], picked[order.pk], None)
        for order in sorted(waiting, key=lambda order: (order.placed_at, order.pk))
    ]
    return [one.order for one in decided if one.decision.plan is not None]


def keep(
    decided: Sequence[Decided],
    versions: Mapping[int, StrategyVersion],
    lines: Mapping[int, Sequence[OrderLine]],
    *,
    releases: Mapping[int, datetime],
    now: datetime,
    actor: str,
) -> list[FulfillmentOrder]:
    """Write what was decided about locked orders of which nothing is planned; the new fulfillment orders.

    The decisions (older ones are superseded), plans, stages, promises and events; `lines` are all lines of the
    orders, changed and saved here. Stock is not taken.
    """
    rows = _keep(decided, versions, now=now)
    plans = [OrderPlan(one.order, _parcel_plans(one, releases.get(one.order.pk))) for one in decided]
    fulfillments = planning.plan(plans, lines=_flat(lines), now=now, actor=actor, is_clear=True)
    _promise_and_tell(decided, rows, lines, releases, now=now, actor=actor)
    return fulfillments


def _snapshots(
    orders: Sequence[Order],
    needs: Mapping[int, Sequence[OrderLine]],
    releases: Mapping[int, datetime],
    network: candidates.Network,
    *,
    now: datetime,
) -> dict[int, Snapshot]:
    """What each order sees: one snapshot for those that go at once, one for each wave that others wait for."""
    groups: dict[datetime, list[Order]] = {}
    for order in orders:
        groups.setdefault(releases.get(order.pk, now), []).append(order)
    found: dict[int, Snapshot] = {}
    for start, group in groups.items():
        snapshot = candidates.take_snapshot(
            group, [line for order in group for line in needs[order.pk]], now=start, network=network
        )
        found.update((order.pk, snapshot) for order in group)
    return found


def _lines(orders: Sequence[Order]) -> dict[int, list[OrderLine]]:
    """All lines per order, SKU at hand; one query."""
    found: dict[int, list[OrderLine]] = {order.pk: [] for order in orders}
    for line in (
        OrderLine.objects.filter(order__in=orders).select_related("sku").order_by("order_id", "position")
    ):
        found[line.order_id].append(line)
    return found


def _flat(lines: Mapping[int, Sequence[OrderLine]]) -> list[OrderLine]:
    return [line for group in lines.values() for line in group]


def _decide(
    order: Order,
    lines: Sequence[OrderLine],
    snapshot: Snapshot,
    picked: strategies.Picked,
    writer: inputs.Writer | None,
) -> Decided:
    """Decide an order on what earlier ones left; without a `writer` nobody means to keep it."""
    start = perf_counter()
    strategy = strategies.rates(picked.version)
    offer = snapshot.offer(order, lines)
    request = offer.request
    decision = decide(request, offer.nodes, strategy)
    notes = [*offer.notes, *picked.notes]
    if decision.status != "routed" and request.promise_hours is not None:
        request = replace(request, promise_hours=None)
        decision = decide(request, offer.nodes, strategy)
        notes.append("promise_dropped")
    if decision.status != "routed" and offer.refused:
        # Better to ask a warehouse that refused once again than to let the order wait.
        offer = snapshot.offer(order, lines, ask_again=True)
        request = replace(offer.request, promise_hours=None)
        decision = decide(request, offer.nodes, strategy)
    # Before the units it saw are taken.
    kept = writer.dump(request, offer.nodes, strategy) if writer else None
    parcels = decision.plan.parcels if decision.plan else ()
    days = {p.node_id: snapshot.site(order, p.node_id).load.date for p in parcels}
    if any(offer.made_lines(parcel) for parcel in parcels):
        notes.append("made_to_order")
    snapshot.take(offer, order, parcels)
    elapsed_ms = (perf_counter() - start) * 1000
    return Decided(order, lines, offer, decision, days, notes, elapsed_ms, kept)


def _keep(
    decided: Sequence[Decided], versions: Mapping[int, StrategyVersion], *, now: datetime
) -> list[Decision]:
    Decision.objects.filter(order__in=[one.order for one in decided], superseded_at__isnull=True).update(
        superseded_at=now
    )
    return writing.insert(
        Decision(
            merchant_id=one.order.merchant_id,
            order=one.order,
            strategy=versions[one.order.pk],
            status=one.decision.status,
            method=one.decision.method,
            total=one.decision.plan.total if one.decision.plan else None,
            plan=_encoded(record.plan_json(one)),
            alternatives=_encoded(record.alternatives_json(one)),
            removed=_encoded(record.removed_json(one)),
            shortages=_encoded(record.shortages_json(one)),
            inputs=one.inputs,
            is_mendable=_is_mendable(one),
            elapsed_ms=Decimal(one.elapsed_ms).quantize(MILLISECOND),
            decided_at=now,
        )
        for one in decided
    )


def _encoded(value: object) -> writing.Encoded | None:
    return None if value is None else writing.Encoded(canonical.dumps(value))


def _parcel_plans(one: Decided, start: datetime | None) -> list[ParcelPlan]:
    plan = one.decision.plan
    return [_parcel_plan(one, parcel, start) for parcel in plan.parcels] if plan else []


def _parcel_plan(one: Decided, parcel: PlannedParcel, start: datetime | None) -> ParcelPlan:
    return ParcelPlan(
        warehouse_id=parcel.node_id,
        rate_card_id=one.offer.options[parcel.node_id, parcel.carrier].card.pk,
        pieces=tuple((piece.line_id, piece.quantity) for piece in parcel.pieces),
        grams=parcel.grams,
        distance_km=parcel.distance_km,
        hours=parcel.hours,
        freight=parcel.terms["freight"],
        kgco2e=parcel.kgco2e.quantize(GRAIN),
        capacity_date=one.days[parcel.node_id],
        starts_at=start,
        made=one.offer.made_lines(parcel),
        made_on=one.offer.made[parcel.node_id].day if parcel.node_id in one.offer.made else None,
    )


def _promise_and_tell(
    decided: Sequence[Decided],
    rows: Sequence[Decision],
    lines: Mapping[int, Sequence[OrderLine]],
    releases: Mapping[int, datetime],
    *,
    now: datetime,
    actor: str,
) -> None:
    """Stages by the lines, promises to whole orders, and one event per order that got a plan."""
    planned = [(one, row) for one, row in zip(decided, rows, strict=True) if one.decision.plan is not None]
    orders = [one.order for one, _row in planned]
    moved = {order.pk for order in lifecycle.settle((order, lines[order.pk]) for order in orders)}
    for one, _row in planned:
        _promise(one, start=releases.get(one.order.pk, now), now=now)
    lifecycle.save(orders, ["stage", "promised_at"], now=now)
    facts = [_decided_fact(one, row, has_moved=one.order.pk in moved) for one, row in planned]
    log.record(facts, now=now, actor=actor)


def _promise(one: Decided, *, start: datetime, now: datetime) -> None:
    """Promise a time to an order that ships whole, once; a promise that can still be kept stays.

    The hours count from `start`, when it goes to its warehouses.
    """
    order, plan = one.order, one.decision.plan
    if plan is None or one.decision.status != "routed":
        return
    if order.promised_at is None or "promise_dropped" in one.notes or order.promised_at <= now:
        latest = max(start, now) + timedelta(
            seconds=int(
                ((plan.hours * PROMISE_MARGIN + HANDLING_HOURS) * 3600).to_integral_value(ROUND_CEILING)
            )
        )
        order.promised_at = latest + timedelta(seconds=-int(latest.timestamp()) % 3600)


def _decided_fact(one: Decided, row: Decision, *, has_moved: bool) -> log.Fact:
    plan = one.decision.plan
    assert plan is not None, "only planned orders are told"
    warehouses = {p.node_id: one.offer.warehouses[p.node_id] for p in plan.parcels}.values()
    payload: dict[str, object] = {
        "decision": row.pk,
        "warehouses": [warehouse.name for warehouse in warehouses],
        "warehouses_en": [warehouse.name_en or warehouse.name for warehouse in warehouses],
        "parcels": len(plan.parcels),
        "total": plan.total,
        "kgco2e": plan.kgco2e.quantize(GRAIN),
        "promised_at": one.order.promised_at,
    }
    if has_moved:
        payload["stage"] = one.order.stage
    return log.Fact(one.order.stream, kinds.DECIDED.name, payload, one.order.merchant_id)


def _is_mendable(one: Decided) -> bool:
    """Whether units are kept here by something that is put right by a person or a new day, not by a receipt."""
    lines = {None, *(shortage.line_id for shortage in one.decision.shortages)}
    return one.decision.status != "routed" and any(
        removal.code != "out_of_stock" and removal.line_id in lines for removal in one.decision.removed
    )


def _by_reason(decided: Sequence[Decided], short: Sequence[Order]) -> dict[str, list[Order]]:
    """Orders that are short, by what keeps their lines from going: what somebody must put right first, then
    stock, else the limit that left out most warehouses."""
    wanted = {order.pk for order in short}
    found: dict[str, list[Order]] = {}
    for one in decided:
        if one.order.pk in wanted:
            lines = {None, *(shortage.line_id for shortage in one.decision.shortages)}
            codes = [removal.code for removal in one.decision.removed if removal.line_id in lines]
            codes += ["refused_before"] * len(one.offer.refused)
            named = [code for code in FIRST_REASONS if code in codes]
            reason = (
                named[0]
                if named
                else "out_of_stock"
                if not codes
                else max(sorted(set(codes)), key=codes.count)
            )
            found.setdefault(reason, []).append(one.order)
    return found

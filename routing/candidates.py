"""What a decision looks at: stock, capacity, lanes, prices and refusals of a batch, in a constant number
of queries.

The snapshot is decided on in memory, oldest order first, and every decision takes its units and parcels
from it, so a batch does not oversubscribe itself. The database has the last word when stock is reserved.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache

from django.db.models import F, Q

from carbon.consignments import lane_inputs
from carbon.defaults import lane_for
from carbon.estimate import EstimateError, LaneIntensity
from carbon.factors import loading as factors
from orderhub.fulfillment import rates
from orderhub.fulfillment.models import FulfillmentOrder, RateCard
from orderhub.fulfillment.models.fulfillment import State
from orderhub.fulfillment.rates import Destination, LaneOption
from orderhub.inventory.models import Stock, Warehouse
from orderhub.kernel import regions
from orderhub.orders.models import Order, OrderLine
from routing import customs, levies, making, scarcity
from routing.customs import Borders
from routing.engine.model import ZERO, Lane, Need, Node, PlannedParcel, Request
from routing.load import Load, loads, shared_price
from routing.making import Made, Making
from routing.pricing import bans, books, levers
from routing.pricing.books import Book
from routing.returns import reverse
from routing.returns.rates import Rates
from routing.returns.rates import read as read_returns

# Packaging the freight of a parcel is reckoned with: the default carton of the carbon app.
PACKAGING_GRAMS = 150
SPEED = {"economy": 0, "standard": 1, "express": 2, "next_day": 2, "same_day": 3}
NO_CARBON = LaneIntensity(Decimal(0), Decimal(0))


@dataclass(slots=True)
class Site:
    """One warehouse as the batch has left it so far."""

    warehouse: Warehouse
    stock: dict[int, int]
    load: Load
    banned: frozenset[int] = frozenset()
    is_frozen: bool = False
    making: Making | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """What the orders that are looked at hold already, free for them: units by (warehouse, SKU), parcel slots
    by (warehouse, local day)."""

    units: Mapping[tuple[int, int], int]
    slots: Mapping[tuple[int, date], int]


NOTHING_HELD = Held({}, {})
NO_SKUS: frozenset[int] = frozenset()


@dataclass(slots=True)
class Offer:
    """What one order may choose from, with the lane behind every engine lane and what the operator should
    know; `made` is what factories would make of it, by warehouse."""

    request: Request
    nodes: list[Node]
    options: dict[tuple[int, str], LaneOption]
    warehouses: dict[int, Warehouse]
    names_en: dict[int, str]
    refused: set[int]
    notes: list[str]
    made: Mapping[int, Made] = field(default_factory=dict)

    def made_lines(self, parcel: PlannedParcel) -> frozenset[int]:
        """The order lines of a parcel that its factory makes, and takes from no shelf."""
        made = self.made.get(parcel.node_id)
        if made is None:
            return frozenset()
        lines = {need.line_id for need in self.request.needs if need.sku_id in made.skus}
        return frozenset(piece.line_id for piece in parcel.pieces) & lines


@dataclass(slots=True)
class Snapshot:
    """Everything the orders of one batch compete for."""

    now: datetime
    sites: dict[int, list[Site]]
    lanes: rates.Lanes
    refused: dict[int, dict[int, int]]
    books: Mapping[int, Book]
    borders: Borders = field(default_factory=Borders)
    returns: Rates = field(default_factory=Rates)
    duties: levies.Duties = levies.NOTHING
    _reverse: dict[Destination, dict[tuple[int, int, int], Decimal]] = field(default_factory=dict)
    _engine_lanes: dict[tuple[int, Destination, bool], list[tuple[Lane, LaneOption]]] = field(
        default_factory=dict
    )
    _no_carbon: set[int] = field(default_factory=set)

    def offer(self, order: Order, lines: Sequence[OrderLine], *, ask_again: bool = False) -> Offer:
        """The request and the nodes of one order, reflecting what earlier orders of the batch took.

        A warehouse that refused the order is left out; with `ask_again`, only one that refused it twice.
        """
        least = 2 if ask_again else 1
        refused_ids = {pk for pk, times in self.refused.get(order.pk, {}).items() if times >= least}
        sites = self.sites.get(order.merchant_id, [])
        usable = [site for site in sites if site.warehouse.pk not in refused_ids]
        notes = []
        if order.only_at_id is not None and order.only_at_id not in self.refused.get(order.pk, {}):
            # A person chose the place; should it refuse, routing is free again.
            usable = [site for site in usable if site.warehouse.pk == order.only_at_id]
            notes.append("moved_by_hand")
        priced = {site.warehouse.pk: self._priced(site.warehouse, order) for site in usable}
        fitting = {key: [pair for pair in pairs if _fits(order, pair[1])] for key, pairs in priced.items()}
        if not any(fitting.values()) and any(priced.values()):
            fitting = priced
            notes.append("service_not_offered")
        book = self.books.get(order.merchant_id)
        if (note := scarcity.note(book, [line.sku_id for line in lines])) is not None:
            notes.append(note)
        if self._no_carbon & {site.warehouse.pk for site in usable}:
            notes.append("carbon_unknown")
        reaching = [site.warehouse for site in usable if fitting[site.warehouse.pk]]
        request, said = self.duties.onto(_request(order, lines, now=self.now), order, lines, reaching)
        notes += said
        prices = scarcity.Prices(book, request.needs, sites)
        shared = shared_price([site.load for site in sites])
        made = {
            site.warehouse.pk: found
            for site in usable
            if site.making and (found := site.making.made(request.needs, site.stock, site.load))
        }
        place = destination(order)
        risky = [
            (line, line.open + line.backordered, share)
            for line in lines
            if line.sku.grams and (share := self.returns.of(line.sku))
        ]
        reverse_of = self._reverse.setdefault(place, {})
        return Offer(
            request=request,
            nodes=[
                _node(
                    site,
                    order,
                    [lane for lane, _ in fitting[site.warehouse.pk]],
                    prices.at(site),
                    shared,
                    made=made.get(site.warehouse.pk),
                    customs=self.borders.of(site.warehouse, order.country),
                    return_risk=self._risks(site, place, risky, reverse_of) if risky else {},
                )
                for site in usable
            ],
            options={
                (key, option.card.code): option for key, pairs in fitting.items() for _, option in pairs
            },
            warehouses={site.warehouse.pk: site.warehouse for site in sites},
            names_en={site.warehouse.pk: site.warehouse.name_en or site.warehouse.name for site in sites},
            refused=refused_ids & {site.warehouse.pk for site in sites},
            notes=notes,
            made=made,
        )

    def take(self, offer: Offer, order: Order, parcels: Iterable[PlannedParcel]) -> None:
        """Leave the units, the parcel slots and the work of a plan out of what later orders see."""
        by_id = {site.warehouse.pk: site for site in self.sites[order.merchant_id]}
        sku_of = {need.line_id: need.sku_id for need in offer.request.needs}
        for parcel in parcels:
            site, made = by_id[parcel.node_id], offer.made_lines(parcel)
            site.load.take(1)
            for piece in parcel.pieces:
                if piece.line_id in made:
                    site.load.make(offer.made[parcel.node_id].day, piece.quantity)
                else:
                    site.stock[sku_of[piece.line_id]] -= piece.quantity

    def site(self, order: Order, warehouse_id: int) -> Site:
        """The site of one warehouse of the order's merchant."""
        return next(s for s in self.sites[order.merchant_id] if s.warehouse.pk == warehouse_id)

    def _risks(
        self,
        site: Site,
        place: Destination,
        risky: Sequence[tuple[OrderLine, int, Decimal]],
        known: dict[tuple[int, int, int], Decimal],
    ) -> dict[int, Decimal]:
        """What returns of these lines (with units and share) are expected to cost, by line; only of goods it has.

        `known` are those of the same place, by warehouse, SKU and units.
        """
        found = {}
        made = site.making.skus if site.making is not None else NO_SKUS
        warehouse_id = site.warehouse.pk
        for line, units, share in risky:
            sku_id = line.sku_id
            if not site.stock.get(sku_id) and sku_id not in made:
                continue
            key = warehouse_id, sku_id, units
            if key not in known:
                options = self.lanes.get((warehouse_id, place), ())
                grams = units * line.sku.grams + PACKAGING_GRAMS
                known[key] = reverse.risk(share, reverse.cost(options, site.warehouse, grams=grams))
            if known[key]:
                found[line.pk] = known[key]
        return found

    def _priced(self, warehouse: Warehouse, order: Order) -> list[tuple[Lane, LaneOption]]:
        place = destination(order)
        key = (warehouse.pk, place, order.green)
        if key not in self._engine_lanes:
            options = self.lanes.get((warehouse.pk, place), ())
            self._engine_lanes[key] = [(self._lane(warehouse, order, o), o) for o in options]
        return self._engine_lanes[key]

    def _lane(self, warehouse: Warehouse, order: Order, option: LaneOption) -> Lane:
        try:
            carbon = lane_for(**lane_inputs(order, warehouse, option.card))
        except EstimateError:
            carbon = NO_CARBON
            self._no_carbon.add(warehouse.pk)
        zone = option.zone
        return Lane(
            carrier=option.card.code,
            service=option.card.service,
            zone=zone.name,
            first_grams=zone.first_grams,
            first_fee=zone.first_fee,
            step_grams=zone.step_grams,
            step_fee=zone.step_fee,
            hours=option.hours,
            distance_km=option.distance_km,
            max_grams=option.card.max_grams,
            parcel_grams=PACKAGING_GRAMS,
            kgco2e_per_kg=carbon.kgco2e_per_kg,
            # The carbon line starts at zero goods, the engine's at zero goods and packaging.
            kgco2e_per_parcel=carbon.kgco2e_per_parcel - carbon.kgco2e_per_kg * PACKAGING_GRAMS / 1000,
        )


def destination(order: Order) -> Destination:
    """Where an order goes, by city."""
    return Destination(
        order.country, order.province, order.city, order.latitude, order.longitude, order.is_remote
    )


@dataclass(frozen=True, slots=True)
class Network:
    """What changes seldom: the active warehouses of some merchants and their rate cards with zones."""

    warehouses: list[Warehouse]
    cards: dict[int, list[RateCard]]


def read_network(merchant_ids: Iterable[int]) -> Network:
    """The network of these merchants: four queries."""
    ids = set(merchant_ids)
    rows = Warehouse.objects.filter(merchant_id__in=ids, is_active=True).select_related("workshop")
    warehouses = list(rows.order_by("pk"))
    return Network(warehouses, rates.cards_of(ids))


def take_snapshot(
    orders: Sequence[Order],
    lines: Iterable[OrderLine],
    *,
    now: datetime,
    held: Held = NOTHING_HELD,
    network: Network | None = None,
    is_making: bool = True,
) -> Snapshot:
    """Read what a batch competes for: eleven queries, whatever its size, seven if the `network` is at hand, one
    more where a factory makes to order, one (and up to three for duty) where a border lies between, and two more the
    first time with a new price book.

    What is `held` counts as free. Without `is_making` factories have only what lies on their shelves.
    """
    factors.soon()
    sku_ids = {line.sku_id for line in lines}
    if network is None:
        network = read_network(order.merchant_id for order in orders)
    warehouses = network.warehouses
    stock = _sellable(sku_ids, warehouses, held.units)
    merchant_ids = {warehouse.merchant_id for warehouse in warehouses}
    book_of = books.in_force(merchant_ids, sku_ids, now=now)
    levers_of = levers.held([warehouse.pk for warehouse in warehouses], now=now)
    slots = {merchant_id: book.slots for merchant_id, book in book_of.items()}
    load = loads(warehouses, now=now, levers=levers_of, slots=slots)
    banned = bans.in_force(merchant_ids, sku_ids, now=now)
    for (warehouse_id, day), parcels in held.slots.items():
        if warehouse_id in load:
            load[warehouse_id].free(day, parcels)
    made = making.read(warehouses, sku_ids) if is_making else {}
    sites: dict[int, list[Site]] = {}
    for warehouse in warehouses:
        site = Site(
            warehouse,
            stock[warehouse.pk],
            load[warehouse.pk],
            banned.get(warehouse.pk, frozenset()),
            # The freeze of a lever is the warehouse's own, which a `network` at hand may not know yet.
            warehouse.is_frozen or levers_of.get(warehouse.pk, levers.NOTHING).is_frozen,
            made.get(warehouse.pk),
        )
        sites.setdefault(warehouse.merchant_id, []).append(site)
    lanes = rates.lanes(warehouses, map(destination, orders), cards=network.cards)
    return Snapshot(
        now=now,
        sites=sites,
        lanes=lanes,
        refused=refused_warehouses([order.pk for order in orders if order.pk > 0]),
        books=book_of,
        borders=customs.read(warehouses, orders),
        returns=read_returns(merchant_ids, sku_ids),
        duties=levies.read(orders, sku_ids, warehouses, lanes, now=now),
    )


def refused_warehouses(order_ids: Sequence[int]) -> dict[int, dict[int, int]]:
    """How often which warehouses refused an order or could not pick all of it."""
    rows = FulfillmentOrder.objects.filter(order_id__in=order_ids).filter(
        Q(state=State.REJECTED) | ~Q(refusal="")
    )
    found: dict[int, dict[int, int]] = {}
    for order_id, warehouse_id in rows.values_list("order_id", "warehouse_id"):
        times = found.setdefault(order_id, {})
        times[warehouse_id] = times.get(warehouse_id, 0) + 1
    return found


def _sellable(
    sku_ids: Iterable[int], warehouses: Sequence[Warehouse], held: Mapping[tuple[int, int], int]
) -> dict[int, dict[int, int]]:
    found: dict[int, dict[int, int]] = {warehouse.pk: {} for warehouse in warehouses}
    rows = Stock.objects.filter(sku_id__in=set(sku_ids), warehouse__in=found).annotate(
        sellable=F("on_hand") - F("reserved") - F("safety")
    )
    for warehouse_id, sku_id, sellable in rows.values_list("warehouse_id", "sku_id", "sellable"):
        found[warehouse_id][sku_id] = max(sellable + held.get((warehouse_id, sku_id), 0), 0)
    return found


def _request(order: Order, lines: Sequence[OrderLine], *, now: datetime) -> Request:
    needs = tuple(
        Need(
            line_id=line.pk,
            sku_id=line.sku_id,
            sku_code=line.sku.code,
            quantity=line.open + line.backordered,
            grams_each=line.sku.grams or None,
            traits=frozenset(line.sku.traits),
            cm3_each=line.sku.volume_cm3,
        )
        for line in lines
    )
    hours = None
    if order.promised_at is not None and order.promised_at > now:
        hours = Decimal(int((order.promised_at - now).total_seconds())) / 3600
    return Request(order.pk, needs, order.is_remote, hours, country=order.country)


def _node(
    site: Site,
    order: Order,
    lanes: Sequence[Lane],
    prices: Mapping[int, tuple[Decimal, ...]],
    shared: Decimal,
    *,
    made: Made | None,
    customs: frozenset[str] | None,
    return_risk: Mapping[int, Decimal],
) -> Node:
    warehouse = site.warehouse
    if made is not None:  # what is made is taken from no shelf, so nothing there gets scarcer
        prices = {sku_id: curve for sku_id, curve in prices.items() if sku_id not in made.skus}
    return Node(
        id=warehouse.pk,
        code=warehouse.code,
        name=warehouse.name,
        kind=warehouse.kind,
        stock=site.stock,
        lanes=tuple(lanes),
        capacity_left=site.load.left,
        frozen=site.is_frozen,
        accepts=frozenset(warehouse.accepts),
        banned_skus=site.banned,
        handling_per_parcel=warehouse.handling_per_parcel,
        handling_per_line=warehouse.handling_per_line,
        stock_price=prices,
        capacity_price=site.load.price + shared,
        serves_region=_serves(warehouse, order),
        cutoff_wait_hours=site.load.wait_hours,
        makes=made.skus if made else frozenset(),
        make_left=made.left if made else None,
        make_hours=made.hours if made else ZERO,
        country=warehouse.country,
        customs=customs,
        return_risk=return_risk,
    )


@lru_cache(maxsize=4096)
def _province(country: str, name: str) -> str:
    """The code of a province however it is written; unknown ones stand for themselves."""
    found = regions.find_province(country, name)
    return found.code if found else name


def _serves(warehouse: Warehouse, order: Order) -> bool:
    """Whether the order's province is one this warehouse serves first."""
    if warehouse.country != order.country:
        return False
    wanted = _province(order.country, order.province)
    return any(_province(warehouse.country, name) == wanted for name in warehouse.serves_provinces)


def _fits(order: Order, option: LaneOption) -> bool:
    """Whether a service is quick enough for what the order asked; green orders may also go slowly."""
    asked = 0 if order.green else SPEED.get(order.service, 1)
    return SPEED.get(option.card.service, 1) >= asked

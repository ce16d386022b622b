"""What a shop may promise a cart: the router's own decision for each way of delivery, and nothing written.

A quote sees what the next order would see: stock, load, lanes and prices, through the same candidates and the
same engine. What it keeps to itself is where the goods lie.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal
from typing import Any

from django.db.models import F

from orderhub.fulfillment import rates
from orderhub.inventory.models import ExpectedReceipt, Sku, Warehouse
from orderhub.orders.models import Order, OrderLine
from routing import candidates, services, strategies
from routing.candidates import Offer, Snapshot
from routing.engine import model
from routing.engine.decide import decide
from routing.promise import greener, network
from routing.promise.places import Spot

OPTIONS = ("standard", "express", "green", "pick_up")
VALID_MINUTES = 15
#: A store farther away than this is none to fetch goods from.
PICK_UP_KM = Decimal(60)
PICK_UP_HOURS = services.HANDLING_HOURS
CENT, GRAM = Decimal("0.01"), Decimal("0.001")


@dataclass(frozen=True, slots=True)
class Cart:
    """What is asked: units by SKU, where to, in which channel (0: none), and when."""

    merchant_id: int
    units: Mapping[Sku, int]
    spot: Spot
    now: datetime
    channel_id: int = 0


@dataclass(frozen=True, slots=True)
class Store:
    """Where goods can be fetched: a shop that is open to the public anyway, without its name or number."""

    city: str
    address: str
    distance_km: Decimal


@dataclass(frozen=True, slots=True)
class Option:
    """One way of delivery: from–to are local dates at the destination, price is freight in `currency`.

    Without a plan `reason` says why, `short` lists missing units by SKU code, and `earliest` is the local date
    from which expected receipts would allow it.
    """

    option: str
    expires_at: datetime
    arrives_from: Any = None
    arrives_to: Any = None
    price: Decimal | None = None
    currency: str = ""
    kgco2e: Decimal | None = None
    saving: Mapping[str, Any] | None = None
    houses: tuple[int, ...] = ()
    parcels: int = 0
    store: Store | None = None
    reason: str = ""
    short: Mapping[str, int] = field(default_factory=dict)
    earliest: Any = None

    @property
    def is_available(self) -> bool:
        """Whether it can be promised."""
        return not self.reason


def quote(cart: Cart, wanted: Sequence[str] = OPTIONS) -> list[Option]:
    """The options of a cart in the order of `OPTIONS`; reads only."""
    kinds = [name for name in OPTIONS if name in wanted]
    lines = _lines(cart)
    orders = {name: _order(cart, name) for name in kinds if name != "pick_up"}
    first = next(iter(orders.values()), None) or _order(cart, "standard")
    kept = network.of_merchant(cart.merchant_id)
    snapshot = candidates.take_snapshot([first], lines, now=cart.now, network=kept.network)
    rates_of = _strategies(cart, orders, lines, kept.shelf)
    found = []
    for name in kinds:
        if name == "pick_up":
            found.append(_pick_up(cart, snapshot))
        else:
            found.append(_delivered(cart, name, snapshot.offer(orders[name], lines), rates_of[name]))
    found = greener.with_saving(found, cart)
    if any(option.reason == "out_of_stock" for option in found):
        return _with_receipts(cart, found)
    return found


# ---- what the router is shown --------------------------------------------------------------------


def _lines(cart: Cart) -> list[OrderLine]:
    return [
        OrderLine(
            pk=number, position=number, sku=sku, name=sku.name, ordered=units, open=units, line_total=sku.price * units
        )
        for number, (sku, units) in enumerate(cart.units.items(), 1)
    ]  # fmt: skip


def _order(cart: Cart, option: str) -> Order:
    """The order this cart would become; it is never saved."""
    spot = cart.spot
    order = Order(
        merchant_id=cart.merchant_id, placed_at=cart.now, country=spot.country, province=spot.province,
        city=spot.city, latitude=spot.latitude, longitude=spot.longitude, is_remote=spot.is_remote,
        service="express" if option == "express" else "standard", green=option == "green",
        currency=next(iter(cart.units)).currency,
    )  # fmt: skip
    order.pk = -1 - OPTIONS.index(option)  # no order has it: nobody refused it yet
    order.channel_id = cart.channel_id
    return order


def _strategies(
    cart: Cart,
    orders: Mapping[str, Order],
    lines: Sequence[OrderLine],
    shelf: strategies.Shelf,
) -> dict[str, model.Strategy]:
    """The strategy in force for each option; a merchant without any is quoted with the ready-made ones."""
    if not orders:
        return {}
    if cart.merchant_id in shelf.newest:
        chosen = strategies.choose(
            list(orders.values()),
            now=cart.now,
            lines={order.pk: lines for order in orders.values()},
            shelf=shelf,
        )
        return {name: strategies.rates(chosen[order.pk]) for name, order in orders.items()}
    return {
        name: next(
            strategies.rates_of({**preset.values, "code": preset.code})
            for preset in strategies.PRESETS
            if (preset.for_green if order.green else preset.is_default)
        )
        for name, order in orders.items()
    }


# ---- one option ----------------------------------------------------------------------------------


def _delivered(cart: Cart, name: str, offer: Offer, strategy: model.Strategy) -> Option:
    expires_at = cart.now + timedelta(minutes=VALID_MINUTES)
    if "service_not_offered" in offer.notes:
        return Option(name, expires_at, reason="service_not_offered")
    decision = decide(offer.request, offer.nodes, strategy)
    plan = decision.plan
    if plan is None or decision.status != "routed":
        codes = {need.line_id: need.sku_code for need in offer.request.needs}
        short = {codes[row.line_id]: row.quantity for row in decision.shortages}
        return Option(name, expires_at, reason=_reason(decision), short=short)
    latest = services.PROMISE_MARGIN * plan.hours + services.HANDLING_HOURS
    cards = [offer.options[parcel.node_id, parcel.carrier].card for parcel in plan.parcels]
    currencies = {card.currency for card in cards}
    freight = sum((parcel.terms["freight"] for parcel in plan.parcels), Decimal(0))
    houses = [offer.warehouses[parcel.node_id] for parcel in plan.parcels]
    return Option(
        name,
        _expiry(cart, houses),
        arrives_from=_date(cart, min(parcel.hours for parcel in plan.parcels)),
        arrives_to=_date(cart, latest),
        price=freight.quantize(CENT, ROUND_HALF_UP) if len(currencies) == 1 else None,
        currency=currencies.pop() if len(currencies) == 1 else "",
        kgco2e=plan.kgco2e.quantize(GRAM, ROUND_HALF_UP),
        parcels=len(plan.parcels),
        houses=tuple(house.pk for house in houses),
    )


def _reason(decision: model.Decision) -> str:
    """Why no plan sends everything: stock is named first, else the limit that left out most places."""
    codes = [removal.code for removal in decision.removed]
    if "out_of_stock" in codes or not codes:
        return "out_of_stock"
    return max(sorted(set(codes)), key=codes.count)


def _date(cart: Cart, hours: Decimal) -> Any:
    seconds = int((hours * 3600).to_integral_value(ROUND_CEILING))
    return cart.spot.local(cart.now + timedelta(seconds=seconds)).date()


def _expiry(cart: Cart, houses: Sequence[Warehouse]) -> datetime:
    """A quarter of an hour, but not beyond a cut-off the dates were reckoned with."""
    return min(
        cart.now + timedelta(minutes=VALID_MINUTES),
        *(network.next_cutoff(house, now=cart.now) for house in houses),
    )


def _pick_up(cart: Cart, snapshot: Snapshot) -> Option:
    """The nearest store in reach that holds everything; else why there is none."""
    expires_at = cart.now + timedelta(minutes=VALID_MINUTES)
    stores = [site for site in snapshot.sites.get(cart.merchant_id, []) if _is_store(site.warehouse)]
    near = [(km, site) for site in stores if (km := _km(cart, site.warehouse)) <= PICK_UP_KM]
    if not near:
        return Option("pick_up", expires_at, reason="no_store_near" if stores else "no_store")
    wants = {sku.pk: units for sku, units in cart.units.items()}
    traits = {trait for sku in cart.units for trait in sku.traits}
    holding = [
        (km, site.warehouse.pk, site.warehouse)
        for km, site in near
        if traits <= set(site.warehouse.accepts)
        and all(site.stock.get(sku, 0) >= units for sku, units in wants.items())
    ]
    if not holding:
        return Option("pick_up", expires_at, reason="store_out_of_stock")
    km, _pk, house = min(holding, key=lambda row: row[:2])
    return Option(
        "pick_up",
        _expiry(cart, [house]),
        arrives_from=_date(cart, PICK_UP_HOURS),
        arrives_to=_date(cart, PICK_UP_HOURS * services.PROMISE_MARGIN + 24),
        price=Decimal("0.00"),
        currency=next(iter(cart.units)).currency,
        kgco2e=Decimal("0.000"),
        parcels=1,
        store=Store(house.city, house.address, km.quantize(Decimal("0.1"))),
    )


def _is_store(house: Warehouse) -> bool:
    return house.kind == Warehouse.Kind.STORE and not house.is_frozen


def _km(cart: Cart, house: Warehouse) -> Decimal:
    return rates.great_circle_km(house.latitude, house.longitude, cart.spot.latitude, cart.spot.longitude)


# ---- when it could be --------------------------------------------------------------------------


def _with_receipts(cart: Cart, found: Sequence[Option]) -> list[Option]:
    """The earliest local date of options that lack stock, where expected receipts cover what is missing."""
    skus = {sku.code: sku.pk for sku in cart.units}
    missing = {skus[code] for option in found for code in option.short}
    coming: dict[int, list[tuple[datetime, int]]] = {}
    rows = ExpectedReceipt.objects.filter(
        merchant_id=cart.merchant_id, sku_id__in=missing, arrived_at__isnull=True, warehouse__is_active=True,
        warehouse__is_frozen=False, units__gt=F("came"),
    ).order_by("expected_at")  # fmt: skip
    for sku_id, moment, units in rows.values_list("sku_id", "expected_at", F("units") - F("came")):
        coming.setdefault(sku_id, []).append((max(moment, cart.now), units))
    return [_expecting(cart, option, coming, skus) for option in found]


def _expecting(
    cart: Cart,
    option: Option,
    coming: Mapping[int, Sequence[tuple[datetime, int]]],
    skus: Mapping[str, int],
) -> Option:
    if option.reason != "out_of_stock" or not option.short:
        return option
    moments = [_covered(coming.get(skus[code], ()), units) for code, units in option.short.items()]
    if any(moment is None for moment in moments):
        return option
    there = max(moment for moment in moments if moment is not None)
    earliest = cart.spot.local(there + timedelta(hours=float(services.HANDLING_HOURS))).date()
    return Option(
        option.option, option.expires_at, reason=option.reason, short=option.short, earliest=earliest
    )


def _covered(rows: Sequence[tuple[datetime, int]], units: int) -> datetime | None:
    """When so many units will have come; None if they are not expected."""
    for moment, count in rows:
        units -= count
        if units <= 0:
            return moment
    return None

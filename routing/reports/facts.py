"""What became of each order of a period, read in pages: its decision in force with its parcels in yuan, hours and
kg CO2e, whether it went by itself, from nearby, whole, in time. Reads only; money stays Decimal to the last digit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Q

from orderhub.fulfillment.models import FulfillmentOrder, RateCard
from orderhub.fulfillment.models.fulfillment import State
from orderhub.inventory.models import Warehouse
from orderhub.kernel.geo import haversine_km
from orderhub.orders.models import Hold, Order, OrderLine
from orderhub.orders.models.order import Stage
from routing.models import Decision, StrategyVersion
from routing.pricing.demand import region_of

PAGE = 1000
ZERO = Decimal(0)
#: Terms of a parcel that are paid; the others weigh time, carbon and scarcity.
PAID = ("freight", "handling", "duty", "return_risk")
#: Orders nothing is sent for.
GONE = (Stage.CANCELLED, Stage.MERGED)
_DEAD = (State.REJECTED, State.CANCELLED)
_PERSON = "user:"


@dataclass(frozen=True, slots=True)
class Sent:
    """One parcel of a plan: yuan paid, hours to the door, kg CO2e, grams, units by SKU."""

    warehouse_id: int
    card: str
    cost: Decimal
    hours: Decimal
    kgco2e: Decimal
    grams: int
    units: Mapping[int, int]
    is_local: bool
    #: Hours from the making of its fulfillment order to the door, as planned and as they were; None before that.
    planned_hours: Decimal | None = None
    real_hours: Decimal | None = None


@dataclass(frozen=True, slots=True)
class OrderFact:
    """One order of the period with its decision in force; `late` None: it was not promised, or cannot be judged yet."""

    order_id: int
    day: date
    channel_id: int
    region: str
    is_remote: bool
    strategy_id: int
    status: str
    #: Yuan by term over its parcels, the split included.
    terms: Mapping[str, Decimal]
    total: Decimal
    hours: Decimal
    kgco2e: Decimal
    sent: Sequence[Sent]
    is_automatic: bool
    late: bool | None
    nearest_id: int | None
    #: Units by SKU that were asked for; SKUs the nearest warehouse had too few of.
    wanted: Mapping[int, int] = field(default_factory=dict)
    missing: frozenset[int] = frozenset()

    @property
    def cost(self) -> Decimal:
        """Yuan paid."""
        return sum((parcel.cost for parcel in self.sent), ZERO)

    @property
    def is_split(self) -> bool:
        """Whether it went in several parcels."""
        return len(self.sent) > 1

    @property
    def is_local(self) -> bool:
        """Whether all of it came from warehouses of its own region."""
        return all(parcel.is_local for parcel in self.sent)

    @property
    def grams(self) -> int:
        """Of all parcels."""
        return sum(parcel.grams for parcel in self.sent)


@dataclass(slots=True)
class Reader:
    """Reads the facts of one merchant; `as_of` is the moment lateness is judged at."""

    merchant_id: int
    zone: ZoneInfo
    as_of: datetime
    warehouses: dict[int, Warehouse] = field(init=False)
    _regions: dict[int, frozenset[str]] = field(init=False)
    _strategies: dict[int, int] = field(init=False)
    _cards: dict[int, str] = field(init=False)
    _nearest: dict[tuple[Decimal, Decimal, str], int | None] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        rows = Warehouse.objects.filter(merchant_id=self.merchant_id)
        self.warehouses = {row.pk: row for row in rows}
        self._regions = {pk: local_regions(row) for pk, row in self.warehouses.items()}
        versions = StrategyVersion.objects.filter(strategy__merchant_id=self.merchant_id)
        self._strategies = dict(versions.values_list("pk", "strategy_id"))
        cards = RateCard.objects.filter(merchant_id=self.merchant_id)
        self._cards = dict(cards.values_list("pk", "code"))

    def count(self, starts_at: datetime, ends_at: datetime) -> int:
        """How many orders there are to read."""
        found: int = rows_of(self.merchant_id, starts_at, ends_at).count()
        return found

    def read(self, starts_at: datetime, ends_at: datetime, *, deep: bool = True) -> Iterator[list[OrderFact]]:
        """The facts of the orders received in [starts_at, ends_at), a page at a time, by number.

        Without `deep` what was left out of the decisions is not read, a long text of each, and nothing is `missing`.
        """
        columns = (*_COLUMNS, "removed") if deep else _COLUMNS
        rows = rows_of(self.merchant_id, starts_at, ends_at).order_by("order_id").values(*columns)
        last = 0
        while True:
            page = list(rows.filter(order_id__gt=last)[:PAGE])
            if page:
                yield self._facts(page)
            if len(page) < PAGE:
                return
            last = page[-1]["order_id"]

    def nearest(self, latitude: Decimal, longitude: Decimal, country: str) -> int | None:
        """The closest warehouse of that country (of any, where it has none)."""
        key = (latitude, longitude, country)
        if key not in self._nearest:
            rows = [row for row in self.warehouses.values() if row.kind != Warehouse.Kind.DROPSHIP]
            rows = [row for row in rows if row.country == country] or rows
            at = float(latitude), float(longitude)
            closest = min(
                rows,
                key=lambda row: (haversine_km(*at, float(row.latitude), float(row.longitude)), row.pk),
                default=None,
            )
            self._nearest[key] = closest.pk if closest else None
        return self._nearest[key]

    # ---- one page ------------------------------------------------------------------------------------

    def _facts(self, page: Sequence[Mapping[str, Any]]) -> list[OrderFact]:
        ids = [row["order_id"] for row in page]
        touched, done, lines = _by_hand(ids), _fulfillments(ids), _lines(ids)
        return [
            self._fact(row, touched, done.get(row["order_id"], []), lines.get(row["order_id"], {}))
            for row in page
        ]

    def _fact(
        self,
        row: Mapping[str, Any],
        touched: set[int],
        done: list[_Done],
        lines: Mapping[int, tuple[int, int]],
    ) -> OrderFact:
        plan = row["plan"] or {"parcels": (), "hours": "0", "kgco2e": "0", "terms": {}}
        region = region_of(row["order__country"], row["order__province"])
        by_place = {(one.warehouse_id, self._cards.get(one.card_id, "")): one for one in done}
        sent = [self._sent(parcel, region, lines, by_place) for parcel in plan["parcels"]]
        nearest = self.nearest(row["order__latitude"], row["order__longitude"], row["order__country"])
        wanted: dict[int, int] = {}
        for sku_id, units in lines.values():
            wanted[sku_id] = wanted.get(sku_id, 0) + units
        refused = any(one.state in _DEAD and one.is_refused for one in done)
        is_own = row["status"] == "routed" and row["order_id"] not in touched and not refused
        return OrderFact(
            order_id=row["order_id"], day=row["order__received_at"].astimezone(self.zone).date(),
            channel_id=row["order__channel_id"], region=region, is_remote=row["order__is_remote"],
            strategy_id=self._strategies.get(row["strategy_id"], 0), status=row["status"],
            terms={name: Decimal(yuan) for name, yuan in plan["terms"].items()},
            total=row["total"] or ZERO, hours=Decimal(plan["hours"]), kgco2e=Decimal(plan["kgco2e"]), sent=sent,
            is_automatic=is_own and row["order__only_at_id"] is None,
            late=self._late(row["order__promised_at"], done),
            nearest_id=nearest, wanted=wanted, missing=_missing(row.get("removed", ()), nearest, lines),
        )  # fmt: skip

    def _sent(
        self,
        parcel: Mapping[str, Any],
        region: str,
        lines: Mapping[int, tuple[int, int]],
        done: Mapping[tuple[int, str], _Done],
    ) -> Sent:
        units: dict[int, int] = {}
        for piece in parcel.get("pieces", ()):
            sku_id = lines.get(piece["line_id"], (0, 0))[0]
            units[sku_id] = units.get(sku_id, 0) + int(piece["quantity"])
        house, terms = parcel["warehouse_id"], parcel["terms"]
        own = done.get((house, parcel["card"]))
        return Sent(
            warehouse_id=house, card=parcel["card"],
            cost=sum((Decimal(terms[name]) for name in PAID if name in terms), ZERO),
            hours=Decimal(parcel["hours"]), kgco2e=Decimal(parcel["kgco2e"]), grams=int(parcel["grams"]),
            units=units, is_local=region in self._regions.get(house, ()),
            planned_hours=own.planned_hours if own and own.real_hours is not None else None,
            real_hours=own.real_hours if own else None,
        )  # fmt: skip

    def _late(self, promised_at: datetime | None, done: Sequence[_Done]) -> bool | None:
        living = [one for one in done if one.state not in _DEAD]
        if promised_at is None or not living:
            return None
        moments = [one.delivered_at for one in living]
        arrived = max(at for at in moments if at) if all(moments) else None
        if arrived is not None and arrived <= self.as_of:
            return arrived > promised_at
        return True if promised_at < self.as_of else None


def rows_of(merchant_id: int, starts_at: datetime, ends_at: datetime) -> Any:
    """The decisions in force of the orders a report counts: received in the period, neither cancelled nor merged."""
    return Decision.objects.filter(
        merchant_id=merchant_id, superseded_at__isnull=True,
        order__received_at__gte=starts_at, order__received_at__lt=ends_at,
    ).exclude(order__stage__in=GONE)  # fmt: skip


def undecided(merchant_id: int, starts_at: datetime, ends_at: datetime) -> int:
    """Orders of the period that no decision was made on: held back, or waiting to be paid."""
    rows = Order.objects.filter(
        merchant_id=merchant_id, received_at__gte=starts_at, received_at__lt=ends_at
    ).exclude(stage__in=GONE)
    return rows.exclude(pk__in=rows_of(merchant_id, starts_at, ends_at).values("order_id")).count()


def local_regions(warehouse: Warehouse) -> frozenset[str]:
    """The regions a warehouse is local to: its own province and those it serves first."""
    names = [warehouse.province, *warehouse.serves_provinces]
    return frozenset(region_of(warehouse.country, name) for name in names)


_COLUMNS = (
    "order_id", "strategy_id", "status", "total", "plan", "order__received_at", "order__channel_id",
    "order__country", "order__province", "order__latitude", "order__longitude", "order__is_remote",
    "order__promised_at", "order__only_at_id",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Done:
    """What a warehouse did of an order."""

    warehouse_id: int
    card_id: int
    state: str
    is_refused: bool
    created_at: datetime
    delivered_at: datetime | None
    planned_hours: Decimal

    @property
    def real_hours(self) -> Decimal | None:
        """From when it was made to the door."""
        if self.delivered_at is None:
            return None
        seconds = (self.delivered_at - self.created_at).total_seconds()
        return Decimal(round(seconds * 100 / 3600)) / 100


def _fulfillments(ids: Sequence[int]) -> dict[int, list[_Done]]:
    columns = (
        "order_id", "warehouse_id", "rate_card_id", "state", "refusal", "created_at", "delivered_at",
        "planned_hours",
    )  # fmt: skip
    found: dict[int, list[_Done]] = {}
    rows = FulfillmentOrder.objects.filter(order_id__in=ids).order_by("pk").values_list(*columns)
    for order_id, house, card, state, refusal, made, arrived, hours in rows:
        is_refused = state == State.REJECTED or bool(refusal)
        found.setdefault(order_id, []).append(_Done(house, card, state, is_refused, made, arrived, hours))
    return found


def _lines(ids: Sequence[int]) -> dict[int, dict[int, tuple[int, int]]]:
    """By order and line: SKU and units."""
    found: dict[int, dict[int, tuple[int, int]]] = {}
    rows = OrderLine.objects.filter(order_id__in=ids).values_list("order_id", "pk", "sku_id", "ordered")
    for order_id, pk, sku_id, units in rows:
        found.setdefault(order_id, {})[pk] = (sku_id, units)
    return found


def _by_hand(ids: Sequence[int]) -> set[int]:
    """Orders a person put on hold, or had to let go."""
    rows = Hold.objects.filter(order_id__in=ids).filter(
        Q(placed_by__startswith=_PERSON) | Q(released_by__startswith=_PERSON) | Q(released_at=None)
    )
    return set(rows.values_list("order_id", flat=True))


def _missing(
    removed: Iterable[Mapping[str, Any]], nearest: int | None, lines: Mapping[int, tuple[int, int]]
) -> frozenset[int]:
    return frozenset(
        lines[row["line_id"]][0]
        for row in removed
        if row["reason"] == "out_of_stock"
        and row.get("warehouse_id") == nearest
        and row.get("line_id") in lines
    )


@lru_cache(maxsize=4096)
def kilos(grams: int) -> int:
    """The weight class of a parcel or order: whole kilograms up to ten, then wider."""
    whole = max(1, -(-grams // 1000))
    if whole <= 10:
        return whole
    return -(-whole // 5) * 5 if whole <= 30 else -(-whole // 10) * 10

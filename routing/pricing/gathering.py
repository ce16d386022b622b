"""What the prices of one merchant are calculated from: stock, demand, receipts and the money level of its tariff."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from django.db.models import F, Min, Q, Sum
from numpy.typing import NDArray

from orderhub.fulfillment import rates
from orderhub.fulfillment.rates import Destination, LaneOption
from orderhub.inventory.models import ExpectedReceipt, Sku, Stock, Warehouse
from orderhub.kernel import regions
from routing.candidates import PACKAGING_GRAMS
from routing.engine.value.demand import Demand
from routing.engine.value.prices import Floats
from routing.engine.value.tables import Costs
from routing.models import Strategy
from routing.pricing.models import DailyDemand, HourlyOrders, PriceSettings
from routing.pricing.values import Arrivals, MerchantValues

Ints = NDArray[np.int64]
WINDOW_DAYS = 28
CYCLE_DAYS = 7  # what was sold since then corrects the forecast of the days before
LEAST_UNITS = 5  # fewer units of a SKU in the window say nothing about its demand
OVERDUE = timedelta(days=2)  # a receipt later than this is not counted on any more
CLASSES = 12  # of SKUs by weight, each priced once
DROPSHIP = Warehouse.Kind.DROPSHIP


@dataclass(frozen=True, slots=True)
class Money:
    """Exchange rates of the merchant's default strategy, and what a line that must wait costs, in yuan."""

    per_hour: float
    per_hour_remote: float
    stockout: float


@dataclass(frozen=True, slots=True)
class Gathered:
    """One merchant's network in arrays: warehouses, regions and SKUs by position."""

    warehouses: list[Warehouse]
    sku_ids: list[int]
    regions: list[str]
    values: MerchantValues
    started_at: datetime
    last_change: Mapping[int, datetime]

    def moment(self, hours: float) -> datetime:
        """World hours as a moment."""
        return self.started_at + timedelta(hours=hours)


@dataclass(frozen=True, slots=True)
class Sold:
    """Units [region, sku] before the present cycle and in it, with the days they took."""

    sku_ids: list[int]
    regions: list[str]
    before: Floats
    seen: Floats
    days_before: float
    cycle_at: datetime


def gather(settings: PriceSettings, *, now: datetime) -> Gathered | None:
    """Read everything, about ten queries; None without warehouses, stock, demand or rates to price with."""
    merchant_id = settings.merchant_id
    places = list(Warehouse.objects.filter(merchant_id=merchant_id, is_active=True).order_by("pk"))
    own = [place for place in places if place.kind != DROPSHIP]
    sold = _sold(merchant_id, now=now)
    if not own or not sold.sku_ids:
        return None
    costs, able = _costs(places, sold, _money(settings))
    if costs is None:
        return None
    stock, ever, changed = _stock(own, sold.sku_ids)
    at = (now - sold.cycle_at).total_seconds() / 3600
    interval = settings.replenishment_days * 24.0
    values = MerchantValues(
        costs, _demand(merchant_id, own, sold, able, now=now),
        _arrivals(own, sold, settings, at=at, now=now), stock, ever=ever, at=at, interval_hours=interval,
    )  # fmt: skip
    kept = [region for region, is_able in zip(sold.regions, able, strict=True) if is_able]
    return Gathered(own, sold.sku_ids, kept, values, sold.cycle_at, changed)


# ---- demand --------------------------------------------------------------------------------------


def _sold(merchant_id: int, *, now: datetime) -> Sold:
    today = now.astimezone(UTC).date()
    since = today - timedelta(days=WINDOW_DAYS)
    rows = DailyDemand.objects.filter(merchant_id=merchant_id, day__gte=since, day__lte=today)
    first = rows.aggregate(first=Min("day"))["first"] or today
    span = (today - first).days
    cycle_day = today - timedelta(days=min(CYCLE_DAYS, span // 2))
    # With less than two days of demand nothing can be held against anything.
    split = cycle_day if span >= 2 else today + timedelta(days=1)
    sums = rows.values_list("sku_id", "region").annotate(
        before=Sum("units", filter=Q(day__lt=split), default=0),
        seen=Sum("units", filter=Q(day__gte=split), default=0),
    )
    found = list(sums.order_by("sku_id", "region"))
    units: dict[int, int] = {}
    for sku_id, _region, before, seen in found:
        units[sku_id] = units.get(sku_id, 0) + before + seen
    sku_ids = [sku_id for sku_id, count in units.items() if count >= LEAST_UNITS]
    names = sorted({row[1] for row in found})
    column, line = {pk: n for n, pk in enumerate(sku_ids)}, {name: n for n, name in enumerate(names)}
    tables = np.zeros((2, len(names), len(sku_ids)))
    for sku_id, region, before, seen in found:
        if sku_id in column:
            tables[:, line[region], column[sku_id]] = before, seen
    whole_day = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if span >= 2:
        cycle_at = whole_day - timedelta(days=(today - cycle_day).days)
        days = float((cycle_day - first).days)
    else:
        cycle_at, days = now, max(0.5, (now - whole_day).total_seconds() / 86400 + span)
    return Sold(sku_ids, names, tables[0], tables[1], days, cycle_at)


def _demand(
    merchant_id: int, own: Sequence[Warehouse], sold: Sold, able: Sequence[bool], *, now: datetime
) -> Demand:
    """The forecast of the days before the cycle, and what the cycle says about it."""
    keep = np.array(able, dtype=np.bool_)
    before, seen = sold.before[keep], sold.seen[keep]
    base = before / sold.days_before
    days = max((now - sold.cycle_at).total_seconds() / 86400, 1e-6)
    fresh = (before.sum(axis=0) == 0) & (seen.sum(axis=0) > 0)  # new SKUs: the cycle is all there is
    base[:, fresh] = seen[:, fresh] / days
    hourly = HourlyOrders.objects.filter(
        merchant_id=merchant_id, hour_at__gte=now - timedelta(days=WINDOW_DAYS)
    )
    by_hour = list(hourly.values_list("hour_at").annotate(count=Sum("orders")).order_by("hour_at"))
    earlier = sum(count for at, count in by_hour if at < sold.cycle_at)
    demand = Demand(base, earlier / sold.days_before)
    demand.seen = seen.astype(np.int64)
    demand.units = int(seen.sum())
    demand.orders = sum(count for at, count in by_hour if at >= sold.cycle_at)
    # The usual hours of the day are local ones, ours are UTC.
    offset = now.astimezone(ZoneInfo(own[0].time_zone)).utcoffset() or timedelta(0)
    demand.hours = np.roll(demand.hours, -round(offset.total_seconds() / 3600))
    for at, count in by_hour:
        demand.hours[at.hour] += count
    if demand.orders_per_day <= 0 and demand.orders:
        demand.orders_per_day = demand.orders / days
    return demand


# ---- stock and receipts --------------------------------------------------------------------------


def _stock(
    own: Sequence[Warehouse], sku_ids: Sequence[int]
) -> tuple[Ints, NDArray[np.bool_], dict[int, datetime]]:
    """Sellable units, where there is a row at all, and when each warehouse last changed one."""
    row_of, column = {one.pk: n for n, one in enumerate(own)}, {pk: n for n, pk in enumerate(sku_ids)}
    units = np.zeros((len(own), len(sku_ids)), dtype=np.int64)
    ever = np.zeros(units.shape, dtype=np.bool_)
    changed: dict[int, datetime] = {}
    rows = Stock.objects.filter(warehouse_id__in=row_of).values_list(
        "warehouse_id", "sku_id", "on_hand", "reserved", "safety", "updated_at"
    )
    for warehouse_id, sku_id, on_hand, reserved, safety, updated_at in rows.iterator(chunk_size=10_000):
        changed[warehouse_id] = max(updated_at, changed.get(warehouse_id, updated_at))
        if (at := column.get(sku_id)) is not None:
            units[row_of[warehouse_id], at] = max(0, on_hand - reserved - safety)
            ever[row_of[warehouse_id], at] = True
    return units, ever, changed


def _arrivals(
    own: Sequence[Warehouse], sold: Sold, settings: PriceSettings, *, at: float, now: datetime
) -> Arrivals:
    """The receipts known of; where none is, the next one comes an interval from now."""
    row_of, column = {one.pk: n for n, one in enumerate(own)}, {pk: n for n, pk in enumerate(sold.sku_ids)}
    next_at = np.full((len(own), len(sold.sku_ids)), at + settings.replenishment_days * 24.0)
    of_sku: dict[int, list[tuple[float, float]]] = {}
    rows = ExpectedReceipt.objects.filter(
        merchant_id=settings.merchant_id, arrived_at__isnull=True, expected_at__gte=now - OVERDUE,
        units__gt=F("came"),
    ).order_by("expected_at", "pk")  # fmt: skip
    for warehouse_id, sku_id, units, expected_at in rows.values_list(
        "warehouse_id", "sku_id", F("units") - F("came"), "expected_at"
    ):
        w, s = row_of.get(warehouse_id), column.get(sku_id)
        if w is None or s is None:
            continue
        # One that is a little late is expected within the hour.
        hours = max((expected_at - sold.cycle_at).total_seconds() / 3600, at + 1.0)
        next_at[w, s] = min(next_at[w, s], hours)
        of_sku.setdefault(s, []).append((hours, float(units)))
    return Arrivals(next_at, of_sku)


# ---- money ---------------------------------------------------------------------------------------


def _money(settings: PriceSettings) -> Money:
    strategy = (
        Strategy.objects.filter(merchant_id=settings.merchant_id, is_default=True).first() or Strategy()
    )
    per_hour = float(strategy.yuan_per_hour)
    # Who finds nothing waits half an interval on average, and gets one more parcel then.
    waiting = per_hour * 12.0 * settings.replenishment_days
    return Money(
        per_hour, float(strategy.yuan_per_hour_remote), waiting + float(strategy.yuan_per_extra_parcel)
    )


def _costs(places: Sequence[Warehouse], sold: Sold, money: Money) -> tuple[Costs | None, list[bool]]:
    """Cost tables of the regions that somebody delivers to, and which regions those are."""
    targets = [_destination(region) for region in sold.regions]
    cards = rates.cards_of({place.merchant_id for place in places})
    lanes = rates.lanes(places, targets, cards=cards)
    grams, class_of = _classes(sold.sku_ids)
    line = np.full((3, len(places), len(targets), len(grams)), np.inf)
    fee = np.full((len(places), len(targets)), np.inf)
    for w, place in enumerate(places):
        handling = float(place.handling_per_parcel + place.handling_per_line)
        for r, target in enumerate(targets):
            per_hour = money.per_hour_remote if target.remote else money.per_hour
            for option in lanes[place.pk, target]:
                fee[w, r] = min(fee[w, r], float(option.zone.first_fee + place.handling_per_parcel))
                for units in (1, 2, 3):
                    cost = handling + _freight(option, grams * units) + per_hour * float(option.hours)
                    np.minimum(line[units - 1, w, r], cost, out=line[units - 1, w, r])
    own = np.array([place.kind != DROPSHIP for place in places])
    able = np.isfinite(line[0, own, :, 0]).any(axis=0)
    if not able.any():
        return None, []
    line, fee = line[:, :, able], fee[:, able]
    cheapest = line[:, own].min(axis=1)
    more = money.stockout + float(np.min(fee[own], axis=0).mean())
    dropped = line[:, ~own].min(axis=1) if (~own).any() else np.full_like(cheapest, np.inf)
    fallback = np.where(np.isfinite(dropped), dropped, cheapest + more)
    # A warehouse that does not deliver there is as good as falling back.
    unit = np.where(np.isfinite(line[0, own]), line[0, own], cheapest[0][None] + 2 * more)
    return Costs(unit, fee[own], fallback, cheapest, class_of), able.tolist()


def _freight(option: LaneOption, grams: Floats) -> Floats:
    zone = option.zone
    steps = np.maximum(np.ceil((grams + PACKAGING_GRAMS - zone.first_grams) / zone.step_grams), 0)
    cost: Floats = float(zone.first_fee) + steps * float(zone.step_fee)
    return cost


def _classes(sku_ids: Sequence[int]) -> tuple[Floats, Ints]:
    """Classes of SKUs of like weight: the mean grams of each, and the class of every SKU."""
    weight: dict[int, Any] = dict(Sku.objects.filter(pk__in=sku_ids).values_list("pk", "grams"))
    grams = np.array([weight[pk] for pk in sku_ids], dtype=np.float64)
    count = min(CLASSES, len(grams))
    class_of = np.zeros(len(grams), dtype=np.int64)
    class_of[np.argsort(grams, kind="stable")] = np.arange(len(grams)) * count // len(grams)
    return np.bincount(class_of, grams, count) / np.maximum(
        np.bincount(class_of, minlength=count), 1
    ), class_of


def _destination(region: str) -> Destination:
    """The middle of a region."""
    country, _dash, province = region.partition("-")
    place = regions.locate(country, province)
    latitude, longitude = (place.lat, place.lng) if place else (0.0, 0.0)
    return Destination(
        country, province, "", Decimal(str(latitude)), Decimal(str(longitude)), bool(place and place.remote)
    )

"""When prices are not to be trusted: each guard that trips is kept in the book with its figures.

A price is wrong in a costly way only if what it was calculated from is wrong, so these look at the inputs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Count, Q

from orderhub.fulfillment.models import FulfillmentOrder
from orderhub.inventory.models import Warehouse
from routing.pricing.gathering import DROPSHIP, Gathered
from routing.pricing.models import PriceSettings
from routing.pricing.values import MerchantValues

SWITCHED_OFF, MISSING, WRONG, STALE, DROPSHIPS = (
    "switched_off", "forecast_missing", "forecast_wrong", "stock_stale", "dropship_share",
)  # fmt: skip
#: Those that switch everything off; a stale warehouse or the share of drop-ship only take away a part.
WHOLE = frozenset({SWITCHED_OFF, MISSING, WRONG})
JUDGED_UNITS = 50  # fewer units sold in the cycle say nothing about the forecast
JUDGED_PARCELS = 50
SHARE_DAYS = 7


@dataclass(frozen=True, slots=True)
class Guarded:
    """The guards that tripped, which warehouses have no prices, and whether the network has one."""

    tripped: list[dict[str, Any]] = field(default_factory=list)
    stale_ids: frozenset[int] = frozenset()
    has_network: bool = True
    error: Decimal | None = None

    @property
    def is_off(self) -> bool:
        """Whether all prices are 0."""
        return any(guard["code"] in WHOLE for guard in self.tripped)


def judge(settings: PriceSettings, gathered: Gathered | None, *, now: datetime) -> Guarded:
    """Look at switch, forecast, stock and drop-ship of a merchant, in this order; at most two queries."""
    if not settings.is_on:
        return Guarded([_guard(SWITCHED_OFF, by=settings.switched_by)])
    if gathered is None:
        return Guarded([_guard(MISSING)])
    tripped = []
    error = forecast_error(gathered.values)
    if error is not None and error > settings.max_forecast_error:
        tripped.append(_guard(WRONG, error=str(error), limit=str(settings.max_forecast_error)))
    stale = _stale(settings, gathered, now=now)
    if stale:
        names = {one.pk: [one.name, one.name_en or one.name] for one in gathered.warehouses}
        tripped.append(
            _guard(STALE, warehouses=[names[pk] for pk in sorted(stale)], hours=settings.stale_hours)
        )
    share = _dropship_share(settings.merchant_id, now=now)
    high = share is not None and share > settings.max_dropship_share
    if high:
        tripped.append(_guard(DROPSHIPS, share=str(share), limit=str(settings.max_dropship_share)))
    return Guarded(tripped, stale, not high, error)


def forecast_error(values: MerchantValues) -> Decimal | None:
    """How wrong the forecast was for what this cycle sold, as a share, beyond what chance alone explains.

    The level is taken as learned, because prices use it so: what is left are SKUs that sell otherwise than
    before. None with too little sold to tell.
    """
    demand = values.demand
    seen = demand.seen.sum(axis=0).astype(float)
    if seen.sum() < JUDGED_UNITS:
        return None
    told = demand.by_sku * demand.days(0.0, values.at)
    if told.sum() <= 0:
        return None
    told *= seen.sum() / told.sum()
    noise = values.setting.noise * told.sum()
    excess = max(0.0, float(((told - seen) ** 2).sum() - noise))
    return Decimal(min((excess / float((told**2).sum())) ** 0.5, 9999.0)).quantize(Decimal("0.001"))


def _guard(code: str, **facts: object) -> dict[str, Any]:
    return {"code": code, "facts": facts}


def _stale(settings: PriceSettings, gathered: Gathered, *, now: datetime) -> frozenset[int]:
    """Warehouses with stock of which nothing changed for so long."""
    limit = now - timedelta(hours=settings.stale_hours)
    changed: Mapping[int, datetime] = gathered.last_change
    return frozenset(one.pk for one in gathered.warehouses if changed.get(one.pk, now) < limit)


def _dropship_share(merchant_id: int, *, now: datetime) -> Decimal | None:
    """Share of last week's parcels that came from drop-ship suppliers; None without any, or too few parcels."""
    if not Warehouse.objects.filter(merchant_id=merchant_id, kind=DROPSHIP).exists():
        return None
    counted = FulfillmentOrder.objects.filter(
        merchant_id=merchant_id, shipped_at__gte=now - timedelta(days=SHARE_DAYS)
    ).aggregate(all=Count("pk"), dropped=Count("pk", filter=Q(warehouse__kind=DROPSHIP)))
    if counted["all"] < JUDGED_PARCELS:
        return None
    share: Decimal = (Decimal(counted["dropped"]) / counted["all"]).quantize(Decimal("0.001"))
    return share

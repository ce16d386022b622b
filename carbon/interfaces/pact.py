"""PACT v3 product footprints: what the owner declared, and our part beside it: delivery and packaging of a unit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Q, QuerySet, Sum

from carbon.interfaces.ileap import stamp, text
from carbon.interfaces.models import PactEvent, Passport, ProductFootprint
from carbon.reports import reading, scope
from carbon.reports.scope import Scope
from orderhub.access.models import Merchant
from orderhub.orders.models import OrderLine

SPEC_VERSION = "3.0.3"
DAYS = 365
MICROGRAM = Decimal("0.000001")
EVENTS = tuple(
    f"org.wbcsd.pact.ProductFootprint.{name}.3"
    for name in ("RequestCreatedEvent", "RequestFulfilledEvent", "RequestRejectedEvent", "PublishedEvent")
)
FILTERS = (
    "productId", "companyId", "geography", "classification", "validOn", "validAfter", "validBefore", "status",
)  # fmt: skip
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Delivered:
    """What delivering and packing a unit of a SKU weighed over the last year: kg CO2e, and the band of the delivery."""

    units: int
    delivery_kg: Decimal
    low_kg: Decimal
    high_kg: Decimal
    packaging_kg: Decimal
    primary_share: Decimal


def delivered(merchant_id: int, sku_id: int, *, now: datetime) -> Delivered | None:
    """The ledger's figures of a SKU by unit, over orders of the last year; None without any."""
    today = now.astimezone(UTC).date()
    wanted = Scope(today - timedelta(days=DAYS), today, "UTC", merchant_id, {"product": str(sku_id)})
    stages = reading.by_stage(wanted)
    if not stages:
        return None
    lines = scope.entries(wanted).values("order_line").distinct()
    units = OrderLine.objects.filter(pk__in=lines).aggregate(units=Sum("ordered"))["units"] or 0
    if not units:
        return None
    way = reading.Sums()
    for name in ("transport", "warehouse"):
        if name in stages:
            way.add(stages[name])
    packed = stages["packaging"].kg if "packaging" in stages else Decimal(0)
    around = way.around
    return Delivered(
        units, _each(way.kg, units), _each(around.p5_kg, units), _each(around.p95_kg, units), _each(packed, units),
        way.primary_share,
    )  # fmt: skip


def _each(kg: Decimal, units: int) -> Decimal:
    return (kg / units).quantize(MICROGRAM)


def rows(merchant: Merchant, asked: Mapping[str, str], *, now: datetime) -> QuerySet[ProductFootprint]:
    """The footprints of a merchant by the filters of the specification; raises ValueError for a value that is none."""
    found = (
        ProductFootprint.objects.filter(merchant=merchant).select_related("sku", "merchant").order_by("pk")
    )
    if (status := asked.get("status")) is not None:
        if status not in ("Active", "Deprecated"):
            raise ValueError("status")
        found = found.filter(is_active=status == "Active")
    if (product := asked.get("productId")) is not None:
        found = found.filter(_by_product(product))
    if (company := asked.get("companyId")) is not None and company != company_id(merchant):
        return found.none()
    if (place := asked.get("geography")) is not None:
        found = found.filter(country=place)
    if asked.get("classification") is not None:
        return found.none()  # nobody classifies products here
    for name, lookups in _VALID.items():
        if (when := asked.get(name)) is not None:
            day = _day(when)
            found = found.filter(**{lookup: day - shift for lookup, shift in lookups.items()})
    return found


#: A footprint without a validity of its own is valid for three years after its reference period.
_THREE_YEARS = timedelta(days=3 * 365)
_NOW = timedelta(0)
_VALID = {
    "validOn": {"period_to__lte": _NOW, "period_to__gte": _THREE_YEARS},
    "validAfter": {"period_to__gt": _NOW},
    "validBefore": {"period_to__lt": _THREE_YEARS},
}


def _day(when: str) -> Any:
    return datetime.fromisoformat(when.replace("Z", "+00:00")).date()


def _by_product(urn: str) -> Q:
    """By one of the product ids of ours, or by GTIN."""
    tail = urn.rpartition(":")[2]
    gtin = tail.rpartition(".")[2] if "gtin" in urn or "sgtin" in urn else ""
    found = Q(sku__code=tail)
    if gtin.isdigit():
        found |= Q(sku__in=Passport.objects.filter(gtin=gtin.zfill(14)).values("sku"))
    return found


def company_id(merchant: Merchant) -> str:
    """The merchant's URN."""
    return f"urn:orderhub:merchant:{merchant.code}"


def document(row: ProductFootprint, *, now: datetime) -> Json:
    """The footprint as the specification has it; delivery and packaging of ours are filled in where known."""
    ours = delivered(row.merchant_id, row.sku_id, now=now) if row.is_active else None
    gtins = Passport.objects.filter(sku=row.sku_id, merchant=row.merchant_id).values_list("gtin", flat=True)
    ids = [f"urn:pact:orderhub:product-id:{row.merchant.code}:{row.sku.code}"]
    ids += [f"urn:gtin:{gtin}" for gtin in sorted(set(gtins))]
    return {
        "id": str(row.public_id), "specVersion": SPEC_VERSION, "created": stamp(row.created_at),
        "status": "Active" if row.is_active else "Deprecated",
        "companyName": row.merchant.name_en or row.merchant.name, "companyIds": [company_id(row.merchant)],
        "productDescription": row.sku.name_en or row.sku.name, "productIds": ids,
        "productNameCompany": row.sku.name_en or row.sku.name, **({"comment": row.comment} if row.comment else {}),
        "pcf": _pcf(row, ours),
    }  # fmt: skip


def _pcf(row: ProductFootprint, ours: Delivered | None) -> Json:
    found: Json = {
        "declaredUnitOfMeasurement": row.unit, "declaredUnitAmount": text(row.amount),
        "productMassPerDeclaredUnit": text(row.mass_kg),
        "referencePeriodStart": stamp(datetime.combine(row.period_from, time(), UTC)),
        "referencePeriodEnd": stamp(datetime.combine(row.period_to, time(), UTC)),
        "pcfExcludingBiogenicUptake": text(row.excluding_biogenic),
        "pcfIncludingBiogenicUptake": text(row.including_biogenic),
        "fossilGhgEmissions": text(row.fossil), "fossilCarbonContent": text(row.fossil_carbon_kg),
        "ipccCharacterizationFactors": [row.ipcc], "crossSectoralStandards": ["PACT-3.0", "ISO14083"],
        "exemptedEmissionsPercent": text(row.exempted_percent), "packagingEmissionsIncluded": False,
    }  # fmt: skip
    if row.biogenic_carbon_kg is not None:
        found["biogenicCarbonContent"] = text(row.biogenic_carbon_kg)
    if row.country:
        found["geographyCountry"] = row.country
    if row.boundary:
        found["boundaryProcessesDescription"] = row.boundary
    if row.primary_share is not None:
        found["primaryDataShare"] = text(row.primary_share)
    if row.verified_by:
        found["verification"] = {"coverage": "product line", "providerName": row.verified_by}
    if ours is not None and row.unit == ProductFootprint.Unit.PIECE:
        found["outboundLogisticsGhgEmissions"] = text(ours.delivery_kg * row.amount)
        found["packagingEmissionsIncluded"] = True
        found["packagingGhgEmissions"] = text(ours.packaging_kg * row.amount)
    return found


def keep(event: Mapping[str, Any], merchant: Merchant, *, now: datetime) -> PactEvent:
    """Keep an event of a partner once; raises ValueError naming the field that is wrong."""
    for name in ("id", "source", "type", "specversion"):
        if not isinstance(event.get(name), str) or not event[name]:
            raise ValueError(name)
    if event["type"] not in EVENTS:
        raise ValueError("type")
    if not isinstance(event.get("data"), dict):
        raise ValueError("data")
    row, _made = PactEvent.objects.get_or_create(
        merchant=merchant, source=event["source"][:300], event_id=event["id"][:120],
        defaults={"type": event["type"], "data": event["data"], "received_at": now},
    )  # fmt: skip
    return row

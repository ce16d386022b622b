"""iLEAP 1.0: shipments as transport chain elements inside PACT v2 footprints, and transport activity data.

All numbers are decimal strings. A consignment that the ledger counts is a shipment; a hub pass has distance 0.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from carbon import queries
from carbon.models import CalculationRun
from carbon.reports import terms
from orderhub.fulfillment.models import FulfillmentOrder, Parcel
from orderhub.inventory.models import Warehouse
from orderhub.orders.models import Order

SPEC_VERSION, ILEAP_VERSION = "2.0.0", "1.0.0"
SHIPMENT_SCHEMA = "https://api.ileap.sine.dev/shipment-footprint.json"
_KINDS = ("fulfillment", "parcel")
MODES = {"road": "Road", "rail": "Rail", "air": "Air", "sea": "Sea", "iww": "InlandWaterway"}
#: CPC of courier and freight services, as the specification asks for a class.
CPC = "65119"
Json = dict[str, Any]
ZERO = Decimal(0)


def shipments(order: Order) -> list[Json]:
    """The shipment footprints of an order: its consignments that count, with all their elements."""
    found: dict[str, list[CalculationRun]] = {}
    for run in counting(order):
        found.setdefault(run.subject, []).append(run)
    made = [shipment(subject, runs, order) for subject, runs in found.items()]
    return [one for one in made if one is not None]


def counting(order: Order) -> Sequence[CalculationRun]:
    """The runs behind the order's headline figure."""
    document = queries.of_order(order, language="en")
    if document is None:
        return ()
    rows = CalculationRun.objects.filter(
        order=order, basis=document["basis"], reverses__isnull=True, reversal__isnull=True
    )
    return list(rows.order_by("pk"))


def shipment(subject: str, runs: Sequence[CalculationRun], order: Order) -> Json | None:
    """One ShipmentFootprint; None where no element is transport or hub."""
    parts = [
        part for run in runs for part in terms.parts(run) if part.figures["kind"] in ("transport", "hub")
    ]
    if not parts:
        return None
    order_of = {"warehouse": 0, "transport": 1, "return": 2}
    parts.sort(key=lambda part: order_of.get(part.element.stage, 1))
    mass = next(
        (x for x in (getattr(part.element, "mass_kg", None) for part in parts) if x is not None), ZERO
    )
    house = _house(subject)
    tces: list[Json] = []
    for part in parts:
        before = [tces[-1]["tceId"]] if tces else []
        tces.append(_tce(part, subject=subject, mass=mass, before=before, order=order, house=house))
    return {"mass": text(mass), "volume": None, "shipmentId": subject, "tces": tces}


def _tce(
    part: terms.Part, *, subject: str, mass: Decimal, before: list[str], order: Order, house: Warehouse | None
) -> Json:
    element, figures = part.element, part.figures
    is_hub = figures["kind"] == "hub"
    km = getattr(element, "distance_km", None) or ZERO
    own = getattr(element, "mass_kg", None) or mass
    activity = Decimal(figures["tkm"]) if figures["tkm"] is not None else own / 1000 * km
    # Electricity is energy provision: a hub without a split has no operation of its own.
    ttw = figures["ttw_kg"] if figures["ttw_kg"] is not None else "0"
    tce: Json = {
        "tceId": f"{subject}/{element.id}", "shipmentId": subject, "mass": text(own),
        "distance": {"actual": "0"} if is_hub else {part.distance_kind or "actual": text(km)},
        "transportActivity": text(ZERO if is_hub else activity), "co2eWTW": text(Decimal(figures["wtw_kg"])),
        "co2eTTW": text(Decimal(ttw)), "destination": _place(order.city, order.country),
    }  # fmt: skip
    if before:
        tce["prevTceIds"] = before
    if house is not None:
        tce["origin"] = _place(house.city, house.country)
    return tce | ({"hocId": f"hoc:{house.code}"} if is_hub and house is not None else {"tocId": _toc(part)})


def footprint(document: Json, order: Order, *, made_at: datetime) -> Json:
    """A PACT v2 product footprint of one shipment, per tonne-kilometer, with the shipment as its extension."""
    wtw = sum((Decimal(tce["co2eWTW"]) for tce in document["tces"]), ZERO)
    tkm = sum((Decimal(tce["transportActivity"]) for tce in document["tces"]), ZERO)
    per_tkm = wtw / tkm if tkm else ZERO
    name = document["shipmentId"]
    code = order.merchant.code
    return {
        "id": str(footprint_id(code, name)), "specVersion": SPEC_VERSION, "version": 0, "created": stamp(made_at),
        "status": "Active", "companyName": order.merchant.name_en or order.merchant.name,
        "companyIds": [f"urn:orderhub:merchant:{code}"],
        "productDescription": f"Transport of {name} of order {order.number}",
        "productIds": [f"urn:pathfinder:product:customcode:vendor-assigned:shipmentFootprint:{code}:{name}"],
        "productCategoryCpc": CPC, "productNameCompany": f"ShipmentFootprint {name}",
        "comment": "Aligned with ISO 14083:2023; not certified. Offsets are not counted.",
        "pcf": {
            "declaredUnit": "ton kilometer", "unitaryProductAmount": text(tkm or Decimal("0.001")),
            "pCfExcludingBiogenic": text(per_tkm), "fossilGhgEmissions": text(per_tkm), "fossilCarbonContent": "0",
            "biogenicCarbonContent": "0", "characterizationFactors": "AR5",
            "ipccCharacterizationFactorsSources": ["AR5"], "crossSectoralStandardsUsed": ["ISO Standard 14083"],
            "boundaryProcessesDescription": "Hub operations and transport, well-to-wheel; packaging apart.",
            "referencePeriodStart": stamp(order.placed_at), "referencePeriodEnd": stamp(made_at),
            "exemptedEmissionsPercent": 0, "exemptedEmissionsDescription": "", "packagingEmissionsIncluded": False,
        },
        "extensions": [
            {"specVersion": SPEC_VERSION, "dataSchema": SHIPMENT_SCHEMA, "data": document}
        ],
    }  # fmt: skip


def footprint_id(merchant_code: str, subject: str) -> uuid.UUID:
    """The id of a shipment's footprint, always the same: half a hash of whose it is, half its consignment."""
    kind, _colon, number = subject.partition(":")
    seed = int.from_bytes(hashlib.sha256(f"{merchant_code}/{subject}".encode()).digest()[:8], "big")
    own = (_KINDS.index(kind) << 56 | int(number)) if kind in _KINDS and number.isdigit() else 0
    return uuid.UUID(int=seed << 64 | own, version=5)


def subject_of(public_id: uuid.UUID) -> str:
    """The consignment behind an id; whoever asks must compare the whole id then."""
    own = public_id.int & (1 << 60) - 1
    kind, number = own >> 56, own & (1 << 56) - 1
    return f"{_KINDS[kind]}:{number}" if kind < len(_KINDS) else ""


def activities(parcels: Iterable[Parcel]) -> list[Json]:
    """Transport activity data of parcels that arrived (with order, warehouse and rate card loaded)."""
    found = []
    for parcel in parcels:
        row: FulfillmentOrder = parcel.fulfillment
        if row.shipped_at is None or row.delivered_at is None:
            continue
        mass = Decimal(parcel.grams) / 1000 if parcel.grams else None
        found.append({
            "activityId": f"parcel:{parcel.pk}", "consignmentIds": [row.number],
            "distance": {"gcd": text(row.distance_km)}, "mass": None if mass is None else text(mass),
            "loadFactor": None, "emptyDistanceFactor": None, "origin": _place(row.warehouse.city, row.warehouse.country),
            "destination": _place(row.order.city, row.order.country), "departureAt": stamp(row.shipped_at),
            "arrivalAt": stamp(row.delivered_at), "mode": MODES.get(str(row.rate_card.mode), "Road"),
            "temperatureControl": "ambient",
        })  # fmt: skip
    return found


def _toc(part: terms.Part) -> str:
    first = next(iter(part.figures["factors"]), "")
    return f"toc:{first}"


def _place(city: str, country: str) -> Json:
    return {"city": city, "country": country}


def _house(subject: str) -> Warehouse | None:
    kind, _colon, number = subject.partition(":")
    rows = FulfillmentOrder.objects.select_related("warehouse")
    if kind == "fulfillment":
        row = rows.filter(pk=int(number)).first()
    else:
        row = rows.filter(parcels=int(number)).first() if kind == "parcel" else None
    return None if row is None else row.warehouse


def text(value: Decimal) -> str:
    """A decimal string as the specification wants it: no exponent."""
    return f"{value:f}"


def stamp(moment: datetime) -> str:
    """A moment in UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

"""The footprint on EPCIS 2.0 events, as an extension under our own name; others call `extended`. Pure but for reading."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from carbon.models import CalculationRun

NAMESPACE = "https://orderhub.example/ns#"
PREFIX = "orderhub"
#: Steps of the core business vocabulary that a footprint belongs to: leaving shows the plan, arriving the facts.
STEPS = {"shipping": "estimate", "departing": "estimate", "receiving": "actual", "arriving": "actual"}
Json = dict[str, Any]


def extended(event: Mapping[str, Any], runs: list[CalculationRun]) -> Json:
    """The event with `orderhub:carbonFootprint` from these runs; as it was without any, or at a step of another kind."""
    step = str(event.get("bizStep", "")).rpartition(":")[2]
    if step not in STEPS or not runs:
        return dict(event)
    return {**event, f"{PREFIX}:carbonFootprint": footprint(runs)}


def footprint(runs: list[CalculationRun]) -> Json:
    """kg CO2e of these runs as plain properties of our namespace; decimals as strings."""
    total = sum((Decimal(run.result["ledger_total"]["total_kg"]) for run in runs), Decimal(0))
    wtw = sum((Decimal(run.result["ledger_total"]["wtw_kg"]) for run in runs), Decimal(0))
    items = [item for run in runs for item in run.result["elements"]]
    primary = sum((Decimal(x["total_kg"]) for x in items if x["data_type"] == "primary"), Decimal(0))
    share = primary / total if total else Decimal(0)
    return {
        f"{PREFIX}:totalKgCO2e": f"{total:f}", f"{PREFIX}:wellToWheelKgCO2e": f"{wtw:f}",
        f"{PREFIX}:basis": runs[0].basis, f"{PREFIX}:method": "aligned with ISO 14083:2023",
        f"{PREFIX}:primaryDataShare": f"{share:.4f}",
        f"{PREFIX}:factors": sorted({name for item in items for name in item["factors"]}),
        f"{PREFIX}:runHash": [run.output_hash for run in runs],
    }  # fmt: skip


def of_consignment(subject: str, *, basis: str) -> list[CalculationRun]:
    """The runs of a consignment ("parcel:7", "fulfillment:3") that count; one query."""
    rows = CalculationRun.objects.filter(
        subject=subject, basis=basis, reverses__isnull=True, reversal__isnull=True
    )
    return list(rows.order_by("pk"))


def document(body: Mapping[str, Any], footprints: Mapping[str, str]) -> Json:
    """An EPCIS document whose shipping and receiving events carry footprints: event id → consignment; two queries each."""
    events = []
    for event in body["epcisBody"]["eventList"]:
        subject = footprints.get(str(event.get("eventID", "")), "")
        step = str(event.get("bizStep", "")).rpartition(":")[2]
        runs = of_consignment(subject, basis=STEPS[step]) if subject and step in STEPS else []
        events.append(extended(event, runs))
    context = body["@context"] if isinstance(body["@context"], list) else [body["@context"]]
    if not any(isinstance(one, dict) and PREFIX in one for one in context):
        context = [*context, {PREFIX: NAMESPACE}]
    return {**body, "@context": context, "epcisBody": {**body["epcisBody"], "eventList": events}}

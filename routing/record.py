"""Decisions as JSON and back: everything an operator reads, and everything a replay of plan or carbon
needs. What is written keeps its Decimals and dates; the canonical form of them is stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from carbon.consignments import lane_inputs
from orderhub.orders.models import Order, OrderLine
from routing.candidates import PACKAGING_GRAMS, Offer
from routing.engine import explain, model
from routing.engine.model import PlannedParcel
from routing.models import Decision
from routing.vocabulary import MORE_REMOVED, REFUSED_BEFORE, Language, pick

MOST_REMOVED = 50
#: Methods by which ordered criteria decided.
IN_ORDER = frozenset({"sequential", "seq_groups"})
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Decided:
    """One order's decision with what it was chosen from; `days`: the local day each warehouse works on it;
    `inputs` as `routing.inputs` writes them, None if they were not kept.
    """

    order: Order
    lines: Sequence[OrderLine]
    offer: Offer
    decision: model.Decision
    days: Mapping[int, date]
    notes: Sequence[str]
    elapsed_ms: float
    inputs: str | None = None


def plan_json(decided: Decided) -> Json | None:
    """The chosen plan with inputs per parcel and the notes; None without a plan."""
    plan = decided.decision.plan
    if plan is None:
        return None
    parcels = [_whole(decided, parcel) for parcel in plan.parcels]
    return {**_plan(plan, parcels), "notes": list(decided.notes)}


def alternatives_json(decided: Decided) -> list[Json]:
    """The next-best plans, cheapest first, without inputs."""
    return [
        _plan(plan, [_parcel(decided, p) for p in plan.parcels]) for plan in decided.decision.alternatives
    ]


def removed_json(decided: Decided) -> list[Json]:
    """What was left out and why; above 50 entries each reason keeps its first ones and a count of the
    others."""
    rows = [_removal(decided, removal) for removal in decided.decision.removed]
    rows += [_refused_before(warehouse_id, decided) for warehouse_id in sorted(decided.offer.refused)]
    return rows if len(rows) <= MOST_REMOVED else _aggregated(rows)


def shortages_json(decided: Decided) -> list[Json]:
    """Units no plan sends, by line."""
    sku_of = {line.pk: line.sku.code for line in decided.lines}
    return [
        {"line_id": short.line_id, "sku": sku_of[short.line_id], "quantity": short.quantity}
        for short in decided.decision.shortages
    ]


def engine_decision(decision: Decision, *, language: Language) -> model.Decision:
    """A kept decision as the engine's own values, names in that language, so that it can be put into
    words."""
    return model.Decision(
        order_id=decision.order_id,
        strategy="",
        status=decision.status,
        plan=_engine_plan(decision.plan, language) if decision.plan else None,
        alternatives=tuple(_engine_plan(plan, language) for plan in decision.alternatives),
        removed=(),
        shortages=tuple(model.Shortage(short["line_id"], short["quantity"]) for short in decision.shortages),
        method=decision.method,
        total=decision.total or Decimal(0),
        order=tuple(decision.strategy.values.get("order") or ()) if decision.method in IN_ORDER else (),
    )


def removal_text(row: Mapping[str, Any], *, language: Language) -> str:
    """One kept removal in words."""
    if "count" in row:
        return pick(MORE_REMOVED, language).format(count=row["count"])
    name = row["name_en"] if language == "en" else row["name"]
    if row["reason"] == "refused_before":
        return pick(REFUSED_BEFORE, language).format(name=name)
    removal = model.Removal(
        row["warehouse_id"], row["code"], row["line_id"], row["reason"], row["facts"], name
    )
    return explain.removal_sentence(removal, language)


def _plan(plan: model.Plan, parcels: list[Json]) -> Json:
    return {
        "parcels": parcels,
        "terms": dict(plan.terms),
        "total": plan.total,
        "hours": plan.hours,
        "kgco2e": plan.kgco2e,
    }


def _parcel(decided: Decided, parcel: PlannedParcel) -> Json:
    return {
        "warehouse_id": parcel.node_id,
        "code": parcel.node_code,
        "name": parcel.node_name,
        "name_en": decided.offer.names_en[parcel.node_id],
        "card": parcel.carrier,
        "service": parcel.service,
        "zone": parcel.zone,
        "lines": len(parcel.pieces),
        "grams": parcel.grams,
        "hours": parcel.hours,
        "distance_km": parcel.distance_km,
        "kgco2e": parcel.kgco2e,
        "terms": dict(parcel.terms),
        **({"units_away": parcel.units_away} if parcel.units_away else {}),
    }


def _whole(decided: Decided, parcel: PlannedParcel) -> Json:
    card = decided.offer.options[parcel.node_id, parcel.carrier].card
    return {
        **_parcel(decided, parcel),
        "rate_card_id": card.pk,
        "carrier": card.carrier,
        "carrier_name": card.name,
        "carrier_name_en": card.name_en or card.name,
        "mode": card.mode,
        "capacity_date": decided.days[parcel.node_id],
        "pieces": [{"line_id": piece.line_id, "quantity": piece.quantity} for piece in parcel.pieces],
        "inputs": _inputs(decided, parcel),
    }


def _inputs(decided: Decided, parcel: PlannedParcel) -> Json:
    """What the carbon of a parcel was reckoned from; `carbon` are the arguments of
    `carbon.defaults.lane_for`."""
    option = decided.offer.options[parcel.node_id, parcel.carrier]
    warehouse = decided.offer.warehouses[parcel.node_id]
    return {
        "goods_grams": parcel.grams - PACKAGING_GRAMS,
        "packaging_grams": PACKAGING_GRAMS,
        "great_circle_km": option.great_circle_km,
        "distance_km": option.distance_km,
        "mode": option.mode,
        "energy_source": warehouse.energy_source,
        "kwh_per_tonne": warehouse.kwh_per_tonne,
        "country": warehouse.country,
        "province": warehouse.province,
        "carbon": lane_inputs(decided.order, warehouse, option.card),
    }


def _removal(decided: Decided, removal: model.Removal) -> Json:
    return {
        "warehouse_id": removal.node_id,
        "code": removal.node_code,
        "name": removal.node_name,
        "name_en": decided.offer.names_en[removal.node_id],
        "line_id": removal.line_id,
        "reason": removal.code,
        "facts": dict(removal.facts),
    }


def _refused_before(warehouse_id: int, decided: Decided) -> Json:
    warehouse = decided.offer.warehouses[warehouse_id]
    return {
        "warehouse_id": warehouse_id,
        "code": warehouse.code,
        "name": warehouse.name,
        "name_en": decided.offer.names_en[warehouse_id],
        "line_id": None,
        "reason": "refused_before",
        "facts": {},
    }


def _aggregated(rows: Sequence[Json]) -> list[Json]:
    """The first rows of each reason and one row that counts the others of it, about fifty in all."""
    by_reason: dict[str, list[Json]] = {}
    for row in rows:
        by_reason.setdefault(row["reason"], []).append(row)
    keep = max(1, MOST_REMOVED // len(by_reason) - 1)
    found = []
    for reason, group in by_reason.items():
        found += group[:keep]
        if len(group) > keep:
            found.append({"reason": reason, "count": len(group) - keep})
    return found


def _engine_plan(plan: Mapping[str, Any], language: Language) -> model.Plan:
    terms = _decimals(plan["terms"])
    parcels = tuple(_engine_parcel(parcel, language) for parcel in plan["parcels"])
    return model.Plan(parcels, terms, Decimal(plan["total"]), Decimal(plan["hours"]), Decimal(plan["kgco2e"]))


def _engine_parcel(parcel: Mapping[str, Any], language: Language) -> PlannedParcel:
    pieces = tuple(model.Piece(piece["line_id"], piece["quantity"]) for piece in parcel.get("pieces", ()))
    return PlannedParcel(
        node_id=parcel["warehouse_id"],
        node_code=parcel["code"],
        carrier=parcel["card"],
        service=parcel["service"],
        pieces=pieces,
        grams=parcel["grams"],
        hours=Decimal(parcel["hours"]),
        kgco2e=Decimal(parcel["kgco2e"]),
        terms=_decimals(parcel["terms"]),
        node_name=parcel["name_en"] if language == "en" else parcel["name"],
        zone=parcel["zone"],
        distance_km=Decimal(parcel["distance_km"]),
        units_away=parcel.get("units_away", 0),
    )


def _decimals(amounts: Mapping[str, str]) -> dict[str, Decimal]:
    return {name: Decimal(amount) for name, amount in amounts.items()}

"""GHG Protocol category 12: what becomes of the packaging that was sent, beside the ledger and never added to it.

Nobody tells how each customer's town treats its waste, so a stated default stands in: all of it is landfilled, the only
route whose published factor goes from gate to grave. It is an upper bound and says so; better data replace it.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from django.db.models import Sum

from carbon.core.bundle import bundled_factors
from carbon.models import CalculationRun
from carbon.reports import scope
from carbon.reports.scope import Scope

ZERO = Decimal(0)
GRAM = Decimal("0.000001")
PRIMARY, LANDFILL = "/primary-material-production/", "/landfill/"


class Ending(NamedTuple):
    """kg CO2e of packaging as waste, kg of packaging counted, and kg of materials without a factor."""

    kg: Decimal
    mass_kg: Decimal
    unknown_mass_kg: Decimal


def ending(wanted: Scope) -> Ending:
    """The packaging of these entries, each calculation by the part of it that is asked for; two queries."""
    rows = scope.entries(wanted).filter(
        stage="packaging", run__reverses__isnull=True, run__reversal__isnull=True
    )
    parts = dict(rows.values_list("run_id").annotate(kg=Sum("non_transport_kgco2e")))
    kg = mass = unknown = ZERO
    runs = CalculationRun.objects.filter(pk__in=parts).values_list(
        "pk", "case", "result__by_stage__packaging"
    )
    for pk, case, whole in runs.iterator(chunk_size=2000):
        share = Decimal(parts[pk]) / Decimal(whole) if Decimal(whole) else ZERO
        for item in _items(case):
            weight = Decimal(item["mass_kg"]) / Decimal(item.get("cycles") or 1) * share
            factor = bundled_factors().get(_landfill(item["factor"]))
            mass += weight
            if factor is None or factor.total is None:
                unknown += weight
            else:
                kg += weight * factor.total
    return Ending(kg.quantize(GRAM), mass.quantize(GRAM), unknown.quantize(GRAM))


def _items(case: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [item for one in case["elements"] if one["kind"] == "packaging" for item in one["items"]]


def _landfill(material: str) -> str:
    """The factor of a material as waste, by the factor of its making; both stand in one book under one name."""
    return material.replace("/packaging/", "/end_of_life/").replace(PRIMARY, LANDFILL)

"""The open factors that travel with the product, found by id; read once from carbon/data."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import cache
from types import MappingProxyType

from carbon.core.errors import EstimateError
from carbon.core.gases import DATA
from carbon.core.model import Factor


@cache
def bundled_factors() -> Mapping[str, Factor]:
    """Every bundled factor by id, drafts included and marked so."""
    found: dict[str, Factor] = {}
    for path in sorted(DATA.glob("factors_*.csv")):
        with path.open(encoding="utf-8", newline="") as lines:
            found.update((row["factor_id"], factor_from_row(row)) for row in csv.DictReader(lines))
    return MappingProxyType(found)


def bundled_factor(factor_id: str) -> Factor:
    """One bundled factor; raises `EstimateError` UNKNOWN_FACTOR."""
    factor = bundled_factors().get(factor_id)
    if factor is None:
        raise EstimateError("UNKNOWN_FACTOR")
    return factor


def factor_from_row(row: Mapping[str, str]) -> Factor:
    """A factor from one row of the bundled table layout; an empty cell is unknown."""
    return Factor(
        id=row["factor_id"],
        unit=row["activity_unit"],
        ttw=_number(row["ttw_kgco2e"]),
        wtt=_number(row["wtt_kgco2e"]),
        total=_number(row["total_kgco2e"]),
        distance_kind=row["distance_kind"] or None,
        valid_to=date.fromisoformat(row["valid_to"]) if row["valid_to"] else None,
        boundary=row["boundary"],
        region=row["region"],
        gwp_basis=row["gwp_basis"],
        set_id=f"{row['factor_set']}-{row['set_year']}",
        co2_kg=_number(row["co2_kg"]),
        ch4_kgco2e=_number(row["ch4_kgco2e"]),
        n2o_kgco2e=_number(row["n2o_kgco2e"]),
        gas_scope=row["gas_scope"],
        status=row["default_status"],
    )


def _number(text: str) -> Decimal | None:
    return Decimal(text) if text else None

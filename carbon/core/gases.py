"""Global warming potentials over 100 years and the rebase of a factor from an older report to AR6."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from functools import cache
from pathlib import Path
from types import MappingProxyType

from carbon.core.model import Factor

DATA = Path(__file__).resolve().parents[1] / "data"
REPORTS = ("AR4", "AR5", "AR6")


@cache
def gwp_table() -> Mapping[str, Mapping[str, Decimal]]:
    """GWP100 by report (AR4, AR5, AR6) and gas name, in kg CO2e per kg; gases a report lacks are absent."""
    table: dict[str, dict[str, Decimal]] = {report: {} for report in REPORTS}
    with (DATA / "gwp100.csv").open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            for report in REPORTS:
                if value := row[f"gwp100_{report.lower()}"]:
                    table[report][row["gas"]] = Decimal(value)
    return MappingProxyType(table)


def rebase(factor: Factor) -> tuple[Factor, bool]:
    """The factor on AR6 and whether all of it could be rebased; parts without a gas split stay as
    published.
    """
    if factor.gas_scope == "CO2_only" or factor.gwp_basis.startswith("AR6"):
        return factor, True
    old = factor.gwp_basis[:3]
    split = (factor.co2_kg, factor.ch4_kgco2e, factor.n2o_kgco2e)
    co2, ch4, n2o = split
    if co2 is None or ch4 is None or n2o is None or old not in ("AR4", "AR5") or factor.ttw is None:
        return factor, False
    table = gwp_table()
    new, was = table["AR6"], table[old]
    ttw = co2 + ch4 * new["CH4"] / was["CH4"] + n2o * new["N2O"] / was["N2O"]
    rest = factor.wtt if factor.wtt is not None else _rest(factor)
    total = None if rest is None else ttw + rest
    return replace(factor, ttw=ttw, total=total), not rest


def _rest(factor: Factor) -> Decimal | None:
    return None if factor.total is None or factor.ttw is None else factor.total - factor.ttw

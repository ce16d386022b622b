"""The band around a figure: GSD95 from pedigree scores, p5–p95 by a closed lognormal form.

First cut without draws (the Monte Carlo of the design needs numpy and lives elsewhere):
1. `GSD95 = exp √(Σ ln(uf_i)² + ln(basic)²)`; σ = ln(GSD95) ÷ 2; the point value is the median.
2. Elements that share their first factor id move together: their standard deviations add. All others are
   independent: their variances add.
3. The sum is read as a lognormal with that mean and variance (Fenton–Wilkinson); p5, p50, p95 come from it.

Elements without scores use `DEFAULT_PEDIGREE` of their data type. These scores are our own engineering
judgement,
stated here and on every band; replace them with real scores where they are known.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from decimal import Decimal, localcontext
from functools import cache, lru_cache
from typing import NamedTuple

from carbon.core.gases import DATA
from carbon.core.model import ZERO, ElementResult, Pedigree
from carbon.core.rounding import CONTEXT, exact

Z95 = Decimal("1.6448536269514722")
TWO = Decimal(2)
INDICATORS = ("reliability", "completeness", "temporal", "geographical", "technological")
DEFAULT_PEDIGREE: Mapping[str, Pedigree] = {
    "primary": Pedigree(1, 1, 1, 1, 1, Decimal("1.05")),
    "modelled": Pedigree(2, 2, 2, 2, 3, Decimal("1.20")),
    "default": Pedigree(4, 3, 3, 5, 3, Decimal("1.50")),
}


class Band(NamedTuple):
    """p5, p50 and p95 of a figure in kg CO2e."""

    p5_kg: Decimal
    p50_kg: Decimal
    p95_kg: Decimal


@cache
def _uncertainty_factors() -> Mapping[tuple[str, str, int], Decimal]:
    table: dict[tuple[str, str, int], Decimal] = {}
    with (DATA / "pedigree_uncertainty.csv").open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            for name in ("expert", "empirical"):
                table[name, row["indicator"], int(row["score"])] = Decimal(row[f"uf_{name}"])
    return table


@cache
def gsd95(pedigree: Pedigree) -> Decimal:
    """The 95 % geometric spread of a pedigree, at 12 decimals; 1 means no spread."""
    with localcontext(CONTEXT):
        table = _uncertainty_factors()
        logs = [table[pedigree.table, name, getattr(pedigree, name)].ln() for name in INDICATORS]
        logs.append(pedigree.basic.ln())
        return exact(sum((log * log for log in logs), ZERO).sqrt().exp())


def band(elements: Sequence[ElementResult]) -> Band:
    """The p5–p95 band of the summed total of `elements`, in kg CO2e at 12 decimals; zero stays zero."""
    with localcontext(CONTEXT):
        spreads: dict[str, Decimal] = {}
        mean = ZERO
        for element in elements:
            middle, spread = _moments(element)
            mean += middle
            group = element.factor_ids[0] if element.factor_ids else element.id
            spreads[group] = spreads.get(group, ZERO) + spread
        if mean <= 0:
            return Band(ZERO, ZERO, ZERO)
        variance = sum((spread * spread for spread in spreads.values()), ZERO)
        log_variance = (1 + variance / (mean * mean)).ln()
        median = mean / (log_variance / TWO).exp()
        reach = (Z95 * log_variance.sqrt()).exp()
        return Band(exact(median / reach), exact(median), exact(median * reach))


def _moments(element: ElementResult) -> tuple[Decimal, Decimal]:
    lift, width = _shape(element.gsd95 or gsd95(DEFAULT_PEDIGREE[element.data_type]))
    middle = element.figures.total_kg * lift
    return middle, middle * width


@lru_cache(maxsize=1024)
def _shape(spread: Decimal) -> tuple[Decimal, Decimal]:
    """Mean over median and standard deviation over mean of a lognormal with this GSD95; few spreads, many elements."""
    with localcontext(CONTEXT):
        sigma = spread.ln() / TWO
        return (sigma * sigma / TWO).exp(), ((sigma * sigma).exp() - 1).sqrt()

"""The band around a figure by Monte Carlo, and which input makes it wide; the same seed gives the same draws.

Each element is `total × factor draw × activity draw`, both lognormal around 1 as their median. The variance σ² of its
pedigree (σ = ln(GSD95) ÷ 2) is shared half and half between the two, so that one element alone keeps its GSD95. Elements
with the same first factor share its draw; activity data draw apart.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from carbon.core.uncertainty import DEFAULT_PEDIGREE, gsd95
from carbon.estimate import ElementResult

DRAWS = 10_000
GENERATOR = "PCG64"
SIX = Decimal("0.000001")
Draws = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Simulation:
    """p5, p50, p95 in kg CO2e with what is needed to draw them again; `shares` of the variance by input, largest first."""

    p5_kg: Decimal
    p50_kg: Decimal
    p95_kg: Decimal
    seed: int
    draws: int
    generator: str
    numpy_version: str
    shares: tuple[tuple[str, Decimal], ...]

    def document(self) -> dict[str, Any]:
        """As JSON, decimals as text."""
        return {
            "p5_kg": f"{self.p5_kg:f}", "p50_kg": f"{self.p50_kg:f}", "p95_kg": f"{self.p95_kg:f}",
            "seed": self.seed, "draws": self.draws, "generator": self.generator, "numpy": self.numpy_version,
            "shares": [[name, f"{share:f}"] for name, share in self.shares],
        }  # fmt: skip


def simulate(elements: Sequence[ElementResult], *, seed: int, draws: int = DRAWS) -> Simulation:
    """The band of the summed total of `elements`; inputs are named `factor:<id>` and `activity:<element>`."""
    totals = [float(element.figures.total_kg) for element in elements]
    factor_of = [_factor(element) for element in elements]
    # Without a factor all of the spread is the activity's.
    sigmas = [
        _sigma(element) / (math.sqrt(2) if name else 1)
        for element, name in zip(elements, factor_of, strict=True)
    ]
    inputs = [
        *dict.fromkeys(f"factor:{name}" for name in factor_of if name),
        *(f"activity:{element.id}" for element in elements),
    ]
    rows = np.random.Generator(np.random.PCG64(seed)).standard_normal((len(inputs), draws))
    drawn = dict(zip(inputs, rows, strict=True))
    whole = np.zeros(draws)
    parts: dict[str, Draws] = {name: np.zeros(draws) for name in inputs}
    for element, kg, sigma, name in zip(elements, totals, sigmas, factor_of, strict=True):
        activity = np.exp(sigma * drawn[f"activity:{element.id}"])
        parts[f"activity:{element.id}"] += kg * activity
        if name:
            factor = np.exp(sigma * drawn[f"factor:{name}"])
            parts[f"factor:{name}"] += kg * factor
            activity = activity * factor
        whole += kg * activity
    low, middle, high = (float(part) for part in np.quantile(whole, (0.05, 0.5, 0.95)))
    return Simulation(
        _six(low), _six(middle), _six(high), seed, draws, GENERATOR, np.__version__, _shares(parts)
    )


def no_clear_difference(a: Simulation, b: Simulation) -> bool:
    """Whether the p5–p95 bands of two options overlap by more than half of the narrower one."""
    overlap = min(a.p95_kg, b.p95_kg) - max(a.p5_kg, b.p5_kg)
    narrower = min(a.p95_kg - a.p5_kg, b.p95_kg - b.p5_kg)
    return overlap > narrower / 2 if narrower > 0 else a.p50_kg == b.p50_kg


def _shares(parts: dict[str, Draws]) -> tuple[tuple[str, Decimal], ...]:
    """Each input's share of the variance when only it moves; they add up to 1, or to 0 where nothing moves."""
    alone = {name: float(np.var(values)) for name, values in parts.items()}
    whole = sum(alone.values())
    found = [(name, _six(value / whole if whole else 0.0)) for name, value in alone.items()]
    return tuple(sorted(found, key=lambda row: (-row[1], row[0])))


def _sigma(element: ElementResult) -> float:
    spread = element.gsd95 or gsd95(DEFAULT_PEDIGREE[element.data_type])
    return math.log(float(spread)) / 2


def _factor(element: ElementResult) -> str:
    return element.factor_ids[0] if element.factor_ids else ""


def _six(value: float) -> Decimal:
    return Decimal(repr(value)).quantize(SIX)

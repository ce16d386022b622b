"""Reading the ledger: one order's figures, with everything a person needs to believe or to doubt them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from carbon.consignments import masses_and_ways
from carbon.core.bundle import bundled_factors
from carbon.estimate import STAGES, Band, ElementResult, Figures, band
from carbon.explain import explanation, summary
from carbon.models import CalculationRun, LedgerEntry
from orderhub.orders.models import Order, OrderLine
from orderhub.orders.models.order import Stage

ESTIMATE, ACTUAL = CalculationRun.Basis.ESTIMATE, CalculationRun.Basis.ACTUAL
#: Everything that was shipped has arrived, so the actual figures are whole.
_ARRIVED = frozenset({Stage.DELIVERED, Stage.COMPLETED, Stage.PARTIALLY_RETURNED, Stage.RETURNED})
ZERO = Decimal(0)
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Figure:
    """The runs of one basis that count, summed: kg CO2e, p5–p95, share of primary data, mass and way."""

    kg: Decimal
    around: Band
    market_kg: Decimal
    primary_share: Decimal
    gross_kg: Decimal
    way_km: Decimal
    by_stage: dict[str, Decimal]
    years: str
    is_whole: bool


def brief(order: Order, *, language: str) -> Json | None:
    """What the public page shows: kg with its band, basis, method, years and share of primary data; one
    query.

    Actual figures once everything has arrived, else the estimate; None where the ledger says nothing yet.
    """
    figures = _figures(_runs(order))
    basis = _basis(order, figures)
    if basis is None:
        return None
    figure = figures[basis]
    return {
        "basis": basis,
        "kg": shown(figure.kg),
        "low": shown(figure.around.p5_kg),
        "high": shown(figure.around.p95_kg),
        "text": summary(basis, figures, language=language),
        "method": _method(language),
        "year": figure.years,
        "primary_share": float(figure.primary_share),
    }


def of_order(order: Order, *, language: str = "zh-hans") -> Json | None:
    """Everything the ledger says of an order, exact figures as decimal strings; two queries, None without
    figures.

    `basis` names the headline: actual once everything has arrived, else the estimate. `lines` add up to it
    exactly.
    """
    runs = _runs(order)
    figures = _figures(runs)
    basis = _basis(order, figures)
    if basis is None:
        return None
    chosen = figures[basis]
    return {
        "basis": basis,
        "kg": _text(chosen.kg),
        "low": _text(chosen.around.p5_kg),
        "high": _text(chosen.around.p95_kg),
        "lines": _lines(order, basis),
        "estimate": _figure_json(figures.get(ESTIMATE)),
        "actual": _figure_json(figures.get(ACTUAL)),
        "elements": [element for run in runs if run.basis == basis for element in _elements(run)],
        "method": _method(language),
        "year": chosen.years,
        "primary_share": _text(chosen.primary_share),
        "explanation": explanation(figures, language=language),
    }


def shown(kg: Decimal) -> float:
    """The figure people see: two significant digits below 1 kg, three above."""
    if kg == 0:
        return 0.0
    digits = 2 if abs(kg) < 1 else 3
    return float(f"{kg:.{digits}g}")


def _runs(order: Order) -> list[CalculationRun]:
    """The runs that count: neither taken back nor taking back."""
    rows = CalculationRun.objects.filter(order=order, reverses__isnull=True, reversal__isnull=True)
    return list(rows.order_by("pk"))


def _figures(runs: Sequence[CalculationRun]) -> dict[str, Figure]:
    found = {basis: [run for run in runs if run.basis == basis] for basis in (ESTIMATE, ACTUAL)}
    return {str(basis): _figure(group) for basis, group in found.items() if group}


def _figure(runs: Sequence[CalculationRun]) -> Figure:
    elements = [_element_result(item) for run in runs for item in run.result["elements"]]
    whole = sum((element.figures.total_kg for element in elements), ZERO)
    primary = sum((e.figures.total_kg for e in elements if e.data_type == "primary"), ZERO)
    ways = [masses_and_ways(run.case) for run in runs]
    stages = {stage: sum((Decimal(run.result["by_stage"][stage]) for run in runs), ZERO) for stage in STAGES}
    moved = {run.subject for run in runs if _has(run, "line_haul")}
    return Figure(
        kg=sum((Decimal(run.result["ledger_total"]["total_kg"]) for run in runs), ZERO),
        around=band(elements),
        market_kg=sum((Decimal(run.result["total"]["market_total_kg"]) for run in runs), ZERO),
        primary_share=(primary / whole if whole else ZERO).quantize(Decimal("0.0001")),
        gross_kg=sum((mass for mass, _km in ways), ZERO),
        way_km=sum((km for _mass, km in ways), ZERO),
        by_stage=stages,
        years=_years(name for run in runs for name in run.result["factor_ids"]),
        is_whole=all(run.subject in moved for run in runs if not run.subject.startswith("return:")),
    )


def _basis(order: Order, figures: dict[str, Figure]) -> str | None:
    actual = figures.get(ACTUAL)
    if actual is not None and (ESTIMATE not in figures or (order.stage in _ARRIVED and actual.is_whole)):
        return str(ACTUAL)
    return str(ESTIMATE) if ESTIMATE in figures else None


def _has(run: CalculationRun, element: str) -> bool:
    return any(item["id"] == element for item in run.result["elements"])


def _lines(order: Order, basis: str) -> list[Json]:
    """Net figures per order line and stage; reversed runs cancel out."""
    sums: dict[int, dict[str, Decimal]] = {}
    entries = LedgerEntry.objects.filter(order=order, basis=basis).order_by("seq")
    for line_id, stage, kg in entries.values_list("order_line_id", "stage", "total_kgco2e"):
        line = sums.setdefault(line_id, {})
        line[stage] = line.get(stage, ZERO) + kg
    lines = OrderLine.objects.filter(order=order).select_related("sku").order_by("position")
    return [
        {
            "position": line.position,
            "sku": line.sku.code,
            "kg": _text(sum(sums.get(line.pk, {}).values(), ZERO)),
            "by_stage": {stage: _text(kg) for stage, kg in sorted(sums.get(line.pk, {}).items()) if kg},
        }
        for line in lines
    ]


def _elements(run: CalculationRun) -> Iterable[Json]:
    for item in run.result["elements"]:
        yield {
            "subject": run.subject,
            "stage": item["stage"],
            "element": item["id"],
            "factors": item["factors"],
            "factor": item["factors"][0] if item["factors"] else "",
            "kg": item["total_kg"],
            "market_kg": item["market_total_kg"],
            "data_type": item["data_type"],
            "flags": item["flags"],
        }


def _figure_json(figure: Figure | None) -> Json | None:
    if figure is None:
        return None
    return {
        "kg": _text(figure.kg),
        "low": _text(figure.around.p5_kg),
        "high": _text(figure.around.p95_kg),
        "market_kg": _text(figure.market_kg),
        "primary_share": _text(figure.primary_share),
        "by_stage": {stage: _text(kg) for stage, kg in figure.by_stage.items()},
        "is_whole": figure.is_whole,
    }


def _element_result(item: Json) -> ElementResult:
    """A stored element as the band needs it."""
    total = Decimal(item["total_kg"])
    figures = Figures(None, None, total, ZERO, total, total, total)
    return ElementResult(
        id=item["id"],
        kind=item["kind"],
        stage=item["stage"],
        data_type=item["data_type"],
        tkm=None,
        figures=figures,
        factor_ids=tuple(item["factors"]),
        flags=tuple(item["flags"]),
        gsd95=Decimal(item["gsd95"]) if "gsd95" in item else None,
    )


def _years(factor_ids: Iterable[str]) -> str:
    """The years of the factor editions used: "2025" or "2023–2025"."""
    bundled = bundled_factors()
    years = sorted({bundled[name].set_id.rpartition("-")[2] for name in set(factor_ids) if name in bundled})
    return "–".join(dict.fromkeys([years[0], years[-1]])) if years else ""


def _method(language: str) -> str:
    return "参照 ISO 14083 计算" if language.startswith("zh") else "Aligned with ISO 14083"


def _text(kg: Decimal) -> str:
    return f"{kg:f}"

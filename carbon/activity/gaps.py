"""Where figures rest on defaults: by site, carrier and SKU, with the datum that would narrow them most for its price.

Reads the newest calculations that count. How far a datum would narrow the band is reckoned, not guessed: the elements it
concerns are taken as measured, all others stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from carbon.core.uncertainty import band
from carbon.estimate import ElementResult, Figures
from carbon.models import CalculationRun
from orderhub.fulfillment.models import FulfillmentOrder, Parcel
from orderhub.inventory.models import Sku

ZERO = Decimal(0)
MOST_RUNS = 1000
MOST_ROWS = 12
#: What is missing where an element rests on a default, and how dear it is to get (1: somebody types it in).
DATUM_OF: Mapping[str, tuple[str, int]] = {
    "packaging": ("carton_weight", 1),
    "line_haul": ("distance", 2),
    "last_mile": ("round", 2),
    "hub": ("meter", 2),
    "rework": ("rework", 2),
    "way_back": ("return_distance", 3),
    "collection": ("return_distance", 3),
}
ESTIMATE, ACTUAL = CalculationRun.Basis.ESTIMATE, CalculationRun.Basis.ACTUAL


@dataclass(slots=True)
class Gap:
    """One place where data are missing: kg CO2e of it in all and on defaults, and what measuring it would bring."""

    kind: str
    name: str
    kg: Decimal = ZERO
    default_kg: Decimal = ZERO
    datum: str = ""
    cost: int = 9
    narrower: Decimal = ZERO
    missing: dict[str, Decimal] = field(default_factory=dict)

    @property
    def share(self) -> Decimal:
        """The share of its kg that rests on defaults, in percent."""
        return (self.default_kg / self.kg * 100).quantize(Decimal("0.1")) if self.kg else ZERO


@dataclass(frozen=True, slots=True)
class Found:
    """The gaps by kind, the largest first, and the whole they are part of."""

    runs: int
    kg: Decimal
    default_kg: Decimal
    sites: Sequence[Gap]
    carriers: Sequence[Gap]
    skus: Sequence[Gap]
    best: Sequence[Gap]

    @property
    def share(self) -> Decimal:
        """The share of all kg that rests on defaults, in percent."""
        return (self.default_kg / self.kg * 100).quantize(Decimal("0.1")) if self.kg else ZERO


def find(merchant_id: int | None) -> Found:
    """The gaps of a merchant's newest calculations, of everybody's without one; five queries."""
    runs = _runs(merchant_id)
    where = _where(runs)
    elements = [
        (run, _element(run, item), where.get(run.subject)) for run in runs for item in run.result["elements"]
    ]
    sites: dict[str, Gap] = {}
    carriers: dict[str, Gap] = {}
    owned: dict[str, list[int]] = {}
    for n, (_run, element, place) in enumerate(elements):
        if place is None:
            continue
        site, carrier = place
        of_carrier = element.id in ("line_haul", "last_mile", "way_back", "collection")
        gap = (
            carriers.setdefault(carrier, Gap("carrier", carrier))
            if of_carrier
            else sites.setdefault(site, Gap("site", site))
        )
        kg = element.figures.total_kg
        gap.kg += kg
        if element.data_type == "default":
            gap.default_kg += kg
        if element.data_type != "primary":
            datum = DATUM_OF.get(element.id, ("", 9))[0]
            if datum:
                gap.missing[datum] = gap.missing.get(datum, ZERO) + kg
                owned.setdefault(f"{gap.kind}:{gap.name}:{datum}", []).append(n)
    results = [element for _run, element, _place in elements]
    gaps = [*sites.values(), *carriers.values()]
    _price(gaps, results, owned)
    kg = sum((element.figures.total_kg for element in results), ZERO)
    on_defaults = sum((one.figures.total_kg for one in results if one.data_type == "default"), ZERO)
    best = sorted(
        (gap for gap in gaps if gap.narrower > 0), key=lambda gap: (-gap.narrower / gap.cost, gap.name)
    )
    return Found(
        len(runs), kg, on_defaults, _largest(sites.values()), _largest(carriers.values()),
        _largest(_skus(runs, merchant_id)), best[:3],
    )  # fmt: skip


def _runs(merchant_id: int | None) -> list[CalculationRun]:
    """The newest that count; of a consignment with facts only the facts."""
    rows = CalculationRun.objects.filter(reverses__isnull=True, reversal__isnull=True)
    if merchant_id is not None:
        rows = rows.filter(merchant_id=merchant_id)
    found = list(rows.order_by("-pk")[:MOST_RUNS])
    told = {run.order_id for run in found if run.basis == ACTUAL}
    return [run for run in found if run.basis == ACTUAL or run.order_id not in told]


def _where(runs: Iterable[CalculationRun]) -> dict[str, tuple[str, str]]:
    """Subject → warehouse code, carrier code."""
    ids: dict[str, list[int]] = {"parcel": [], "fulfillment": []}
    for run in runs:
        kind, _colon, pk = run.subject.partition(":")
        if kind in ids:
            ids[kind].append(int(pk))
    parcels = Parcel.objects.filter(pk__in=ids["parcel"]).values_list(
        "pk", "fulfillment__warehouse__code", "carrier"
    )
    planned = FulfillmentOrder.objects.filter(pk__in=ids["fulfillment"])
    rows = planned.values_list("pk", "warehouse__code", "rate_card__carrier")
    return {f"parcel:{pk}": (site, carrier) for pk, site, carrier in parcels} | {
        f"fulfillment:{pk}": (site, carrier) for pk, site, carrier in rows
    }


def _price(gaps: Iterable[Gap], results: Sequence[ElementResult], owned: Mapping[str, Sequence[int]]) -> None:
    """For each gap the datum that narrows the whole band most for its price."""
    now = _width(results)
    if not now:
        return
    prices = dict(DATUM_OF.values())
    for gap in gaps:
        for datum in gap.missing:
            measured = list(results)
            for n in owned[f"{gap.kind}:{gap.name}:{datum}"]:
                measured[n] = measured[n]._replace(data_type="primary", gsd95=None)
            narrower = ((now - _width(measured)) / now * 100).quantize(Decimal("0.1"))
            if narrower / prices[datum] > gap.narrower / gap.cost:
                gap.datum, gap.cost, gap.narrower = datum, prices[datum], narrower


def _width(results: Sequence[ElementResult]) -> Decimal:
    low, _middle, high = band(results)
    return high - low


def _skus(runs: Sequence[CalculationRun], merchant_id: int | None) -> list[Gap]:
    """SKUs without a volume or with a weight of nothing: their orders are parted by pieces, or fill is unknown."""
    lines = {int(line["id"]) for run in runs for line in run.case.get("lines") or () if not _has_mass(line)}
    rows = Sku.objects.filter(orderline__pk__in=lines).distinct()
    if merchant_id is not None:
        rows = rows.filter(merchant_id=merchant_id)
    return [
        Gap("sku", sku.code, Decimal(1), Decimal(1), "sku_weight", 1) for sku in rows.order_by("code")[:50]
    ]


def _has_mass(line: Mapping[str, Any]) -> bool:
    return bool(Decimal(line.get("mass_kg") or 0))


def _element(run: CalculationRun, item: Mapping[str, Any]) -> ElementResult:
    total = Decimal(item["total_kg"])
    spread = Decimal(item["gsd95"]) if "gsd95" in item else None
    figures = Figures(None, None, total, ZERO, total, total, total)
    return ElementResult(
        item["id"], item["kind"], item["stage"], item["data_type"], None, figures, tuple(item["factors"]),
        tuple(item["flags"]), spread,
    )  # fmt: skip


def _largest(gaps: Iterable[Gap]) -> list[Gap]:
    return sorted(gaps, key=lambda gap: (-gap.default_kg, gap.name))[:MOST_ROWS]

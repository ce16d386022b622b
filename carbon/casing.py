"""A live calculation as a case of the public interface, so that anyone can do it again to the same bytes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from carbon.cases import CaseReader
from carbon.estimate import (
    QUANTUM_KG,
    Allocation,
    Element,
    EnergyUse,
    Factor,
    GoodsElement,
    HubElement,
    Line,
    Options,
    PackagingElement,
    PackagingItem,
    Result,
    Share,
    TransportElement,
    band,
    calculate,
)
from carbon.results import result_json

SCHEMA = "orderhub.carbon.case/1"
Json = dict[str, Any]


def case_of(
    subject: str,
    elements: Sequence[Element],
    lines: Sequence[Line],
    *,
    allocation: Allocation,
    activity_date: date,
) -> Json:
    """The case of a planned or shipped consignment: its inputs and the figures of every factor it uses.

    Knows what live chains are made of (factor, energy, share, packaging); raises ValueError for anything
    else.
    """
    factors = {factor.id: factor for element in elements for factor in _factors(element)}
    return {
        "schema": SCHEMA,
        "id": subject,
        "activity_date": activity_date.isoformat(),
        "allocation": {"key": allocation.key},
        "factors": [factor_json(factors[name]) for name in sorted(factors)],
        "lines": [_present(id=line.id, mass_kg=line.mass_kg, items=line.items) for line in lines],
        "elements": [_element(element) for element in elements],
    }


def computed(case: Mapping[str, Any]) -> tuple[Result, Json]:
    """The result of a case and its JSON with the p5–p95 band; raises `EstimateError`."""
    reader = CaseReader(case)
    elements = [reader.element(item) for item in case["elements"]]
    lines = [reader.line(item) for item in case["lines"]]
    result, body = finished(
        elements, lines, subject=case["id"], options=reader.options(), allocation=reader.allocation()
    )
    if case.get("unknown"):
        body["unknown"] = list(case["unknown"])
    return result, body


def finished(
    elements: Sequence[Element],
    lines: Sequence[Line],
    *,
    subject: str,
    options: Options,
    allocation: Allocation,
) -> tuple[Result, Json]:
    """Calculate and put into JSON what a run keeps; raises `EstimateError`."""
    result = calculate(elements, lines, options=options, allocation=allocation)
    around = band(result.elements)
    body = result_json(result, case_id=subject, quantum=QUANTUM_KG)
    body["band"] = {
        "p5_kg": _text(around.p5_kg),
        "p50_kg": _text(around.p50_kg),
        "p95_kg": _text(around.p95_kg),
    }
    return result, body


def _factors(element: Element) -> Iterable[Factor]:
    if isinstance(element, TransportElement) and element.factor is not None:
        yield element.factor
    elif isinstance(element, HubElement):
        for use in element.energy:
            yield use.factor
            if use.market_factor is not None:
                yield use.market_factor
    elif isinstance(element, PackagingElement):
        for item in element.items:
            yield item.factor


def _element(element: Element) -> Json:
    base = _present(
        id=element.id, stage=element.stage, data_type=element.data_type, share=_share(element.share)
    )
    if element.lines is not None:
        base["lines"] = list(element.lines)
    if isinstance(element, TransportElement) and element.factor is not None:
        return base | _present(
            kind="transport",
            mode=element.mode,
            mass_kg=element.mass_kg,
            distance_km=element.distance_km,
            distance_kind=element.distance_kind,
            factor=element.factor.id,
        )
    if isinstance(element, HubElement) and element.energy:
        return base | _present(
            kind="hub", mass_kg=element.mass_kg, energy=[_energy(use) for use in element.energy]
        )
    if isinstance(element, PackagingElement):
        return base | {"kind": "packaging", "items": [_item(item) for item in element.items]}
    if isinstance(element, GoodsElement):
        return base | _present(
            kind="goods",
            pcf_kg_per_item=element.pcf_kg_per_item,
            items=element.items,
            resale_rate=element.resale_rate,
        )
    raise ValueError(f"no live chain has a {type(element).__name__} of this method")


def _energy(use: EnergyUse) -> Json:
    market = use.market_factor.id if use.market_factor is not None else None
    return _present(factor=use.factor.id, quantity=use.quantity, market_factor=market)


def _item(item: PackagingItem) -> Json:
    return _present(factor=item.factor.id, mass_kg=item.mass_kg)


def _share(share: Share | None) -> Json | None:
    return None if share is None else _present(own=share.own, total=share.total, basis=share.basis)


def factor_json(factor: Factor) -> Json:
    """A factor as a case carries it."""
    return _present(
        id=factor.id,
        unit=factor.unit,
        ttw=factor.ttw,
        wtt=factor.wtt,
        total=factor.total,
        co2=factor.co2_kg,
        ch4_co2e=factor.ch4_kgco2e,
        n2o_co2e=factor.n2o_kgco2e,
        distance_kind=factor.distance_kind,
        valid_to=factor.valid_to.isoformat() if factor.valid_to else None,
        boundary=factor.boundary,
        gwp_basis=factor.gwp_basis,
        gas_scope=factor.gas_scope,
    )


def _present(**values: object) -> Json:
    """The values that are known, decimals as plain text."""
    return {
        name: _text(value) if isinstance(value, Decimal) else value
        for name, value in values.items()
        if value is not None and value != ""
    }


def _text(value: Decimal) -> str:
    return f"{value:f}"

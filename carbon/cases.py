"""The case interface: a JSON object in, a JSON object out, decimals as strings; same engine as everything
else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from carbon.core.bundle import bundled_factors
from carbon.core.rounding import CONTEXT, exact
from carbon.estimate import (
    QUANTUM_KG,
    Allocation,
    AreaModel,
    Daf,
    Element,
    EndOfLife,
    EnergyIntensity,
    EnergyUse,
    EstimateError,
    Factor,
    GoodsElement,
    HubElement,
    Line,
    LoadModel,
    Options,
    PackagingElement,
    PackagingItem,
    Pedigree,
    Refrigerant,
    Result,
    Share,
    TransportElement,
    calculate,
    chain_total_kg,
)
from carbon.results import SCHEMA, result_json

DEFAULT_STAGE = {"transport": "transport", "hub": "warehouse", "packaging": "packaging", "goods": "return"}
ALLOCATION_KEYS = ("mass", "chargeable_mass", "volume", "items", "value")
Json = Mapping[str, Any]


def calculate_case(case: object) -> dict[str, Any]:
    """The result of one case: figures with status ok, or the first fault with status error; never raises."""
    try:
        if not isinstance(case, Mapping):
            raise EstimateError("BAD_CASE")
        _refuse_floats(case)
        return _calculated(case)
    except EstimateError as error:
        fault = {"code": error.code, "element": error.element}
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        # A field of another shape than the interface says: nothing was calculated.
        fault = {"code": "BAD_CASE", "element": None}
    name = case.get("id") if isinstance(case, Mapping) else None
    return {"schema": SCHEMA, "id": name, "status": "error", "errors": [fault]}


def _calculated(case: Json) -> dict[str, Any]:
    reader = CaseReader(case)
    wanted = case.get("options") or {}
    quantum = _positive(reader.number(wanted.get("quantum_kg"), None), QUANTUM_KG)
    elements = [reader.element(item) for item in case.get("elements") or ()]
    lines = [reader.line(item) for item in case.get("lines") or ()]
    if len({line.id for line in lines}) < len(lines) or len({e.id for e in elements}) < len(elements):
        raise EstimateError("BAD_CASE")
    if not elements:  # an empty chain is no chain that costs nothing
        raise EstimateError("MISSING_INPUT")
    options, allocation = reader.options(), reader.allocation()
    baseline = [reader.element(item) for item in (case.get("comparison") or {}).get("baseline") or ()]
    result = calculate(elements, lines, quantum=quantum, options=options, allocation=allocation)
    body = result_json(result, case_id=case.get("id"), quantum=quantum)
    if comparison := case.get("comparison"):
        before = chain_total_kg(baseline, options=options)
        orders = _positive(reader.number(comparison.get("orders"), None), Decimal(1))
        body["comparison"] = _comparison(comparison.get("basis") or "average", before, result, orders)
    return body


def _positive(given: Decimal | None, default: Decimal) -> Decimal:
    if given is not None and given <= 0:
        raise EstimateError("NEGATIVE_INPUT")
    return default if given is None else given


def _refuse_floats(case: Json) -> None:
    """Raise FLOAT_INPUT for the first JSON float anywhere, elements first, naming the element it stands in."""
    comparison = case.get("comparison")
    baseline = comparison.get("baseline") if isinstance(comparison, Mapping) else None
    for items in (case.get("elements"), baseline):
        for item in items if isinstance(items, list) else ():
            if _has_float(item):
                raise EstimateError("FLOAT_INPUT", item.get("id") if isinstance(item, Mapping) else None)
    if _has_float(case):
        raise EstimateError("FLOAT_INPUT")


def _has_float(value: object) -> bool:
    if isinstance(value, Mapping):
        return any(_has_float(part) for part in value.values())
    if isinstance(value, list):
        return any(_has_float(part) for part in value)
    return isinstance(value, float)


def _comparison(basis: str, before: Decimal, result: Result, orders: Decimal) -> dict[str, str]:
    actual = result.total.total_kg
    saving = before - actual
    return {
        "basis": basis,
        "baseline_total_kg": f"{before:f}",
        "actual_total_kg": f"{actual:f}",
        "saving_kg": f"{saving:f}",
        "saving_per_order_kg": f"{exact(CONTEXT.divide(saving, orders)):f}",
    }


class CaseReader:
    """Turns one case's JSON into engine values; raises FLOAT_INPUT, never guesses a number."""

    def __init__(self, case: Json) -> None:
        self.case = case
        self.factors = {item["id"]: self._known(item) for item in case.get("factors") or ()}

    def options(self) -> Options:
        """Options of the case with the defaults of the interface."""
        wanted = self.case.get("options") or {}
        day = self.case.get("activity_date")
        return Options(
            activity_date=date.fromisoformat(day) if day else None,
            gwp=_one_of(wanted.get("gwp"), ("as_published", "AR6")),
            electricity_basis=_one_of(wanted.get("electricity_basis"), ("location", "market")),
            allow_draft=wanted.get("allow_draft") is True,
        )

    def allocation(self) -> Allocation:
        """Allocation key and density of the case."""
        item = self.case.get("allocation") or {}
        density = self.number(item.get("density_kg_per_m3"), None)
        if density is not None and density <= 0:
            raise EstimateError("NEGATIVE_INPUT")
        return Allocation(_one_of(item.get("key"), ALLOCATION_KEYS), density)

    def line(self, item: Json) -> Line:
        """One order line."""
        numbers = (self.number(item.get(key), None) for key in ("mass_kg", "volume_m3", "items", "value"))
        return Line(item["id"], *numbers)

    def element(self, item: Json) -> Element:
        """One element of any kind."""
        name = item["id"]
        kind = item["kind"]
        base: dict[str, Any] = {
            "id": name,
            "stage": item.get("stage") or DEFAULT_STAGE[kind],
            "data_type": item.get("data_type") or "default",
            "lines": tuple(item["lines"]) if item.get("lines") is not None else None,
            "share": self._share(item.get("share"), name),
            "pedigree": self._pedigree(item.get("pedigree"), name),
        }
        if kind == "transport":
            return self._transport(item, base)
        if kind == "hub":
            return self._hub(item, base)
        if kind == "packaging":
            rows = tuple(self._item(row, name) for row in item.get("items") or ())
            return PackagingElement(**base, items=rows)
        return self._goods(item, base)

    @staticmethod
    def number(value: object, element: str | None) -> Decimal | None:
        """A decimal from a string or an integer, None from null; raises FLOAT_INPUT for a JSON float."""
        if value is None:
            return None
        if isinstance(value, float):
            raise EstimateError("FLOAT_INPUT", element)
        try:
            number = Decimal(str(value))
        except InvalidOperation:
            raise EstimateError("MISSING_INPUT", element) from None
        if not number.is_finite():
            raise EstimateError("MISSING_INPUT", element)
        return number

    def _need(self, value: object, element: str | None) -> Decimal:
        number = self.number(value, element)
        if number is None:
            raise EstimateError("MISSING_INPUT", element)
        return number

    def _needed(self, item: Json, keys: Sequence[str], element: str) -> dict[str, Decimal]:
        return {key: self._need(item.get(key), element) for key in keys}

    def _transport(self, item: Json, base: dict[str, Any]) -> TransportElement:
        name = item["id"]
        daf, model = item.get("daf"), item.get("load_model")
        return TransportElement(
            **base,
            mode=item.get("mode") or "",
            origin=item.get("from") or "",
            destination=item.get("to") or "",
            mass_kg=self.number(item.get("mass_kg"), name),
            distance_km=self.number(item.get("distance_km"), name),
            distance_kind=item.get("distance_kind"),
            factor=self._find(item["factor"]) if item.get("factor") else None,
            energy=self._energy(item, name),
            energy_intensity=tuple(
                EnergyIntensity(self._find(row["factor"]), self._need(row.get("per_tkm"), name))
                for row in item.get("energy_intensity") or ()
            ),
            load_model=self._load_model(model, name) if model else None,
            daf=Daf(self._need(daf.get("value"), name), daf.get("source") or "") if daf else None,
            mass_basis=item.get("mass_basis") or "actual",
        )

    def _load_model(self, item: Json, name: str) -> LoadModel:
        return LoadModel(
            e0=self._find(item["e0"]),
            e50=self._find(item["e50"]),
            e100=self._find(item["e100"]),
            **self._needed(item, ("payload_t", "load_factor", "empty_ratio"), name),
        )

    def _goods(self, item: Json, base: dict[str, Any]) -> GoodsElement:
        name = item["id"]
        return GoodsElement(
            **base,
            pcf_kg_per_item=self._need(item.get("pcf_kg_per_item"), name),
            items=self._need(item.get("items"), name),
            resale_rate=self._need(item.get("resale_rate"), name),
        )

    def _hub(self, item: Json, base: dict[str, Any]) -> HubElement:
        name, area = item["id"], item.get("area_model")
        return HubElement(
            **base,
            mass_kg=self.number(item.get("mass_kg"), name),
            factor=self._find(item["factor"]) if item.get("factor") else None,
            energy=self._energy(item, name),
            refrigerants=tuple(
                Refrigerant(row["gas"], self._need(row.get("kg"), name))
                for row in item.get("refrigerants") or ()
            ),
            area_model=self._area(area, name) if area else None,
        )

    def _area(self, item: Json, name: str) -> AreaModel:
        numbers = self._needed(item, ("area_m2", "kwh_per_m2_year", "days"), name)
        return AreaModel(**numbers, factor=self._find(item["factor"]))

    def _energy(self, item: Json, name: str) -> tuple[EnergyUse, ...]:
        return tuple(
            EnergyUse(
                self._find(row["factor"]),
                self._need(row.get("quantity"), name),
                self._find(row["market_factor"]) if row.get("market_factor") else None,
            )
            for row in item.get("energy") or ()
        )

    def _item(self, row: Json, name: str) -> PackagingItem:
        recycled = row.get("recycled_factor")
        cycles = self.number(row.get("cycles"), name)
        return PackagingItem(
            factor=self._find(row["factor"]),
            mass_kg=self._need(row.get("mass_kg"), name),
            recycled_share=self.number(row.get("recycled_share"), name) or Decimal(0),
            recycled_factor=self._find(recycled) if recycled else None,
            cycles=Decimal(1) if cycles is None else cycles,
            end_of_life=tuple(
                EndOfLife(self._find(route["factor"]), self._need(route.get("share"), name))
                for route in row.get("end_of_life") or ()
            ),
        )

    def _share(self, item: Json | None, name: str) -> Share | None:
        if item is None:
            return None
        return Share(
            self._need(item.get("own"), name), self._need(item.get("total"), name), item.get("basis") or ""
        )

    def _pedigree(self, item: Json | None, name: str) -> Pedigree | None:
        if item is None:
            return None
        return Pedigree(
            reliability=int(item.get("reliability") or 1),
            completeness=int(item.get("completeness") or 1),
            temporal=int(item.get("temporal") or 1),
            geographical=int(item.get("geographical") or 1),
            technological=int(item.get("technological") or 1),
            basic=self.number(item.get("basic"), name) or Decimal(1),
            table=item.get("table") or "expert",
        )

    def _find(self, factor_id: str) -> Factor:
        return (
            self.factors.get(factor_id)
            or bundled_factors().get(factor_id)
            or Factor(id=factor_id, unit="", status="unknown")
        )

    def _known(self, item: Json) -> Factor:
        """The factor of a row; the cases of a ledger name the same few hundred rows all the time."""
        if all(value.__class__ is str for value in item.values()):
            return _written(tuple(item.items()))
        return self._factor(item)

    @classmethod
    def _factor(cls, item: Json) -> Factor:
        number = {
            key: cls.number(item.get(key), None)
            for key in ("ttw", "wtt", "total", "co2", "ch4_co2e", "n2o_co2e")
        }
        return Factor(
            id=item["id"],
            unit=item["unit"],
            ttw=number["ttw"],
            wtt=number["wtt"],
            total=number["total"],
            distance_kind=item.get("distance_kind"),
            valid_to=date.fromisoformat(item["valid_to"]) if item.get("valid_to") else None,
            boundary=item.get("boundary") or "",
            gwp_basis=item.get("gwp_basis") or "",
            co2_kg=number["co2"],
            ch4_kgco2e=number["ch4_co2e"],
            n2o_kgco2e=number["n2o_co2e"],
            gas_scope=item.get("gas_scope") or "",
        )


@lru_cache(maxsize=4096)
def _written(row: tuple[tuple[str, str], ...]) -> Factor:
    return CaseReader._factor(dict(row))


def _one_of(given: object, allowed: Sequence[str]) -> str:
    """The choice, the first one where none was made; raises BAD_CASE for a word that is none of them."""
    if given is None:
        return allowed[0]
    if given not in allowed:
        raise EstimateError("BAD_CASE")
    return str(given)

"""Distance adjustment between shortest feasible, great-circle and driven kilometres."""

from __future__ import annotations

from decimal import Decimal

from carbon.core.errors import EstimateError
from carbon.core.model import ONE, TransportElement

AIR_GCD_ADDITION_KM = Decimal(95)
DAF = {
    "road": Decimal("1.05"),
    "sea": Decimal("1.15"),
    "rail": ONE,
    "iww": ONE,
    "pipeline": ONE,
}
# Kinds from the shortest to the longest reading of the same leg.
LENGTH_ORDER = {"gcd": 0, "sfd": 1, "actual": 2}


def factor_km(element: TransportElement, *, factor_kind: str | None, flags: set[str]) -> Decimal:
    """The element's kilometres in the kind its factor expects; adds DAF_APPLIED or DISTANCE_KIND_UNKNOWN.

    Raises NO_DAF where no adjustment is defined; a carrier's own `daf` wins over the table.
    """
    km = element.distance_km
    if km is None:
        raise EstimateError("MISSING_INPUT", element.id)
    kind = element.distance_kind
    if not factor_kind or not kind:
        flags.add("DISTANCE_KIND_UNKNOWN")
        return km
    if kind == factor_kind:
        return km
    flags.add("DAF_APPLIED")
    return _adjusted(element, km=km, kind=kind, factor_kind=factor_kind)


def _adjusted(element: TransportElement, *, km: Decimal, kind: str, factor_kind: str) -> Decimal:
    if element.daf is None and element.mode == "air" and {kind, factor_kind} == {"gcd", "actual"}:
        return km + AIR_GCD_ADDITION_KM if kind == "gcd" else max(km - AIR_GCD_ADDITION_KM, Decimal(0))
    ratio = element.daf.value if element.daf is not None else _table(element, kinds={kind, factor_kind})
    longer = LENGTH_ORDER[factor_kind] > LENGTH_ORDER[kind]
    return km * ratio if longer else km / ratio


def _table(element: TransportElement, *, kinds: set[str]) -> Decimal:
    if kinds != {"sfd", "actual"} or element.mode not in DAF:
        raise EstimateError("NO_DAF", element.id)
    return DAF[element.mode]

"""A stored case on the factors of another set: each factor for its counterpart, all else as it was; pure but for reading."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from carbon.casing import factor_json
from carbon.factors.loading import engine_factor
from carbon.factors.sheet import key_of
from carbon.models import Factor, FactorAlias, FactorSet

Json = dict[str, Any]


def counterparts(factor_set: FactorSet) -> Mapping[str, Json]:
    """The set's factors as case JSON by key, under the names before a renaming too; a draft is read afresh."""
    if factor_set.status == FactorSet.Status.DRAFT:
        return _read(factor_set.pk)
    return _kept(factor_set.pk, factor_set.file_sha256)


def exchanged(case: Mapping[str, Any], by_key: Mapping[str, Json]) -> tuple[Json, dict[str, str]]:
    """The case with every factor that has a counterpart exchanged, and old id → new id."""
    swapped: dict[str, str] = {}
    factors: dict[str, Json] = {}
    for factor in case.get("factors") or ():
        other = by_key.get(key_of(factor["id"]))
        if other is not None and other["unit"] == factor["unit"] and other["id"] != factor["id"]:
            swapped[factor["id"]] = other["id"]
            factor = other
        factors[factor["id"]] = factor
    if not swapped:
        return dict(case), {}
    new = {**case, "factors": [factors[name] for name in sorted(factors)]}
    new["elements"] = [_renamed(element, swapped) for element in case["elements"]]
    return new, swapped


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    """The value with these factor ids exchanged wherever a factor is named."""
    if isinstance(value, dict):
        return {
            key: names.get(part, part) if isinstance(part, str) and key in _NAMING else _renamed(part, names)
            for key, part in value.items()
        }
    if isinstance(value, list):
        return [_renamed(part, names) for part in value]
    return value


#: The fields of a case that name a factor.
_NAMING = frozenset({"factor", "market_factor", "recycled_factor", "e0", "e50", "e100"})


@lru_cache(maxsize=4)
def _kept(set_id: int, _file: str) -> Mapping[str, Json]:
    """Figures in use never change, so a process reads them once; the file tells a set from one whose number it got."""
    return _read(set_id)


def _read(set_id: int) -> Mapping[str, Json]:
    rows = Factor.objects.filter(factor_set=set_id).select_related("factor_set").order_by("-factor_id")
    found = {key_of(row.factor_id): factor_json(engine_factor(row)) for row in rows}
    for new_key, old_key in FactorAlias.objects.values_list("new_key", "old_key"):
        if new_key in found:
            found.setdefault(old_key, found[new_key])
    return found

"""From unrounded element figures to ledger entries, line sums and the ledger total, which add up exactly."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from carbon.core.elements import Raw
from carbon.core.errors import EstimateError
from carbon.core.model import (
    ZERO,
    Allocation,
    Element,
    Entry,
    GoodsElement,
    LedgerSum,
    Line,
    PackagingElement,
)
from carbon.core.rounding import CONTEXT, largest_remainder, units, whole_weights

# Commercial view only: kg per m³ where the case names no density (method_parameters.csv, road).
DEFAULT_DENSITY = Decimal(333)


@dataclass(slots=True)
class _Sums:
    ttw: Decimal | None = ZERO
    wtt: Decimal | None = ZERO
    wtw: Decimal = ZERO
    other: Decimal = ZERO


def weights_of(lines: Sequence[Line], *, allocation: Allocation) -> list[int]:
    """Whole-number weights of the lines by the allocation key; a line without the measure weighs nothing."""
    return whole_weights([_weight(line, allocation) for line in lines])


def entries_of(
    element: Element, raw: Raw, *, lines: Sequence[Line], weights: Sequence[int], quantum: Decimal
) -> list[Entry]:
    """The entries of one element over its lines; raises ZERO_WEIGHTS if none of them weighs anything."""
    if element.lines is not None:
        wanted = set(element.lines)
        chosen = [i for i, line in enumerate(lines) if line.id in wanted]
        lines, weights = [lines[i] for i in chosen], [weights[i] for i in chosen]
    if not sum(weights):
        raise EstimateError("ZERO_WEIGHTS", element.id)

    def part(kg: Decimal) -> list[int]:
        return largest_remainder(units(kg, quantum=quantum), weights=weights)

    other = part(raw.non_transport)
    if is_matter(element):
        return [
            _entry(element.id, line.id, 0, 0, 0, rest, quantum)
            for line, rest in zip(lines, other, strict=True)
        ]
    if raw.ttw is None or raw.wtt is None:
        return [
            _entry(element.id, line.id, None, None, wtw, rest, quantum)
            for line, wtw, rest in zip(lines, part(raw.wtw), other, strict=True)
        ]
    return [
        _entry(element.id, line.id, ttw, wtt, ttw + wtt, rest, quantum)
        for line, ttw, wtt, rest in zip(lines, part(raw.ttw), part(raw.wtt), other, strict=True)
    ]


def is_matter(element: Element) -> bool:
    """Whether an element is packaging or goods: no transport part, so its ttw and wtt are nothing, not
    unknown.
    """
    return isinstance(element, (PackagingElement, GoodsElement))


def _entry(
    element: str, line: str, ttw: int | None, wtt: int | None, wtw: int, other: int, quantum: Decimal
) -> Entry:
    return Entry(
        element_id=element,
        line_id=line,
        ttw_kg=_kg(ttw, quantum),
        wtt_kg=_kg(wtt, quantum),
        wtw_kg=wtw * quantum,
        non_transport_kg=other * quantum,
        total_kg=(wtw + other) * quantum,
    )


def line_sums(entries: Iterable[Entry], *, lines: Sequence[Line]) -> tuple[LedgerSum, ...]:
    """One sum per line in line order; ttw and wtt are None where an element without a split touches the
    line.
    """
    sums = {line.id: _Sums() for line in lines}
    for entry in entries:
        _add(sums[entry.line_id], entry)
    return tuple(_ledger_sum(name, total) for name, total in sums.items())


def ledger_total(entries: Iterable[Entry]) -> LedgerSum:
    """The sum of all entries; ttw and wtt are None if any element has no split."""
    total = _Sums()
    for entry in entries:
        _add(total, entry)
    return _ledger_sum("", total)


def _add(sums: _Sums, entry: Entry) -> None:
    if entry.ttw_kg is None or entry.wtt_kg is None:
        sums.ttw = sums.wtt = None
    elif sums.ttw is not None and sums.wtt is not None:
        sums.ttw += entry.ttw_kg
        sums.wtt += entry.wtt_kg
    sums.wtw += entry.wtw_kg
    sums.other += entry.non_transport_kg


def _ledger_sum(name: str, sums: _Sums) -> LedgerSum:
    return LedgerSum(
        id=name,
        ttw_kg=sums.ttw,
        wtt_kg=sums.wtt,
        wtw_kg=sums.wtw,
        non_transport_kg=sums.other,
        total_kg=sums.wtw + sums.other,
    )


def _kg(count: int | None, quantum: Decimal) -> Decimal | None:
    return None if count is None else count * quantum


def _weight(line: Line, allocation: Allocation) -> Decimal:
    if allocation.key == "chargeable_mass":
        density = allocation.density_kg_per_m3 or DEFAULT_DENSITY
        return max(line.mass_kg or ZERO, CONTEXT.multiply(line.volume_m3 or ZERO, density))
    measure = {
        "mass": line.mass_kg,
        "volume": line.volume_m3,
        "items": line.items,
        "value": line.value,
    }[allocation.key]
    return measure or ZERO

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
    made,
)
from carbon.core.rounding import CONTEXT, largest_remainder, units, whole_weights

# Commercial view only: kg per m³ where the case names no density (method_parameters.csv, road).
DEFAULT_DENSITY = Decimal(333)
#: Quanta that a figure can be quantized to as they are.
ZERO_QUANTA = {power: ZERO * power for power in (Decimal(1).scaleb(-n) for n in range(13))}


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
    if len(weights) == 1 and element.lines is None and weights[0] and quantum in ZERO_QUANTA:
        return [_whole(element, raw, lines[0].id, quantum)]
    if element.lines is not None:
        wanted = set(element.lines)
        chosen = [i for i, line in enumerate(lines) if line.id in wanted]
        lines, weights = [lines[i] for i in chosen], [weights[i] for i in chosen]
    if not sum(weights):
        raise EstimateError("ZERO_WEIGHTS", element.id)
    if len(weights) == 1 and quantum in ZERO_QUANTA:
        return [_whole(element, raw, lines[0].id, quantum)]

    def part(kg: Decimal) -> list[int]:
        count = units(kg, quantum=quantum)
        return [count] if len(weights) == 1 else largest_remainder(count, weights=weights)

    if is_matter(element):
        return [
            _entry(element.id, line.id, 0, 0, 0, rest, quantum)
            for line, rest in zip(lines, part(raw.non_transport), strict=True)
        ]
    other = part(raw.non_transport) if raw.non_transport else [0] * len(weights)
    if raw.ttw is None or raw.wtt is None:
        return [
            _entry(element.id, line.id, None, None, wtw, rest, quantum)
            for line, wtw, rest in zip(lines, part(raw.wtw), other, strict=True)
        ]
    return [
        _entry(element.id, line.id, ttw, wtt, ttw + wtt, rest, quantum)
        for line, ttw, wtt, rest in zip(lines, part(raw.ttw), part(raw.wtt), other, strict=True)
    ]


def _whole(element: Element, raw: Raw, line: str, quantum: Decimal) -> Entry:
    """What one line carries of an element that is all its own; the caller's context rounds half-even."""
    none = ZERO_QUANTA[quantum]
    if raw.ttw is None or raw.wtt is None:
        if is_matter(element):
            rest = raw.non_transport.quantize(quantum)
            return made(Entry, (element.id, line, none, none, none, rest, rest))
        wtw = raw.wtw.quantize(quantum)
        return made(Entry, (element.id, line, None, None, wtw, none, wtw))
    ttw, wtt = raw.ttw.quantize(quantum), raw.wtt.quantize(quantum)
    wtw = ttw + wtt
    return made(Entry, (element.id, line, ttw, wtt, wtw, none, wtw))


def is_matter(element: Element) -> bool:
    """Whether an element is packaging or goods: no transport part, so its ttw and wtt are nothing, not
    unknown.
    """
    return isinstance(element, (PackagingElement, GoodsElement))


def _entry(
    element: str, line: str, ttw: int | None, wtt: int | None, wtw: int, other: int, quantum: Decimal
) -> Entry:
    whole = wtw * quantum
    rest = other * quantum
    return Entry(
        element,
        line,
        None if ttw is None else ttw * quantum,
        None if wtt is None else wtt * quantum,
        whole,
        rest,
        (wtw + other) * quantum if other else whole,
    )


def line_sums(entries: Iterable[Entry], *, lines: Sequence[Line]) -> tuple[LedgerSum, ...]:
    """One sum per line in line order; ttw and wtt are None where an element without a split touches the
    line.
    """
    if len(lines) == 1:
        return (_sum_of_one(entries, lines[0].id),)
    sums = {line.id: _Sums() for line in lines}
    for entry in entries:
        _add(sums[entry.line_id], entry)
    return tuple(_ledger_sum(name, total) for name, total in sums.items())


def _sum_of_one(entries: Iterable[Entry], line: str) -> LedgerSum:
    """The sum of entries that all belong to one line."""
    ttw = wtt = wtw = other = ZERO
    is_split = True
    for _element, _line, operation, provision, both, rest, _total in entries:
        if operation is None or provision is None:
            is_split = False
        elif is_split:
            ttw += operation
            wtt += provision
        wtw += both
        other += rest
    known = (ttw, wtt) if is_split else (None, None)
    return made(LedgerSum, (line, *known, wtw, other, wtw + other))


def ledger_total(entries: Iterable[Entry], lines: Sequence[LedgerSum]) -> LedgerSum:
    """The sum of all entries, of which `lines` are the sums; ttw and wtt are None if any element has no split."""
    if len(lines) == 1:
        return made(LedgerSum, ("", *lines[0][1:]))
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


def _weight(line: Line, allocation: Allocation) -> Decimal:
    if allocation.key == "mass":
        return line.mass_kg or ZERO
    if allocation.key == "chargeable_mass":
        density = allocation.density_kg_per_m3 or DEFAULT_DENSITY
        return max(line.mass_kg or ZERO, CONTEXT.multiply(line.volume_m3 or ZERO, density))
    measure = {
        "volume": line.volume_m3,
        "items": line.items,
        "value": line.value,
    }[allocation.key]
    return measure or ZERO

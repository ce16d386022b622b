"""The audit book: a spreadsheet whose figures are formulas, so that an auditor changes a factor and sees the ledger move.

Sheets: Factors (the cells to change), Terms (activity × factor), Elements (rounded to the ledger's quantum, beside the
ledger's own figure), Summary.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Sum
from django.utils.translation import gettext as _
from openpyxl import Workbook
from openpyxl.styles import Font, PatternFill
from openpyxl.utils import get_column_letter

from carbon.estimate import STAGES, Factor, GoodsElement
from carbon.models import CalculationRun, LedgerEntry
from carbon.reports import scope, terms
from carbon.reports.scope import Scope
from orderhub.inventory.admin_base import neutral
from orderhub.kernel.errors import Refused

#: A book of more elements than these opens in no spreadsheet any more.
MOST_RUNS = 20_000
_BOLD = Font(bold=True)
_INPUT = PatternFill("solid", fgColor="FFF4CE")
_FACTORS = ("factor", "unit", "TTW kg", "WTT kg", "total kg", "boundary", "GWP", "valid to")
_TERMS = (
    "run", "order", "element", "stage", "shape", "mass kg", "km", "adjustment", "quantity", "own", "total",
    "factor", "amount", "TTW kg", "WTT kg", "total kg",
)  # fmt: skip
_ELEMENTS = (
    "key", "run", "order", "element", "stage", "data", "TTW kg", "WTT kg", "other kg", "total kg", "ledger kg",
    "difference",
)  # fmt: skip


@dataclass(slots=True)
class _Row:
    """An element of the book: where it stands and what the ledger says of it."""

    run: CalculationRun
    part: terms.Part
    ledger_kg: Decimal


def book(wanted: Scope) -> bytes:
    """The workbook of a scope; raises Refused where it would be too large."""
    runs = list(scope.runs(wanted).select_related("order")[: MOST_RUNS + 1])
    if len(runs) > MOST_RUNS:
        raise Refused(
            "audit_book_too_large",
            _("A book of so many calculations opens in no spreadsheet."),
            remedy=_("Choose a shorter period."),
        )
    posted = _posted(runs)
    rows = [
        _Row(run, part, posted.get((run.pk, part.element.id), Decimal(0)))
        for run in runs
        for part in terms.parts(run)
    ]
    out = Workbook()
    out.remove(out.active)
    summary = out.create_sheet("Summary")
    factors = {term.factor.id: term.factor for row in rows for term in row.part.terms}
    _factors(out.create_sheet("Factors"), factors)
    count = _terms(out.create_sheet("Terms"), rows, len(factors))
    _elements(out.create_sheet("Elements"), rows, count)
    _summary(summary, wanted, len(rows))
    file = io.BytesIO()
    out.save(file)
    return file.getvalue()


def _posted(runs: Sequence[CalculationRun]) -> Mapping[tuple[int, str], Decimal]:
    """What the ledger holds for each element; one query."""
    entries = LedgerEntry.objects.filter(run__in=[run.pk for run in runs]).order_by()
    summed = entries.values("run_id", "element").annotate(kg=Sum("total_kgco2e"))
    return {
        (row["run_id"], row["element"]): Decimal(row["kg"]).quantize(Decimal("0.000001")) for row in summed
    }


def _factors(sheet: Any, factors: Mapping[str, Factor]) -> None:
    _head(sheet, _FACTORS, (70, 10, 14, 14, 14, 26, 10, 12))
    for name in sorted(factors):
        one = factors[name]
        split = one.ttw is not None and one.wtt is not None
        line = sheet.max_row + 1
        total = f"=C{line}+D{line}" if split else _number(one.total)
        valid = one.valid_to.isoformat() if one.valid_to else ""
        ttw, wtt = (_number(one.ttw), _number(one.wtt)) if split else (None, None)
        sheet.append([neutral(name), one.unit, ttw, wtt, total, one.boundary, one.gwp_basis, valid])
        for letter in "CD" if split else "E":
            sheet[f"{letter}{line}"].fill = _INPUT


def _terms(sheet: Any, rows: Sequence[_Row], factors: int) -> int:
    """A line a term; the figures look the factor up."""
    _head(sheet, _TERMS, (8, 20, 14, 12, 9, 12, 12, 12, 14, 10, 10, 60, 16, 16, 16, 16))
    last = factors + 1
    for row in rows:
        for term in row.part.terms:
            n = sheet.max_row + 1
            found = f"MATCH(L{n},Factors!$A$2:$A${last},0)"
            sheet.append([
                row.run.pk, row.run.order.number, term.element, row.part.element.stage, term.shape,
                _number(term.mass_kg), _number(term.km), _number(term.adjustment), _number(term.quantity),
                _number(term.own), _number(term.total), neutral(term.factor.id), _AMOUNTS[term.shape].format(n=n),
                f"=M{n}*N(INDEX(Factors!$C$2:$C${last},{found}))", f"=M{n}*N(INDEX(Factors!$D$2:$D${last},{found}))",
                f"=M{n}*INDEX(Factors!$E$2:$E${last},{found})",
            ])  # fmt: skip
    return int(sheet.max_row)


_AMOUNTS = {
    "tkm": "=F{n}/1000*G{n}*H{n}", "vkm": "=G{n}*H{n}*J{n}/K{n}", "energy": "=I{n}*J{n}/K{n}", "tonnes": "=F{n}/1000",
    "mass": "=I{n}/K{n}", "other": "=I{n}",
}  # fmt: skip


def _elements(sheet: Any, rows: Sequence[_Row], count: int) -> None:
    """An element a line, rounded as the ledger rounds: its parts each to a millionth of a kilogram."""
    _head(sheet, _ELEMENTS, (22, 8, 20, 14, 12, 10, 16, 16, 16, 16, 16, 16))
    for row in rows:
        n = sheet.max_row + 1
        element, figures = row.part.element, row.part.figures
        if row.part.terms:
            split = figures["ttw_kg"] is not None
            ttw = _rounded("N", n, count) if split else None
            wtt = _rounded("O", n, count) if split else None
            other = None if split else _rounded("P", n, count)
        else:
            ttw = wtt = None
            other = _goods(element)
        sheet.append([
            f"{row.run.pk}/{element.id}", row.run.pk, row.run.order.number, element.id, element.stage,
            element.data_type, ttw, wtt, other, f"=SUM(G{n}:I{n})", _number(row.ledger_kg), f"=ROUND(J{n}-K{n},6)",
        ])  # fmt: skip


def _rounded(column: str, n: int, count: int) -> str:
    """The sum of an element's terms, rounded to the ledger's quantum."""
    cells = f"Terms!${column}$2:${column}${count}"
    return f"=ROUND(SUMIFS({cells},Terms!$A$2:$A${count},B{n},Terms!$C$2:$C${count},D{n}),6)"


def _goods(element: Any) -> str | None:
    if not isinstance(element, GoodsElement):
        return None
    return f"=ROUND({element.pcf_kg_per_item:f}*{element.items:f}*(1-{element.resale_rate:f}),6)"


def _summary(sheet: Any, wanted: Scope, count: int) -> None:
    sheet.append(["OrderHub carbon audit book"])
    sheet["A1"].font = _BOLD
    sheet.append(["orders placed", f"{wanted.since} – {wanted.until} ({wanted.zone})"])
    sheet.append(["method", "aligned with ISO 14083:2023; not certified; offsets are in no figure"])
    sheet.append(["how to use", "change a yellow cell on Factors; all figures follow"])
    sheet.append([])
    sheet.append(["stage", "recalculated kg CO2e", "ledger kg CO2e", "difference"])
    for cell in sheet[6]:
        cell.font = _BOLD
    last = count + 1
    for stage in STAGES:
        n = sheet.max_row + 1
        by = f"Elements!$E$2:$E${last},A{n}"
        sheet.append([
            stage, f"=SUMIFS(Elements!$J$2:$J${last},{by})", f"=SUMIFS(Elements!$K$2:$K${last},{by})",
            f"=ROUND(B{n}-C{n},6)",
        ])  # fmt: skip
    n = sheet.max_row + 1
    first = n - len(STAGES)
    sheet.append(["total", f"=SUM(B{first}:B{n - 1})", f"=SUM(C{first}:C{n - 1})", f"=ROUND(B{n}-C{n},6)"])
    for cell in sheet[n]:
        cell.font = _BOLD
    _widths(sheet, (24, 26, 22, 16))


def _head(sheet: Any, names: Sequence[str], widths: Sequence[int]) -> None:
    sheet.append(list(names))
    for cell in sheet[1]:
        cell.font = _BOLD
    sheet.freeze_panes = "A2"
    _widths(sheet, widths)


def _widths(sheet: Any, widths: Sequence[int]) -> None:
    for number, width in enumerate(widths, 1):
        sheet.column_dimensions[get_column_letter(number)].width = width


def _number(value: Decimal | None) -> Any:
    """A number a spreadsheet reckons with; it keeps 15 digits of it, and says so nowhere, hence the rounding to 6."""
    return None if value is None else float(value)

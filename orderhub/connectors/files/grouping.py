"""Gathers the rows of a whole file, or of Taobao's two, into orders: a bad row keeps its whole order out.

Which row reports what:
- a row reports one fault, its own first one; good rows of a refused order report nothing;
- a row that repeats a line, or a head where there may be only one, is a duplicate and changes nothing;
- a row whose shared cells differ from the first row of its order is the one with the conflict.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Sequence
from dataclasses import dataclass, field

from orderhub.connectors.files import cells as read
from orderhub.connectors.files import parsed, records
from orderhub.connectors.files.faults import CellFault, RowError
from orderhub.connectors.files.memo import Memo
from orderhub.connectors.files.order_rows import OrderRows, Regions, RegionVerdict
from orderhub.connectors.files.rows import Sheet

__all__ = ["Catalog", "Gathering", "RegionVerdict", "Regions", "number_of", "row_error", "usable"]

Catalog = Callable[[Collection[str]], Container[str]]


@dataclass(slots=True)
class _Line:
    content: parsed.SealedLine
    #: Number of the file and row in it.
    at: tuple[int, int]
    is_repeat: bool = False


@dataclass(slots=True)
class _Draft:
    """What is known so far of one order number."""

    head: parsed.Head | None = None
    #: The first row's shared cells: later rows that repeat them exactly are not read again.
    shared: tuple[str, ...] | None = None
    head_at: tuple[int, int] | None = None
    lines: list[_Line] = field(default_factory=list)
    line_ids: set[str | int] = field(default_factory=set)
    is_refused: bool = False
    #: A whole repetition of this order began: what follows are its lines again.
    is_repeating: bool = False
    has_repeats: bool = False


def usable(sheet: Sheet, record: records.Record) -> list[str]:
    """The record's cells with one blank added for absent columns; CellFault where the record is damaged."""
    cells, width = record.cells, len(sheet.header)
    if record.fault:
        value = cells[record.column] if 0 <= record.column < len(cells) else ""
        raise CellFault(record.fault, f"#{record.column}", value, record.facts)
    while len(cells) > width and not cells[-1].strip():
        cells.pop()
    if len(cells) != width:
        raise CellFault("ragged_row", "", "", {"seen": len(cells), "expected": width})
    cells.append("")
    return cells


def row_error(sheet: Sheet, row: int, order_no: str, fault: CellFault) -> RowError:
    """The fault as the merchant sees it: with the header's own column name."""
    column = ""
    if fault.field.startswith("#"):
        number = int(fault.field[1:])
        column = sheet.header[number] if 0 <= number < len(sheet.header) else ""
    elif fault.field:
        column = sheet.column(fault.field)
    return RowError(sheet.name, row, order_no, column, fault.kind, fault.value, fault.facts)


def number_of(cell: str) -> str:
    """The order number in a cell; CellFault where there is none that can be used."""
    if "\ufffd" in cell or "\x00" in cell:
        raise CellFault("bad_bytes", "order_no", cell)
    return read.order_number(cell)


class Gathering:
    """The orders of some rows: all rows of an order number must come to one gathering, in file order.

    At most `max_errors` errors are kept, the others only counted.
    """

    def __init__(self, sheets: Sequence[OrderRows], *, max_errors: int) -> None:
        self._sheets = sheets
        self._names = [sheet.sheet.name for sheet in sheets]
        self._max_errors = max_errors
        self._drafts: dict[str, _Draft] = {}
        self._errors: list[tuple[int, RowError]] = []
        self._unlisted_errors = 0
        self._numbers = Memo(number_of)
        self.rows = 0

    def take(self, file: int, record: records.Record) -> None:
        """Add one record of the file with this number; its fault, if any, becomes one error."""
        self.rows += 1
        order_no, sheet = "", self._sheets[file]
        try:
            order_no = self._order_no(sheet, record)
            self._add(sheet, (file, record.row), order_no, usable(sheet.sheet, record))
        except CellFault as fault:
            if not order_no and fault.kind == "sci_order_no":
                order_no = fault.value
            elif order_no and fault.kind not in ("duplicate_order", "detail_without_order"):
                self._refuse(sheet, order_no)
            self._note(file, record.row, order_no, fault)

    def _refuse(self, sheet: OrderRows, order_no: str) -> None:
        """Keep the order out; a detail row does not bring an order into being."""
        if sheet.part != "line" or order_no in self._drafts:
            self._drafts.setdefault(order_no, _Draft()).is_refused = True

    def _note(self, file: int, row: int, order_no: str, fault: CellFault) -> None:
        if len(self._errors) < self._max_errors:
            self._errors.append((file, row_error(self._sheets[file].sheet, row, order_no, fault)))
        else:
            self._unlisted_errors += 1

    def _order_no(self, sheet: OrderRows, record: records.Record) -> str:
        """The order a record belongs to; blank for a damaged record whose own cell tells nothing."""
        cells, column = record.cells, sheet.number_at
        try:
            return self._numbers[cells[column] if column < len(cells) else ""]
        except CellFault:
            if record.fault or len(cells) < sheet.width:
                return ""
            raise

    def _add(self, sheet: OrderRows, at: tuple[int, int], order_no: str, cells: list[str]) -> None:
        draft = self._drafts.get(order_no)
        if draft is None:
            if sheet.part == "line":
                raise CellFault("detail_without_order", "order_no", order_no)
            draft = self._drafts[order_no] = _Draft()
        is_repeat = sheet.part != "head" and self._is_repeat(sheet, draft, cells)
        if sheet.part != "line":
            self._add_head(sheet, at, draft, cells)
        if sheet.part != "head":
            draft.lines.append(_Line(sheet.line(cells), at, is_repeat))

    @staticmethod
    def _is_repeat(sheet: OrderRows, draft: _Draft, cells: list[str]) -> bool:
        """Whether this row's line was there before; a repeat that can be judged at once raises CellFault.

        Without line ids two equal rows are a repeat, except where a channel lists equal lines (Shopify);
        Taobao's are judged at the end by the number of pieces that the order announces.
        """
        if sheet.is_head_once:
            return False
        line_id = read.unwrapped(cells[sheet.line_no_at]) or hash(tuple(cells))
        if line_id not in draft.line_ids:
            draft.line_ids.add(line_id)
            return False
        if sheet.part == "line":
            draft.has_repeats = True
            return True
        raise CellFault("duplicate_order", "order_no", cells[sheet.number_at])

    def _add_head(self, sheet: OrderRows, at: tuple[int, int], draft: _Draft, cells: list[str]) -> None:
        shared = sheet.shared_cells(cells)
        if not sheet.is_head_once and shared == draft.shared:
            return
        if sheet.is_head_once and sheet.part == "both":
            is_blank = sheet.is_continuation(cells)
        else:
            is_blank = not "".join(shared).strip()
        if draft.shared is not None and sheet.is_head_once and not is_blank:
            draft.is_repeating = sheet.part == "both"
            raise CellFault("duplicate_order", "order_no", cells[sheet.number_at])
        if draft.is_repeating:
            raise CellFault("duplicate_order", "order_no", cells[sheet.number_at])
        if is_blank and sheet.part == "both":
            return
        if draft.shared is None:
            draft.shared, draft.head_at = shared, at
            draft.head = sheet.head(cells)
        elif shared != draft.shared and not draft.is_refused:
            self._compare(sheet, draft, cells)

    @staticmethod
    def _compare(sheet: OrderRows, draft: _Draft, cells: list[str]) -> None:
        """CellFault when a later row means something else than the first; another spelling is no conflict."""
        head, first = sheet.head(cells), draft.head
        if first is None or head == first:
            return
        ours = next(name for name, old, new in zip(head._fields, first, head, strict=True) if old != new)
        ours = "paid_at" if ours == "paid" else ours
        raise CellFault(
            "header_conflict",
            ours,
            sheet.sheet.cell(cells, ours),
            {"first_row": (draft.head_at or (0, 0))[1]},
        )

    def finish(self, *, catalog: Catalog) -> parsed.Result:
        """Judge what only all rows together can tell and give out the orders and errors in file order."""
        wanted = {line.content.line.sku for draft in self._drafts.values() for line in draft.lines}
        known = catalog(wanted)
        orders = []
        for order_no, draft in self._drafts.items():
            self._check_lines(order_no, draft, known)
            if not draft.is_refused:
                orders.append(self._order(order_no, draft))
        self._errors.sort(key=lambda found: (found[0], found[1].row))
        errors = [error for _, error in self._errors]
        return parsed.Result(orders, errors, self.rows, self._unlisted_errors)

    def _check_lines(self, order_no: str, draft: _Draft, known: Container[str]) -> None:
        self._drop_repeats(order_no, draft)
        if draft.head is None and not draft.is_refused:
            draft.is_refused = True
            for line in draft.lines:
                self._note(*line.at, order_no, CellFault("detail_without_order", "order_no", order_no))
            return
        for line in draft.lines:
            if line.content.line.sku not in known:
                draft.is_refused = True
                self._note(*line.at, order_no, CellFault("unknown_sku", "sku", line.content.line.sku))
        if not draft.lines and not draft.is_refused and draft.head_at:
            draft.is_refused = True
            self._note(*draft.head_at, order_no, CellFault("order_without_detail", "order_no", order_no))

    def _drop_repeats(self, order_no: str, draft: _Draft) -> None:
        """Equal detail rows are real where the order's announced pieces count them, else duplicates."""
        if not draft.has_repeats:
            return
        units = draft.head.units if draft.head else None
        if units == sum(line.content.line.quantity for line in draft.lines):
            return
        repeats = [line for line in draft.lines if line.is_repeat]
        draft.lines = [line for line in draft.lines if not line.is_repeat]
        for line in repeats:
            self._note(*line.at, order_no, CellFault("duplicate_order", "order_no", order_no))

    def _order(self, order_no: str, draft: _Draft) -> parsed.ParsedOrder:
        assert draft.head is not None
        assert draft.head_at is not None
        places = dict.fromkeys([draft.head_at, *[line.at for line in draft.lines]])
        return parsed.order(
            order_no,
            draft.head,
            [line.content for line in draft.lines],
            where=tuple([(self._names[file], row) for file, row in places]),
        )

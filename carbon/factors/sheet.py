"""Rows of a factor table, checked before anything is stored: every fault with its row, its column and a code.

The columns are those of the bundled tables; units are brought to ours. Nothing here touches the database.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

Row = Mapping[str, object]

#: Our units and the other names a sheet may give them.
UNITS: Mapping[str, tuple[str, ...]] = {
    "tkm": ("t.km", "t·km", "tonne.km", "tonne-km", "tonne km", "tonne.kilometre", "t-km"),
    "vkm": ("km", "vehicle-km", "vehicle km", "v.km", "veh.km"),
    "t": (),
    "tonne": ("tonnes", "metric ton"),
    "kwh_gross_cv": ("kwh (gross cv)",),
    "kwh_net_cv": ("kwh (net cv)",),
    "kg": ("kilogram", "kilograms"),
    "kwh": ("kw h", "kilowatt-hour", "kw·h"),
    "gj": ("gigajoule",),
    "litre": ("l", "liter", "litres", "liters"),
    "m3": ("m³", "cubic metre", "cubic metres", "cubic meter"),
    "usd2022": (),
}
_UNIT_OF = {name.casefold(): unit for unit, names in UNITS.items() for name in (unit, *names)}
#: What a kind may be counted in.
UNITS_OF_KIND: Mapping[str, frozenset[str]] = {
    "freight": frozenset({"tkm", "vkm"}),
    "hub": frozenset({"t"}),
    "electricity": frozenset({"kwh"}),
    "fuel": frozenset({"kg", "tonne", "litre", "m3", "kwh", "kwh_gross_cv", "kwh_net_cv", "gj"}),
    "packaging": frozenset({"kg"}),
    "end_of_life": frozenset({"kg"}),
    "spend": frozenset({"usd2022"}),
}
FIGURES = ("ttw_kgco2e", "wtt_kgco2e", "total_kgco2e", "co2_kg", "ch4_kgco2e", "n2o_kgco2e")
REQUIRED = ("factor_id", "kind", "activity_unit")
#: With the code of its set and a day it still fits the column of ids.
LONGEST_KEY = 108
DISTANCE_KINDS = frozenset({"", "sfd", "gcd", "actual"})
#: Credits exist at the end of life only.
_MAY_BE_NEGATIVE = frozenset({"end_of_life"})


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong: the row of the sheet (its head is row 1; 0: the whole sheet), the column, a code and a value."""

    row: int
    column: str
    code: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class FactorRow:
    """A sound row: `key` is the id without the edition before its first slash."""

    row: int
    key: str
    kind: str
    mode: str
    item: str
    unit: str
    figures: Mapping[str, Decimal | None]
    gas_scope: str
    boundary: str
    distance_kind: str
    region: str
    gwp_basis: str
    valid_from: date | None
    valid_to: date | None
    note: str


def key_of(factor_id: str) -> str:
    """What a factor is called in every edition; a day behind "@" tells two of one set apart."""
    return (factor_id.partition("/")[2] or factor_id).partition("@")[0]


def read(rows: Iterable[Row]) -> tuple[list[FactorRow], list[Fault]]:
    """The sound rows and all faults, in the order of the sheet."""
    found: list[FactorRow] = []
    faults: list[Fault] = []
    given = list(rows)
    missing = [name for name in REQUIRED if given and name not in given[0]]
    if not given or missing:
        return [], [Fault(0, name, "column_missing") for name in missing] or [Fault(0, "", "empty")]
    for number, row in enumerate(given, start=2):
        own = _Reader(number, row)
        factor = own.factor()
        faults += own.faults
        if not own.faults:
            found.append(factor)
    return found, [*faults, *_overlaps(found)]


def vanished_regions(rows: Iterable[FactorRow], before: Iterable[tuple[str, str]]) -> list[Fault]:
    """A fault per region that (kind, region) pairs of the edition before had and this one has no longer."""
    now = {(row.kind, row.region) for row in rows}
    kinds = {kind for kind, _region in now}
    gone = {pair for pair in before if pair[0] in kinds and pair[1] and pair not in now}
    return [Fault(0, "region", "region_vanished", f"{kind}: {region}") for kind, region in sorted(gone)]


def _overlaps(rows: Sequence[FactorRow]) -> list[Fault]:
    """Rows of one key whose times of validity overlap; an open end reaches forever."""
    faults: list[Fault] = []
    by_key: dict[str, list[FactorRow]] = {}
    for row in rows:
        others = by_key.setdefault(row.key, [])
        if any(_start(row) <= _end(other) and _start(other) <= _end(row) for other in others):
            faults.append(Fault(row.row, "valid_from", "validity_overlaps", row.key))
        others.append(row)
    return faults


def _start(row: FactorRow) -> date:
    return row.valid_from or date.min


def _end(row: FactorRow) -> date:
    return row.valid_to or date.max


class _Reader:
    """Reads one row and collects its faults."""

    def __init__(self, number: int, row: Row) -> None:
        self.number, self.row = number, row
        self.faults: list[Fault] = []

    def factor(self) -> FactorRow:
        """The row as values; only to be used where no fault was found."""
        key = key_of(self.text("factor_id"))
        if not key or len(key) > LONGEST_KEY:
            self.fault("factor_id", "too_long" if key else "missing", key)
        kind = self.text("kind")
        figures = {name: self.number_in(name, kind) for name in FIGURES}
        self._check_sum(figures)
        since, until = self.day("valid_from"), self.day("valid_to")
        if since and until and until < since:
            self.fault("valid_to", "ends_before_it_begins", until.isoformat())
        kinds = self.text("distance_kind")
        if kinds not in DISTANCE_KINDS:
            self.fault("distance_kind", "distance_kind_unknown", kinds)
        label = " · ".join(part for part in (self.text(name) for name in ("item", "size", "variant")) if part)
        return FactorRow(
            row=self.number, key=key, kind=kind, mode=self.text("mode")[:60], item=label[:200],
            unit=self._unit(kind), figures=figures, gas_scope=self.text("gas_scope")[:20],
            boundary=self.text("boundary")[:60], distance_kind=kinds, region=self.text("region")[:60],
            gwp_basis=self.text("gwp_basis")[:60], valid_from=since, valid_to=until, note=self.text("note"),
        )  # fmt: skip

    def fault(self, column: str, code: str, value: str = "") -> None:
        """Keep a fault of this row."""
        self.faults.append(Fault(self.number, column, code, value[:80]))

    def text(self, name: str) -> str:
        """A cell as text; an empty one is ""."""
        value = self.row.get(name)
        return "" if value is None else str(value).strip()

    def number_in(self, name: str, kind: str) -> Decimal | None:
        """A figure; empty is unknown. Text and negative figures are faults."""
        text = self.text(name)
        if not text:
            return None
        try:
            number = Decimal(text)
        except InvalidOperation:
            self.fault(name, "not_a_number", text)
            return None
        if not number.is_finite() or abs(number) >= 10**9:
            self.fault(name, "not_a_number", text)
            return None
        if number < 0 and kind not in _MAY_BE_NEGATIVE:
            self.fault(name, "negative", text)
        return number

    def day(self, name: str) -> date | None:
        """A date as ISO text or a cell of a workbook."""
        value = self.row.get(name)
        if isinstance(value, datetime):
            return value.date()
        if isinstance(value, date):
            return value
        text = self.text(name)
        try:
            return date.fromisoformat(text[:10]) if text else None
        except ValueError:
            self.fault(name, "not_a_date", text)
            return None

    def _unit(self, kind: str) -> str:
        text = self.text("activity_unit")
        unit = _UNIT_OF.get(text.casefold(), "")
        allowed = UNITS_OF_KIND.get(kind)
        if allowed is None:
            self.fault("kind", "kind_unknown", kind)
        elif unit not in allowed:
            self.fault("activity_unit", "unit_wrong", text)
        return unit

    def _check_sum(self, figures: Mapping[str, Decimal | None]) -> None:
        ttw, wtt, total = (figures[name] for name in FIGURES[:3])
        if total is None and (ttw is None or wtt is None):
            if not self.faults or self.faults[-1].column not in FIGURES:
                self.fault("total_kgco2e", "incomplete")
        elif (
            ttw is not None
            and wtt is not None
            and total is not None
            and abs(ttw + wtt - total) > Decimal("0.00002")
        ):
            self.fault("total_kgco2e", "sum_differs", f"{ttw + wtt} ≠ {total}")

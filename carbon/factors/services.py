"""Factor sets from files: checked, stored as a draft, compared with what is in force, activated for good."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext_lazy as _
from import_export.formats.base_formats import CSV, XLSX

from carbon.core.rounding import exact
from carbon.factors import loading
from carbon.factors.sheet import FactorRow, Fault, Row, key_of, read, vanished_regions
from carbon.models import Factor, FactorAlias, FactorSet
from orderhub.events import rows as row_writer
from orderhub.kernel.errors import Refused

MOST_BYTES = 20_000_000
MOST_ROWS = 50_000
#: Publishers whose books are licensed: their figures never leave this installation.
RESTRICTED = (
    "glec",
    "smart freight centre",
    "iea",
    "international energy agency",
    "ecoinvent",
    "cpcd",
    "gb/t",
    "ntm",
)
_PERCENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class About:
    """What a person says of a book of factors."""

    code: str
    publisher: str
    version: str
    licence: str
    attribution: str
    redistributable: bool
    gwp_basis: str = ""
    region: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """One factor beside the edition before; a figure is kg CO2e per unit, `percent` None where there is no base."""

    key: str
    unit: str
    before: Decimal | None
    after: Decimal | None
    before_id: str = ""
    percent: Decimal | None = None
    renamed_from: str = ""

    @property
    def shown(self) -> tuple[str, str]:
        """Before and after without idle zeros; a dash where the split alone is known or nothing is."""
        kept = ("–" if kg is None else f"{kg.normalize():f}" for kg in (self.before, self.after))
        return next(kept), next(kept)


@dataclass(frozen=True, slots=True)
class Difference:
    """A set beside the one in force before: what is other, new and gone; `same` counts what stayed."""

    base: FactorSet | None
    changed: tuple[Change, ...]
    added: tuple[Change, ...]
    gone: tuple[Change, ...]
    same: int


def rows_of(content: bytes, name: str) -> list[Row]:
    """The rows of a CSV (UTF-8) or XLSX file by its head; raises Refused("factor_sheet_unreadable")."""
    try:
        kind = XLSX() if name.lower().endswith(".xlsx") else CSV()
        data = kind.create_dataset(content if kind.is_binary() else content.decode("utf-8-sig"))
        return [{str(head).strip().lower(): cell for head, cell in row.items()} for row in data.dict]
    except Exception as fault:  # readers of workbooks raise whatever their parts raise
        raise Refused(
            "factor_sheet_unreadable", _("The file could not be read; use CSV in UTF-8 or XLSX."),
            remedy=_("Check the file and upload it again."), status=400,
        ) from fault  # fmt: skip


def check(
    rows: Sequence[Row], about: About, *, accepts_vanished: bool
) -> tuple[list[FactorRow], list[Fault]]:
    """The sound rows and every fault, those against the edition before included."""
    found, faults = read(rows)
    base = previous(about.publisher, [row.key for row in found])
    if base is not None and not accepts_vanished:
        faults += vanished_regions(found, base.factors.values_list("kind", "region"))
    return found, faults


@transaction.atomic
def store(rows: Sequence[FactorRow], about: About, content: bytes, *, actor: str, now: datetime) -> FactorSet:
    """A draft of these rows; raises Refused where the code is taken or a licensed book is to be passed on."""
    taken = Factor.objects.filter(factor_id__startswith=f"{about.code}/")
    if FactorSet.objects.filter(code=about.code).exists() or taken.exists():
        raise Refused(
            "factor_set_exists", _("There is a factor set with this code already."),
            remedy=_("Give the new edition a code of its own."), field="code",
        )  # fmt: skip
    if about.redistributable and is_restricted(about.publisher):
        raise Refused(
            "factor_set_restricted", _("Books of this publisher may not be passed on."),
            remedy=_("Take the mark “may be passed on” away."), field="redistributable",
        )  # fmt: skip
    starts = [row.valid_from for row in rows if row.valid_from]
    ends = [row.valid_to for row in rows]
    made = FactorSet.objects.create(
        code=about.code, publisher=about.publisher, version=about.version, licence=about.licence,
        attribution=about.attribution, redistributable=about.redistributable, gwp_basis=about.gwp_basis,
        region=about.region, source=about.source, file_sha256=hashlib.sha256(content).hexdigest(),
        valid_from=min(starts, default=None), valid_to=_last(ends), imported_by=actor[:80], imported_at=now,
    )  # fmt: skip
    seen: set[str] = set()
    found = []
    for row in rows:
        found.append(_factor(row, made, is_more=row.key in seen))
        seen.add(row.key)
    row_writer.insert(found)
    return made


def activate(factor_set: FactorSet, *, actor: str, now: datetime) -> None:
    """From now on its figures never change and new calculations choose among them; raises Refused unless a draft."""
    changed = FactorSet.objects.filter(pk=factor_set.pk, status=FactorSet.Status.DRAFT).update(
        status=FactorSet.Status.ACTIVE, activated_by=actor[:80], activated_at=now
    )
    if not changed:
        raise Refused(
            "factor_set_no_draft", _("Only a draft can be activated."), remedy=_("Reload the page.")
        )  # fmt: skip
    factor_set.refresh_from_db()
    transaction.on_commit(loading.refresh)


def retire(factor_set: FactorSet) -> None:
    """No longer chosen; calculations made with it stay as they are."""
    FactorSet.objects.filter(pk=factor_set.pk, status=FactorSet.Status.ACTIVE).update(
        status=FactorSet.Status.RETIRED
    )
    factor_set.refresh_from_db()
    loading.refresh()


def is_restricted(publisher: str) -> bool:
    """Whether the publisher's books are licensed and must stay here."""
    words = publisher.casefold().replace(",", " ").split()
    return any(name in words or (" " in name and name in publisher.casefold()) for name in RESTRICTED)


def previous(publisher: str, keys: Iterable[str], *, but: int | None = None) -> FactorSet | None:
    """The edition a set follows: the active one of its publisher, else of anybody, that shares the most factors."""
    wanted = set(keys) | set(renamed().values())
    active = FactorSet.objects.filter(status=FactorSet.Status.ACTIVE).exclude(pk=but or 0)
    shared: dict[int, int] = {}
    for set_id, factor_id in Factor.objects.filter(factor_set__in=active).values_list(
        "factor_set", "factor_id"
    ):
        shared[set_id] = shared.get(set_id, 0) + (key_of(factor_id) in wanted)
    rows = [row for row in active if shared.get(row.pk)]
    own = [row for row in rows if row.publisher == publisher]
    return max(
        own or rows,
        key=lambda row: (shared[row.pk], row.valid_from or date.min, row.version, row.pk),
        default=None,
    )


def renamed() -> dict[str, str]:
    """New key → key in the editions before."""
    return dict(FactorAlias.objects.values_list("new_key", "old_key"))


def difference(factor_set: FactorSet) -> Difference:
    """A set beside the edition before it; five queries."""
    own = {key_of(row.factor_id): row for row in factor_set.factors.all()}
    base = previous(factor_set.publisher, own, but=factor_set.pk)
    before = {} if base is None else {key_of(row.factor_id): row for row in base.factors.all()}
    names = renamed()
    changed: list[Change] = []
    added: list[Change] = []
    met: set[str] = set()
    same = 0
    for key, row in sorted(own.items()):
        old_key = key if key in before else names.get(key, "")
        old = before.get(old_key)
        if old is None:
            added.append(Change(key, row.unit, None, figure(row)))
            continue
        met.add(old_key)
        if figure(old) == figure(row) and old_key == key:
            same += 1
        else:
            alias = old_key if old_key != key else ""
            changed.append(
                Change(key, row.unit, figure(old), figure(row), old.factor_id, _percent(old, row), alias)
            )
    gone = [
        Change(key, row.unit, figure(row), None, row.factor_id)
        for key, row in sorted(before.items())
        if key not in met
    ]
    changed.sort(key=lambda one: (-abs(one.percent or Decimal(0)), one.key))
    return Difference(base, tuple(changed), tuple(added), tuple(gone), same)


def figure(row: Factor) -> Decimal | None:
    """kg CO2e per unit of TTW and WTT together."""
    ttw: Decimal | None = row.ttw
    wtt: Decimal | None = row.wtt
    whole: Decimal | None = row.total
    return ttw + wtt if ttw is not None and wtt is not None else whole


def _percent(old: Factor, new: Factor) -> Decimal | None:
    before, after = figure(old), figure(new)
    if not before or after is None:
        return None
    return ((after - before) / before * 100).quantize(_PERCENT)


def _last(ends: Sequence[date | None]) -> date | None:
    return None if None in ends else max((end for end in ends if end is not None), default=None)


def _factor(row: FactorRow, factor_set: FactorSet, *, is_more: bool) -> Factor:
    """A row to be written; a further row of the same key carries the day it begins in its id."""
    day = f"@{row.valid_from}" if is_more else ""
    kept: Mapping[str, Decimal | None] = {
        name: None if kg is None else exact(kg) for name, kg in row.figures.items()
    }
    return Factor(
        factor_set=factor_set, factor_id=f"{factor_set.code}/{row.key}{day}", kind=row.kind, mode=row.mode,
        item=row.item, unit=row.unit, ttw=kept["ttw_kgco2e"], wtt=kept["wtt_kgco2e"], total=kept["total_kgco2e"],
        co2_kg=kept["co2_kg"], ch4_kgco2e=kept["ch4_kgco2e"], n2o_kgco2e=kept["n2o_kgco2e"],
        gas_scope=row.gas_scope, distance_kind=row.distance_kind, boundary=row.boundary, region=row.region,
        valid_from=row.valid_from, valid_to=row.valid_to, note=row.note,
    )  # fmt: skip

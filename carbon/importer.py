"""Loading factor tables: one set per publisher and edition, with its licence, attribution and the file's
fingerprint.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path

from django.db import transaction
from django.utils.text import slugify

from carbon.core.rounding import exact
from carbon.models import Factor, FactorSet
from orderhub.events import rows

DATA = Path(__file__).resolve().parent / "data"
Row = Mapping[str, str]


@transaction.atomic
def import_bundled(*, now: datetime) -> int:
    """Load the factors that travel with the product, drafts as drafts; returns the new factors, 0 on a
    second run.

    A set that is already there stays untouched, whatever its status.
    """
    sources = _sources()
    missing = set(sources) - set(FactorSet.objects.values_list("code", flat=True))
    sets = [_set(code, sources[code], now=now) for code in sorted(missing)]
    FactorSet.objects.bulk_create(sets)
    found = [_factor(row, factor_set) for factor_set in sets for row in sources[factor_set.code]]
    return len(rows.insert(found))


def attribution() -> list[tuple[str, str, str]]:
    """Publisher, licence and attribution of every set in use, for reports; one query."""
    rows = FactorSet.objects.filter(status=FactorSet.Status.ACTIVE).order_by(
        "publisher", "licence", "attribution"
    )
    return list(rows.values_list("publisher", "licence", "attribution").distinct())


@cache
def _sources() -> Mapping[str, Sequence[Row]]:
    """The rows of the bundled tables by set code, each with the name of its file and the file's manifest
    line.
    """
    manifest = {row["file"]: row for row in _rows(DATA / "MANIFEST.csv")}
    found: dict[str, list[Row]] = {}
    for path in sorted(DATA.glob("factors_*.csv")):
        about = {f"manifest_{name}": value for name, value in manifest[path.name].items()}
        fingerprint = hashlib.sha256(path.read_bytes()).hexdigest()
        for row in _rows(path):
            found.setdefault(_code(row, path), []).append({**row, **about, "fingerprint": fingerprint})
    return found


def _code(row: Row, path: Path) -> str:
    """Draft rows stand apart, so that one of them does not keep an edition from being used."""
    ending = "" if row["default_status"] == "active" else "-draft"
    return slugify(f"{row['factor_set']}-{row['set_year']}-{path.stem.removeprefix('factors_')}{ending}")


def _set(code: str, rows: Sequence[Row], *, now: datetime) -> FactorSet:
    first = rows[0]
    is_draft = first["default_status"] != "active"
    return FactorSet(
        code=code,
        publisher=first["manifest_publisher"][:120],
        version=f"{first['factor_set']} {first['set_year']}"[:40],
        licence=first["manifest_licence"],
        attribution=first["manifest_attribution"],
        redistributable=True,
        gwp_basis=first["gwp_basis"],
        file_sha256=first["fingerprint"],
        status=FactorSet.Status.DRAFT if is_draft else FactorSet.Status.ACTIVE,
        imported_at=now,
    )


def _factor(row: Row, factor_set: FactorSet) -> Factor:
    label = " · ".join(part for part in (row["item"], row["size"], row["variant"]) if part)
    return Factor(
        factor_set=factor_set,
        factor_id=row["factor_id"],
        kind=row["kind"],
        mode=row["mode"],
        item=label[:200],
        unit=row["activity_unit"],
        ttw=_number(row["ttw_kgco2e"]),
        wtt=_number(row["wtt_kgco2e"]),
        total=_number(row["total_kgco2e"]),
        co2_kg=_number(row["co2_kg"]),
        ch4_kgco2e=_number(row["ch4_kgco2e"]),
        n2o_kgco2e=_number(row["n2o_kgco2e"]),
        gas_scope=row["gas_scope"],
        distance_kind=row["distance_kind"],
        boundary=row["boundary"][:60],
        region=row["region"],
        valid_from=_day(row["valid_from"]),
        valid_to=_day(row["valid_to"]),
        note=row["note"],
    )


def _number(text: str) -> Decimal | None:
    """At the twelve decimals the database keeps, rounded by us and not by it."""
    return exact(Decimal(text)) if text else None


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def _rows(path: Path) -> Iterable[Row]:
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))

"""A benchmark world as the engine sees it: nodes, lanes per city, and exchange rates; no state.

Fields that a world leaves out count as zero, as "no limit" or as "not served", whichever does not promise more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from routing.engine.model import ZERO, Lane, Strategy

DROP = "DROP"  # id of the drop-ship source and of its carrier in answers
Doc = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Place:
    """A warehouse: its figures per parcel and per line in yuan, and its daily limit (None: none)."""

    code: str
    name: str
    kind: str
    region: str
    parcels_per_day: int | None
    handling_per_parcel: Decimal
    handling_per_line: Decimal
    kgco2e_per_parcel: Decimal


@dataclass(frozen=True, slots=True)
class Goods:
    """One SKU: whole grams and cm³ of a unit."""

    code: str
    grams: int
    cm3: int


@dataclass(frozen=True, slots=True)
class Map:
    """Everything of a world that does not change: places first, then drop-ship as the last node."""

    places: tuple[Place, ...]
    goods: tuple[Goods, ...]
    place_at: Mapping[str, int]
    sku_at: Mapping[str, int]
    city_at: Mapping[str, int]
    remote: tuple[bool, ...]
    lanes: tuple[tuple[tuple[Lane, ...], ...], ...]  # [node][city], the drop-ship node last
    drop: Place
    strategy: Strategy
    bucket_hours: float

    @property
    def drop_node(self) -> int:
        """Index of the drop-ship node."""
        return len(self.places)


def amount(value: Any) -> Decimal:
    """A figure of the world as Decimal; None or missing is zero."""
    return ZERO if value is None else Decimal(str(value))


def read(doc: Doc) -> Map:
    """Read the ``world`` message; ValueError or KeyError when ids, weights or tables contradict each other."""
    places = tuple(_place(w) for w in _rows(doc, "warehouses"))
    goods = tuple(
        Goods(s["id"], int(s.get("grams") or 0), int(s.get("cm3") or 0)) for s in _rows(doc, "skus")
    )
    cities = _rows(doc, "cities")
    dropship = doc.get("dropship") or {}
    packaging = doc.get("packaging") or {}
    lanes = [
        tuple(tuple(_lanes(doc, w, c, place, packaging)) for c in range(len(cities)))
        for w, place in enumerate(places)
    ]
    lanes.append(((_drop_lane(dropship),),) * len(cities))
    promise = doc.get("promise") or {}
    return Map(
        places,
        goods,
        {p.code: n for n, p in enumerate(places)},
        {g.code: n for n, g in enumerate(goods)},
        {c["id"]: n for n, c in enumerate(cities)},
        tuple(bool(c.get("remote")) for c in cities),
        tuple(lanes),
        Place(
            DROP, DROP, "dropship", "", None,
            amount(dropship.get("yuan_per_parcel")), amount(dropship.get("yuan_per_line")), ZERO,
        ),
        _strategy(doc.get("objective") or {}),
        float(promise.get("bucket_hours") or 0),
    )  # fmt: skip


def _rows(doc: Doc, name: str) -> Sequence[Doc]:
    return doc.get(name) or ()


def _strategy(objective: Doc) -> Strategy:
    per_hour = objective.get("yuan_per_hour")
    remote = objective.get("yuan_per_hour_remote")
    return Strategy(
        "world",
        amount(per_hour),
        amount(per_hour if remote is None else remote),
        amount(objective.get("yuan_per_kg_co2e")),
        time_by_line_share=True,
        digits=6,
    )


def _place(row: Doc) -> Place:
    limit = row.get("parcels_per_day")
    return Place(
        row["id"],
        row.get("name") or row["id"],
        row.get("kind") or "rdc",
        row.get("region") or "",
        None if limit is None else int(limit),
        amount(row.get("handling_yuan_per_parcel")),
        amount(row.get("handling_yuan_per_line")),
        amount(row.get("kg_co2e_per_parcel")),
    )


def _lanes(doc: Doc, w: int, c: int, place: Place, packaging: Doc) -> list[Lane]:
    """The carriers that serve one lane: whole kilograms, the first one in the basic fee."""
    tables = doc.get("lanes") or {}
    km, zone = _cell(tables.get("km"), w, c), _cell(tables.get("zone"), w, c)
    found = []
    for carrier in _rows(doc, "carriers"):
        hours = _cell((tables.get("hours") or {}).get(carrier["id"]), w, c)
        zones = carrier.get("zones") or ()
        if hours is None or zone is None or not 0 <= zone < len(zones) or zones[zone] is None:
            continue
        fees, distance = zones[zone], amount(km)
        if fees.get("first_kg_yuan") is None:
            continue  # a tariff with a hole serves nobody
        found.append(
            Lane(
                carrier["id"],
                "",
                str(zone),
                1000,
                amount(fees["first_kg_yuan"]),
                1000,
                amount(fees.get("extra_kg_yuan")),
                amount(hours),
                distance,
                distance * amount(carrier.get("kg_co2e_per_tonne_km")) / 1000
                + amount(packaging.get("kg_co2e_per_kg")),
                place.kgco2e_per_parcel + amount(packaging.get("kg_co2e_per_parcel")),
                parcel_grams=int(packaging.get("grams_per_parcel") or 0),
                dim_cm3_per_kg=carrier.get("dim_cm3_per_kg") or None,
            )
        )
    return found


def _drop_lane(dropship: Doc) -> Lane:
    """Drop-ship as a lane: yuan per gram of goods, the same hours everywhere, no packaging of ours."""
    return Lane(
        DROP, "", "", 0, ZERO, 1, amount(dropship.get("yuan_per_kg")) / 1000, amount(dropship.get("hours")),
        ZERO, amount(dropship.get("kg_co2e_per_kg")), amount(dropship.get("kg_co2e_per_parcel")),
    )  # fmt: skip


def _cell(table: Any, w: int, c: int) -> Any:
    """table[w][c], None where a row or cell is missing."""
    if table is None or w >= len(table) or table[w] is None or c >= len(table[w]):
        return None
    return table[w][c]

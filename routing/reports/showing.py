"""What a report's page, PDF, file and e-mail show, made once from the stored result in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from orderhub.inventory.admin_base import is_chinese
from routing.reports import sentences, words
from routing.reports.changes import MEASURES, PARTS
from routing.reports.models import Recommendation, RoutingReport
from routing.reports.sums import DIMENSIONS
from routing.vocabulary import TERMS, word

Json = Mapping[str, Any]
#: Rows of a dimension on the page; files have all.
MOST_ROWS = 40


@dataclass(frozen=True, slots=True)
class Figures:
    """Means and shares of one row; None where there is nothing to divide by. Shares are from 0 to 1."""

    orders: int
    parcels: int
    cost: Decimal | None
    hours: Decimal | None
    kgco2e: Decimal | None
    split: Decimal | None
    local: Decimal | None
    automatic: Decimal | None
    late: Decimal | None


def figures(sums: Json) -> Figures:
    """The row's figures: money, hours and kg over the orders that were sent, lateness over those it is known of."""
    sent = sums["orders"] - sums["unsent"]

    def mean(name: str, over: int) -> Decimal | None:
        return Decimal(sums[name]) / over if over else None

    return Figures(
        sums["orders"], sums["parcels"], mean("cost", sent), mean("hours", sent), mean("kgco2e", sent),
        mean("split", sent), mean("local", sent), mean("automatic", sums["orders"]), mean("late", sums["judged"]),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cells:
    """A row as text: a name and its figures."""

    name: str
    orders: str
    parcels: str
    cost: str
    hours: str
    kgco2e: str
    split: str
    local: str
    automatic: str
    late: str

    def plain(self) -> list[str]:
        """In the order of `heads`."""
        return [
            self.name, self.orders, self.parcels, self.cost, self.hours, self.kgco2e, self.split, self.local,
            self.automatic, self.late,
        ]  # fmt: skip


def heads(first: str) -> list[str]:
    """The columns of every table of figures."""
    return [
        first, _("Orders"), _("Parcels"), _("¥ each"), _("Hours"), _("kg CO₂e"), _("Split"), _("Local"),
        _("Automatic"), pgettext("routing report", "Late"),
    ]  # fmt: skip


def cells(name: str, sums: Json) -> Cells:
    """One row."""
    found = figures(sums)
    return Cells(
        name, f"{found.orders:,}", f"{found.parcels:,}", number(found.cost, 2), number(found.hours, 1),
        number(found.kgco2e, 3), percent(found.split), percent(found.local), percent(found.automatic),
        percent(found.late),
    )  # fmt: skip


def number(value: Decimal | None, digits: int) -> str:
    """A figure, a dash where there is none."""
    return "–" if value is None else f"{value:,.{digits}f}"


def percent(share: Decimal | None) -> str:
    """A share with one digit."""
    return "–" if share is None else f"{share * 100:.1f}%"


@dataclass(frozen=True, slots=True)
class Tile:
    """One headline figure beside the period before; `tone` is better, worse or nothing."""

    label: str
    value: str
    change: str
    tone: str


#: Figure, digits, unit before or behind, whether more is better (None: neither).
_TILES: tuple[tuple[str, int, str, bool | None], ...] = (
    ("cost", 2, "¥", False), ("hours", 1, "h", False), ("kgco2e", 3, "kg", False), ("split", 1, "%", False),
    ("local", 1, "%", True), ("automatic", 1, "%", True), ("late", 1, "%", False),
)  # fmt: skip


def tiles(result: Json) -> list[Tile]:
    """The seven figures."""
    now = figures(result["now"]["total"])
    before = figures(result["before"]["total"]) if result["before"] else None
    labels = {
        **{name: str(words.MEASURE_WORDS[name]) for name in MEASURES}, "split": _("Split orders"),
        "local": _("Sent from nearby"), "automatic": _("Fulfilled automatically"), "late": _("Later than promised"),
    }  # fmt: skip
    return [_tile(name, labels[name], digits, unit, up, now, before) for name, digits, unit, up in _TILES]


def _tile(
    name: str, label: str, digits: int, unit: str, up: bool | None, now: Figures, before: Figures | None
) -> Tile:
    value = getattr(now, name)
    scale = 100 if unit == "%" else 1
    shown = "–" if value is None else f"{value * scale:,.{digits}f}"
    text = f"¥{shown}" if unit == "¥" else f"{shown}{unit}" if unit == "%" else f"{shown} {unit}"
    old = getattr(before, name) if before else None
    if value is None or old is None:
        return Tile(label, text, _("no earlier period"), "")
    gap = Decimal((value - old) * scale)
    told = sentences.signed(gap, digits)
    points = _("%(gap)s points") % {"gap": told} if unit == "%" else told
    if told[:1] not in "+−" or up is None:
        return Tile(label, text, points, "")
    return Tile(label, text, points, "better" if (gap > 0) == up else "worse")


def why(result: Json) -> list[dict[str, Any]]:
    """The change of each measure with its parts and what drives them; empty without an earlier period."""
    if not result["why"]:
        return []
    found = []
    for measure in MEASURES:
        row = result["why"][measure]
        digits = 4 if measure != "kgco2e" else 6
        found.append({
            "code": measure, "label": sentences.measure(measure), "unit": words.UNITS[measure],
            "before": row["before"], "now": row["now"], "change": sentences.signed(Decimal(row["change"]), digits),
            "parts": [_part(part, row, result["names"], digits) for part in PARTS],
        })  # fmt: skip
    return found


def _part(part: str, row: Json, names: Json, digits: int) -> dict[str, Any]:
    return {
        "code": part, "label": str(words.PART_WORDS[part]), "short": str(words.PART_SHORT[part]),
        "amount": sentences.signed(Decimal(row["parts"][part]), digits), "value": Decimal(row["parts"][part]),
        "drivers": [
            (sentences.driver(one["who"], names), sentences.signed(Decimal(one["amount"]), digits))
            for one in row["drivers"][part][:3]
        ],
    }  # fmt: skip


def rows(result: Json, dimension: str) -> list[Cells]:
    """The rows of a dimension, those with most orders first."""
    assert dimension in DIMENSIONS
    found = result["now"]["by"][dimension]
    ranked = sorted(found.items(), key=lambda item: -item[1]["orders"])
    return [cells(sentences.name(result["names"], dimension, key), sums) for key, sums in ranked]


def days(result: Json) -> list[Cells]:
    """The rows of the days."""
    return [cells(day, sums) for day, sums in result["now"]["days"].items()]


def terms(result: Json) -> list[tuple[str, str, str]]:
    """Yuan by term: name, in all, per order."""
    total = result["now"]["total"]
    sent = (total["orders"] - total["unsent"]) or 1
    return [
        (
            word(TERMS, term, "zh" if is_chinese() else "en"),
            f"{Decimal(yuan):,.2f}",
            f"{Decimal(yuan) / sent:,.3f}",
        )
        for term, yuan in result["now"]["terms"].items()
        if Decimal(yuan)
    ]


def notes(result: Json) -> list[str]:
    """What a reader must know of the figures."""
    found = []
    if result["undecided"]:
        found.append(
            _("%(count)s orders of the period wait for a decision and are not counted.")
            % {"count": f"{result['undecided']:,}"}
        )
    for row in result["versions"]:
        strategy = sentences.name(result["names"], "strategy", row["strategy"])
        found.append(
            _(
                "Strategy %(name)s got version %(number)s on %(day)s; what it changed is part of the stock position."
            )
            % {"name": strategy, "number": row["number"], "day": row["at"][:10]}
        )
    found.append(
        _(
            "Costs are freight, handling, duty and returns of the plans in force; hours and carbon are as planned."
        )
    )
    return found


def advices(report: RoutingReport) -> list[dict[str, Any]]:
    """The recommendations in words, the most valuable first."""
    assert report.result is not None
    names = report.result["names"]
    return [advice(row, names) for row in report.recommendations.order_by("rank")]


def advice(row: Recommendation, names: Json) -> dict[str, Any]:
    """One recommendation in words, with how its replay stands."""
    happened = words.error(row.replay_error, {}) if row.replay_error else ("", "")
    return {
        "row": row, "kind": row.get_kind_display(), "value": f"¥{row.value_yuan:,.2f}",
        "text": sentences.advice(row.kind, row.facts, names), "ground": sentences.ground(row.kind, row.facts),
        "moves": [_move(move, names) for move in row.moves], "happened": happened,
        "replay": sentences.replay(row.replay_result) if row.replay_result else "",
    }  # fmt: skip


def _move(move: Json, names: Json) -> dict[str, Any]:
    code, title = names["sku"].get(str(move["sku"]), [str(move["sku"]), ""])
    start = sentences.name(names, "warehouse", move["from"]) if move["from"] else _("supplier")
    end = sentences.name(names, "warehouse", move["to"]) if move["to"] else _("new warehouse")
    return {"sku": code, "title": title, "start": start, "end": end, "units": f"{move['units']:,}"}

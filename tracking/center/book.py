"""The milestones of a merchant with their words: the product's, what operators changed or added, and per audience."""

from __future__ import annotations

import csv
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from time import monotonic
from types import MappingProxyType
from typing import Literal

from django.db.models import Q

from orderhub.fulfillment.models import Parcel
from tracking import narrate
from tracking.center.models import MilestoneKind, Sentence
from tracking.narrate import Milestone

Audience = Literal["customer", "merchant", "operator", "b2b"]
AUDIENCES: tuple[Audience, ...] = ("customer", "merchant", "operator", "b2b")
#: Who may see what: customers, partners, or everything.
_SEES: Mapping[str, narrate.Audience] = {
    "customer": "customer", "merchant": "staff", "operator": "staff", "b2b": "partner",
}  # fmt: skip
Pair = tuple[str, str]
GLANCE_SECONDS = 3.0
DATA = Path(__file__).resolve().parent / "data"
_PARCEL = frozenset(Parcel.Status.values)
#: The carriers' table says less of these than we do.
_STATUSES = {"DAMAGED": "on_hold", "LOST": "on_hold", "READY_FOR_PICKUP_BY_CARRIER": "pending"}


@cache
def spoken() -> Mapping[tuple[str, str], Pair]:
    """The product's sentences for other audiences than the customer, where they speak otherwise."""
    with (DATA / "sentences.csv").open(encoding="utf-8", newline="") as lines:
        rows = [(row["milestone"], row["audience"], row["zh"], row["en"]) for row in csv.DictReader(lines)]
    return MappingProxyType({(code, audience): (zh, en) for code, audience, zh, en in rows})


@dataclass(frozen=True, slots=True)
class Book:
    """Everything a page or a projection needs of one merchant's milestones."""

    own: Mapping[str, Milestone] = field(default_factory=dict)
    hidden: frozenset[str] = frozenset()
    ranks: Mapping[str, int] = field(default_factory=dict)
    statuses: Mapping[str, str] = field(default_factory=dict)
    sentences: Mapping[tuple[str, str], Pair] = field(default_factory=dict)

    def milestone(self, code: str) -> Milestone | None:
        """What a code means here; None for one that nobody knows."""
        return self.own.get(code) or narrate.milestones().get(code)

    def codes(self) -> list[str]:
        """Every code, in the order of an order's life."""
        return sorted({*narrate.milestones(), *self.own}, key=lambda code: (self.rank(code), code))

    def rank(self, code: str) -> int:
        """Its place in the order of things; those of one moment are told in this order."""
        return self.ranks[code] if code in self.ranks else _positions().get(code, 10_000)

    def status(self, code: str) -> str:
        """What a parcel's status becomes when a carrier tells it; "" leaves it."""
        if code in self.statuses:
            return self.statuses[code]
        known = narrate.milestones().get(code)
        return _status(known) if known else ""

    def is_shown(self, code: str, *, on_board: bool = False) -> bool:
        """Whether customers see it."""
        known = self.milestone(code)
        if known is None or code in self.hidden:
            return False
        return narrate.is_visible(known, warehouse_shown=True, on_board=on_board)

    def words(self, code: str, audience: Audience) -> Pair | None:
        """The two templates an audience reads; None for an unknown code."""
        known = self.milestone(code)
        if known is None:
            return None
        if (code, audience) in self.sentences:
            return self.sentences[code, audience]
        if code in self.own and (self.own[code].zh, self.own[code].en) != _own_words(code):
            return (
                known.zh,
                known.en,
            )  # what operators wrote holds for every audience without words of its own
        return spoken().get((code, audience), (known.zh, known.en))

    def sentence(
        self, code: str, *, facts: Mapping[str, object], language: str, audience: Audience = "customer"
    ) -> str:
        """One readable sentence, as `narrate.sentence` says it; "" where the audience may not see it."""
        pair, known = self.words(code, audience), self.milestone(code)
        if known is None or pair is None:
            return narrate.sentence(code, facts=facts, language=language)
        said = Milestone(known.code, known.group, pair[0], pair[1], known.public, known.terminal, known.names)
        return narrate.sentence(
            code, facts=facts, language=language, audience=_SEES[audience], own={code: said}
        )


_glanced: dict[int, tuple[float, Book]] = {}


def book(merchant_id: int) -> Book:
    """The book of a merchant; two queries."""
    return books([merchant_id])[merchant_id]


def glance(merchant_id: int) -> Book:
    """The book as it was within the last seconds, for lists that word many rows."""
    known = _glanced.get(merchant_id)
    if known is None or monotonic() - known[0] > GLANCE_SECONDS:
        known = _glanced[merchant_id] = (monotonic(), book(merchant_id))
    return known[1]


def books(merchant_ids: Collection[int]) -> dict[int, Book]:
    """The books of several merchants; two queries. What a merchant says goes before what is said for everybody."""
    mine = Q(merchant__isnull=True) | Q(merchant_id__in=merchant_ids)
    kinds = list(MilestoneKind.objects.filter(mine).exclude(is_shipped=True, is_changed=False))
    said = list(Sentence.objects.filter(mine, is_in_force=True).order_by("number"))
    return {number: _book(number, kinds, said) for number in merchant_ids}


def _book(merchant_id: int, kinds: list[MilestoneKind], said: list[Sentence]) -> Book:
    rows = [row for row in kinds if row.merchant_id is None] + [
        row for row in kinds if row.merchant_id == merchant_id
    ]
    words = [row for row in said if row.merchant_id is None] + [
        row for row in said if row.merchant_id == merchant_id
    ]
    own = {row.code: row for row in rows}
    return Book(
        own={code: _milestone(row) for code, row in own.items()},
        hidden=frozenset(code for code, row in own.items() if row.is_hidden),
        ranks={code: row.position for code, row in own.items()},
        statuses={code: row.status for code, row in own.items() if row.status or not row.is_shipped},
        sentences={(row.milestone, row.audience): (row.zh, row.en) for row in words},
    )


def _milestone(row: MilestoneKind) -> Milestone:
    known = narrate.milestones().get(row.code)
    names = known.names if known else {}
    return Milestone(row.code, row.group, row.zh, row.en, row.public, row.is_terminal, names)


def _own_words(code: str) -> Pair:
    known = narrate.milestones().get(code)
    return (known.zh, known.en) if known else ("", "")


@cache
def _positions() -> Mapping[str, int]:
    return {code: 10 * number for number, code in enumerate(narrate.milestones(), 1)}


def _status(known: Milestone) -> str:
    if known.code in _STATUSES:
        return _STATUSES[known.code]
    word = known.names.get("karrio", "")
    return word if word in _PARCEL else ""

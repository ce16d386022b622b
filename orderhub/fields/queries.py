"""The definitions that count for a merchant, read once per process and change."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from django.db.models import Q, QuerySet

from orderhub.access.models import Merchant
from orderhub.fields.engine import Definition
from orderhub.fields.models import Field

_KEPT = 2000


@dataclass(frozen=True)
class Book:
    """All fields of one merchant, its own and those for all merchants, by target and code in the order they are shown."""

    active: Mapping[str, Mapping[str, Definition]] = field(default_factory=dict)
    retired: Mapping[str, Mapping[str, Definition]] = field(default_factory=dict)

    def of(self, target: str) -> Mapping[str, Definition]:
        """The active fields of one kind of record by code."""
        return self.active.get(target, {})

    def __bool__(self) -> bool:
        """Whether there is any active field."""
        return bool(self.active)


_books: dict[tuple[int, int], Book] = {}


def book(merchant: Merchant) -> Book:
    """The fields of a merchant; a query only if they changed since this process read them."""
    return books([merchant])[merchant.pk]


def books(merchants: Collection[Merchant]) -> dict[int, Book]:
    """As `book` for several merchants, by their ids; at most one query for all of them."""
    missing = {x.pk: x for x in merchants if (x.pk, x.fields_revision) not in _books}
    if missing:
        if len(_books) > _KEPT:
            _books.clear()
        rows = list(of_merchants(missing))
        for merchant in missing.values():
            own = (row.definition() for row in rows if row.merchant_id in (None, merchant.pk))
            _books[merchant.pk, merchant.fields_revision] = _book(own)
    return {x.pk: _books[x.pk, x.fields_revision] for x in merchants}


def of_merchants(merchant_ids: Iterable[int]) -> QuerySet[Field]:
    """The rows of these merchants and of all together, in the order they are shown."""
    whose = Q(merchant__isnull=True) | Q(merchant_id__in=list(merchant_ids))
    return Field.objects.filter(whose).order_by("target", "position", "pk")


def of_scope(scope: str) -> QuerySet[Field]:
    """The rows that rules and flows of a scope know: `merchant:<id>`, or none for the fields of all merchants."""
    _word, _colon, number = scope.partition(":")
    return of_merchants([int(number)] if number.isascii() and number.isdigit() else [])


def of_staff(merchant_id: int | None, target: str) -> list[Definition]:
    """The active fields of one kind of record that staff may meet in a list: of one merchant, or of all; one query.

    Where several merchants have a field of one code, the first stands for them all.
    """
    rows = Field.objects.filter(target=target, archived_at__isnull=True)
    if merchant_id is not None:
        rows = rows.filter(Q(merchant__isnull=True) | Q(merchant_id=merchant_id))
    found: dict[str, Definition] = {}
    for row in rows.order_by("position", "pk"):
        found.setdefault(row.code, row.definition())
    return list(found.values())


def forget() -> None:
    """Read everything again from now on."""
    _books.clear()


def _book(definitions: Iterable[Definition]) -> Book:
    active: dict[str, dict[str, Definition]] = {}
    retired: dict[str, dict[str, Definition]] = {}
    for one in definitions:
        shelf = retired if one.retired else active
        shelf.setdefault(one.target, {})[one.code] = one
    return Book(active, retired)

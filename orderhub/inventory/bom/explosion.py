"""Bills of materials taken apart, exactly: which components, and how many, some units of an article need.

Pure. Quantities are decimals and nothing is rounded on the way; scrap is added where it arises, so that 5 % more in sewing
and 10 % more in cutting count one upon the other. Every article is taken apart once, however many ways lead to it.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import ROUND_CEILING, Decimal, localcontext
from typing import Generic, TypeVar

Article = TypeVar("Article", bound=Hashable)
#: Deeper than this no article is built; whatever is, is a mistake of whoever wrote it down.
DEEPEST = 12
#: Digits kept of a quantity. A dozen levels of four decimals and a scrap share each stay exact far below this.
_DIGITS = 120


@dataclass(frozen=True, slots=True)
class Part(Generic[Article]):
    """So much of a component for one unit of the article, and so many percent more for what is lost in making; `instead` may
    be used where the component is short, each with the quantity that replaces one unit of it.
    """

    article: Article
    quantity: Decimal
    scrap_percent: Decimal = Decimal(0)
    unit: str = ""
    instead: tuple[tuple[Article, Decimal], ...] = ()


@dataclass(frozen=True, slots=True)
class Need(Generic[Article]):
    """How much of a component is needed in all, by way of which articles (of one such way, from the top down)."""

    article: Article
    quantity: Decimal
    unit: str
    path: tuple[Article, ...]
    instead: tuple[tuple[Article, Decimal], ...] = ()

    @property
    def units(self) -> int:
        """Whole units that must be taken off a shelf for it."""
        return int(self.quantity.to_integral_value(rounding=ROUND_CEILING))


class Circular(ValueError):
    """An article would be needed to make itself; `path` leads from it back to it."""

    def __init__(self, path: Sequence[Hashable]) -> None:
        super().__init__(" → ".join(str(one) for one in path))
        self.path = tuple(path)


class TooDeep(ValueError):
    """More levels than DEEPEST; `path` are the first of them."""

    def __init__(self, path: Sequence[Hashable]) -> None:
        super().__init__(" → ".join(str(one) for one in path))
        self.path = tuple(path)


@dataclass(slots=True)
class _Apart(Generic[Article]):
    """An article taken apart: what one unit needs at the lowest level, and how many levels lie below it."""

    needs: dict[Article, Need[Article]] = field(default_factory=dict)
    levels: int = 0


def explode(
    bills: Mapping[Article, Sequence[Part[Article]]], wanted: Mapping[Article, int]
) -> list[Need[Article]]:
    """Everything that some units of these articles need at the lowest level, in the order it is met, added up.

    An article without a bill of its own is a component; one that is wanted and has none needs nothing. Raises Circular,
    TooDeep.
    """
    known: dict[Article, _Apart[Article]] = {}
    sums: dict[Article, Need[Article]] = {}
    with localcontext() as context:
        context.prec = _DIGITS
        for article, units in wanted.items():
            if bills.get(article):
                _add(sums, _apart(bills, article, (), known).needs.values(), Decimal(units))
        return [replace(one, quantity=_plain(one.quantity)) for one in sums.values()]


def check(bills: Mapping[Article, Sequence[Part[Article]]], tops: Iterable[Article]) -> None:
    """Raise Circular or TooDeep if one of these articles cannot be taken apart."""
    explode(bills, dict.fromkeys(tops, 1))


def with_scrap(quantity: Decimal, percent: Decimal) -> Decimal:
    """What must be taken so that `quantity` is there although so many percent of it are lost besides."""
    return quantity * (100 + percent).scaleb(-2)


def _apart(
    bills: Mapping[Article, Sequence[Part[Article]]], article: Article, above: tuple[Article, ...],
    known: dict[Article, _Apart[Article]],
) -> _Apart[Article]:  # fmt: skip
    path = (*above, article)
    if article in above:
        raise Circular(path[above.index(article) :])
    found = known.get(article)
    if found is None:
        found = _Apart()
        if len(above) > DEEPEST:
            raise TooDeep(path)
        for part in bills[article]:
            needed = with_scrap(part.quantity, part.scrap_percent)
            if bills.get(part.article):
                below = _apart(bills, part.article, path, known)
                found.levels = max(found.levels, below.levels + 1)
                _add(found.needs, below.needs.values(), needed, by=article)
            else:
                if part.article in path:
                    raise Circular((*path[path.index(part.article) :], part.article))
                own = Need(part.article, Decimal(1), part.unit, (article, part.article), part.instead)
                _add(found.needs, [own], needed)
        known[article] = found
    if len(above) + found.levels > DEEPEST:
        raise TooDeep(path)
    return found


def _add(
    sums: dict[Article, Need[Article]],
    needs: Iterable[Need[Article]],
    times: Decimal,
    *,
    by: Article | None = None,
) -> None:
    for need in needs:
        more = need.quantity * times
        before = sums.get(need.article)
        if before is not None:
            sums[need.article] = replace(before, quantity=before.quantity + more)
        else:
            path = need.path if by is None else (by, *need.path)
            sums[need.article] = replace(need, quantity=more, path=path)


def _plain(quantity: Decimal) -> Decimal:
    """Without the zeros that adding leaves behind."""
    text = quantity.normalize()
    return text if text != text.to_integral_value() else text.quantize(Decimal(1))

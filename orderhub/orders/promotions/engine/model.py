"""What a cart is to promotions, what a promotion is, and what became of it; sums are whole cents throughout."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from rules.engine import CompiledRule, Failure

#: A limit's counter: that of the promotion, and the customer's key or "" for all customers together.
Counter = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Line:
    """Units of one SKU as they were sold; `cents` is the line's total before any promotion."""

    position: int
    sku: str
    category: str
    units: int
    cents: int


@dataclass(slots=True)
class Cart:
    """What promotions look at. `customer` is a key without personal data, empty where the buyer is not known;
    `stock` the units of gifts that can be promised, by SKU code.

    `stock` and `left` (uses left by counter) are drawn down as promotions apply, so that a batch may share them.
    """

    lines: Sequence[Line]
    currency: str
    facts: Mapping[str, object]
    now: datetime
    customer: str = ""
    stock: dict[str, int] = field(default_factory=dict)
    left: dict[Counter, int] = field(default_factory=dict)

    @property
    def cents(self) -> int:
        """The sum of its lines."""
        return sum(line.cents for line in self.lines)


@dataclass(slots=True)
class Work:
    """A cart in the middle of it: what is left to pay of each line."""

    lines: Sequence[Line]
    left: list[int]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a deed gives nothing: a code, and figures for the sentence."""

    code: str
    facts: Mapping[str, object] = field(default_factory=dict)


#: Cents off each line, or why there are none.
Deed = Callable[[Work], "list[int] | Refusal"]


@dataclass(frozen=True, slots=True)
class Gift:
    """Units that come along for nothing: the first SKU in stock is given; `required`: without it, nothing applies."""

    skus: tuple[str, ...]
    units: int
    required: bool


@dataclass(frozen=True, slots=True)
class Promotion:
    """A published rule made ready: `key` is ``<set>/<rule>``, `counter` the same with whose set it is; an empty
    currency means any.
    """

    key: str
    counter: str
    version: int
    rule: CompiledRule
    since: datetime | None
    until: datetime | None
    deeds: tuple[Deed, ...]
    gifts: tuple[Gift, ...]
    free_shipping: bool
    currency: str
    cap: int | None
    limit_total: int | None
    limit_each: int | None
    alone: bool
    name_en: str = ""

    @property
    def is_limited(self) -> bool:
        """Whether its uses are counted."""
        return self.limit_total is not None or self.limit_each is not None


@dataclass(frozen=True, slots=True)
class Given:
    """A gift that was chosen; `instead_of` names the SKU that was out of stock."""

    sku: str
    units: int
    instead_of: str = ""


@dataclass(frozen=True, slots=True)
class Applied:
    """A promotion that counted: cents off per line of the cart, gifts, and the counters it drew on."""

    promotion: Promotion
    shares: tuple[int, ...]
    gifts: tuple[Given, ...]
    missing_gifts: tuple[str, ...]
    is_capped: bool
    counters: tuple[Counter, ...]

    @property
    def cents(self) -> int:
        """What it takes off altogether."""
        return sum(self.shares)


@dataclass(frozen=True, slots=True)
class Skipped:
    """A promotion that did not count, and why: a code, figures, and the comparisons that failed."""

    promotion: Promotion
    code: str
    facts: Mapping[str, object] = field(default_factory=dict)
    failures: tuple[Failure, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a cart: cents off per line, in the order of its lines, and of every promotion; `more` others,
    whose condition failed, are only counted.
    """

    off: tuple[int, ...]
    applied: tuple[Applied, ...]
    skipped: tuple[Skipped, ...]
    more: int = 0

    @property
    def cents(self) -> int:
        """What all promotions take off together."""
        return sum(self.off)

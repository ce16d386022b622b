"""What cross-border checks speak in: rows of rules, shipments, findings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Literal

Outcome = Literal["pass", "note", "hold", "block"]
PASS: Outcome = "pass"  # noqa: S105
NOTE: Outcome = "note"
HOLD: Outcome = "hold"
BLOCK: Outcome = "block"
RANK: Mapping[Outcome, int] = {PASS: 0, NOTE: 1, HOLD: 2, BLOCK: 3}
#: The kinds of rows, in the order their checks run.
KINDS = (
    "contents", "hs_code", "prohibited_goods", "restricted_goods", "allow_list", "value_limit", "value_exception",
    "value_limit_year", "quantity_limit_year", "value_regime", "identity", "screening", "tax_number", "tax",
    "duty_per_item_kind", "surcharge", "documents",
)  # fmt: skip
#: Which date of the order decides whether a row is in force, by kind; every other kind goes by the order's.
DATES: Mapping[str, str] = {"duty_per_item_kind": "import", "surcharge": "import", "value_regime": "import"}


class RowError(ValueError):
    """A row that cannot be used: its rule, the field at fault and a sentence in zh and en."""

    def __init__(self, rule: str, field_name: str, *, zh: str, en: str) -> None:
        super().__init__(f"{rule}.{field_name}: {en}")
        self.rule, self.field, self.zh, self.en = rule, field_name, zh, en


@dataclass(frozen=True, slots=True)
class Row:
    """One version of one rule. `valid_to` itself is excluded; `is_confirmed` matters where status is verify."""

    rule: str
    version: int
    origin: str
    destination: str
    kind: str
    params: Mapping[str, Any]
    valid_from: date
    valid_to: date | None = None
    status: str = "in_force"
    is_confirmed: bool = False
    source: str = ""
    doubt: str = ""

    @property
    def name(self) -> str:
        """The rule and its version, as findings name it."""
        return f"{self.rule} v{self.version}"

    @property
    def is_doubtful(self) -> bool:
        """Whether it only speaks until a person has confirmed it."""
        return self.status == "verify" and not self.is_confirmed


@dataclass(frozen=True, slots=True)
class Goods:
    """One line: `value` is the intrinsic value of all its units, without freight and tax, in the order's currency."""

    sku: str
    name: str
    units: int
    value: Decimal
    hs_code: str = ""
    origin: str = ""
    grams: int = 0
    milliliters: int = 0
    traits: frozenset[str] = frozenset()
    certificates: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Near:
    """A name of the order near one of a listed party; `score` is 0 to 100, after second facts."""

    who: str
    name: str
    listed_as: str
    party: str
    list_name: str
    score: int
    facts: str = ""


@dataclass(frozen=True, slots=True)
class Shipment:
    """Everything the checks look at. Rates are units of CNY for one of the currency, with the day they are of."""

    origin: str
    destination: str
    currency: str
    goods: tuple[Goods, ...]
    ordered_on: date
    dispatched_on: date | None = None
    imported_on: date | None = None
    regime: str = ""
    terms: str = ""
    is_gift: bool = False
    sender: str = ""
    recipient: str = ""
    importer: str = ""
    buyer_key: str = ""
    id_number: str = ""
    id_name: str = ""
    payer_name: str = ""
    tax_numbers: Mapping[str, str] = field(default_factory=dict)
    documents: frozenset[str] = frozenset()
    lists: Mapping[str, frozenset[str]] = field(default_factory=dict)
    rates: Mapping[str, tuple[Decimal, date]] = field(default_factory=dict)
    year_before: Mapping[str, Decimal] = field(default_factory=dict)
    near: tuple[Near, ...] = ()
    screened_lists: Mapping[str, date] = field(default_factory=dict)

    @property
    def value(self) -> Decimal:
        """The intrinsic value of all goods, in the order's currency."""
        return sum((x.value for x in self.goods), Decimal(0))

    def on(self, which: str) -> date:
        """The date that decides: of the order, of its dispatch or its import; a date not known yet is the order's."""
        known = {"dispatch": self.dispatched_on, "import": self.imported_on or self.dispatched_on}.get(which)
        return known or self.ordered_on


@dataclass(frozen=True, slots=True)
class Finding:
    """What one row says of one shipment: outcome, words, what to supply and by whom, and what it was judged by."""

    outcome: Outcome
    code: str
    rule: str
    version: int
    zh: str
    en: str
    supply: str = ""
    by: str = ""
    inputs: Mapping[str, str] = field(default_factory=dict)
    source: str = ""

    @property
    def key(self) -> str:
        """What a person accepts when accepting it: the same finding of the same version about the same thing."""
        about = ",".join(f"{name}={value}" for name, value in sorted(self.inputs.items()))
        return f"{self.rule}/{self.version}/{self.code}/{about}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """All findings up to the first block; the outcome is the gravest of them."""

    findings: tuple[Finding, ...]

    @property
    def outcome(self) -> Outcome:
        """The gravest outcome; pass where nothing was found."""
        return max((x.outcome for x in self.findings), key=RANK.__getitem__, default=PASS)

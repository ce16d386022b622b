"""What a custom field is; every other module of the engine speaks in these."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from orderhub.fields.engine.patterns import Pattern

#: What records may carry fields.
TARGETS = ("order", "line", "sku", "warehouse", "parcel")
KINDS = ("text", "integer", "decimal", "money", "boolean", "date", "time", "choice", "choices", "link")
NUMBER_KINDS = frozenset({"integer", "decimal", "money"})
CHOICE_KINDS = frozenset({"choice", "choices"})
#: Active fields of one kind of record that one merchant may have, its own and those for all together.
MOST_FIELDS = 200
MOST_CHOICES = 200
CODE = re.compile(r"[a-z][a-z0-9_]{0,39}")


class Fault(ValueError):
    """A value, or a definition, that cannot be: a code for machines and the facts for the sentence."""

    def __init__(self, code: str, **facts: object) -> None:
        super().__init__(code, facts)
        self.code, self.facts = code, facts


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing to choose: the code that is stored, and its labels in Chinese and English."""

    code: str
    zh: str
    en: str


@dataclass(frozen=True)
class Definition:
    """One field: `least` and `most` limit the number or the date, the length of a text, or the number of choices.

    `default` is a stored value (see `values`). A field that is `retired` keeps its values but takes no new ones.
    """

    target: str
    code: str
    kind: str
    zh: str
    en: str = ""
    unit: str = ""
    choices: tuple[Choice, ...] = ()
    least: str = ""
    most: str = ""
    pattern: str = ""
    default: object = None
    is_required: bool = False
    help_zh: str = ""
    help_en: str = ""
    pk: int = 0
    merchant_id: int | None = None
    seen_by: frozenset[str] = frozenset()
    edited_by: frozenset[str] = frozenset()
    merchant_may: str = "write"
    customer_sees: bool = False
    is_personal: bool = False
    in_list: bool = False
    in_filter: bool = True
    position: int = 100
    retired: bool = False
    more: Mapping[str, object] = field(default_factory=dict)

    @cached_property
    def matcher(self) -> Pattern | None:
        """The pattern ready to match; raises PatternError for one that is not in the dialect."""
        return Pattern(self.pattern) if self.pattern else None

    @cached_property
    def codes(self) -> dict[str, Choice]:
        """The choices by code."""
        return {choice.code: choice for choice in self.choices}

    def label(self, *, zh: bool) -> str:
        """The label in the reader's language."""
        return self.zh if zh else self.en or self.zh

    def help(self, *, zh: bool) -> str:
        """The help text in the reader's language."""
        return self.help_zh if zh else self.help_en or self.help_zh

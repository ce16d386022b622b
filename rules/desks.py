"""What an editor of rules may offer beyond the words: values that exist, a cart to try, the effect on past orders.

Apps teach it for their purpose, as they teach words; rules know no orders.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from rules.services import ActiveSet
from rules.vocabulary import Drafted


@dataclass(frozen=True, slots=True)
class Choice:
    """A value that exists, named in the reader's language; `price` is that of one unit, where it has one."""

    value: str
    label: str
    price: str = ""


#: Values to choose from; arguments: scope of the set.
Choices = Callable[[str], Mapping[str, Sequence[Choice]]]
#: Values found by a text, or those of the codes given; arguments: scope, text, codes.
Find = Callable[[str, str, Sequence[str]], Sequence[Choice]]
#: What the draft makes of a cart; raises Django's ValidationError by field. Arguments: scope, form fields, draft.
Trial = Callable[[str, Mapping[str, Sequence[str]], ActiveSet], Mapping[str, Any]]
#: An order as fields of the trial, or None; arguments: scope, number.
Sample = Callable[[str, str], "Mapping[str, Any] | None"]
#: What the draft would have done lately; arguments: set code, scope, rules, now.
Effect = Callable[[str, str, Sequence[Drafted], datetime], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Desk:
    """The offers of one purpose.

    `sources` names where values come from: by fact (``order.channel``), by parameter (``.skus``) or by parameter of one
    action (``hold.reason``). Names in `closed` allow nothing else; the source ``sku`` is asked by `find`.
    """

    sources: Mapping[str, str] = field(default_factory=dict)
    closed: frozenset[str] = frozenset()
    choices: Choices | None = None
    find: Find | None = None
    trial: Trial | None = None
    sample: Sample | None = None
    effect: Effect | None = None


_desks: dict[str, Desk] = {}


def teach(purpose: str, desk: Desk) -> None:
    """Set the offers of a purpose; a later call replaces an earlier one."""
    _desks[purpose] = desk


def of(purpose: str) -> Desk:
    """The offers of a purpose; an empty desk where nothing was taught."""
    return _desks.get(purpose, Desk())

"""Event kinds, each declared once: its words in both languages, its milestone, who may see it, its personal
fields.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Visibility = Literal["public", "masked", "internal"]


@dataclass(frozen=True, slots=True)
class Kind:
    """One sort of fact. `milestone` is the customer-facing code of tracking/data/milestones.csv, if any."""

    name: str
    zh: str
    en: str
    milestone: str = ""
    visibility: Visibility = "internal"
    personal: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()


_kinds: dict[str, Kind] = {}


def declare(
    name: str,
    *,
    zh: str,
    en: str,
    milestone: str = "",
    visibility: Visibility = "internal",
    personal: Sequence[str] = (),
    fields: Sequence[str] = (),
) -> Kind:
    """Declare a kind (`noun.past_participle`); raises ValueError if it was declared differently before."""
    kind = Kind(name, zh, en, milestone, visibility, tuple(personal), tuple(fields))
    if _kinds.setdefault(name, kind) != kind:
        raise ValueError(f"event kind {name} is declared twice")
    return kind


def get(name: str) -> Kind:
    """The declaration; raises KeyError for an undeclared kind."""
    return _kinds[name]


def catalog() -> tuple[Kind, ...]:
    """All kinds, by name."""
    return tuple(_kinds[name] for name in sorted(_kinds))

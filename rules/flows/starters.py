"""Ready-made drawings that a strategist copies and changes; data beside this module."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

_DATA = Path(__file__).with_name("starters.json")


@dataclass(frozen=True, slots=True)
class Starter:
    """A drawing with its names and what it is for, in both languages."""

    code: str
    name: str
    name_en: str
    about: str
    about_en: str
    content: dict[str, Any]


@cache
def all_() -> tuple[Starter, ...]:
    """All of them, the plain one first."""
    return tuple(Starter(**row) for row in json.loads(_DATA.read_text(encoding="utf-8")))


def get(code: str) -> Starter:
    """The starter of that code; raises KeyError."""
    return {starter.code: starter for starter in all_()}[code]

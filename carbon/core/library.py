"""The factors in force in this process: the bundled ones, with those of newer sets in their place once they are active.

Pure: whoever knows the database installs choices here (`carbon.library.loading`); without any, the bundle holds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from carbon.core.bundle import bundled_factors
from carbon.core.errors import EstimateError
from carbon.core.model import Factor

Listener = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Library:
    """Which factor stands in for a bundled id, which more there are, which ids are out of use, and the digest of how
    that was decided.
    """

    instead: Mapping[str, Factor] = field(default_factory=dict)
    more: Mapping[str, Factor] = field(default_factory=dict)
    retired: frozenset[str] = frozenset()
    digest: str = ""


_BUNDLED = Library()
_current = _BUNDLED
_listeners: list[Listener] = []


def when_changed(function: Listener) -> Listener:
    """Have `function()` called whenever other factors come into force."""
    _listeners.append(function)
    return function


def current() -> Library:
    """What is in force now."""
    return _current


def install(library: Library = _BUNDLED) -> None:
    """Put other factors in force; without an argument the bundled ones."""
    global _current
    if library.digest != _current.digest:
        _current = library
        for listener in _listeners:
            listener()


def find(factor_id: str) -> Factor | None:
    """The factor in force for an id; None where it is unknown, a draft or out of use."""
    factor = _current.instead.get(factor_id) or _current.more.get(factor_id)
    if factor is None and factor_id not in _current.retired:
        factor = bundled_factors().get(factor_id)
    return factor if factor is not None and factor.status == "active" else None


def chosen(factor_id: str) -> Factor:
    """As `find`; raises `EstimateError` UNKNOWN_FACTOR."""
    factor = find(factor_id)
    if factor is None:
        raise EstimateError("UNKNOWN_FACTOR")
    return factor

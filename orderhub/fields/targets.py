"""The tables that carry fields: the apps that own them register here, as this app knows none of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Model

from orderhub.fields.engine import TARGETS
from orderhub.fields.models import Field


@dataclass(frozen=True, slots=True)
class Target:
    """One kind of record: its model, which has a column `custom`, and the ways from a row to its merchant's id
    and to the receiver's, if it is about one.
    """

    name: str
    model: type[Model]
    merchant_path: str = "merchant_id"
    person_path: str = ""


@dataclass(frozen=True, slots=True)
class Use:
    """Where a field is used, in words of the reader's language; what `blocks` keeps it from being removed."""

    kind: str
    title: str
    detail: str = ""
    link: str = ""
    blocks: bool = False


#: Finds the uses of a field that its app knows.
Finder = Callable[[Field], Iterable[Use]]

_targets: dict[str, Target] = {}
_finders: dict[str, Finder] = {}


def register(target: Target) -> None:
    """Add a kind of record; ValueError for a name that fields do not know."""
    if target.name not in TARGETS:
        raise ValueError(f"no target {target.name}")
    _targets[target.name] = target


def get(name: str) -> Target:
    """The table behind a target; KeyError if no app has registered it."""
    return _targets[name]


def of_persons() -> list[Target]:
    """The tables whose rows are about a receiver."""
    return [one for one in _targets.values() if one.person_path]


def of_model(model: type[Any]) -> Target | None:
    """The target that a model is."""
    return next((one for one in _targets.values() if one.model is model), None)


def register_uses(finder: Finder) -> None:
    """Add a place to look for uses of fields."""
    _finders[f"{finder.__module__}.{finder.__qualname__}"] = finder


def finders() -> list[Finder]:
    """All places to look for uses."""
    return list(_finders.values())

"""What upper layers add to the order page and the Today page: they register, nobody below imports them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.utils.functional import Promise

from orderhub.orders.models import Order

Text = str | Promise


@dataclass(frozen=True, slots=True)
class Drawn:
    """A template and what it is filled with."""

    template: str
    context: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Concern:
    """Something that needs a person: what it is, since or until when, and the page where it is settled.

    `tone` is bad, warn or hold; `due` is a short text; smaller `rank` comes first within a tone.
    """

    tone: str
    text: Text
    detail: Text
    due: Text
    link: str
    button: Text
    rank: float = 0


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of the last 24 hours with what it means."""

    label: Text
    value: str
    unit: Text = ""
    note: Text = ""
    tone: str = ""


OrderPanel = Callable[[Order, HttpRequest], Drawn | None]
HomePanel = Callable[[HttpRequest, datetime], Drawn | None]
FindConcerns = Callable[[HttpRequest, datetime], Sequence[Concern]]
FindFigures = Callable[[HttpRequest, datetime], Sequence[Figure]]


@dataclass(frozen=True, slots=True)
class Registered:
    """A registered function with its place on the page and the permission its reader needs (empty: none)."""

    name: str
    run: Callable[..., Any]
    order: int
    aside: bool
    permission: str

    def is_open_to(self, request: HttpRequest) -> bool:
        """Whether this reader may see it."""
        return not self.permission or request.user.has_perm(self.permission)


_order_panels: dict[str, Registered] = {}
_home_panels: dict[str, Registered] = {}
_concerns: dict[str, Registered] = {}
_figures: dict[str, Registered] = {}


def panel(
    name: str, *, order: int, aside: bool = False, permission: str = ""
) -> Callable[[OrderPanel], OrderPanel]:
    """Register a part of the order page, `aside` in the narrow column; None is for nothing to show."""
    return _into(_order_panels, name, order=order, aside=aside, permission=permission)


def home(
    name: str, *, order: int, aside: bool = False, permission: str = ""
) -> Callable[[HomePanel], HomePanel]:
    """Register a part of the Today page."""
    return _into(_home_panels, name, order=order, aside=aside, permission=permission)


def concern(name: str, *, permission: str = "") -> Callable[[FindConcerns], FindConcerns]:
    """Register a finder of things that need a person; a constant number of queries."""
    return _into(_concerns, name, order=0, aside=False, permission=permission)


def figures(name: str, *, order: int, permission: str = "") -> Callable[[FindFigures], FindFigures]:
    """Register numbers of the last 24 hours."""
    return _into(_figures, name, order=order, aside=False, permission=permission)


def of_order(order: Order, request: HttpRequest) -> tuple[list[Drawn], list[Drawn]]:
    """The parts of the order page for this reader: the wide column and the narrow one."""
    return _drawn(_order_panels, request, order, request)


def of_home(request: HttpRequest, now: datetime) -> tuple[list[Drawn], list[Drawn]]:
    """The parts of the Today page for this reader: the wide column and the narrow one."""
    return _drawn(_home_panels, request, request, now)


def all_concerns(request: HttpRequest, now: datetime) -> list[Concern]:
    """Everything that needs a person, the worst first."""
    tones = {"bad": 0, "hold": 1, "warn": 2}
    found = [item for one in _open(_concerns, request) for item in one.run(request, now)]
    return sorted(found, key=lambda item: (tones.get(item.tone, 3), item.rank))


def all_figures(request: HttpRequest, now: datetime) -> list[Figure]:
    """All numbers for this reader."""
    return [figure for one in _open(_figures, request) for figure in one.run(request, now)]


def _into(
    registry: dict[str, Registered], name: str, *, order: int, aside: bool, permission: str
) -> Callable[[Any], Any]:
    def register(function: Any) -> Any:
        known = registry.get(name)
        if known is not None and known.run.__module__ != function.__module__:
            raise ValueError(f"panel {name} is registered twice")
        registry[name] = Registered(name, function, order, aside, permission)
        return function

    return register


def _open(registry: Mapping[str, Registered], request: HttpRequest) -> list[Registered]:
    return sorted(
        (one for one in registry.values() if one.is_open_to(request)), key=lambda one: (one.order, one.name)
    )


def _drawn(
    registry: Mapping[str, Registered], request: HttpRequest, *given: Any
) -> tuple[list[Drawn], list[Drawn]]:
    wide: list[Drawn] = []
    narrow: list[Drawn] = []
    for one in _open(registry, request):
        drawn = one.run(*given)
        if drawn is not None:
            (narrow if one.aside else wide).append(drawn)
    return wide, narrow

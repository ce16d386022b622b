"""Which steps the orders of each merchant walk through."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from time import monotonic

from django.utils.module_loading import import_string

from orderhub.events.tables import ask
from rules import services as rules
from rules.flow import after
from rules.models import Flow as DrawnFlow

Flow = tuple[str, ...]
#: How long a door may start orders by what it read last; a flow that is published counts within a second.
KEPT_SECONDS = 0.5
_first: dict[int, tuple[float, str]] = {}


@cache
def built_in() -> Flow:
    """The journey of merchants without a flow of their own; the composition root is reached by name only."""
    steps: Flow = tuple(import_string("orderhub.journey.JOURNEY"))
    return steps


def of_merchants(merchant_ids: Iterable[int]) -> dict[int, Flow]:
    """The flow in force for each merchant, one query."""
    scopes = {f"merchant:{merchant_id}": merchant_id for merchant_id in merchant_ids}
    drawn = rules.flows(scopes)
    return {merchant_id: drawn.get(scope) or built_in() for scope, merchant_id in scopes.items()}


def first_step(merchant_id: int) -> str:
    """Where the orders of a merchant begin; at most one query, kept for half a second in this process."""
    until, step = _first.get(merchant_id, (0.0, ""))
    if until <= monotonic():
        step = _read_first(merchant_id)
        _first[merchant_id] = monotonic() + KEPT_SECONDS, step
    return step


def forget() -> None:
    """Ask the database again from now on."""
    _first.clear()


def _read_first(merchant_id: int) -> str:
    drawn = f"SELECT 1 FROM {DrawnFlow._meta.db_table} WHERE scope = %s AND is_active LIMIT 1"  # noqa: S608
    if not ask(drawn, [f"merchant:{merchant_id}"]):
        return built_in()[0]
    # Whether a flow that was drawn can be walked is judged in one place.
    return of_merchants([merchant_id])[merchant_id][0]


def following(flow: Flow, step: str) -> str:
    """The step after `step`; empty at the end.

    A step that an operator took out while orders stood at it is left for the first one that comes later by
    the built-in journey, so that those orders go on.
    """
    if step in flow:
        return after(flow, step)
    usual = built_in()
    later = usual[usual.index(step) + 1 :] if step in usual else ()
    return next((name for name in flow if name in later), "")

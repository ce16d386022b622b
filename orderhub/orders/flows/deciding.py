"""By which exit orders leave a decision, and what that was decided on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from orderhub.orders.flows import facts
from orderhub.orders.models import Order, OrderLine
from rules.flows.checking import Branch
from rules.flows.graph import ELSE

#: Texts that people write; they may hold what is personal, and the log is never changed.
_NOT_TOLD = frozenset({"order.note", "order.city"})
_TOLD_PREFIXES = ("order.", "customer.", "risk.", "carbon.")


@dataclass(frozen=True, slots=True)
class Decided:
    """The exit, and the values of the facts that its decision asked for."""

    exit: str
    told: dict[str, Any]


def asked(branches: Iterable[Branch]) -> set[str]:
    """The facts these branches ask for."""
    return {name for branch in branches for name in branch.rule.facts}


def decide_one(branches: Sequence[Branch], values: Mapping[str, object]) -> Decided:
    """The first branch that holds; else the exit of the rest."""
    found = next((branch.exit for branch in branches if branch.rule.condition.test(values)), ELSE)
    told = {
        name: facts.shown(values[name])
        for name in sorted(asked(branches))
        if _may_tell(name) and name in values
    }
    return Decided(found, told)


def decide(
    orders: Sequence[Order],
    branches: Mapping[int, Sequence[Branch]],
    lines: Mapping[int, Sequence[OrderLine]],
    *,
    now: datetime,
) -> dict[int, Decided]:
    """The exits of orders that stand at decisions, by order id, on what is true of them now."""
    wanted = {name for group in branches.values() for name in asked(group)}
    values = facts.of(orders, lines, wanted, now=now)
    return {order.pk: decide_one(branches[order.pk], values[order.pk]) for order in orders}


def _may_tell(name: str) -> bool:
    return name not in _NOT_TOLD and name.startswith(_TOLD_PREFIXES) and ".custom." not in name

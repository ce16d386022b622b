"""Going back: to older figures of a strategy (and what changed between two versions), and over a decision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from orderhub.access.models import User
from routing import strategies
from routing.models import Strategy, StrategyVersion
from routing.replaying import replay as replay


@dataclass(frozen=True, slots=True)
class Change:
    """One figure that differs; plain decimals as text, None for no limit."""

    name: str
    old: Any
    new: Any


def changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    """The figures that differ between two versions' values, in their usual order."""
    return [
        Change(name, old.get(name), new.get(name))
        for name in strategies.FIGURES
        if old.get(name) != new.get(name)
    ]


@transaction.atomic
def restore(version: StrategyVersion, *, actor: User | None, now: datetime) -> StrategyVersion:
    """Put the figures of an older version in force again, as a new version (if anything differs)."""
    strategy = Strategy.objects.select_for_update().get(pk=version.strategy_id)
    for name in strategies.FIGURES:
        value = version.values[name]
        setattr(strategy, name, value if name == "max_parcels" else Decimal(value))
    strategy.save()
    return strategies.save_version(strategy, actor=actor, now=now)

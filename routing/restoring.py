"""Going back: to older figures of a strategy (and what changed between two versions), and over a decision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from orderhub.access.models import User
from routing import figures, strategies
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
    before, after = figures.complete(old), figures.complete(new)
    return [Change(name, before[name], after[name]) for name in figures.changed(before, after)]


@transaction.atomic
def restore(version: StrategyVersion, *, actor: User | None, now: datetime) -> StrategyVersion:
    """Put the figures of an older version in force again, as a new version (if anything differs).

    A draft that stands stays as it is, but whoever edits it is told that the ground has moved.
    """
    strategy = Strategy.objects.select_for_update().get(pk=version.strategy_id)
    strategies.take_over(strategy, version.values)
    strategy.save()
    return strategies.save_version(
        strategy,
        actor=actor,
        now=now,
        origin=StrategyVersion.Origin.ROLLED_BACK,
        restored_number=version.number,
    )

"""Designs of experiments: which are allowed, why others are refused, and who gets which arm."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

REGION_CYCLE, REGION, DAY, ORDER, USER = "region_cycle", "region", "day", "order", "user"
UNITS = (REGION_CYCLE, REGION, DAY, ORDER, USER)
#: What an arm may change without touching anybody's stock.
UNTOUCHED = frozenset({"carrier", "packaging", "message"})
STRATEGY = "strategy"
LEAST_CYCLES = 3


@dataclass(frozen=True, slots=True)
class Design:
    """An experiment as somebody would like it.

    ``changes``: strategy, carrier, packaging or message. ``pairs``: two clusters of regions each, like in size.
    ``prices``: whose prices charge the stock: ``hindsight``, ``arm`` (those the arm routed by) or ``none``.
    """

    unit: str
    changes: str
    arms: tuple[str, ...]
    pairs: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]
    starts_at: datetime
    ends_at: datetime
    cycles: int
    has_twin: bool = True
    prices: str = "hindsight"


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a design is refused: a code, the field to mend, and facts for the sentence."""

    code: str
    field: str
    facts: Mapping[str, object]


def check(design: Design) -> list[Fault]:
    """Everything that is wrong with a design; an empty list allows it."""
    faults = _plain(design)
    if design.changes in UNTOUCHED:
        return faults
    wrong = {
        ORDER: "order_split_shares_stock", USER: "user_split_shares_stock", DAY: "day_switch_carries_over",
        REGION: "region_only_shares_stock",
    }  # fmt: skip
    if design.unit in wrong:
        return [*faults, Fault(wrong[design.unit], "unit", {})]
    if not design.has_twin:
        faults.append(Fault("needs_twin", "has_twin", {}))
    if design.prices != "hindsight":
        faults.append(
            Fault("arm_prices_favor_arm" if design.prices == "arm" else "stock_unpriced", "prices", {})
        )
    return faults + _clusters(design)


def _plain(design: Design) -> list[Fault]:
    faults = []
    if design.unit not in UNITS or design.changes not in {*UNTOUCHED, STRATEGY}:
        faults.append(Fault("unknown_design", "unit", {"unit": design.unit, "changes": design.changes}))
    if len(set(design.arms)) < 2:
        faults.append(Fault("one_arm", "arms", {}))
    elif len(design.arms) > 2:
        faults.append(Fault("too_many_arms", "arms", {"arms": len(design.arms)}))
    if design.ends_at <= design.starts_at:
        faults.append(Fault("ends_before_start", "ends_at", {}))
    return faults


def _clusters(design: Design) -> list[Fault]:
    faults = []
    regions = [(name, cluster) for pair in design.pairs for cluster in pair for name in cluster]
    faults += [
        Fault("empty_cluster", "pairs", {}) for pair in design.pairs for cluster in pair if not cluster
    ]
    twice = sorted({
        name
        for n, (name, _cluster) in enumerate(regions)
        for m, (other, _other) in enumerate(regions)
        if n != m and (name == other or name.startswith(other + "-"))
    })  # fmt: skip
    if twice:
        faults.append(Fault("overlapping_regions", "pairs", {"regions": ", ".join(twice)}))
    if not design.pairs:
        faults.append(Fault("no_pairs", "pairs", {}))
    if design.cycles < LEAST_CYCLES:
        faults.append(Fault("too_few_cycles", "cycles", {"cycles": design.cycles, "least": LEAST_CYCLES}))
    return faults


def arm_of_cluster(salt: str, pair: int, side: int, cycle: int) -> int:
    """0 (champion) or 1 (challenger): of a pair one cluster has each, drawn anew every cycle, the same for ever."""
    return _bit(f"{salt}/{pair}/{cycle}") ^ (side & 1)


def arm_of_order(salt: str, order_id: int | str) -> int:
    """0 or 1 for one order, where stock is not touched."""
    return _bit(f"{salt}/order/{order_id}")


def place_of(region: str, pairs: Sequence[Sequence[Sequence[str]]]) -> tuple[int, int] | None:
    """(pair, side) of a region, None outside the experiment. A cluster names regions or prefixes of them."""
    for number, pair in enumerate(pairs):
        for side, cluster in enumerate(pair):
            if any(region == name or region.startswith(name + "-") for name in cluster):
                return number, side
    return None


def _bit(text: str) -> int:
    return hashlib.sha256(text.encode()).digest()[0] & 1

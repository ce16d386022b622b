"""The slow half of what a quote looks at, kept for a second per merchant and process: places, rate cards, strategies.

Stock, load, levers and prices are read afresh for every quote.
"""

from __future__ import annotations

import threading
from datetime import datetime, time, timedelta
from time import monotonic
from zoneinfo import ZoneInfo

from orderhub.inventory.models import Warehouse
from routing.seldom import Standing, standing

KEPT_SECONDS = 1.0
MOST_MERCHANTS = 1000


_kept: dict[int, tuple[float, Standing]] = {}
_lock = threading.Lock()


def of_merchant(merchant_id: int) -> Standing:
    """Active warehouses, rate cards with zones, strategies and their rules; at most a second old."""
    moment = monotonic()
    known = _kept.get(merchant_id)
    if known is not None and moment - known[0] < KEPT_SECONDS:
        return known[1]
    found = standing.of([merchant_id])
    with _lock:
        if len(_kept) >= MOST_MERCHANTS:
            _kept.clear()
        _kept[merchant_id] = (moment, found)
    return found


def forget() -> None:
    """Read everything afresh."""
    with _lock:
        _kept.clear()


def next_cutoff(house: Warehouse, *, now: datetime) -> datetime:
    """When the warehouse next stops taking work for its day."""
    local = now.astimezone(ZoneInfo(house.time_zone))
    cutoff: time = house.cutoff_at
    day = local.date() if local.time() <= cutoff else local.date() + timedelta(days=1)
    return datetime.combine(day, cutoff, tzinfo=local.tzinfo)

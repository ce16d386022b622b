"""Which stock rows are hot: asked for so often, each time in a transaction of its own, that buyers would queue.

Measured from the movements: reservations of one transaction share their moment, so a batch of the pipeline
counts once and a hundred carts count a hundred times. The flag changes how carts are served, never the result.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import datetime, timedelta
from time import monotonic

from django.db.models import Count, Max, Q

from orderhub.inventory.models import Movement, Stock

WINDOW = timedelta(seconds=10)
#: A plain row takes several hundred separate reservations a second at most; from here on buyers wait.
HOT_PER_SECOND = 50
#: Cold again below this, and not before `COOLING` has passed: a flag does not flicker.
COLD_PER_SECOND = 10
COOLING = timedelta(seconds=60)
#: At most this many of the latest movements are looked at.
_LOOKED_AT = 20_000
_REMEMBERED_SECONDS = 2.0

_lock = threading.Lock()
_known: tuple[float, frozenset[int]] = (float("-inf"), frozenset())


def hot_skus() -> frozenset[int]:
    """The SKUs with a hot row, as this process knew them at most two seconds ago."""
    global _known
    with _lock:
        if monotonic() - _known[0] > _REMEMBERED_SECONDS:
            _known = (
                monotonic(),
                frozenset(Stock.objects.filter(is_hot=True).values_list("sku_id", flat=True)),
            )
        return _known[1]


def forget() -> None:
    """Ask the database again next time."""
    global _known
    _known = float("-inf"), frozenset()


def measure(*, now: datetime) -> int:
    """Flag the rows that became hot, take the flag from those that cooled; returns how many changed."""
    rates = _rates(now=now)
    hot = [pk for pk, rate in rates.items() if rate >= HOT_PER_SECOND]
    changed = 0
    for row in Stock.objects.filter(Q(is_hot=True) | Q(pk__in=hot)).order_by("sku_id", "warehouse_id"):
        changed += _flag(row, rates.get(row.pk, 0), now=now)
    if changed:
        forget()
    return changed


def _flag(row: Stock, rate: int, *, now: datetime) -> bool:
    rows = Stock.objects.filter(pk=row.pk)
    if not row.is_hot:
        return bool(rows.update(is_hot=True, hot_since=now, takes_per_second=rate))
    has_cooled = row.hot_since is None or now - row.hot_since >= COOLING
    if rate < COLD_PER_SECOND and has_cooled:
        return bool(rows.update(is_hot=False, hot_since=None, takes_per_second=rate))
    if rate != row.takes_per_second:
        rows.update(takes_per_second=rate)
    return False


def _rates(*, now: datetime) -> Mapping[int, int]:
    """Separate reservations per second and row over the window, rounded down."""
    latest = Movement.objects.aggregate(latest=Max("pk"))["latest"] or 0
    recent = Movement.objects.filter(
        pk__gt=latest - _LOOKED_AT, kind=Movement.Kind.RESERVE, moved_at__gt=now - WINDOW
    )
    counted = recent.order_by().values_list("stock_id").annotate(takes=Count("moved_at", distinct=True))
    seconds = int(WINDOW.total_seconds())
    return {pk: takes // seconds for pk, takes in counted.filter(takes__gte=seconds)}

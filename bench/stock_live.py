"""Quantities on their way: from a movement in the hub until a channel holds the quantity, over real workers and sockets.

    python bench/stock_live.py [--channels 5] [--skus 1000] [--seconds 60] [--rate 20]

Web is not needed: workers and clock run as processes on PostgreSQL and Redis, each channel is a shop behind a socket that
checks the signature, keeps the quantity and notes when it came. First everything is told to every channel
(`first_seconds`). Then stock moves, `--rate` counts a second of random SKUs, each far from the one before, for so many
seconds. A movement is held by a channel when the first quantity of its SKU arrives there after its commit.
`published_p95_s` is over all movements and channels; `not_told` says how many were followed by none.
At the end every channel must hold what the hub says it told it last (`differences`).
"""

from __future__ import annotations

import argparse
import contextlib
import random
import sys
import tempfile
import time
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from bench import house

LIMIT_SECONDS = 5.0
SETTLE_SECONDS, LATE_SECONDS = 120, 60
QUEUES = ("outbox", "intake,route,carbon,import,low")
UNITS = 500
_COUNTS = (200, 900)


def prepare(shelf: Any, *, channels: int, skus: int) -> list[str]:
    """A merchant with so many SKUs in one warehouse and so many channels that share them; the codes of the SKUs."""
    from bench import holding
    from orderhub.connectors import shelf as profiles
    from orderhub.connectors.models import Connection
    from orderhub.inventory.models import Sku, Stock, Warehouse
    from orderhub.kernel import clock
    from tests import make

    merchant = make.network(units=UNITS)
    Connection.objects.filter(merchant=merchant).update(is_active=False)
    profiles.load_shipped(now=clock.now())
    pattern = Sku.objects.filter(merchant=merchant).first()
    assert pattern is not None
    codes = [f"S{number:05d}" for number in range(skus)]
    fields = {"merchant": merchant, "name": "x", "grams": pattern.grams, "volume_cm3": pattern.volume_cm3}
    made = Sku.objects.bulk_create([Sku(code=code, **fields) for code in codes])
    warehouse = Warehouse.objects.filter(merchant=merchant).order_by("pk")[0]
    Stock.objects.bulk_create(
        [Stock(merchant=merchant, warehouse=warehouse, sku=sku, on_hand=UNITS) for sku in made]
    )
    for number in range(channels):
        holding.connect_channel(f"mall{number}", shelf)
    return codes


def quiet(shelf: Any, *, channels: int, skus: int) -> bool:
    """Whether every channel holds every SKU and nothing is on its way."""
    from orderhub.connectors.models import OfferChange
    from orderhub.events.models import Delivery

    held = shelf.held()
    is_full = len(held) == channels and all(len(shown) >= skus for shown in held.values())
    open_rows = Delivery.objects.filter(subscriber="connectors.push", state__in=["ready", "leased"])
    return is_full and not OfferChange.objects.exists() and not open_rows.exists()


class Mover:
    """Counts of random SKUs at a rate; when each was committed."""

    def __init__(self, codes: Sequence[str]) -> None:
        from orderhub.access.models import Merchant
        from orderhub.inventory.models import Sku, Warehouse

        self.merchant = Merchant.objects.get()
        self.skus = {row.code: row for row in Sku.objects.filter(code__in=codes)}
        self.warehouse = Warehouse.objects.filter(merchant=self.merchant).order_by("pk")[0]
        self.codes = list(codes)
        self.counts = dict.fromkeys(codes, UNITS)
        self.moved: list[tuple[float, str]] = []

    def run(self, *, rate: float, seconds: float) -> None:
        """Move stock, whatever the hub does with it."""
        chance, begun = random.Random(1), time.monotonic()
        for number in range(int(rate * seconds)):
            time.sleep(max(0.0, begun + number / rate - time.monotonic()))
            code = chance.choice(self.codes)
            self._count(code, chance.choice(_COUNTS))
            self.moved.append((time.time(), code))

    def _count(self, code: str, units: int) -> None:
        from orderhub.inventory import services
        from orderhub.kernel import clock

        # Never what is there already, and never so near that telling it would not be worth it.
        units = units if self.counts[code] != units else _COUNTS[0] + _COUNTS[1] - units
        services.set_counts([(self.warehouse, self.skus[code], units)], actor="bench", now=clock.now())
        self.counts[code] = units


def lags(
    moved: Sequence[tuple[float, str]], told: Sequence[tuple[float, str, str, int]]
) -> tuple[list[float], int]:
    """Seconds from each movement to the next quantity of its SKU at each channel that was told one; how many never came."""
    arrived: dict[tuple[str, str], list[float]] = defaultdict(list)
    for moment, shop, sku, _quantity in told:
        arrived[shop, sku].append(moment)
    shops = {shop for _moment, shop, _sku, _quantity in told}
    found, missing = [], 0
    for at, sku in moved:
        for shop in shops:
            moments = arrived[shop, sku]
            place = bisect_right(moments, at)
            if place < len(moments):
                found.append(moments[place] - at)
            else:
                missing += 1
    return found, missing


def differences(shelf: Any) -> int:
    """Channels and SKUs whose shown quantity is not the one the hub told last."""
    from orderhub.connectors.models import Published

    held = shelf.held()
    rows = Published.objects.values_list("channel__code", "sku__code", "quantity")
    return sum(held.get(channel, {}).get(sku) != quantity for channel, sku, quantity in rows)


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Everything once; the figures."""
    from bench import holding
    from bench.peak import hub_of
    from tests.faults import hub

    size = {"channels": arguments.channels, "skus": arguments.skus}
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="orderhub-stock-")))
        shelf = stack.enter_context(holding.shelf())
        codes = prepare(shelf, **size)
        begun = time.monotonic()
        stack.enter_context(hub_of(len(QUEUES), folder, queues=QUEUES))
        hub.until(lambda: quiet(shelf, **size), seconds=SETTLE_SECONDS, what="everything is told once")
        first = time.monotonic() - begun
        before = len(shelf.told())
        mover = Mover(codes)
        mover.run(rate=arguments.rate, seconds=arguments.seconds)
        end = time.monotonic() + LATE_SECONDS

        def is_told() -> bool:
            return time.monotonic() > end or not lags(mover.moved, shelf.told(before))[1]

        hub.until(is_told, seconds=LATE_SECONDS * 2, what="the movements are told", every=1.0)
        hub.until(lambda: quiet(shelf, **size), seconds=SETTLE_SECONDS, what="everything is told")
        found, missing = lags(mover.moved, shelf.told(before))
        wrong = differences(shelf)
    found.sort()
    return {
        **size, "movements": len(mover.moved), "told": len(found), "not_told": missing,
        "published_p50_s": round(found[len(found) // 2], 2), "published_p95_s": round(found[int(len(found) * 0.95)], 2),
        "published_max_s": round(found[-1], 2), "differences": wrong, "first_seconds": round(first, 1),
    }  # fmt: skip


def main() -> int:
    """Measure, and fail where a quantity is late or wrong."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--channels", type=int, default=5)
    parser.add_argument("--skus", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--rate", type=float, default=20, help="Movements a second.")
    arguments = parser.parse_args()
    house.services()
    figures = run(arguments)
    house.end_with(**figures)
    return int(figures["published_p95_s"] > LIMIT_SECONDS or figures["differences"] > 0)


if __name__ == "__main__":
    sys.exit(main())

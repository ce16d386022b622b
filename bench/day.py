"""A day of orders through the fake world while everything misbehaves, and whether all systems hold the same in the evening.

    python bench/day.py [--orders 20000] [--hours 24] [--share 0.05] [--seed 1] [--step 60]

Six shops, three Qimen warehouses, a K3 ERP and two carriers, over real sockets; the hub on PostgreSQL, its work done in
this process, its doors on two threads. Hub and world keep one virtual clock, which jumps `--step` seconds at a time:
time-outs, rests and retries take their time on it. `--share` of all requests and of all pushes go wrong, of every kind
there is (the only exceptions: nobody lies about a cancellation or an address confirmed, since goods that have left cannot
be brought to agree; tests/day/test_planted.py shows that the comparison tells of it). An operator looks every two hours.
In the evening nothing misbehaves any more, everything comes to rest, and every system is compared with the hub, twice over:
by the daily comparison, and by the books of the fakes beside the hub's tables (tests/day/books.py).

The last line is one JSON object: {"orders", "misbehaved" requests and pushes, "found" differences that the comparison found
and settled, "differences" left by either comparison, "applied_twice" (with broken invariants), "lost", "seconds"}; the first
three of what is wrong are printed.
"""

from __future__ import annotations

import argparse
import logging
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench import house


def main() -> None:
    """Live one day and tell what came of it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--orders", type=int, default=20_000)
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--share", type=float, default=0.05)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--step", type=float, default=60.0)
    given = parser.parse_args()
    house.services()

    from orderhub.connectors.models import Difference
    from tests.day import life
    from tests.day.books import Books
    from tests.day.town import town

    logging.disable(logging.ERROR)
    began = time.monotonic()
    with town(seed=given.seed, documents=given.orders * 3) as place:
        place.build()
        day = life.Day(
            place, orders=given.orders, share=given.share, seed=given.seed, step_seconds=given.step
        )
        day.live(hours=given.hours)
        print(f"{day.sold} orders sold after {time.monotonic() - began:.0f} s", flush=True)
        day.come_to_rest()
        print(f"at rest after {time.monotonic() - began:.0f} s", flush=True)
        day.reconcile()
        books = Books(place)
        left = Difference.objects.filter(state__in=["open", "fetching"])
        wrong = {
            "differences": [*books.differences(), *map(str, left)], "applied_twice": books.twice(),
            "lost": [*books.lost(), *place.forgotten()],
        }  # fmt: skip
        for name, sentences in wrong.items():
            for sentence in sentences[:3]:
                print(f"{name}: {sentence}")
        house.end_with(
            orders=len(books.orders), misbehaved=day.misbehaved, found=Difference.objects.count(),
            **{name: len(sentences) for name, sentences in wrong.items()}, seconds=round(time.monotonic() - began),
        )  # fmt: skip
    sys.exit(any(wrong.values()))


if __name__ == "__main__":
    main()

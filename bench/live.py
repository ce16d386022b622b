"""Live tracking at scale: open pages on sockets, positions in batches, and the page with a million orders behind it.

    python bench/live.py                              # 1,000 pages, 20 events/s, 1,000,000 orders of history
    python bench/live.py --history 20000              # less history: minutes instead of hours

Web, a worker and the clock run as processes on PostgreSQL and Redis. Each client (bench/live_clients.py) is the page of its
own order: a WebSocket in another process that says its token and the number it knows, notes each hint, and fetches the page.
The carrier's scans are committed by this process, as a web process or a worker would.

- `p99_ms`: from the commit of the event in the log to the hint in the client, when the page tells of that event already.
- `shown_p99_ms`: from the commit to the page's JSON in the client; `--no-fetch` leaves it out.
- `gaps`: clients whose page does not tell of the last event of their order a few seconds after the last scan.
- `positions_per_s`: positions kept by `tracking.live_position.ingest` (bench/live_positions.py), in batches of 1,000 of
  2,000 devices on trips, by as many processes as the machine has processors.
- `read_p99_ms`: GET of the page's JSON over HTTP from one reader, random orders out of all that history.

The last line is JSON.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from bench import house, live_clients, live_positions
from bench.live_clients import Heard

P99_MS, READ_P99_MS = 100.0, 50.0
STEP = timedelta(hours=6)
SETTLE_SECONDS = 8.0


def percentile(values: Sequence[float], share: float) -> float:
    """The value that so large a share lies below; 0.0 of nothing."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


@contextlib.contextmanager
def hub(workers: int) -> Iterator[str]:
    """A hub of its own; its address."""
    from bench.peak import hub_of
    from tests.faults import hub as processes

    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="orderhub-live-")))
        url, _processes = stack.enter_context(hub_of(workers, folder))
        processes.until(processes.answers(url), seconds=60, what="the web answers")
        yield url


# ---- events --------------------------------------------------------------------------------------


class Scans:
    """A carrier's scans on random orders, at a rate; notes when each was committed."""

    def __init__(self, order_ids: Sequence[int]) -> None:
        from orderhub.events import registry
        from orderhub.fulfillment.models import Parcel

        rows = Parcel.objects.filter(fulfillment__order_id__in=order_ids).select_related("fulfillment")
        self.parcels = list(rows.order_by("pk"))
        self.chance = random.Random(7)
        #: (order, number of the event, moment) of each commit.
        self.committed: list[tuple[int, int, float]] = []
        # First in the row: the hint itself goes out after it.
        registry.logged.insert(0, self._note)

    def _note(self, heads: Mapping[str, int]) -> None:
        at = time.time()
        self.committed += [(int(stream.partition(":")[2]), seq, at) for stream, seq in heads.items()]

    def run(self, *, rate: float, seconds: float) -> None:
        """Scan, one at a time."""
        from orderhub.fulfillment import services
        from orderhub.fulfillment.updates import Update
        from orderhub.kernel import clock

        begun = time.monotonic()
        for number in range(int(rate * seconds)):
            time.sleep(max(0.0, begun + number / rate - time.monotonic()))
            parcel, now = self.chance.choice(self.parcels), clock.now()
            scan = Update(
                "scan", parcel.fulfillment.number, now, tracking_number=parcel.tracking_number,
                milestone="ARRIVED", place=f"转运中心 {number}",
            )  # fmt: skip
            (outcome,) = services.apply([scan], now=now, actor="bench")
            if outcome.status != "applied":
                raise SystemExit(f"a scan was {outcome.status}: {outcome.reason}")


def sockets(orders: Sequence[Any], *, rate: float, seconds: float, fetch: bool) -> dict[str, Any]:
    """Scans while all pages are open; the figures."""
    from orderhub.orders import sharing

    tokens = {str(order.pk): sharing.token(order) for order in orders}
    with hub(1) as url, live_clients.opened(url.replace("http", "ws", 1), tokens, fetch=fetch) as process:
        scans = Scans([order.pk for order in orders])
        begun = time.monotonic()
        scans.run(rate=rate, seconds=seconds)
        spent = time.monotonic() - begun
        time.sleep(SETTLE_SECONDS)
        heard = live_clients.heard_by(process)
    told, shown = lags(scans.committed, heard)
    if not told:
        # Nothing measured is no figure, least of all a good one.
        raise SystemExit(f"no hint could be matched to {len(scans.committed)} commits")
    figures = {
        "clients": len(orders), "events": len(scans.committed), "events_per_s": round(len(scans.committed) / spent, 1),
        "p50_ms": round(percentile(told, 0.5) * 1000, 1), "p99_ms": round(percentile(told, 0.99) * 1000, 1),
        "gaps": gaps(scans.committed, heard) + len(scans.committed) - len(told),
    }  # fmt: skip
    if shown:
        figures["shown_p50_ms"] = round(percentile(shown, 0.5) * 1000, 1)
        figures["shown_p99_ms"] = round(percentile(shown, 0.99) * 1000, 1)
    return figures


def lags(
    committed: Sequence[tuple[int, int, float]], heard: Sequence[Heard]
) -> tuple[list[float], list[float]]:
    """Seconds from each commit to the first hint that tells of it, and to the page with it."""
    by_order: dict[int, list[Heard]] = {}
    for one in heard:
        by_order.setdefault(one.order, []).append(one)
    told, shown = [], []
    for order, seq, at in committed:
        first = next((one for one in by_order.get(order, ()) if one.log >= seq), None)
        if first is not None:
            told.append(first.at - at)
            if first.shown_at is not None:
                shown.append(first.shown_at - at)
    return told, shown


def gaps(committed: Sequence[tuple[int, int, float]], heard: Sequence[Heard]) -> int:
    """Clients that were not told of the last event of their order."""
    last: dict[int, int] = {}
    for one in heard:
        last[one.order] = max(last.get(one.order, 0), one.log)
    newest: dict[int, int] = {}
    for order, seq, _at in committed:
        newest[order] = max(newest.get(order, 0), seq)
    return sum(last.get(order, 0) < seq for order, seq in newest.items())


# ---- reading -------------------------------------------------------------------------------------


def read(orders: Sequence[Any], *, reads: int) -> dict[str, Any]:
    """The page's JSON over HTTP, random orders, one after the other."""
    import httpx

    from orderhub.orders import sharing

    paths = []
    for order in orders:
        sharing.stamp(order)
        order.save(update_fields=["share_hash"])
        paths.append(f"/api/v1/tracking/{sharing.token(order)}/")
    spent = []
    with hub(0) as url, httpx.Client(base_url=url, timeout=30) as client:
        for number in range(reads + 20):
            began = time.perf_counter()
            client.get(paths[number % len(paths)]).raise_for_status()
            spent.append(time.perf_counter() - began)
    spent = spent[20:]
    return {
        "reads": len(spent), "read_p50_ms": round(percentile(spent, 0.5) * 1000, 1),
        "read_p99_ms": round(percentile(spent, 0.99) * 1000, 1),
    }  # fmt: skip


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Everything once; the figures."""
    from bench import history
    from orderhub.access.models import Merchant
    from orderhub.orders.models import Order

    made = history.template(arguments.clients, step=STEP)
    shop = Merchant.objects.get(code="bench")
    own = list(Order.objects.filter(merchant=shop).order_by("pk")[: arguments.clients])
    figures = sockets(own, rate=arguments.rate, seconds=arguments.seconds, fetch=not arguments.no_fetch)
    print(figures, file=sys.stderr, flush=True)
    if arguments.history > arguments.clients:
        history.clone(made, arguments.history // arguments.clients - 1, thin=True)
    past = Order.objects.filter(pk__lt=history.FIRST_ID)
    sample = list((past if past.exists() else Order.objects.all()).order_by("share_hash")[:200])
    figures |= read(sample, reads=arguments.reads)
    figures["orders"] = Order.objects.count()
    live_positions.fleet(shop, own)
    figures |= live_positions.positions(arguments.batches)
    return figures


def main() -> int:
    """Measure, and fail where a bar is missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clients", type=int, default=1000)
    parser.add_argument("--rate", type=float, default=20, help="Events a second.")
    parser.add_argument("--seconds", type=float, default=30, help="Of the scans.")
    parser.add_argument("--history", type=int, default=1_000_000, help="Orders in all when pages are read.")
    parser.add_argument("--reads", type=int, default=1000)
    parser.add_argument("--batches", type=int, default=60, help="Rounds over the fleet, of each process.")
    parser.add_argument("--no-fetch", action="store_true", help="Clients hear hints and fetch nothing.")
    arguments = parser.parse_args()
    house.services()
    began = datetime.now(UTC)
    figures = run(arguments)
    figures["minutes"] = round((datetime.now(UTC) - began).total_seconds() / 60, 1)
    house.end_with(**figures)
    # Positions have a goal rather than a bar: what the machine gives is said.
    late = figures["p99_ms"] >= P99_MS or figures["read_p99_ms"] >= READ_P99_MS
    return int(late or figures["gaps"] > 0)


if __name__ == "__main__":
    sys.exit(main())

"""A recorded day of eight systems, five times over, shuffled and late: does it end as the clean day?

Sets up ORDERS orders (about ten events each), plays the clean feed once and the shuffled one for each seed, every time from
the same start (rolled back), and compares the state of all rows and the bytes of all pages. On SQLite, in a folder of its
own; then every timeline is folded afresh from the log and its rows compared byte by byte. Prints one JSON line: {"orders",
"events", "messages", "seeds", "same_state", "same_pages", "same_replay", "seconds"}; exit code 1 if any seed differs. The seeds
are shared by as many processes as there are processors. BENCH_ORDERS, BENCH_SEEDS and BENCH_PROCESSES make it smaller.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
ORDERS = int(os.environ.get("BENCH_ORDERS", "500"))
SEEDS = int(os.environ.get("BENCH_SEEDS", "20"))
PROCESSES = max(1, min(SEEDS, int(os.environ.get("BENCH_PROCESSES", str(os.cpu_count() or 1)))))

os.environ.pop("DATABASE_URL", None)
os.environ.pop("REDIS_URL", None)
_folder = tempfile.TemporaryDirectory(prefix="orderhub-shuffled-")
os.environ["HUB_DATA_DIR"] = _folder.name
os.environ.setdefault("HUB_DEBUG", "1")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "orderhub.settings")
sys.path.insert(0, str(ROOT))

import django  # noqa: E402

django.setup()

from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection, transaction  # noqa: E402

from orderhub.events import leases  # noqa: E402
from orderhub.kernel import clock  # noqa: E402
from tests import make  # noqa: E402
from tests.tracking import shuffled  # noqa: E402
from tracking import rebuilding  # noqa: E402


class Undone(Exception):
    """Ends a playing, so that the next one starts from the same rows."""


class Result(NamedTuple):
    """How one playing ended: all rows, all pages, and how many timelines the log alone did not give again."""

    state: dict[str, list[Any]]
    pages: list[bytes]
    not_replayed: int


def played(day: shuffled.Day, feed: list[shuffled.Said], *, now: datetime) -> Result:
    """Play a feed, look, fold the log afresh, and undo everything."""
    try:
        with transaction.atomic():
            shuffled.play(feed, at_once=1000)
            state, pages = shuffled.state(day), shuffled.pages(day, now=now)
            result = Result(state, pages, len(rebuilding.rebuild().differing))
            raise Undone
    except Undone:
        return result


def share(number: int, day: shuffled.Day, clean: Result, now: datetime) -> list[dict[str, Any]]:
    """Every so manieth seed, in a process of its own on a copy of the rows."""
    connection.settings_dict["NAME"] = str(Path(_folder.name) / f"copy{number}.sqlite3")
    found = []
    for seed in range(number + 1, SEEDS + 1, PROCESSES):
        began = time.perf_counter()
        result = played(day, shuffled.shuffled(day, seed), now=now)
        for name, rows in clean.state.items():
            for one in sorted({*rows} ^ {*result.state[name]})[:2]:
                print(f"  seed {seed} differs: {name} {one}", file=sys.stderr)
        spent = time.perf_counter() - began
        print(f"  seed {seed}: {spent:.0f} s", file=sys.stderr, flush=True)
        found.append({
            "state": result.state == clean.state, "pages": result.pages == clean.pages,
            "replay": result.not_replayed == 0,
        })  # fmt: skip
    return found


def main() -> int:
    """Play, compare, print."""
    own = make.Clock()
    clock.now = own.now  # type: ignore[assignment]
    leases._database_offset = lambda: timedelta(0)
    settings.SIM_SPEED = 1
    call_command("migrate", verbosity=0)
    day = shuffled.set_up(ORDERS, own)
    began = time.perf_counter()
    clean = played(day, shuffled.clean(day), now=own.now())
    print(f"  the clean day: {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)
    # Children begin with what is in memory here; each gets the rows as a file of its own.
    database = str(connection.settings_dict["NAME"])
    for number in range(PROCESSES):
        with connection.cursor() as cursor:
            cursor.execute("VACUUM INTO %s", [str(Path(_folder.name) / f"copy{number}.sqlite3")])
    connection.close()
    assert database.startswith(_folder.name), "only rows of its own are played with"
    with ProcessPoolExecutor(PROCESSES, mp_context=multiprocessing.get_context("fork")) as pool:
        jobs = [pool.submit(share, number, day, clean, own.now()) for number in range(PROCESSES)]
        found = [one for job in jobs for one in job.result()]
    same = {f"same_{name}": sum(one[name] for one in found) for name in ("state", "pages", "replay")}
    line = {
        "orders": ORDERS, "events": len(day.events), "messages": len(day.events) * shuffled.COPIES, "seeds": SEEDS,
        **same, "seconds": round(time.perf_counter() - began, 1),
    }  # fmt: skip
    print(json.dumps(line))
    return 0 if set(same.values()) == {SEEDS} and clean.not_replayed == 0 else 1


if __name__ == "__main__":
    sys.exit(main())

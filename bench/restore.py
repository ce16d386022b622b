"""The restore drill: 50,000 orders dumped, the database dropped, restored and verified.

    python bench/restore.py [--orders 50000] [--walked 1000]

Some orders walk the whole journey first, so that stock, decisions, deliveries and the ledger have rows too. Prints
the report of the restore and ends with one JSON line; exit code 1 if an invariant or the audit trail is broken, or
if back-up, restore and verification together take longer than ten minutes.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from bench import house

LONGEST_SECONDS = 600.0
CHUNK = 5000


def main() -> int:
    """Run the drill."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--orders", type=int, default=50_000)
    parser.add_argument("--walked", type=int, default=1000)
    parser.add_argument("--fill", action="store_true", help=argparse.SUPPRESS)
    wanted = parser.parse_args()
    if wanted.fill:
        fill(wanted.orders, wanted.walked)
        return 0
    house.services()
    import psycopg

    # A database of its own: it is dropped and made again.
    given = urlsplit(os.environ["DATABASE_URL"])
    name = f"orderhub_drill_{os.getpid()}"
    own = given._replace(path=f"/{name}").geturl()
    folder = Path(tempfile.mkdtemp(prefix="orderhub-drill-"))
    try:
        with psycopg.connect(given.geturl(), autocommit=True) as server:
            server.execute(f'CREATE DATABASE "{name}"'.encode())
            _fill(own, folder, wanted)
            began = time.monotonic()
            _manage(own, folder / "data", "backup", str(folder / "backup"), "--jobs=2")
            backup_s = time.monotonic() - began
            server.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())
            server.execute(f'CREATE DATABASE "{name}"'.encode())
            last = _manage(own, folder / "restored", "restore", str(folder / "backup"), "--json")
    finally:
        with psycopg.connect(given.geturl(), autocommit=True) as server:
            server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'.encode())
        size = sum(file.stat().st_size for file in (folder / "backup").rglob("*") if file.is_file())
        shutil.rmtree(folder, ignore_errors=True)
    times = json.loads(last)
    total = backup_s + times["restore_s"] + times["verify_s"]
    house.end_with(
        orders=wanted.orders, backup_s=round(backup_s, 1), **times, backup_mb=round(size / 2**20, 1)
    )
    return 0 if total < LONGEST_SECONDS else 1


def _fill(url: str, folder: Path, wanted: argparse.Namespace) -> None:
    """A process of its own, for its settings name the other database."""
    environment = {**os.environ, "DATABASE_URL": url, "HUB_DATA_DIR": str(folder / "data")}
    words = ["--fill", "--orders", str(wanted.orders), "--walked", str(wanted.walked)]
    subprocess.run([sys.executable, __file__, *words], env=environment, check=True)


def fill(orders: int, walked: int) -> None:
    """The demo shop with so many orders, of which the last have walked as far as they get by themselves."""
    house.services()
    from django.utils.module_loading import import_string

    from bench import pipeline
    from orderhub.access.models import Merchant
    from orderhub.celery import QUEUES
    from orderhub.events import relay
    from orderhub.events.models import Delivery
    from orderhub.kernel import clock

    shop = Merchant.objects.create(code="drill", name="Drill")
    for part in pipeline.PARTS:
        import_string(part)(shop, now=clock.now())
    for first in range(walked, orders, CHUNK):
        pipeline.place(shop, min(CHUNK, orders - first), first=first)
    # The many stay as they came in, their deliveries open; the few walk.
    Delivery.objects.update(not_before="2100-01-01T00:00Z")
    pipeline.place(shop, walked)
    for _round in range(3):
        for queue in QUEUES:
            relay.run_queue(queue, budget_seconds=60)


def _manage(url: str, data: Path, *words: str) -> str:
    """Run a command of the hub, show what it says, and return its last line."""
    environment = {**os.environ, "DATABASE_URL": url, "HUB_DATA_DIR": str(data)}
    command = [sys.executable, str(house.ROOT / "manage.py"), *words]
    done = subprocess.run(
        command, env=environment, cwd=house.ROOT, stdout=subprocess.PIPE, text=True, check=False
    )
    print(done.stdout, end="", flush=True)
    if done.returncode:
        raise SystemExit(f"{words[0]} failed")
    return done.stdout.strip().splitlines()[-1]


if __name__ == "__main__":
    raise SystemExit(main())

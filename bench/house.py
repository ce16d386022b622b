"""What every bench on a real database needs: services of its own, the hub's tables, a merchant with a network.

Not a bench itself. A script calls `house.services()` first: without DATABASE_URL it runs itself again beneath
`.ci/services.py`, which gives it a fresh PostgreSQL database and an empty Redis database and drops both.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


def services() -> None:
    """Make sure of PostgreSQL and Redis, set Django up and make the tables; must come before importing the hub."""
    if not (os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL")):
        os.execv(
            sys.executable, [sys.executable, str(ROOT / ".ci" / "services.py"), sys.executable, *sys.argv]
        )
    os.environ.setdefault("HUB_SECRET_KEY", "bench-only-" + "0123456789" * 5)
    os.environ.setdefault("HUB_ALLOWED_HOSTS", "localhost,127.0.0.1,testserver")
    os.environ.setdefault("HUB_SSL_REDIRECT", "0")
    os.environ.setdefault("HUB_DATA_DIR", f"/tmp/orderhub-bench-{os.getpid()}")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "orderhub.settings")
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)


def cpu_seconds(pid: int) -> float:
    """Processor time a process and its threads have used, from /proc; 0.0 if it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak_mb(pid: int | str = "self") -> float:
    """The largest resident size a process has had, in MB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return 0.0


def memory_mb(pid: int, *kinds: str) -> float:
    """What a process holds now in MB, as Linux counts it: "Rss", or what it shares with nobody; 0 if it is gone."""
    try:
        rows = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return (
        sum(int(row.split()[1]) for row in rows if row.startswith(tuple(f"{kind}:" for kind in kinds))) / 1024
    )


def children_of(pid: int) -> list[int]:
    """The processes a process has begun and that are still there."""
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def forget_peak() -> None:
    """Let this process's peak begin again with what it holds now."""
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")


class Stopwatch:
    """Wall and own processor seconds of a block."""

    def __enter__(self) -> Stopwatch:
        self._wall, self._cpu = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *_exc: object) -> None:
        self.wall_seconds = time.perf_counter() - self._wall
        self.cpu_seconds = time.process_time() - self._cpu


def end_with(**figures: Any) -> None:
    """The last line of every bench: its figures as one JSON object."""
    print(json.dumps(figures), flush=True)

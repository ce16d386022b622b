"""What this process counts itself; processes of one machine share a folder of counts (see `storage`)."""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path

from prometheus_client import Counter, Histogram

from orderhub.observe import FOLDER_VARIABLE

_PID = re.compile(r"_(\d+)\.db\Z")


def storage() -> Path:
    """The folder of counts, without the files of processes that are gone; made if need be."""
    folder = Path(os.environ[FOLDER_VARIABLE])
    folder.mkdir(parents=True, exist_ok=True)
    for file in folder.glob("*.db"):
        found = _PID.search(file.name)
        if found and not Path(f"/proc/{found[1]}").exists() and Path("/proc/self").exists():
            with contextlib.suppress(FileNotFoundError):
                file.unlink()
    return folder


storage()

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.5, 5.0, 10.0)

#: One per request, by the route's pattern, never by the path: paths hold tokens and numbers.
REQUESTS = Histogram(
    "orderhub_http_request_seconds",
    "Time to answer a request.",
    ["method", "route", "status"],
    buckets=BUCKETS,
)
FAILURES = Counter("orderhub_scrape_failures", "Parts of a scrape that could not be read.", ["part"])

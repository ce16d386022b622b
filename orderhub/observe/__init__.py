"""Watching the hub: logs, metrics, health. Part of the composition root; no app imports it."""

from __future__ import annotations

import os

from django.conf import settings

#: Read by the Prometheus client when it is first imported, so it is set before any module here is.
FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
_folder = settings.DATA_DIR / "metrics"
if settings.TESTING:  # test processes side by side must not add up
    _folder = _folder / f"test-{os.getpid()}"
os.environ.setdefault(FOLDER_VARIABLE, str(_folder))

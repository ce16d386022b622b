"""The hub's settings and a connector whose other side the peak bench plays."""

from __future__ import annotations

from orderhub.settings import *  # noqa: F403  (a settings module is made of names)
from orderhub.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "bench.peakapp"]

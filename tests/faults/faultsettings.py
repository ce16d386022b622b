"""The hub's settings and the app of the fault tests."""

from __future__ import annotations

from orderhub.settings import *  # noqa: F403  (a settings module is made of names)
from orderhub.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "faultapp"]

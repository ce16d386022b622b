"""A typed client of OrderHub's API. It knows nothing of the hub's own code: copy the folder, install httpx, use it."""

from __future__ import annotations

from orderhub.client.calls import OrderHub
from orderhub.client.runtime import Problem

__all__ = ["OrderHub", "Problem"]

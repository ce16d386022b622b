"""The demo's cross-border rules: the starter rows."""

from __future__ import annotations

from datetime import datetime

from orderhub.access.models import Merchant
from orderhub.orders.compliance import rulebook


def seed(_merchant: Merchant, *, now: datetime) -> None:
    """Those that are not there yet; they count for every merchant."""
    rulebook.start(now=now)

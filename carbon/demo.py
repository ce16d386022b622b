"""The demo's carbon data: the bundled factors, once per database."""

from __future__ import annotations

from datetime import datetime

from carbon import services
from orderhub.access.models import Merchant


def seed(merchant: Merchant, *, now: datetime) -> None:
    """Load the open factors that travel with the product; they belong to no merchant."""
    services.ensure_factors(now=now)

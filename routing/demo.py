"""The demo shop's strategies: the built-in presets."""

from __future__ import annotations

from datetime import datetime

from orderhub.access.models import Merchant
from routing import strategies


def seed(merchant: Merchant, *, now: datetime) -> None:
    """Make the presets once; later edits in the admin stay."""
    strategies.ensure_presets(merchant, now=now)

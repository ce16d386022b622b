"""The demo's part of tracking: the standard parcel's template is in force."""

from __future__ import annotations

from datetime import datetime

from orderhub.access.models import Merchant
from tracking.center.models import JourneyTemplate


def seed(_merchant: Merchant, *, now: datetime) -> None:
    """Switch on the standard parcel's template."""
    JourneyTemplate.objects.filter(code="standard-parcel", is_shipped=True).update(is_active=True)

"""The demo shop's risk check: the starter policy, published, counting in shadow in every channel."""

from __future__ import annotations

from datetime import datetime

from orderhub.access.models import Merchant
from orderhub.orders.models import Channel
from orderhub.orders.risk import policies
from orderhub.orders.risk.models import RiskPolicy


def seed(merchant: Merchant, *, now: datetime) -> None:
    """Once; what people change in the admin later stays."""
    if RiskPolicy.objects.filter(merchant=merchant).exists():
        return
    policies.publish(policies.start(merchant, now=now, live=True), None, "demo", now=now)
    Channel.objects.filter(merchant=merchant).update(risk_mode=Channel.RiskMode.SHADOW)

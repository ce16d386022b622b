"""Who is asked and who is the control group: by a salted hash, so that it never changes and anybody can check it."""

from __future__ import annotations

import hashlib
from datetime import datetime

from carbon.green.models import GreenExposure, GreenSetting
from orderhub.orders.models import Order

BUCKETS = 10_000
Arm = GreenExposure.Arm


def bucket(salt: str, subject: str) -> int:
    """0 to 9,999, even over subjects: the first eight bytes of SHA-256 of "salt:subject"."""
    found = hashlib.sha256(f"{salt}:{subject}".encode()).digest()
    return int.from_bytes(found[:8], "big") % BUCKETS


def arm(setting: GreenSetting, subject: str) -> str:
    """The arm of a subject (an order's public id)."""
    return Arm.ASKED if bucket(setting.salt, subject) < setting.asked_percent * 100 else Arm.CONTROL


def note(setting: GreenSetting, order: Order, *, now: datetime) -> str:
    """The arm of an order, logged at its first look; the logged one stays when the setting changes."""
    known = GreenExposure.objects.filter(order=order).values_list("arm", flat=True).first()
    if known is not None:
        return str(known)
    subject = str(order.public_id)
    row, _made = GreenExposure.objects.get_or_create(
        order=order,
        defaults={
            "merchant_id": order.merchant_id, "arm": arm(setting, subject), "salt": setting.salt,
            "bucket": bucket(setting.salt, subject), "share_percent": setting.asked_percent, "seen_at": now,
        },
    )  # fmt: skip
    return str(row.arm)

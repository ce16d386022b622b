"""What an answer of another system means for a fulfillment order, whether it comes at once or as a message of its own."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from orderhub.connectors.models import Connection
from orderhub.connectors.models.profile import Profile
from orderhub.fulfillment.updates import Update, UpdateKind

_MEANS: Mapping[tuple[str, str], UpdateKind] = {
    ("release", "acked"): "acknowledge",
    ("cancel", "acked"): "cancelled",
    ("cancel", "refused"): "cancel_refused",
    ("intercept", "acked"): "redirected",
    ("intercept", "refused"): "intercept_refused",
}


def of(
    connection: Connection, operation: str, means: str, *, number: str, reason: str, now: datetime,
    tracking_number: str = "",
) -> list[Update]:  # fmt: skip
    """The update an answer makes, if any."""
    kind = _MEANS.get((operation, means))
    if kind is None:
        return []
    is_factory = connection.profile is not None and connection.profile.role == Profile.Role.MES
    if is_factory and kind == "acknowledge":
        # A factory that takes a work order in has accepted it; the warehouse's words would mislead.
        return [Update(
            kind="make", event="accepted", key=f"answer:{operation}", fulfillment_number=number, occurred_at=now,
            source=connection.name,
        )]  # fmt: skip
    return [Update(
        kind=kind, fulfillment_number=number, tracking_number=tracking_number, occurred_at=now, source=connection.name,
        reason=reason,
    )]  # fmt: skip

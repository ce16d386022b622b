"""Positions of vehicles; they bypass the log."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation

from orderhub.connectors import base
from orderhub.connectors.base import PositionFix
from orderhub.connectors.meant import Fault, Result, Told, moment, text
from orderhub.connectors.models import Connection


def apply(connection: Connection, told: Sequence[Told], *, now: datetime) -> list[Result]:
    """Store the fixes of parcels; one without a place, a moment or a number is set apart."""
    results: list[Result] = []
    fixes: list[PositionFix] = []
    for one in told:
        fix = _fix(one)
        if fix is None:
            results.append(Result("refused", "bad_position", (Fault("position", "bad_position"),)))
        else:
            fixes.append(fix)
            results.append(Result("applied", subject=fix.tracking_number))
    base.report_positions(fixes)
    return results


def _fix(one: Told) -> PositionFix | None:
    document, at = one.document, moment(one.document, "at")
    number = text(document, "tracking_number") or text(document, "device")
    try:
        latitude, longitude = Decimal(text(document, "lat")), Decimal(text(document, "lng"))
    except InvalidOperation:
        return None
    if at is None or not number or abs(latitude) > 90 or abs(longitude) > 180:
        return None
    return PositionFix(text(document, "carrier").lower(), number, latitude, longitude, at)

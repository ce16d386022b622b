"""How long positions are kept: each for a week, then one in 30 s, for a month in all."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connection

from orderhub.events import partitions
from tracking.live_position.models import FenceVisit, VehicleFix
from tracking.positions import KEPT_FOR

WHOLE_FOR = timedelta(days=7)
THINNED_TO_SECONDS = 30
#: Split by month on PostgreSQL.
FIXES = partitions.declare(partitions.Partitioned("tracking_vehiclefix", "at"))
#: Thinning looks at one day, the one that has just become a week old, and at the day before (late fixes).
_THINNED_SPAN = timedelta(days=2)

_THIN = {
    "postgresql": """
        DELETE FROM tracking_vehiclefix WHERE at >= %s AND at < %s AND (device_id, at) NOT IN (
            SELECT device_id, min(at) FROM tracking_vehiclefix WHERE at >= %s AND at < %s
            GROUP BY device_id, floor(extract(epoch FROM at) / %s))""",
    "sqlite": """
        DELETE FROM tracking_vehiclefix WHERE at >= %s AND at < %s AND id NOT IN (
            SELECT min(id) FROM tracking_vehiclefix WHERE at >= %s AND at < %s
            GROUP BY device_id, CAST(strftime('%%s', at) AS INTEGER) / %s)""",
}


def thin(*, now: datetime) -> int:
    """Leave one position in 30 s of what has become a week old; how many went."""
    until = now - WHOLE_FOR
    since = until - _THINNED_SPAN
    with connection.cursor() as cursor:
        span = [connection.ops.adapt_datetimefield_value(moment) for moment in (since, until)] * 2
        cursor.execute(_THIN[connection.vendor], [*span, THINNED_TO_SECONDS])
        return int(cursor.rowcount)


def forget(*, now: datetime) -> int:
    """Drop what is a month old, and the partitions this empties; how many positions."""
    limit = now - KEPT_FOR
    gone = VehicleFix.objects.filter(at__lt=limit)._raw_delete("default")
    FenceVisit.objects.filter(at__lt=limit, is_told=True).delete()
    partitions.drop_before(FIXES, limit)
    return int(gone or 0)

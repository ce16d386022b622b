"""Carriers: how far parcels are by their word. Scans that never came are taken from their answer."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from orderhub.connectors import wishes
from orderhub.connectors.meant import text
from orderhub.connectors.models import Alias
from orderhub.connectors.reconciling.turns import CHUNK, GRACE, Evidence, Found, Sort, Turn
from orderhub.fulfillment.models import Parcel

#: A parcel without a single scan for so long is told of, where its carrier cannot be asked.
SILENT = timedelta(hours=48)
#: Older ones than this are not asked for any more.
OLDEST = timedelta(days=30)
_OVER = (Parcel.Status.DELIVERED, Parcel.Status.RETURN_TO_SENDER, Parcel.Status.CANCELLED)


def under_way(turn: Turn, after: str) -> str:
    """Ask for each parcel that is not at its end here."""
    rows = _own(turn).filter(pk__gt=int(after or 0)).select_related("fulfillment__order__person")
    if not turn.can("query_track"):
        late = rows.filter(shipped_at__lt=turn.now - SILENT, status=Parcel.Status.PENDING)
        turn.told += rows.count()
        turn.found += [
            Found(Sort.TRACK, row.tracking_number, row.status, "", row.fulfillment.order_id, evidence=Evidence.TOLD)
            for row in late[: CHUNK * 10]
        ]  # fmt: skip
        return ""
    chunk = list(rows.order_by("pk")[:CHUNK])
    names = Alias.objects.filter(connection=turn.connection, sort=Alias.Sort.CARRIER)
    theirs = dict(names.values_list("ours", "theirs"))
    for row in chunk:
        answer = turn.ask("query_track", {
            "tracking_number": row.tracking_number, "carrier": theirs.get(row.carrier, row.carrier),
            "phone_tail": row.fulfillment.order.person.phone[-4:], "reference": row.tracking_number,
        })  # fmt: skip
        turn.asked += 1
        part = turn.read("query_track", answer.tree) if answer.means == "acked" else None
        scans = part.value.get("items") or [] if part is not None else []
        last = max(scans, key=lambda one: text(one, "at"), default=None)
        status = text(last, "status") if last is not None else ""
        if last is not None and status and status != row.status and _is_newer(row, status, text(last, "at")):
            turn.keep("query_track", row.tracking_number, answer.tree)
            order = row.fulfillment.order_id
            turn.found.append(
                Found(Sort.TRACK, row.tracking_number, row.status, status, order, fetching=True)
            )
    return str(chunk[-1].pk) if len(chunk) == CHUNK else ""


def _is_newer(row: Parcel, status: str, at: str) -> bool:
    """Whether their last scan goes beyond ours; a shipment that we heard of late has scans from before we did."""
    if row.status_at is None or row.status == Parcel.Status.PENDING or status == Parcel.Status.DELIVERED:
        return True
    return at > row.status_at.isoformat()


def _own(turn: Turn) -> Any:
    """The parcels of its carriers that left in the last weeks and are under way."""
    rows = Parcel.objects.filter(
        merchant_id=turn.run.merchant_id, shipped_at__gt=turn.now - OLDEST, shipped_at__lt=turn.now - GRACE
    ).exclude(status__in=_OVER)  # fmt: skip
    carriers = wishes.words(turn.connection.config.get("carriers") or ())
    return rows.filter(carrier__in=carriers) if carriers else rows

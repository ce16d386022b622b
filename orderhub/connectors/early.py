"""Messages that came before what they are about: kept waiting, tried again once it is there, and by a job with back-off.

A carrier scans a parcel before the warehouse has told of it; a channel cancels an order that is still on its way to us.
Nobody has to look at these. What waits too long is set apart for a person, with the same reason.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q

from orderhub.connectors.meant import Result
from orderhub.connectors.models import InboxMessage
from orderhub.fulfillment.models import FulfillmentOrder, Parcel
from orderhub.orders.models import Order

#: How long a message waits for what it is about, by the reason it was refused for.
LIMITS: Mapping[str, timedelta] = {
    "unknown_parcel": timedelta(hours=72),
    "not_shipped": timedelta(hours=72),
    "unknown_journey": timedelta(hours=72),
    "in_future": timedelta(hours=24),
    "unknown_order": timedelta(hours=24),
    "unknown_fulfillment": timedelta(hours=2),
}
FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(hours=1)
#: So many are taken up at once; the others have their turn a moment later.
MOST = 200
#: After so many tries only the back-off counts: something else is wrong with the message.
_MOST_TRIES = 40


def park(row: InboxMessage, refused: Sequence[Result], *, now: datetime) -> None:
    """Let a refused message wait if all that is wrong with it is that it came early; else it stays set apart."""
    row.retry_at = None
    reasons = {result.reason for result in refused}
    if not reasons <= LIMITS.keys():
        return
    until = row.received_at + min(LIMITS[reason] for reason in reasons)
    if now >= until:
        return
    wait = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(row.attempts, 12))
    row.state = InboxMessage.State.WAITING
    row.retry_at = min(now + wait, until)
    row.reference = refused[0].subject[:80] or row.reference


def due(*, now: datetime) -> list[int]:
    """Waiting messages whose parcel or order is there now, and those whose time has come; one query."""
    merchant, about = OuterRef("merchant_id"), OuterRef("reference")
    parcels = Parcel.objects.filter(merchant_id=merchant, tracking_number=about)
    orders = Order.objects.filter(channel_id=OuterRef("connection__channel_id"), external_id=about)
    works = FulfillmentOrder.objects.filter(merchant_id=merchant, number=about)
    is_there = (
        Q(error="unknown_parcel") & Exists(parcels)
        | Q(error="not_shipped") & Exists(parcels.filter(shipped_at__isnull=False))
        | Q(error="unknown_order") & Exists(orders)
        | Q(error="unknown_fulfillment") & Exists(works)
        | Q(error="unknown_journey")
        & (
            Exists(parcels)
            | Exists(works)
            | Exists(Order.objects.filter(merchant_id=merchant, external_id=about))
        )
    )
    State = InboxMessage.State
    fresh = Q(attempts__lt=_MOST_TRIES) & is_there
    waiting = InboxMessage.objects.filter(Q(retry_at__lte=now) | fresh, state=State.WAITING)
    # What waited too long was set apart for a person, and is still matched once its order is there.
    apart = InboxMessage.objects.filter(fresh, state=State.QUARANTINED, error__in=LIMITS)
    found = list(waiting.order_by("id").values_list("pk", flat=True)[:MOST])
    return found + list(apart.order_by("id").values_list("pk", flat=True)[: MOST - len(found)])

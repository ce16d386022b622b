"""Events for partners, a page at a time behind a cursor that never misses a late commit."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from django.core import signing
from django.db import connection
from django.utils.translation import gettext_lazy as _

from orderhub.access.models import Merchant
from orderhub.connectors import partners
from orderhub.events import tail
from orderhub.events.models import Event
from orderhub.events.tail import Place
from orderhub.kernel.errors import Refused
from orderhub.orders.models import Order
from tracking.everywhere.owing import milestone_of

DEFAULT_SIZE, MOST = 100, 500
#: As many rows of the log as one call looks through: a merchant with little to tell costs no more than that.
LOOKED_THROUGH = 5000
_SALT = "tracking.feed"


@dataclass(frozen=True, slots=True)
class Page:
    """Events in the order of the log, where to go on, and whether there was more to look through."""

    events: list[dict[str, Any]]
    cursor: str
    has_more: bool


def read(
    merchant: Merchant, *, cursor: str, kinds: Collection[str], milestones: Collection[str], order: Order | None,
    size: int,
) -> Page:  # fmt: skip
    """The merchant's public events after the cursor ("" begins with the oldest). Raises Refused("bad_cursor")."""
    after = _place(cursor)
    end = tail.horizon()
    offered = {kind.name for kind in partners.offered()}
    wanted = sorted(offered & set(kinds) if kinds else offered)
    if end is None or not wanted or (after.tx, after.event_id) >= (end.tx, end.event_id):
        return Page([], _cursor(after), False)
    rows, reached, is_whole = _read(merchant, after, end, wanted, order)
    found: list[Event] = []
    for row in rows:
        if milestones and milestone_of(row) not in milestones:
            continue
        if len(found) == size:
            reached, is_whole = _place_of(found[-1]), False
            break
        found.append(row)
    return Page(_told(found, merchant), _cursor(reached), not is_whole)


def _read(
    merchant: Merchant, after: Place, end: Place, kinds: Sequence[str], order: Order | None
) -> tuple[list[Event], Place, bool]:
    """The events among the next rows of the log, the place that was looked up to, and whether that is the end."""
    if connection.vendor == "sqlite":
        columns, span, by = "*, 0 AS place_tx", "id > %s AND id <= %s", "id"
        bounds: list[Any] = [after.event_id, end.event_id]
    else:
        columns, by = "*, tx::text::bigint AS place_tx", "tx, id"
        span = "(tx, id) > (%s::text::xid8, %s) AND (tx, id) <= (%s::text::xid8, %s)"
        bounds = [after.tx, after.event_id, end.tx, end.event_id]
    window = f"SELECT {columns} FROM events_event WHERE {span} ORDER BY {by} LIMIT {LOOKED_THROUGH}"  # noqa: S608  (fixed words only)
    marks = ", ".join(["%s"] * len(kinds))
    own = "merchant_id = %s AND stream LIKE %s"
    stream = order.stream if order is not None else "order:%"
    select = f"SELECT * FROM ({window}) AS w WHERE {own} AND kind IN ({marks}) ORDER BY place_tx, id"  # noqa: S608
    rows = list(Event.objects.raw(select, [*bounds, merchant.pk, stream, *kinds]))
    last = f"SELECT place_tx, id FROM ({window}) AS w ORDER BY place_tx DESC, id DESC LIMIT 1"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(last, bounds)
        row = cursor.fetchone()
    reached = Place(row[0], row[1]) if row else end
    return rows, reached, (reached.tx, reached.event_id) >= (end.tx, end.event_id)


def _told(events: Sequence[Event], merchant: Merchant) -> list[dict[str, Any]]:
    ids = {int(event.stream.removeprefix("order:")) for event in events}
    orders = Order.objects.select_related("channel", "person").in_bulk(ids)
    told = []
    for event in events:
        order = orders.get(int(event.stream.removeprefix("order:")))
        if order is not None:
            body = partners.envelope(event, order, source=f"/orderhub/{merchant.code}")
            told.append(
                {
                    "specversion": "1.0",
                    "id": f"event:{event.pk}",
                    "datacontenttype": "application/json",
                    **body,
                }
            )
    return told


def _place_of(event: Event) -> Place:
    return Place(vars(event)["place_tx"], event.pk)


def _cursor(place: Place) -> str:
    return signing.Signer(salt=_SALT).sign(f"{place.tx}.{place.event_id}")


def _place(cursor: str) -> Place:
    if not cursor:
        return Place(0, 0)
    try:
        tx, _dot, number = signing.Signer(salt=_SALT).unsign(cursor).partition(".")
        return Place(int(tx), int(number))
    except (signing.BadSignature, ValueError):
        raise Refused(
            "bad_cursor", _("This cursor is not one of ours."), status=400, field="after",
            remedy=_("Send back the cursor of the answer before, or none to begin anew."),
        ) from None  # fmt: skip

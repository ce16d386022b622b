"""Which connected systems are told of events, for those who want to know before it happens; from the wishes' own table."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext_lazy as _

from orderhub.connectors import documents, wishes
from orderhub.connectors.models import Call, Connection
from orderhub.connectors.operation_words import OPERATIONS
from orderhub.events.models import Event
from orderhub.events.registry import To
from orderhub.fulfillment import previewing, undoing
from orderhub.fulfillment.previewing import Asked
from orderhub.kernel.errors import Refused
from orderhub.orders.models import Order


@previewing.tells
def told(events: Sequence[Event]) -> list[Asked]:
    """A row a system and message, in the order of the events; what is said once is left out where it was. Four queries."""
    asking = [event for event in events if event.kind in wishes.ASKED]
    named = [[_number(one) for one in found] for found in wishes.destinations(asking)] if asking else []
    ids = {number for numbers in named for number in numbers}
    rows = Connection.objects.select_related("profile").in_bulk(ids) if ids else {}
    found = [
        _asked(event, rows[number])
        for event, numbers in zip(asking, named, strict=True)
        for number in numbers
    ]
    said = _said_once([one.event for one in found if one.operation in documents.ONCE])
    return [one for one in found if one.operation not in documents.ONCE or one.event.stream not in said]


def _number(place: str | To) -> int:
    return int(place.destination if isinstance(place, To) else place)


def _said_once(events: Sequence[Event]) -> set[str]:
    """The streams of orders that were told already what is told once."""
    ids = {int(event.stream.removeprefix("order:")) for event in events}
    calls = (
        Call.objects.filter(order_id__in=ids, operation__in=documents.ONCE) if ids else Call.objects.none()
    )
    return {f"order:{order_id}" for order_id in calls.values_list("order_id", flat=True)}


def _asked(event: Event, connection: Connection) -> Asked:
    operation = wishes.operation_of(event, connection)
    role = connection.profile.role if connection.profile is not None else ""
    return Asked(connection.name, role, operation, str(OPERATIONS.get(operation, operation)), event)


@undoing.objects
def erp_has_cancelled(order: Order) -> Refused | None:
    """No, where an ERP has cancelled the order and has no way to take that back; one query, one more for such an ERP."""
    said = Call.objects.filter(order_id=order.pk, operation="erp_cancel").exclude(
        state__in=[Call.State.REFUSED, Call.State.SKIPPED]
    )
    for call in said.select_related("connection__profile__in_force"):
        profile = call.connection.profile
        version = profile.in_force if profile is not None else None
        if version is None or "erp_restore" not in wishes.operations_of(version.digest):
            return Refused(
                "erp_cancelled", _("%(system)s has cancelled the order and cannot take that back.")
                % {"system": call.connection.name},
                remedy=_("Place the order again under a new number."), facts={"order": order.pk},
            )  # fmt: skip
    return None

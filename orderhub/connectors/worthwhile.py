"""What is still worth saying to another system when its turn has come; the rest counts as said."""

from __future__ import annotations

from collections.abc import Mapping

from orderhub.connectors.base import Push
from orderhub.connectors.models import Call, Connection
from orderhub.connectors.wishes import operations_of

_SETTLED = (Call.State.ACKED, Call.State.SKIPPED)


def only(connection: Connection, said: Mapping[int, Push]) -> dict[int, Push]:
    """Those of the messages (by delivery) that still have something to say; calls of the others are skipped."""
    silent = _unheard_of(connection, said) | {pk for pk, push in said.items() if _says_nothing(push)}
    if silent:
        keys = [said[pk].key for pk in silent]
        open_calls = Call.objects.filter(connection=connection, key__in=keys).exclude(state__in=_SETTLED)
        open_calls.update(state=Call.State.SKIPPED)
    return {pk: push for pk, push in said.items() if pk not in silent}


def _says_nothing(push: Push) -> bool:
    """Every quantity in it was replaced by a later one."""
    return push.operation == "stock" and not push.body.get("items", True)


def _unheard_of(connection: Connection, said: Mapping[int, Push]) -> set[int]:
    """Those that change or cancel an order the ERP was never told of; one query if there may be any.

    It will be told the order as it is then, or never.
    """
    version = connection.profile.in_force if connection.profile is not None else None
    if version is None or "erp_order" not in operations_of(version.digest):
        return set()
    about = {pk: push.order_id for pk, push in said.items() if push.operation in ("erp_change", "erp_cancel")}
    if not about:
        return set()
    asked = Call.objects.filter(
        connection=connection, operation="erp_order", order_id__in=set(about.values())
    )
    known = set(asked.values_list("order_id", flat=True))
    return {pk for pk, order_id in about.items() if order_id not in known}

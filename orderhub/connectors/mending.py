"""What a person does about calls that were refused: correct the message, send it again, or let it be."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from orderhub.connectors import partners, speaking, wishes
from orderhub.connectors.models import Call
from orderhub.events import again, log, relay
from orderhub.events.models import Delivery
from orderhub.kernel import secrets
from orderhub.kernel.errors import Refused

SUBSCRIBER = "connectors.push"


def delivery_of(call: Call) -> Delivery | None:
    """The delivery behind a call; None once it was forgotten."""
    return _behind(call).exclude(state=Delivery.State.DONE).first()


def _behind(call: Call) -> QuerySet[Delivery]:
    rows = Delivery.objects.filter(destination=str(call.connection_id))
    if call.key.startswith("event:"):
        event_id, _slash, subscriber = call.key.removeprefix("event:").partition("/")
        rows = rows.filter(event_id=int(event_id), subscriber=subscriber)
    else:
        rows = rows.filter(stream=f"order:{call.order_id}", subscriber=SUBSCRIBER)
    return rows.select_related("event").order_by("pk")


def message(call: Call) -> dict[str, Any]:
    """What would be said if it were sent now."""
    delivery = delivery_of(call)
    if delivery is None:
        raise _gone(call)
    made_by = partners.pushes if delivery.subscriber == partners.NAME else wishes.pushes
    push = made_by(call.connection, [delivery])[delivery.pk]
    return speaking.message_of(push, call)


def correct(call: Call, said: Mapping[str, Any], *, actor: str, now: datetime) -> None:
    """Say this instead of what the hub has, and send it; the order itself stays as it is. Raises Refused."""
    delivery = delivery_of(call)
    if delivery is None:
        raise _gone(call)
    with transaction.atomic():
        text = json.dumps(dict(said), ensure_ascii=False) if said else ""
        sealed = secrets.seal(text, keys=settings.SECRET_KEYS) if text else ""
        Call.objects.filter(pk=call.pk).update(sealed_edit=sealed, edited_by=actor[:80] if text else "")
        fact = log.Fact(
            f"connection:{call.connection_id}", "system.call_corrected",
            {"call": call.pk, "reference": call.reference, "undone": not text}, call.merchant_id,
        )  # fmt: skip
        log.record([fact], now=now, actor=actor)
        relay.replay(delivery, actor=actor)


def send_again(call: Call, *, actor: str) -> None:
    """Try it once more as it is; raises Refused if it does not wait for anybody."""
    delivery = delivery_of(call)
    if delivery is None:
        raise _gone(call)
    relay.replay(delivery, actor=actor)


def owe_again(call: Call, *, actor: str) -> None:
    """Make a call once more that was acknowledged, since they know nothing of it; one that waits is tried again.

    Raises Refused where its message was forgotten.
    """
    if call.state != Call.State.ACKED:
        send_again(call, actor=actor)
        return
    wanted = [
        one for one in _behind(call) if wishes.operation_of(one.event, call.connection) == call.operation
    ]
    with transaction.atomic():
        # No longer acknowledged: what is acknowledged is never said twice.
        Call.objects.filter(pk=call.pk).update(state=Call.State.FAILED, edited_by=actor[:80])
        if not wanted or not again.owe(wanted[0], actor=actor, note="lost on the other side"):
            raise _gone(call)


def skip(call: Call, *, note: str, actor: str) -> None:
    """Let it be for good; raises Refused without a note."""
    delivery = delivery_of(call)
    if delivery is None:
        raise _gone(call)
    with transaction.atomic():
        relay.skip(delivery, actor=actor, note=note)
        Call.objects.filter(pk=call.pk).update(state=Call.State.SKIPPED, edited_by=actor[:80])


def _gone(call: Call) -> Refused:
    return Refused(
        "call_settled", _("Call %(number)s is settled; there is nothing left to decide.") % {"number": call.pk},
        remedy=_("Reload the page to see its present state."),
    )  # fmt: skip

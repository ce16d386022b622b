"""What a person does about a difference: ask for it again, send the call again, or let it be with a reason."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from orderhub.connectors import mending, shelf
from orderhub.connectors.applying import fetching
from orderhub.connectors.meant import Told
from orderhub.connectors.models import Call, Difference
from orderhub.connectors.models.profile import Profile
from orderhub.kernel.errors import Refused

State = Difference.State


def can_fetch(row: Difference) -> bool:
    """Whether the order can be asked for by its number."""
    profile = row.connection.profile
    if profile is None or profile.role != Profile.Role.CHANNEL or row.sort in ("unanswered", "apart"):
        return False
    return "fetch_order" in shelf.spec_of(row.connection).operations


def can_send(row: Difference) -> bool:
    """Whether there is a call to make again."""
    return row.call_id is not None


def fetch(row: Difference, *, actor: str, now: datetime) -> None:
    """Ask the channel for the whole order. Raises Refused where it cannot be asked."""
    if not can_fetch(row):
        raise Refused(
            "cannot_fetch", _("This cannot be asked for."), remedy=_("Mend it in the other system.")
        )
    with transaction.atomic():
        hint = Told("hint", {"operation": "fetch_order", "ext_id": row.subject})
        fetching.wish(row.connection, [hint], now=now)
        _decide(row, State.FETCHING, actor=actor)


def send_again(row: Difference, *, actor: str) -> None:
    """Make the call again that they acknowledged and know nothing of. Raises Refused where its message is gone."""
    call = Call.objects.select_related("connection").filter(pk=row.call_id or 0).first()
    if call is None:
        raise Refused(
            "no_call", _("There is no call to make again."), remedy=_("Mend it in the other system.")
        )
    with transaction.atomic():
        mending.owe_again(call, actor=actor)
        _decide(row, State.FETCHING, actor=actor)


def dismiss(row: Difference, *, note: str, actor: str) -> None:
    """Let it be while it stays as it is; raises Refused without a reason."""
    if not note.strip():
        raise Refused("note_missing", _("Say why it may stay so."), field="note", status=422)
    Difference.objects.filter(pk=row.pk).update(
        state=State.DISMISSED, decided_by=actor[:80], note=note.strip()[:200]
    )


def _decide(row: Difference, state: str, *, actor: str) -> None:
    Difference.objects.filter(pk=row.pk).update(state=state, decided_by=actor[:80])

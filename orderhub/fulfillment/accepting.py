"""Accept an order first, read it later: the body is kept and owed to the log in one short transaction.

Nothing that was accepted is lost: a body becomes an order, or it stays with the reason why not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from orderhub.access import answers
from orderhub.access.models import Merchant
from orderhub.events import log
from orderhub.fulfillment import bulk, kinds, wire
from orderhub.fulfillment.models import IntakeMessage
from orderhub.kernel.errors import Refused

State = IntakeMessage.State
#: Finished messages are kept so long; refused and unreadable ones too, for somebody to look at them.
KEPT = timedelta(days=30)


def accept(
    body: bytes, *, key: str, merchant: Merchant, actor: str, language: str, now: datetime
) -> tuple[IntakeMessage, bool]:
    """Keep the body and owe its reading: (message, whether it is new). The same key gives the same message.

    Raises Refused("idempotency_key_reused") for a key that came with another body.
    """
    answers.check(key)
    sha256 = hashlib.sha256(body).hexdigest()
    earlier = _earlier(merchant, key, sha256)
    if earlier is not None:
        return earlier, False
    message = IntakeMessage(
        merchant=merchant,
        key=key,
        sha256=sha256,
        body=body,
        actor=actor[:80],
        language=language,
        received_at=now,
    )
    try:
        with transaction.atomic():
            message.save(force_insert=True)
            _owe([message], now=now, actor=actor)
    except IntegrityError:  # the same call, twice at once
        earlier = _earlier(merchant, key, sha256)
        if earlier is None:
            raise
        return earlier, False
    return message, True


def work_off(message_ids: Sequence[int], *, now: datetime) -> int:
    """Read these messages and place their orders; each gets its result with its order, in one transaction."""
    with transaction.atomic():
        rows = list(
            IntakeMessage.objects.select_for_update(of=("self",))
            .select_related("merchant")
            .filter(pk__in=message_ids, state=State.RECEIVED)
            .order_by("pk")
        )
        groups: dict[tuple[int, str, str], list[IntakeMessage]] = {}
        for row in rows:
            groups.setdefault((row.merchant_id, row.actor, row.language), []).append(row)
        for (_merchant, actor, language), group in groups.items():
            with translation.override(language):
                _place(group, actor=actor, now=now)
        IntakeMessage.objects.bulk_update(
            rows, ["state", "order", "problem", "attempts", "body", "done_at"], batch_size=100
        )
    return len(rows)


def replay(message_ids: Sequence[int], *, now: datetime, actor: str) -> int:
    """Try refused and unreadable messages again, after the cause was mended; returns how many."""
    with transaction.atomic():
        rows = list(
            IntakeMessage.objects.select_for_update().filter(
                pk__in=message_ids, state__in=[State.REFUSED, State.UNREADABLE]
            )
        )
        IntakeMessage.objects.filter(pk__in=[row.pk for row in rows]).update(
            state=State.RECEIVED, problem=None, done_at=None
        )
        _owe(rows, now=now, actor=actor)
    return len(rows)


def forget(*, now: datetime) -> int:
    """Delete what has been finished for 30 days: bodies hold names and addresses."""
    count, _tables = IntakeMessage.objects.filter(done_at__lt=now - KEPT).delete()
    return count


def _owe(rows: Sequence[IntakeMessage], *, now: datetime, actor: str) -> None:
    facts = [
        log.Fact(f"intake:{row.pk}", kinds.INTAKE_RECEIVED.name, {"message": row.pk}, row.merchant_id)
        for row in rows
    ]
    log.record(facts, now=now, actor=actor)


def _earlier(merchant: Merchant, key: str, sha256: str) -> IntakeMessage | None:
    row = IntakeMessage.objects.filter(merchant=merchant, key=key).first() if key else None
    if row is not None and row.sha256 != sha256:
        raise Refused(
            "idempotency_key_reused",
            _("This Idempotency-Key was already used with another request."),
            remedy=_("Use a new key for a new request."),
        )
    return row


def _place(rows: Sequence[IntakeMessage], *, actor: str, now: datetime) -> None:
    readable: list[IntakeMessage] = []
    bodies: list[Any] = []
    for row in rows:
        row.attempts += 1
        row.done_at = now
        try:
            bodies.append(wire.loads(bytes(row.body)))
        except Refused as no:
            row.state, row.problem = State.UNREADABLE, bulk.problem(no)
        else:
            readable.append(row)
    if not readable:
        return
    merchant = readable[0].merchant
    results = bulk.judge(bodies, merchant=merchant, actor=actor, now=now, source="api")
    for row, result in zip(readable, results, strict=True):
        if result["id"] is None:
            row.state, row.problem = State.REFUSED, result["error"]
        else:
            row.state, row.order_id, row.problem, row.body = State.PLACED, result["id"], None, b""

"""What a person says of unknown codes: mapped once, and every kept message that holds them is read again."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from orderhub.connectors import inbox
from orderhub.kernel.errors import Refused
from tracking.center import book as books
from tracking.center import reading
from tracking.center.models import Meaning, UnknownCode, UnknownUse

#: Words of a text between figures, contacts and signs that mean something else in a pattern.
_PLAIN_PARTS = re.compile(r"[^#*?+{}\[\]().\\^$|【】（），。,;；:：]+")
_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Said:
    """What a person says of a code: the milestone (empty: it says nothing), why, and how sure its time is."""

    milestone: str
    reason: str = ""
    classifier: str = "ACTUAL"
    pattern: str | None = None
    for_every_source: bool = False


def map_codes(rows: Sequence[UnknownCode], said: Said, *, actor: str, now: datetime) -> int:
    """Keep what these codes mean and read every message again that held one; returns how many messages.

    Raises Refused("unknown_milestone" | "bad_pattern").
    """
    for row in rows:
        if said.milestone and books.book(row.merchant_id).milestone(said.milestone) is None:
            raise Refused(
                "unknown_milestone", _("There is no milestone “%(code)s”.") % {"code": said.milestone},
                remedy=_("Choose one of the list, or add it first."),
            )  # fmt: skip
    with transaction.atomic():
        for row in rows:
            meaning = _meaning(row, said, actor=actor, now=now)
            state = UnknownCode.State.MAPPED if said.milestone else UnknownCode.State.IGNORED
            UnknownCode.objects.filter(pk=row.pk).update(state=state, meaning=meaning)
    return replay(rows, now=now)


def replay(rows: Sequence[UnknownCode], *, now: datetime) -> int:
    """Read the kept messages of these codes again; what they told before changes nothing."""
    uses = UnknownUse.objects.filter(unknown__in=rows).order_by("message")
    messages = list(uses.values_list("message", flat=True).distinct())
    return sum(
        inbox.read_again(messages[start : start + _AT_ONCE], now=now)
        for start in range(0, len(messages), _AT_ONCE)
    )


def pattern_of(row: UnknownCode) -> str:
    """What a row without a code is known by: the phrase the suggestion saw, else the longest words of its text."""
    if row.seen_by and row.seen_by in row.text.lower():
        return row.seen_by
    parts = [part.strip() for part in _PLAIN_PARTS.findall(row.text)]
    return max(parts, key=len, default="")


def _meaning(row: UnknownCode, said: Said, *, actor: str, now: datetime) -> Meaning:
    pattern = said.pattern
    if pattern is None:
        pattern = "" if row.code else pattern_of(row)
    meaning = Meaning(
        merchant_id=row.merchant_id, connection=None if said.for_every_source else row.connection, carrier=row.carrier,
        code=row.code, pattern=pattern, milestone=said.milestone, reason=said.reason, classifier=said.classifier,
        is_ignored=not said.milestone, created_by=actor[:80], created_at=now,
    )  # fmt: skip
    if (not row.code and not pattern) or reading.compiled(meaning) is None:
        raise Refused(
            "bad_pattern", _("These words of the text cannot be read as a pattern."),
            remedy=_("Write plain words that stand in the text; part several by |."),
        )  # fmt: skip
    meaning.save()
    return meaning

"""What a source's codes and texts mean, by the rows of the admin; what nobody knows is kept for the review list."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import F, Q
from django.utils.dateparse import parse_datetime

from orderhub.connectors import shelf
from orderhub.connectors.base import code_reader
from orderhub.connectors.meant import Told, text
from orderhub.connectors.models import Connection, InboxMessage
from orderhub.connectors.speech.codes import CodeMap
from orderhub.connectors.speech.flaws import Faulty
from tracking.center import book as books
from tracking.center.book import Book
from tracking.center.engine.suggesting import Known, suggest
from tracking.center.models import Meaning, UnknownCode, UnknownUse
from tracking.masking import public_text

_FIGURES = re.compile(r"\d+")
_BLANKS = re.compile(r"\s+")
_LONGEST = 200
Rule = tuple[Meaning, CodeMap]


@code_reader
def read(connection: Connection, message: InboxMessage, told: Sequence[Told]) -> tuple[list[Told], int]:
    """The documents with what operators say of their codes; those nobody understands go to the review list instead, and
    are counted.
    """
    book, rules = _known_to(connection)
    found, unknown = [], []
    for one in told:
        document = _with_zone(connection, one.document)
        said = _meaning(document, rules)
        if said is not None and said.is_ignored:
            continue
        document = _filled(document, said, book)
        if document.get("ignored") or _is_understood(document, book):
            found.append(Told(one.means, document, one.version))
        else:
            unknown.append(document)
    if unknown:
        note(connection, message, unknown, rules)
    return found, len(unknown)


def _known_to(connection: Connection) -> tuple[Book, list[Rule]]:
    """Read once a batch: the inbox loads the connection afresh for each."""
    known: tuple[Book, list[Rule]] | None = vars(connection).get("_known_codes")
    if known is None:
        known = vars(connection)["_known_codes"] = books.book(connection.merchant_id), rules_of(connection)
    return known


def rules_of(connection: Connection) -> list[Rule]:
    """The rows that may speak of this source, the most particular first; one query. Rows that cannot be read say nothing."""
    mine = Q(merchant__isnull=True) | Q(merchant_id=connection.merchant_id)
    here = Q(connection__isnull=True) | Q(connection=connection)
    rows = Meaning.objects.filter(mine, here, is_active=True)
    ordered = sorted(rows, key=_place)
    return [(row, table) for row in ordered if (table := compiled(row)) is not None]


def compiled(row: Meaning) -> CodeMap | None:
    """The row as a list of one code; None for a pattern that cannot be read."""
    try:
        return CodeMap.parse([entry_of(row)])
    except Faulty:
        return None


def entry_of(row: Meaning) -> dict[str, Any]:
    """The row in the words of a profile's list of codes."""
    said = {"code": row.code, "pattern": row.pattern}
    return {**{name: value for name, value in said.items() if value}, "milestone": row.milestone or "-"}


def _place(row: Meaning) -> tuple[bool, bool, bool, int, int, int]:
    both = bool(row.code) + bool(row.pattern)
    return (
        row.connection_id is None, row.merchant_id is None, not row.carrier, -row.priority, -both, -(row.pk or 0),
    )  # fmt: skip


def _meaning(document: Mapping[str, Any], rules: Iterable[Rule]) -> Meaning | None:
    code, remark, carrier = (text(document, name) for name in ("code", "remark", "carrier"))
    for row, table in rules:
        if (not row.carrier or row.carrier == carrier) and table.lookup(code, remark) is not None:
            return row
    return None


def _filled(document: Mapping[str, Any], said: Meaning | None, book: Book) -> dict[str, Any]:
    """What the row says goes before what the profile's list said; a milestone brings the parcel's status with it."""
    found = dict(document)
    if said is not None:
        found |= {
            "milestone": said.milestone,
            "status": book.status(said.milestone),
            "classifier": said.classifier,
        }
        found["reason"] = said.reason or found.get("reason")
    elif found.get("milestone") and not found.get("status"):
        found["status"] = book.status(str(found["milestone"]))
    return found


def _is_understood(document: Mapping[str, Any], book: Book) -> bool:
    milestone = text(document, "milestone")
    if milestone:
        return book.milestone(milestone) is not None
    return any(text(document, name) for name in ("status", "event", "corrects"))


def _with_zone(connection: Connection, document: Mapping[str, Any]) -> Mapping[str, Any]:
    """A moment without its zone is read in the merchant's, and says so."""
    said = text(document, "at")
    try:
        at: datetime | None = parse_datetime(said)
    except ValueError:
        at = None
    if at is None or at.tzinfo is not None:
        return document
    zone = connection.merchant.time_zone
    return {**document, "at": at.replace(tzinfo=ZoneInfo(zone)).isoformat(), "zone": zone}


# ---- the review list ----------------------------------------------------------------------------


def shape(remark: str) -> str:
    """A text without figures and contacts: what differs by a number or a name is one entry of the list."""
    return _BLANKS.sub(" ", _FIGURES.sub("#", public_text(remark))).strip()[:_LONGEST]


def note(
    connection: Connection,
    message: InboxMessage,
    documents: Iterable[Mapping[str, Any]],
    rules: Sequence[Rule],
) -> None:
    """Put what nobody knows on the review list, with a suggestion; a message read again counts once."""
    for document in documents:
        code = (text(document, "code") or text(document, "milestone"))[:80]
        wanted = {
            "carrier": text(document, "carrier")[:40],
            "code": code,
            "text": shape(text(document, "remark")),
        }
        row = UnknownCode.objects.filter(connection=connection, **wanted).first()
        if row is None:
            row = _listed(connection, message, wanted, text(document, "remark"), rules)
        _use, is_new = UnknownUse.objects.get_or_create(unknown=row, message=message.pk)
        if is_new:
            open_again = {"state": UnknownCode.State.OPEN} if row.state == UnknownCode.State.MAPPED else {}
            UnknownCode.objects.filter(pk=row.pk).update(
                events=F("events") + 1, last_at=message.received_at, **open_again
            )


def _listed(
    connection: Connection,
    message: InboxMessage,
    wanted: Mapping[str, str],
    remark: str,
    rules: Sequence[Rule],
) -> UnknownCode:
    found = suggest(wanted["code"], remark, _known(connection, rules))
    return UnknownCode.objects.create(
        connection=connection, merchant_id=connection.merchant_id, first_at=message.received_at,
        last_at=message.received_at, suggestion=found.milestone if found else "", score=found.score if found else 0.0,
        seen_by=found.seen[:120] if found else "", **wanted,
    )  # fmt: skip


def _known(connection: Connection, rules: Iterable[Rule]) -> list[Known]:
    """What the source's profile and the rows of the admin know already."""
    found = [
        Known(f"{row.code} {row.pattern}".strip(), row.milestone) for row, _table in rules if row.milestone
    ]
    if connection.profile is not None and connection.profile.in_force_id is not None:
        for table in shelf.spec_of(connection).codes.values():
            entries = [rule.entry for rule in table.rules if rule.entry.milestone]
            found += [Known(f"{one.code} {one.pattern}".strip(), one.milestone) for one in entries]
    return found

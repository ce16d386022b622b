"""Attachments of mails: only of senders who may, only once, in the order of the mailbox; mails stay and are flagged."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from email.message import EmailMessage, Message
from email.utils import getaddresses
from typing import Any

from django.db import DatabaseError

from orderhub.connectors.models import Connection
from orderhub.connectors.speech import fetching
from orderhub.connectors.ways import imap, keeping, turns
from orderhub.connectors.ways.imap import Mailbox
from orderhub.connectors.ways.keeping import Found
from orderhub.connectors.ways.reasons import Broken, Lost, NotTaken, megabytes
from orderhub.connectors.ways.turns import Turn

#: A first look, and one after the mailbox was numbered anew, reaches back so far.
FIRST_LOOK = timedelta(days=7)
MOST_ATTACHMENTS = 50


@turns.takes(fetching.MAIL)
def take(turn: Turn, now: datetime) -> None:
    """Read the mails after the last one, each kept before the next is asked for."""
    with closing(imap.connect(turn.connection)) as box:
        known: dict[str, Any] = turn.mark.cursor
        # Numbers belong to one folder of one mailbox, and to one life of it.
        config = turn.connection.config
        life = keeping.origin(
            box.validity, *(str(config.get(f"mail_{one}") or "") for one in ("host", "user", "folder"))
        )
        if known.get("life") == life:
            numbers = box.after(int(known["uid"]))
        else:
            # What was taken before is known by its content.
            numbers = box.since((now - FIRST_LOOK).date())
            if not numbers:
                turn.move({"life": life, "uid": max(box.after(0), default=0)})
        for uid in numbers:
            if turn.is_over:
                return
            flag = _take(turn, box, uid, now=now)
            turn.move({"life": life, "uid": uid})
            if flag:
                box.flag(uid, flag)


def patterns(connection: Connection) -> tuple[str, ...]:
    """Which attachments are taken, as entered; empty: as the profile says."""
    return tuple(str(connection.config.get("mail_pattern") or "").replace(",", " ").split())


def _take(turn: Turn, box: Mailbox, uid: int, *, now: datetime) -> str:
    """Keep what one mail brings; the flag it gets: seen where something was taken, flagged where it was refused."""
    size = box.size(uid)
    raw = box.whole(uid) if size <= imap.MOST_MAIL_BYTES else box.header(uid)
    if not raw:
        return ""
    try:
        mail = _read(raw)
        if size > imap.MOST_MAIL_BYTES:
            fault = NotTaken("mail_too_large", f"{megabytes(size)} > {megabytes(imap.MOST_MAIL_BYTES)}")
            return _refused(turn, Found(sender(mail), b"", _identity(mail, raw)), fault, now=now)
        return _attached(turn, mail, raw, now=now)
    except (Broken, Lost, DatabaseError):
        raise
    except Exception as fault:  # one mail that nobody can read keeps no other from being read
        found = Found(f"mail {uid}", b"", keeping.origin(raw))
        return _refused(turn, found, NotTaken("mail_unreadable", type(fault).__name__), now=now)


def _attached(turn: Turn, mail: Message, raw: bytes, *, now: datetime) -> str:
    way, wanted, who = turn.way, patterns(turn.connection), sender(mail)
    files = [one for one in attachments(mail) if way.wants(one[0], wanted) or way.wants(one[0], ("*.zip",))]
    if not files:
        return ""
    own = _identity(mail, raw)
    doubt = doubt_of(turn.connection, mail)
    if doubt is not None:
        return _refused(turn, Found(", ".join(name for name, _part in files)[:120], b"", own), doubt, now=now)
    flag = r"\Seen"
    for name, part in files:
        payload = part.get_payload(decode=True)
        data = payload if isinstance(payload, bytes) else b""
        headers = {"mail-from": who, "mail-date": str(mail.get("date", ""))[:60]}
        found = Found(name, data, keeping.origin(own, name, data), headers)
        try:
            new = keeping.keep(turn.connection, way, found, now=now, patterns=wanted)
            turn.found += new
            turn.repeated += not new
        except NotTaken as fault:
            if fault.is_kept:
                turn.refused += 1
                flag = r"\Seen \Flagged"
            else:
                flag = _refused(turn, found, fault, now=now)
    return flag


def _refused(turn: Turn, found: Found, fault: NotTaken, *, now: datetime) -> str:
    keeping.refuse(turn.connection, turn.way, found, fault, now=now)
    turn.refused += 1
    return r"\Flagged"


# ---- what a mail says ------------------------------------------------------------------------------


def _read(raw: bytes) -> Message:
    return email.message_from_bytes(raw, _class=EmailMessage, policy=email.policy.default)


def attachments(mail: Message) -> Iterator[tuple[str, Message]]:
    """The parts of a mail that have a name, forwarded mails included."""
    count = 0
    for part in mail.walk():
        name = part.get_filename()
        if name and not part.is_multipart():
            count += 1
            if count > MOST_ATTACHMENTS:
                return
            yield str(name).replace("\\", "/").rsplit("/", 1)[-1][:200], part


def sender(mail: Message) -> str:
    """Who the mail says it is from; empty unless it names just one."""
    found = [
        address for _name, address in getaddresses([str(one) for one in mail.get_all("from", [])]) if address
    ]
    return found[0].strip().lower()[:120] if len(found) == 1 else ""


def doubt_of(connection: Connection, mail: Message) -> NotTaken | None:
    """Why a mail is not taken: its sender may not send, or our mail server does not vouch for them."""
    who = sender(mail)
    allowed = [
        one.lower()
        for one in str(connection.config.get("mail_senders") or "")
        .replace("，", ",")
        .replace(",", " ")
        .split()
    ]
    if not any(who == one or (one.startswith("@") and who.endswith(one)) for one in allowed):
        return NotTaken("sender_unknown", who or "?")
    by = str(connection.config.get("mail_checked_by") or "").strip().lower()
    if by and not _is_vouched(mail, by):
        return NotTaken("sender_unchecked", who)
    return None


def _is_vouched(mail: Message, by: str) -> bool:
    """Whether our own server's note says so; it writes the first, those below may be anybody's."""
    first = next((str(one).lower() for one in mail.get_all("authentication-results", [])), "")
    name, _semicolon, results = first.partition(";")
    words = results.replace(";", " ").split()
    # A signature alone proves nothing of the sender: it must be of the sender's own domain.
    is_own = "dkim=pass" in words and f"header.d={sender(mail).rpartition('@')[2]}" in words
    return name.split()[:1] == [by] and ("dmarc=pass" in words or is_own)


def _identity(mail: Message, raw: bytes) -> str:
    """What stands for a mail: its Message-ID, else all of it."""
    said = str(mail.get("message-id", "")).strip()
    return said or keeping.origin(raw)

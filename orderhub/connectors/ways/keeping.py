"""Files into the inbox (or the import of orders): once only, a message a part, and what is refused is there to be seen."""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from django.db import transaction

from orderhub.connectors import envelopes, inbox, shelf, speaking, traffic, uploads
from orderhub.connectors.base import Incoming
from orderhub.connectors.models import Connection, ImportBatch, InboxMessage
from orderhub.connectors.speech import reading, trees
from orderhub.connectors.speech.fetching import Way
from orderhub.connectors.speech.limits import LARGEST, Unreadable
from orderhub.connectors.speech.profile import Profile as Spec
from orderhub.connectors.speech.requests import Request
from orderhub.connectors.ways import packed
from orderhub.connectors.ways.reasons import NotTaken, megabytes
from orderhub.kernel.errors import Refused

#: A file of rows may be as large; other files are read as a whole and have the limit of messages.
MOST_BYTES = 50_000_000
#: Files of rows larger than this are cut, so that no message and no transaction is large.
WHOLE_BYTES = 500_000
_ROWS_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Found:
    """One file that came: its name, its bytes, what stands for it (`origin`), and what maps may read beside it."""

    name: str
    data: bytes
    origin: str
    headers: Mapping[str, str] = field(default_factory=dict)


def origin(*parts: str | bytes) -> str:
    """What stands for a file: 40 signs made of what makes it the same."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(
            hashlib.sha256(part if isinstance(part, bytes) else part.encode("utf-8", "replace")).digest()
        )
    return digest.hexdigest()[:40]


def keep(
    connection: Connection, way: Way, found: Found, *, now: datetime, patterns: tuple[str, ...] = ()
) -> int:  # fmt: skip
    """Keep what a file holds, of a zip the files of these patterns; how many messages were new.

    Raises NotTaken; with `is_kept` where the inbox shows it.
    """
    if len(found.data) > MOST_BYTES:
        raise NotTaken("file_too_large", f"{megabytes(len(found.data))} > {megabytes(MOST_BYTES)}")
    inside = packed.files(found.name, found.data)
    if [data for _name, data in inside] != [found.data]:
        inside = [(name, data) for name, data in inside if way.wants(name, patterns)]
        if not inside:
            raise NotTaken("zip_strange")
        files = [
            replace(found, name=name, data=data, origin=origin(found.origin, name, data))
            for name, data in inside
        ]
    else:
        files = [found]
    return sum(_kept(connection, way, one, now=now) for one in files)


def refuse(connection: Connection, way: Way, found: Found, fault: NotTaken, *, now: datetime) -> None:
    """Show in the inbox that a file or mail was not taken, and why; its bytes are not kept."""
    request = _request(way, replace(found, data=b""))
    envelope = {**envelopes.envelope_of(request), "refused": fault.code, "why": fault.why}
    body = {"file": _clean(found.name), "reason": fault.code, "why": _clean(fault.why)}
    key = f"{way.kind}:refused:{found.origin}"
    inbox.receive(connection, [Incoming(key, body, None, envelope)], now=now)


def _kept(connection: Connection, way: Way, found: Found, *, now: datetime) -> int:
    if not found.data.strip():
        raise NotTaken("file_empty")
    if way.imports:
        return _imported(connection, way, found, now=now)
    spec = shelf.spec_of(connection)
    door = spec.reader(way.kind)
    request = _request(way, found)
    if (
        door is not None
        and door.form in ("csv", "tsv")
        and door.split is not None
        and len(found.data) > WHOLE_BYTES
    ):
        return _rows(connection, spec, way, found, now=now)
    if len(found.data) > LARGEST:
        raise NotTaken("file_too_large", f"{megabytes(len(found.data))} > {megabytes(LARGEST)}")
    key = reading.own_key(spec, request) or f"{way.kind}:{found.origin}"
    message = Incoming(key, {}, found.data, envelopes.envelope_of(request))
    new = inbox.receive(connection, [message], now=now)
    if door is not None:
        try:
            trees.read(found.data, door.form, lists=door.lists, charset=door.charset)
        except Unreadable as fault:
            raise NotTaken(fault.code, is_kept=True) from None
    return new


def _request(way: Way, found: Found) -> Request:
    headers = {"file-name": _clean(found.name), **found.headers}
    return Request("FILE", "", f"/{way.kind}", (), headers, found.data, way.kind, found.origin)


def _clean(text: str) -> str:
    return text.replace("\x00", "").encode("utf-8", "replace").decode()[:200]


# ---- large files of rows ---------------------------------------------------------------------------


def _rows(connection: Connection, spec: Spec, way: Way, found: Found, *, now: datetime) -> int:
    """Keep each row of a large file as a message of its own, some hundred in a transaction; a kill changes nothing."""
    config, new = speaking.config_of(connection), 0
    _check_charset(found.data, spec, way)
    for number, piece in enumerate(pieces(found.data, is_quoted=_form(spec, way) == "csv")):
        request = _request(way, replace(found, data=piece, origin=f"{found.origin}.{number}"))
        try:
            parts = reading.parts(spec, request, config)
        except Unreadable as fault:
            raise NotTaken(fault.code) from None
        envelope = {**envelopes.envelope_of(replace(request, body=b"")), "part": True}
        messages = [Incoming(part.key, {}, trees.json_text(part.tree).encode(), envelope) for part in parts]
        for start in range(0, len(messages), _ROWS_AT_ONCE):
            new += inbox.receive(connection, messages[start : start + _ROWS_AT_ONCE], now=now)
    return new


def _check_charset(data: bytes, spec: Spec, way: Way) -> None:
    """Refuse a file with strange bytes as a whole, before any of its rows is kept."""
    door = spec.reader(way.kind)
    chunks = (data[start : start + 65536] for start in range(0, len(data), 65536))
    try:
        for _text in codecs.iterdecode(chunks, door.charset if door is not None else "utf-8"):
            pass
    except UnicodeDecodeError:
        raise NotTaken("charset") from None


def _form(spec: Spec, way: Way) -> str:
    door = spec.reader(way.kind)
    return door.form if door is not None else ""


def pieces(data: bytes, *, is_quoted: bool, most: int = WHOLE_BYTES) -> Iterator[bytes]:
    """The file as several, each under the first line of it; never cut inside a quoted cell.

    Works on bytes: in no charset of ours but UTF-16 is a line's end or a quotation mark part of another sign.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise NotTaken("file_too_large", f"{megabytes(len(data))} (UTF-16) > {megabytes(WHOLE_BYTES)}")
    lines = io.BytesIO(data)
    head = _record(lines, is_quoted=is_quoted)
    piece, size = [head], 0
    while record := _record(lines, is_quoted=is_quoted):
        piece.append(record)
        size += len(record)
        if size >= most:
            yield b"".join(piece)
            piece, size = [head], 0
    if size:
        yield b"".join(piece)


def _record(lines: io.BytesIO, *, is_quoted: bool) -> bytes:
    """The next line with those that belong to it, since a quoted cell goes on."""
    line = lines.readline()
    if not is_quoted:
        return line
    marks = line.count(b'"')
    whole, size = [line], len(line)
    while marks % 2 and (line := lines.readline()):
        marks += line.count(b'"')
        whole.append(line)
        size += len(line)
        if size > csv.field_size_limit() * 8:
            raise NotTaken("not_rows")
    return b"".join(whole)


# ---- files for the import --------------------------------------------------------------------------


def _imported(connection: Connection, way: Way, found: Found, *, now: datetime) -> int:
    """Give a file to the import of the merchant, once; the message in the inbox says which import it became."""
    key = f"{way.kind}:{found.origin}"
    if InboxMessage.objects.filter(connection=connection, key=key).exists():
        return 0
    actor = f"connection:{connection.code}"
    try:
        batch = uploads.upload(
            [(found.name, found.data)], merchant=connection.merchant, kind=way.imports, actor=actor, now=now, user=None,
            dialect=way.dialect, confirmed=False,
        )  # fmt: skip
    except Refused as no:
        raise NotTaken("file_too_large", str(no)) from None
    request = _request(way, replace(found, data=b""))
    message = Incoming(
        key, {"file": _clean(found.name), "import": batch.pk}, None, envelopes.envelope_of(request)
    )
    with transaction.atomic():
        new = inbox.receive(connection, [message], now=now)
        if new:
            ImportBatch.objects.filter(pk=batch.pk).update(channel=connection.channel)
            uploads.confirm(batch.pk, merchant=connection.merchant, now=now, actor=actor)
            InboxMessage.objects.filter(connection=connection, key=key).update(
                state=InboxMessage.State.APPLIED,
                applied_at=now,
                means=way.imports[:12],
                reference=f"import {batch.pk}",
            )
            Connection.objects.filter(pk=connection.pk).update(last_message_at=now)
            traffic.count(connection.pk, now=now, received=1)
    if not new:
        uploads.discard(batch.pk, merchant=connection.merchant)
    return new

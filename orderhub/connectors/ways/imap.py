"""A mailbox over IMAP: encrypted before anybody logs in, at the address that was checked, with an end to all waiting."""

from __future__ import annotations

import base64
import imaplib
import io
import re
import socket
import ssl
from collections.abc import Callable
from contextlib import ExitStack
from datetime import date
from time import monotonic
from typing import Any

from django.conf import settings

from orderhub.connectors import net, secretbox
from orderhub.connectors.models import Connection
from orderhub.connectors.ways.reasons import Broken

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 15.0
#: No mail may hold a worker longer, however slowly it drips.
MAIL_SECONDS = 60.0
#: A larger mail is not read.
MOST_MAIL_BYTES = 25_000_000
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_SIZE = re.compile(rb"RFC822\.SIZE (\d+)")


class _Line(io.RawIOBase):
    """A socket that is read until a moment and no longer."""

    def __init__(self, line: socket.socket) -> None:
        self._line, self.until = line, monotonic() + MAIL_SECONDS

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Some bytes; TimeoutError once the time is up."""
        left = self.until - monotonic()
        if left <= 0:
            raise TimeoutError("the mail server is too slow")
        self._line.settimeout(min(ANSWER_SECONDS, left))
        return self._line.recv_into(buffer)


class _Client(imaplib.IMAP4):
    """The library's own client, on a socket that was connected to a checked address."""

    def __init__(self, line: socket.socket) -> None:
        self._own = line
        super().__init__("", 0, None)

    def open(self, host: str = "", port: int = 0, timeout: float | None = None) -> None:
        """Take the socket that is there."""
        self.host, self.port = host, port
        self.take(self._own)

    def take(self, line: socket.socket) -> None:
        """Read from this socket from now on."""
        self.sock = line
        self.raw = _Line(line)
        self.file = self._file = io.BufferedReader(self.raw)

    def read(self, size: int) -> bytes:
        """A literal; a server that announces more than any mail is not listened to."""
        if size > MOST_MAIL_BYTES + 1_000_000:
            raise self.abort("the mail server sends more than was asked for")
        return super().read(size)


class Mailbox:
    """One folder of a mailbox, selected; raises Broken for whatever the server does."""

    def __init__(self, client: _Client, folder: str) -> None:
        self._client = client
        data = self._asked(lambda: client.select(_quoted(folder)))
        self.count = int(data[0] or 0)
        said = client.response("UIDVALIDITY")[1]
        self.validity = (said[0] or b"").decode() if said else ""

    def after(self, uid: int) -> list[int]:
        """The numbers of the mails after this one, in order."""
        # "n:*" names the last mail even where it is before n.
        return [one for one in self._search("UID", f"{uid + 1}:*") if one > uid]

    def since(self, day: date) -> list[int]:
        """The numbers of the mails that came on that day or later."""
        return self._search("SINCE", f"{day.day:02d}-{_MONTHS[day.month - 1]}-{day.year}")

    def size(self, uid: int) -> int:
        """How many bytes a mail has."""
        data = self._asked(lambda: self._client.uid("FETCH", str(uid), "(RFC822.SIZE)"))
        for one in data:
            hit = _SIZE.search(one[0] if isinstance(one, tuple) else one or b"")
            if hit:
                return int(hit[1])
        return 0

    def header(self, uid: int) -> bytes:
        """The head of a mail."""
        return self._body(uid, "(BODY.PEEK[HEADER])")

    def whole(self, uid: int) -> bytes:
        """A mail as it came; it stays unread. Empty where it is gone."""
        return self._body(uid, "(BODY.PEEK[])")

    def flag(self, uid: int, flag: str) -> None:
        """Put a flag on a mail."""
        self._asked(lambda: self._client.uid("STORE", str(uid), "+FLAGS", f"({flag})"))

    def close(self) -> None:
        """Log out, or hang up."""
        try:
            self._client.logout()
        except (imaplib.IMAP4.error, OSError):
            self._client.shutdown()

    def _body(self, uid: int, what: str) -> bytes:
        data = self._asked(lambda: self._client.uid("FETCH", str(uid), what))
        return next((bytes(one[1]) for one in data if isinstance(one, tuple)), b"")

    def _search(self, *words: str) -> list[int]:
        data = self._asked(lambda: self._client.uid("SEARCH", *words))
        return sorted(int(one) for one in (data[0] or b"").split())

    def _asked(self, ask: Callable[[], tuple[str, list[Any]]]) -> list[Any]:
        self._client.raw.until = monotonic() + MAIL_SECONDS
        try:
            word, data = ask()
        except (imaplib.IMAP4.error, OSError, ValueError) as fault:
            raise Broken("mail_says", value=str(fault) or type(fault).__name__) from None
        if word != "OK":
            raise Broken("mail_says", value=_text(data))
        return data


def connect(connection: Connection) -> Mailbox:
    """Log in and select the folder; raises Broken, net.Forbidden or net.NotSent."""
    config = connection.config
    host, port = str(config.get("mail_host") or ""), int(config.get("mail_port") or 993)
    allows = connection.allows_private or settings.DEBUG
    address = net.checked_addresses(host, port, allows_private=allows)[0]
    try:
        line = socket.create_connection((address, port), timeout=CONNECT_SECONDS)
    except OSError as fault:
        raise Broken("no_connection", host=f"{host}:{port}", value=str(fault.strerror or fault)) from None
    line.settimeout(ANSWER_SECONDS)
    held = ExitStack()
    held.callback(line.close)
    try:
        client = _encrypted(line, host, is_plain_first=config.get("mail_tls") == "starttls")
        held.callback(client.shutdown)
        client.login(str(config.get("mail_user") or ""), secretbox.current(connection, "mail_password"))
        box = Mailbox(client, str(config.get("mail_folder") or "INBOX"))
    except ssl.SSLError as fault:
        held.close()
        raise Broken("mail_certificate", value=str(fault.reason)) from None
    except imaplib.IMAP4.error as fault:
        held.close()
        raise Broken("mail_login", value=str(fault)[:160]) from None
    except OSError as fault:
        held.close()
        raise Broken("mail_says", value=str(fault) or type(fault).__name__) from None
    except Broken:
        held.close()
        raise
    return box


def tls() -> ssl.SSLContext:
    """How certificates are checked: always, by name, with the authorities of the system."""
    return ssl.create_default_context()


def _encrypted(line: socket.socket, host: str, *, is_plain_first: bool) -> _Client:
    if not is_plain_first:
        return _Client(tls().wrap_socket(line, server_hostname=host))
    client = _Client(line)
    word, data = client._simple_command("STARTTLS")  # the library's own would read past the end
    if word != "OK":
        raise client.error(_text(data))
    # Whatever was said before the encryption counts for nothing.
    client.take(tls().wrap_socket(line, server_hostname=host))
    client._get_capabilities()
    return client


def _quoted(folder: str) -> str:
    """A folder's name as IMAP wants it: in its own UTF-7, quoted."""
    parts: list[str] = []
    for run in re.findall(r"[\x20-\x7e]+|[^\x20-\x7e]+", folder):
        if run[0].isascii() and run[0].isprintable():
            parts.append(run.replace("&", "&-"))
        else:
            packed = base64.b64encode(run.encode("utf-16-be")).decode()
            parts.append("&" + packed.rstrip("=").replace("/", ",") + "-")
    return '"' + "".join(parts).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _text(data: Any) -> str:
    first = data[0] if data else b""
    return (first or b"").decode("utf-8", "replace")[:200] if isinstance(first, bytes) else str(first)[:200]

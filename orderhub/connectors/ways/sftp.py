"""Folders of an SFTP server: only of the host whose fingerprint was entered, at the address that was checked."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import io
import posixpath
import socket
import stat
from collections.abc import Iterator
from datetime import date
from typing import Any

import paramiko
from django.conf import settings

from orderhub.connectors import net, secretbox
from orderhub.connectors.models import Connection
from orderhub.connectors.ways import places
from orderhub.connectors.ways.places import Changed, Seen
from orderhub.connectors.ways.reasons import Broken

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 15.0
_KEYS: tuple[Any, ...] = (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey)


def connect(connection: Connection) -> Remote:
    """Log in; raises Broken, net.Forbidden or net.NotSent."""
    config = connection.config
    host, port = str(config.get("sftp_host") or ""), int(config.get("sftp_port") or 22)
    if not host or not config.get("sftp_user"):
        raise Broken("sftp_settings")
    allows = connection.allows_private or settings.DEBUG
    address = net.checked_addresses(host, port, allows_private=allows)[0]
    try:
        line = socket.create_connection((address, port), timeout=CONNECT_SECONDS)
    except OSError as fault:
        raise Broken("no_connection", host=f"{host}:{port}", value=str(fault.strerror or fault)) from None
    line.settimeout(ANSWER_SECONDS)
    transport = paramiko.Transport(line)
    transport.banner_timeout = transport.auth_timeout = ANSWER_SECONDS
    try:
        return Remote(_logged_in(transport, connection), str(config.get("files_folder") or "."))
    except Broken:
        transport.close()
        raise
    except (paramiko.SSHException, OSError, EOFError) as fault:
        transport.close()
        raise Broken("sftp_says", value=_words(fault)) from None


def fingerprint(key: Any) -> str:
    """A host's key as people compare it: SHA256:…"""
    return "SHA256:" + base64.b64encode(hashlib.sha256(key.asbytes()).digest()).decode().rstrip("=")


def _logged_in(transport: paramiko.Transport, connection: Connection) -> paramiko.SFTPClient:
    transport.start_client(timeout=ANSWER_SECONDS)
    found = fingerprint(transport.get_remote_server_key())
    # Nothing secret is said to a host that is not the right one.
    if found != str(connection.config.get("sftp_host_key") or "").strip().rstrip("="):
        raise Broken("sftp_host", value=found)
    user = str(connection.config["sftp_user"])
    key = secretbox.current(connection, "sftp_key")
    try:
        if key:
            transport.auth_publickey(user, _key(key))
        else:
            transport.auth_password(user, secretbox.current(connection, "sftp_password"))
    except paramiko.AuthenticationException:
        raise Broken("sftp_login") from None
    client = paramiko.SFTPClient.from_transport(transport)
    if client is None:
        raise Broken("sftp_says", value="no SFTP")
    client.get_channel().settimeout(ANSWER_SECONDS)
    return client


def _key(text: str) -> Any:
    for kind in _KEYS:
        with contextlib.suppress(paramiko.SSHException, ValueError):
            return kind.from_private_key(io.StringIO(_lines(text)))
    raise Broken("sftp_key")


def _lines(text: str) -> str:
    """A key as it was pasted: forms make its lines one."""
    words = text.split()
    if "\n" in text.strip() or len(words) < 5:
        return text.strip() + "\n"
    head, tail = text.find("-----", 5) + 5, text.rfind("-----END")
    return f"{text[:head].strip()}\n" + "\n".join(text[head:tail].split()) + f"\n{text[tail:].strip()}\n"


def _words(fault: Exception) -> str:
    return str(fault)[:200] or type(fault).__name__


class Remote:
    """A folder of an SFTP server; what may not be moved there is left, and remembered as taken."""

    def __init__(self, client: paramiko.SFTPClient, folder: str) -> None:
        self._client, self._folder = client, folder

    def look(self) -> list[Seen]:
        """The ordinary files in it."""
        try:
            with _told():
                entries = self._client.listdir_attr(self._folder)
        except (FileNotFoundError, PermissionError):
            raise Broken("sftp_folder", value=self._folder) from None
        return [
            _seen(one.filename, one)
            for one in entries[: places.MOST_NAMES]
            if stat.S_ISREG(one.st_mode or 0) and places.is_finished(one.filename) and "/" not in one.filename
        ]

    def read(self, seen: Seen) -> bytes:
        """The bytes, if the file is before and after what was seen."""
        try:
            with _told(), self._client.open(self._path(seen.name), "rb") as file:
                if self._now(seen.name) != seen:
                    raise Changed(seen.name)
                file.prefetch(seen.size)
                data = file.read(seen.size)
                if len(data) != seen.size or self._now(seen.name) != seen:
                    raise Changed(seen.name)
        except FileNotFoundError:
            raise Changed(seen.name) from None
        return bytes(data)

    def put_away(self, seen: Seen, shelf: str, *, day: date, reason: str = "") -> bool:
        """Move it below `done` or `refused`; False where the server does not let us."""
        try:
            there = self._path(shelf)
            for folder in (there, posixpath.join(there, day.isoformat())):
                self._make(folder)
            name = self._free(posixpath.join(there, day.isoformat()), seen.name)
            if reason:
                beside = posixpath.join(posixpath.dirname(name), places.reason_name(posixpath.basename(name)))
                with self._client.open(beside, "wb") as file:
                    file.write(reason.encode())
            self._client.rename(self._path(seen.name), name)
        except FileNotFoundError:
            return True
        except TimeoutError:
            raise Broken("sftp_says", value="time-out") from None
        except (PermissionError, OSError, paramiko.SFTPError):
            return False
        return True

    def remove(self, name: str) -> None:
        """Take a marker away where that is allowed."""
        with contextlib.suppress(OSError, paramiko.SFTPError):
            self._client.remove(self._path(name))

    def clean(self, *, before: date) -> int:
        """Nothing: what lies on their server is theirs to delete."""
        return 0

    def close(self) -> None:
        """Say good-bye."""
        transport = self._client.get_channel().get_transport()
        self._client.close()
        transport.close()

    def _now(self, name: str) -> Seen:
        return _seen(name, self._client.lstat(self._path(name)))

    def _path(self, name: str) -> str:
        return posixpath.join(self._folder, name)

    def _make(self, folder: str) -> None:
        try:
            self._client.stat(folder)
        except FileNotFoundError:
            self._client.mkdir(folder)

    def _free(self, folder: str, name: str) -> str:
        free, number = name, 1
        while True:
            try:
                self._client.stat(posixpath.join(folder, free))
            except FileNotFoundError:
                return posixpath.join(folder, free)
            number += 1
            free = places.other_name(name, number)


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """Faults of the line in words; those of one file as they are."""
    try:
        yield
    except (FileNotFoundError, PermissionError):
        raise
    except (paramiko.SSHException, EOFError, OSError) as fault:
        raise Broken("sftp_says", value=_words(fault)) from None


def _seen(name: str, found: paramiko.SFTPAttributes) -> Seen:
    return Seen(name, found.st_size or 0, str(found.st_mtime or 0))

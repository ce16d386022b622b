"""Folders of this machine, or mounted on it: one for each connection, below the one folder the server's operator named."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from django.conf import settings

from orderhub.connectors.models import Connection
from orderhub.connectors.ways import places
from orderhub.connectors.ways.places import Changed, Seen
from orderhub.connectors.ways.reasons import Broken

_NO_LINK = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
_FOLDER = _NO_LINK | os.O_DIRECTORY


def below_root(connection: Connection) -> list[str]:
    """The folders from the drop folder to that of a connection: first the merchant's, so that nobody reaches another's."""
    entered = str(connection.config.get("files_folder") or "") or connection.code
    own = places.steps(entered)
    if not own:
        raise Broken("bad_folder", value=entered)
    return [connection.merchant.code, *own]


def shown(connection: Connection) -> str:
    """Where its files are to be put, for people."""
    try:
        return str(Path(settings.DROP_DIR, *below_root(connection)))
    except Broken:
        return ""


class Folder:
    """One folder, held open: links are never followed, so that no name leads anywhere else."""

    def __init__(self, connection: Connection) -> None:
        try:
            self._here = _walked(below_root(connection))
        except OSError as fault:
            raise Broken("no_folder", value=fault.strerror or "") from None

    def look(self) -> list[Seen]:
        """The ordinary files in it."""
        found: list[Seen] = []
        with os.scandir(self._here) as entries:
            for entry in entries:
                if len(found) >= places.MOST_NAMES:
                    break
                if places.is_finished(entry.name) and entry.is_file(follow_symlinks=False):
                    with contextlib.suppress(FileNotFoundError):
                        found.append(_seen(entry.name, entry.stat(follow_symlinks=False)))
        return found

    def read(self, seen: Seen) -> bytes:
        """The bytes, if the file is before and after what was seen."""
        try:
            number = os.open(seen.name, _NO_LINK | os.O_NONBLOCK, dir_fd=self._here)
        except FileNotFoundError:
            raise Changed(seen.name) from None
        with os.fdopen(number, "rb") as file:
            before = os.fstat(number)
            if not stat.S_ISREG(before.st_mode) or _seen(seen.name, before) != seen:
                raise Changed(seen.name)
            data = file.read(seen.size + 1)
            if len(data) != seen.size or _seen(seen.name, os.fstat(number)) != seen:
                raise Changed(seen.name)
        return data

    def put_away(self, seen: Seen, shelf: str, *, day: date, reason: str = "") -> bool:
        """Move it below `done` or `refused`, into a folder of the day."""
        try:
            with _folders(self._here, [shelf, day.isoformat()]) as there:
                name = _free_name(there, seen.name)
                if reason:
                    _write(there, places.reason_name(name), reason)
                os.rename(seen.name, name, src_dir_fd=self._here, dst_dir_fd=there)
        except FileNotFoundError:
            return True  # somebody took it away
        except (PermissionError, OSError) as fault:
            if isinstance(fault, PermissionError) or fault.errno in _READ_ONLY:
                return False
            raise
        return True

    def remove(self, name: str) -> None:
        """Take a marker away; one that may not be taken away stays."""
        with contextlib.suppress(OSError):
            os.unlink(name, dir_fd=self._here)

    def clean(self, *, before: date) -> int:
        """Delete the folders of days before that one."""
        gone = 0
        for shelf in (places.DONE, places.REFUSED):
            with contextlib.suppress(OSError), _folders(self._here, [shelf], make=False) as there:
                for name in os.listdir(there):
                    if _is_before(name, before):
                        gone += _emptied(there, name)
        return gone

    def close(self) -> None:
        """Let go of the folder."""
        os.close(self._here)


_READ_ONLY = (1, 13, 30)  # EPERM, EACCES, EROFS


def _seen(name: str, found: os.stat_result) -> Seen:
    return Seen(name, found.st_size, str(found.st_mtime_ns))


def _walked(parts: list[str]) -> int:
    """The last of these folders, opened step by step; those that are missing are made."""
    root = Path(settings.DROP_DIR)
    if not root.is_dir():
        raise Broken("no_drop")
    here = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    for part in parts:
        try:
            following = _opened(here, part, make=True)
        finally:
            os.close(here)
        here = following
    return here


def _opened(here: int, name: str, *, make: bool) -> int:
    if make:
        with contextlib.suppress(FileExistsError):
            os.mkdir(name, 0o770, dir_fd=here)
    return os.open(name, _FOLDER, dir_fd=here)


@contextlib.contextmanager
def _folders(here: int, names: list[str], *, make: bool = True) -> Iterator[int]:
    opened: list[int] = []
    try:
        for name in names:
            opened.append(_opened(opened[-1] if opened else here, name, make=make))
        yield opened[-1]
    finally:
        for number in opened:
            os.close(number)


def _free_name(there: int, name: str) -> str:
    free, number = name, 1
    while True:
        try:
            os.stat(free, dir_fd=there, follow_symlinks=False)
        except FileNotFoundError:
            return free
        number += 1
        free = places.other_name(name, number)


def _write(there: int, name: str, text: str) -> None:
    number = os.open(
        name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o660, dir_fd=there
    )
    with os.fdopen(number, "w", encoding="utf-8") as file:
        file.write(text)


def _is_before(name: str, before: date) -> bool:
    try:
        return date.fromisoformat(name) < before
    except ValueError:
        return False


def _emptied(there: int, name: str) -> int:
    with _folders(there, [name], make=False) as day:
        for one in os.listdir(day):
            os.unlink(one, dir_fd=day)
    os.rmdir(name, dir_fd=there)
    return 1

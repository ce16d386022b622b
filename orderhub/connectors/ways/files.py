"""Files of a folder: left until they are still, taken once, then moved to done or refused with the reason beside."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils.dateparse import parse_datetime

from orderhub.connectors.models import Connection
from orderhub.connectors.speech import fetching
from orderhub.connectors.speech.fetching import Way
from orderhub.connectors.ways import folders, keeping, places, reasons, sftp, turns
from orderhub.connectors.ways.keeping import Found
from orderhub.connectors.ways.places import Changed, Place, Seen
from orderhub.connectors.ways.reasons import Broken, NotTaken, megabytes
from orderhub.connectors.ways.turns import Turn


def place_of(connection: Connection) -> Place:
    """The folder of a connection; raises Broken, net.Forbidden or net.NotSent."""
    if connection.config.get("files_place") == "sftp":
        return sftp.connect(connection)
    return folders.Folder(connection)


def patterns(connection: Connection) -> tuple[str, ...]:
    """Which files are taken, as entered; empty: as the profile says."""
    return tuple(str(connection.config.get("files_pattern") or "").replace(",", " ").split())


@turns.takes(fetching.FILES)
def take(turn: Turn, now: datetime) -> None:
    """Look into the folder and take what is ready, the oldest first."""
    with closing(place_of(turn.connection)) as place:
        seen = place.look()
        known: Mapping[str, Any] = turn.mark.cursor
        here = _noted(seen, known.get("seen", {}), now=now)
        away = {one.name: _stamp(one) for one in seen if known.get("taken", {}).get(one.name) == _stamp(one)}
        ready = [one for one in _ready(seen, here, turn, now=now) if one.name not in away]
        for one in sorted(ready, key=lambda found: (found.written.zfill(24), found.name)):
            if turn.is_over:
                break
            _take(turn, place, one, here, away, now=now)
        cursor = {
            "seen": here,
            "taken": away,
            "cleaned": _clean(place, str(known.get("cleaned", "")), now=now),
        }
        turn.move(cursor)


def _stamp(seen: Seen) -> str:
    return f"{seen.size}/{seen.written}"


def _noted(seen: list[Seen], known: Mapping[str, Any], *, now: datetime) -> dict[str, list[str]]:
    """Each file as it is, with when it was first seen just so: by our clock, whatever the other one says."""
    found = {}
    for one in seen:
        before = known.get(one.name)
        is_same = before is not None and before[0] == _stamp(one)
        found[one.name] = [_stamp(one), before[1] if before is not None and is_same else now.isoformat()]
    return found


def _ready(seen: list[Seen], here: Mapping[str, list[str]], turn: Turn, *, now: datetime) -> list[Seen]:
    """Those of the right name that nobody writes any more: their marker is there, or they have been still."""
    way, names = turn.way, {one.name for one in seen}
    wanted = patterns(turn.connection)
    mine = [one for one in seen if way.wants(one.name, wanted) or way.wants(one.name, ("*.zip",))]
    if way.ready:
        return [one for one in mine if one.name + way.ready in names and not one.name.endswith(way.ready)]
    still = now - timedelta(seconds=way.still_s)
    return [
        one
        for one in mine
        if (since := parse_datetime(here[one.name][1])) is not None and since <= still and since < now
    ]


def _take(
    turn: Turn, place: Place, one: Seen, here: dict[str, list[str]], away: dict[str, str], *, now: datetime
) -> None:  # fmt: skip
    """Keep one file, then put it away: what is killed between finds it kept the next time."""
    shelf, reason = places.DONE, ""
    try:
        new = _keep(turn, place, one, now=now)
        turn.found += new
        turn.repeated += not new
    except Changed:
        return
    except NotTaken as fault:
        shelf, reason = places.REFUSED, reasons.told(fault.code, fault.why)
        turn.refused += 1
    except PermissionError:
        turn.trouble = Broken("no_right", value=one.name)
        return
    if turn.way.ready:
        # Before the file itself: a marker left behind would make the next file of this name ready while it is written.
        place.remove(one.name + turn.way.ready)
        here.pop(one.name + turn.way.ready, None)
    if place.put_away(one, shelf, day=now.date(), reason=reason):
        here.pop(one.name, None)
    else:
        away[one.name] = _stamp(one)


def _keep(turn: Turn, place: Place, one: Seen, *, now: datetime) -> int:
    if one.size > keeping.MOST_BYTES:
        fault = NotTaken("file_too_large", f"{megabytes(one.size)} > {megabytes(keeping.MOST_BYTES)}")
        found = Found(one.name, b"", keeping.origin(one.name, str(one.size), one.written))
        keeping.refuse(turn.connection, turn.way, found, fault, now=now)
        raise fault
    data = place.read(one)
    found = Found(one.name, data, origin_of(turn.way, one, data))
    try:
        return keeping.keep(
            turn.connection, turn.way, found, now=now, patterns=patterns(turn.connection)
        )  # fmt: skip
    except NotTaken as fault:
        if not fault.is_kept:
            keeping.refuse(turn.connection, turn.way, found, fault, now=now)
        raise


def origin_of(way: Way, one: Seen, data: bytes) -> str:
    """What makes it the same file, as the profile says."""
    by = {"content": (), "name": (one.name,), "time": (one.name, one.written)}[way.once_by]
    return keeping.origin(data, *by)


def _clean(place: Place, before: str, *, now: datetime) -> str:
    """Once a day delete what was put away long ago: files name receivers."""
    today = now.date().isoformat()
    if before != today:
        place.clean(before=now.date() - timedelta(days=settings.DROP_KEEP_DAYS))
    return today

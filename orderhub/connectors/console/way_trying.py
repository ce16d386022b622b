"""The button Test for folders, mailboxes and tables: one look at each that is used, nothing taken, told in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from orderhub.connectors import net, speaking
from orderhub.connectors.models import Connection, WayMark
from orderhub.connectors.speech import fetching, reading, trees
from orderhub.connectors.speech.fetching import Way
from orderhub.connectors.speech.profile import Ask
from orderhub.connectors.speech.profile import Profile as Spec
from orderhub.connectors.speech.requests import Request
from orderhub.connectors.ways import databases, files, folders, imap, reasons, turns, values
from orderhub.connectors.ways.reasons import Broken

Line = tuple[str, str]


def used_asks(connection: Connection, spec: Spec) -> tuple[Ask, ...]:
    """What is asked for the ways in that are used."""
    is_near = connection.config.get("files_place") != "sftp"
    used = [ask for kind, way in spec.ways.items() if turns.is_on(connection, kind) for ask in way.asks]
    return tuple(ask for ask in used if not (is_near and ask.name.startswith("sftp_")))


def drop_folder(connection: Connection, spec: Spec | None) -> str:
    """The folder of this server where its files are to be put; empty where there is none."""
    if spec is None or fetching.FILES not in spec.ways or not turns.is_on(connection, fetching.FILES):
        return ""
    return "" if connection.config.get("files_place") == "sftp" else folders.shown(connection)


def marks(connection: Connection) -> list[WayMark]:
    """The ways in that are used, each with its trouble in words; one query."""
    found = list(WayMark.objects.filter(connection=connection).order_by("kind"))
    for one in found:
        one.trouble = reasons.trouble(one.fault)
    return found


def probe(connection: Connection, spec: Spec) -> list[Line]:
    """A line or two for each way in."""
    said: list[Line] = []
    for kind, way in spec.ways.items():
        if not turns.is_on(connection, kind):
            continue
        try:
            said += _PROBES[kind](connection, spec, way)
        except Broken as fault:
            said.append(("bad", reasons.trouble(fault.fault)))
        except (net.Forbidden, net.NotSent) as fault:
            said.append(("bad", _("The address may not be called: %(why)s") % {"why": fault}))
    if not said and spec.door is None and spec.ways:
        said.append(("bad", _("No way in is switched on: choose one under Settings.")))
    return said


def _files(connection: Connection, spec: Spec, way: Way) -> list[Line]:
    with closing(files.place_of(connection)) as place:
        seen = place.look()
    wanted = sum(way.wants(one.name, files.patterns(connection)) for one in seen)
    text = ngettext(
        "The folder can be read; %(count)d file of the right name waits in it.",
        "The folder can be read; %(count)d files of the right name wait in it.", wanted,
    ) % {"count": wanted}  # fmt: skip
    others = len(seen) - wanted
    if not others:
        return [("ok", text)]
    left = ngettext(
        "%(count)d file has another name and is left alone.", "%(count)d files have other names and are left alone.", others,
    ) % {"count": others}  # fmt: skip
    return [("ok", text), ("warn", left)]


def _mail(connection: Connection, spec: Spec, way: Way) -> list[Line]:
    with closing(imap.connect(connection)) as box:
        text = ngettext(
            "The mailbox can be read; the folder holds %(count)d mail.",
            "The mailbox can be read; the folder holds %(count)d mails.", box.count,
        )  # fmt: skip
        return [("ok", text % {"count": box.count})]


def _table(connection: Connection, spec: Spec, way: Way) -> list[Line]:
    with closing(databases.open_table(connection)) as table:
        columns, last = table.columns(), table.last()
    said: list[Line] = [
        ("ok", _("The table can be read; its columns: %(names)s.") % {"names": ", ".join(columns)[:200]})
    ]
    if last is None:
        return [*said, ("warn", _("It has no rows yet."))]
    if values.noted(last[table.moved_by])[0] in ("moment", "day") and not table.column:
        return [
            *said,
            ("bad", _("The column that moves on is a time: enter the column that tells rows apart as well.")),
        ]
    if table.column:
        values.noted(last[table.column])
    text = trees.json_text(values.document(last)).encode()
    request = Request("ROW", "", "/table", (), {}, text, fetching.TABLE)
    part = reading.parts(spec, request, speaking.config_of(connection))[0]
    if part.became == "unrouted":
        return [*said, ("warn", _("No map is for a row like the last one: look at the profile's routes."))]
    if part.faults:
        names = ", ".join(dict.fromkeys(fault.field for fault in part.faults))
        return [
            *said,
            ("warn", _("The last row cannot be read as it is; look at: %(names)s.") % {"names": names}),
        ]
    return [*said, ("ok", _("The last row can be read."))]


_PROBES: Mapping[str, Callable[[Connection, Spec, Way], list[Line]]] = {
    fetching.FILES: _files, fetching.MAIL: _mail, fetching.TABLE: _table,
}  # fmt: skip

"""The part of the forms of connections that is about folders, mailboxes and tables: what is missing, what cannot be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from orderhub.connectors import secretbox
from orderhub.connectors.models import Connection, WayMark
from orderhub.connectors.speech import fetching
from orderhub.connectors.speech.profile import Ask
from orderhub.connectors.speech.profile import Profile as Spec
from orderhub.connectors.ways import databases, places
from orderhub.connectors.ways.reasons import Broken

#: What the choices of the forms are called.
CHOICES: Mapping[str, str | Promise] = {
    "here": _("on this server, or mounted on it"), "sftp": _("on an SFTP server"), "tls": _("TLS from the start"),
    "starttls": "STARTTLS", "postgresql": "PostgreSQL", "mysql": "MySQL, MariaDB",
    "checked": _("encrypted, certificate checked"), "encrypted": _("encrypted, any certificate"),
    "none": _("not encrypted"), "new": _("only what changes from now on"), "all": _("with all rows there are"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Group:
    """The fields of one way in, under its own title."""

    title: str
    switch: Any
    fields: list[Any]
    is_open: bool


def asks(spec: Spec) -> tuple[Ask, ...]:
    """What is asked for the ways in of a profile."""
    return tuple(ask for way in spec.ways.values() for ask in way.asks)


def is_only_way(spec: Spec) -> bool:
    """Whether nothing comes in but by the one way of the profile: then it is switched on in the form."""
    return len(spec.ways) == 1 and spec.door is None


def soften(field: forms.Field, ask: Ask, *, only: bool) -> None:
    """Choices in words; the switch of the only way in is on."""
    if isinstance(field, forms.ChoiceField):
        field.choices = [(one, CHOICES.get(one, one)) for one in ask.choices]
    if only and ask.name.endswith("_on") and field.initial in (None, "", False):
        field.initial = True


def groups(form: forms.Form, spec: Spec, prefix: str) -> list[Group]:
    """The ways in of the form, each with its fields; open where it is used or has a mistake."""
    found = []
    for kind, way in spec.ways.items():
        switch, *rest = [form[prefix + ask.name] for ask in way.asks]
        is_open = bool(switch.value()) or any(field.errors for field in rest)
        found.append(Group(str(WayMark.Kind(kind).label), switch, rest, is_open))
    return found


def check(
    spec: Spec, given: Mapping[str, Any], row: Connection | None, *, prefix: str, tell: Callable[[str, str], None]
) -> None:  # fmt: skip
    """Tell at its field what is missing or cannot be, for the ways in that are used."""
    settings = {ask.name: given.get(prefix + ask.name) for ask in asks(spec)}
    secret = {ask.name for ask in asks(spec) if ask.kind == "secret"}
    for kind in spec.ways:
        if not settings.get(fetching.on(kind)):
            continue
        for name in fetching.needed(kind, settings):
            has = settings.get(name) or (name in secret and row is not None and secretbox.current(row, name))
            if not has:
                tell(prefix + name, gettext("Needed for this way in."))
        _CHECKS[kind](settings, lambda name, text: tell(prefix + name, text))
    merchant = row.merchant if row is not None else given.get("merchant")
    code = row.code if row is not None else str(given.get("code") or "")
    if settings.get("files_on") and settings.get("files_place") != "sftp" and merchant is not None:
        own = str(settings.get("files_folder") or "") or code
        others = Connection.objects.filter(merchant=merchant).exclude(pk=row.pk if row is not None else 0)
        if any(_folder(other) == places.steps(own) for other in others.only("code", "config")):
            tell(
                prefix + "files_folder",
                gettext("Another connection takes the files of this folder; choose another."),
            )


def _folder(row: Connection) -> list[str] | None:
    """The folder of this server a connection takes files of; nothing where it takes none."""
    if row.config.get("files_on") in (None, "", False) or row.config.get("files_place") == "sftp":
        return []
    return places.steps(str(row.config.get("files_folder") or "") or row.code)


def _check_files(settings: Mapping[str, Any], tell: Callable[[str, str], None]) -> None:
    if (
        settings.get("files_place") != "sftp"
        and settings.get("files_folder")
        and not places.steps(str(settings["files_folder"]))
    ):
        tell(
            "files_folder",
            gettext(
                "Write a folder below the merchant's own, such as carrier/in: no leading slash, no dots, not done or refused."
            ),
        )
    key = str(settings.get("sftp_host_key") or "")
    if settings.get("files_place") == "sftp" and key and not key.startswith("SHA256:"):
        tell("sftp_host_key", gettext("Enter it as SHA256:… ; ssh-keygen -lf shows it so."))


def _check_mail(settings: Mapping[str, Any], tell: Callable[[str, str], None]) -> None:
    words = str(settings.get("mail_senders") or "").replace("，", ",").replace(",", " ").split()
    if any("@" not in word or word.endswith("@") for word in words):
        tell(
            "mail_senders",
            gettext("Write addresses (a@b.example) or domains (@b.example), with commas between."),
        )


def _check_table(settings: Mapping[str, Any], tell: Callable[[str, str], None]) -> None:
    for name in ("table_name", "table_moved_by", "table_id"):
        parts = (
            str(settings.get(name) or "").split(".")
            if name == "table_name"
            else [str(settings.get(name) or "")]
        )
        if not any(parts):
            continue
        try:
            for part in parts:
                databases.quoted(part, '"')
        except Broken:
            tell(name, gettext("This cannot be the name of a table or column."))
        if len(parts) > 2:
            tell(name, gettext("Write the table as name, or as schema.name."))


_CHECKS: Mapping[str, Callable[[Mapping[str, Any], Callable[[str, str], None]], None]] = {
    fetching.FILES: _check_files, fetching.MAIL: _check_mail, fetching.TABLE: _check_table,
}  # fmt: skip

"""Why a file, a mail or a row was not taken, and why a way in does not work: codes, and what to do in both languages."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from orderhub.connectors.speech import words

Text = str | Promise
_SMALLER = _("Have it sent in smaller files.")
_OTHERS = _("Have it sent as plain text, or in a zip file.")

#: What is wrong, what to do; %(value)s is the particular.
SAYS: Mapping[str, tuple[Text, Text]] = {
    "file_empty": (_("The file is empty."), _("Have it sent again.")),
    "file_too_large": (_("The file is too large: %(value)s."), _SMALLER),
    "zip_bomb": (_("The archive would unpack to far more than it says, or has too many files: %(value)s."), _SMALLER),
    "zip_locked": (_("The archive asks for a password."), _("Have it sent without one.")),
    "zip_broken": (_("The archive cannot be unpacked."), _("Have it sent again.")),
    "zip_strange": (_("No file in the archive is one that is taken here."), _("Check the names of files under Settings.")),
    "not_text": (_("This is a %(value)s, not a text that can be read."), _OTHERS),
    "sender_unknown": (_("Attachments of %(value)s are not taken."), _("Add the sender under Settings if they may send; then ask them to send it again.")),
    "sender_unchecked": (_("The mail server did not confirm that %(value)s sent this."), _("Ask the sender by telephone; it may be forged.")),
    "mail_too_large": (_("The mail is too large: %(value)s."), _SMALLER),
    "mail_unreadable": (_("The mail cannot be read: %(value)s."), _("Look at it in the mailbox; ask the sender to send it again.")),
    "row_too_large": (_("The row is too large: %(value)s."), _("Show a view without its large columns.")),
}  # fmt: skip


class NotTaken(Exception):
    """One file, mail or row that is not taken: a code of SAYS (or of unreadable bodies) and its particular."""

    def __init__(self, code: str, why: str = "", *, is_kept: bool = False) -> None:
        super().__init__(code)
        self.code, self.why, self.is_kept = code, why[:200], is_kept


#: Why a way in does not work, and what to do; the particulars never hold a secret.
TROUBLES: Mapping[str, Text] = {
    "no_columns": _("The table has no column %(missing)s; it has: %(found)s."),
    "database_says": _("The database says: %(value)s"),
    "table_settings": _("Enter host, table and the column that moves on under Settings."),
    "no_connection": _("No connection to %(host)s: %(value)s."),
    "bad_name": _("The name of a table or column is empty or too long."),
    "bad_table": _("Write the table as name, or as schema.name."),
    "no_order": _("The column that moves on, or that of the ids, has values that cannot be put in order: %(value)s. Choose a time, a whole number or a text."),
    "bad_folder": _("“%(value)s” is no folder below the merchant's own; correct it under Settings."),
    "no_folder": _("The folder cannot be opened: %(value)s."),
    "no_drop": _("The drop folder is not there: whoever runs the server must mount it, or correct HUB_DROP_DIR."),
    "no_right": _("We have no right to read %(value)s: give it to the user that OrderHub runs as."),
    "mail_says": _("The mail server says: %(value)s"),
    "mail_certificate": _("The certificate of the mail server is not accepted, or it does not speak TLS at this port: %(value)s."),
    "mail_login": _("The mail server does not let us in: %(value)s. Check user and password."),
    "sftp_settings": _("Enter host and user of the SFTP server under Settings."),
    "sftp_says": _("The SFTP server says: %(value)s"),
    "sftp_login": _("The SFTP server does not let us in: check user and password or key."),
    "sftp_key": _("The private key cannot be read: it must be in OpenSSH's form and without a passphrase."),
    "sftp_folder": _("The SFTP server has no folder %(value)s that we may read."),
    "sftp_host": _("The host presents the fingerprint %(value)s. If they told you this one, enter it under Settings."),
    "address": _("The address may not be called: %(value)s"),
    "table_host": _("%(host)s is in a private network and not named in HUB_TABLE_HOSTS; ask whoever runs the server."),
    "other": _("Something unexpected happened: %(value)s."),
}  # fmt: skip


class Broken(Exception):
    """A way in that does not work just now: a code of TROUBLES with its particulars."""

    def __init__(self, code: str, **facts: str) -> None:
        super().__init__(code)
        self.fault = {"code": code, **{name: value[:300] for name, value in facts.items()}}


def trouble(fault: Mapping[str, str]) -> str:
    """The sentence of a trouble as it is kept, in the reader's language; empty for none."""
    if not fault:
        return ""
    text = TROUBLES.get(fault.get("code", ""), TROUBLES["other"])
    return str(text) % {"value": "–", "host": "–", "missing": "–", "found": "–", **fault}


class Lost(Exception):
    """Somebody else is at it by now: nothing more is done."""


def told(code: str, why: str) -> str:
    """The reason in both languages, for the file beside a refused one."""
    said = []
    for language in ("zh-hans", "en"):
        with translation.override(language):
            known = SAYS.get(code)
            if known is None:
                said.append(words.say(words.FAULTS, code, {"value": why}, language))
            else:
                said.append(f"{known[0] % {'value': why or '–'}} {known[1]}")
    return "\n".join(said) + "\n"


def megabytes(size: int) -> str:
    """A size for people."""
    return f"{size / 1_000_000:.1f} MB"

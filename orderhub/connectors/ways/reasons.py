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


class Broken(Exception):
    """A way in that does not work just now; says what, without any secret, for whoever looks after it."""


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

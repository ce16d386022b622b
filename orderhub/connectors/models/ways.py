"""How far each way in of a connection has been read: its folder, its mailbox, its table."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from orderhub.connectors.models.connection import Connection


class WayMark(models.Model):
    """One way in of a connection: who is at it now, how far it came, and what went wrong last."""

    class Kind(models.TextChoices):
        FILES = "files", _("files of a folder")
        MAIL = "mail", _("attachments of mails")
        TABLE = "table", _("rows of a table")

    connection = models.ForeignKey(
        Connection, verbose_name=_("connection"), on_delete=models.CASCADE, related_name="ways"
    )
    kind = models.CharField(_("way in"), max_length=8, choices=Kind.choices)
    #: Files not yet still; the last mail by number; the last row and where a walk stopped. Never a secret or a person.
    cursor = models.JSONField(_("read up to"), default=dict, blank=True)
    next_at = models.DateTimeField(_("next at"))
    #: Whoever holds the token is at it; nobody else begins before `leased_until`.
    token = models.CharField(max_length=32, blank=True, editable=False)
    leased_until = models.DateTimeField(null=True, blank=True, editable=False)
    last_at = models.DateTimeField(_("last at"), null=True, blank=True)
    last_found = models.PositiveIntegerField(_("found last"), default=0)
    last_refused = models.PositiveIntegerField(_("refused last"), default=0)
    #: What is wrong now: a code of `ways.reasons.TROUBLES` and its particulars; empty while it works.
    fault = models.JSONField(_("last error"), default=dict, blank=True)

    class Meta:
        verbose_name = _("way in")
        verbose_name_plural = _("ways in")
        constraints = [models.UniqueConstraint(fields=["connection", "kind"], name="connectors_waymark_once")]
        indexes = [models.Index(fields=["next_at"], name="connectors_waymark_next")]

    #: The fault in words, for whoever looks at the page.
    trouble = ""

    def __str__(self) -> str:
        return f"{self.connection_id} {self.kind}"

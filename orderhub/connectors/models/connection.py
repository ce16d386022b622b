"""Connections to other systems and the inbox they write into."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from orderhub.access.models import Merchant
from orderhub.inventory.models import Warehouse


class Connection(models.Model):
    """One system we talk with: its kind names the folder under connectors/kinds that speaks its language."""

    merchant = models.ForeignKey(Merchant, verbose_name=_("merchant"), on_delete=models.PROTECT)
    code = models.CharField(_("code"), max_length=40)
    name = models.CharField(_("name"), max_length=80)
    kind = models.CharField(_("kind"), max_length=40)
    config = models.JSONField(_("configuration"), default=dict, blank=True)
    sealed_secret = models.TextField(blank=True, editable=False)
    warehouses = models.ManyToManyField(
        Warehouse,
        verbose_name=_("warehouses it serves"),
        blank=True,
        help_text=_("Empty means every warehouse."),
    )
    is_active = models.BooleanField(_("active"), default=True)
    paused_until = models.DateTimeField(_("paused until"), null=True, blank=True)
    failures_in_a_row = models.PositiveIntegerField(_("failures in a row"), default=0)
    last_message_at = models.DateTimeField(_("last message at"), null=True, blank=True)

    class Meta:
        verbose_name = _("connection")
        verbose_name_plural = _("connections")
        constraints = [
            models.UniqueConstraint(fields=["merchant", "code"], name="connectors_connection_code")
        ]

    def __str__(self) -> str:
        return self.name


class InboxMessage(models.Model):
    """A message as it came in: kept raw, applied once, quarantined instead of lost."""

    class State(models.TextChoices):
        RECEIVED = "received", _("received")
        APPLIED = "applied", _("applied")
        IGNORED = "ignored", _("older, ignored")
        QUARANTINED = "quarantined", _("needs a person")

    connection = models.ForeignKey(Connection, verbose_name=_("connection"), on_delete=models.PROTECT)
    merchant = models.ForeignKey(Merchant, verbose_name=_("merchant"), on_delete=models.PROTECT)
    key = models.CharField(_("message key"), max_length=120)
    body = models.JSONField(_("message"))
    sha256 = models.CharField(max_length=64)
    state = models.CharField(_("state"), max_length=12, choices=State.choices, default=State.RECEIVED)
    error = models.TextField(_("error"), blank=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    received_at = models.DateTimeField(_("received at"))
    applied_at = models.DateTimeField(_("applied at"), null=True, blank=True)

    class Meta:
        verbose_name = _("inbox message")
        verbose_name_plural = _("inbox messages")
        constraints = [models.UniqueConstraint(fields=["connection", "key"], name="connectors_inbox_once")]
        indexes = [
            models.Index(fields=["id"], name="connectors_inbox_open", condition=models.Q(state="received")),
            models.Index(
                fields=["connection"], name="connectors_inbox_unread", condition=models.Q(state="quarantined")
            ),
        ]

    def __str__(self) -> str:
        return self.key

"""Connections to other systems and the inbox they write into."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from orderhub.access.models import Merchant
from orderhub.connectors.models.profile import Profile, ProfileVersion
from orderhub.inventory.models import Warehouse
from orderhub.orders.models import Channel


class Connection(models.Model):
    """One system we talk with: its kind names the folder under connectors/kinds that speaks its language."""

    merchant = models.ForeignKey(Merchant, verbose_name=_("merchant"), on_delete=models.PROTECT)
    code = models.CharField(_("code"), max_length=40)
    name = models.CharField(_("name"), max_length=80)
    kind = models.CharField(_("kind"), max_length=40)
    config = models.JSONField(_("configuration"), default=dict, blank=True)
    sealed_secret = models.TextField(blank=True, editable=False)
    profile = models.ForeignKey(
        Profile, verbose_name=_("profile"), null=True, blank=True, on_delete=models.PROTECT,
        help_text=_("The sort of system; needed for the kind “profile”."),
    )  # fmt: skip
    #: By name of what the profile asks: the sealed values, the newest first, and until when older ones are taken.
    sealed_secrets = models.JSONField(default=dict, db_default={}, blank=True, editable=False)
    door_key = models.CharField(_("key of its door"), max_length=32, null=True, unique=True, editable=False)
    channel = models.ForeignKey(
        Channel, verbose_name=_("channel"), null=True, blank=True, on_delete=models.PROTECT,
        help_text=_("Where orders that come in through it belong."),
    )  # fmt: skip
    calls_per_second = models.DecimalField(
        _("calls a second"), max_digits=7, decimal_places=2, null=True, blank=True,
        help_text=_("Empty: as the profile says. What comes faster waits its turn; nothing is refused."),
    )  # fmt: skip
    allows_private = models.BooleanField(
        _("may be in our own network"), default=False, db_default=False,
        help_text=_("Only for systems of your own beside OrderHub; otherwise such addresses are refused."),
    )  # fmt: skip
    silent_minutes = models.PositiveIntegerField(
        _("alarm after minutes of silence"), null=True, blank=True,
        help_text=_("Empty: three times the usual gap of that hour."),
    )  # fmt: skip
    tested_at = models.DateTimeField(_("tested at"), null=True, blank=True, editable=False)
    last_error = models.CharField(
        _("last error"), max_length=300, blank=True, default="", db_default="", editable=False
    )
    last_error_at = models.DateTimeField(_("last error at"), null=True, blank=True, editable=False)
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
    #: As received, sealed: it names receivers. Empty for kinds that are spoken in this process.
    raw = models.BinaryField(null=True, editable=False)
    #: The address asked for, the query and those headers that maps may read; never a signature or a token.
    envelope = models.JSONField(_("envelope"), default=dict, db_default={}, blank=True, editable=False)
    #: What a person made of it, sealed; read instead of `raw`.
    sealed_edit = models.TextField(blank=True, default="", db_default="", editable=False)
    edited_by = models.CharField(_("corrected by"), max_length=80, blank=True, default="", db_default="")
    version = models.ForeignKey(
        ProfileVersion, verbose_name=_("read with"), null=True, blank=True, on_delete=models.PROTECT,
        related_name="+",
    )  # fmt: skip
    means = models.CharField(_("means"), max_length=12, blank=True, default="", db_default="")
    reference = models.CharField(_("about"), max_length=80, blank=True, default="", db_default="")
    #: What is wrong with it, one entry a fault: field, code, value; sentences are made when it is shown.
    faults = models.JSONField(_("faults"), default=list, db_default=[], blank=True, editable=False)
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
            models.Index(
                fields=["connection", "id"],
                name="connectors_inbox_waiting",
                condition=models.Q(state="received"),
            ),
            models.Index(
                fields=["connection"], name="connectors_inbox_unread", condition=models.Q(state="quarantined")
            ),
        ]

    def __str__(self) -> str:
        return self.key

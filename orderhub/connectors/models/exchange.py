"""What went between us and other systems: calls out, how far a poller came, and which version we know of each thing."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from orderhub.access.models import Merchant
from orderhub.connectors.models.connection import Connection


class Call(models.Model):
    """One message to one system, from the wish to the acknowledgment: a cell of the acknowledgment matrix."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        SENDING = "sending", _("being sent")
        ACKED = "acked", _("acknowledged")
        REFUSED = "refused", _("refused")
        UNKNOWN = "unknown", _("no answer")
        FAILED = "failed", _("failed, is tried again")
        DEAD = "dead", _("needs a person")
        SKIPPED = "skipped", _("skipped by a person")
        LATER = "later", _("taken in, answer follows")

    connection = models.ForeignKey(Connection, verbose_name=_("connection"), on_delete=models.PROTECT)
    merchant = models.ForeignKey(Merchant, verbose_name=_("merchant"), on_delete=models.PROTECT)
    #: What the other side deduplicates by; the same on every try.
    key = models.CharField(_("key"), max_length=120)
    operation = models.CharField(_("operation"), max_length=24)
    reference = models.CharField(_("reference"), max_length=80)
    order_id = models.BigIntegerField(_("order"), null=True, blank=True)
    #: What it belongs to besides the order: `address_change:12`.
    cause = models.CharField(_("because of"), max_length=40, blank=True)
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.WAITING)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    #: The message a person corrected, sealed, since it names a receiver; empty: as the order has it.
    sealed_edit = models.TextField(blank=True, editable=False)
    edited_by = models.CharField(_("corrected by"), max_length=80, blank=True)
    status_code = models.PositiveSmallIntegerField(_("HTTP status"), null=True, blank=True)
    answer = models.TextField(_("answer"), blank=True, help_text=_("Its first 1,000 characters."))
    their_reference = models.CharField(_("their number"), max_length=120, blank=True)
    milliseconds = models.PositiveIntegerField(_("milliseconds"), null=True, blank=True)
    created_at = models.DateTimeField(_("since"))
    sent_at = models.DateTimeField(_("last sent"), null=True, blank=True)
    answered_at = models.DateTimeField(_("answered"), null=True, blank=True)

    class Meta:
        verbose_name = _("call")
        verbose_name_plural = _("calls")
        constraints = [models.UniqueConstraint(fields=["connection", "key"], name="connectors_call_once")]
        indexes = [
            models.Index(fields=["order_id", "id"], name="connectors_call_order"),
            models.Index(fields=["connection", "reference"], name="connectors_call_reference"),
            models.Index(
                fields=["connection", "id"],
                name="connectors_call_open",
                condition=~models.Q(state__in=["acked", "skipped"]),
            ),
        ]

    #: While it is being sent: whether it was on its way before, and nobody knows whether it arrived.
    was_sent = False
    #: And what it was before, should it turn out not to be tried.
    state_before = State.WAITING.value

    def __str__(self) -> str:
        return f"{self.operation} {self.reference}"


class SyncMark(models.Model):
    """The version of a thing (`order:1001`) that a connection told last; older ones change nothing."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE)
    subject = models.CharField(max_length=120)
    version = models.CharField(max_length=40, blank=True)
    digest = models.CharField(max_length=64)
    #: Digests of its parts (address, lines, status), so that a new version tells what changed there, whatever was
    #: changed here meanwhile.
    parts = models.JSONField(default=dict, blank=True)

    class Meta:
        verbose_name = _("known version")
        verbose_name_plural = _("known versions")
        constraints = [
            models.UniqueConstraint(fields=["connection", "subject"], name="connectors_syncmark_once")
        ]

    def __str__(self) -> str:
        return f"{self.subject} {self.version}"


class PollMark(models.Model):
    """How far a schedule of a connection has read; moved only when the last page was kept."""

    connection = models.ForeignKey(
        Connection, verbose_name=_("connection"), on_delete=models.CASCADE, related_name="polls"
    )
    schedule = models.CharField(_("schedule"), max_length=40)
    cursor = models.CharField(_("read up to"), max_length=500, blank=True)
    next_at = models.DateTimeField(_("next at"))
    last_at = models.DateTimeField(_("last at"), null=True, blank=True)
    last_found = models.PositiveIntegerField(_("found last"), default=0)
    last_error = models.CharField(_("last error"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("poller")
        verbose_name_plural = _("pollers")
        constraints = [
            models.UniqueConstraint(fields=["connection", "schedule"], name="connectors_pollmark_once")
        ]

    def __str__(self) -> str:
        return f"{self.connection_id} {self.schedule}"


class Traffic(models.Model):
    """One hour of a connection in figures: what health pages and the silence alarm compare with."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="traffic")
    hour = models.DateTimeField(_("hour"))
    received = models.PositiveIntegerField(_("received"), default=0)
    repeated = models.PositiveIntegerField(_("received again"), default=0)
    forged = models.PositiveIntegerField(_("refused at the door"), default=0)
    quarantined = models.PositiveIntegerField(_("set apart"), default=0)
    sent = models.PositiveIntegerField(_("calls"), default=0)
    acked = models.PositiveIntegerField(_("acknowledged"), default=0)
    refused = models.PositiveIntegerField(_("refused"), default=0)
    failed = models.PositiveIntegerField(_("failed"), default=0)
    milliseconds = models.PositiveBigIntegerField(_("milliseconds of answers"), default=0)
    slowest_ms = models.PositiveIntegerField(_("slowest answer in milliseconds"), default=0)

    class Meta:
        verbose_name = _("hour of traffic")
        verbose_name_plural = _("hours of traffic")
        constraints = [models.UniqueConstraint(fields=["connection", "hour"], name="connectors_traffic_hour")]

    def __str__(self) -> str:
        return f"{self.connection_id} {self.hour:%Y-%m-%d %H}"


class Alias(models.Model):
    """What another system calls one of our SKUs, warehouses or carriers."""

    class Sort(models.TextChoices):
        SKU = "sku", _("SKU")
        WAREHOUSE = "warehouse", _("warehouse")
        CARRIER = "carrier", _("carrier")

    connection = models.ForeignKey(
        Connection, verbose_name=_("connection"), on_delete=models.CASCADE, related_name="aliases"
    )
    sort = models.CharField(_("sort"), max_length=10, choices=Sort.choices, default=Sort.SKU)
    theirs = models.CharField(_("their name"), max_length=120)
    ours = models.CharField(_("our code"), max_length=80)

    class Meta:
        verbose_name = _("other name")
        verbose_name_plural = _("other names")
        constraints = [
            models.UniqueConstraint(fields=["connection", "sort", "theirs"], name="connectors_alias_once")
        ]

    def __str__(self) -> str:
        return f"{self.theirs} = {self.ours}"

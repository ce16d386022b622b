"""The append-only log and what hangs on it: cursors of our projections, deliveries to everyone else."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from orderhub.access.models import Merchant


class Event(models.Model):
    """One fact about one stream (`order:17`), chained by hash within it; never changed, never deleted.

    On PostgreSQL the table also has `tx xid8`, the writing transaction, which tailers order by.
    """

    merchant = models.ForeignKey(Merchant, verbose_name=_("merchant"), null=True, on_delete=models.PROTECT)
    stream = models.CharField(_("stream"), max_length=64)
    seq = models.PositiveIntegerField(_("sequence"))
    kind = models.CharField(_("kind"), max_length=64)
    occurred_at = models.DateTimeField(_("occurred at"))
    recorded_at = models.DateTimeField(_("recorded at"))
    actor = models.CharField(_("actor"), max_length=80, blank=True)
    payload = models.JSONField(_("payload"), default=dict)
    prev_hash = models.CharField(_("previous hash"), max_length=64)
    hash = models.CharField(_("hash"), max_length=64)

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        constraints = [models.UniqueConstraint(fields=["stream", "seq"], name="events_event_stream_seq")]

    def __str__(self) -> str:
        return f"{self.stream} #{self.seq} {self.kind}"


class StreamHead(models.Model):
    """The last sequence number and hash of a stream; written only while the aggregate's row lock is held."""

    stream = models.CharField(max_length=64, primary_key=True)
    seq = models.PositiveIntegerField()
    hash = models.CharField(max_length=64)

    def __str__(self) -> str:
        return f"{self.stream} #{self.seq}"


class Cursor(models.Model):
    """How far one projection has read the log."""

    name = models.CharField(_("projection"), max_length=64, primary_key=True)
    tx = models.BigIntegerField(_("transaction"), default=0)
    event_id = models.BigIntegerField(_("last event"), default=0)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    class Meta:
        verbose_name = _("cursor")
        verbose_name_plural = _("cursors")

    def __str__(self) -> str:
        return f"{self.name} @ {self.event_id}"


class ParkedEvent(models.Model):
    """An event a projection could not apply (and every later one of its stream), kept until replayed."""

    cursor = models.ForeignKey(
        Cursor, verbose_name=_("projection"), on_delete=models.CASCADE, related_name="parked"
    )
    event = models.ForeignKey(Event, verbose_name=_("event"), on_delete=models.PROTECT)
    stream = models.CharField(_("stream"), max_length=64)
    error = models.TextField(_("error"), blank=True)
    parked_at = models.DateTimeField(_("parked at"), auto_now_add=True)

    class Meta:
        verbose_name = _("parked event")
        verbose_name_plural = _("parked events")
        constraints = [models.UniqueConstraint(fields=["cursor", "event"], name="events_parked_once")]
        indexes = [models.Index(fields=["cursor", "stream"], name="events_parked_stream")]

    def __str__(self) -> str:
        return f"{self.cursor_id}: {self.stream}"


class Delivery(models.Model):
    """One event owed to one subscriber: claimed by compare-and-swap, leased, retried, at last dead."""

    class State(models.TextChoices):
        READY = "ready", _("ready")
        LEASED = "leased", _("in progress")
        DONE = "done", _("done")
        DEAD = "dead", _("needs a person")
        SKIPPED = "skipped", _("skipped")

    event = models.ForeignKey(
        Event, verbose_name=_("event"), on_delete=models.PROTECT, related_name="deliveries"
    )
    merchant = models.ForeignKey(Merchant, verbose_name=_("merchant"), null=True, on_delete=models.PROTECT)
    subscriber = models.CharField(_("subscriber"), max_length=64)
    destination = models.CharField(_("destination"), max_length=64, blank=True)
    stream = models.CharField(_("stream"), max_length=64)
    ordered = models.BooleanField(_("in order"), default=True)
    #: What it is about at its destination, and the topics it waits for (`,a,b,`); empty: everything before it.
    topic = models.CharField(_("topic"), max_length=80, blank=True, default="", db_default="")
    waits_for = models.CharField(_("waits for"), max_length=400, blank=True, default="", db_default="")
    is_urgent = models.BooleanField(_("goes first"), default=False, db_default=False)
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.READY)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    not_before = models.DateTimeField(_("not before"))
    lease_until = models.DateTimeField(_("lease until"), null=True)
    lease_token = models.CharField(max_length=32, blank=True)
    last_error = models.TextField(_("last error"), blank=True)
    dead_reason = models.CharField(_("why it stopped"), max_length=200, blank=True)
    note = models.CharField(_("note"), max_length=200, blank=True)
    created_at = models.DateTimeField(_("created at"))
    finished_at = models.DateTimeField(_("finished at"), null=True)

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        constraints = [
            models.UniqueConstraint(
                fields=["event", "subscriber", "destination"], name="events_delivery_once"
            ),
        ]
        indexes = [
            models.Index(
                fields=["subscriber", "destination", "stream", "id"],
                name="events_delivery_head",
                condition=models.Q(state__in=["ready", "leased", "dead"]),
            ),
            models.Index(
                fields=["subscriber", "id"],
                name="events_delivery_queue",
                condition=models.Q(state__in=["ready", "leased"]),
            ),
            models.Index(
                fields=["not_before"],
                name="events_delivery_open",
                condition=models.Q(state__in=["ready", "leased"]),
            ),
            models.Index(
                fields=["subscriber", "id"],
                name="events_delivery_urgent",
                condition=models.Q(is_urgent=True, state__in=["ready", "leased"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subscriber}{'/' + self.destination if self.destination else ''} ← {self.stream}"


class DeliveryTally(models.Model):
    """How many deliveries of a subscriber ended so and were forgotten since, so that all created ones still add up."""

    subscriber = models.CharField(_("subscriber"), max_length=64)
    state = models.CharField(_("state"), max_length=8, choices=Delivery.State.choices)
    number = models.PositiveBigIntegerField(_("number"), default=0)

    class Meta:
        verbose_name = _("forgotten deliveries")
        verbose_name_plural = _("forgotten deliveries")
        constraints = [models.UniqueConstraint(fields=["subscriber", "state"], name="events_tally_once")]

    def __str__(self) -> str:
        return f"{self.subscriber}: {self.number} {self.state}"


class WorkerBeat(models.Model):
    """The last sign of life of a worker or the clock, written by a job that came through the broker."""

    name = models.CharField(_("name"), max_length=120, primary_key=True)
    queues = models.CharField(_("queues"), max_length=120, blank=True)
    beat_at = models.DateTimeField(_("last heard"))

    class Meta:
        verbose_name = _("worker")
        verbose_name_plural = _("workers")

    def __str__(self) -> str:
        return self.name

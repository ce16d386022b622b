"""Facts from where they are born: meters, sensors, trips, packing stations, the bench where returns are worked on."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from orderhub.access.models import Merchant


class ActivityRecord(models.Model):
    """One fact, append-only; a better one supersedes it. `data` has the fields of its kind (`carbon.activity.facts`)."""

    class Kind(models.TextChoices):
        METER = "meter", _("meter reading")
        TEMPERATURE = "temperature", _("temperature")
        TRIP = "trip", _("trip")
        PACKAGING = "packaging", _("packaging")
        REWORK = "rework", _("work on a return")

    merchant = models.ForeignKey(Merchant, verbose_name=_("merchant"), on_delete=models.PROTECT)
    kind = models.CharField(_("kind"), max_length=12, choices=Kind.choices)
    subject = models.CharField(
        _("subject"),
        max_length=80,
        help_text=_("Warehouse and meter, trip number, tracking number or return."),
    )
    key = models.CharField(_("key"), max_length=120)
    starts_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("to"))
    data = models.JSONField(_("figures"))
    flags = models.JSONField(_("flags"), default=list)
    source = models.CharField(_("source system"), max_length=80)
    evidence_sha256 = models.CharField(_("SHA-256 of the evidence"), max_length=64, blank=True)
    actor = models.CharField(_("actor"), max_length=80, blank=True)
    recorded_at = models.DateTimeField(_("recorded at"))
    supersedes = models.OneToOneField(
        "self",
        verbose_name=_("supersedes"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="superseded_by",
    )

    class Meta:
        app_label = "carbon"
        verbose_name = _("activity data")
        verbose_name_plural = _("activity data")
        constraints = [
            models.UniqueConstraint(fields=["merchant", "kind", "key"], name="carbon_activity_once")
        ]
        indexes = [
            models.Index(fields=["merchant", "kind", "subject", "ends_at"], name="carbon_activity_subject")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}"


class ActivityParcel(models.Model):
    """A parcel a trip or packing list names, so that the fact finds it also when it leaves later."""

    record = models.ForeignKey(
        ActivityRecord, verbose_name=_("activity data"), on_delete=models.CASCADE, related_name="parcels"
    )
    tracking_number = models.CharField(_("tracking number"), max_length=60)

    class Meta:
        app_label = "carbon"
        verbose_name = _("parcel of activity data")
        verbose_name_plural = _("parcels of activity data")
        indexes = [models.Index(fields=["tracking_number"], name="carbon_activity_parcel")]

    def __str__(self) -> str:
        return self.tracking_number

"""What the customer sees: a projection of the log, rebuilt at will, and positions that bypass the log."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from orderhub.access.models import Merchant
from orderhub.fulfillment.models import Parcel
from orderhub.orders.models import Order


class Journey(models.Model):
    """One order's tracking page: how far the log was told (`seq`) and when it last changed.

    `revision` counts every change a reader can see, also those that are no events (positions, carbon
    figures).
    """

    order = models.OneToOneField(
        Order, verbose_name=_("order"), on_delete=models.CASCADE, related_name="journey"
    )
    merchant = models.ForeignKey(Merchant, verbose_name=_("merchant"), on_delete=models.PROTECT)
    seq = models.PositiveIntegerField(_("sequence"), default=0)
    revision = models.PositiveIntegerField(_("revision"), default=0)
    stage = models.CharField(_("stage"), max_length=20, blank=True)
    changed_at = models.DateTimeField(_("changed at"), db_index=True)

    class Meta:
        verbose_name = _("tracking page")
        verbose_name_plural = _("tracking pages")

    def __str__(self) -> str:
        return f"{self.order_id} #{self.seq}"


class TimelineEntry(models.Model):
    """One milestone of a journey: planned, estimated or actual, from one event of the log."""

    class Classifier(models.TextChoices):
        PLANNED = "PLANNED", _("planned")
        ESTIMATED = "ESTIMATED", _("estimated")
        ACTUAL = "ACTUAL", _("actual")

    journey = models.ForeignKey(
        Journey, verbose_name=_("tracking page"), on_delete=models.CASCADE, related_name="entries"
    )
    seq = models.PositiveIntegerField(_("sequence"))
    milestone = models.CharField(_("milestone"), max_length=40)
    classifier = models.CharField(
        _("classifier"), max_length=9, choices=Classifier.choices, default=Classifier.ACTUAL
    )
    occurred_at = models.DateTimeField(_("occurred at"))
    source = models.CharField(_("source"), max_length=80, blank=True)
    place = models.CharField(_("place"), max_length=120, blank=True)
    parcel = models.ForeignKey(Parcel, verbose_name=_("parcel"), null=True, on_delete=models.SET_NULL)
    facts = models.JSONField(_("facts"), default=dict)

    class Meta:
        verbose_name = _("timeline entry")
        verbose_name_plural = _("timeline entries")
        constraints = [
            models.UniqueConstraint(fields=["journey", "seq", "milestone"], name="tracking_entry_once")
        ]

    def __str__(self) -> str:
        return f"{self.milestone} {self.occurred_at:%Y-%m-%d %H:%M}"


class Position(models.Model):
    """Where a parcel's vehicle was, WGS-84; written in bulk, never through the log."""

    parcel = models.ForeignKey(
        Parcel, verbose_name=_("parcel"), on_delete=models.CASCADE, related_name="positions"
    )
    latitude = models.DecimalField(_("latitude"), max_digits=8, decimal_places=5)
    longitude = models.DecimalField(_("longitude"), max_digits=8, decimal_places=5)
    occurred_at = models.DateTimeField(_("occurred at"))

    class Meta:
        verbose_name = _("position")
        verbose_name_plural = _("positions")
        constraints = [
            models.UniqueConstraint(fields=["parcel", "occurred_at"], name="tracking_position_once")
        ]

    def __str__(self) -> str:
        return f"{self.parcel_id} {self.latitude},{self.longitude}"


# The other tables of this app stand with what works on them.
from tracking.everywhere import models as everywhere  # noqa: E402, F401
from tracking.live_position import models as live_position  # noqa: E402, F401
from tracking.partners import models as partners  # noqa: E402, F401

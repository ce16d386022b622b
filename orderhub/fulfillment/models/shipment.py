"""Parcels: they own the tracking number; a carrier's status is data on them, never a machine."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from orderhub.access.models import Merchant
from orderhub.fulfillment.models.fulfillment import FulfillmentLine, FulfillmentOrder


class Parcel(models.Model):
    """One box with one tracking number."""

    class Interception(models.TextChoices):
        ASKED = "asked", _("carrier asked")
        REDIRECTED = "redirected", _("redirected")
        REFUSED = "refused", _("carrier refused")

    class Status(models.TextChoices):
        PENDING = "pending", _("waiting for pick-up")
        PICKED_UP = "picked_up", _("picked up")
        IN_TRANSIT = "in_transit", _("in transit")
        OUT_FOR_DELIVERY = "out_for_delivery", _("out for delivery")
        READY_FOR_PICKUP = "ready_for_pickup", _("ready for collection")
        DELIVERED = "delivered", _("delivered")
        DELIVERY_FAILED = "delivery_failed", _("delivery failed")
        DELIVERY_DELAYED = "delivery_delayed", _("delayed")
        ON_HOLD = "on_hold", _("on hold")
        RETURN_TO_SENDER = "return_to_sender", _("going back")
        CANCELLED = "cancelled", _("cancelled")
        UNKNOWN = "unknown", _("unknown")

    merchant = models.ForeignKey(Merchant, verbose_name=_("merchant"), on_delete=models.PROTECT)
    fulfillment = models.ForeignKey(
        FulfillmentOrder,
        verbose_name=_("fulfillment order"),
        on_delete=models.PROTECT,
        related_name="parcels",
    )
    carrier = models.CharField(_("carrier code"), max_length=40)
    tracking_number = models.CharField(_("tracking number"), max_length=60)
    status = models.CharField(
        _("carrier status"), max_length=20, choices=Status.choices, default=Status.PENDING
    )
    status_at = models.DateTimeField(_("status at"), null=True, blank=True)
    grams = models.PositiveIntegerField(_("grams"), help_text=_("With its packaging."))
    carton_grams = models.PositiveIntegerField(_("packaging grams"), default=0)
    # Digests of the scans told so far: a carrier repeats itself, also about the past.
    scans = models.JSONField(default=list, blank=True, editable=False)
    packed_at = models.DateTimeField(_("packed at"), null=True, blank=True)
    shipped_at = models.DateTimeField(_("shipped at"), null=True, blank=True)
    delivered_at = models.DateTimeField(_("delivered at"), null=True, blank=True)
    eta_from_at = models.DateTimeField(_("earliest arrival"), null=True, blank=True)
    eta_to_at = models.DateTimeField(_("latest arrival"), null=True, blank=True)
    custom = models.JSONField(_("custom fields"), default=dict, db_default={}, blank=True)
    intercept = models.CharField(
        _("interception"), max_length=10, choices=Interception.choices, blank=True, default="", db_default="",
        help_text=_("Whether the carrier was asked to take it to another address, and what it said."),
    )  # fmt: skip

    class Meta:
        verbose_name = _("parcel")
        verbose_name_plural = _("parcels")
        constraints = [
            models.UniqueConstraint(fields=["carrier", "tracking_number"], name="fulfillment_parcel_tracking")
        ]
        indexes = [
            # Carriers name a parcel by its number alone.
            models.Index(fields=["tracking_number"], name="fulfillment_parcel_number"),
            models.Index(
                fields=["delivered_at"],
                name="fulfillment_parcel_delivered",
                condition=models.Q(delivered_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.tracking_number


class ParcelLine(models.Model):
    """Units of a fulfillment line inside a parcel."""

    parcel = models.ForeignKey(
        Parcel, verbose_name=_("parcel"), on_delete=models.CASCADE, related_name="lines"
    )
    fulfillment_line = models.ForeignKey(
        FulfillmentLine,
        verbose_name=_("fulfillment line"),
        on_delete=models.PROTECT,
        related_name="parcel_lines",
    )
    quantity = models.PositiveIntegerField(_("quantity"))

    class Meta:
        verbose_name = _("parcel line")
        verbose_name_plural = _("parcel lines")

    def __str__(self) -> str:
        return f"{self.parcel_id}/{self.fulfillment_line_id}"

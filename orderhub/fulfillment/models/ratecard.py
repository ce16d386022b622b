"""What a carrier charges and how long it takes, by zone."""

from __future__ import annotations

from decimal import Decimal

from django.db import models
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from orderhub.access.models import Merchant
from orderhub.inventory.models import Warehouse


class RateCard(models.Model):
    """One service of one carrier; zones give fees and hours."""

    class Mode(models.TextChoices):
        ROAD = "road", _("road")
        AIR = "air", _("air")
        RAIL = "rail", _("rail")
        SEA = "sea", _("sea")

    merchant = models.ForeignKey(Merchant, verbose_name=_("merchant"), on_delete=models.PROTECT)
    code = models.CharField(_("code"), max_length=40)
    carrier = models.CharField(_("carrier code"), max_length=40)
    name = models.CharField(_("name"), max_length=80)
    name_en = models.CharField(_("English name"), max_length=80, blank=True)
    service = models.CharField(_("service"), max_length=20, default="standard")
    mode = models.CharField(_("mode"), max_length=5, choices=Mode.choices, default=Mode.ROAD)
    currency = models.CharField(_("currency"), max_length=3, default="CNY")
    max_grams = models.PositiveIntegerField(_("heaviest parcel in grams"), null=True, blank=True)
    warehouses = models.ManyToManyField(
        Warehouse, verbose_name=_("warehouses"), blank=True, help_text=_("Empty means every warehouse.")
    )
    is_active = models.BooleanField(_("active"), default=True)
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("rate card")
        verbose_name_plural = _("rate cards")
        constraints = [models.UniqueConstraint(fields=["merchant", "code"], name="fulfillment_ratecard_code")]

    def __str__(self) -> str:
        return self.name


class RateZone(models.Model):
    """Fees and hours for destinations in `countries` (empty: the warehouse's own) up to `max_km` away."""

    card = models.ForeignKey(
        RateCard, verbose_name=_("rate card"), on_delete=models.CASCADE, related_name="zones"
    )
    name = models.CharField(_("zone"), max_length=60)
    countries = models.JSONField(
        _("countries"), default=list, blank=True, help_text=_('e.g. ["US", "CA"]; ["*"] is any other country')
    )
    remote_only = models.BooleanField(_("remote regions only"), default=False)
    max_km = models.PositiveIntegerField(_("up to km"), null=True, blank=True)
    first_grams = models.PositiveIntegerField(_("first grams"), default=1000)
    first_fee = models.DecimalField(_("first fee"), max_digits=10, decimal_places=2)
    step_grams = models.PositiveIntegerField(_("step grams"), default=1000)
    step_fee = models.DecimalField(_("step fee"), max_digits=10, decimal_places=2)
    base_hours = models.DecimalField(_("base hours"), max_digits=6, decimal_places=2, default=Decimal("12"))
    hours_per_100km = models.DecimalField(
        _("hours per 100 km"), max_digits=6, decimal_places=3, default=Decimal("1.8")
    )

    class Meta:
        verbose_name = _("rate zone")
        verbose_name_plural = _("rate zones")

    def __str__(self) -> str:
        return self.name

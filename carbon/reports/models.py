"""Who pays for freight, which decides the category, and every disclosure that was handed out."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from orderhub.access.models import Merchant


class ReportProfile(models.Model):
    """How a merchant reports; without a row it pays the freight and owns no fleet."""

    class PaidBy(models.TextChoices):
        MERCHANT = "merchant", _("the merchant")
        CUSTOMER = "customer", _("the customer")

    merchant = models.OneToOneField(
        Merchant, verbose_name=_("merchant"), primary_key=True, on_delete=models.PROTECT, related_name="+"
    )
    freight_paid_by = models.CharField(
        _("freight paid by"), max_length=8, choices=PaidBy.choices, default=PaidBy.MERCHANT,
        db_default=PaidBy.MERCHANT,
        help_text=_("Category 4 where the merchant pays, 9 where the customer does."),
    )  # fmt: skip
    owns_warehouses = models.BooleanField(
        _("runs the warehouses itself"), default=False, db_default=False,
        help_text=_("Then their electricity is scope 2, otherwise part of category 4 or 9."),
    )  # fmt: skip
    markets = models.CharField(
        _("markets"), max_length=120, blank=True, default="", db_default="",
        help_text=_("Where its texts are read, e.g. EU, CN, US: climate claims are checked for each."),
    )  # fmt: skip
    boundary = models.TextField(_("boundary, in words"), blank=True, default="", db_default="")
    exclusions = models.TextField(_("left out, and why"), blank=True, default="", db_default="")
    history = HistoricalRecords()

    class Meta:
        app_label = "carbon"
        verbose_name = _("carbon reporting profile")
        verbose_name_plural = _("carbon reporting profiles")

    def __str__(self) -> str:
        return str(self.merchant)


class Disclosure(models.Model):
    """A report that left the hub: what it was about, what it said and the fingerprint of the file."""

    merchant = models.ForeignKey(
        Merchant,
        verbose_name=_("merchant"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    kind = models.CharField(_("kind"), max_length=20)
    scope = models.JSONField(_("scope"))
    kg = models.DecimalField(_("total kg CO2e"), max_digits=24, decimal_places=12)
    orders = models.PositiveIntegerField(_("orders"))
    sha256 = models.CharField(_("SHA-256 of the file"), max_length=64)
    made_by = models.CharField(_("made by"), max_length=80)
    made_at = models.DateTimeField(_("made at"))

    class Meta:
        app_label = "carbon"
        verbose_name = _("carbon disclosure")
        verbose_name_plural = _("carbon disclosures")
        indexes = [models.Index(fields=["merchant", "-made_at"], name="carbon_disclosure_newest")]

    def __str__(self) -> str:
        return f"{self.kind} {self.made_at:%Y-%m-%d}"

"""Bills of materials: what an article is made of, by version and time."""

from __future__ import annotations

from decimal import Decimal

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from orderhub.access.models import Merchant
from orderhub.inventory.models.shelves import Sku


class Bom(models.Model):
    """What one unit of an article is made of. Of several in force on a day, the one that began last counts."""

    merchant = models.ForeignKey(Merchant, verbose_name=_("merchant"), on_delete=models.PROTECT)
    sku = models.ForeignKey(Sku, verbose_name=_("article"), on_delete=models.PROTECT, related_name="boms")
    version = models.CharField(_("version"), max_length=20, default="1")
    valid_from = models.DateField(
        _("valid from"), null=True, blank=True, help_text=_("Empty: always has been.")
    )
    valid_to = models.DateField(
        _("valid to"), null=True, blank=True, help_text=_("The last day. Empty: until further notice.")
    )
    note = models.CharField(_("note"), max_length=200, blank=True)
    is_active = models.BooleanField(_("active"), default=True)
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("bill of materials")
        verbose_name_plural = _("bills of materials")
        constraints = [
            models.UniqueConstraint(fields=["sku", "version"], name="inventory_bom_version"),
            models.CheckConstraint(
                condition=Q(valid_from__isnull=True)
                | Q(valid_to__isnull=True)
                | Q(valid_to__gte=F("valid_from")),
                name="inventory_bom_days",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.sku} v{self.version}"


class BomLine(models.Model):
    """So much of one component for one unit of the article, and so many percent more for what is lost in making."""

    bom = models.ForeignKey(
        Bom, verbose_name=_("bill of materials"), on_delete=models.CASCADE, related_name="lines"
    )
    component = models.ForeignKey(
        Sku, verbose_name=_("component"), on_delete=models.PROTECT, related_name="used_in"
    )
    quantity = models.DecimalField(
        _("quantity"), max_digits=12, decimal_places=4, validators=[MinValueValidator(Decimal("0.0001"))],
        help_text=_("For one unit of the article, in the units the component's stock is kept in."),
    )  # fmt: skip
    unit = models.CharField(_("unit"), max_length=12, blank=True, help_text=_('As people call it, e.g. "m".'))
    scrap_percent = models.DecimalField(
        _("scrap in percent"), max_digits=6, decimal_places=2, default=Decimal(0),
        validators=[MinValueValidator(Decimal(0)), MaxValueValidator(Decimal(1000))],
        help_text=_("So much more is taken, since so much is lost in making."),
    )  # fmt: skip

    class Meta:
        verbose_name = _("component of a bill")
        verbose_name_plural = _("components of bills")
        constraints = [
            models.UniqueConstraint(fields=["bom", "component"], name="inventory_bomline_once"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="inventory_bomline_some"),
        ]

    def __str__(self) -> str:
        return f"{self.component_id} × {self.quantity}"


class BomAlternative(models.Model):
    """Another component that may be used where the first is short; smaller priority first."""

    line = models.ForeignKey(
        BomLine, verbose_name=_("component of a bill"), on_delete=models.CASCADE, related_name="alternatives"
    )
    component = models.ForeignKey(
        Sku, verbose_name=_("instead"), on_delete=models.PROTECT, related_name="used_instead_in"
    )
    ratio = models.DecimalField(
        _("for one unit"), max_digits=10, decimal_places=4, default=Decimal(1),
        validators=[MinValueValidator(Decimal("0.0001"))],
        help_text=_("How much of it replaces one unit of the component."),
    )  # fmt: skip
    priority = models.PositiveSmallIntegerField(_("priority"), default=1)

    class Meta:
        verbose_name = _("alternative component")
        verbose_name_plural = _("alternative components")
        constraints = [
            models.UniqueConstraint(fields=["line", "component"], name="inventory_bominstead_once")
        ]

    def __str__(self) -> str:
        return f"{self.component_id} × {self.ratio}"

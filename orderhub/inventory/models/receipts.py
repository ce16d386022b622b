"""What came in: each confirmation of a warehouse is kept line by line, beside what was expected of it."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from orderhub.access.models import Merchant
from orderhub.inventory.models.shelves import Sku, Warehouse


class Receipt(models.Model):
    """One confirmation of goods that came in, taken once by its key; several may be about one expected receipt."""

    merchant = models.ForeignKey(Merchant, verbose_name=_("merchant"), on_delete=models.PROTECT)
    warehouse = models.ForeignKey(Warehouse, verbose_name=_("warehouse"), on_delete=models.PROTECT)
    reference = models.CharField(_("reference"), max_length=80)
    key = models.CharField(_("key"), max_length=120, help_text=_("Taken once for each warehouse."))
    is_final = models.BooleanField(
        _("final"), default=True, help_text=_("Nothing more comes for this reference.")
    )
    said_at = models.DateTimeField(_("as of"))
    received_at = models.DateTimeField(_("received at"))
    actor = models.CharField(_("actor"), max_length=80, blank=True)

    class Meta:
        verbose_name = _("goods receipt")
        verbose_name_plural = _("goods receipts")
        constraints = [models.UniqueConstraint(fields=["warehouse", "key"], name="inventory_receipt_once")]
        indexes = [
            models.Index(fields=["merchant", "-id"], name="inventory_receipt_list"),
            models.Index(fields=["warehouse", "reference"], name="inventory_receipt_reference"),
        ]

    def __str__(self) -> str:
        return f"{self.reference} ({self.key})"


class ReceiptLine(models.Model):
    """Units of one SKU in a receipt. `expected` were still to come before it; `difference` is set where it was final."""

    receipt = models.ForeignKey(
        Receipt, verbose_name=_("goods receipt"), on_delete=models.CASCADE, related_name="lines"
    )
    sku = models.ForeignKey(Sku, verbose_name=_("SKU"), on_delete=models.PROTECT)
    units = models.PositiveIntegerField(_("units fit for sale"))
    damaged = models.PositiveIntegerField(_("damaged units"), default=0)
    expected = models.PositiveIntegerField(_("expected before"), default=0)
    difference = models.IntegerField(
        _("difference"), null=True, help_text=_("What came in all, less what was expected in all.")
    )

    class Meta:
        verbose_name = _("line of a goods receipt")
        verbose_name_plural = _("lines of goods receipts")
        constraints = [models.UniqueConstraint(fields=["receipt", "sku"], name="inventory_receiptline_once")]

    def __str__(self) -> str:
        return f"{self.sku_id} × {self.units}"

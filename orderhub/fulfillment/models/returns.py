"""Goods that came back, as a warehouse confirms them: line by line, with their condition and what was made of them."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from orderhub.access.models import Merchant
from orderhub.inventory.models import Sku, Warehouse
from orderhub.orders.models import Order, OrderLine


class ReturnReceipt(models.Model):
    """One confirmation of goods that came back, taken once by its key; without an order until somebody knows whose it is."""

    merchant = models.ForeignKey(Merchant, verbose_name=_("merchant"), on_delete=models.PROTECT)
    warehouse = models.ForeignKey(Warehouse, verbose_name=_("warehouse"), on_delete=models.PROTECT)
    order = models.ForeignKey(
        Order, verbose_name=_("order"), null=True, blank=True, on_delete=models.PROTECT,
        related_name="return_receipts",
    )  # fmt: skip
    reference = models.CharField(_("reference"), max_length=80, blank=True)
    tracking_number = models.CharField(_("tracking number"), max_length=60, blank=True)
    key = models.CharField(_("key"), max_length=120)
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    said_at = models.DateTimeField(_("as of"))
    received_at = models.DateTimeField(_("received at"))
    actor = models.CharField(_("actor"), max_length=80, blank=True)
    assigned_by = models.CharField(_("order named by"), max_length=80, blank=True)

    class Meta:
        verbose_name = _("returned goods")
        verbose_name_plural = _("returned goods")
        constraints = [
            models.UniqueConstraint(fields=["warehouse", "key"], name="fulfillment_returnreceipt_once")
        ]
        indexes = [
            models.Index(fields=["merchant", "-id"], name="fulfillment_returnreceipt_list"),
            models.Index(
                fields=["merchant"], name="fulfillment_returnreceipt_open", condition=Q(order__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        return self.reference or self.tracking_number or self.key


class ReturnReceiptLine(models.Model):
    """Units of one SKU in one condition. Of `units`, `counted` are counted as returned by the order; the rest are more
    than the order shipped, or have no order yet."""

    class Condition(models.TextChoices):
        GOOD = "good", _("fit for sale")
        DAMAGED = "damaged", _("damaged")

    receipt = models.ForeignKey(
        ReturnReceipt, verbose_name=_("returned goods"), on_delete=models.CASCADE, related_name="lines"
    )
    sku = models.ForeignKey(Sku, verbose_name=_("SKU"), on_delete=models.PROTECT)
    order_line = models.ForeignKey(
        OrderLine,
        verbose_name=_("order line"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    condition = models.CharField(
        _("condition"), max_length=8, choices=Condition.choices, default=Condition.GOOD
    )
    units = models.PositiveIntegerField(_("units"))
    restocked = models.PositiveIntegerField(_("back on the shelf"), default=0)
    counted = models.PositiveIntegerField(_("counted for the order"), default=0)

    class Meta:
        verbose_name = _("line of returned goods")
        verbose_name_plural = _("lines of returned goods")
        constraints = [
            models.CheckConstraint(
                condition=Q(restocked__lte=models.F("units")) & Q(counted__lte=models.F("units")),
                name="fulfillment_returnline_within",
            )
        ]

    def __str__(self) -> str:
        return f"{self.sku_id} × {self.units}"

"""What promotions did to an order, and how often they were used."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from orderhub.inventory.models import Sku
from orderhub.orders.models.order import Order


class Pricing(models.Model):
    """How an order was priced: the versions that did, and what became of each promotion; the newest pricing."""

    order = models.OneToOneField(Order, on_delete=models.CASCADE, primary_key=True, related_name="pricing")
    versions = models.JSONField(_("rule versions used"), default=dict)
    explanation = models.JSONField(_("explanation"), default=dict)
    gifts = models.JSONField(_("gifts"), default=list)
    free_shipping = models.BooleanField(_("free shipping"), default=False)
    priced_at = models.DateTimeField(_("priced at"))

    class Meta:
        verbose_name = _("pricing")
        verbose_name_plural = _("pricings")

    def __str__(self) -> str:
        return str(self.order_id)


class PromotionCounter(models.Model):
    """Uses of a limited promotion, altogether (`customer` empty) or by one customer; whoever counts holds its lock."""

    promotion = models.CharField(_("promotion"), max_length=130)
    customer = models.CharField(max_length=32, blank=True, default="", editable=False)
    used = models.PositiveIntegerField(_("uses"), default=0)

    class Meta:
        verbose_name = _("promotion counter")
        verbose_name_plural = _("promotion counters")
        constraints = [
            models.UniqueConstraint(fields=["promotion", "customer"], name="orders_promotion_counter_once")
        ]

    def __str__(self) -> str:
        return f"{self.promotion}: {self.used}"


class PromotionUse(models.Model):
    """One use of a limited promotion by one order: pricing again counts nothing twice, cancelling gives it back."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="promotion_uses")
    counter = models.ForeignKey(
        PromotionCounter, verbose_name=_("promotion counter"), on_delete=models.PROTECT, related_name="uses"
    )

    class Meta:
        verbose_name = _("promotion use")
        verbose_name_plural = _("promotion uses")
        constraints = [models.UniqueConstraint(fields=["order", "counter"], name="orders_promotion_use_once")]

    def __str__(self) -> str:
        return f"{self.order_id}/{self.counter_id}"


class SkuCost(models.Model):
    """What a unit of a SKU costs us, so that a promotion below cost is seen before it is published."""

    sku = models.OneToOneField(
        Sku, verbose_name=_("SKU"), on_delete=models.CASCADE, primary_key=True, related_name="cost"
    )
    cost = models.DecimalField(_("cost per unit"), max_digits=12, decimal_places=2)
    currency = models.CharField(_("currency"), max_length=3, default="CNY")

    class Meta:
        verbose_name = _("SKU cost")
        verbose_name_plural = _("SKU costs")
        constraints = [models.CheckConstraint(condition=Q(cost__gte=0), name="orders_sku_cost_not_negative")]

    def __str__(self) -> str:
        return f"{self.sku_id}: {self.cost} {self.currency}"

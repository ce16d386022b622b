"""How often what was sent comes back: by SKU, by category, and over all of a merchant."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from orderhub.access.models import Merchant
from orderhub.inventory.models import Sku


class ReturnRate(models.Model):
    """Units sent and returned of a SKU, or without one of a category, or without either of the merchant.

    `share` is the smoothed rate that routing uses, pulled to that of the level above.
    """

    merchant = models.ForeignKey(Merchant, verbose_name=_("merchant"), on_delete=models.CASCADE)
    category = models.CharField(_("category"), max_length=60, blank=True)
    sku = models.ForeignKey(
        Sku, verbose_name=_("SKU"), on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    sent = models.PositiveBigIntegerField(_("units sent"))
    returned = models.PositiveBigIntegerField(_("units returned"))
    share = models.DecimalField(_("share expected back"), max_digits=7, decimal_places=6)
    counted_at = models.DateTimeField(_("counted at"))

    class Meta:
        verbose_name = _("return rate")
        verbose_name_plural = _("return rates")
        constraints = [
            models.UniqueConstraint(
                fields=["sku"], condition=Q(sku__isnull=False), name="routing_returns_sku"
            ),
            models.UniqueConstraint(
                fields=["merchant", "category"], condition=Q(sku__isnull=True), name="routing_returns_level"
            ),
            models.CheckConstraint(condition=Q(returned__lte=F("sent")), name="routing_returns_sent"),
        ]

    def __str__(self) -> str:
        return f"{self.sku_id or self.category or '*'}: {self.share}"

"""What keeps an order from being handed on; several at once, never a status."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from orderhub.orders.models.order import Order


class Hold(models.Model):
    """One reason to wait; the order goes on at the step it stopped at when the last active hold is released."""

    class Reason(models.TextChoices):
        AWAITING_PAYMENT = "awaiting_payment", _("awaiting payment")
        RISK = "risk", _("risk check")
        ADDRESS_CHANGE = "address_change", _("address change")
        ADDRESS_INVALID = "address_invalid", _("address cannot be served")
        STOCK = "stock", _("stock")
        COMPLIANCE = "compliance", _("cross-border check")
        MERGE_WINDOW = "merge_window", _("merge window")
        CUSTOMER = "customer", _("asked by the customer")
        FLOW = "flow", _("wait in the order flow")
        MANUAL = "manual", _("put on hold by staff")

    class Scope(models.TextChoices):
        ORDER = "order", _("whole order")
        LINE = "line", _("one line")
        FULFILLMENT = "fulfillment", _("one fulfillment order")

    order = models.ForeignKey(Order, verbose_name=_("order"), on_delete=models.CASCADE, related_name="holds")
    reason = models.CharField(_("reason"), max_length=20, choices=Reason.choices)
    scope = models.CharField(_("scope"), max_length=12, choices=Scope.choices, default=Scope.ORDER)
    scope_ref = models.CharField(_("scope reference"), max_length=40, blank=True)
    detail = models.CharField(_("detail"), max_length=300, blank=True)
    owner = models.CharField(_("owner"), max_length=80, blank=True)
    until = models.DateTimeField(_("until"), null=True, blank=True)
    placed_at = models.DateTimeField(_("placed at"))
    placed_by = models.CharField(_("placed by"), max_length=80, blank=True)
    released_at = models.DateTimeField(_("released at"), null=True, blank=True)
    released_by = models.CharField(_("released by"), max_length=80, blank=True)
    release_note = models.CharField(_("release note"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("hold")
        verbose_name_plural = _("holds")
        constraints = [
            models.UniqueConstraint(
                fields=["order", "reason", "scope", "scope_ref"],
                condition=Q(released_at__isnull=True),
                name="orders_hold_active_once",
            )
        ]
        indexes = [
            models.Index(fields=["until"], name="orders_hold_until", condition=Q(released_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return self.get_reason_display()

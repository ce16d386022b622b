"""What becomes of an order after it was placed: units taken out of it, orders that replace units, and the money for both."""

from __future__ import annotations

from decimal import Decimal

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from orderhub.orders.models.order import Order, OrderLine


class Cancellation(models.Model):
    """Units of an order that are not wanted any more (部分取消单); what warehouses have is asked back first.

    `wanted` and `done` are units by line id; `asked` names the fulfillment orders whose warehouses were asked.
    """

    class State(models.TextChoices):
        ASKING = "asking", _("warehouse asked")
        APPLIED = "applied", _("applied")
        PARTLY = "partly", _("applied to what came back")
        REFUSED = "refused", _("too late")
        RESTORED = "restored", _("taken back")

    order = models.ForeignKey(
        Order, verbose_name=_("order"), on_delete=models.CASCADE, related_name="cancellations"
    )
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.ASKING)
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    wanted = models.JSONField(_("units"), default=dict)
    done = models.JSONField(_("units cancelled"), default=dict)
    asked = models.JSONField(_("fulfillment orders asked"), default=list, blank=True)
    requested_at = models.DateTimeField(_("requested at"))
    settled_at = models.DateTimeField(_("settled at"), null=True, blank=True)
    actor = models.CharField(_("entered by"), max_length=80, blank=True)

    class Meta:
        verbose_name = _("partial cancellation")
        verbose_name_plural = _("partial cancellations")
        constraints = [
            models.UniqueConstraint(
                fields=["order"], condition=Q(state="asking"), name="orders_cancellation_one_open"
            )
        ]

    def __str__(self) -> str:
        return f"{self.order_id}/{self.pk}"


class FollowUp(models.Model):
    """An order that replaces units of another: other goods for them (换货), or the same once more (补发)."""

    class Sort(models.TextChoices):
        EXCHANGE = "exchange", _("exchange")
        RESEND = "resend", _("resend")

    class Reason(models.TextChoices):
        LOST = "lost", _("lost on the way")
        DAMAGED = "damaged", _("damaged")
        MISSING = "missing", _("missing from the parcel")
        WRONG = "wrong", _("wrong article sent")
        CHOICE = "choice", _("customer wants another one")

    class Pays(models.TextChoices):
        NOBODY = "nobody", _("nothing to pay")
        CUSTOMER = "customer", _("customer pays the difference")
        MERCHANT = "merchant", _("difference goes back to the customer")
        WAIVED = "waived", _("difference is waived")

    order = models.ForeignKey(
        Order, verbose_name=_("order"), on_delete=models.PROTECT, related_name="follow_ups"
    )
    new_order = models.OneToOneField(
        Order, verbose_name=_("new order"), on_delete=models.PROTECT, related_name="follows_up"
    )
    sort = models.CharField(_("kind"), max_length=10, choices=Sort.choices)
    reason = models.CharField(_("reason"), max_length=10, choices=Reason.choices)
    detail = models.CharField(_("detail"), max_length=300, blank=True)
    units = models.JSONField(_("units replaced"), default=dict, help_text=_("By line of the first order"))
    price = models.DecimalField(_("price of the new goods"), max_digits=14, decimal_places=2)
    credit = models.DecimalField(_("credit for the old goods"), max_digits=14, decimal_places=2)
    pays = models.CharField(_("who pays the difference"), max_length=10, choices=Pays.choices)
    currency = models.CharField(_("currency"), max_length=3)
    return_expected = models.BooleanField(_("goods are to come back"), default=False)
    claim_against = models.CharField(_("claim against carrier"), max_length=40, blank=True)
    claim_parcel = models.CharField(_("parcel of the claim"), max_length=80, blank=True)
    requested_at = models.DateTimeField(_("requested at"))
    actor = models.CharField(_("entered by"), max_length=80, blank=True)
    #: When the new order was cancelled: the units may be replaced again.
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)

    class Meta:
        verbose_name = _("exchange or resend")
        verbose_name_plural = _("exchanges and resends")

    def __str__(self) -> str:
        return f"{self.order_id} → {self.new_order_id}"

    @property
    def difference(self) -> Decimal:
        """What the new goods cost more than the old ones; below zero they cost less."""
        return self.price - self.credit


class LineCredit(models.Model):
    """What the buyer has a claim to for units of a line; the credits of a line never exceed what was paid for it."""

    line = models.ForeignKey(
        OrderLine, verbose_name=_("order line"), on_delete=models.CASCADE, related_name="credits"
    )
    units = models.PositiveIntegerField(_("units"))
    amount = models.DecimalField(_("amount"), max_digits=14, decimal_places=2)
    #: cancellation:7 or follow_up:3
    cause = models.CharField(_("cause"), max_length=40)
    made_at = models.DateTimeField(_("made at"))
    voided_at = models.DateTimeField(_("taken back at"), null=True, blank=True)

    class Meta:
        verbose_name = _("credit")
        verbose_name_plural = _("credits")
        indexes = [models.Index(fields=["cause"], name="orders_credit_cause")]

    def __str__(self) -> str:
        return f"{self.line_id}: {self.amount}"

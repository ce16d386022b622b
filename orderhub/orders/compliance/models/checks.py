"""What the checks found of each order, what a person bought in a year, and identity numbers under lock."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from orderhub.access.models import Merchant
from orderhub.orders.models import Order, Person


class ComplianceCheck(models.Model):
    """The newest verdict on a cross-border order, each finding with the rule and version it came from."""

    class Outcome(models.TextChoices):
        PASS = "pass", _("pass")
        NOTE = "note", _("pass with notes")
        HOLD = "hold", _("something is missing")
        BLOCK = "block", _("may not be sent")

    order = models.OneToOneField(
        Order, verbose_name=_("order"), on_delete=models.CASCADE, primary_key=True, related_name="compliance"
    )
    merchant = models.ForeignKey(Merchant, verbose_name=_("merchant"), on_delete=models.CASCADE)
    lane = models.CharField(_("lane"), max_length=5)
    outcome = models.CharField(_("outcome"), max_length=5, choices=Outcome.choices)
    findings = models.JSONField(_("findings"), default=list)
    accepted = models.JSONField(_("accepted findings"), default=dict)
    counted = models.JSONField(_("counted for the year"), default=dict)
    rates = models.JSONField(_("exchange rates used"), default=dict)
    checked_at = models.DateTimeField(_("checked at"))

    class Meta:
        verbose_name = _("compliance check")
        verbose_name_plural = _("compliance checks")
        indexes = [
            models.Index(fields=["outcome", "checked_at"], name="compliance_check_outcome"),
            models.Index(fields=["checked_at"], name="compliance_check_time"),
        ]

    def __str__(self) -> str:
        return str(self.order.number)


class YearUsage(models.Model):
    """How much of a yearly limit one person has used with one merchant: cents of a currency, or grams."""

    merchant = models.ForeignKey(Merchant, on_delete=models.CASCADE)
    buyer = models.CharField(max_length=32)
    year = models.PositiveSmallIntegerField()
    measure = models.CharField(max_length=12)
    amount = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["merchant", "buyer", "year", "measure"], name="compliance_usage_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.buyer} {self.year} {self.measure}: {self.amount}"


class BuyerIdentity(models.Model):
    """An identity number of a receiver, encrypted; people see the masked form."""

    person = models.OneToOneField(Person, on_delete=models.CASCADE, primary_key=True, related_name="identity")
    sealed = models.TextField()
    masked = models.CharField(_("identity number"), max_length=24)
    name = models.CharField(_("name"), max_length=200, blank=True)
    given_at = models.DateTimeField(_("given at"))

    class Meta:
        verbose_name = _("identity number")
        verbose_name_plural = _("identity numbers")

    def __str__(self) -> str:
        return self.masked

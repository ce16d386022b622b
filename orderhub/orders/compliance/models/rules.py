"""Rules as dated rows, and what they refer to: exchange rates, lists of goods, papers."""

from __future__ import annotations

from django.core.validators import RegexValidator, URLValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from orderhub.access.models import Merchant
from orderhub.inventory.models import Sku
from orderhub.orders.compliance.engine import KINDS
from orderhub.orders.models import Order


class ComplianceRule(models.Model):
    """One version of one rule. Once active it is never changed: a change is a new version with a later first day."""

    class Status(models.TextChoices):
        IN_FORCE = "in_force", _("in force")
        FUTURE = "future", _("not yet in force")
        VERIFY = "verify", _("to be confirmed")
        ENDED = "ended", _("ended")

    rule = models.CharField(_("rule"), max_length=60, validators=[RegexValidator(r"^[a-z0-9][a-z0-9-]*$")])
    version = models.PositiveIntegerField(_("version"), default=1)
    origin = models.CharField(_("from"), max_length=2, default="*", help_text=_("Country, EU or * for any."))
    destination = models.CharField(
        _("to"), max_length=2, default="*", help_text=_("Country, EU or * for any.")
    )
    kind = models.CharField(_("kind"), max_length=24, choices=[(kind, kind) for kind in KINDS])
    params = models.JSONField(_("parameters"), default=dict, blank=True)
    valid_from = models.DateField(_("first day"))
    valid_to = models.DateField(_("not any more from"), null=True, blank=True)
    status = models.CharField(_("status"), max_length=8, choices=Status.choices, default=Status.VERIFY)
    source = models.CharField(_("source"), max_length=300)
    source_url = models.CharField(
        _("link"), max_length=300, blank=True, validators=[URLValidator(["https", "http"])]
    )
    confidence = models.CharField(_("confidence"), max_length=60, blank=True)
    doubt = models.CharField(_("doubt"), max_length=300, blank=True)
    created_by = models.CharField(_("entered by"), max_length=80, blank=True, editable=False)
    created_at = models.DateTimeField(_("entered at"), auto_now_add=True)
    activated_by = models.CharField(_("activated by"), max_length=80, blank=True, editable=False)
    activated_at = models.DateTimeField(_("activated at"), null=True, editable=False)
    confirmed_by = models.CharField(_("confirmed by"), max_length=80, blank=True, editable=False)
    confirmed_at = models.DateTimeField(_("confirmed at"), null=True, editable=False)
    confirmed_source = models.CharField(_("confirmed from"), max_length=300, blank=True, editable=False)

    class Meta:
        verbose_name = _("compliance rule")
        verbose_name_plural = _("compliance rules")
        permissions = [("activate_compliancerule", "Can activate and confirm compliance rules")]
        constraints = [
            models.UniqueConstraint(fields=["rule", "version"], name="compliance_rule_version"),
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_to__gt=F("valid_from")), name="compliance_rule_days"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rule} v{self.version}"


class ExchangeRate(models.Model):
    """What one unit of a currency is worth in CNY from a day on."""

    currency = models.CharField(_("currency"), max_length=3)
    on = models.DateField(_("day"))
    in_cny = models.DecimalField(_("in CNY"), max_digits=14, decimal_places=6)
    source = models.CharField(_("source"), max_length=120, blank=True)

    class Meta:
        verbose_name = _("exchange rate")
        verbose_name_plural = _("exchange rates")
        constraints = [
            models.UniqueConstraint(fields=["currency", "on"], name="compliance_rate_once"),
            models.CheckConstraint(condition=Q(in_cny__gt=0), name="compliance_rate_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.currency} {self.on}: {self.in_cny}"


class GoodsList(models.Model):
    """A published list of tariff codes, e.g. what may be imported through cross-border retail."""

    name = models.CharField(_("name"), max_length=120, unique=True)
    codes = models.JSONField(_("tariff codes"), default=list)
    source = models.CharField(_("source"), max_length=300, blank=True)
    loaded_at = models.DateTimeField(_("loaded at"), auto_now=True)

    class Meta:
        verbose_name = _("list of goods")
        verbose_name_plural = _("lists of goods")

    def __str__(self) -> str:
        return self.name


class CustomsGoods(models.Model):
    """What customs want to know of an SKU beside its HS code: where it was made, what kind of goods it is."""

    sku = models.OneToOneField(
        Sku, verbose_name=_("SKU"), on_delete=models.CASCADE, primary_key=True, related_name="customs"
    )
    made_in = models.CharField(_("made in"), max_length=2, blank=True, help_text=_("Country code."))
    traits = models.JSONField(
        _("kinds of goods"),
        default=list,
        blank=True,
        help_text=_('e.g. ["UN3481", "food", "cosmetics", "sugar"]'),
    )
    milliliters = models.PositiveIntegerField(_("milliliters per piece"), default=0)

    class Meta:
        verbose_name = _("customs data of an SKU")
        verbose_name_plural = _("customs data of SKUs")

    def __str__(self) -> str:
        return str(self.sku_id)


class Paper(models.Model):
    """A certificate or document for all units of an SKU, or for one order."""

    merchant = models.ForeignKey(Merchant, verbose_name=_("merchant"), on_delete=models.CASCADE)
    sku = models.ForeignKey(Sku, verbose_name=_("SKU"), on_delete=models.CASCADE, null=True, blank=True)
    order = models.ForeignKey(Order, verbose_name=_("order"), on_delete=models.CASCADE, null=True, blank=True)
    kind = models.CharField(_("document"), max_length=60)
    reference = models.CharField(_("number"), max_length=120, blank=True)
    valid_from = models.DateField(_("first day"), null=True, blank=True)
    valid_to = models.DateField(_("not any more from"), null=True, blank=True)

    class Meta:
        verbose_name = _("compliance document")
        verbose_name_plural = _("compliance documents")
        constraints = [
            models.CheckConstraint(
                condition=Q(sku__isnull=False, order__isnull=True) | Q(sku__isnull=True, order__isnull=False),
                name="compliance_paper_of_one",
            )
        ]

    def __str__(self) -> str:
        return self.kind

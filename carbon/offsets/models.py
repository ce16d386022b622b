"""Support of climate projects: its own books. No figure of the carbon ledger ever looks here, nor the other way."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from orderhub.access.models import Merchant
from orderhub.kernel.errors import Refused
from orderhub.orders.models import Order


class OffsetProject(models.Model):
    """A project that is supported: trees or clean energy, say, and what a kilogram costs."""

    class Kind(models.TextChoices):
        TREES = "trees", _("trees")
        CLEAN_ENERGY = "clean_energy", _("clean energy")
        REMOVAL = "removal", _("carbon removal")
        OTHER = "other", _("other")

    code = models.SlugField(_("code"), max_length=40, unique=True)
    provider = models.CharField(
        _("provider"), max_length=20, default="manual", db_default="manual",
        help_text=_("manual: serials are entered by hand; sandbox: for trying out, nothing is bought."),
    )  # fmt: skip
    name = models.CharField(_("name"), max_length=120)
    name_en = models.CharField(_("English name"), max_length=120, blank=True, default="", db_default="")
    kind = models.CharField(
        _("kind"), max_length=12, choices=Kind.choices, default=Kind.TREES, db_default=Kind.TREES
    )
    registry = models.CharField(_("registry"), max_length=60, blank=True, default="", db_default="")
    price_per_kg = models.DecimalField(
        _("price per kg CO2e"),
        max_digits=12,
        decimal_places=6,
        validators=[MinValueValidator(Decimal("0.000001"))],
    )
    currency = models.CharField(_("currency"), max_length=3, default="CNY", db_default="CNY")
    is_active = models.BooleanField(_("active"), default=True, db_default=True)
    history = HistoricalRecords()

    class Meta:
        app_label = "carbon"
        verbose_name = _("supported project")
        verbose_name_plural = _("supported projects")

    def __str__(self) -> str:
        return self.name


class OffsetPlan(models.Model):
    """A part of the profit of a merchant's orders goes to a project."""

    merchant = models.OneToOneField(
        Merchant, verbose_name=_("merchant"), primary_key=True, on_delete=models.PROTECT, related_name="+"
    )
    project = models.ForeignKey(OffsetProject, verbose_name=_("project"), on_delete=models.PROTECT)
    profit_percent = models.DecimalField(
        _("percent of the profit"), max_digits=5, decimal_places=2,
        validators=[MinValueValidator(Decimal("0.01")), MaxValueValidator(Decimal(100))],
    )  # fmt: skip
    since = models.DateTimeField(_("for orders placed since"))
    is_active = models.BooleanField(_("active"), default=True, db_default=True)
    history = HistoricalRecords()

    class Meta:
        app_label = "carbon"
        verbose_name = _("support from profit")
        verbose_name_plural = _("support from profit")

    def __str__(self) -> str:
        return f"{self.merchant}: {self.profit_percent} %"


class OffsetOrder(models.Model):
    """A purchase: wanted, ordered at its provider, fulfilled, or left out with the reason."""

    class State(models.TextChoices):
        WANTED = "wanted", _("to be ordered")
        ORDERED = "ordered", _("ordered")
        FULFILLED = "fulfilled", _("fulfilled")
        LEFT_OUT = "left_out", _("left out")
        FAILED = "failed", _("failed")

    merchant = models.ForeignKey(Merchant, verbose_name=_("merchant"), on_delete=models.PROTECT)
    project = models.ForeignKey(OffsetProject, verbose_name=_("project"), on_delete=models.PROTECT)
    order = models.ForeignKey(
        Order, verbose_name=_("order"), null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    idempotency_key = models.CharField(_("idempotency key"), max_length=80, unique=True, editable=False)
    profit = models.DecimalField(_("profit"), max_digits=14, decimal_places=2, null=True, blank=True)
    amount = models.DecimalField(_("amount"), max_digits=14, decimal_places=2)
    currency = models.CharField(_("currency"), max_length=3)
    kg = models.DecimalField(_("amount in kg CO2e"), max_digits=24, decimal_places=6)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.WANTED)
    reason = models.CharField(_("reason"), max_length=200, blank=True, default="", db_default="")
    reference = models.CharField(_("provider's number"), max_length=80, blank=True, default="", db_default="")
    created_at = models.DateTimeField(_("created at"))
    updated_at = models.DateTimeField(_("updated at"))

    class Meta:
        app_label = "carbon"
        verbose_name = _("offset purchase")
        verbose_name_plural = _("offset purchases")
        constraints = [
            models.UniqueConstraint(
                fields=["order"], condition=Q(order__isnull=False), name="carbon_offset_once"
            ),
            models.CheckConstraint(
                condition=Q(kg__gte=0) & Q(amount__gte=0), name="carbon_offset_not_negative"
            ),
        ]
        indexes = [models.Index(fields=["state", "id"], name="carbon_offset_state")]

    def __str__(self) -> str:
        return f"{self.project}: {self.kg.normalize():f} kg"


class Retirement(models.Model):
    """Units taken off a registry for somebody: serials, vintage, day and certificate; written once."""

    purchase = models.ForeignKey(
        OffsetOrder, verbose_name=_("purchase"), on_delete=models.PROTECT, related_name="retirements"
    )
    registry = models.CharField(_("registry"), max_length=60)
    serials = models.CharField(_("serial numbers"), max_length=400)
    vintage = models.PositiveSmallIntegerField(_("vintage"))
    kg = models.DecimalField(_("amount in kg CO2e"), max_digits=24, decimal_places=6)
    retired_on = models.DateField(_("retired on"))
    certificate = models.CharField(_("certificate"), max_length=300, blank=True, default="", db_default="")
    beneficiary = models.CharField(_("beneficiary"), max_length=160)
    recorded_by = models.CharField(_("recorded by"), max_length=80, editable=False, default="", db_default="")
    recorded_at = models.DateTimeField(_("recorded at"), editable=False)

    class Meta:
        app_label = "carbon"
        verbose_name = _("retirement")
        verbose_name_plural = _("retirements")
        constraints = [
            models.UniqueConstraint(fields=["registry", "serials"], name="carbon_retired_once"),
            models.CheckConstraint(condition=Q(kg__gt=0), name="carbon_retired_something"),
        ]

    def __str__(self) -> str:
        return f"{self.registry} {self.serials}"

    def save(self, *args: Any, **options: Any) -> None:
        """Write it once; raises Refused for a change."""
        if not self._state.adding:
            raise Refused("retirement_is_final", _("A retirement is written once and never changed."))
        super().save(*args, **options)

    def delete(self, *args: Any, **options: Any) -> tuple[int, dict[str, int]]:
        """Raises Refused: what was retired stays retired."""
        raise Refused("retirement_is_final", _("A retirement is written once and never changed."))

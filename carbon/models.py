"""Factors with their sources, and the ledger: append-only, hash-chained, per order line."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from orderhub.access.models import Merchant
from orderhub.kernel.errors import Refused
from orderhub.orders.models import Order, OrderLine


class FactorSet(models.Model):
    """One edition of one publisher's factors; immutable once active."""

    class Status(models.TextChoices):
        DRAFT = "draft", _("draft")
        ACTIVE = "active", _("active")
        RETIRED = "retired", _("retired")

    code = models.SlugField(_("code"), max_length=80, unique=True)
    publisher = models.CharField(_("publisher"), max_length=120)
    version = models.CharField(_("version"), max_length=40)
    licence = models.CharField(_("licence"), max_length=240)
    attribution = models.TextField(_("attribution"))
    redistributable = models.BooleanField(_("may be passed on"), default=True)
    gwp_basis = models.CharField(_("GWP basis"), max_length=60, blank=True)
    file_sha256 = models.CharField(_("SHA-256 of the source file"), max_length=64)
    status = models.CharField(_("status"), max_length=8, choices=Status.choices, default=Status.DRAFT)
    imported_at = models.DateTimeField(_("imported at"))

    class Meta:
        verbose_name = _("factor set")
        verbose_name_plural = _("factor sets")

    def __str__(self) -> str:
        return f"{self.publisher} {self.version}"

    def save(self, *args: Any, **options: Any) -> None:
        """Write the set; raises Refused if its figures have been in use (its status may still change)."""
        if not self._state.adding and set(options.get("update_fields") or ()) != {"status"}:
            refuse_if_in_use(self)
        super().save(*args, **options)

    def delete(self, *args: Any, **options: Any) -> tuple[int, dict[str, int]]:
        """Remove a draft; raises Refused for a set that was ever active."""
        refuse_if_in_use(self)
        return super().delete(*args, **options)


def _kg(label: object, **options: object) -> models.DecimalField:  # type: ignore[type-arg]
    return models.DecimalField(label, max_digits=24, decimal_places=12, **options)  # type: ignore[arg-type]


def refuse_if_in_use(factor_set: FactorSet) -> None:
    """Raises Refused unless the stored set is a draft: figures that ledgers rest on never change."""
    stored = FactorSet.objects.filter(pk=factor_set.pk).values_list("status", flat=True).first()
    if stored not in (None, FactorSet.Status.DRAFT):
        raise Refused(
            "factor_set_in_use",
            _("Factor set %(code)s is in use and cannot be changed.") % {"code": factor_set.code},
            remedy=_("Import a new edition as a draft, check it, then activate it."),
        )


class Factor(models.Model):
    """kg CO2e per activity unit; an empty figure is unknown, never zero."""

    factor_set = models.ForeignKey(
        FactorSet, verbose_name=_("factor set"), on_delete=models.PROTECT, related_name="factors"
    )
    factor_id = models.CharField(_("factor"), max_length=200, unique=True)
    kind = models.CharField(_("kind"), max_length=40)
    mode = models.CharField(_("mode"), max_length=60, blank=True)
    item = models.CharField(_("item"), max_length=200, blank=True)
    unit = models.CharField(_("unit"), max_length=20)
    ttw = _kg(_("TTW"), null=True, blank=True)
    wtt = _kg(_("WTT"), null=True, blank=True)
    total = _kg(_("total"), null=True, blank=True)
    distance_kind = models.CharField(_("distance kind"), max_length=10, blank=True)
    boundary = models.CharField(_("boundary"), max_length=60, blank=True)
    region = models.CharField(_("region"), max_length=60, blank=True)
    valid_from = models.DateField(_("valid from"), null=True, blank=True)
    valid_to = models.DateField(_("valid to"), null=True, blank=True)
    note = models.TextField(_("note"), blank=True)

    class Meta:
        verbose_name = _("emission factor")
        verbose_name_plural = _("emission factors")

    def __str__(self) -> str:
        return self.factor_id

    def save(self, *args: Any, **options: Any) -> None:
        """Write the factor; raises Refused unless its set is a draft."""
        refuse_if_in_use(self.factor_set)
        super().save(*args, **options)

    def delete(self, *args: Any, **options: Any) -> tuple[int, dict[str, int]]:
        """Remove the factor; raises Refused unless its set is a draft."""
        refuse_if_in_use(self.factor_set)
        return super().delete(*args, **options)


class CalculationRun(models.Model):
    """One calculation for one order: its inputs and factor versions, so that it can be done again to the
    same bytes.
    """

    class Basis(models.TextChoices):
        ESTIMATE = "estimate", _("estimate")
        ACTUAL = "actual", _("actual")

    class Reason(models.TextChoices):
        INITIAL = "INITIAL", _("first calculation")
        ACTIVITY_CORRECTION = "ACTIVITY_CORRECTION", _("corrected facts")
        REVERSAL = "REVERSAL", _("taken back")

    merchant = models.ForeignKey(Merchant, verbose_name=_("merchant"), on_delete=models.PROTECT)
    order = models.ForeignKey(
        Order, verbose_name=_("order"), on_delete=models.PROTECT, related_name="carbon_runs"
    )
    basis = models.CharField(_("basis"), max_length=8, choices=Basis.choices)
    subject = models.CharField(_("subject"), max_length=60, help_text=_("fulfillment:<id> or parcel:<id>"))
    event_id = models.BigIntegerField(_("event"))
    engine_version = models.CharField(_("engine version"), max_length=20)
    reason = models.CharField(_("reason"), max_length=24, choices=Reason.choices, default=Reason.INITIAL)
    reverses = models.OneToOneField(
        "self",
        verbose_name=_("takes back"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="reversal",
    )
    case = models.JSONField(_("inputs"))
    result = models.JSONField(_("result"))
    input_hash = models.CharField(max_length=64)
    output_hash = models.CharField(max_length=64)
    calculated_at = models.DateTimeField(_("calculated at"))

    class Meta:
        verbose_name = _("carbon calculation")
        verbose_name_plural = _("carbon calculations")
        constraints = [
            models.UniqueConstraint(fields=["event_id", "subject", "basis", "reason"], name="carbon_run_once")
        ]

    def __str__(self) -> str:
        return f"{self.subject} {self.basis}"


class LedgerEntry(models.Model):
    """A signed figure for one order line and one element; insert only, chained by hash per merchant."""

    merchant = models.ForeignKey(Merchant, verbose_name=_("merchant"), on_delete=models.PROTECT)
    seq = models.PositiveBigIntegerField(_("sequence"))
    run = models.ForeignKey(
        CalculationRun, verbose_name=_("calculation"), on_delete=models.PROTECT, related_name="entries"
    )
    order = models.ForeignKey(
        Order, verbose_name=_("order"), on_delete=models.PROTECT, related_name="carbon_entries"
    )
    order_line = models.ForeignKey(OrderLine, verbose_name=_("order line"), on_delete=models.PROTECT)
    basis = models.CharField(_("basis"), max_length=8, choices=CalculationRun.Basis.choices)
    stage = models.CharField(_("stage"), max_length=12)
    element = models.CharField(_("element"), max_length=60)
    factor_id = models.CharField(_("factor"), max_length=200, blank=True)
    ttw_kgco2e = _kg(_("TTW kg CO2e"), null=True)
    wtt_kgco2e = _kg(_("WTT kg CO2e"), null=True)
    non_transport_kgco2e = _kg(_("other kg CO2e"))
    total_kgco2e = _kg(_("total kg CO2e"))
    data_type = models.CharField(_("kind of data"), max_length=8)
    flags = models.JSONField(_("flags"), default=list)
    prev_hash = models.CharField(_("previous hash"), max_length=64)
    hash = models.CharField(_("hash"), max_length=64)
    posted_at = models.DateTimeField(_("posted at"))

    class Meta:
        verbose_name = _("carbon entry")
        verbose_name_plural = _("carbon entries")
        constraints = [models.UniqueConstraint(fields=["merchant", "seq"], name="carbon_ledger_seq")]
        indexes = [models.Index(fields=["order", "basis"], name="carbon_ledger_order")]

    def __str__(self) -> str:
        return f"{self.merchant_id} #{self.seq}: {self.total_kgco2e} kg"


class CarbonHead(models.Model):
    """The end of a merchant's chain; its row lock lets one writer at a time append."""

    merchant = models.OneToOneField(
        Merchant, verbose_name=_("merchant"), primary_key=True, on_delete=models.PROTECT
    )
    seq = models.PositiveBigIntegerField(_("sequence"), default=0)
    hash = models.CharField(_("hash"), max_length=64)

    class Meta:
        verbose_name = _("end of the carbon ledger")
        verbose_name_plural = _("ends of the carbon ledger")

    def __str__(self) -> str:
        return f"{self.merchant_id} #{self.seq}"

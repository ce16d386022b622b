"""Factors with their sources, and the ledger: append-only, hash-chained, per order line."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from orderhub.access.models import Merchant
from orderhub.kernel.errors import Refused
from orderhub.orders.models import Order, OrderLine

#: What may be written of a set whose figures are in use.
_STANDING = frozenset({"status", "activated_by", "activated_at"})


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
    region = models.CharField(_("region"), max_length=60, blank=True, default="", db_default="")
    valid_from = models.DateField(_("valid from"), null=True, blank=True)
    valid_to = models.DateField(_("valid to"), null=True, blank=True)
    source = models.CharField(_("source"), max_length=200, blank=True, default="", db_default="")
    imported_by = models.CharField(_("imported by"), max_length=80, blank=True, default="", db_default="")
    activated_by = models.CharField(_("activated by"), max_length=80, blank=True, default="", db_default="")
    activated_at = models.DateTimeField(_("activated at"), null=True, blank=True)
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
        if not self._state.adding and not set(options.get("update_fields") or ("all",)) <= _STANDING:
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
    co2_kg = _kg(_("CO2 kg"), null=True, blank=True)
    ch4_kgco2e = _kg(_("CH4 kg CO2e"), null=True, blank=True)
    n2o_kgco2e = _kg(_("N2O kg CO2e"), null=True, blank=True)
    gas_scope = models.CharField(_("gases"), max_length=20, blank=True, default="", db_default="")
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
        FACTOR_UPDATE = "FACTOR_UPDATE", _("other factors")
        METHOD_CHANGE = "METHOD_CHANGE", _("other method")
        BOUNDARY_CHANGE = "BOUNDARY_CHANGE", _("other boundary")
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
    #: Why the figure moved; on a run that takes another one back, the reason of the run that follows it.
    cause = models.CharField(_("cause"), max_length=24, blank=True, default="", db_default="")
    generation = models.PositiveBigIntegerField(_("generation"), default=0, db_default=0)
    activity_date = models.DateField(_("date of the activity"), null=True, blank=True)
    seal = models.CharField(max_length=64, blank=True, default="", db_default="")
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
        indexes = [models.Index(fields=["merchant", "activity_date"], name="carbon_run_period")]

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


from carbon.activity.models import ActivityParcel as ActivityParcel  # noqa: E402 - they point at the models above
from carbon.activity.models import ActivityRecord as ActivityRecord  # noqa: E402

# The models of the parts, so that Django finds them; each stands in its own module.
from carbon.claims.models import ClaimCheck, ClaimText, ClaimWord  # noqa: E402, F401
from carbon.factors.models import FactorAlias as FactorAlias  # noqa: E402
from carbon.factors.models import FactorChoice as FactorChoice  # noqa: E402
from carbon.factors.models import ResolverPolicy as ResolverPolicy  # noqa: E402
from carbon.green.models import GreenChoice, GreenExposure, GreenPool, GreenSetting  # noqa: E402, F401
from carbon.interfaces.models import PactEvent, Passport, ProductFootprint  # noqa: E402, F401
from carbon.offsets.models import OffsetOrder, OffsetPlan, OffsetProject, Retirement  # noqa: E402, F401
from carbon.reports.models import Disclosure, ReportProfile  # noqa: E402, F401
from carbon.restating.models import Period as Period  # noqa: E402
from carbon.restating.models import Recompute as Recompute  # noqa: E402
from carbon.restating.models import RecomputePart as RecomputePart  # noqa: E402
from carbon.restating.models import Restated as Restated  # noqa: E402

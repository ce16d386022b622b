"""Green choices with the saving as it was told, pools of orders that wait for one another, and who was asked."""

from __future__ import annotations

from decimal import Decimal

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from orderhub.access.models import Merchant
from orderhub.inventory.models import Warehouse
from orderhub.orders.models import Order


def _kg(label: object, **options: object) -> models.DecimalField:  # type: ignore[type-arg]
    return models.DecimalField(label, max_digits=18, decimal_places=6, **options)  # type: ignore[arg-type]


class GreenSetting(models.Model):
    """How a merchant offers consolidated delivery; without a row it is not offered."""

    merchant = models.OneToOneField(
        Merchant, verbose_name=_("merchant"), primary_key=True, on_delete=models.PROTECT, related_name="+"
    )
    is_active = models.BooleanField(_("active"), default=True, db_default=True)
    wait_days = models.PositiveSmallIntegerField(
        _("orders wait at most so many days"), default=3, db_default=3,
        validators=[MinValueValidator(1), MaxValueValidator(14)],
    )  # fmt: skip
    fill_target = models.PositiveSmallIntegerField(
        _("a pool goes at so many orders"), default=20, db_default=20,
        validators=[MinValueValidator(2), MaxValueValidator(2000)],
    )  # fmt: skip
    asked_percent = models.PositiveSmallIntegerField(
        _("percent of the orders that are asked"), default=100, db_default=100, validators=[MaxValueValidator(100)],
        help_text=_("Below 100 the others are the control group of an A/B test; who is asked never changes."),
    )  # fmt: skip
    salt = models.CharField(
        _("name of the test"), max_length=40, default="green-1", db_default="green-1",
        help_text=_("Another name draws the groups afresh."),
    )  # fmt: skip
    stem_km = models.DecimalField(
        _("km of a round without its stops"), max_digits=6, decimal_places=2, default=Decimal(20), db_default=Decimal(20),
        validators=[MinValueValidator(Decimal(0))],
    )  # fmt: skip
    stop_km = models.DecimalField(
        _("km a stop"), max_digits=6, decimal_places=3, default=Decimal("0.5"), db_default=Decimal("0.5"),
        validators=[MinValueValidator(Decimal(0))],
    )  # fmt: skip
    capacity = models.PositiveSmallIntegerField(
        _("parcels of a vehicle"), default=80, db_default=80, validators=[MinValueValidator(1)]
    )
    history = HistoricalRecords()

    class Meta:
        app_label = "carbon"
        verbose_name = _("green delivery setting")
        verbose_name_plural = _("green delivery settings")

    def __str__(self) -> str:
        return str(self.merchant)


class GreenPool(models.Model):
    """Orders of one warehouse that wait for one another, by delivery area and temperature class."""

    class State(models.TextChoices):
        OPEN = "open", _("collecting")
        RELEASED = "released", _("released")

    merchant = models.ForeignKey(Merchant, verbose_name=_("merchant"), on_delete=models.PROTECT)
    warehouse = models.ForeignKey(
        Warehouse, verbose_name=_("warehouse"), on_delete=models.PROTECT, related_name="+"
    )
    area = models.CharField(_("delivery area"), max_length=160)
    temperature = models.CharField(
        _("temperature class"), max_length=20, default="ambient", db_default="ambient"
    )
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.OPEN)
    opened_at = models.DateTimeField(_("opened at"))
    closes_at = models.DateTimeField(_("goes at the latest"))
    fill_target = models.PositiveSmallIntegerField(_("goes at so many orders"))
    released_at = models.DateTimeField(_("released at"), null=True, blank=True)
    orders = models.PositiveIntegerField(_("orders"), default=0)
    others = models.JSONField(_("parcels that go there anyway, by day"), default=dict)
    before_rounds = models.PositiveIntegerField(_("rounds at once"), null=True)
    after_rounds = models.PositiveIntegerField(_("rounds together"), null=True)
    saved_kg = _kg(_("saved kg CO2e"), null=True)

    class Meta:
        app_label = "carbon"
        verbose_name = _("consolidation pool")
        verbose_name_plural = _("consolidation pools")
        constraints = [
            models.UniqueConstraint(
                fields=["warehouse", "area", "temperature"],
                condition=Q(state="open"),
                name="carbon_pool_open_once",
            )
        ]
        indexes = [models.Index(fields=["state", "closes_at"], name="carbon_pool_due")]

    def __str__(self) -> str:
        return f"{self.warehouse} → {self.area}"


class GreenChoice(models.Model):
    """A customer's choice of consolidated delivery, with what was promised then and what was kept."""

    class Source(models.TextChoices):
        CHECKOUT = "checkout", _("checkout")
        TRACKING = "tracking", _("tracking page")
        STAFF = "staff", _("staff")

    order = models.OneToOneField(
        Order, verbose_name=_("order"), on_delete=models.PROTECT, related_name="green_choice"
    )
    merchant = models.ForeignKey(Merchant, verbose_name=_("merchant"), on_delete=models.PROTECT)
    pool = models.ForeignKey(
        GreenPool,
        verbose_name=_("pool"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="choices",
    )
    source = models.CharField(_("chosen on"), max_length=8, choices=Source.choices)
    chosen_at = models.DateTimeField(_("chosen at"))
    promised_before = models.DateTimeField(_("promised before"), null=True, blank=True)
    promised_after = models.DateTimeField(_("promised after"), null=True, blank=True)
    # As told at that moment: the chain of the plan then, shipped at once, and the same chain consolidated.
    baseline = models.CharField(_("compared with"), max_length=80)
    baseline_kg = _kg(_("kg CO2e at once"))
    green_kg = _kg(_("kg CO2e consolidated"))
    average_kg = _kg(_("saving promised, average"))
    marginal_kg = _kg(_("saving promised, marginal"))
    plan = models.JSONField(_("plan at that moment"), default=list)
    method = models.CharField(_("method"), max_length=80)
    # Measured once everything has arrived.
    actual_kg = _kg(_("actual kg CO2e"), null=True)
    baseline_actual_kg = _kg(_("kg CO2e at once, on the facts"), null=True)
    kept_average_kg = _kg(_("saving kept, average"), null=True)
    kept_marginal_kg = _kg(_("saving kept, marginal"), null=True)
    measured_at = models.DateTimeField(_("measured at"), null=True, blank=True)

    class Meta:
        app_label = "carbon"
        verbose_name = _("green choice")
        verbose_name_plural = _("green choices")
        indexes = [
            models.Index(
                fields=["id"], name="carbon_choice_unmeasured", condition=Q(measured_at__isnull=True)
            )
        ]

    def __str__(self) -> str:
        return f"{self.order_id}: {self.average_kg.normalize():f} kg"


class GreenExposure(models.Model):
    """Who was asked and who was not: the arm an order fell into, by a salted hash that anybody can work out again."""

    class Arm(models.TextChoices):
        ASKED = "asked", _("asked")
        CONTROL = "control", _("control group")

    order = models.OneToOneField(Order, verbose_name=_("order"), on_delete=models.PROTECT, related_name="+")
    merchant = models.ForeignKey(Merchant, verbose_name=_("merchant"), on_delete=models.PROTECT)
    arm = models.CharField(_("arm"), max_length=8, choices=Arm.choices)
    salt = models.CharField(_("name of the test"), max_length=40)
    bucket = models.PositiveSmallIntegerField(_("bucket of 10,000"))
    share_percent = models.PositiveSmallIntegerField(_("percent asked then"))
    seen_at = models.DateTimeField(_("first seen at"))

    class Meta:
        app_label = "carbon"
        verbose_name = _("green delivery exposure")
        verbose_name_plural = _("green delivery exposures")
        indexes = [models.Index(fields=["merchant", "salt", "arm"], name="carbon_exposure_arm")]

    def __str__(self) -> str:
        return f"{self.order_id}: {self.arm}"

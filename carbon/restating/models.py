"""Closed periods, and calculations done again on other factors: what was reported, what it would be now, and why."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from orderhub.access.models import Merchant


class Period(models.Model):
    """One closing of one month of one merchant: its figures and the root of its entries. Reopened, the row stays."""

    merchant = models.ForeignKey(Merchant, verbose_name=_("merchant"), on_delete=models.PROTECT)
    month = models.DateField(_("month"), help_text=_("Its first day."))
    number = models.PositiveIntegerField(_("closing"), default=1)
    seq = models.PositiveBigIntegerField(_("last entry of the ledger"))
    root_hash = models.CharField(_("root hash"), max_length=64)
    entries = models.PositiveBigIntegerField(_("entries"))
    figures = models.JSONField(_("figures"))
    closed_by = models.CharField(_("closed by"), max_length=80)
    closed_at = models.DateTimeField(_("closed at"))
    reopened_by = models.CharField(_("reopened by"), max_length=80, blank=True, default="", db_default="")
    reopened_at = models.DateTimeField(_("reopened at"), null=True, blank=True)
    reason = models.CharField(_("why it was reopened"), max_length=240, blank=True, default="", db_default="")

    class Meta:
        app_label = "carbon"
        verbose_name = _("carbon period")
        verbose_name_plural = _("carbon periods")
        constraints = [
            models.UniqueConstraint(fields=["merchant", "month", "number"], name="carbon_period_once"),
            models.UniqueConstraint(
                fields=["merchant", "month"],
                condition=Q(reopened_at__isnull=True),
                name="carbon_period_closed",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m} #{self.number}"


class Recompute(models.Model):
    """A span of a merchant's figures calculated again on another factor set; adopted, the ledger follows."""

    class State(models.TextChoices):
        QUEUED = "queued", _("waiting")
        RUNNING = "running", _("under way")
        PAUSED = "paused", _("paused")
        DONE = "done", _("finished")
        STOPPED = "stopped", _("stopped")

    class Cause(models.TextChoices):
        FACTOR_UPDATE = "FACTOR_UPDATE", _("other factors")
        METHOD_CHANGE = "METHOD_CHANGE", _("other method")
        BOUNDARY_CHANGE = "BOUNDARY_CHANGE", _("other boundary")

    OPEN = (State.QUEUED, State.RUNNING, State.PAUSED)

    merchant = models.ForeignKey(Merchant, verbose_name=_("merchant"), on_delete=models.PROTECT)
    factor_set = models.ForeignKey(
        "carbon.FactorSet", verbose_name=_("factor set"), on_delete=models.PROTECT, related_name="recomputes"
    )
    since = models.DateField(_("from"))
    until = models.DateField(_("to"))
    cause = models.CharField(_("cause"), max_length=24, choices=Cause.choices, default=Cause.FACTOR_UPDATE)
    is_adopted = models.BooleanField(
        _("write to the ledger"), default=False, help_text=_("Otherwise the figures are only compared.")
    )
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.QUEUED)
    total = models.PositiveBigIntegerField(_("calculations"), default=0)
    done = models.PositiveBigIntegerField(_("done"), default=0)
    asked_by = models.CharField(_("asked by"), max_length=80)
    asked_at = models.DateTimeField(_("asked at"))
    started_at = models.DateTimeField(_("began at"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)

    class Meta:
        app_label = "carbon"
        verbose_name = _("recalculation")
        verbose_name_plural = _("recalculations")

    def __str__(self) -> str:
        return f"{self.since} – {self.until}"


class RecomputePart(models.Model):
    """Some runs of a recalculation; one worker at a time has it, and a worker that died loses it by its lease."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        DONE = "done", _("finished")

    recompute = models.ForeignKey(
        Recompute, verbose_name=_("recalculation"), on_delete=models.CASCADE, related_name="parts"
    )
    low = models.PositiveBigIntegerField(_("first run"))
    high = models.PositiveBigIntegerField(_("last run"))
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.WAITING)
    token = models.CharField(max_length=32, blank=True, default="", db_default="")
    lease_until = models.DateTimeField(_("leased until"), null=True, blank=True)

    class Meta:
        app_label = "carbon"
        verbose_name = _("part of a recalculation")
        verbose_name_plural = _("parts of a recalculation")
        indexes = [
            models.Index(fields=["recompute", "id"], name="carbon_part_waiting", condition=Q(state="waiting"))
        ]

    def __str__(self) -> str:
        return f"{self.low}–{self.high}"


class Restated(models.Model):
    """One run before and after: the difference of one recalculation, down to the order."""

    recompute = models.ForeignKey(
        Recompute, verbose_name=_("recalculation"), on_delete=models.CASCADE, related_name="rows"
    )
    run = models.ForeignKey(
        "carbon.CalculationRun", verbose_name=_("calculation"), on_delete=models.PROTECT, related_name="+"
    )
    order = models.ForeignKey(
        "orders.Order", verbose_name=_("order"), on_delete=models.PROTECT, related_name="+"
    )
    basis = models.CharField(_("basis"), max_length=8)
    before_kgco2e = models.DecimalField(_("before, kg CO2e"), max_digits=24, decimal_places=12)
    after_kgco2e = models.DecimalField(_("after, kg CO2e"), max_digits=24, decimal_places=12)
    swapped = models.JSONField(_("factors exchanged"), default=dict)
    fault = models.CharField(_("why not"), max_length=60, blank=True, default="", db_default="")

    class Meta:
        app_label = "carbon"
        verbose_name = _("restated figure")
        verbose_name_plural = _("restated figures")
        constraints = [models.UniqueConstraint(fields=["recompute", "run"], name="carbon_restated_once")]

    def __str__(self) -> str:
        return f"{self.run_id}: {self.before_kgco2e} → {self.after_kgco2e}"

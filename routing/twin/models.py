"""What-if runs: a period of real orders routed again under draft figures, and what came of it."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from orderhub.access.models import Merchant


class TwinRun(models.Model):
    """One replay of a strategy's draft beside what is in force; at most one per merchant is open.

    `total` counts the decisions to make again, `done` those made. `watermark` names the newest decision and
    stock movement it saw: the same figures over the same days and watermark have the same result.
    """

    class State(models.TextChoices):
        QUEUED = "queued", _("waiting for a worker")
        RUNNING = "running", _("replaying")
        DONE = "done", _("finished")
        FAILED = "failed", _("not finished")
        CANCELLED = "cancelled", _("cancelled")

    OPEN = (State.QUEUED, State.RUNNING)

    merchant = models.ForeignKey(Merchant, verbose_name=_("merchant"), on_delete=models.PROTECT)
    strategy = models.ForeignKey(
        "routing.Strategy", verbose_name=_("strategy"), on_delete=models.CASCADE, related_name="twin_runs"
    )
    figures = models.JSONField(_("figures"))
    figures_key = models.CharField(max_length=64, editable=False)
    days = models.PositiveSmallIntegerField(_("days"))
    starts_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("until"))
    watermark = models.CharField(max_length=120, editable=False)
    state = models.CharField(_("state"), max_length=9, choices=State.choices, default=State.QUEUED)
    done = models.PositiveIntegerField(_("done"), default=0)
    total = models.PositiveIntegerField(_("of"), default=0)
    result = models.JSONField(_("result"), null=True)
    error = models.CharField(_("error"), max_length=40, blank=True)
    error_facts = models.JSONField(default=dict, blank=True)
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("started by"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
    )
    created_at = models.DateTimeField(_("created at"))
    started_at = models.DateTimeField(_("started at"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0, editable=False)
    lease_token = models.CharField(max_length=32, blank=True, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = _("what-if run")
        verbose_name_plural = _("what-if runs")
        constraints = [
            models.UniqueConstraint(
                fields=["merchant"],
                condition=Q(state__in=("queued", "running")),
                name="routing_twin_one_open",
            )
        ]
        indexes = [
            models.Index(fields=["strategy", "figures_key", "-id"], name="routing_twin_figures"),
            models.Index(
                fields=["created_at"], name="routing_twin_open", condition=Q(state__in=("queued", "running"))
            ),
        ]

    def __str__(self) -> str:
        return f"{self.strategy_id}: {self.state}"

    @property
    def is_open(self) -> bool:
        """Whether somebody still works on it, or will."""
        return self.state in self.OPEN

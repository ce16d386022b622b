"""The simulator's own memory: what its make-believe warehouse and carrier will do next. Only the demo uses it."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from orderhub.connectors.models.connection import Connection


class SimulatedJob(models.Model):
    """One fulfillment order as the simulated warehouse sees it; `received` counts repeats of the same push."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE)
    key = models.CharField(_("message key"), max_length=120)
    reference = models.CharField(_("reference"), max_length=40)
    request = models.JSONField()
    plan = models.JSONField(default=list)
    position = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(null=True, db_index=True)
    received = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = _("simulated job")
        verbose_name_plural = _("simulated jobs")
        constraints = [
            models.UniqueConstraint(fields=["connection", "key"], name="connectors_simulated_once")
        ]

    def __str__(self) -> str:
        return self.reference

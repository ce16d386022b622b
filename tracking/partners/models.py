"""EPCIS events that partners told: kept as they came, until they are applied."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from orderhub.access.models import Merchant


class EpcisEvent(models.Model):
    """One captured event, once by its id; one about an order that is not here yet waits for it."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting for its order")
        APPLIED = "applied", _("applied")
        REFUSED = "refused", _("not applied")

    merchant = models.ForeignKey(Merchant, verbose_name=_("merchant"), on_delete=models.PROTECT)
    capture = models.UUIDField(_("capture"), db_index=True)
    event_id = models.CharField(_("event id"), max_length=200)
    body = models.JSONField(_("event"))
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.WAITING)
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    captured_at = models.DateTimeField(_("captured at"))

    class Meta:
        verbose_name = _("EPCIS event")
        verbose_name_plural = _("EPCIS events")
        constraints = [models.UniqueConstraint(fields=["merchant", "event_id"], name="tracking_epcis_once")]
        indexes = [
            models.Index(fields=["captured_at"], name="tracking_epcis_waiting", condition=Q(state="waiting"))
        ]

    def __str__(self) -> str:
        return self.event_id

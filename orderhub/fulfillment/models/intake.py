"""Orders that were accepted before they were read."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from orderhub.access.models import Merchant
from orderhub.orders.models import Order


class IntakeMessage(models.Model):
    """A body as it came in, word for word, until it has become an order; what cannot is kept for a person."""

    class State(models.TextChoices):
        RECEIVED = "received", _("received")
        PLACED = "placed", _("placed")
        REFUSED = "refused", _("refused")
        UNREADABLE = "unreadable", _("unreadable")

    merchant = models.ForeignKey(Merchant, verbose_name=_("merchant"), on_delete=models.PROTECT)
    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    key = models.CharField(_("idempotency key"), max_length=200, blank=True)
    sha256 = models.CharField(max_length=64, editable=False)
    # Emptied once the order stands, which keeps it as its original.
    body = models.BinaryField(_("body"))
    actor = models.CharField(_("actor"), max_length=80)
    language = models.CharField(_("language"), max_length=10)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.RECEIVED)
    order = models.ForeignKey(
        Order, verbose_name=_("order"), null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    problem = models.JSONField(_("problem"), null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    received_at = models.DateTimeField(_("received at"))
    done_at = models.DateTimeField(_("done at"), null=True, blank=True)

    class Meta:
        verbose_name = _("accepted order")
        verbose_name_plural = _("accepted orders")
        constraints = [
            models.UniqueConstraint(
                fields=["merchant", "key"], name="fulfillment_intake_once", condition=~models.Q(key="")
            )
        ]
        indexes = [
            models.Index(fields=["state", "id"], name="fulfillment_intake_state"),
            models.Index(fields=["done_at"], name="fulfillment_intake_done"),
        ]

    def __str__(self) -> str:
        return str(self.public_id)

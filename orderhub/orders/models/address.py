"""A wish to send an order somewhere else, from the request to its answer; the document stays for ever."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from orderhub.orders.models.order import Order
from orderhub.orders.models.person import Person


class AddressChange(models.Model):
    """One change of an order's address (改地址单). The addresses themselves are the two persons, so that
    erasing a person erases them here too; `asked` names the fulfillment orders whose warehouses were asked.
    """

    class State(models.TextChoices):
        REQUESTED = "requested", _("requested")
        ASKING = "asking", _("warehouse asked")
        APPLIED = "applied", _("applied")
        REFUSED = "refused", _("dropped")
        TOO_LATE = "too_late", _("too late")
        DECIDING = "deciding", _("partly possible: needs a decision")
        PARTLY = "partly", _("applied to what came back")

    class By(models.TextChoices):
        CUSTOMER = "customer", _("customer")
        CHANNEL = "channel", _("sales channel")
        STAFF = "staff", _("staff member")

    order = models.ForeignKey(
        Order, verbose_name=_("order"), on_delete=models.CASCADE, related_name="address_changes"
    )
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.REQUESTED)
    requested_by = models.CharField(_("asked for by"), max_length=10, choices=By.choices, default=By.STAFF)
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    old_person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    new_person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    old_place = models.JSONField(_("old region"))
    new_place = models.JSONField(_("new region"))
    asked = models.JSONField(_("fulfillment orders asked"), default=list, blank=True)
    answer = models.CharField(_("answer"), max_length=200, blank=True)
    requested_at = models.DateTimeField(_("requested at"))
    actor = models.CharField(_("entered by"), max_length=80, blank=True)
    settled_at = models.DateTimeField(_("settled at"), null=True, blank=True)
    #: When a person was called, because not everybody had answered in time.
    escalated_at = models.DateTimeField(_("escalated at"), null=True, blank=True)
    decided_by = models.CharField(_("decided by"), max_length=80, blank=True, default="", db_default="")

    class Meta:
        verbose_name = _("address change")
        verbose_name_plural = _("address changes")
        constraints = [
            models.UniqueConstraint(
                fields=["order"],
                condition=Q(state__in=["requested", "asking", "deciding"]),
                name="orders_address_one_open",
            )
        ]

    def __str__(self) -> str:
        return f"{self.order_id}/{self.pk}"

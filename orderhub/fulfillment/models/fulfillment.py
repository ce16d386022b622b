"""A fulfillment order: one warehouse, one service; its lines are the reservation."""

from __future__ import annotations

from decimal import Decimal

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, transition

from orderhub.access.models import Merchant
from orderhub.fulfillment.models.ratecard import RateCard
from orderhub.inventory.models import Sku, Warehouse
from orderhub.orders.models import Order, OrderLine


class State(models.TextChoices):
    """The second machine: what a warehouse has done with its part of an order."""

    PLANNED = "planned", _("planned")
    RESERVED = "reserved", _("stock reserved")
    RELEASED = "released", _("sent to warehouse")
    ACKNOWLEDGED = "acknowledged", _("accepted by warehouse")
    IN_PROGRESS = "in_progress", _("being picked")
    SHIPPED = "shipped", _("shipped")
    DELIVERED = "delivered", _("delivered")
    REJECTED = "rejected", _("refused by warehouse")
    CANCEL_REQUESTED = "cancel_requested", _("cancellation asked")
    CANCELLED = "cancelled", _("cancelled")


F_ = State


class FulfillmentOrder(models.Model):
    """What one warehouse ships for one order by one carrier service (履约单)."""

    merchant = models.ForeignKey(Merchant, verbose_name=_("merchant"), on_delete=models.PROTECT)
    order = models.ForeignKey(
        Order, verbose_name=_("order"), on_delete=models.PROTECT, related_name="fulfillments"
    )
    warehouse = models.ForeignKey(Warehouse, verbose_name=_("warehouse"), on_delete=models.PROTECT)
    rate_card = models.ForeignKey(RateCard, verbose_name=_("rate card"), on_delete=models.PROTECT)
    number = models.CharField(_("number"), max_length=40, unique=True)
    state = FSMField(_("state"), max_length=20, choices=State.choices, default=State.PLANNED, protected=True)
    state_before_cancel = models.CharField(max_length=20, blank=True, editable=False)
    grams = models.PositiveIntegerField(_("grams"))
    distance_km = models.DecimalField(_("distance in km"), max_digits=9, decimal_places=2)
    planned_hours = models.DecimalField(_("planned hours"), max_digits=8, decimal_places=2)
    freight = models.DecimalField(_("freight"), max_digits=12, decimal_places=4, default=Decimal(0))
    estimated_kgco2e = models.DecimalField(
        _("estimated kg CO2e"), max_digits=24, decimal_places=12, default=Decimal(0)
    )
    eta_from_at = models.DateTimeField(_("earliest arrival"), null=True, blank=True)
    eta_to_at = models.DateTimeField(_("latest arrival"), null=True, blank=True)
    cancel_intent = models.CharField(
        max_length=8,
        blank=True,
        editable=False,
        help_text="What a granted cancellation is for: cancel or reroute.",
    )
    #: Steps the warehouse told, so that one told late is said once, and where it belongs.
    told = models.JSONField(default=list, db_default=[], blank=True, editable=False)
    capacity_date = models.DateField(_("counts for the load of"), null=True, blank=True)
    refusal = models.CharField(_("refusal"), max_length=200, blank=True)
    created_at = models.DateTimeField(_("created at"))
    released_at = models.DateTimeField(_("released at"), null=True, blank=True)
    packed_at = models.DateTimeField(_("packed at"), null=True, blank=True)
    packed_grams = models.PositiveIntegerField(_("packed grams"), null=True, blank=True, editable=False)
    carton_grams = models.PositiveIntegerField(_("packaging grams"), null=True, blank=True, editable=False)
    shipped_at = models.DateTimeField(_("shipped at"), null=True, blank=True)
    delivered_at = models.DateTimeField(_("delivered at"), null=True, blank=True)
    updated_at = models.DateTimeField(_("updated at"))

    class Meta:
        verbose_name = _("fulfillment order")
        verbose_name_plural = _("fulfillment orders")
        indexes = [
            models.Index(fields=["state", "id"], name="fulfillment_state"),
            models.Index(fields=["merchant", "-id"], name="fulfillment_list"),
            models.Index(
                fields=["shipped_at"], name="fulfillment_shipped", condition=Q(shipped_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @transition(field=state, source=F_.PLANNED, target=F_.RESERVED)
    def to_reserved(self) -> None:
        """Its stock is taken."""

    @transition(field=state, source=F_.RESERVED, target=F_.RELEASED)
    def to_released(self) -> None:
        """Handed to the warehouse."""

    @transition(field=state, source=F_.RELEASED, target=F_.ACKNOWLEDGED)
    def to_acknowledged(self) -> None:
        """The warehouse took it over."""

    @transition(field=state, source=[F_.RELEASED, F_.ACKNOWLEDGED], target=F_.IN_PROGRESS)
    def to_in_progress(self) -> None:
        """Picking began."""

    @transition(
        field=state,
        source=[F_.RELEASED, F_.ACKNOWLEDGED, F_.IN_PROGRESS, F_.CANCEL_REQUESTED],
        target=F_.SHIPPED,
    )
    def to_shipped(self) -> None:
        """It left the warehouse."""

    @transition(field=state, source=F_.SHIPPED, target=F_.DELIVERED)
    def to_delivered(self) -> None:
        """All its parcels arrived."""

    @transition(field=state, source=[F_.RELEASED, F_.ACKNOWLEDGED, F_.IN_PROGRESS], target=F_.REJECTED)
    def to_rejected(self) -> None:
        """The warehouse refused it, or could ship nothing of it; its lines are open again."""

    @transition(
        field=state, source=[F_.RELEASED, F_.ACKNOWLEDGED, F_.IN_PROGRESS], target=F_.CANCEL_REQUESTED
    )
    def to_cancel_requested(self) -> None:
        """The warehouse was asked to stop."""

    @transition(field=state, source=[F_.PLANNED, F_.RESERVED, F_.CANCEL_REQUESTED], target=F_.CANCELLED)
    def to_cancelled(self) -> None:
        """Nothing of it ships."""

    @transition(field=state, source=F_.CANCEL_REQUESTED, target=F_.ACKNOWLEDGED)
    def to_cancel_refused(self) -> None:
        """The warehouse goes on: too late to stop."""


class FulfillmentLine(models.Model):
    """Units of one order line in this fulfillment order; `reserved` of them are held for it right now.

    They are taken from stock, or with `made_on` made to order: of that day of the factory's work, from no shelf.
    """

    fulfillment = models.ForeignKey(
        FulfillmentOrder, verbose_name=_("fulfillment order"), on_delete=models.CASCADE, related_name="lines"
    )
    order_line = models.ForeignKey(
        OrderLine, verbose_name=_("order line"), on_delete=models.PROTECT, related_name="parts"
    )
    sku = models.ForeignKey(Sku, verbose_name=_("SKU"), on_delete=models.PROTECT)
    quantity = models.PositiveIntegerField(_("quantity"))
    reserved = models.PositiveIntegerField(_("reserved"), default=0)
    shipped = models.PositiveIntegerField(_("shipped"), default=0)
    made_on = models.DateField(_("made to order on"), null=True, blank=True)

    class Meta:
        verbose_name = _("fulfillment line")
        verbose_name_plural = _("fulfillment lines")
        constraints = [
            models.CheckConstraint(
                condition=Q(quantity__gte=F("reserved") + F("shipped")),
                name="fulfillment_line_within_quantity",
            )
        ]
        indexes = [
            models.Index(fields=["sku"], name="fulfillment_line_reserved", condition=Q(reserved__gt=0))
        ]

    def __str__(self) -> str:
        return f"{self.fulfillment_id}/{self.order_line_id}"

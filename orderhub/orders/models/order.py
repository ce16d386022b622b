"""The order, its lines with the quantity ledger, and its machine."""

from __future__ import annotations

import uuid
from decimal import Decimal

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, transition

from orderhub.access.models import Merchant
from orderhub.inventory.models import Sku, Warehouse
from orderhub.orders.models.channel import Channel
from orderhub.orders.models.person import Person
from rules.models import FlowVersion


class Stage(models.TextChoices):
    """Where an order stands; computed by the journey and the roll-up of its lines, never set by hand."""

    RECEIVED = "received", _("received")
    REVIEWING = "reviewing", _("in review")
    ROUTED = "routed", _("routed")
    BACKORDERED = "backordered", _("waiting for stock")
    RELEASED = "released", _("released to warehouse")
    PARTIALLY_SHIPPED = "partially_shipped", _("partially shipped")
    SHIPPED = "shipped", _("shipped")
    PARTIALLY_DELIVERED = "partially_delivered", _("partially delivered")
    DELIVERED = "delivered", _("delivered")
    COMPLETED = "completed", _("completed")
    PARTIALLY_RETURNED = "partially_returned", _("partially returned")
    RETURNED = "returned", _("returned")
    CANCELLED = "cancelled", _("cancelled")
    MERGED = "merged", _("merged into another order")


S = Stage
_OPEN = [S.RECEIVED, S.REVIEWING, S.ROUTED, S.BACKORDERED, S.RELEASED]


class StepState(models.TextChoices):
    """What the journey does with the order next."""

    READY = "ready", _("ready")
    WAITING = "waiting", _("waiting")
    DONE = "done", _("done")


class Order(models.Model):
    """A sales order of one channel; `external_id` is the channel's own number, unique there."""

    class Payment(models.TextChoices):
        UNPAID = "unpaid", _("unpaid")
        PAID = "paid", _("paid")
        REFUNDED = "refunded", _("refunded")

    merchant = models.ForeignKey(Merchant, verbose_name=_("merchant"), on_delete=models.PROTECT)
    channel = models.ForeignKey(Channel, verbose_name=_("channel"), on_delete=models.PROTECT)
    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    share_nonce = models.PositiveIntegerField(default=0, editable=False)
    share_hash = models.CharField(max_length=64, unique=True, editable=False)
    external_id = models.CharField(_("channel order number"), max_length=100)
    source = models.CharField(_("source"), max_length=64, blank=True, help_text=_("api, or import:<id>"))
    content_hash = models.CharField(max_length=64, editable=False)
    placed_at = models.DateTimeField(_("placed at"))
    received_at = models.DateTimeField(_("received at"))
    payment = models.CharField(_("payment"), max_length=10, choices=Payment.choices, default=Payment.UNPAID)
    paid_at = models.DateTimeField(_("paid at"), null=True, blank=True)
    currency = models.CharField(_("currency"), max_length=3)
    goods_total = models.DecimalField(_("goods total"), max_digits=14, decimal_places=2)
    discount_total = models.DecimalField(_("discount"), max_digits=14, decimal_places=2, default=Decimal(0))
    total = models.DecimalField(_("total"), max_digits=14, decimal_places=2)
    country = models.CharField(_("country"), max_length=2)
    province = models.CharField(_("province"), max_length=60)
    city = models.CharField(_("city"), max_length=80)
    district = models.CharField(_("district"), max_length=80, blank=True)
    latitude = models.DecimalField(_("latitude"), max_digits=8, decimal_places=5)
    longitude = models.DecimalField(_("longitude"), max_digits=8, decimal_places=5)
    is_remote = models.BooleanField(_("remote region"), default=False)
    person = models.ForeignKey(Person, verbose_name=_("receiver"), on_delete=models.PROTECT)
    service = models.CharField(_("service"), max_length=20, default="standard")
    green = models.BooleanField(_("green delivery"), default=False)
    note = models.CharField(_("note"), max_length=500, blank=True)
    extra = models.JSONField(_("custom fields"), default=dict, blank=True)
    # What operators have defined (`orderhub.fields`); `extra` is what the channel sent along of its own.
    custom = models.JSONField(_("custom fields"), default=dict, db_default={}, blank=True)
    rule_versions = models.JSONField(_("rule versions used"), default=dict, blank=True)
    promised_at = models.DateTimeField(_("promised for"), null=True, blank=True)
    stage = FSMField(_("stage"), max_length=20, choices=Stage.choices, default=Stage.RECEIVED, protected=True)
    step = models.CharField(_("next step"), max_length=40, blank=True)
    step_state = models.CharField(
        _("step state"), max_length=8, choices=StepState.choices, default=StepState.READY
    )
    waiting_for = models.CharField(_("waiting for"), max_length=40, blank=True)
    attempts = models.PositiveSmallIntegerField(_("routing attempts"), default=0)
    # The drawn flow the order began with, the node it stands at (its step is `step`), and the nodes that did there what
    # is done once. Empty for orders on a flat list of steps.
    flow_version = models.ForeignKey(
        FlowVersion, verbose_name=_("flow version"), on_delete=models.PROTECT, null=True, blank=True, db_index=False,
        related_name="+",
    )  # fmt: skip
    flow_node = models.CharField(_("place in the flow"), max_length=24, blank=True, default="", db_default="")
    flow_marks = models.JSONField(default=list, db_default=[], blank=True, editable=False)
    tags = models.JSONField(_("tags"), default=list, db_default=[], blank=True)
    split_from = models.ForeignKey(
        "self", verbose_name=_("split from"), on_delete=models.PROTECT, null=True, blank=True, db_index=False,
        related_name="parts",
    )  # fmt: skip
    merged_into = models.ForeignKey(
        "self", verbose_name=_("merged into"), on_delete=models.PROTECT, null=True, blank=True, db_index=False,
        related_name="merged",
    )  # fmt: skip
    # Somebody moved it there: no other warehouse is asked for what is not shipped yet.
    only_at = models.ForeignKey(
        Warehouse, verbose_name=_("only from"), on_delete=models.PROTECT, null=True, blank=True, db_index=False,
        related_name="+",
    )  # fmt: skip
    # What it costs was settled when it was split or merged: promotions are not worked out afresh.
    money_fixed = models.BooleanField(default=False, db_default=False, editable=False)
    version = models.PositiveIntegerField(_("version"), default=1)
    updated_at = models.DateTimeField(_("updated at"))

    class Meta:
        verbose_name = _("order")
        verbose_name_plural = _("orders")
        constraints = [models.UniqueConstraint(fields=["channel", "external_id"], name="orders_order_once")]
        indexes = [
            models.Index(fields=["merchant", "-id"], name="orders_order_list"),
            models.Index(fields=["merchant", "external_id"], name="orders_order_external"),
            models.Index(fields=["merchant", "source", "id"], name="orders_order_source"),
            # What partners walk to keep in step with us.
            models.Index(fields=["merchant", "updated_at", "id"], name="orders_order_changed"),
            models.Index(fields=["stage", "id"], name="orders_order_stage"),
            # The Today page counts what came in lately.
            models.Index(fields=["received_at"], name="orders_order_received"),
            models.Index(
                fields=["waiting_for", "id"], name="orders_order_waiting", condition=~Q(waiting_for="")
            ),
            # Who still walks an older version of a flow.
            models.Index(
                fields=["flow_version", "id"],
                name="orders_order_flow",
                condition=Q(flow_version__isnull=False) & ~Q(step_state="done"),
            ),
            models.Index(
                fields=["split_from"], name="orders_order_parts", condition=Q(split_from__isnull=False)
            ),
            models.Index(
                fields=["merged_into"], name="orders_order_merged", condition=Q(merged_into__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return self.number

    # Each transition names the only ways into a stage; orders.lifecycle fires them and records the event.
    @transition(field=stage, source=[S.RECEIVED, S.ROUTED, S.BACKORDERED], target=S.REVIEWING)
    def to_reviewing(self) -> None:
        """A hold was placed before release."""

    @transition(
        field=stage,
        source=[S.REVIEWING, S.BACKORDERED, S.ROUTED, S.RELEASED, S.CANCELLED, S.MERGED],
        target=S.RECEIVED,
    )
    def to_received(self) -> None:
        """The last hold is gone, the order is routed afresh, or its cancellation or merge is undone."""

    @transition(field=stage, source=[S.RECEIVED, S.REVIEWING, S.BACKORDERED, S.RELEASED], target=S.ROUTED)
    def to_routed(self) -> None:
        """Every line has a place it ships from."""

    @transition(
        field=stage,
        source=[S.RECEIVED, S.REVIEWING, S.ROUTED, S.RELEASED, S.PARTIALLY_SHIPPED],
        target=S.BACKORDERED,
    )
    def to_backordered(self) -> None:
        """No warehouse can ship what is left; retried when stock arrives."""

    @transition(field=stage, source=[S.ROUTED, S.RECEIVED, S.BACKORDERED, S.REVIEWING], target=S.RELEASED)
    def to_released(self) -> None:
        """Handed to the warehouses."""

    @transition(
        field=stage,
        source=[S.ROUTED, S.RELEASED, S.BACKORDERED, S.RECEIVED, S.REVIEWING],
        target=S.PARTIALLY_SHIPPED,
    )
    def to_partially_shipped(self) -> None:
        """Some units left."""

    @transition(
        field=stage,
        source=[S.RELEASED, S.PARTIALLY_SHIPPED, S.PARTIALLY_DELIVERED, S.BACKORDERED, S.REVIEWING],
        target=S.SHIPPED,
    )
    def to_shipped(self) -> None:
        """All open units left."""

    @transition(
        field=stage,
        source=[S.SHIPPED, S.PARTIALLY_SHIPPED, S.RELEASED, S.BACKORDERED, S.REVIEWING],
        target=S.PARTIALLY_DELIVERED,
    )
    def to_partially_delivered(self) -> None:
        """Some units reached the receiver."""

    @transition(
        field=stage, source=[S.SHIPPED, S.PARTIALLY_DELIVERED, S.PARTIALLY_SHIPPED], target=S.DELIVERED
    )
    def to_delivered(self) -> None:
        """Every unit that was shipped reached the receiver."""

    @transition(field=stage, source=S.DELIVERED, target=S.COMPLETED)
    def to_completed(self) -> None:
        """The time for claims is over."""

    # A refused parcel comes back without ever being delivered, so units may return from every shipped stage.
    @transition(
        field=stage,
        source=[S.PARTIALLY_SHIPPED, S.SHIPPED, S.PARTIALLY_DELIVERED, S.DELIVERED, S.COMPLETED],
        target=S.PARTIALLY_RETURNED,
    )
    def to_partially_returned(self) -> None:
        """Some units came back."""

    @transition(
        field=stage,
        source=[S.SHIPPED, S.PARTIALLY_DELIVERED, S.DELIVERED, S.COMPLETED, S.PARTIALLY_RETURNED],
        target=S.RETURNED,
    )
    def to_returned(self) -> None:
        """Every unit came back."""

    @transition(field=stage, source=_OPEN, target=S.CANCELLED)
    def to_cancelled(self) -> None:
        """Nothing of it will be shipped."""

    @transition(field=stage, source=[S.RECEIVED, S.REVIEWING, S.ROUTED, S.BACKORDERED], target=S.MERGED)
    def to_merged(self) -> None:
        """Its lines went over to another order, which ships for both."""

    @property
    def number(self) -> str:
        """Our own order number, e.g. OH261122-00017; its last digits are the row's id."""
        return f"OH{self.received_at:%y%m%d}-{self.pk or 0:05d}"

    @property
    def stream(self) -> str:
        """The order's stream in the event log."""
        return f"order:{self.pk}"


class OrderLine(models.Model):
    """One SKU of an order with its quantity ledger; the seven columns always add up."""

    order = models.ForeignKey(Order, verbose_name=_("order"), on_delete=models.CASCADE, related_name="lines")
    position = models.PositiveSmallIntegerField(_("position"))
    # The channel's order a line was sold with, where a merge brought it here; the channel asks by that number.
    origin = models.ForeignKey(
        Order, verbose_name=_("sold with order"), on_delete=models.PROTECT, null=True, blank=True,
        db_index=False, related_name="lines_elsewhere",
    )  # fmt: skip
    sku = models.ForeignKey(Sku, verbose_name=_("SKU"), on_delete=models.PROTECT)
    name = models.CharField(_("name"), max_length=200)
    unit_price = models.DecimalField(_("unit price"), max_digits=14, decimal_places=4)
    line_total = models.DecimalField(_("line total"), max_digits=14, decimal_places=2)
    discount = models.DecimalField(_("discount"), max_digits=14, decimal_places=2, default=Decimal(0))
    ordered = models.PositiveIntegerField(_("ordered"))
    open = models.PositiveIntegerField(_("open"))
    backordered = models.PositiveIntegerField(_("backordered"), default=0)
    allocated = models.PositiveIntegerField(_("allocated"), default=0)
    released = models.PositiveIntegerField(_("released"), default=0)
    shipped = models.PositiveIntegerField(_("shipped"), default=0)
    cancelled = models.PositiveIntegerField(_("cancelled"), default=0)
    delivered = models.PositiveIntegerField(_("delivered"), default=0)
    returned = models.PositiveIntegerField(_("returned"), default=0)
    # Shipped units that an exchange or a resend stands for: each is replaced once.
    replaced = models.PositiveIntegerField(_("replaced"), default=0, db_default=0)
    custom = models.JSONField(_("custom fields"), default=dict, db_default={}, blank=True)

    class Meta:
        verbose_name = _("order line")
        verbose_name_plural = _("order lines")
        constraints = [
            models.UniqueConstraint(fields=["order", "position"], name="orders_line_position"),
            models.CheckConstraint(
                condition=Q(
                    ordered=F("open")
                    + F("backordered")
                    + F("allocated")
                    + F("released")
                    + F("shipped")
                    + F("cancelled")
                ),
                name="orders_line_ledger",
            ),
            models.CheckConstraint(
                condition=Q(delivered__lte=F("shipped")) & Q(returned__lte=F("shipped")),
                name="orders_line_after_shipping",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.order_id}/{self.position}"


class Original(models.Model):
    """What the channel sent, word for word (原始单); personal data inside is erased with the person."""

    order = models.OneToOneField(Order, on_delete=models.CASCADE, primary_key=True, related_name="original")
    payload = models.JSONField()

    class Meta:
        verbose_name = _("channel document")
        verbose_name_plural = _("channel documents")

    def __str__(self) -> str:
        return str(self.order_id)

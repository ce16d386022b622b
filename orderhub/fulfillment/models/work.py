"""Work orders: what a factory makes for one fulfillment order, how far it is, and what it needs of components."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from orderhub.access.models import Merchant
from orderhub.fulfillment.models.fulfillment import FulfillmentLine, FulfillmentOrder
from orderhub.inventory.models import Sku


class WorkOrder(models.Model):
    """The making of one fulfillment order's lines; the factory's steps are data on it, never a machine.

    `planned_*` is what we reckoned at release, `told_finish_at` what the factory says since; the later news counts.
    """

    class State(models.TextChoices):
        RELEASED = "released", _("sent to the factory")
        ACCEPTED = "accepted", _("accepted by the factory")
        STARTED = "started", _("being made")
        FINISHED = "finished", _("made")
        CANCELLED = "cancelled", _("cancelled")

    class Quality(models.TextChoices):
        NONE = "", _("not inspected yet")
        PASSED = "passed", _("passed inspection")
        FAILED = "failed", _("did not pass inspection")
        REWORK = "rework", _("being reworked")

    merchant = models.ForeignKey(Merchant, verbose_name=_("merchant"), on_delete=models.PROTECT)
    fulfillment = models.OneToOneField(
        FulfillmentOrder, verbose_name=_("fulfillment order"), on_delete=models.PROTECT, related_name="work"
    )
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.RELEASED)
    quality = models.CharField(
        _("inspection"), max_length=8, choices=Quality.choices, default=Quality.NONE, blank=True
    )
    quantity = models.PositiveIntegerField(_("units to make"))
    good = models.PositiveIntegerField(_("units made"), default=0)
    scrap = models.PositiveIntegerField(_("units scrapped"), default=0)
    step = models.CharField(_("last step"), max_length=80, blank=True)
    due_at = models.DateTimeField(_("due"), null=True, blank=True)
    planned_start_at = models.DateTimeField(_("planned start"))
    planned_finish_at = models.DateTimeField(_("planned finish"))
    told_finish_at = models.DateTimeField(_("finish the factory plans"), null=True, blank=True)
    #: When the factory said so: an older plan that comes late changes nothing.
    plan_said_at = models.DateTimeField(null=True, editable=False)
    #: The same for what the inspection said.
    quality_said_at = models.DateTimeField(null=True, editable=False)
    started_at = models.DateTimeField(_("started at"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)
    last_told_at = models.DateTimeField(_("last word"), null=True, blank=True)
    stalled_at = models.DateTimeField(_("late without a word since"), null=True, blank=True)
    #: When the factory's shelf was first looked at for its components.
    checked_at = models.DateTimeField(null=True, editable=False)
    #: What could not be taken apart: a bill of materials somebody must mend.
    bom_fault = models.CharField(_("fault of the bill of materials"), max_length=300, blank=True)
    created_at = models.DateTimeField(_("created at"))

    class Meta:
        verbose_name = _("work order")
        verbose_name_plural = _("work orders")
        constraints = [
            models.CheckConstraint(condition=Q(good__lte=F("quantity")), name="fulfillment_work_within")
        ]
        indexes = [
            models.Index(fields=["merchant", "-id"], name="fulfillment_work_list"),
            models.Index(
                fields=["id"], name="fulfillment_work_open",
                condition=Q(state__in=["released", "accepted", "started"]),
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.fulfillment.number

    @property
    def finish_at(self) -> datetime:
        """When it is expected to be made, by the last word."""
        return self.told_finish_at or self.planned_finish_at


class WorkStep(models.Model):
    """One thing a factory told of a work order, once by its key."""

    work = models.ForeignKey(
        WorkOrder, verbose_name=_("work order"), on_delete=models.CASCADE, related_name="steps"
    )
    key = models.CharField(_("key"), max_length=80)
    event = models.CharField(_("what happened"), max_length=20)
    name = models.CharField(_("step"), max_length=80, blank=True)
    good = models.PositiveIntegerField(_("units"), null=True)
    scrap = models.PositiveIntegerField(_("units scrapped"), null=True)
    planned_at = models.DateTimeField(_("planned finish"), null=True)
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    said_at = models.DateTimeField(_("as of"))
    received_at = models.DateTimeField(_("received at"))

    class Meta:
        verbose_name = _("step of a work order")
        verbose_name_plural = _("steps of work orders")
        constraints = [models.UniqueConstraint(fields=["work", "key"], name="fulfillment_workstep_once")]

    def __str__(self) -> str:
        return f"{self.work_id} {self.event} {self.name}".strip()


class ComponentHold(models.Model):
    """What a made line needs of one component, and what of it the factory's own shelf holds for it.

    `reserved` units lie on the shelf for it, `used` have left it. A factory without a stock row keeps no such component:
    then both stay 0 and nothing is short.
    """

    work = models.ForeignKey(
        WorkOrder, verbose_name=_("work order"), on_delete=models.CASCADE, related_name="components"
    )
    line = models.ForeignKey(
        FulfillmentLine,
        verbose_name=_("fulfillment line"),
        on_delete=models.PROTECT,
        related_name="components",
    )
    sku = models.ForeignKey(Sku, verbose_name=_("component"), on_delete=models.PROTECT, related_name="+")
    needed = models.DecimalField(_("quantity needed"), max_digits=24, decimal_places=8)
    unit = models.CharField(_("unit"), max_length=12, blank=True)
    units = models.PositiveIntegerField(_("whole units"))
    reserved = models.PositiveIntegerField(_("reserved"), default=0)
    used = models.PositiveIntegerField(_("used up"), default=0)
    is_kept = models.BooleanField(_("kept by the factory"), default=True)
    #: Ids of components that may be used where it is short, each with how much replaces one unit, the best first.
    instead = models.JSONField(default=list, blank=True, editable=False)
    expected_at = models.DateTimeField(_("expected on"), null=True, blank=True)

    class Meta:
        verbose_name = _("component of a work order")
        verbose_name_plural = _("components of work orders")
        constraints = [
            models.UniqueConstraint(fields=["line", "sku"], name="fulfillment_component_once"),
            models.CheckConstraint(
                condition=Q(reserved__lte=F("units")) & Q(used__lte=F("units")),
                name="fulfillment_component_within",
            ),
        ]
        indexes = [
            models.Index(fields=["sku"], name="fulfillment_component_held", condition=Q(reserved__gt=0))
        ]

    def __str__(self) -> str:
        return f"{self.line_id}/{self.sku_id}"

    @property
    def short(self) -> int:
        """Whole units that are missing."""
        return max(0, self.units - self.reserved - self.used) if self.is_kept else 0

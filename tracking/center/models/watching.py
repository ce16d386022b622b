"""What is watched: where each part of an order stands, until when news is due, the alerts, and how long lanes took."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from orderhub.access.models import Merchant
from orderhub.fulfillment.models import Parcel
from orderhub.orders.models import Order
from tracking.center.models.templates import Calendar, JourneyTemplate


class StallRule(models.Model):
    """When somebody must look: no news after a milestone, a milestone that is trouble itself, or a promise at risk."""

    class Sort(models.TextChoices):
        STALL = "stall", _("no news after")
        EVENT = "event", _("trouble told")
        LATE = "late", _("will be late")

    class Severity(models.TextChoices):
        CRITICAL = "critical", _("critical")
        HIGH = "high", _("high")
        NORMAL = "normal", _("normal")

    class Deed(models.TextChoices):
        LOOK = "look", _("look at the order")
        REROUTE = "reroute", _("send it from another warehouse")
        WAREHOUSE = "warehouse", _("ask the warehouse")
        FACTORY = "factory", _("ask the factory")
        CARRIER = "carrier", _("ask the carrier")
        CUSTOMER = "customer", _("ask the customer")
        CUSTOMS = "customs", _("complete the customs papers")
        COMPENSATE = "compensate", _("send again or compensate")

    merchant = models.ForeignKey(
        Merchant, verbose_name=_("merchant"), null=True, blank=True, on_delete=models.PROTECT,
        help_text=_("Empty: for every merchant."),
    )  # fmt: skip
    code = models.SlugField(_("code"), max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=80)
    name_en = models.CharField(_("English name"), max_length=80, blank=True, default="", db_default="")
    sort = models.CharField(_("sort"), max_length=5, choices=Sort.choices, default=Sort.STALL)
    milestones = models.CharField(
        _("milestones"), max_length=300, blank=True, default="", db_default="", help_text=_("Codes, parted by commas."),
    )  # fmt: skip
    times = models.PositiveSmallIntegerField(
        _("so many times"), default=1, db_default=1, help_text=_("For trouble told: attempted twice is 2.")
    )
    hours = models.DecimalField(
        _("limit in hours"),
        max_digits=8,
        decimal_places=2,
        default=0,
        help_text=_("Working time of the calendar."),
    )
    is_learned = models.BooleanField(
        _("learn the limit"), default=False, db_default=False,
        help_text=_("Where 30 parcels of the lane, else of the carrier, are known: what 19 in 20 of them needed."),
    )  # fmt: skip
    calendar = models.ForeignKey(
        Calendar, verbose_name=_("working calendar"), null=True, blank=True, on_delete=models.PROTECT,
        help_text=_("Empty: around the clock."),
    )  # fmt: skip
    template = models.ForeignKey(
        JourneyTemplate, verbose_name=_("milestone template"), null=True, blank=True, on_delete=models.PROTECT,
    )  # fmt: skip
    carrier = models.CharField(_("carrier code"), max_length=40, blank=True, default="", db_default="")
    origin = models.CharField(_("from province"), max_length=60, blank=True, default="", db_default="")
    destination = models.CharField(_("to province"), max_length=60, blank=True, default="", db_default="")
    season_from = models.DateField(_("season from"), null=True, blank=True)
    season_to = models.DateField(_("season until"), null=True, blank=True)
    severity = models.CharField(
        _("severity"),
        max_length=8,
        choices=Severity.choices,
        default=Severity.NORMAL,
        db_default=Severity.NORMAL.value,
    )
    escalate_hours = models.DecimalField(
        _("escalate after hours"), max_digits=6, decimal_places=2, null=True, blank=True,
        help_text=_("Nobody took it: one severity more, and it is told again."),
    )  # fmt: skip
    deed = models.CharField(
        _("suggested action"),
        max_length=10,
        choices=Deed.choices,
        default=Deed.LOOK,
        db_default=Deed.LOOK.value,
    )
    tells = models.CharField(
        _("mail to"),
        max_length=300,
        blank=True,
        default="",
        db_default="",
        help_text=_("Addresses, parted by commas."),
    )
    is_active = models.BooleanField(_("active"), default=True, db_default=True)
    is_shipped = models.BooleanField(
        _("comes with OrderHub"), default=False, db_default=False, editable=False
    )

    class Meta:
        verbose_name = _("alert rule")
        verbose_name_plural = _("alert rules")
        ordering = ("code",)

    def __str__(self) -> str:
        return self.name


class Standing(models.Model):
    """Where one part of an order stands: the order itself, a fulfillment order (f:number) or a parcel (p:id).

    `clock_at` is when the limit began to run: since the milestone, moved on by the time on hold. `due_at` is when news
    is due by `rule`; empty while nothing is watched.
    """

    order = models.ForeignKey(
        Order, verbose_name=_("order"), on_delete=models.CASCADE, related_name="standings"
    )
    merchant = models.ForeignKey(Merchant, verbose_name=_("merchant"), on_delete=models.PROTECT)
    subject = models.CharField(_("part"), max_length=60)
    parcel = models.ForeignKey(
        Parcel, verbose_name=_("parcel"), null=True, on_delete=models.CASCADE, related_name="+"
    )
    seq = models.PositiveIntegerField(default=0)
    milestone = models.CharField(_("milestone"), max_length=40, blank=True)
    since_at = models.DateTimeField(_("since"))
    clock_at = models.DateTimeField()
    place = models.CharField(_("place"), max_length=120, blank=True, default="", db_default="")
    is_open = models.BooleanField(default=True, db_default=True)
    holds = models.JSONField(default=list, db_default=[])
    held_at = models.DateTimeField(null=True)
    #: Every moment each milestone was told for, in order.
    passed = models.JSONField(default=dict, db_default={})
    counts = models.JSONField(default=dict, db_default={})
    carrier = models.CharField(_("carrier code"), max_length=40, blank=True, default="", db_default="")
    warehouse = models.CharField(_("warehouse"), max_length=40, blank=True, default="", db_default="")
    origin = models.CharField(_("from province"), max_length=60, blank=True, default="", db_default="")
    destination = models.CharField(_("to province"), max_length=60, blank=True, default="", db_default="")
    rule = models.ForeignKey(StallRule, null=True, on_delete=models.SET_NULL, related_name="+")
    due_at = models.DateTimeField(_("news is due"), null=True)

    class Meta:
        verbose_name = _("standing")
        verbose_name_plural = _("standings")
        constraints = [models.UniqueConstraint(fields=["order", "subject"], name="center_standing_once")]
        indexes = [
            models.Index(
                fields=["due_at"], name="center_standing_due", condition=Q(is_open=True, due_at__isnull=False)
            )
        ]

    def __str__(self) -> str:
        return f"{self.subject} {self.milestone}"


class Alert(models.Model):
    """Something a person must look at, once per part and rule while it is open; it closes itself with the next news."""

    standing = models.ForeignKey(Standing, on_delete=models.CASCADE, related_name="alerts")
    order = models.ForeignKey(Order, verbose_name=_("order"), on_delete=models.CASCADE, related_name="alerts")
    merchant = models.ForeignKey(Merchant, verbose_name=_("merchant"), on_delete=models.PROTECT)
    rule = models.ForeignKey(
        StallRule, verbose_name=_("alert rule"), on_delete=models.PROTECT, related_name="alerts"
    )
    severity = models.CharField(_("severity"), max_length=8, choices=StallRule.Severity.choices)
    milestone = models.CharField(_("milestone"), max_length=40)
    since_at = models.DateTimeField(_("since"))
    due_at = models.DateTimeField(_("was due"))
    opened_at = models.DateTimeField(_("opened at"))
    #: Parcels of one place, warehouse or carrier stand together in the control tower.
    group = models.CharField(_("group"), max_length=160, blank=True, default="", db_default="")
    consequence = models.FloatField(_("consequence"), default=0.0, db_default=0.0)
    escalate_at = models.DateTimeField(null=True)
    escalated_at = models.DateTimeField(_("escalated at"), null=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("taken by"),
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    taken_at = models.DateTimeField(_("taken at"), null=True)
    snoozed_until = models.DateTimeField(_("put off until"), null=True)
    note = models.CharField(_("note"), max_length=300, blank=True, default="", db_default="")
    cleared_at = models.DateTimeField(_("cleared at"), null=True)
    cause = models.CharField(_("cleared by"), max_length=60, blank=True, default="", db_default="")
    #: How far the log was told: opened, escalated, cleared. Behind what is true, it is told.
    told = models.CharField(max_length=10, blank=True, default="", db_default="")
    is_untold = models.BooleanField(default=True, db_default=True)

    class Meta:
        verbose_name = _("alert")
        verbose_name_plural = _("alerts")
        constraints = [
            models.UniqueConstraint(
                fields=["standing", "rule"],
                condition=Q(cleared_at__isnull=True),
                name="center_alert_open_once",
            )
        ]
        indexes = [
            models.Index(fields=["merchant", "-consequence"], name="center_alert_open", condition=Q(cleared_at__isnull=True)),
            models.Index(fields=["id"], name="center_alert_untold", condition=Q(is_untold=True)),
            models.Index(
                fields=["escalate_at"], name="center_alert_escalate",
                condition=Q(cleared_at__isnull=True, escalate_at__isnull=False),
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.rule_id} {self.standing_id}"


class LaneTime(models.Model):
    """How long parcels of a lane took in a month: from a milestone to the next news (step) or to the door (rest)."""

    class Sort(models.TextChoices):
        STEP = "step", _("to the next news")
        REST = "rest", _("to the door")

    merchant = models.ForeignKey(Merchant, verbose_name=_("merchant"), on_delete=models.CASCADE)
    sort = models.CharField(_("sort"), max_length=4, choices=Sort.choices)
    carrier = models.CharField(_("carrier code"), max_length=40)
    origin = models.CharField(_("from province"), max_length=60, blank=True)
    destination = models.CharField(_("to province"), max_length=60, blank=True)
    milestone = models.CharField(_("milestone"), max_length=40)
    month = models.DateField(_("month"))
    counts = models.JSONField(default=dict)
    samples = models.PositiveIntegerField(_("samples"), default=0)
    #: The counts as of last night: what limits and arrivals are reckoned with, so that they hold still by day.
    known = models.JSONField(default=dict, db_default={})

    class Meta:
        verbose_name = _("lane time")
        verbose_name_plural = _("lane times")
        constraints = [
            models.UniqueConstraint(
                fields=["merchant", "sort", "carrier", "origin", "destination", "milestone", "month"],
                name="center_lanetime_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.carrier} {self.origin}–{self.destination} {self.milestone}"


class Expectation(models.Model):
    """When a parcel is expected, as it was told last, and what it was told for."""

    parcel = models.OneToOneField(
        Parcel, verbose_name=_("parcel"), on_delete=models.CASCADE, related_name="expectation"
    )
    earliest_at = models.DateTimeField(_("earliest arrival"))
    latest_at = models.DateTimeField(_("latest arrival"))
    because = models.CharField(_("because of"), max_length=40, blank=True)
    place = models.CharField(_("place"), max_length=120, blank=True, default="", db_default="")
    basis = models.CharField(_("rests on"), max_length=8)
    changed_at = models.DateTimeField(_("changed at"))

    class Meta:
        verbose_name = _("expected arrival")
        verbose_name_plural = _("expected arrivals")

    def __str__(self) -> str:
        return f"{self.parcel_id} {self.earliest_at}–{self.latest_at}"

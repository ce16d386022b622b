"""Working calendars and milestone templates: what a sort of business goes through, and how long each step takes."""

from __future__ import annotations

from datetime import time

from django.db import models
from django.utils.translation import gettext_lazy as _

from orderhub.access.models import Merchant
from orderhub.orders.models import Channel, Order


class Calendar(models.Model):
    """When somebody works: weekdays, hours, and the public holidays of a country with the days worked instead."""

    merchant = models.ForeignKey(
        Merchant, verbose_name=_("merchant"), null=True, blank=True, on_delete=models.PROTECT,
        help_text=_("Empty: for every merchant."),
    )  # fmt: skip
    code = models.SlugField(_("code"), max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=80)
    name_en = models.CharField(_("English name"), max_length=80, blank=True, default="", db_default="")
    zone = models.CharField(
        _("time zone"), max_length=40, default="Asia/Shanghai", db_default="Asia/Shanghai"
    )
    weekdays = models.CharField(
        _("weekdays"), max_length=7, default="12345", db_default="12345", help_text=_("1 is Monday, 7 is Sunday."),
    )  # fmt: skip
    opens_at = models.TimeField(_("opens at"), default=time(9), db_default=time(9))
    closes_at = models.TimeField(
        _("closes at"),
        default=time(18),
        db_default=time(18),
        help_text=_("The same as opening: around the clock."),
    )
    country = models.CharField(
        _("holidays of"), max_length=2, blank=True, default="", db_default="",
        help_text=_("Country code; empty works through holidays."),
    )  # fmt: skip
    is_shipped = models.BooleanField(
        _("comes with OrderHub"), default=False, db_default=False, editable=False
    )

    class Meta:
        verbose_name = _("working calendar")
        verbose_name_plural = _("working calendars")

    def __str__(self) -> str:
        return self.name


class CalendarDay(models.Model):
    """A day that is otherwise than its weekday says: a holiday, or a weekend day that is worked."""

    country = models.CharField(_("country"), max_length=2)
    date = models.DateField(_("day"))
    is_open = models.BooleanField(_("worked"), default=False, db_default=False)
    name = models.CharField(_("name"), max_length=80, blank=True, default="", db_default="")
    name_en = models.CharField(_("English name"), max_length=80, blank=True, default="", db_default="")

    class Meta:
        verbose_name = _("holiday")
        verbose_name_plural = _("holidays")
        ordering = ("-date",)
        constraints = [models.UniqueConstraint(fields=["country", "date"], name="center_calendarday_once")]

    def __str__(self) -> str:
        return f"{self.country} {self.date}"


class JourneyTemplate(models.Model):
    """The milestones a sort of business plans with; the first that fits an order, by priority, is its own."""

    merchant = models.ForeignKey(
        Merchant, verbose_name=_("merchant"), null=True, blank=True, on_delete=models.PROTECT,
        help_text=_("Empty: for every merchant."),
    )  # fmt: skip
    code = models.SlugField(_("code"), max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=80)
    name_en = models.CharField(_("English name"), max_length=80, blank=True, default="", db_default="")
    calendar = models.ForeignKey(
        Calendar, verbose_name=_("working calendar"), null=True, blank=True, on_delete=models.PROTECT,
        help_text=_("Empty: around the clock."),
    )  # fmt: skip
    channel = models.ForeignKey(
        Channel, verbose_name=_("channel"), null=True, blank=True, on_delete=models.PROTECT,
        help_text=_("Only orders of this channel; empty takes all."),
    )  # fmt: skip
    sku_prefix = models.CharField(
        _("SKU begins with"), max_length=40, blank=True, default="", db_default="",
        help_text=_("Only orders with such a SKU; several are parted by |."),
    )  # fmt: skip
    service = models.CharField(_("service"), max_length=20, blank=True, default="", db_default="")
    priority = models.SmallIntegerField(
        _("priority"), default=0, db_default=0, help_text=_("The highest that fits is taken.")
    )
    is_active = models.BooleanField(_("active"), default=True, db_default=True)
    is_shipped = models.BooleanField(
        _("comes with OrderHub"), default=False, db_default=False, editable=False
    )

    class Meta:
        verbose_name = _("milestone template")
        verbose_name_plural = _("milestone templates")
        ordering = ("-priority", "code")

    def __str__(self) -> str:
        return self.name


class TemplateStep(models.Model):
    """One milestone of a template, so many hours after the one before it."""

    class Shown(models.TextChoices):
        CUSTOMER = "customer", _("customer")
        BOARD = "board", _("board")
        STAFF = "staff", _("staff")

    template = models.ForeignKey(
        JourneyTemplate, verbose_name=_("milestone template"), on_delete=models.CASCADE, related_name="steps"
    )
    position = models.PositiveIntegerField(_("place"), default=0)
    milestone = models.CharField(_("milestone"), max_length=40)
    name = models.CharField(
        _("step"), max_length=80, blank=True, default="", db_default="",
        help_text=_("For production: what the factory calls the step."),
    )  # fmt: skip
    name_en = models.CharField(_("step in English"), max_length=80, blank=True, default="", db_default="")
    hours = models.DecimalField(_("hours after the step before"), max_digits=8, decimal_places=2)
    works = models.BooleanField(
        _("working time"),
        default=True,
        db_default=True,
        help_text=_("Off: around the clock, as transport is."),
    )
    is_optional = models.BooleanField(_("optional"), default=False, db_default=False)
    shown_to = models.CharField(
        _("planned date is shown to"), max_length=8, choices=Shown.choices, default=Shown.STAFF,
        db_default=Shown.STAFF.value,
    )  # fmt: skip

    class Meta:
        verbose_name = _("step of a template")
        verbose_name_plural = _("steps of a template")
        ordering = ("position", "pk")

    def __str__(self) -> str:
        return f"{self.position} {self.milestone}"


class OrderPlan(models.Model):
    """The template an order began with, as it stood then, and the dates that came of it."""

    order = models.OneToOneField(
        Order, verbose_name=_("order"), on_delete=models.CASCADE, related_name="milestone_plan"
    )
    merchant = models.ForeignKey(Merchant, verbose_name=_("merchant"), on_delete=models.PROTECT)
    template = models.ForeignKey(
        JourneyTemplate, verbose_name=_("milestone template"), on_delete=models.PROTECT, related_name="plans"
    )
    begun_at = models.DateTimeField(_("began at"))
    steps = models.JSONField(_("steps"), default=list)
    planned = models.JSONField(_("planned"), default=dict)

    class Meta:
        verbose_name = _("order's plan")
        verbose_name_plural = _("orders' plans")

    def __str__(self) -> str:
        return f"{self.order_id} {self.template_id}"

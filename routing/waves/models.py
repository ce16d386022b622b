"""When a merchant's orders are picked, and every wave with what planning it together was worth."""

from __future__ import annotations

from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from orderhub.access.models import Merchant
from routing.waves import calendar


class WaveSchedule(models.Model):
    """The pick waves of a merchant: its orders wait for the next one, and are planned together before it."""

    merchant = models.ForeignKey(Merchant, verbose_name=_("merchant"), on_delete=models.PROTECT)
    name = models.CharField(_("name"), max_length=80)
    name_en = models.CharField(_("English name"), max_length=80, blank=True)
    times = models.CharField(
        _("times of the day"), max_length=200, blank=True, help_text=_("e.g. 10:00, 14:00, 17:30")
    )
    every_hours = models.PositiveSmallIntegerField(
        _("or every so many hours"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(24)],
        help_text=_("Counted from midnight; times of the day are left empty then."),
    )
    time_zone = models.CharField(_("time zone"), max_length=40, default="Asia/Shanghai")
    replan_minutes = models.PositiveSmallIntegerField(
        _("minutes before the release to plan anew"),
        default=5,
        validators=[MaxValueValidator(120)],
        help_text=_("0 plans at the moment of the release."),
    )
    max_changes = models.PositiveIntegerField(
        _("at most changed orders"),
        null=True,
        blank=True,
        help_text=_("Empty means no limit; 0 changes nothing."),
    )
    seconds_limit = models.PositiveSmallIntegerField(
        _("seconds to think"), default=5, validators=[MinValueValidator(1), MaxValueValidator(60)]
    )
    is_active = models.BooleanField(
        _("active"),
        default=True,
        help_text=_("Switched off, the waiting orders go to the warehouses at once."),
    )
    #: Releases before this are none of this schedule's: when it was switched on, or its times were changed.
    counts_from = models.DateTimeField(_("counts from"), editable=False)
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("pick wave schedule")
        verbose_name_plural = _("pick wave schedules")
        constraints = [
            models.UniqueConstraint(
                fields=["merchant"], condition=Q(is_active=True), name="routing_waves_one_schedule"
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def timetable(self) -> calendar.Timetable:
        """When its waves are released; ValueError if it says neither times nor hours."""
        if self.every_hours:
            return calendar.every(self.every_hours, self.time_zone)
        return calendar.daily(
            [text.strip() for text in self.times.split(",") if text.strip()], self.time_zone
        )


class PickWave(models.Model):
    """One release of waiting orders, what re-planning them together changed and saved."""

    class State(models.TextChoices):
        OPEN = "open", _("collecting")
        PLANNED = "planned", _("planned together")
        RELEASED = "released", _("released")

    merchant = models.ForeignKey(Merchant, verbose_name=_("merchant"), on_delete=models.PROTECT)
    schedule = models.ForeignKey(
        WaveSchedule, verbose_name=_("schedule"), on_delete=models.PROTECT, related_name="waves"
    )
    releases_at = models.DateTimeField(_("released at"))
    is_manual = models.BooleanField(_("by hand"), default=False)
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.OPEN)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    planned_at = models.DateTimeField(_("planned at"), null=True)
    released_at = models.DateTimeField(_("finished at"), null=True)
    orders = models.PositiveIntegerField(_("orders planned together"), default=0)
    untouched = models.PositiveIntegerField(_("left as they were"), default=0)
    changed = models.PositiveIntegerField(_("orders changed"), default=0)
    conflicts = models.PositiveIntegerField(_("changes not possible any more"), default=0)
    released = models.PositiveIntegerField(_("orders released"), default=0)
    #: In ¥, over the orders planned together; after: with the changes that were made.
    cost_before = models.DecimalField(_("cost before"), max_digits=16, decimal_places=4, null=True)
    cost_after = models.DecimalField(_("cost after"), max_digits=16, decimal_places=4, null=True)
    lower_bound = models.DecimalField(_("cost at least"), max_digits=16, decimal_places=4, null=True)
    gap = models.DecimalField(_("certified gap"), max_digits=9, decimal_places=6, null=True)
    seconds = models.DecimalField(_("seconds"), max_digits=8, decimal_places=3, null=True)
    changes: models.JSONField[Any, Any] = models.JSONField(_("changes"), default=list)
    loads: models.JSONField[Any, Any] = models.JSONField(_("load by warehouse"), default=list)
    error = models.CharField(_("error"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("pick wave")
        verbose_name_plural = _("pick waves")
        constraints = [
            models.UniqueConstraint(fields=["schedule", "releases_at"], name="routing_waves_once"),
        ]
        indexes = [
            models.Index(fields=["releases_at"], name="routing_waves_open", condition=~Q(state="released")),
            models.Index(fields=["merchant", "-releases_at"], name="routing_waves_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.schedule.name} {timezone.localtime(self.releases_at):%m-%d %H:%M}"

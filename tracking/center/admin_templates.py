"""Working calendars, holidays and milestone templates."""

from __future__ import annotations

from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline

from orderhub.inventory.admin_base import HubAdmin
from orderhub.kernel import clock
from tracking.center import watching
from tracking.center.admin_review import milestone_choices
from tracking.center.admin_shared import SharedAdmin
from tracking.center.models import Calendar, CalendarDay, JourneyTemplate, OrderPlan, TemplateStep


class CalendarForm(forms.ModelForm):  # type: ignore[type-arg]
    """A calendar in a zone that exists, open on at least one day."""

    class Meta:
        model = Calendar
        fields = (
            "merchant",
            "code",
            "name",
            "name_en",
            "zone",
            "weekdays",
            "opens_at",
            "closes_at",
            "country",
        )

    def clean_zone(self) -> str:
        """A name of the time zone database."""
        zone = str(self.cleaned_data["zone"])
        if zone not in available_timezones():
            raise forms.ValidationError(_("There is no such time zone, for example Asia/Shanghai."))
        return zone

    def clean_weekdays(self) -> str:
        """Digits 1 to 7, each once, in order."""
        days = "".join(sorted(set(str(self.cleaned_data["weekdays"]))))
        if not days or set(days) - set("1234567"):
            raise forms.ValidationError(_("Digits from 1 (Monday) to 7 (Sunday)."))
        return days

    def clean_country(self) -> str:
        """Capital letters."""
        return str(self.cleaned_data["country"]).upper()


class _Reckoned(HubAdmin):
    """Rows that limits depend on: what is due is reckoned anew when they change."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """With everything saved, say anew until when news is due."""
        super().save_related(request, form, formsets, change)
        watching.reckon_again(now=clock.now())

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """The same when one is gone."""
        super().delete_model(request, obj)
        watching.reckon_again(now=clock.now())


@admin.register(Calendar)
class CalendarAdmin(_Reckoned):
    """When warehouses, factories, carriers and customs work."""

    form = CalendarForm
    merchant_path = ""
    list_display = ("name", "code", "weekdays", "opens_at", "closes_at", "country", "zone")
    search_fields = ("code", "name")
    ordering = ("code",)


@admin.register(CalendarDay)
class CalendarDayAdmin(_Reckoned):
    """Public holidays, and the weekend days that are worked instead."""

    merchant_path = ""
    list_display = ("date", "country", "is_open", "name", "name_en")
    list_filter = ("country", "is_open")
    date_hierarchy = "date"
    ordering = ("-date",)


class StepForm(forms.ModelForm):  # type: ignore[type-arg]
    """One step, its milestone chosen from the list."""

    class Meta:
        model = TemplateStep
        fields = ("position", "milestone", "name", "name_en", "hours", "works", "is_optional", "shown_to")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        template = self.instance.template if self.instance.template_id else None
        choices = milestone_choices(template.merchant_id if template else None)
        self.fields["milestone"] = forms.ChoiceField(label=_("milestone"), choices=choices)


class StepInline(TabularInline):
    """The steps of a template, in order."""

    model = TemplateStep
    form = StepForm
    extra = 1
    ordering = ("position", "pk")


@admin.register(JourneyTemplate)
class JourneyTemplateAdmin(SharedAdmin):
    """What a sort of business goes through; an order keeps the dates it began with."""

    list_display = (
        "name", "code", "is_active", "priority", "channel", "sku_prefix", "service", "calendar", "merchant",
    )  # fmt: skip
    list_filter = ("is_active", "is_shipped")
    list_select_related = ("channel", "calendar", "merchant")
    search_fields = ("code", "name", "name_en")
    ordering = ("-priority", "code")
    inlines = (StepInline,)
    fields = (
        "merchant", ("code", "is_active", "priority"), ("name", "name_en"), "calendar", ("channel", "service", "sku_prefix"),
    )  # fmt: skip

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Orders that began with it keep it; switch it off instead."""
        used = obj is not None and (obj.is_shipped or OrderPlan.objects.filter(template=obj).exists())
        return (
            not used
            and self.has_change_permission(request, obj)
            and super().has_delete_permission(request, obj)
        )

"""Operators' pages of consolidated delivery: its settings, the pools, the choices, and who was asked."""

from __future__ import annotations

from django.contrib import admin
from simple_history.admin import SimpleHistoryAdmin
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from carbon.green.models import GreenChoice, GreenExposure, GreenPool, GreenSetting
from orderhub.inventory.admin_base import HubAdmin, ReadOnlyAdmin


@admin.register(GreenSetting)
class GreenSettingAdmin(HubAdmin, SimpleHistoryAdmin):
    """How long orders wait, when a pool goes, who is asked, and the rounds savings are worked out with."""

    list_display = ("merchant", "is_active", "wait_days", "fill_target", "asked_percent", "salt")
    list_select_related = ("merchant",)
    ordering = ("merchant",)


@admin.register(GreenPool)
class GreenPoolAdmin(ReadOnlyAdmin):
    """Orders that wait for one another."""

    list_display = (
        "warehouse",
        "area",
        "temperature",
        "state",
        "orders",
        "closes_at",
        "released_at",
        "saved_kg",
    )
    list_filter = (("state", ChoicesDropdownFilter), "temperature")
    list_select_related = ("warehouse", "merchant")
    ordering = ("-id",)


@admin.register(GreenChoice)
class GreenChoiceAdmin(ReadOnlyAdmin):
    """What was promised and what was kept."""

    list_display = (
        "order",
        "source",
        "chosen_at",
        "average_kg",
        "kept_average_kg",
        "marginal_kg",
        "kept_marginal_kg",
        "pool",
    )
    list_filter = (("source", ChoicesDropdownFilter),)
    list_select_related = ("order", "merchant", "pool__warehouse")
    ordering = ("-id",)


@admin.register(GreenExposure)
class GreenExposureAdmin(ReadOnlyAdmin):
    """Who was asked: bucket, share and name of the test, so that anybody can work it out again."""

    list_display = ("order", "arm", "salt", "bucket", "share_percent", "seen_at")
    list_filter = (("arm", ChoicesDropdownFilter), "salt")
    list_select_related = ("order", "merchant")
    ordering = ("-id",)

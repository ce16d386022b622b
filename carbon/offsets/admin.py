"""Operators' pages of supported projects: purchases and retirements, in books of their own."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet, Sum
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from simple_history.admin import SimpleHistoryAdmin
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from carbon.offsets.models import OffsetOrder, OffsetPlan, OffsetProject, Retirement
from orderhub.inventory.admin_base import HubAdmin, ReadOnlyAdmin, actor_of
from orderhub.kernel import clock
from orderhub.templatetags.ui import pill

TONES = {"wanted": "wait", "ordered": "go", "fulfilled": "ok", "left_out": "hold", "failed": "bad"}


@admin.register(OffsetProject)
class OffsetProjectAdmin(HubAdmin, SimpleHistoryAdmin):
    """Trees, clean energy and the like."""

    merchant_path = ""
    list_display = ("name", "kind", "provider", "registry", "price_per_kg", "currency", "is_active")
    list_filter = (("kind", ChoicesDropdownFilter), "is_active")
    search_fields = ("name", "name_en", "code")
    ordering = ("code",)


@admin.register(OffsetPlan)
class OffsetPlanAdmin(HubAdmin, SimpleHistoryAdmin):
    """Which part of the profit goes where."""

    list_display = ("merchant", "project", "profit_percent", "since", "is_active")
    list_select_related = ("merchant", "project")
    ordering = ("merchant",)


@admin.register(OffsetOrder)
class OffsetOrderAdmin(ReadOnlyAdmin):
    """Purchases; none of them is taken off any footprint."""

    list_display = (
        "created_at",
        "merchant",
        "project",
        "order",
        "profit",
        "amount",
        "currency",
        "kg",
        "shown_retired",
        "shown_state",
        "reason",
    )
    list_filter = (("state", ChoicesDropdownFilter), "project")
    list_select_related = ("merchant", "project", "order")
    search_fields = ("order__external_id", "reference")
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With what was retired."""
        rows: QuerySet[Any] = super().get_queryset(request).annotate(retired_kg=Sum("retirements__kg"))
        return rows

    @admin.display(description=_("retired kg"), ordering="retired_kg")
    def shown_retired(self, obj: Any) -> str:
        """kg that are off the registry."""
        return f"{Decimal(obj.retired_kg or 0).normalize():f}"

    @admin.display(description=_("state"), ordering="state")
    def shown_state(self, obj: OffsetOrder) -> SafeString:
        """Where the purchase stands."""
        return pill(TONES[obj.state], str(obj.get_state_display()))


class RetirementForm(forms.ModelForm):  # type: ignore[type-arg]
    """Never more than was bought."""

    class Meta:
        model = Retirement
        fields = (
            "purchase",
            "registry",
            "serials",
            "vintage",
            "kg",
            "retired_on",
            "certificate",
            "beneficiary",
        )

    def clean(self) -> dict[str, Any]:
        """The sum over a purchase stays within it."""
        data: dict[str, Any] = super().clean() or {}
        purchase, kg = data.get("purchase"), data.get("kg")
        if purchase is not None and kg is not None:
            done = purchase.retirements.aggregate(kg=Sum("kg"))["kg"] or Decimal(0)
            if done + kg > purchase.kg:
                self.add_error("kg", _("More would be retired than was bought."))
        return data


@admin.register(Retirement)
class RetirementAdmin(HubAdmin):
    """Serials entered by hand, or told by a provider; written once."""

    merchant_path = "purchase__merchant"
    form = RetirementForm
    list_display = (
        "retired_on",
        "purchase",
        "registry",
        "serials",
        "vintage",
        "kg",
        "beneficiary",
        "recorded_by",
    )
    list_select_related = ("purchase__project",)
    search_fields = ("serials", "registry", "beneficiary")
    ordering = ("-id",)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Note who and when; a purchase that is wholly retired is fulfilled."""
        obj.recorded_by, obj.recorded_at = actor_of(request)[:80], clock.now()
        super().save_model(request, obj, form, change)
        done = obj.purchase.retirements.aggregate(kg=Sum("kg"))["kg"] or Decimal(0)
        if done >= obj.purchase.kg:
            OffsetOrder.objects.filter(pk=obj.purchase_id).update(
                state=OffsetOrder.State.FULFILLED, updated_at=clock.now()
            )

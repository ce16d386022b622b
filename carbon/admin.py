"""Operators' pages of factors, calculations and the ledger: everything to be read, nothing to be edited."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from carbon.models import CalculationRun, Factor, FactorSet, LedgerEntry
from orderhub.inventory.admin_base import ReadOnlyAdmin
from orderhub.templatetags.ui import pill

_TONES = {"draft": "wait", "active": "ok", "retired": "hold"}


@admin.register(FactorSet)
class FactorSetAdmin(ReadOnlyAdmin):
    """Editions of factors with licence and attribution; drafts are checked by a person before they are
    used.
    """

    merchant_path = ""
    list_display = (
        "code",
        "publisher",
        "version",
        "licence",
        "gwp_basis",
        "shown_status",
        "shown_factors",
        "imported_at",
    )
    list_filter = (("status", ChoicesDropdownFilter),)
    search_fields = ("code", "publisher", "version", "licence")
    ordering = ("publisher", "version", "code")
    actions = ("activate", "retire")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With the number of factors."""
        rows: QuerySet[Any] = super().get_queryset(request).annotate(factor_count=Count("factors"))
        return rows

    @admin.display(description=_("status"), ordering="status")
    def shown_status(self, obj: FactorSet) -> SafeString:
        """Draft, active or retired."""
        return pill(_TONES[obj.status], str(obj.get_status_display()))

    @admin.display(description=_("factors"), ordering="factor_count")
    def shown_factors(self, obj: Any) -> int:
        """How many."""
        return int(obj.factor_count)

    @admin.action(description=_("Activate checked drafts"), permissions=["activate"])
    def activate(self, request: HttpRequest, queryset: QuerySet[FactorSet]) -> None:
        """From now on these figures never change."""
        self._to(request, queryset.filter(status=FactorSet.Status.DRAFT), FactorSet.Status.ACTIVE)

    @admin.action(description=_("Retire"), permissions=["activate"])
    def retire(self, request: HttpRequest, queryset: QuerySet[FactorSet]) -> None:
        """No longer offered; calculations made with them stay as they are."""
        self._to(request, queryset.filter(status=FactorSet.Status.ACTIVE), FactorSet.Status.RETIRED)

    def has_activate_permission(self, request: HttpRequest) -> bool:
        """People who may change factor sets and belong to no single merchant."""
        is_central = getattr(request.user, "merchant_id", None) is None
        return is_central and request.user.has_perm("carbon.change_factorset")

    def _to(self, request: HttpRequest, queryset: QuerySet[FactorSet], status: str) -> None:
        ids = list(queryset.values_list("pk", flat=True))
        FactorSet.objects.filter(pk__in=ids).update(status=status)
        text = _("%(count)d factor sets changed.") % {"count": len(ids)}
        self.message_user(request, text, messages.SUCCESS if ids else messages.WARNING)


@admin.register(Factor)
class FactorAdmin(ReadOnlyAdmin):
    """kg CO2e per unit, with source, validity and boundary."""

    merchant_path = ""
    list_display = (
        "factor_id",
        "kind",
        "mode",
        "item",
        "unit",
        "ttw",
        "wtt",
        "total",
        "region",
        "valid_from",
        "factor_set",
    )
    list_filter = ("kind", "mode", ("factor_set__status", ChoicesDropdownFilter))
    list_select_related = ("factor_set",)
    search_fields = ("factor_id", "item", "region", "factor_set__publisher")
    ordering = ("factor_id",)


@admin.register(CalculationRun)
class CalculationRunAdmin(ReadOnlyAdmin):
    """Every calculation with its inputs, so that it can be done again."""

    list_display = ("id", "order", "basis", "subject", "reason", "shown_kg", "calculated_at")
    list_filter = (("basis", ChoicesDropdownFilter), ("reason", ChoicesDropdownFilter))
    list_select_related = ("order", "merchant", "reverses")
    search_fields = ("subject", "order__external_id", "input_hash", "output_hash")
    ordering = ("-id",)
    exclude = ("case", "result")
    readonly_fields = ("shown_case", "shown_result")

    @admin.display(description=_("kg CO2e"))
    def shown_kg(self, obj: CalculationRun) -> str:
        """The ledger total."""
        return str(obj.result["ledger_total"]["total_kg"])

    @admin.display(description=_("inputs"))
    def shown_case(self, obj: CalculationRun) -> SafeString:
        """The case as anyone can calculate it again."""
        return _json(obj.case)

    @admin.display(description=_("result"))
    def shown_result(self, obj: CalculationRun) -> SafeString:
        """The result with all elements."""
        return _json(obj.result)


@admin.register(LedgerEntry)
class LedgerEntryAdmin(ReadOnlyAdmin):
    """The ledger, insert only, chained by hash."""

    list_display = (
        "seq",
        "order",
        "order_line",
        "basis",
        "stage",
        "element",
        "total_kgco2e",
        "data_type",
        "factor_id",
        "posted_at",
    )
    list_filter = (("basis", ChoicesDropdownFilter), "stage", "data_type")
    list_select_related = ("order", "order_line", "merchant", "run")
    search_fields = ("order__external_id", "factor_id", "hash")
    ordering = ("-id",)


def _json(value: object) -> SafeString:
    return format_html("<pre>{}</pre>", json.dumps(value, ensure_ascii=False, indent=2))

"""Operators' pages of factors, calculations and the ledger: everything to be read, nothing to be edited."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter, DropdownFilter

from carbon.activity import admin as activity_admin
from carbon.claims import admin as _claims  # noqa: F401  (each registers its own pages)
from carbon.dimensions import PATHS, Total, table, totals
from carbon.factors import admin as factors_admin
from carbon.factors import loading
from carbon.factors.words import REASONS
from carbon.green import admin as _green  # noqa: F401
from carbon.interfaces import admin as _interfaces  # noqa: F401
from carbon.models import CalculationRun, LedgerEntry
from carbon.offsets import admin as _offsets  # noqa: F401
from carbon.reports import admin as _reports  # noqa: F401
from carbon.restating import admin as restating_admin
from orderhub.fields import queries as fields
from orderhub.fields import rights
from orderhub.fields.engine import Definition
from orderhub.fields.wording import label
from orderhub.inventory.admin_base import ReadOnlyAdmin, is_chinese, neutral
from orderhub.inventory.admin_custom import MOST_FILTERS, filter_of

__all__ = ["activity_admin", "factors_admin", "restating_admin"]


@admin.register(CalculationRun)
class CalculationRunAdmin(ReadOnlyAdmin):
    """Every calculation with its inputs, so that it can be done again."""

    list_display = ("id", "order", "basis", "subject", "reason", "shown_kg", "calculated_at")
    list_filter = (("basis", ChoicesDropdownFilter), ("reason", ChoicesDropdownFilter))
    list_select_related = ("order", "merchant", "reverses")
    search_fields = ("subject", "order__external_id", "input_hash", "output_hash")
    ordering = ("-id",)
    exclude = ("case", "result")
    readonly_fields = ("shown_choices", "shown_case", "shown_result")

    @admin.display(description=_("kg CO2e"))
    def shown_kg(self, obj: CalculationRun) -> str:
        """The ledger total."""
        return str(obj.result["ledger_total"]["total_kg"])

    @admin.display(description=_("why these factors"))
    def shown_choices(self, obj: CalculationRun) -> SafeString:
        """Each factor used with the candidates that were not, as they stood then."""
        used = {one["id"] for one in obj.case.get("factors", ())}
        told = loading.choices_of(obj.case.get("library", ""))
        rows = [
            (
                one[0][0],
                ", ".join(f"{name} ({REASONS[reason]})" for name, _rank, reason in one[1:]) or "–",
                REASONS[one[0][2]],
            )
            for one in told.values()
            if one and one[0][0] in used
        ]
        if not rows:
            return format_html(
                "{}", _("The factors that travel with the product; no other edition was in force.")
            )
        items = format_html_join("", "<dt>{}</dt><dd><b>{}</b><br>{}</dd>", ((a, c, b) for a, b, c in rows))
        return format_html('<div class="oh"><dl class="oh-kv">{}</dl></div>', items)

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
    list_before_template = "admin/carbon/totals.html"

    def get_list_filter(self, request: HttpRequest) -> Sequence[Any]:
        """The usual filters, those by custom fields of order, line and SKU, and what to add the list up by."""
        found = [filter_of(one, PATHS[one.target]) for one in _fields(request) if one.in_filter]
        return [*super().get_list_filter(request), *found[:MOST_FILTERS], ByField]

    def get_urls(self) -> list[Any]:
        """The totals as a file beside the admin's own pages."""
        own = path(
            "totals.csv", self.admin_site.admin_view(self.totals_file), name="carbon_ledgerentry_totals"
        )
        return [own, *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """The list; with a field to add it up by, the totals of all its rows above it."""
        answer = super().changelist_view(request, extra_context)
        context = getattr(answer, "context_data", None)
        chosen = _chosen(request)
        if context and "cl" in context and chosen is not None:
            context["totals"] = _totals(context["cl"].queryset, chosen)
            context["totals_by"] = label(chosen)
            context["totals_file"] = f"{reverse('admin:carbon_ledgerentry_totals')}?{request.GET.urlencode()}"
        return answer

    def totals_file(self, request: HttpRequest) -> HttpResponse:
        """The totals of the list as it is filtered, as CSV."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        chosen = _chosen(request)
        if chosen is None:
            raise Http404
        rows = _totals(self.get_changelist_instance(request).get_queryset(request), chosen)
        answer = HttpResponse(content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="carbon-{chosen.target}-{chosen.code}.csv"'
        answer.write("\ufeff")
        out = csv.writer(answer, lineterminator="\r\n")
        out.writerow([neutral(label(chosen)), str(_("orders")), "kg CO2e", f"{_('share')} %"])
        out.writerows([neutral(row[0]), *row[1:]] for row in table(rows))
        return answer


class ByField(DropdownFilter):
    """Which custom field the list is added up by; it leaves no row out."""

    title = _("By custom field")
    parameter_name = "by"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The fields of orders, lines and SKUs that this person sees."""
        return [(f"{one.target}.{one.code}", label(one)) for one in _fields(request)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """All of them."""
        return queryset


def _fields(request: HttpRequest) -> list[Definition]:
    """The fields entries may be cut and added up by; a query for each kind of record, once a request."""
    kept: list[Definition] | None = request.__dict__.get("_carbon_fields")
    if kept is None:
        may, merchant_id = rights.seen_by(request.user), getattr(request.user, "merchant_id", None)
        kept = [one for target in PATHS for one in fields.of_staff(merchant_id, target) if may(one)]
        request.__dict__["_carbon_fields"] = kept
    return kept


def _chosen(request: HttpRequest) -> Definition | None:
    wanted = request.GET.get("by", "")
    return next((one for one in _fields(request) if f"{one.target}.{one.code}" == wanted), None)


def _totals(entries: QuerySet[LedgerEntry], chosen: Definition) -> list[Total]:
    return totals(entries, chosen, zh=is_chinese(), none=str(_("no value")))


def _json(value: object) -> SafeString:
    return format_html("<pre>{}</pre>", json.dumps(value, ensure_ascii=False, indent=2))

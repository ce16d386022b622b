"""Operators' pages of the rules: entering, importing, confirming with a source, activating by a second person."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import display
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from import_export.admin import ImportExportModelAdmin
from import_export.fields import Field
from import_export.widgets import ForeignKeyWidget
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.contrib.import_export.forms import ExportForm, ImportForm

from orderhub.inventory.admin import ask
from orderhub.inventory.admin_base import HubAdmin, SafeResource, actor_of, button, is_chinese
from orderhub.inventory.models import Sku
from orderhub.kernel import clock
from orderhub.kernel.errors import Refused
from orderhub.orders.compliance import admin_checks, admin_page, checking, rulebook
from orderhub.orders.compliance.engine import RowError
from orderhub.orders.compliance.models import ComplianceRule, CustomsGoods, ExchangeRate, GoodsList, Paper
from orderhub.templatetags.ui import pill

__all__ = [
    "ComplianceRuleAdmin",
    "CustomsGoodsAdmin",
    "ExchangeRateAdmin",
    "GoodsListAdmin",
    "PaperAdmin",
    "admin_checks",
]

_TONES = {"in_force": "ok", "future": "wait", "verify": "warn", "ended": "wait"}
_SHOWN = 30
_COMPARED = (
    "origin", "destination", "kind", "params", "valid_from", "valid_to", "status", "source", "source_url", "confidence", "doubt",
)  # fmt: skip


class RuleForm(forms.ModelForm):  # type: ignore[type-arg]
    """A new version of a rule; the engine itself judges it before it is kept."""

    class Meta:
        model = ComplianceRule
        fields = ("rule", *_COMPARED)

    def clean(self) -> dict[str, Any]:
        """The engine's words for what is wrong, at the field it is in."""
        given: dict[str, Any] = super().clean() or {}
        if not self.errors:
            rule = ComplianceRule(**{name: given[name] for name in ("rule", *_COMPARED)})
            try:
                rulebook.compiled([rulebook.row_of(rule, now=clock.now())])
            except RowError as fault:
                name = fault.field.partition(".")[0]
                self.add_error(name if name in self.fields else None, fault.zh if is_chinese() else fault.en)
        return given


class RuleResource(SafeResource):
    """Rules as a table: a row that says something new becomes a new version, which somebody else activates."""

    params = Field("params", "params")

    class Meta:
        model = ComplianceRule
        fields = ("rule", *_COMPARED)
        import_id_fields = ("rule",)
        skip_unchanged = True

    def get_instance(self, instance_loader: Any, row: Any) -> ComplianceRule | None:
        """The newest version where it says the same, so that the row is skipped; else none: a new version."""
        newest = ComplianceRule.objects.filter(rule=row.get("rule")).order_by("-version").first()
        return (
            newest
            if newest is not None
            and all(_cell(newest, name) == str(row.get(name) or "") for name in _COMPARED)
            else None
        )

    def dehydrate_params(self, rule: ComplianceRule) -> str:
        """As JSON text, the same each time."""
        return _cell(rule, "params")

    def before_import_row(self, row: Any, **kwargs: Any) -> None:
        """Parameters are JSON; written in one way, so that they compare."""
        super().before_import_row(row, **kwargs)
        try:
            row["params"] = json.dumps(
                json.loads(row.get("params") or "{}"), ensure_ascii=False, sort_keys=True
            )
        except ValueError as fault:
            raise ValidationError({"params": str(_("The parameters are no JSON."))}) from fault

    def before_save_instance(self, instance: ComplianceRule, row: Any, **kwargs: Any) -> None:
        """The next version, by whoever imports; refused with the place of the fault where it cannot be used."""
        params: Any = instance.params
        instance.params = json.loads(params) if isinstance(params, str) else params
        if instance._state.adding:
            instance.version = rulebook.next_version(instance.rule)
            user = kwargs.get("user")
            instance.created_by = f"user:{user.get_username()}" if user is not None else ""
        try:
            rulebook.compiled([rulebook.row_of(instance, now=clock.now())])
        except RowError as fault:
            raise ValidationError({fault.field: fault.zh if is_chinese() else fault.en}) from fault


def _cell(rule: ComplianceRule, name: str) -> str:
    value = getattr(rule, name)
    if name == "params":
        return json.dumps(value, ensure_ascii=False, sort_keys=True)
    return "" if value is None else str(value)


@admin.register(ComplianceRule)
class ComplianceRuleAdmin(ImportExportModelAdmin, HubAdmin):
    """Versions of rules; an active one is only read."""

    merchant_path = ""
    form = RuleForm
    resource_classes = [RuleResource]
    import_form_class = ImportForm
    export_form_class = ExportForm
    list_display = (
        "shown_title",
        "shown_lane",
        "shown_says",
        "valid_from",
        "valid_to",
        "shown_status",
        "shown_state",
        "confirmed_at",
    )
    list_filter = (("kind", ChoicesDropdownFilter), ("status", ChoicesDropdownFilter), "destination")
    search_fields = ("rule", "source")
    ordering = ("rule", "-version")
    fields = (
        "rule", "shown_says", ("origin", "destination", "kind"), "params", ("valid_from", "valid_to", "status"), "source",
        "source_url",
        ("confidence", "doubt"), "shown_people",
    )  # fmt: skip
    readonly_fields = ("shown_people", "shown_says")
    actions_detail = ("activate", "confirm")

    def save_model(self, request: HttpRequest, obj: ComplianceRule, form: Any, change: bool) -> None:
        """A new row is the next version of its rule, entered by this person."""
        if not change:
            obj.version = rulebook.next_version(obj.rule)
            obj.created_by = actor_of(request)[:80]
        super().save_model(request, obj, form, change)

    def has_change_permission(self, request: HttpRequest, obj: ComplianceRule | None = None) -> bool:
        """Never once it is active: enter a new version."""
        return (obj is None or obj.activated_at is None) and bool(super().has_change_permission(request, obj))

    def has_delete_permission(self, request: HttpRequest, obj: ComplianceRule | None = None) -> bool:
        """Never: orders note which version judged them."""
        return False

    def has_activate_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """A right of its own."""
        return bool(request.user.has_perm("compliance.activate_compliancerule"))

    @display(description=_("compliance rule"), ordering="rule")
    def shown_title(self, obj: ComplianceRule) -> str:
        """Rule and version."""
        return str(obj)

    @display(description=_("lane"))
    def shown_lane(self, obj: ComplianceRule) -> str:
        """From where to where."""
        return admin_page.lane(obj)

    @display(description=_("what it asks for"))
    def shown_says(self, obj: ComplianceRule) -> str:
        """The rule in words; its parameters where they cannot be read."""
        try:
            return admin_page.sentence(obj)
        except (KeyError, TypeError, ValueError):
            return f"{obj.kind} {obj.params}"

    @display(description=_("status"), ordering="status")
    def shown_status(self, obj: ComplianceRule) -> SafeString:
        """The status as a pill."""
        return pill(_TONES[obj.status], obj.get_status_display())

    @display(description=_("active"), boolean=True)
    def shown_state(self, obj: ComplianceRule) -> bool:
        """Whether it counts."""
        return obj.activated_at is not None

    @display(description=_("Who"))
    def shown_people(self, obj: ComplianceRule) -> SafeString:
        """Who entered, activated and confirmed it."""
        found = [
            (_("entered by"), obj.created_by or "–"), (_("activated by"), obj.activated_by or "–"),
            (_("confirmed by"), f"{obj.confirmed_by or '–'} {obj.confirmed_source}"),
        ]  # fmt: skip
        return format_html_join("", "<div>{}: {}</div>", found)

    @button(description=_("Activate…"), url_path="activate", icon="check_circle", permissions=["activate"])
    def activate(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show which open orders would be judged otherwise, then let the version count."""
        rule, now = self._rule(request, object_id), clock.now()
        back = reverse("admin:compliance_compliancerule_change", args=(rule.pk,))
        if request.method == "POST":
            try:
                rulebook.activate(rule.pk, actor=actor_of(request), now=now)
            except Refused as no:
                messages.error(request, str(no))
                return HttpResponseRedirect(back)
            changed = checking.recheck_open(now=now, actor=actor_of(request))
            text = ngettext(
                "The rule counts; %(count)d open order changed.",
                "The rule counts; %(count)d open orders changed.",
                changed,
            )
            messages.success(request, text % {"count": changed})
            return HttpResponseRedirect(back)
        changes = checking.preview(rule, now=now)
        shown = "、".join(f"{order.number} {old}→{new}" for order, old, new in changes[:_SHOWN])
        effect = _("%(count)d open orders would be judged otherwise. %(shown)s") % {
            "count": len(changes),
            "shown": shown,
        }
        return ask(self, request, title=str(rule), effect=effect, button=_("Activate…"), back=back)

    @button(description=_("Confirm…"), url_path="confirm", icon="fact_check", permissions=["activate"])
    def confirm(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Note the source the rule was compared with; it counts for 90 days."""
        rule, now = self._rule(request, object_id), clock.now()
        back = reverse("admin:compliance_compliancerule_change", args=(rule.pk,))
        form = SourceForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            rulebook.confirm(rule.pk, source=form.cleaned_data["source"], actor=actor_of(request), now=now)
            checking.recheck_open(now=now, actor=actor_of(request))
            messages.success(request, _("Confirmed for 90 days."))
            return HttpResponseRedirect(back)
        effect = _("From now on this rule judges orders, for 90 days; then it asks again.")
        return ask(self, request, title=str(rule), effect=effect, button=_("Confirm…"), back=back, form=form)

    def _rule(self, request: HttpRequest, object_id: str) -> ComplianceRule:
        found: ComplianceRule | None = self.get_queryset(request).filter(pk=object_id).first()
        if found is None:
            raise Http404
        return found


class SourceForm(forms.Form):
    """Where somebody looked."""

    source = forms.CharField(
        label=_("source"), max_length=300, widget=forms.TextInput(attrs={"class": "oh-input"})
    )


class RateResource(SafeResource):
    """Exchange rates as a table."""

    class Meta:
        model = ExchangeRate
        fields = ("currency", "on", "in_cny", "source")
        import_id_fields = ("currency", "on")


@admin.register(ExchangeRate)
class ExchangeRateAdmin(ImportExportModelAdmin, HubAdmin):
    """What currencies are worth, by day."""

    merchant_path = ""
    resource_classes = [RateResource]
    import_form_class = ImportForm
    export_form_class = ExportForm
    list_display = ("currency", "on", "in_cny", "source")
    list_filter = ("currency",)
    ordering = ("-on", "currency")


@admin.register(GoodsList)
class GoodsListAdmin(HubAdmin):
    """Published lists of tariff codes."""

    merchant_path = ""
    list_display = ("name", "source", "loaded_at")
    ordering = ("name",)


class OfMerchant(ForeignKeyWidget):
    """An SKU named by its code among those of the merchant in the same line."""

    def get_queryset(self, value: Any, row: Any, *args: Any, **kwargs: Any) -> Any:
        """The SKUs of that merchant only."""
        return Sku.objects.filter(merchant__code=row.get("merchant"))


class CustomsResource(SafeResource):
    """Customs data as a table; staff of one merchant write only their own goods."""

    merchant = Field("sku__merchant__code", "merchant", readonly=True)
    sku = Field("sku", "sku", OfMerchant(Sku, "code"))

    class Meta:
        model = CustomsGoods
        fields = ("merchant", "sku", "made_in", "traits", "milliliters")
        import_id_fields = ("sku",)

    def before_import_row(self, row: Any, **kwargs: Any) -> None:
        """Refuse lines about other merchants."""
        super().before_import_row(row, **kwargs)
        merchant = getattr(kwargs.get("user"), "merchant", None)
        if merchant is not None and row.get("merchant") != merchant.code:
            raise PermissionDenied(str(_("This line belongs to another merchant.")))


@admin.register(CustomsGoods)
class CustomsGoodsAdmin(ImportExportModelAdmin, HubAdmin):
    """What customs want to know of goods."""

    merchant_path = "sku__merchant"
    resource_classes = [CustomsResource]
    import_form_class = ImportForm
    export_form_class = ExportForm
    list_display = ("sku", "made_in", "traits", "milliliters")
    list_select_related = ("sku",)
    autocomplete_fields = ("sku",)
    search_fields = ("sku__code__exact",)
    ordering = ("-pk",)


@admin.register(Paper)
class PaperAdmin(HubAdmin):
    """Certificates of goods and documents of orders."""

    list_display = ("kind", "reference", "sku", "order", "valid_from", "valid_to")
    list_select_related = ("sku", "order")
    autocomplete_fields = ("sku",)
    raw_id_fields = ("order",)
    ordering = ("-pk",)

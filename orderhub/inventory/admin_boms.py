"""Operators' pages of bills of materials: written by hand or from a file; circles are refused before anything is kept."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin import display
from django.db.models import Count
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from import_export.admin import ImportExportModelAdmin
from import_export.fields import Field
from simple_history.admin import SimpleHistoryAdmin
from unfold.admin import TabularInline
from unfold.contrib.filters.admin import RelatedDropdownFilter
from unfold.contrib.import_export.forms import ExportForm, ImportForm

from orderhub.access.models import Merchant
from orderhub.inventory import boms
from orderhub.inventory.admin_base import HubAdmin, SafeResource, named
from orderhub.inventory.admin_coming import refuse_other_merchants
from orderhub.inventory.bom.explosion import Part
from orderhub.inventory.models import Bom, BomAlternative, BomLine, Sku
from orderhub.kernel.errors import Refused

_OTHER = _("This belongs to another merchant.")


class BomForm(forms.ModelForm):  # type: ignore[type-arg]
    """An article of one merchant; the days in order."""

    class Meta:
        model = Bom
        fields = ("merchant", "sku", "version", "valid_from", "valid_to", "is_active", "note")

    def clean(self) -> dict[str, Any]:
        """Refuse articles of other merchants, and an end before the beginning."""
        given: dict[str, Any] = super().clean() or {}
        merchant, sku = given.get("merchant"), given.get("sku")
        if merchant and sku and sku.merchant_id != merchant.pk:
            self.add_error("sku", _OTHER)
        first, last = given.get("valid_from"), given.get("valid_to")
        if first and last and last < first:
            self.add_error("valid_to", _("The last day lies before the first one."))
        return given


class BomLineFormSet(forms.BaseInlineFormSet):  # type: ignore[type-arg]
    """The components of one article; together they must be something that can be made."""

    def clean(self) -> None:
        """Refuse components of other merchants and circles."""
        super().clean()
        if any(self.errors) or self.instance.sku_id is None or self.instance.merchant_id is None:
            return
        parts = []
        for form in self.forms:
            given = getattr(form, "cleaned_data", None) or {}
            component = given.get("component")
            if component is None or given.get("DELETE"):
                continue
            if component.merchant_id != self.instance.merchant_id:
                form.add_error("component", _OTHER)
                return
            parts.append(Part(component.pk, given["quantity"]))
        try:
            boms.check(
                self.instance.merchant_id, self.instance.sku_id, parts, valid_from=self.instance.valid_from
            )
        except Refused as no:
            raise forms.ValidationError(str(no)) from no


class BomLineInline(TabularInline):
    """The components; alternatives stand on the page of each."""

    model = BomLine
    formset = BomLineFormSet
    extra = 1
    show_change_link = True
    autocomplete_fields = ("component",)
    fields = ("component", "quantity", "unit", "scrap_percent")


class BomLineResource(SafeResource):
    """Bills of materials as a table, a line per component; alternatives as `SKU` or `SKU:1.5`, parted by semicolons."""

    merchant = Field("bom__merchant__code", "merchant")
    sku = Field("bom__sku__code", "sku")
    version = Field("bom__version", "version")
    valid_from = Field("bom__valid_from", "valid_from")
    valid_to = Field("bom__valid_to", "valid_to")
    component = Field("component__code", "component")
    quantity = Field("quantity", "quantity")
    unit = Field("unit", "unit")
    scrap_percent = Field("scrap_percent", "scrap_percent")
    instead = Field(column_name="instead")

    class Meta:
        model = BomLine
        fields = (
            "merchant", "sku", "version", "valid_from", "valid_to", "component", "quantity", "unit", "scrap_percent",
            "instead",
        )  # fmt: skip
        import_order = export_order = fields

    def get_queryset(self) -> Any:
        """With what each line names."""
        rows = BomLine.objects.select_related("bom__merchant", "bom__sku", "component")
        return rows.prefetch_related("alternatives__component").order_by("bom_id", "pk")

    def dehydrate_instead(self, line: BomLine) -> str:
        """The alternatives as they are read."""
        found = sorted(line.alternatives.all(), key=lambda one: (one.priority, one.pk))
        return "; ".join(f"{one.component.code}:{one.ratio.normalize():f}" for one in found)

    def get_instance(self, instance_loader: Any, row: Any) -> Any:
        """The line of that component in that version, if there is one."""
        return row["_line"]

    def before_import_row(self, row: Any, **kwargs: Any) -> None:
        """Find what the line names, make the bill where it is new; a clear word about what is wrong."""
        super().before_import_row(row, **kwargs)
        refuse_other_merchants(row, kwargs.get("user"))
        merchant = Merchant.objects.filter(code=_text(row, "merchant")).first()
        if merchant is None:
            raise forms.ValidationError(_("There is no merchant with this code."))
        article, component = _sku(merchant, row, "sku"), _sku(merchant, row, "component")
        version = _text(row, "version") or "1"
        known = Bom.objects.filter(sku=article, version=version).first()
        given = {
            "merchant": merchant.pk, "sku": article.pk, "version": version, "note": known.note if known else "",
            "is_active": known.is_active if known else True, "valid_from": _text(row, "valid_from"),
            "valid_to": _text(row, "valid_to"),
        }  # fmt: skip
        form = BomForm(given, instance=known)
        if not form.is_valid():
            raise forms.ValidationError(form.errors)
        bom = form.save()
        row["_bom"], row["_component"] = bom, component
        row["_line"] = BomLine.objects.filter(bom=bom, component=component).first()
        row["_instead"] = _alternatives(merchant, _text(row, "instead"))

    def import_instance(self, instance: BomLine, row: Any, **kwargs: Any) -> None:
        """Fill the line."""
        instance.bom, instance.component = row["_bom"], row["_component"]
        instance.quantity, instance.unit = _number(row, "quantity"), _text(row, "unit")[:12]
        instance.scrap_percent = _number(row, "scrap_percent", Decimal(0))
        instance.full_clean(exclude=["bom"])

    def after_save_instance(self, instance: BomLine, row: Any, **kwargs: Any) -> None:
        """Keep the alternatives, and refuse circles."""
        super().after_save_instance(instance, row, **kwargs)
        instance.alternatives.all().delete()
        BomAlternative.objects.bulk_create(
            BomAlternative(line=instance, component=sku, ratio=ratio, priority=number)
            for number, (sku, ratio) in enumerate(row["_instead"], 1)
        )
        bom = instance.bom
        try:
            boms.check(bom.merchant_id, bom.sku_id, boms.parts_of(bom), valid_from=bom.valid_from)
        except Refused as no:
            raise forms.ValidationError(str(no)) from no


@admin.register(Bom)
class BomAdmin(SimpleHistoryAdmin, HubAdmin):
    """What articles are made of; counts for what is released to a factory from then on."""

    form = BomForm
    list_display = ("shown_sku", "version", "valid_from", "valid_to", "shown_parts", "is_active")
    list_filter = ("is_active", ("merchant", RelatedDropdownFilter))
    list_select_related = ("sku",)
    search_fields = ("sku__code", "sku__name", "sku__name_en", "lines__component__code")
    autocomplete_fields = ("sku",)
    ordering = ("sku__code", "-valid_from", "-pk")
    fields = (("merchant", "sku", "version"), ("valid_from", "valid_to", "is_active"), "note")
    inlines = (BomLineInline,)

    def get_queryset(self, request: HttpRequest) -> Any:
        """With the number of components."""
        return super().get_queryset(request).annotate(part_count=Count("lines", distinct=True))

    @display(description=_("article"), ordering="sku__code")
    def shown_sku(self, obj: Bom) -> str:
        """Code and name."""
        return f"{obj.sku.code} {named(obj.sku)}"

    @display(description=_("components"), ordering="part_count")
    def shown_parts(self, obj: Any) -> int:
        """How many."""
        return int(obj.part_count)


class BomAlternativeForm(forms.ModelForm):  # type: ignore[type-arg]
    """Another component of the same merchant."""

    def clean_component(self) -> Sku:
        """Refuse other merchants' SKUs."""
        found: Sku = self.cleaned_data["component"]
        if found.merchant_id != self.instance.line.bom.merchant_id:
            raise forms.ValidationError(_OTHER)
        return found


class BomAlternativeInline(TabularInline):
    """What may be used instead."""

    model = BomAlternative
    form = BomAlternativeForm
    extra = 1
    autocomplete_fields = ("component",)
    fields = ("priority", "component", "ratio")


@admin.register(BomLine)
class BomLineAdmin(ImportExportModelAdmin, HubAdmin):
    """Components over all bills: where one is used, its alternatives; the table for files."""

    resource_classes = [BomLineResource]
    import_form_class = ImportForm
    export_form_class = ExportForm
    merchant_path = "bom__merchant"
    list_display = ("shown_component", "quantity", "unit", "scrap_percent", "bom")
    list_filter = (("bom__merchant", RelatedDropdownFilter),)
    list_select_related = ("bom__sku", "component")
    search_fields = ("component__code", "component__name", "bom__sku__code")
    ordering = ("bom__sku__code", "bom_id", "pk")
    fields = (("bom", "component"), ("quantity", "unit", "scrap_percent"))
    readonly_fields = ("bom", "component")
    inlines = (BomAlternativeInline,)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """A component is added on the page of its bill."""
        return False

    def has_import_permission(self, request: HttpRequest) -> bool:
        """Whoever may write bills."""
        return request.user.has_perm("inventory.add_bomline")

    @display(description=_("component"), ordering="component__code")
    def shown_component(self, obj: BomLine) -> str:
        """Code and name."""
        return f"{obj.component.code} {named(obj.component)}"


def _text(row: Any, name: str) -> str:
    value = row.get(name)
    return "" if value is None else str(value).strip()


def _number(row: Any, name: str, default: Decimal | None = None) -> Decimal:
    text = _text(row, name)
    if not text and default is not None:
        return default
    try:
        found = Decimal(text)
    except InvalidOperation:
        found = Decimal("NaN")
    if not found.is_finite():
        raise forms.ValidationError({name: _("“%(value)s” is not a number.") % {"value": text}})
    return found


def _sku(merchant: Merchant, row: Any, name: str) -> Sku:
    code = _text(row, name)
    found = Sku.objects.filter(merchant=merchant, code=code).first()
    if found is None:
        raise forms.ValidationError(_("There is no SKU “%(sku)s”.") % {"sku": code})
    return found


def _alternatives(merchant: Merchant, text: str) -> list[tuple[Sku, Decimal]]:
    found = []
    for piece in filter(None, (one.strip() for one in text.split(";"))):
        code, _colon, ratio = piece.rpartition(":") if ":" in piece else (piece, "", "1")
        found.append((_sku(merchant, {"instead": code}, "instead"), _number({"instead": ratio}, "instead")))
    return found

"""Custom fields on the operators' pages: in forms, as columns and filters of lists, in tables that are uploaded."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from import_export.fields import Field as Column
from unfold.contrib.filters.admin import DropdownFilter, TextFilter

from orderhub.fields import filling, queries, rights, targets
from orderhub.fields import forms as field_forms
from orderhub.fields.engine import Definition, Fault, from_text, shown, to_text
from orderhub.fields.lookups import narrowed
from orderhub.fields.wording import label, sentence
from orderhub.inventory.admin_base import HubAdmin, SafeResource, is_chinese, neutral

#: A list with more of them would be no list any more; the others are on the record's own page.
MOST_COLUMNS, MOST_FILTERS = 8, 20
_CHOSEN = ("choice", "choices", "boolean")

if TYPE_CHECKING:
    Base = HubAdmin
    Table = SafeResource
else:
    Base = object
    Table = object


def written(definition: Definition, value: Any) -> Any:
    """A value as a page shows it: links as links, everything else as escaped text."""
    text = shown(definition, value, zh=is_chinese())
    if definition.kind == "link" and text.startswith(("https://", "http://")):
        return format_html(
            '<a class="oh-link" href="{}" rel="noopener noreferrer nofollow">{}</a>', text, text
        )
    return text


class CustomPages(Base):
    """Mixed into the admin of records with custom fields: columns, filters, and the fields of the form."""

    custom_target: str

    # ---- lists ---------------------------------------------------------------------------------

    def get_list_display(self, request: HttpRequest) -> Sequence[Any]:
        """The usual columns, then the fields that want to be one."""
        found = [column(one) for one in self.custom_fields(request) if one.in_list]
        return [*super().get_list_display(request), *found[:MOST_COLUMNS]]

    def get_list_filter(self, request: HttpRequest) -> Sequence[Any]:
        """The usual filters, then the fields that want to be one."""
        found = [filter_of(one) for one in self.custom_fields(request) if one.in_filter]
        return [*super().get_list_filter(request), *found[:MOST_FILTERS]]

    def custom_fields(self, request: HttpRequest) -> list[Definition]:
        """The fields this person sees in a list of all it may see; one query per request."""
        kept: dict[str, list[Definition]] = request.__dict__.setdefault("_hub_fields", {})
        if self.custom_target not in kept:
            merchant_id = getattr(request.user, "merchant_id", None)
            may = rights.seen_by(request.user)
            found = queries.of_staff(merchant_id, self.custom_target)
            kept[self.custom_target] = [one for one in found if may(one)]
        return kept[self.custom_target]

    # ---- forms ---------------------------------------------------------------------------------

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """The record's form with an input for each field that this person may fill."""
        inputs = self._inputs(request, obj)
        if inputs:
            base = kwargs.get("form") or self.form
            kwargs["form"] = type(
                "CustomForm", (CustomForm, base), {**inputs, "page": self, "request": request}
            )
        return super().get_form(request, obj, change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """The usual parts, then the custom fields."""
        parts = list(super().get_fieldsets(request, obj))
        names = list(self._inputs(request, obj))
        pairs = [tuple(names[at : at + 2]) for at in range(0, len(names), 2)]
        return [*parts, (_("Custom fields"), {"fields": pairs})] if names else parts

    def definitions_of(self, request: HttpRequest, obj: Any) -> dict[str, Definition]:
        """The fields of this record, or, before its merchant is known, of all this person works for."""
        if obj is not None:
            return dict(queries.book(obj.merchant).of(self.custom_target))
        return {
            one.code: one
            for one in queries.of_staff(getattr(request.user, "merchant_id", None), self.custom_target)
        }

    def _inputs(self, request: HttpRequest, obj: Any) -> dict[str, forms.Field]:
        if not (self.has_change_permission(request, obj) if obj else self.has_add_permission(request)):
            return {}
        may = rights.filled_by(request.user)
        standing = obj.custom if obj is not None else {}
        return {
            field_forms.name_of(code): field_forms.form_field(one, standing.get(code, None if obj else one.default))
            for code, one in self.definitions_of(request, obj).items() if may(one)
        }  # fmt: skip


class CustomForm(forms.ModelForm):  # type: ignore[type-arg]
    """Reads the inputs of custom fields into the record's values."""

    page: CustomPages
    request: HttpRequest

    def clean(self) -> Any:
        """Judge the values by the fields of the record's merchant."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        merchant = cleaned.get("merchant") or (self.instance.merchant if self.instance.pk else None)
        if merchant is None:
            return cleaned
        definitions = queries.book(merchant).of(self.page.custom_target)
        foreign = [
            name for name in self.fields if name.startswith(field_forms.name_of(""))
            and name.removeprefix(field_forms.name_of("")) not in definitions and cleaned.get(name)
        ]  # fmt: skip
        for name in foreign:
            self.add_error(name, _("This merchant has no such field."))
        found = field_forms.read(
            definitions, cleaned, standing=self.instance.custom if self.instance.pk else None,
            may=rights.filled_by(self.request.user),
        )  # fmt: skip
        field_forms.complain(self, found)
        self.instance.custom = found.values
        return cleaned


def column(definition: Definition) -> Callable[[Any], Any]:
    """A column of a list: the value of a field."""

    def show(obj: Any) -> Any:
        return written(definition, obj.custom.get(definition.code)) or "–"

    show.__name__ = f"custom_{definition.code}"
    show.short_description = label(definition)  # type: ignore[attr-defined]
    return show


def filter_of(definition: Definition, path: str = "") -> type[Any]:
    """A filter of a list: what to choose where there are choices, else a text; `3..12` is a range.

    `path` leads from the rows of the list to the record that has the field, where that is another one.
    """
    base = DropdownFilter if definition.kind in _CHOSEN else TextFilter
    name = f"custom_{definition.target}_{definition.code}" if path else f"custom_{definition.code}"
    members = {
        "title": label(definition), "parameter_name": name, "definition": definition, "path": path,
        "queryset": _narrow, "lookups": _lookups, "__doc__": "Records by the value of a custom field.",
    }  # fmt: skip
    return type("CustomFilter", (base,), members)


def _lookups(self: Any, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
    if self.definition.kind == "boolean":
        return [("true", str(_("yes"))), ("false", str(_("no")))]
    zh = is_chinese()
    return [(x.code, x.zh if zh else x.en or x.zh) for x in self.definition.choices]


def _narrow(self: Any, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
    given = (self.value() or "").strip()
    if not given:
        return queryset
    if self.path:
        records = targets.get(self.definition.target).model._default_manager.all()
        return queryset.filter(**{f"{self.path}__in": _cut(self, request, records, given)})
    return _cut(self, request, queryset, given)


def _cut(self: Any, request: HttpRequest, queryset: QuerySet[Any], given: str) -> QuerySet[Any]:
    first, dots, last = given.partition("..")
    try:
        if not dots or self.definition.kind in ("text", "link"):
            return narrowed(queryset, self.definition, given)
        for text, bound in ((first, "from"), (last, "to")):
            if text.strip():
                queryset = narrowed(queryset, self.definition, text, bound)
    except Fault as fault:
        messages.error(request, f"{self.title}: {sentence(fault)}")
        return queryset.none()
    return queryset


# ---- tables that are downloaded and uploaded ------------------------------------------------------


class CustomColumn(Column):
    """One field as the column `custom.<code>`; an empty cell empties it."""

    def __init__(self, definition: Definition) -> None:
        self.definition = definition
        name = f"custom.{definition.code}"
        super().__init__(attribute=name, column_name=name)

    def export(self, instance: Any, **kwargs: Any) -> Any:
        """The value as a cell that can be uploaded again and that no spreadsheet runs."""
        return neutral(to_text(self.definition, instance.custom.get(self.definition.code)))

    def save(self, instance: Any, row: Any, is_m2m: bool = False, **kwargs: Any) -> None:
        """Read the cell into the record's values; raises ValueError with the sentence of what is wrong."""
        code, mine = self.definition.code, self.definition.merchant_id
        cell = str(row.get(self.column_name) or "")
        try:
            value = from_text(self.definition, cell)
        except Fault as fault:
            raise ValueError(f"{self.column_name}: {sentence(fault)}") from fault
        if value is not None and mine is not None and mine != instance.merchant_id:
            raise ValueError(f"{self.column_name}: {_('This merchant has no such field.')}")
        values: Mapping[str, Any] = {**instance.custom, code: value}
        instance.custom = {name: one for name, one in values.items() if one is not None}


class CustomTable(Table):
    """Mixed into a resource: columns for the fields that the person may fill, defaults for new records."""

    custom_target: str

    def __init__(self, *, user: Any = None, **kwargs: Any) -> None:
        """`user` is who downloads or uploads."""
        super().__init__(**kwargs)
        if user is None:
            return
        may = rights.filled_by(user)
        for one in queries.of_staff(user.merchant_id, self.custom_target):
            if may(one):
                self.fields[f"custom.{one.code}"] = CustomColumn(one)

    def before_save_instance(self, instance: Any, row: Any, **kwargs: Any) -> None:
        """Defaults and required fields of a new record."""
        super().before_save_instance(instance, row, **kwargs)
        if instance._state.adding:
            definitions = queries.book(instance.merchant).of(self.custom_target)
            found = filling.fill(definitions, {}, standing=None)
            for code, fault in found.faults.items():
                if code not in instance.custom:
                    raise ValueError(f"custom.{code}: {sentence(fault)}")
            instance.custom = {**found.values, **instance.custom}


class CustomTables(Base):
    """Mixed into the admin of a table: hands who asks to the resource."""

    def get_import_resource_kwargs(self, request: HttpRequest, **kwargs: Any) -> dict[str, Any]:
        """With the person."""
        return {**super().get_import_resource_kwargs(request, **kwargs), "user": request.user}

    def get_export_resource_kwargs(self, request: HttpRequest, **kwargs: Any) -> dict[str, Any]:
        """With the person."""
        return {**super().get_export_resource_kwargs(request, **kwargs), "user": request.user}

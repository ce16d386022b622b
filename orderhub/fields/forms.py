"""Form fields for custom fields: lenient inputs, since the engine judges what was entered and words the errors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from orderhub.fields.engine import Definition, Fault, from_text, parse, to_text
from orderhub.fields.filling import Filled, May, fill
from orderhub.fields.wording import is_chinese, sentence

#: Texts that may be longer than this get several lines.
ONE_LINE = 200
_TYPES = {"date": "date", "time": "time", "link": "url"}
_KEYBOARDS = {"integer": "numeric", "decimal": "decimal", "money": "decimal"}


def name_of(code: str, prefix: str = "") -> str:
    """The form's name of a field."""
    return f"{prefix}custom_{code}"


def form_field(definition: Definition, value: Any = None, *, plain: bool = False) -> forms.Field:
    """The input of a field, filled with a stored value; `plain` for pages that are no Unfold forms."""
    zh = is_chinese()
    label = definition.label(zh=zh)
    options: dict[str, Any] = {
        "label": f"{label} ({definition.unit})" if definition.unit else label, "required": False,
        "help_text": definition.help(zh=zh), "initial": to_text(definition, value),
    }  # fmt: skip
    if definition.is_required and definition.default is None:
        options["label"] += " *"
    style = {"class": "oh-input"} if plain else None
    if definition.kind == "choices":
        box = (
            forms.CheckboxSelectMultiple(attrs={"class": "oh-checks"})
            if plain
            else UnfoldAdminCheckboxSelectMultipleWidget()
        )
        return forms.MultipleChoiceField(
            **options | {"initial": value or []}, choices=_choices(definition), widget=box
        )
    if definition.kind in ("choice", "boolean"):
        select = forms.Select(attrs=style) if plain else UnfoldAdminSelectWidget()
        return forms.ChoiceField(**options, choices=[("", "–"), *_choices(definition)], widget=select)
    return forms.CharField(**options, max_length=5000, widget=_input(definition, style))


def read(
    definitions: Mapping[str, Definition],
    cleaned: Mapping[str, Any],
    *,
    standing: Mapping[str, Any] | None,
    may: May,
    prefix: str = "",
) -> Filled:
    """What a form's cleaned data makes of the values that stand; fields that are not on the form are left alone."""
    given = {code: cleaned[name_of(code, prefix)] for code in definitions if name_of(code, prefix) in cleaned}
    return fill(definitions, given, standing=standing, may=may, read=_value)


def complain(form: Any, found: Filled, prefix: str = "") -> None:
    """Put the faults where they belong in the form."""
    for code, fault in found.faults.items():
        name = name_of(code, prefix)
        form.add_error(name if name in form.fields else None, _said(fault, code, name in form.fields))


def _said(fault: Fault, code: str, is_there: bool) -> str:
    return sentence(fault) if is_there or not code else f"{code}: {sentence(fault)}"


def _value(definition: Definition, given: Any) -> Any:
    return from_text(definition, given) if isinstance(given, str) else parse(definition, list(given))


def _choices(definition: Definition) -> Iterable[tuple[str, str]]:
    if definition.kind == "boolean":
        return [("true", _("yes")), ("false", _("no"))]
    zh = is_chinese()
    return [(x.code, x.zh if zh else x.en or x.zh) for x in definition.choices]


def _input(definition: Definition, style: dict[str, str] | None) -> forms.Widget:
    attrs = {**(style or {})}
    if definition.kind in _KEYBOARDS:
        attrs["inputmode"] = _KEYBOARDS[definition.kind]
    most = int(definition.most) if definition.most.isdigit() else ONE_LINE
    is_long = definition.kind == "text" and not definition.pattern and most > ONE_LINE
    if is_long:
        return (
            forms.Textarea(attrs={**attrs, "rows": 3})
            if style
            else UnfoldAdminTextareaWidget(attrs={"rows": 3})
        )
    attrs["type"] = _TYPES.get(definition.kind, "text")
    kind = attrs.pop("type")
    made: Any = forms.TextInput(attrs=attrs) if style else UnfoldAdminTextInputWidget(attrs=attrs)
    made.input_type = kind
    return made  # type: ignore[no-any-return]

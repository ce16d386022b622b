"""The forms that fill custom fields of an order with its lines, and of a parcel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms

from orderhub.fields import forms as field_forms
from orderhub.fields.engine import Definition
from orderhub.fields.filling import May
from orderhub.fields.queries import Book
from orderhub.orders.filling import Put, Values
from orderhub.orders.models import Order, OrderLine


class Part:
    """One record on a form: its fields, its values, and what the names of its inputs begin with."""

    def __init__(
        self,
        definitions: Mapping[str, Definition],
        standing: Values,
        may: May,
        prefix: str = "",
        title: str = "",
    ) -> None:
        self.definitions = {code: one for code, one in definitions.items() if may(one)}
        self.standing, self.may, self.prefix, self.title = standing, may, prefix, title

    def inputs(self) -> dict[str, forms.Field]:
        """Its inputs by name, filled with what stands."""
        found: dict[str, forms.Field] = {}
        for code, one in self.definitions.items():
            made = field_forms.form_field(one, self.standing.get(code), plain=True)
            if self.title:
                made.label = f"{self.title} · {made.label}"
            found[field_forms.name_of(code, self.prefix)] = made
        return found

    def check(self, form: forms.Form) -> None:
        """Put what is wrong into the form."""
        field_forms.complain(form, self._filled(form, self.standing), self.prefix)

    def put(self, form: forms.Form) -> Put:
        """Puts what was entered over what stands by then."""
        return lambda standing: self._filled(form, standing).values

    def _filled(self, form: forms.Form, standing: Values) -> Any:
        return field_forms.read(
            self.definitions, form.cleaned_data, standing=standing, may=self.may, prefix=self.prefix
        )


class CustomValuesForm(forms.Form):
    """The inputs of several records on one form."""

    def __init__(self, data: Any, parts: Sequence[Part]) -> None:
        super().__init__(data)
        self.parts = parts
        for part in parts:
            self.fields.update(part.inputs())

    def clean(self) -> dict[str, Any]:
        """Judge each record's values by its fields."""
        for part in self.parts:
            part.check(self)
        return self.cleaned_data


def of_order(order: Order, lines: Sequence[OrderLine], book: Book, may: May) -> list[Part]:
    """The order and each of its lines; parts without fields are left out."""
    parts = [Part(book.of("order"), order.custom, may)]
    if book.of("line"):
        parts += [
            Part(book.of("line"), line.custom, may, f"line{line.pk}_", f"{line.position}. {line.sku.code}")
            for line in lines
        ]
    return [part for part in parts if part.definitions]

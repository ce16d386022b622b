"""Finding records by the values of their fields: by the index on PostgreSQL, without one on SQLite."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import Case, DecimalField, Q, QuerySet, TextField, Value, When
from django.db.models.fields.json import KT
from django.db.models.functions import Cast
from django.db.models.lookups import GreaterThanOrEqual, LessThanOrEqual

from orderhub.fields.engine import NUMBER_KINDS, Definition, Fault, from_text

_FIGURE = r"^-?[0-9]{1,16}(\.[0-9]{1,12})?$"
#: What a filter may be about: the value itself, or a bound of numbers, dates and times (both included).
BOUNDS = ("", "from", "to")


def narrowed(rows: QuerySet[Any], definition: Definition, given: str, bound: str = "") -> QuerySet[Any]:
    """The records whose field is, or holds, the value; raises Fault for one that cannot be a value of it."""
    if bound and definition.kind not in NUMBER_KINDS | {"date", "time"}:
        raise Fault("field_limit_kind")
    value = _plain(definition, given)
    if value is None:
        raise Fault("field_required")
    return (
        rows.filter(_bounded(definition, value, bound)) if bound else rows.filter(_equal(definition, value))
    )


def has_value(code: str) -> Q:
    """Records that have any value of the field."""
    return Q(custom__has_key=code) & ~Q(custom={})


def _plain(definition: Definition, given: str) -> Any:
    """The value without the limits of the field, which may have changed since it was stored."""
    free = Definition(
        definition.target, definition.code, definition.kind, definition.zh, choices=definition.choices
    )
    return from_text(free, given)


def _equal(definition: Definition, value: Any) -> Q:
    code = definition.code
    if connection.vendor == "postgresql":
        # The second condition is the index's own: records without values are not in it.
        return Q(custom__contains={code: value}) & ~Q(custom={})
    if definition.kind == "choices":
        found = Q()
        for one in value:
            found &= Q(**{f"custom__{code}__icontains": f'"{one}"'})
        return found
    return Q(**{f"custom__{code}": value})


def _bounded(definition: Definition, value: Any, bound: str) -> Any:
    compare = GreaterThanOrEqual if bound == "from" else LessThanOrEqual
    text = Cast(KT(f"custom__{definition.code}"), TextField())
    if definition.kind in NUMBER_KINDS:
        # Another merchant's field of this code may hold texts: they are not cast.
        number: Any = Case(
            When(**{f"custom__{definition.code}__regex": _FIGURE}, then=Cast(text, _figures())),
            default=Value(None), output_field=_figures(),
        )  # fmt: skip
        return Q(compare(number, Decimal(value))) & has_value(definition.code)
    return Q(compare(text, Value(value))) & has_value(definition.code)


def _figures() -> DecimalField[Any, Any]:
    return DecimalField(max_digits=30, decimal_places=12)

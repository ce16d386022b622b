"""Values of fields in the API: read and written as the nested object `custom`, wrong ones refused by their place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.request import Request

from orderhub.access.authentication import merchant_of
from orderhub.access.models import Merchant
from orderhub.fields import filling, lookups
from orderhub.fields.engine import Definition, Fault
from orderhub.fields.queries import book
from orderhub.fields.wording import sentence
from orderhub.kernel.errors import Refused

PREFIX = "custom."
_SCHEMA = {
    "type": "object", "maxProperties": 200,
    "additionalProperties": {
        "nullable": True,
        "oneOf": [
            {"type": "string"}, {"type": "integer"}, {"type": "boolean"}, {"type": "array", "items": {"type": "string"}},
        ],
    },
    "description": "Custom fields by code, as `GET /api/v1/fields/` lists them; null empties a field.",
}  # fmt: skip


def shown(merchant: Merchant, target: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """What the merchant's callers see of a record's values."""
    return filling.visible(book(merchant).of(target), values) if values else {}


def checked(
    definitions: Mapping[str, Definition], given: object, *, standing: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The values as they are stored; raises ValidationError with an error per field. New records have no `standing`."""
    if given is not None and not isinstance(given, Mapping):
        raise ValidationError([ErrorDetail(_("Must be an object of fields by code."), "field_object")])
    found = filling.fill(definitions, given or {}, standing=standing)
    if found.faults:
        raise ValidationError(
            {
                code or "non_field_errors": [ErrorDetail(sentence(x), x.code)]
                for code, x in found.faults.items()
            }
        )
    return found.values


def narrow(rows: QuerySet[Any], request: Request, target: str, name: str, given: str) -> QuerySet[Any] | None:
    """A list cut by `custom.<code>`, `custom.<code>.from` or `.to`; None for any other filter. Raises Refused (400)."""
    if not name.startswith(PREFIX):
        return None
    code, _dot, bound = name.removeprefix(PREFIX).partition(".")
    definition = book(merchant_of(request)).of(target).get(code)
    if definition is None or not filling.merchant_may_read(definition) or bound not in lookups.BOUNDS:
        raise Refused(
            "unknown_filter", _("There is no filter %(name)s.") % {"name": name[:60]},
            remedy=_("GET /api/v1/fields/ lists the custom fields."), status=400, field=name[:60],
        )  # fmt: skip
    try:
        return lookups.narrowed(rows, definition, given[:2000], bound)
    except Fault as fault:
        raise Refused(
            "bad_filter", _("%(value)s is no value of the filter %(name)s.") % {"value": given[:60], "name": name[:60]},
            remedy=sentence(fault), status=400, field=name[:60],
        ) from fault  # fmt: skip


@extend_schema_field(_SCHEMA)
class CustomIn(serializers.JSONField):
    """An object of fields by code; which fields there are is judged by the merchant's own definitions."""

    def to_internal_value(self, data: Any) -> Any:
        """The object as it came."""
        if not isinstance(data, dict):
            raise ValidationError([ErrorDetail(_("Must be an object of fields by code."), "field_object")])
        return super().to_internal_value(data)


@extend_schema_field(_SCHEMA)
class CustomValues(serializers.Field):  # type: ignore[type-arg]
    """The `custom` of a record of the caller's merchant, read and written; for serializers with a request at hand."""

    def __init__(self, target: str, **kwargs: Any) -> None:
        """`target` is the kind of record."""
        self.target = target
        if not kwargs.get("read_only"):
            kwargs["required"] = False
        super().__init__(source="*", **kwargs)

    def to_representation(self, value: Any) -> dict[str, Any]:
        """The values that the merchant may see."""
        request = self.context.get("request")
        merchant = merchant_of(request) if request is not None else value.merchant
        return shown(merchant, self.target, value.custom)

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """The values as they are stored, over those that stand."""
        instance = getattr(self.parent, "instance", None)
        definitions = book(merchant_of(self.context["request"])).of(self.target)
        return {"custom": checked(definitions, data, standing=None if instance is None else instance.custom)}

    def get_default(self) -> Any:
        """Without any value given, a new record still gets the defaults, and is told what is required."""
        if getattr(self.parent, "instance", None) is not None or "request" not in self.context:
            raise serializers.SkipField
        return self.to_internal_value({})

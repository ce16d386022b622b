"""Filters of a list by name: what a view does not declare is refused, never ignored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from django.db.models import QuerySet
from django.utils.dateparse import parse_datetime
from django.utils.timezone import is_naive
from django.utils.translation import gettext_lazy as _
from rest_framework.filters import BaseFilterBackend
from rest_framework.request import Request

from orderhub.access.authentication import answer_headers
from orderhub.access.deprecation import RETIRED, deprecated_headers
from orderhub.kernel.errors import Refused

Kind = Literal["text", "whole", "moment", "flag"]
#: Parameters of every list.
COMMON = frozenset({"cursor", "page_size", "ordering", "page", "fields", "format", "lang"})
_LONGEST, _LARGEST = 200, 2**63 - 1
_SCHEMAS: dict[Kind, dict[str, Any]] = {
    "text": {"type": "string", "maxLength": _LONGEST},
    "whole": {"type": "integer", "minimum": 0, "maximum": _LARGEST},
    "moment": {"type": "string", "format": "date-time"},
    "flag": {"type": "boolean"},
}


@dataclass(frozen=True, slots=True)
class Filter:
    """One filter: the lookup it becomes, what its value is, and what it says in the documentation."""

    lookup: str
    kind: Kind = "text"
    text: str = ""
    values: tuple[str, ...] = ()
    form: str = field(default="{}")

    def read(self, name: str, given: str) -> Any:
        """The value; raises Refused (400)."""
        value = _READ[self.kind](given)
        if value is None or (self.values and value not in self.values):
            allowed = ", ".join(self.values) or _FORMS[self.kind]
            raise Refused(
                "bad_filter", _("%(value)s is no value of the filter %(name)s.") % {"value": given[:60], "name": name},
                remedy=_("Expected: %(form)s.") % {"form": allowed}, status=400, field=name,
            )  # fmt: skip
        return self.form.format(value) if self.form != "{}" else value


def _text(given: str) -> str | None:
    return given if given and len(given) <= _LONGEST and given.isprintable() else None


def _whole(given: str) -> int | None:
    whole = given.isascii() and given.isdigit() and len(given) <= 19 and int(given) <= _LARGEST
    return int(given) if whole else None


def _moment(given: str) -> datetime | None:
    try:
        found = parse_datetime(given.replace(" ", "+"))
    except ValueError:
        return None
    if found is None or is_naive(found) or not 1900 < found.year < 9000:
        return None
    return found.astimezone(UTC)  # PostgreSQL refuses offsets beyond 15:59


def _flag(given: str) -> bool | None:
    return {"true": True, "1": True, "false": False, "0": False}.get(given.lower())


_READ: dict[Kind, Any] = {"text": _text, "whole": _whole, "moment": _moment, "flag": _flag}
_FORMS = {
    "text": "1-200 characters",
    "whole": "0, 1, 2 …",
    "moment": "2026-11-22T08:00:00+08:00",
    "flag": "true, false",
}


def _narrowed(view: Any, queryset: QuerySet[Any], name: str, given: str) -> QuerySet[Any] | None:
    """What a view makes of filters whose names nobody knows beforehand, such as custom fields."""
    narrow = getattr(view, "narrow", None)
    return None if narrow is None else narrow(queryset, name, given)


class Whitelist(BaseFilterBackend):
    """Applies a view's `filters` (name → Filter) to its list; an unknown name is 400 and told the known ones."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: Any) -> QuerySet[Any]:
        """Narrow a list; details are not filtered."""
        if getattr(view, "action", "list") != "list":
            return queryset
        known: Mapping[str, Filter] = getattr(view, "filters", {})
        for name in request.query_params:
            given = str(request.query_params[name])
            if name in known:
                queryset = queryset.filter(**{known[name].lookup: known[name].read(name, given)})
                if name in RETIRED:
                    answer_headers(request).extend(deprecated_headers(name).items())
            elif (narrowed := _narrowed(view, queryset, name, given)) is not None:
                queryset = narrowed
            elif name not in COMMON:
                raise Refused(
                    "unknown_filter", _("There is no filter %(name)s.") % {"name": name[:60]},
                    remedy=_("Filters of this list: %(names)s.") % {"names": ", ".join([*known, *sorted(COMMON)])},
                    status=400, field=name[:60],
                )  # fmt: skip
        return queryset

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        """The filters in the OpenAPI document."""
        found = []
        for name, one in getattr(view, "filters", {}).items():
            schema = {**_SCHEMAS[one.kind], **({"enum": list(one.values)} if one.values else {})}
            if one.kind == "text" and not one.values:
                schema["minLength"] = 1
            row = {"name": name, "in": "query", "required": False, "schema": schema, "description": one.text}
            if name in RETIRED:
                row |= {"deprecated": True, "description": f"Use `{RETIRED[name].instead}`."}
            found.append(row)
        return found

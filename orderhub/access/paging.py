"""Lists a page at a time by cursor: no page is counted or skipped to, and new rows never shift one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.core import signing
from django.db.models import Q, QuerySet
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import NotFound
from rest_framework.pagination import BasePagination, PageNumberPagination
from rest_framework.request import Request
from rest_framework.response import Response

from orderhub.access.deprecation import deprecated_headers
from orderhub.kernel.errors import Refused

DEFAULT_SIZE, MOST = 50, 200
#: `count` is told up to here; a longer list says null instead of being counted.
COUNTED = 1000
_SALT = "orderhub.cursor"


class _Pages(PageNumberPagination):
    """The numbered pages of old: each is counted and skipped to."""

    page_size = DEFAULT_SIZE
    page_size_query_param = "page_size"
    max_page_size = MOST


class HubPagination(BasePagination):
    """50 a page, up to 200 with `page_size`; `next` and `previous` are whole addresses, their cursors signed.

    A view names its `orderings` (name → fields ending in a unique one); `page` still works and is deprecated.
    """

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any] | None:
        """The rows of the asked page; raises Refused (400) for a wrong cursor, size or ordering."""
        self.request, self.pages = request, None
        asked = request.query_params
        self.order, fields = _ordering(view, asked, queryset)
        rows = queryset.order_by(*fields)
        if "page" in asked:
            self.pages = _Pages()
            try:
                return self.pages.paginate_queryset(rows, request, view)
            except NotFound:
                raise _no_page() from None
        self.size = _size(asked)
        backward, at = self._position(asked.get("cursor"), len(fields))
        self.count = None if at is not None else _count(rows, exact=_counts(view, asked))
        if at is not None:
            rows = rows.filter(_beyond(fields, at, backward=backward))
        found = list((rows.reverse() if backward else rows)[: self.size + 1])
        more, page = len(found) > self.size, found[: self.size]
        if backward:
            page.reverse()
        self.next = self._link(page[-1], fields, "n") if page and (more or backward) else None
        has_before = more if backward else at is not None
        self.previous = self._link(page[0], fields, "p") if page and has_before else None
        return page

    def get_paginated_response(self, data: Any) -> Response:
        """`count` (null above 1,000 and on later pages), `next`, `previous`, `results`."""
        if self.pages is not None:
            answer = self.pages.get_paginated_response(data)
            for name, value in deprecated_headers("page").items():
                answer[name] = value
            return answer
        return Response({"count": self.count, "next": self.next, "previous": self.previous, "results": data})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """The frame of a list in the OpenAPI document."""
        link = {"type": "string", "format": "uri", "nullable": True}
        return {
            "type": "object",
            "required": ["count", "next", "previous", "results"],
            "properties": {
                "count": {
                    "type": "integer",
                    "nullable": True,
                    "description": f"Rows in all, on the first page and up to {COUNTED:,}; null elsewhere.",
                },
                "next": link,
                "previous": link,
                "results": schema,
            },
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        """The query parameters of a list in the OpenAPI document."""
        names = list(_orderings(view))
        ordering = {"type": "string", "enum": names, "default": names[0]} if names else None
        return [
            _parameter("cursor", {"type": "string"}, "From `next` or `previous`; opaque."),
            _parameter(
                "page_size",
                {"type": "integer", "minimum": 1, "maximum": MOST, "default": DEFAULT_SIZE},
                "Rows a page.",
            ),
            *([_parameter("ordering", ordering, "Order of rows.")] if ordering else []),
            {
                **_parameter(
                    "page", {"type": "integer", "minimum": 1}, "Numbered pages; follow `next` instead."
                ),
                "deprecated": True,
            },
        ]

    def _position(self, cursor: str | None, width: int) -> tuple[bool, list[Any] | None]:
        if cursor is None:
            return False, None
        try:
            order, way, values = signing.loads(cursor, salt=_SALT)
            at = [_value(value) for value in values]
        except (signing.BadSignature, ValueError, TypeError) as fault:
            raise _bad_cursor() from fault
        if order != self.order or len(at) != width:
            raise _bad_cursor()
        return way == "p", at

    def _link(self, row: Any, fields: Sequence[str], way: str) -> str:
        values = [_plain(_of(row, field.lstrip("-"))) for field in fields]
        cursor = signing.dumps([self.order, way, values], salt=_SALT)
        query = [(k, v) for k, vs in self.request.query_params.lists() if k != "cursor" for v in vs]
        path = self.request.build_absolute_uri(self.request.path)
        return f"{path}?{urlencode([*query, ('cursor', cursor)])}"


def _orderings(view: Any) -> Mapping[str, tuple[str, ...]]:
    found: Mapping[str, tuple[str, ...]] = getattr(view, "orderings", {})
    return found


def _ordering(view: Any, asked: Mapping[str, str], rows: QuerySet[Any]) -> tuple[str, tuple[str, ...]]:
    known = _orderings(view) or {"default": _of_rows(rows)}
    name = asked.get("ordering") or next(iter(known))
    if name not in known:
        raise Refused(
            "unknown_ordering", _("Rows cannot be ordered by %(name)s.") % {"name": name[:60]},
            remedy=_("Choose one of: %(names)s.") % {"names": ", ".join(known)}, status=400, field="ordering",
        )  # fmt: skip
    return name, known[name]


def _of_rows(rows: QuerySet[Any]) -> tuple[str, ...]:
    """The order that a view without `orderings` gave its rows, made unique."""
    given = tuple(str(name) for name in rows.query.order_by)
    return given if given and given[-1].lstrip("-") in ("id", "pk") else (*given, "id")


def _size(asked: Mapping[str, str]) -> int:
    text = asked.get("page_size") or str(DEFAULT_SIZE)
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= MOST):
        raise Refused(
            "bad_page_size", _("page_size is a whole number from 1 to %(most)d.") % {"most": MOST},
            remedy=_("Ask for fewer rows and follow `next`."), status=400, field="page_size",
        )  # fmt: skip
    return int(text)


def _counts(view: Any, asked: Mapping[str, str]) -> bool:
    """Whether the view says that a filter asked for is narrow enough to count."""
    return any(name in asked for name in getattr(view, "counted_filters", ()))


def _count(rows: QuerySet[Any], *, exact: bool) -> int | None:
    plain = rows.order_by()
    if exact:
        return plain.count()
    found = plain.values("pk")[: COUNTED + 1].count()
    return found if found <= COUNTED else None


def _beyond(fields: Sequence[str], at: Sequence[Any], *, backward: bool) -> Q:
    """Rows after (before) a position: a > x, or a = x and b > y …; the first field bounds the index scan."""
    found = Q(pk__in=[])
    same = Q()
    for field, value in zip(fields, at, strict=True):
        name, down = field.lstrip("-"), field.startswith("-") != backward
        found |= same & Q(**{f"{name}__{'lt' if down else 'gt'}": value})
        same &= Q(**{name: value})
    first = fields[0].lstrip("-")
    edge = "lte" if fields[0].startswith("-") != backward else "gte"
    return Q(**{f"{first}__{edge}": at[0]}) & found if len(fields) > 1 else found


def _of(row: Any, path: str) -> Any:
    for name in path.split("__"):
        row = getattr(row, name)
    return row


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return {"at": value.isoformat()}
    return value if isinstance(value, str | int) else str(value)


def _value(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    moment = parse_datetime(value["at"])
    if moment is None:
        raise ValueError(value)
    return moment


def _bad_cursor() -> Refused:
    return Refused(
        "bad_cursor", _("This cursor is not one of ours, or belongs to another order of rows."),
        remedy=_("Start again without a cursor and follow `next` as it is given."), status=400, field="cursor",
    )  # fmt: skip


def _no_page() -> Refused:
    return Refused(
        "no_page", _("There is no page of this number."), remedy=_("Follow `next` as it is given."), status=400,
        field="page",
    )  # fmt: skip


def _parameter(name: str, schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "schema": schema, "description": description}

"""What every call says of itself in the OpenAPI document: its scope, its conditional headers, its sparse fields."""

from __future__ import annotations

from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter, inline_serializer
from rest_framework import serializers

from orderhub.access import scopes
from orderhub.access.etags import TaggedDetail
from orderhub.access.sparse import SparseFields

_LANG = OpenApiParameter(
    "lang", str, enum=["zh-hans", "en"], description="Language of texts, before Accept-Language."
)
_FIELDS = OpenApiParameter("fields", str, description="Only these fields, separated by commas.")
_IF_MATCH = OpenApiParameter(
    "If-Match", str, location="header", description="The ETag you saw; 412 if it has changed since."
)
_IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match", str, location="header", description="The ETag you have; 304 if it is still the same."
)


def listed(one: type[serializers.BaseSerializer[Any]]) -> Any:
    """The schema of a short list that is not paged: `count` and `results`."""
    name = one.__name__.removesuffix("Serializer")
    return inline_serializer(f"{name}Rows", {"count": serializers.IntegerField(), "results": one(many=True)})


class HubSchema(AutoSchema):
    """Adds what follows from a view's mixins, so that no view has to repeat it."""

    def get_override_parameters(self) -> list[Any]:
        """The parameters that come from mixins."""
        found = [_LANG] if getattr(self.view, "scope", "") else []
        action = getattr(self.view, "action", "")
        if isinstance(self.view, SparseFields) and action in ("list", "retrieve"):
            found.append(_FIELDS)
        if isinstance(self.view, TaggedDetail):
            if action == "retrieve":
                found.append(_IF_NONE_MATCH)
            elif action == "partial_update" or (
                self.method == "POST" and getattr(self.view, "detail", False)
            ):
                found.append(_IF_MATCH)
        return found

    def get_extensions(self) -> dict[str, Any]:
        """`x-scope`: what a scoped key needs for this call."""
        area = getattr(self.view, "scope", "")
        if not area:
            return {}
        asks = self.method in ("GET", "HEAD", "OPTIONS") or getattr(self.view, "only_reads", False)
        return {"x-scope": scopes.needed(area, writes=not asks)}

    def get_description(self) -> str:  # type: ignore[override]  # drf-spectacular asks without arguments
        """The view's own words and the scope."""
        words, scope = super().get_description() or "", self.get_extensions().get("x-scope")
        return f"{words}\n\nScope: `{scope}`." if scope else words

"""Bills of materials by API: read only; they are written in the admin or from a file."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from orderhub.access.authentication import merchant_of
from orderhub.access.etags import TaggedDetail
from orderhub.access.filters import Filter
from orderhub.access.sparse import SparseFields
from orderhub.inventory import boms
from orderhub.inventory.models import Bom, BomAlternative, BomLine, Sku
from orderhub.kernel import clock
from orderhub.kernel.errors import Refused

MOST_UNITS = 1_000_000


class BomAlternativeSerializer(serializers.ModelSerializer[BomAlternative]):
    """A component that may be used instead."""

    sku = serializers.CharField(source="component.code")

    class Meta:
        model = BomAlternative
        fields = ["sku", "ratio", "priority"]


class BomLineSerializer(serializers.ModelSerializer[BomLine]):
    """One component."""

    sku = serializers.CharField(source="component.code")
    alternatives = BomAlternativeSerializer(many=True)

    class Meta:
        model = BomLine
        fields = ["sku", "quantity", "unit", "scrap_percent", "alternatives"]


class BomSerializer(serializers.ModelSerializer[Bom]):
    """One version of what an article is made of."""

    sku = serializers.CharField(source="sku.code")
    lines = BomLineSerializer(many=True)

    class Meta:
        model = Bom
        fields = ["id", "sku", "version", "valid_from", "valid_to", "note", "is_active", "lines"]


class NeedOut(serializers.Serializer[Any]):
    """How much of a component is needed, exactly, and in whole units off a shelf."""

    sku = serializers.CharField()
    quantity = serializers.CharField()
    units = serializers.IntegerField()
    unit = serializers.CharField(allow_blank=True)
    path = serializers.ListField(child=serializers.CharField())


class NeedsOut(serializers.Serializer[Any]):
    """Everything some units of an article are made of."""

    sku = serializers.CharField()
    units = serializers.IntegerField()
    needs = NeedOut(many=True)


class BomViewSet(
    SparseFields,
    TaggedDetail,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    viewsets.GenericViewSet[Bom],
):
    """Bills of materials of the merchant."""

    scope = "stock"
    serializer_class = BomSerializer
    queryset = Bom.objects.none()
    orderings = {"sku": ("sku__code", "id"), "id": ("id",), "-id": ("-id",)}
    filters = {
        "sku": Filter("sku__code", text="The article's SKU code."),
        "component": Filter("lines__component__code", text="Bills that use this SKU code."),
        "is_active": Filter("is_active", "flag", "Whether it is in use."),
    }

    def get_queryset(self) -> QuerySet[Bom]:
        """The caller's own rows only."""
        rows = Bom.objects.filter(merchant=merchant_of(self.request)).select_related("sku")
        return rows.prefetch_related("lines__component", "lines__alternatives__component")

    @extend_schema(
        parameters=[OpenApiParameter("units", int, description="Units to be made; 1 unless said.")],
        responses={200: NeedsOut},
    )
    @action(detail=True, methods=["get"])
    def needs(self, request: Request, pk: str | None = None) -> Response:
        """What so many units of the article need at the lowest level today, by the bills in force."""
        bom = self.get_object()
        units = _units(request.query_params.get("units", "1"))
        found = boms.needs(bom.merchant_id, {bom.sku_id: units}, on=clock.now().date())
        ids = {pk for need in found for pk in need.path}
        codes = dict(Sku.objects.filter(pk__in=ids).values_list("pk", "code"))
        rows = [
            {"sku": codes[need.article], "quantity": format(Decimal(need.quantity), "f"), "units": need.units,
             "unit": need.unit, "path": [codes[one] for one in need.path]}
            for need in found
        ]  # fmt: skip
        return Response(NeedsOut({"sku": bom.sku.code, "units": units, "needs": rows}).data)


def _units(text: str) -> int:
    if text.isascii() and text.isdigit() and 1 <= int(text) <= MOST_UNITS:
        return int(text)
    raise Refused(
        "bad_units", _("The number of units must be a whole number from 1 to %(most)d.") % {"most": MOST_UNITS},
        remedy=_("Leave it out for one unit."), status=400, field="units",
    )  # fmt: skip

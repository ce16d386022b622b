"""SKUs and warehouses by API: read, made, changed and switched off, never deleted."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import mixins, serializers, viewsets
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from orderhub.access import etags
from orderhub.access.authentication import actor_of, merchant_of
from orderhub.access.etags import TaggedDetail
from orderhub.access.filters import Filter
from orderhub.access.models import User
from orderhub.access.sparse import SparseFields
from orderhub.fields.api_values import CustomValues, narrow
from orderhub.inventory import services, telling
from orderhub.inventory.models import Sku, Warehouse
from orderhub.kernel import clock


class SkuSerializer(serializers.ModelSerializer[Sku]):
    """One SKU."""

    sku = serializers.CharField(source="code", max_length=80)
    traits = serializers.ListField(child=serializers.CharField(max_length=20), max_length=10, required=False)
    custom = CustomValues("sku")

    class Meta:
        model = Sku
        fields = [
            "id", "sku", "name", "name_en", "category", "price", "currency", "grams", "volume_cm3", "traits", "hs_code",
            "is_active", "custom",
        ]  # fmt: skip
        extra_kwargs = {
            "price": {"min_value": 0},
            "grams": {"min_value": 1, "max_value": 1_000_000_000},
            "volume_cm3": {"max_value": 1_000_000_000},
            "currency": {"min_length": 3},
        }


@extend_schema_field({"type": "string", "pattern": r"^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$"})
class LocalTime(serializers.TimeField):
    """A time of the warehouse's own day, without an offset."""


class WarehouseSerializer(serializers.ModelSerializer[Warehouse]):
    """One warehouse."""

    cutoff_at = LocalTime(required=False, format="%H:%M:%S")
    serves_provinces = serializers.ListField(
        child=serializers.CharField(max_length=40), max_length=60, required=False
    )
    custom = CustomValues("warehouse")

    class Meta:
        model = Warehouse
        fields = [
            "id", "code", "name", "name_en", "kind", "country", "province", "city", "latitude", "longitude", "cutoff_at",
            "capacity_per_day", "serves_provinces", "energy_source", "is_frozen", "is_active",
            "custom",
        ]  # fmt: skip
        extra_kwargs = {
            "latitude": {"min_value": -90, "max_value": 90},
            "longitude": {"min_value": -180, "max_value": 180},
            "capacity_per_day": {"max_value": 1_000_000_000},
            "country": {"min_length": 2},
        }


class _Catalog(
    SparseFields,
    TaggedDetail,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    viewsets.GenericViewSet[Any],
):
    """What both do; a code is given once and never changed, as orders and files name it."""

    scope = "stock"
    model: type[Any]
    code_field = "code"
    #: The kind of record that custom fields belong to.
    target: str
    http_method_names = ["get", "head", "options", "post", "patch"]
    orderings = {"code": ("code", "id"), "-code": ("-code", "-id"), "id": ("id",), "-id": ("-id",)}

    def get_queryset(self) -> QuerySet[Any]:
        """The caller's own rows only."""
        rows: QuerySet[Any] = self.model.objects.filter(merchant=merchant_of(self.request))
        return rows

    def narrow(self, rows: QuerySet[Any], name: str, given: str) -> QuerySet[Any] | None:
        """Filters by custom fields: `custom.<code>`, `.from` and `.to`."""
        return narrow(rows, self.request, self.target, name, given)

    def create(self, request: Request) -> Response:
        """A new one; a code that exists is an error of its field."""
        form = self.get_serializer(data=request.data)
        form.is_valid(raise_exception=True)
        found = self.model(merchant=merchant_of(request), **form.validated_data)
        try:
            with transaction.atomic():
                _by(found, request).save(force_insert=True)
        except IntegrityError:
            known = serializers.ErrorDetail(_("This code exists."), "exists")
            raise ValidationError({self.code_field: [known]}) from None
        return self._answer(found, status=201)

    def partial_update(self, request: Request, pk: str | None = None) -> Response:
        """Change what is sent; `is_active: false` switches it off. `If-Match` guards against lost updates."""
        with transaction.atomic():
            found = self.get_object()
            found = self.model.objects.select_for_update().get(pk=found.pk)
            etags.check_tag(request, etags.tag_of(self.get_serializer(found).data))
            form = self.get_serializer(found, data=request.data, partial=True)
            form.is_valid(raise_exception=True)
            if form.validated_data.get("code", found.code) != found.code:
                raise ValidationError(
                    {self.code_field: [serializers.ErrorDetail(_("A code is never changed."), "fixed")]}
                )
            _by(found, request)
            form.save()
            self._tell(found, set(form.validated_data), actor=actor_of(request))
        return self._answer(found, status=200)

    def _tell(self, found: Any, changed: Collection[str], *, actor: str) -> None:
        """Let orders be tried again that may have waited for this change."""
        raise NotImplementedError

    def _answer(self, found: Any, *, status: int) -> Response:
        found.refresh_from_db()
        data = self.get_serializer(found).data
        answer = Response(data, status=status, headers={"ETag": etags.tag_of(data)})
        if status == 201:
            answer["Location"] = f"{self.request.path}{found.pk}/"
        return answer


def _by(found: Any, request: Request) -> Any:
    """Name who changes it in its history: a person, or the key by the reason."""
    found._history_user = request.user if isinstance(request.user, User) else None
    found._change_reason = actor_of(request)
    return found


class SkuViewSet(_Catalog):
    """SKUs of the merchant."""

    serializer_class = SkuSerializer
    model = Sku
    target = "sku"
    queryset = Sku.objects.none()
    code_field = "sku"
    filters = {
        "sku": Filter("code", text="The SKU's code."),
        "code": Filter("code", text="The SKU's code, by its old name."),
        "category": Filter("category", text="Category."),
        "is_active": Filter("is_active", "flag", "Whether it is sold."),
    }

    @extend_schema(responses={201: SkuSerializer})
    def create(self, request: Request) -> Response:
        """A new SKU; a code that exists is an error of the field `sku`."""
        return super().create(request)

    def _tell(self, found: Sku, changed: Collection[str], *, actor: str) -> None:
        telling.sku_if(found, changed, actor=actor, now=clock.now())


class WarehouseViewSet(_Catalog):
    """Warehouses of the merchant."""

    serializer_class = WarehouseSerializer
    model = Warehouse
    target = "warehouse"
    queryset = Warehouse.objects.none()
    filters = {
        "code": Filter("code", text="The warehouse's code."),
        "kind": Filter("kind", text="Kind.", values=tuple(Warehouse.Kind.values)),
        "is_active": Filter("is_active", "flag", "Whether it is in use."),
    }

    @extend_schema(responses={201: WarehouseSerializer})
    def create(self, request: Request) -> Response:
        """A new warehouse; a code that exists is an error of the field `code`."""
        return super().create(request)

    def _tell(self, found: Warehouse, changed: Collection[str], *, actor: str) -> None:
        services.tell_changed([found], actor=actor, now=clock.now())

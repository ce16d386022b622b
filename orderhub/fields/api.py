"""Definitions of custom fields by API: a merchant's own are kept here, those for all merchants are only read."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from orderhub.access import etags
from orderhub.access.authentication import actor_of, merchant_of
from orderhub.access.etags import TaggedDetail
from orderhub.access.filters import Filter
from orderhub.access.models import User
from orderhub.access.sparse import SparseFields
from orderhub.fields import services, uses
from orderhub.fields.engine import MOST_CHOICES, Fault
from orderhub.fields.models import Field
from orderhub.fields.wording import sentence
from orderhub.kernel import clock
from orderhub.kernel.errors import Refused


class ChoiceSerializer(serializers.Serializer[Any]):
    """One thing to choose."""

    code = serializers.CharField(max_length=40)
    name = serializers.CharField(max_length=80)
    name_en = serializers.CharField(max_length=80, required=False, allow_blank=True, default="")


class FieldSerializer(serializers.ModelSerializer[Field]):
    """One custom field; `is_own` is false for those that count for all merchants."""

    choices = ChoiceSerializer(many=True, required=False)
    default = serializers.JSONField(required=False, allow_null=True)
    is_own = serializers.SerializerMethodField()

    class Meta:
        model = Field
        fields = [
            "id", "target", "code", "kind", "name", "name_en", "help", "help_en", "unit", "choices", "least", "most",
            "pattern", "default", "is_required", "merchant_may", "customer_sees", "is_personal", "in_list", "in_filter",
            "position", "archived_at", "is_own",
        ]  # fmt: skip
        read_only_fields = ["archived_at", "merchant_may"]
        extra_kwargs = {"position": {"max_value": 1_000_000}}
        validators: list[Any] = []

    def get_is_own(self, field: Field) -> bool:
        """Whether the merchant may change it."""
        return field.merchant_id is not None

    def validate_choices(self, value: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Not endlessly many."""
        if len(value) > MOST_CHOICES:
            raise ValidationError(
                _("Give 1 to %(most)s choices.") % {"most": MOST_CHOICES}, code="field_choices"
            )
        return [dict(one) for one in value]


class UseSerializer(serializers.Serializer[Any]):
    """One place where a field is used; what `blocks` keeps it from being removed."""

    kind = serializers.CharField()
    title = serializers.CharField()
    detail = serializers.CharField()
    blocks = serializers.BooleanField()


class UsesSerializer(serializers.Serializer[Any]):
    """All uses of a field."""

    uses = UseSerializer(many=True)


class FieldViewSet(
    SparseFields,
    TaggedDetail,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    viewsets.GenericViewSet[Field],
):
    """Custom fields that the merchant's records may carry."""

    scope = "fields"
    serializer_class = FieldSerializer
    queryset = Field.objects.none()
    http_method_names = ["get", "head", "options", "post", "patch", "delete"]
    orderings = {"id": ("id",), "-id": ("-id",)}
    filters = {
        "target": Filter("target", text="The kind of record.", values=tuple(Field.Target.values)),
        "code": Filter("code", text="The field's code."),
        "is_active": Filter(
            "archived_at__isnull", "flag", "Whether it is in use; false are those that were removed."
        ),
    }

    def get_queryset(self) -> QuerySet[Field]:
        """The caller's own, and those for all merchants that it may see."""
        merchant = merchant_of(self.request)
        whose = Q(merchant=merchant) | (Q(merchant__isnull=True) & ~Q(merchant_may="none"))
        return Field.objects.filter(whose)

    @extend_schema(request=FieldSerializer, responses={201: FieldSerializer, 409: OpenApiTypes.OBJECT})
    def create(self, request: Request) -> Response:
        """Add a field of the merchant's own; it counts at once."""
        form = self.get_serializer(data=request.data)
        form.is_valid(raise_exception=True)
        row = Field(merchant=merchant_of(request), **form.validated_data)
        _saved(row, request)
        return self._answer(row, 201)

    @extend_schema(request=FieldSerializer, responses={200: FieldSerializer, 409: OpenApiTypes.OBJECT})
    def partial_update(self, request: Request, pk: str | None = None) -> Response:
        """Change a field of the merchant's own. Another `kind` converts the values, all of them or none."""
        row = self._own()
        etags.check_tag(request, etags.tag_of(self.get_serializer(row).data))
        form = self.get_serializer(row, data=request.data, partial=True)
        form.is_valid(raise_exception=True)
        for name, value in form.validated_data.items():
            setattr(row, name, value)
        _saved(row, request)
        return self._answer(row, 200)

    @extend_schema(responses={200: FieldSerializer, 409: OpenApiTypes.OBJECT})
    def destroy(self, request: Request, pk: str | None = None) -> Response:
        """Remove a field of the merchant's own: its values stay. 409 while a rule in force names it."""
        row = services.archive(self._own(), now=clock.now(), actor=actor_of(request), user=_user(request))
        return self._answer(row, 200)

    @extend_schema(request=None, responses={200: FieldSerializer, 409: OpenApiTypes.OBJECT})
    @action(detail=True, methods=["post"])
    def restore(self, request: Request, pk: str | None = None) -> Response:
        """Bring a removed field back, with the values it had."""
        return self._answer(services.restore(self._own(), actor=actor_of(request), user=_user(request)), 200)

    @extend_schema(responses={200: UsesSerializer})
    @action(detail=True, pagination_class=None)
    def uses(self, request: Request, pk: str | None = None) -> Response:
        """Where the field is used."""
        return Response(UsesSerializer({"uses": uses.of(self._own())}).data)

    def _own(self) -> Field:
        row = self.get_object()
        if row.merchant_id is None:
            raise Refused(
                "field_shared", _("This field counts for all merchants."), status=403,
                remedy=_("Only staff of the hub change it."),
            )  # fmt: skip
        return row

    def _answer(self, row: Field, status: int) -> Response:
        row.refresh_from_db()
        data = self.get_serializer(row).data
        answer = Response(data, status=status, headers={"ETag": etags.tag_of(data)})
        if status == 201:
            answer["Location"] = f"{self.request.path}{row.pk}/"
        return answer


def _saved(row: Field, request: Request) -> None:
    try:
        services.save(row, actor=actor_of(request), user=_user(request))
    except Fault as fault:
        place = str(fault.facts.get("field", "non_field_errors"))
        raise ValidationError({place: [ErrorDetail(sentence(fault), fault.code)]}) from fault


def _user(request: Request) -> Any:
    return request.user if isinstance(request.user, User) else None

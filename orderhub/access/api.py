"""A merchant's keys by API: read them, and let a key be followed by its successor."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from orderhub.access import scopes, services
from orderhub.access.authentication import KeyHolder, merchant_of
from orderhub.access.models import ApiKey
from orderhub.kernel import clock
from orderhub.kernel.errors import Refused


class KeySerializer(serializers.ModelSerializer[ApiKey]):
    """A key without its clear text; no scopes means every scope."""

    scopes = serializers.ListField(child=serializers.ChoiceField(choices=list(scopes.SCOPES)))

    class Meta:
        model = ApiKey
        fields = [
            "id", "name", "prefix", "scopes", "rate_per_second", "created_at", "expires_at", "revoked_at", "last_used_at",
            "replaced_by",
        ]  # fmt: skip


class RotateIn(serializers.Serializer[Any]):
    """How long the old key still works beside its successor."""

    grace_hours = serializers.IntegerField(min_value=0, max_value=24 * 30, default=24 * 7)


class NewKeySerializer(KeySerializer):
    """The successor; `key` is shown this once."""

    key = serializers.CharField()
    old_key_expires_at = serializers.DateTimeField()

    class Meta(KeySerializer.Meta):
        fields = [*KeySerializer.Meta.fields, "key", "old_key_expires_at"]


class KeyViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[ApiKey]):
    """Keys of the merchant; they are issued and revoked in the admin."""

    scope = "keys"
    serializer_class = KeySerializer
    queryset = ApiKey.objects.none()
    orderings = {"-id": ("-id",), "id": ("id",)}

    def get_queryset(self) -> QuerySet[ApiKey]:
        """The caller's own rows only."""
        return ApiKey.objects.filter(merchant=merchant_of(self.request))

    @extend_schema(request=RotateIn, responses={201: NewKeySerializer, 409: OpenApiTypes.OBJECT})
    @action(detail=False, methods=["post"])
    def rotate(self, request: Request) -> Response:
        """Issue the successor of the very key that calls; the old one works for `grace_hours` more."""
        body = RotateIn(data=request.data)
        body.is_valid(raise_exception=True)
        user: Any = request.user
        if not isinstance(user, KeyHolder):
            raise Refused(
                "only_keys_rotate", _("Only a key can rotate itself."), remedy=_("Call with the key, or use the admin."),
                status=403,
            )  # fmt: skip
        row, clear = services.rotate_key(
            user.key, now=clock.now(), grace=timedelta(hours=body.validated_data["grace_hours"])
        )
        row.refresh_from_db()
        old = ApiKey.objects.get(pk=user.key.pk)
        told = {**KeySerializer(row).data, "key": clear, "old_key_expires_at": old.expires_at}
        return Response(told, status=201)

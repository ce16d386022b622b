"""Imports by API: upload, progress, and the refused rows as a file."""

from __future__ import annotations

import io
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from orderhub.access.authentication import actor_of, merchant_of
from orderhub.access.etags import TaggedDetail
from orderhub.access.filters import Filter
from orderhub.access.models import ApiKey, User
from orderhub.access.sparse import SparseFields
from orderhub.connectors import imports, outcomes
from orderhub.connectors.models import ImportBatch
from orderhub.kernel import clock


class ImportIn(serializers.Serializer[Any]):
    """An upload: one file, or two for dialects that come in two files."""

    file = serializers.FileField(help_text="Repeat the field for dialects of two files.")
    kind = serializers.ChoiceField(choices=ImportBatch.Kind.choices, default=ImportBatch.Kind.ORDERS)
    dialect = serializers.ChoiceField(
        choices=["", "generic", "shopify", "taobao", "amazon"], required=False, allow_blank=True, default=""
    )


class ImportOut(serializers.ModelSerializer[ImportBatch]):
    """How an import stands."""

    errors_url = serializers.SerializerMethodField()
    failure = serializers.SerializerMethodField()

    class Meta:
        model = ImportBatch
        fields = [
            "id",
            "kind",
            "status",
            "dialect",
            "encoding",
            "rows",
            "orders_total",
            "done",
            "accepted_orders",
            "unchanged_orders",
            "refused_rows",
            "errors_url",
            "failure",
            "warnings",
            "created_at",
            "started_at",
            "finished_at",
        ]

    def get_errors_url(self, batch: ImportBatch) -> str:
        """Where the refused rows can be downloaded as CSV."""
        return reverse("api:import-errors", args=[batch.pk], request=self.context.get("request"))

    def get_failure(self, batch: ImportBatch) -> dict[str, str] | None:
        """Why the file as a whole was refused, and what to do."""
        return outcomes.failure(batch, language=_language(self.context.get("request")))


class ImportViewSet(
    SparseFields,
    TaggedDetail,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    viewsets.GenericViewSet[ImportBatch],
):
    """Merchant files."""

    scope = "imports"
    serializer_class = ImportOut
    queryset = ImportBatch.objects.none()
    orderings = {"-id": ("-id",), "id": ("id",)}
    filters = {
        "status": Filter("status", text="How it stands.", values=tuple(ImportBatch.Status.values)),
        "kind": Filter("kind", text="What it holds.", values=tuple(ImportBatch.Kind.values)),
    }

    def get_queryset(self) -> QuerySet[ImportBatch]:
        """The caller's own imports, newest first; previews that nobody confirmed are not among them."""
        return ImportBatch.objects.filter(
            merchant=merchant_of(self.request), confirmed_at__isnull=False
        ).order_by("-id")

    def get_parsers(self) -> list[Any]:
        """Uploads are multipart."""
        return [MultiPartParser()]

    @extend_schema(request={"multipart/form-data": ImportIn}, responses={202: ImportOut})
    def create(self, request: Request) -> Response:
        """Upload and queue: 202 with the import's id; ask `GET /imports/{id}/` for its progress."""
        body = ImportIn(data=request.data)
        body.is_valid(raise_exception=True)
        batch = imports.upload(
            [(file.name, file) for file in request.FILES.getlist("file")],
            merchant=merchant_of(request),
            kind=body.validated_data["kind"],
            dialect=body.validated_data["dialect"],
            actor=actor_of(request),
            now=clock.now(),
            language=_language(request),
            user=request.user if isinstance(request.user, User) else None,
            key=request.auth if isinstance(request.auth, ApiKey) else None,
        )
        return Response(self.get_serializer(batch).data, status=202)

    @extend_schema(responses={(200, "text/csv"): OpenApiTypes.STR})
    @action(detail=True)
    def errors(self, request: Request, pk: str | None = None) -> HttpResponse:
        """Every refused row: file,row,order_no,column,kind,value,reason."""
        batch = self.get_object()
        handle = io.StringIO(newline="")
        outcomes.write_errors(handle, batch, language=_language(request))
        answer = HttpResponse(handle.getvalue(), content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="import-{batch.pk}-errors.csv"'
        return answer


def _language(request: Any) -> str:
    return str(getattr(request, "LANGUAGE_CODE", "") or "zh-hans")

"""Decisions by API."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from orderhub.access.authentication import merchant_of
from routing import queries


class DecisionView(APIView):
    """Why an order ships from where it ships."""

    scope = "orders"

    @extend_schema(responses={200: OpenApiTypes.OBJECT}, operation_id="orders_decision_retrieve")
    def get(self, request: Request, pk: int, *args: Any) -> Response:
        """The current decision: winner and runner-up term by term in ¥, alternatives, what was removed and why."""
        language = "en" if str(getattr(request, "LANGUAGE_CODE", "")).startswith("en") else "zh-hans"
        document = queries.decision_document(pk, merchant=merchant_of(request), language=language)
        if document is None:
            raise Http404
        return Response(document)

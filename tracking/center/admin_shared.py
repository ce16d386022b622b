"""Rows that belong to one merchant or to everybody: who sees and who changes them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from orderhub.inventory.admin_base import HubAdmin


class SharedAdmin(HubAdmin):
    """Staff of one merchant see their own rows and those of everybody, and change only their own."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Their own and everybody's."""
        rows: QuerySet[Any] = admin.ModelAdmin.get_queryset(self, request)
        merchant_id = getattr(request.user, "merchant_id", None)
        return rows.filter(merchant=None) | rows.filter(merchant_id=merchant_id) if merchant_id else rows

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What holds for everybody is for staff of no single merchant."""
        merchant_id = getattr(request.user, "merchant_id", None)
        mine = obj is None or merchant_id is None or obj.merchant_id == merchant_id
        return super().has_change_permission(request, obj) and mine

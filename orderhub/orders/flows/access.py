"""Who may see and change which flow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse

from orderhub.access.models import Merchant
from orderhub.inventory.admin_base import named
from rules.models import Flow

SEES, CHANGES = "rules.view_flow", "rules.change_flow"
View = Callable[..., HttpResponse]


def staff(view: View) -> View:
    """For logged-in staff only, like every page of the admin."""
    guarded: View = admin.site.admin_view(view)
    return guarded


def require(request: HttpRequest, permission: str) -> None:
    """Raises PermissionDenied."""
    if not request.user.has_perm(permission):
        raise PermissionDenied


def flow_of(request: HttpRequest, pk: int, permission: str = CHANGES) -> Flow:
    """A flow this person may see or change: staff of one merchant those of its own scope; Http404 for all others."""
    require(request, permission)
    rows = Flow.objects.filter(pk=pk)
    own = own_scope(request)
    found = (rows if own is None else rows.filter(scope=own)).first()
    if found is None:
        raise Http404
    return found


def own_scope(request: HttpRequest) -> str | None:
    """The scope that staff of one merchant is kept to; None for those of the hub."""
    merchant_id: Any = getattr(request.user, "merchant_id", None)
    return None if merchant_id is None else f"merchant:{merchant_id}"


def scopes(request: HttpRequest) -> list[tuple[str, Merchant | None]]:
    """The scopes this person may make flows for: its merchant's, or all of them and the general one."""
    merchants = Merchant.objects.order_by("code")
    own = own_scope(request)
    if own is not None:
        merchants = merchants.filter(pk=int(own.removeprefix("merchant:")))
    found: list[tuple[str, Merchant | None]] = [(f"merchant:{row.pk}", row) for row in merchants]
    return found if own is not None else [*found, ("", None)]


def scopes_named(found: list[str]) -> list[tuple[str, str]]:
    """The names of merchants behind scopes; empty for the general one."""
    ids = [int(scope.removeprefix("merchant:")) for scope in found if scope]
    merchants = Merchant.objects.in_bulk(ids)
    return [
        (scope, named(merchants[int(scope.removeprefix("merchant:"))]) if scope else "") for scope in found
    ]

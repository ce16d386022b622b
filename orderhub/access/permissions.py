"""What a caller may do: belong to a merchant, and carry the scope the view names."""

from __future__ import annotations

from typing import Any

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from orderhub.access import scopes
from orderhub.access.authentication import KeyHolder


class IsMerchant(BasePermission):
    """The caller belongs to an active merchant and, with a scoped key, has `<area>:read` or `<area>:write`."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Default deny; `view.scope` names the area (orders, imports, stock …), `view.only_reads` a POST that asks."""
        user: Any = request.user
        merchant = getattr(user, "merchant", None)
        if merchant is None or not merchant.is_active or not user.is_authenticated:
            return False
        if not isinstance(user, KeyHolder):
            return True
        area = getattr(view, "scope", "")
        writes = request.method not in SAFE_METHODS and not getattr(view, "only_reads", False)
        return bool(area) and user.may(scopes.needed(area, writes=writes))

"""What a key may be limited to: every scope there is, declared once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

#: Scope → what it opens. A view names its area (`scope = "orders"`); reading and writing follow from the method.
SCOPES: dict[str, Any] = {
    "orders:read": _("Read orders, decisions, parcels, tracking and carbon figures"),
    "orders:write": _("Place orders and act on them"),
    "imports:read": _("Read imports and their refused rows"),
    "imports:write": _("Upload files"),
    "stock:read": _("Read SKUs, warehouses and stock"),
    "stock:write": _("Maintain SKUs and warehouses, set stock counts"),
    "promises:read": _("Ask what can be promised to a cart"),
    "promotions:read": _("Try carts on promotions"),
    "shoppers:write": _("Tell what was seen of customers: logins, changes, failed payments"),
    "carbon:write": _("Send activity data: meters, trips, packaging, work on returns"),
    "channels:read": _("Read channels"),
    "fields:read": _("Read custom fields"),
    "fields:write": _("Add, change and remove the merchant's own custom fields"),
    "rates:read": _("Read rate cards"),
    "footprints:read": _("Read shipment and product footprints by iLEAP and PACT"),
    "footprints:write": _("Tell and ask of product footprints by PACT"),
    "keys:read": _("Read this merchant's keys (never their clear text)"),
    "keys:write": _("Rotate the key itself"),
}


def needed(area: str, *, writes: bool) -> str:
    """The scope a call of this area needs."""
    return f"{area}:{'write' if writes else 'read'}"


def validate(given: Iterable[str]) -> None:
    """Raises ValidationError naming the scopes that do not exist."""
    unknown = sorted(set(given) - set(SCOPES))
    if unknown:
        raise ValidationError(
            _now("Unknown scopes: %(names)s.") % {"names": ", ".join(unknown)}, code="unknown_scope"
        )

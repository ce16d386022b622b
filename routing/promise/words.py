"""Why a way of delivery cannot be promised, in words that name no warehouse."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

REASONS = {
    "out_of_stock": _("Not enough units are in stock"),
    "service_not_offered": _("No carrier offers this service there"),
    "no_lane": _("No carrier goes there"),
    "no_capacity": _("All parcel slots of the coming days are taken"),
    "frozen": _("Nothing is shipped at the moment"),
    "sku_banned": _("A product in the cart is not shipped there"),
    "trait_not_accepted": _("A product in the cart needs handling that is not offered"),
    "too_heavy": _("A product in the cart is too heavy for a parcel"),
    "no_store": _("There are no stores"),
    "no_store_near": _("No store is within 60 km"),
    "store_out_of_stock": _("No store near has everything"),
}


def reason_text(code: str) -> str:
    """The reason in the caller's language; one that has no words says that it is not possible."""
    if not code:
        return ""
    return str(REASONS.get(code, _("It cannot be delivered there at the moment")))

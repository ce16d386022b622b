"""Which carriers can be asked to turn a parcel: those that an active connection with that operation speaks for."""

from __future__ import annotations

from collections.abc import Collection

from orderhub.connectors import wishes
from orderhub.connectors.models import Connection
from orderhub.connectors.models.profile import Profile
from orderhub.fulfillment import intercepting


@intercepting.who_can
def able(merchant_id: int, carriers: Collection[str]) -> set[str]:
    """Those of the carriers; one query, and one for a profile this process has not met."""
    rows = Connection.objects.filter(
        merchant_id=merchant_id, is_active=True, kind=wishes.KIND, profile__role=Profile.Role.CARRIER,
        profile__in_force__isnull=False,
    )  # fmt: skip
    found: set[str] = set()
    for config, digest in rows.values_list("config", "profile__in_force__digest"):
        if "intercept" in wishes.operations_of(digest):
            own = wishes.words(config.get("carriers") or ())
            found |= set(carriers) & set(own) if own else set(carriers)
    return found

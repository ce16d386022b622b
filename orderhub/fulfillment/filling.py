"""Changing the custom fields of a parcel; told in the log of its order."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from orderhub.events import log
from orderhub.fulfillment.models import Parcel
from orderhub.orders import kinds
from orderhub.orders.filling import Put, differing
from orderhub.orders.models import Order


@transaction.atomic
def change(parcel_id: int, put: Put, *, now: datetime, actor: str) -> Parcel:
    """Change the values of a parcel; raises Order.DoesNotExist for an unknown one, and whatever `put` raises."""
    order = Order.objects.select_for_update(no_key=True).get(fulfillments__parcels=parcel_id)
    parcel = Parcel.objects.select_for_update(of=("self",)).select_related("fulfillment").get(pk=parcel_id)
    values = put(parcel.custom)
    changed = differing(parcel.custom, values)
    if changed:
        parcel.custom = dict(values)
        parcel.save(update_fields=["custom"])
        told = {"fields": changed, "parcel": parcel.pk}
        log.record(
            [log.Fact(order.stream, kinds.FIELDS_CHANGED.name, told, order.merchant_id)], now=now, actor=actor
        )
    return parcel

"""Move the tokens and ciphers of hidden receivers from the orders into rows of their own, sealed."""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.db import migrations
from django.db.models import Q

from orderhub.kernel import secrets
from orderhub.orders import receivers

_BATCH = 500


def part(apps: Any, schema_editor: Any) -> None:
    """A few hundred orders per transaction; running it again goes on where it stopped."""
    order_model, sealed_model = apps.get_model("orders", "Order"), apps.get_model("orders", "SealedReceiver")
    change_model = apps.get_model("orders", "AddressChange")
    original_model = apps.get_model("orders", "Original")
    last = 0
    while True:
        hiding = Q(extra__has_any_keys=["oaid", "cipher"])
        orders = list(order_model.objects.filter(hiding, pk__gt=last).order_by("pk")[:_BATCH])
        if not orders:
            return
        last = orders[-1].pk
        moved = change_model.objects.filter(order__in=orders, state__in=["applied", "partly"]).order_by("-pk")
        first_person = dict(moved.values_list("order_id", "old_person_id"))
        rows = {}
        for order in orders:
            extra, hidden = receivers.apart(order.extra)
            order.extra = {name: value for name, value in extra.items() if name not in receivers.HIDING}
            if hidden:
                # An order that was sent elsewhere since has the token of the receiver before.
                person = first_person.get(order.pk, order.person_id)
                key = receivers.merge_key(
                    hidden, channel_id=order.channel_id, buyer=extra.get(receivers.BUYER)
                )
                rows[person] = sealed_model(
                    person_id=person, sealed=receivers.seal(hidden), merge_key=key
                )
        sealed_model.objects.bulk_create(rows.values(), ignore_conflicts=True)
        order_model.objects.bulk_update(orders, ["extra"])
        kept = list(original_model.objects.filter(order__in=orders))
        for original in kept:
            original.payload = dict(receivers.without(original.payload))
        original_model.objects.bulk_update(kept, ["payload"])


def put_back(apps: Any, schema_editor: Any) -> None:
    """Beside the orders again, as older code reads it."""
    order_model, sealed_model = apps.get_model("orders", "Order"), apps.get_model("orders", "SealedReceiver")
    for row in sealed_model.objects.iterator(_BATCH):
        hidden = json.loads(secrets.unseal(row.sealed, keys=settings.SECRET_KEYS))
        for order in order_model.objects.filter(person_id=row.person_id):
            order.extra = {**order.extra, **hidden}
            order.save(update_fields=["extra"])


class Migration(migrations.Migration):
    """Data only; not one transaction, so that no table is locked for long."""

    atomic = False

    dependencies = [("orders", "0013_aftercare")]

    operations = [migrations.RunPython(part, put_back)]

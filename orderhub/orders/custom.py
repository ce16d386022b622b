"""Orders and their lines carry custom fields."""

from __future__ import annotations

from orderhub.fields.targets import Target, register
from orderhub.orders.models import Order, OrderLine

register(Target("order", Order, person_path="person_id"))
register(Target("line", OrderLine, "order__merchant_id", "order__person_id"))

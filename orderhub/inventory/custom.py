"""SKUs and warehouses carry custom fields."""

from __future__ import annotations

from orderhub.fields.targets import Target, register
from orderhub.inventory.models import Sku, Warehouse

register(Target("sku", Sku))
register(Target("warehouse", Warehouse))

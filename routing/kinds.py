"""What routing tells the log."""

from __future__ import annotations

from orderhub.events.kinds import declare

DECIDED = declare(
    "routing.decided",
    zh="已确定发货仓",
    en="Warehouse chosen",
    milestone="ALLOCATED",
    visibility="public",
    fields=["decision", "warehouses", "warehouses_en", "parcels", "total", "kgco2e", "promised_at", "stage"],
)

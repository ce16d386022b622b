"""What stock tells the log."""

from __future__ import annotations

from orderhub.events.kinds import declare

RECEIVED = declare(
    "stock.received", zh="库存到货", en="Stock received", fields=["warehouse", "skus", "confirmed"]
)
RECEIPT_CONFIRMED = declare(
    "stock.receipt_confirmed",
    zh="仓库已确认到货",
    en="The warehouse confirmed goods that came in",
    fields=["receipt", "warehouse", "reference", "final", "lines"],
)
WAREHOUSE_CHANGED = declare(
    "warehouse.changed", zh="仓库设置已修改", en="Warehouse changed", fields=["warehouse", "takes_orders"]
)
RESERVATION_EXPIRED = declare(
    "reservation.expired", zh="预留已到期", en="Reservation expired", fields=["reservation", "skus"]
)
RESERVATION_FREED = declare(
    "reservation.freed", zh="预留已释放", en="Reservation freed", fields=["reservation", "skus"]
)
SKU_CHANGED = declare(
    "sku.changed", zh="SKU 重量或属性已修改", en="Weight or handling of SKUs changed", fields=["skus"]
)
CUSTOMS_CHANGED = declare(
    "customs.changed",
    zh="清关线路已修改",
    en="Customs lane changed",
    fields=["from_country", "to_country", "is_open"],
)
WORKSHOP_CHANGED = declare(
    "workshop.changed",
    zh="按单生产设置已修改",
    en="Make to order changed",
    fields=["warehouse", "takes_orders"],
)
STOCK_REPORTED = declare(
    "stock.reported",
    zh="收到仓库库存报告",
    en="Stock report taken",
    fields=["report", "warehouse", "kind", "reported_at", "lines", "booked", "waiting", "refused"],
)
STOCK_CORRECTED = declare(
    "stock.corrected",
    zh="库存差异已入账",
    en="Stock difference booked",
    fields=["report", "warehouse", "sku", "reason", "units", "short"],
)
STOCK_DISMISSED = declare(
    "stock.difference_dismissed",
    zh="库存差异未采用",
    en="Stock difference dismissed",
    fields=["report", "warehouse", "sku", "reason", "units"],
)

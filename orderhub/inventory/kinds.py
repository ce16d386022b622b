"""What stock tells the log."""

from __future__ import annotations

from orderhub.events.kinds import declare

RECEIVED = declare("stock.received", zh="库存到货", en="Stock received", fields=["warehouse", "skus"])
WAREHOUSE_CHANGED = declare(
    "warehouse.changed", zh="仓库设置已修改", en="Warehouse changed", fields=["warehouse", "takes_orders"]
)
RESERVATION_EXPIRED = declare(
    "reservation.expired", zh="预留已到期", en="Reservation expired", fields=["reservation", "skus"]
)
RESERVATION_FREED = declare(
    "reservation.freed", zh="预留已释放", en="Reservation freed", fields=["reservation", "skus"]
)

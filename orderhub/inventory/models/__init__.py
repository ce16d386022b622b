"""Stock tables; imported here so that Django finds them in one place."""

from orderhub.inventory.models.boms import Bom, BomAlternative, BomLine
from orderhub.inventory.models.receipts import Receipt, ReceiptLine
from orderhub.inventory.models.reports import StockReport, StockReportLine
from orderhub.inventory.models.shelves import (
    CustomsLane,
    ExpectedReceipt,
    Movement,
    MovementCursor,
    Promisable,
    Reservation,
    ReservationLine,
    Sku,
    Stock,
    Warehouse,
    WarehouseDay,
    Workshop,
)

__all__ = [
    "Bom",
    "BomAlternative",
    "BomLine",
    "CustomsLane",
    "ExpectedReceipt",
    "Movement",
    "MovementCursor",
    "Promisable",
    "Receipt",
    "ReceiptLine",
    "Reservation",
    "ReservationLine",
    "Sku",
    "Stock",
    "StockReport",
    "StockReportLine",
    "Warehouse",
    "WarehouseDay",
    "Workshop",
]

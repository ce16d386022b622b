"""Fulfillment tables; imported here so that Django finds them in one place."""

from orderhub.fulfillment.models.fulfillment import FulfillmentLine, FulfillmentOrder
from orderhub.fulfillment.models.intake import IntakeMessage
from orderhub.fulfillment.models.ratecard import RateCard, RateZone
from orderhub.fulfillment.models.returns import ReturnReceipt, ReturnReceiptLine
from orderhub.fulfillment.models.shipment import Parcel, ParcelLine
from orderhub.fulfillment.models.work import ComponentHold, WorkOrder, WorkStep

__all__ = [
    "ComponentHold",
    "FulfillmentLine",
    "FulfillmentOrder",
    "IntakeMessage",
    "Parcel",
    "ParcelLine",
    "RateCard",
    "RateZone",
    "ReturnReceipt",
    "ReturnReceiptLine",
    "WorkOrder",
    "WorkStep",
]

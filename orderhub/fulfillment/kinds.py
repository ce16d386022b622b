"""What can happen to a fulfillment order and its parcels; all of it is told in the order's own stream."""

from __future__ import annotations

from orderhub.events.kinds import declare

INTAKE_RECEIVED = declare(
    "intake.received", zh="已收到待读取的订单", en="Order accepted to be read", fields=["message"]
)
RESERVED = declare(
    "fulfillment.reserved",
    zh="库存已预占",
    en="Stock reserved",
    fields=["fulfillment", "warehouse", "lines", "stage"],
)
RELEASED = declare(
    "fulfillment.released",
    zh="仓库已收到发货安排",
    en="Sent to the warehouse",
    visibility="public",
    fields=["fulfillment", "warehouse", "made", "stage"],
)
ACKNOWLEDGED = declare(
    "fulfillment.acknowledged",
    zh="仓库已接单",
    en="Accepted by the warehouse",
    milestone="WMS_ACCEPTED",
    visibility="public",
    fields=["fulfillment", "warehouse"],
)
PICKING = declare(
    "fulfillment.picking",
    zh="仓库正在拣货",
    en="Being picked",
    milestone="PICKED",
    visibility="public",
    fields=["fulfillment", "warehouse"],
)
PACKED = declare(
    "fulfillment.packed",
    zh="已打包",
    en="Packed",
    milestone="PACKED",
    visibility="public",
    fields=["fulfillment", "warehouse", "parcel", "tracking_number", "grams", "carton_grams", "stage"],
)
SHIPPED = declare(
    "fulfillment.shipped",
    zh="已出库",
    en="Left the warehouse",
    milestone="SHIPPED",
    visibility="public",
    fields=[
        "fulfillment",
        "warehouse",
        "parcel",
        "carrier",
        "tracking_number",
        "grams",
        "carton_grams",
        "lines",
        "stage",
    ],
)
SHORT_PICKED = declare(
    "fulfillment.short_picked",
    zh="仓库缺货，部分未拣到",
    en="Picked short",
    fields=["fulfillment", "warehouse", "lines", "stage"],
)
REJECTED = declare(
    "fulfillment.rejected",
    zh="仓库拒单",
    en="Refused by the warehouse",
    milestone="WMS_REJECTED",
    fields=["fulfillment", "warehouse", "reason", "stage"],
)
CANCEL_REQUESTED = declare(
    "fulfillment.cancel_requested",
    zh="已请求仓库取消",
    en="Warehouse asked to cancel",
    fields=["fulfillment", "warehouse", "reason"],
)
CANCELLED = declare(
    "fulfillment.cancelled",
    zh="履约单已取消",
    en="Fulfillment order cancelled",
    fields=["fulfillment", "warehouse", "reason", "stage"],
)
CANCEL_REFUSED = declare(
    "fulfillment.cancel_refused",
    zh="仓库无法取消",
    en="Too late to cancel",
    fields=["fulfillment", "warehouse", "reason"],
)
SCANNED = declare(
    "parcel.scanned",
    zh="包裹有新动态",
    en="Parcel scanned",
    visibility="public",
    fields=[
        "fulfillment",
        "warehouse",
        "parcel",
        "tracking_number",
        "status",
        "milestone",
        "place",
        "text",
        "reason",
        "classifier",
        "identity",
        "corrects",
        "latitude",
        "longitude",
        "stage",
    ],
)
INTERCEPT_REQUESTED = declare(
    "parcel.intercept_requested",
    zh="已请承运商改派",
    en="Carrier asked to redirect the parcel",
    fields=["fulfillment", "warehouse", "parcel", "carrier", "tracking_number", "change"],
)
REDIRECTED = declare(
    "parcel.redirected",
    zh="包裹已改派至新地址",
    en="Parcel redirected to the new address",
    milestone="REDIRECTED",
    visibility="public",
    fields=["fulfillment", "warehouse", "parcel", "tracking_number"],
)
INTERCEPT_REFUSED = declare(
    "parcel.intercept_refused",
    zh="承运商无法改派",
    en="The carrier could not redirect the parcel",
    fields=["fulfillment", "warehouse", "parcel", "tracking_number", "reason"],
)
DELIVERED = declare(
    "parcel.delivered",
    zh="包裹已签收",
    en="Parcel delivered",
    milestone="DELIVERED",
    visibility="public",
    fields=["fulfillment", "warehouse", "parcel", "tracking_number", "place", "distance_km", "stage"],
)
RETURN_RECEIVED = declare(
    "fulfillment.return_received",
    zh="退货已入库",
    en="Returned goods arrived",
    milestone="RETURN_RECEIVED",
    visibility="public",
    fields=["return", "reference", "warehouse", "tracking_number", "reason", "lines", "stage"],
)
RETURN_UNKNOWN = declare(
    "return.unmatched",
    zh="收到无法对应订单的退货",
    en="Goods came back that belong to no known order",
    fields=["return", "reference", "warehouse", "tracking_number", "reason", "lines"],
)
RATES_CHANGED = declare("rates.changed", zh="运价卡已修改", en="Rate card changed", fields=["cards"])

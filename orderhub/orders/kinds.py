"""What can happen to an order, in words; `stage` in a payload is the order's stage after the event."""

from __future__ import annotations

from orderhub.events.kinds import declare

PLACED = declare(
    "order.placed",
    zh="收到订单",
    en="Order received",
    milestone="ORDER_PLACED",
    visibility="public",
    fields=["external_id", "channel", "total", "currency", "lines", "paid", "stage"],
)
PAID = declare(
    "order.paid",
    zh="订单已付款",
    en="Order paid",
    milestone="ORDER_PAID",
    visibility="public",
    fields=["stage"],
)
HELD = declare(
    "order.held",
    zh="订单被挂起",
    en="Order put on hold",
    milestone="ORDER_HELD",
    visibility="masked",
    fields=["reason", "detail", "detail_en", "until", "stage"],
)
HOLD_RELEASED = declare(
    "order.hold_released",
    zh="解除挂起",
    en="Hold released",
    milestone="ORDER_RELEASED",
    visibility="public",
    fields=["reason", "note", "stage"],
)
PRICED = declare(
    "order.priced",
    zh="优惠已计算",
    en="Promotions applied",
    fields=["discount", "total", "rules", "gifts", "stage"],
)
BACKORDERED = declare(
    "order.backordered",
    zh="等待到货",
    en="Waiting for stock",
    visibility="public",
    fields=["reason", "lines", "stage"],
)
REROUTED = declare(
    "order.rerouted", zh="重新选择发货仓", en="Sent back to routing", fields=["reason", "stage"]
)
CANCELLED = declare(
    "order.cancelled",
    zh="订单已取消",
    en="Order cancelled",
    milestone="CANCELLED",
    visibility="public",
    fields=["reason", "stage"],
)
REFUSED_REPEAT = declare(
    "order.repeat_refused",
    zh="同号订单内容不同，未采用",
    en="Same number with other content, not applied",
    fields=["source", "content_hash"],
)
SPLIT = declare(
    "order.split",
    zh="订单已拆分",
    en="Order split",
    milestone="ORDER_SPLIT",
    visibility="public",
    fields=["part", "part_id", "lines", "total", "reason", "stage"],
)
SPLIT_OFF = declare(
    "order.split_off",
    zh="由拆单生成",
    en="Split off another order",
    milestone="ORDER_SPLIT",
    visibility="public",
    fields=[
        "from", "from_id", "external_id", "channel", "total", "currency", "lines", "paid", "holds", "reason",
        "stage",
    ],
)  # fmt: skip
MERGED = declare(
    "order.merged",
    zh="合并了其他订单",
    en="Other orders merged into this one",
    milestone="ORDER_MERGED",
    visibility="public",
    fields=["orders", "external_ids", "lines", "total", "holds", "moves", "reason", "stage"],
)
MERGED_INTO = declare(
    "order.merged_into",
    zh="已并入另一订单",
    en="Merged into another order",
    fields=["into", "into_id", "reason", "stage"],
)
MOVED = declare(
    "order.moved",
    zh="改由其他仓库发货",
    en="Moved to another warehouse",
    fields=["warehouse", "before", "pinned_before", "fulfillments", "reason", "stage"],
)
CANCEL_ASKED = declare(
    "order.units_cancel_asked",
    zh="请仓库退回部分商品以便取消",
    en="Warehouse asked for units that are to be cancelled",
    fields=["cancellation", "lines", "fulfillments", "reason", "stage"],
)
UNITS_CANCELLED = declare(
    "order.units_cancelled",
    zh="部分商品已取消",
    en="Some units cancelled",
    visibility="public",
    fields=["cancellation", "lines", "refund", "currency", "was_released", "reason", "stage"],
)
UNITS_KEPT = declare(
    "order.units_not_cancelled",
    zh="部分商品已无法取消",
    en="Some units could not be cancelled any more",
    fields=["cancellation", "lines", "reason", "stage"],
)
UNITS_RESTORED = declare(
    "order.units_restored",
    zh="部分取消已撤销",
    en="Cancelled units restored",
    visibility="public",
    fields=["cancellation", "lines", "refund", "currency", "was_released", "reason", "stage"],
)
RESTORED = declare(
    "order.restored",
    zh="取消已撤销，订单恢复",
    en="Cancelling undone, the order goes on",
    visibility="public",
    fields=["holds", "was_released", "reason", "stage"],
)
EXCHANGED = declare(
    "order.exchanged",
    zh="已换货",
    en="Exchanged",
    visibility="public",
    fields=[
        "follow_up", "order", "order_id", "lines", "goods", "price", "credit", "pays", "currency", "return_expected",
        "reason", "detail", "stage",
    ],
)  # fmt: skip
RESENT = declare(
    "order.resent",
    zh="已补发",
    en="Sent again",
    visibility="public",
    fields=[
        "follow_up", "order", "order_id", "lines", "claim_against", "claim_parcel", "reason", "detail", "stage",
    ],
)  # fmt: skip
FOLLOW_UP_PLACED = declare(
    "order.follow_up_placed",
    zh="由换货或补发生成",
    en="Placed to replace units of another order",
    milestone="ORDER_PLACED",
    visibility="public",
    fields=[
        "from", "from_id", "sort", "external_id", "channel", "total", "currency", "lines", "paid", "reason", "stage",
    ],
)  # fmt: skip
FOLLOW_UP_ENDED = declare(
    "order.follow_up_cancelled",
    zh="换货或补发已取消",
    en="Exchange or resend cancelled",
    fields=["follow_up", "order", "order_id", "lines", "stage"],
)
REJOINED = declare(
    "order.rejoined",
    zh="拆分已撤销",
    en="Split undone",
    visibility="public",
    fields=["part", "part_id", "lines", "total", "stage"],
)
PARTED_AGAIN = declare(
    "order.parted_again",
    zh="合并已撤销",
    en="Merge undone",
    visibility="public",
    fields=["orders", "order_ids", "lines", "total", "stage"],
)
UNDONE = declare(
    "order.undone",
    zh="操作已撤销",
    en="Undone",
    fields=["undone", "undone_kind", "own", "note", "stage"],
)
ADDRESS_CHANGE_REQUESTED = declare(
    "order.address_change_requested",
    zh="申请修改收货地址",
    en="Address change requested",
    milestone="ADDRESS_CHANGE_REQUESTED",
    visibility="public",
    fields=["change", "requested_by", "fulfillments", "stage"],
)
ADDRESS_CHANGED = declare(
    "order.address_changed",
    zh="收货地址已修改",
    en="Address changed",
    milestone="ADDRESS_CHANGED",
    visibility="public",
    fields=["change", "requested_by", "other_province", "other_country", "stage"],
)
ADDRESS_CHANGE_FAILED = declare(
    "order.address_change_failed",
    zh="未能修改收货地址",
    en="Address not changed",
    milestone="ADDRESS_CHANGE_FAILED",
    visibility="public",
    fields=["change", "state", "answer", "requested_by", "stage"],
)
ADDRESS_CHANGE_DIVIDED = declare(
    "order.address_change_divided",
    zh="部分可改、部分不可改，等待处理",
    en="The address can be changed for a part only: somebody decides",
    fields=["change", "moved", "stuck", "stage"],
)
ADDRESS_CHANGE_LATE = declare(
    "order.address_change_late",
    zh="改地址超时未完成",
    en="An address change waits for answers too long",
    fields=["change", "minutes", "stage"],
)
FLOW_MOVED = declare(
    "order.flow_moved",
    zh="订单在流程中前进",
    en="Order went on in its flow",
    fields=["flow_version", "way", "at", "waits"],
)
FLOW_SWITCHED = declare(
    "order.flow_switched",
    zh="订单改走另一流程版本",
    en="Order moved to another flow version",
    fields=["from_version", "to_version", "from_node", "to_node"],
)
FLOW_NOTIFIED = declare(
    "order.flow_notified",
    zh="流程发出通知",
    en="The flow sent a notice",
    fields=["node", "audience", "text", "text_en"],
)
FLOW_CALLED = declare(
    "order.flow_called",
    zh="流程调用外部接口",
    en="The flow calls another system",
    fields=["node", "connection", "operation"],
)
PERSON_ERASED = declare(
    "order.person_erased",
    zh="收件人信息已删除",
    en="The receiver was erased",
    fields=["reason"],
)
FIELDS_CHANGED = declare(
    "order.fields_changed",
    zh="自定义字段已修改",
    en="Custom fields changed",
    fields=["fields", "line", "parcel", "node"],
)

"""Short words of the public page beside the sentences of `wording`: pills, statuses, notes; both languages
together.
"""

from __future__ import annotations

from collections.abc import Mapping

Both = Mapping[str, str]


def _both(zh: str, en: str) -> Both:
    return {"zh": zh, "en": en}


#: Stage → tone of its pill and the word in it.
STAGES: Mapping[str, tuple[str, Both]] = {
    "awaiting_payment": ("wait", _both("待付款", "To be paid")),
    "received": ("wait", _both("已收到", "Received")),
    "reviewing": ("hold", _both("审核中", "In review")),
    "routed": ("go", _both("准备发货", "Being arranged")),
    "backordered": ("wait", _both("等待到货", "Waiting for stock")),
    "released": ("go", _both("备货中", "Being prepared")),
    "partially_shipped": ("go", _both("部分已发出", "Partly shipped")),
    "shipped": ("go", _both("运输中", "On its way")),
    "partially_delivered": ("go", _both("部分已签收", "Partly delivered")),
    "delivered": ("ok", _both("已签收", "Delivered")),
    "completed": ("ok", _both("已完成", "Complete")),
    "partially_returned": ("wait", _both("部分已退回", "Partly returned")),
    "returned": ("wait", _both("已退回", "Returned")),
    "cancelled": ("bad", _both("已取消", "Cancelled")),
    "merged": ("wait", _both("已合并发货", "Ships with another order")),
}

#: A carrier's status → tone and word.
PARCELS: Mapping[str, tuple[str, Both]] = {
    "packed": ("go", _both("已打包", "Packed")),
    "pending": ("go", _both("已出库", "Left the warehouse")),
    "picked_up": ("go", _both("已揽收", "Picked up")),
    "in_transit": ("go", _both("运输中", "In transit")),
    "out_for_delivery": ("go", _both("派送中", "Out for delivery")),
    "ready_for_pickup": ("go", _both("待取件", "Ready to collect")),
    "delivered": ("ok", _both("已签收", "Delivered")),
    "delivery_failed": ("warn", _both("未能送达", "Not delivered yet")),
    "delivery_delayed": ("warn", _both("有延误", "Delayed")),
    "on_hold": ("warn", _both("运输暂停", "Paused on the way")),
    "return_to_sender": ("warn", _both("退回中", "Going back")),
    "cancelled": ("bad", _both("已取消", "Cancelled")),
    "unknown": ("wait", _both("等待更新", "Waiting for news")),
}

#: What a warehouse does with a part that is no parcel yet → tone and word.
PARTS: Mapping[str, tuple[str, Both]] = {
    "planned": ("wait", _both("准备发货", "Being arranged")),
    "reserved": ("wait", _both("准备发货", "Being arranged")),
    "released": ("go", _both("备货中", "Being prepared")),
    "acknowledged": ("go", _both("备货中", "Being prepared")),
    "in_progress": ("go", _both("拣货打包中", "Being packed")),
    "cancel_requested": ("hold", _both("取消处理中", "Being cancelled")),
}
#: The same for what a factory makes to order, where it is another word.
MADE: Mapping[str, tuple[str, Both]] = {"in_progress": ("go", _both("制作中", "Being made"))}

#: Milestones whose point on the timeline is not plain.
MILESTONE_TONES: Mapping[str, str] = {
    "DELIVERED": "ok",
    "READY_FOR_COLLECTION": "ok",
    "REFUNDED": "ok",
    "ORDER_HELD": "hold",
    "CUSTOMS_HELD": "hold",
    "DELAYED": "warn",
    "DELIVERY_ATTEMPTED": "warn",
    "QC_FAILED": "warn",
    "REFUSED": "bad",
    "DAMAGED": "bad",
    "LOST": "bad",
    "CANCELLED": "bad",
}

BECAUSE = _both("预计时间已按“{text}”更新", "Updated because: {text}")
WHERE_IT_IS = _both("车辆当前位置", "where its vehicle is now")
TO_COME = _both("计划：{text}", "Planned: {text}")
PARCEL_LABEL = _both("包裹 {n}", "Parcel {n}")
POSITION = {
    "out_for_delivery": _both("正在派送", "Out for delivery"),
    "other": _both("正在路上", "On its way"),
}
UPDATING = _both("正在更新", "Being updated")
TO_GO = _both("{text}，距目的地约 {km} 公里", "{text}, about {km} km to go")
WAITING = _both("正在补货，到货后立即发出", "Being restocked. It ships as soon as it arrives")
ARRANGED = _both("正在安排发货", "Being arranged")

NOTICES: Mapping[str, Both] = {
    "awaiting_payment": _both(
        "订单还没有付款，付款后立即安排发货。", "This order is not paid yet. It is arranged as soon as it is."
    ),
    "reviewing": _both(
        "订单审核中，审核完成后会自动安排发货，您不用操作。",
        "Your order is being checked. It goes on by itself; nothing to do.",
    ),
    "cancelling": _both(
        "取消申请处理中，仓库确认后会更新。",
        "The cancellation is on its way to the warehouse. This page will tell.",
    ),
    "backordered": _both(
        "商品暂时缺货，到货后会立即发出。", "An item is out of stock. It ships as soon as it arrives."
    ),
    "late": _both("送达时间晚于承诺，很抱歉。", "This will arrive later than promised. We are sorry."),
    "going_back": _both("有包裹正在退回，请联系商家。", "A parcel is going back. Please ask the shop."),
    "failed": _both(
        "包裹未能送达，快递会再次派送。", "The parcel could not be delivered. The carrier will try again."
    ),
}

"""The words `narrate` speaks with: one table per thing said, Chinese and English side by side."""

from __future__ import annotations

from collections.abc import Mapping

Both = Mapping[str, str]

NEWS: Both = {"zh": "您的订单有新进展", "en": "There is news about your order"}

# Said when the only clause of a sentence lacks its value.
WITHOUT_VALUES: Mapping[str, Both] = {
    "SPLIT": {"zh": "订单将分多个包裹发出", "en": "Your order will arrive in several parcels"},
    "ALLOCATED": {"zh": "已分配到发货仓库", "en": "Assigned to a warehouse"},
    "PRODUCTION_STEP": {"zh": "一道工序已完成", "en": "A production step is finished"},
    "DEPARTED": {"zh": "已离开中转点", "en": "Left a transit point"},
    "ARRIVED": {"zh": "已到达中转点", "en": "Arrived at a transit point"},
}

# Why something went otherwise, in words that blame nobody; codes are those of the incident reasons.
_WEATHER: Both = {"zh": "因天气延误", "en": "Delayed by weather"}
_DISASTER: Both = {"zh": "因自然灾害延误", "en": "Delayed by a natural disaster"}
_CARRIER: Both = {"zh": "因承运车辆故障延误", "en": "Delayed by a vehicle breakdown"}
_CROWDED: Both = {"zh": "因包裹较多延误", "en": "Delayed because many parcels are on the way"}
_CUSTOMS: Both = {"zh": "因海关查验延误", "en": "Delayed by a customs check"}
_NOBODY: Both = {
    "zh": "未能联系到收件人",
    "en": "Nobody could be reached at the address. Delivery will be tried again",
}
_CLOSED: Both = {"zh": "送达时收件处未营业", "en": "The business was closed. Delivery will be tried again"}
_NO_WAY_IN: Both = {
    "zh": "快递员未能进入收件地址",
    "en": "The courier could not get in at the address. Delivery will be tried again",
}
CAUSES: Mapping[str, Mapping[str, Both]] = {
    "DELAYED": {
        "weather_delay": _WEATHER,
        "natural_disaster": _DISASTER,
        "force_majeure": {"zh": "因不可抗力延误", "en": "Delayed by events beyond control"},
        "carrier_vehicle_issue": _CARRIER,
        "carrier_mechanical_delay": _CARRIER,
        "carrier_capacity_exceeded": _CROWDED,
        "carrier_not_enough_time": _CROWDED,
        "carrier_sorting_error": {"zh": "因分拣有误延误", "en": "Delayed by a sorting mistake"},
        "customs_delay": _CUSTOMS,
        "customs_inspection": _CUSTOMS,
        "customs_documentation": {"zh": "因清关文件待补延误", "en": "Delayed by missing customs papers"},
    },
    "DELIVERY_ATTEMPTED": {
        "consignee_not_home": _NOBODY,
        "consignee_not_available": _NOBODY,
        "consignee_business_closed": _CLOSED,
        "consignee_access_restricted": _NO_WAY_IN,
        "consignee_incorrect_address": {
            "zh": "收件地址待核对",
            "en": "The address needs checking. Delivery will be tried again",
        },
    },
}

# For staff only: customers never learn why an order is held.
HOLD_REASONS: Mapping[str, Both] = {
    "awaiting_payment": {"zh": "等待付款", "en": "awaiting payment"},
    "risk": {"zh": "风险审核", "en": "risk check"},
    "address_change": {"zh": "地址修改", "en": "address change"},
    "address_invalid": {"zh": "地址无法送达", "en": "address cannot be served"},
    "stock": {"zh": "库存不足", "en": "stock"},
    "compliance": {"zh": "跨境合规审核", "en": "cross-border check"},
    "merge_window": {"zh": "等待合单", "en": "merge window"},
    "customer": {"zh": "客户要求暂停", "en": "asked by the customer"},
    "manual": {"zh": "人工挂起", "en": "put on hold by staff"},
}

BEFORE_SHIPPING = frozenset({"received", "reviewing", "routed", "released", "backordered"})
MOVING = frozenset({"routed", "released", "partially_shipped", "shipped", "partially_delivered"})
COUNTED: Mapping[str, Both] = {
    "partially_shipped": {"zh": "共 {all} 个包裹，已发出 {done} 个", "en": "{done} of {all} parcels shipped"},
    "shipped": {"zh": "共 {all} 个包裹", "en": "{all} parcels"},
    "partially_delivered": {
        "zh": "共 {all} 个包裹，已签收 {done} 个",
        "en": "{done} of {all} parcels delivered",
    },
}

_NOTHING = {"zh": "您不用操作", "en": "Nothing to do"}
STAGES: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "awaiting_payment": {
        "zh": ("等待付款", "付款后我们会立即为您安排"),
        "en": ("Waiting for payment", "We will arrange your order as soon as you have paid"),
    },
    "received": {
        "zh": ("订单已收到", "正在为您安排，您不用操作"),
        "en": ("We have received your order", "We are arranging it. Nothing to do"),
    },
    "reviewing": {
        "zh": ("订单审核中，通常 2 小时内完成", _NOTHING["zh"]),
        "en": ("We are checking your order, usually within 2 hours", _NOTHING["en"]),
    },
    "routed": {
        "zh": ("正在为您准备发货", _NOTHING["zh"]),
        "en": ("We are preparing your order", _NOTHING["en"]),
    },
    "released": {
        "zh": ("仓库正在备货", "发出后您会收到通知"),
        "en": ("The warehouse is preparing your order", "We will tell you when it is on its way"),
    },
    "backordered": {
        "zh": ("商品正在补货", "到货后会立即为您发出，您不用操作"),
        "en": ("We are waiting for stock", "Your order ships as soon as it arrives. Nothing to do"),
    },
    "partially_shipped": {
        "zh": ("部分商品已发出", "其余商品正在准备"),
        "en": ("Part of your order is on its way", "The rest is being prepared"),
    },
    "shipped": {
        "zh": ("包裹正在路上", "送达前您会收到通知"),
        "en": ("Your order is on its way", "We will tell you before it arrives"),
    },
    "partially_delivered": {
        "zh": ("部分包裹已签收", "其余包裹正在路上"),
        "en": ("Part of your order has been delivered", "The rest is on its way"),
    },
    "delivered": {
        "zh": ("包裹已签收", "如有问题，可以在这里申请退换"),
        "en": ("Delivered", "If anything is wrong, you can ask for a return here"),
    },
    "completed": {
        "zh": ("订单已完成", "感谢您的购买"),
        "en": ("Your order is complete", "Thank you for your purchase"),
    },
    "partially_returned": {
        "zh": ("部分商品已退回", "退款会原路返回"),
        "en": ("Part of your order has been returned", "The refund goes back the way you paid"),
    },
    "returned": {
        "zh": ("商品已退回", "退款会原路返回"),
        "en": ("Your order has been returned", "The refund goes back the way you paid"),
    },
    "cancelled": {
        "zh": ("订单已取消", "已付款项会原路退回"),
        "en": ("Your order has been cancelled", "Anything paid goes back the way you paid"),
    },
    "merged": {
        "zh": ("已与您的另一笔订单合并发货", _NOTHING["zh"]),
        "en": ("It ships together with another order of yours", _NOTHING["en"]),
    },
    "unknown": {
        "zh": ("订单处理中", _NOTHING["zh"]),
        "en": ("Your order is in progress", _NOTHING["en"]),
    },
}

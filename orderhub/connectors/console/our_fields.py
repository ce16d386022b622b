"""Our fields as people who map another system's messages see them: names, what sort of value, and what others call them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

#: What a map can mean here, in the order people meet it.
MEANINGS: Mapping[str, tuple[str, str]] = {
    "order": ("订单", "an order"),
    "address": ("改地址请求", "a change of address"),
    "cancel": ("取消订单", "a cancellation"),
    "warehouse": ("仓库作业结果", "what a warehouse did"),
    "scan": ("物流轨迹", "a scan of a carrier"),
    "stock": ("库存数量", "quantities in stock"),
    "receipt": ("到货确认", "goods that came in"),
    "return": ("退货入库", "goods that came back"),
    "production": ("生产进度", "how far a factory is"),
    "milestone": ("里程碑", "a milestone of production"),
    "answer": ("后到的答复", "an answer that comes later"),
    "risk": ("风控结果", "a risk verdict"),
    "position": ("车辆位置", "where a vehicle is"),
    "hint": ("仅通知，需再查询", "only a hint: ask for the rest"),
}
#: The sort of a connection's role says which meaning comes first.
FIRST_MEANING = {
    "channel": "order",
    "warehouse": "warehouse",
    "carrier": "scan",
    "tms": "scan",
    "position": "position",
    "mes": "production",
}


@dataclass(frozen=True, slots=True)
class Ours:
    """One field of ours. `sort` is text, amount, whole, moment, status, phone or truth; `others` are names it has elsewhere."""

    name: str
    zh: str
    en: str
    sort: str = "text"
    required: bool = False
    others: tuple[str, ...] = ()

    def label(self, zh: bool) -> str:
        """The name in the reader's language."""
        return self.zh if zh else self.en


def _f(name: str, zh: str, en: str, sort: str = "text", others: str = "", *, needed: bool = False) -> Ours:
    return Ours(name, zh, en, sort, needed, tuple(others.split()))


_PLACE = (
    _f(
        "name",
        "收件人",
        "receiver",
        others="receiver_name consignee recipient fullname 收货人 姓名 shouhuoren lianxiren contact",
    ),
    _f(
        "phone",
        "电话",
        "phone",
        "phone",
        "mobile tel telephone cellphone receiver_mobile 手机 手机号 联系电话 shouji dianhua",
    ),
    _f("country", "国家", "country", others="country_code nation 国家 guojia"),
    _f("province", "省", "province", others="state region 省份 省 sheng shengfen"),
    _f("city", "市", "city", others="town_city 城市 市 chengshi shi"),
    _f("district", "区县", "district", others="county area 区 区县 quxian"),
    _f(
        "address",
        "详细地址",
        "street address",
        others="addr address1 street detail_address receiver_address 地址 详细地址 dizhi",
    ),
    _f("postcode", "邮编", "postcode", others="zip zipcode postal_code 邮编 youbian"),
)
_ORDER = (
    _f("ext_id", "对方订单号", "their order number", "text", "id order_id order_no order_sn tid number orderid 订单号 订单编号 dingdanhao", needed=True),
    _f("status", "状态", "status", "status", "state order_status trade_status 状态 订单状态 zhuangtai", needed=True),
    _f("currency", "货币", "currency", others="currency_code 币种 bizhong"),
    _f("total", "总金额", "total", "amount", "total_price amount pay_amount payment total_amount sum 订单金额 实付金额 总金额 金额 实付 总价 jine zongjia"),
    _f("placed_at", "下单时间", "placed at", "moment", "created created_at create_time order_time 下单时间 创建时间 xiadanshijian"),
    _f("paid_at", "付款时间", "paid at", "moment", "pay_time payment_time date_paid 付款时间 支付时间 fukuanshijian"),
    _f("updated_at", "更新时间", "updated at", "moment", "modified update_time updated date_modified 更新时间 gengxin"),
    _f("promise_ship_by", "最晚发货时间", "ship by", "moment", "exp_ship_time last_ship_time ship_by latest_ship 最晚发货"),
    *_PLACE,
    _f("email", "邮箱", "e-mail", others="email mail 邮箱 youxiang"),
    _f("oaid", "加密收件人标识", "receiver token", others="oaid open_address_id"),
    _f("ip", "下单 IP", "IP address", others="ip browser_ip client_ip"),
    _f("buyer_id", "买家标识", "buyer", others="buyer buyer_id customer_id user_id open_uid buyer_nick 买家"),
    _f("note", "买家留言", "note", others="note remark memo buyer_message comment 备注 留言 beizhu"),
)  # fmt: skip
_LINE = (
    _f("sku", "商家编码（SKU）", "SKU", "text", "sku code sku_code outer_id item_code goods_no seller_sku 商家编码 货号 编码 huohao", needed=True),
    _f("qty", "数量", "quantity", "whole", "quantity num count qty number n 数量 件数 shuliang", needed=True),
    _f("price", "单价", "price", "amount", "unit_price item_price price 单价 价格 danjia"),
    _f("ext_id", "对方行号", "their line number", "text", "id line_id oid item_id sub_order_id row_id 行号 子订单号"),
    _f("name", "商品名称", "name", "text", "title product_name goods_name item_name 商品名 名称 标题 shangpin"),
    _f("grams", "重量（克）", "grams", "whole", "grams weight 重量 zhongliang"),
)  # fmt: skip
_BOX = (
    _f("carrier", "快递公司", "carrier", others="carrier logistics_code express logistics 快递公司 物流公司 kuaidi"),
    _f("tracking_number", "运单号", "tracking number", others="tracking express_code waybill mail_no logistics_no 运单号 快递单号 yundanhao", needed=True),
    _f("grams", "重量（克）", "grams", "whole", "weight grams 重量"),
)  # fmt: skip

FIELDS: Mapping[str, tuple[Ours, ...]] = {
    "order": _ORDER,
    "address": (_f("ext_id", "对方订单号", "their order number", others="id order_id order_no tid 订单号", needed=True), *_PLACE,
                _f("applied_at", "申请时间", "asked at", "moment", "apply_time time 申请时间")),
    "cancel": (_f("ext_id", "对方订单号", "their order number", others="id order_id order_no tid 订单号", needed=True),
               _f("reason", "原因", "reason", others="reason why cause 原因 yuanyin"),
               _f("at", "时间", "when", "moment", "time cancelled_at cancel_time 时间")),
    "warehouse": (_f("reference", "我们的发货单号", "our fulfillment number", others="reference order_code delivery_order_code out_no 发货单号 单号", needed=True),
                  _f("event", "做了什么", "what happened", "status", "event status state action 事件 状态", needed=True),
                  _f("at", "时间", "when", "moment", "time operate_time at happened 时间 操作时间", needed=True),
                  _f("reason", "原因", "reason", others="reason remark message 原因 备注")),
    "scan": (_f("tracking_number", "运单号", "tracking number", others="tracking mail_no waybill nu express_no no 运单号 快递单号", needed=True),
             _f("at", "时间", "when", "moment", "time ftime accept_time at date 时间", needed=True),
             _f("code", "代码", "code", others="code op_code status_code action 代码"),
             _f("remark", "说明", "remark", others="remark context desc description message 说明 备注 描述"),
             _f("status", "状态", "status", "status", "status state 状态"),
             _f("place", "地点", "place", others="place location address city site 地点 网点 城市"),
             _f("carrier", "快递公司", "carrier", others="carrier com company 快递公司")),
    "stock": (_f("sku", "商家编码（SKU）", "SKU", others="sku code sku_code item_code goods_no 商家编码 货号 编码", needed=True),
              _f("qty", "数量", "quantity", "whole", "quantity num count qty available number 数量 库存", needed=True),
              _f("kind", "盘点还是增减", "count or change", "status", "kind type 类型", needed=True),
              _f("warehouse", "仓库", "warehouse", others="warehouse warehouse_code depot site location 仓库 仓库编码"),
              _f("at", "时间", "when", "moment", "time at counted_at 时间"),
              _f("reason", "原因", "reason", others="reason why remark 原因"),
              _f("key", "对方流水号", "their number of it", others="id key serial 流水号")),
    "receipt": (_f("reference", "采购/入库单号", "receipt number", others="number reference entry_order_code po_no 入库单号 采购单号 单号", needed=True),
                _f("warehouse", "仓库", "warehouse", others="warehouse warehouse_code store 仓库", needed=True),
                _f("at", "时间", "when", "moment", "time operate_time at received_at 时间 入库时间", needed=True),
                _f("final", "是否最终", "nothing more comes", "truth", "final is_final last 最终")),
    "return": (_f("reference", "退货单号", "return number", others="number reference return_order_code rma 退货单号 单号", needed=True),
               _f("warehouse", "仓库", "warehouse", others="warehouse warehouse_code store 仓库"),
               _f("tracking_number", "运单号", "tracking number", others="express_code tracking mail_no waybill 运单号 快递单号"),
               _f("at", "时间", "when", "moment", "time confirm_time at received_at 时间 入库时间", needed=True),
               _f("reason", "原因", "reason", others="reason remark return_reason 原因 退货原因")),
    "production": (_f("reference", "我们的发货单号", "our fulfillment number", others="number job work_order order_no reference 工单号 单号", needed=True),
                   _f("event", "做了什么", "what happened", "status", "event step status state 事件 状态", needed=True),
                   _f("at", "时间", "when", "moment", "time at report_time 时间 上报时间", needed=True),
                   _f("step", "工序", "step", others="step_name process operation 工序"),
                   _f("qty", "合格数量", "good pieces", "whole", "qty good ok_qty quantity 合格数 数量"),
                   _f("scrap", "报废数量", "scrapped pieces", "whole", "scrap ng_qty bad waste 报废数 不良数"),
                   _f("planned_at", "计划完工", "planned finish", "moment", "planned_at plan_finish due finish_plan 计划完工"),
                   _f("reason", "原因", "reason", others="reason remark message 原因 备注")),
    "milestone": (_f("reference", "我们的发货单号", "our fulfillment number", others="number reference order_no 单号", needed=True),
                  _f("milestone", "里程碑", "milestone", others="milestone event status 里程碑 节点", needed=True),
                  _f("at", "时间", "when", "moment", "time at 时间", needed=True),
                  _f("reason", "原因", "reason", others="reason remark 原因 备注")),
    "answer": (_f("reference", "我们的单号", "our number", others="number reference order_no 单号", needed=True),
               _f("operation", "答复的操作", "operation that is answered", others="operation method action 操作", needed=True),
               _f("ok", "是否成功", "whether it was done", "truth", "ok success result 成功", needed=True),
               _f("message", "说明", "their words", others="message msg reason 说明 原因"),
               _f("their_id", "对方单号", "their number", others="reference their_id job_id 对方单号")),
    "risk": (_f("ext_id", "对方订单号", "their order number", others="id order_id order_no 订单号", needed=True),
             _f("level", "级别", "level", others="level risk_level 级别"), _f("score", "分数", "score", "whole", "score points 分数"),
             _f("reason", "原因", "reason", others="reason message 原因")),
    "position": (_f("device", "设备", "device", others="device id imei uid tid 设备", needed=True),
                 _f("lat", "纬度", "latitude", others="lat latitude y 纬度", needed=True),
                 _f("lng", "经度", "longitude", others="lng lon longitude x 经度", needed=True),
                 _f("at", "时间", "when", "moment", "time timestamp tst at 时间", needed=True)),
    "hint": (_f("operation", "要查询的操作", "operation to ask with", needed=True),
             _f("ext_id", "对方订单号", "their order number", others="id tid order_id order_no 订单号", needed=True)),
}  # fmt: skip

#: Lists that several meanings share.
_GOODS = (
    _LINE[0],
    _LINE[1],
    _f("condition", "货品状况", "condition", others="condition inventory_type quality 库存类型 状况"),
)
_GOODS_NAMES = ("lines", "items", "order_lines", "orderlines", "details", "goods", "明细")

#: Lists inside: name → (its fields, what others call the list).
LISTS: Mapping[str, Mapping[str, tuple[tuple[Ours, ...], tuple[str, ...], str, str]]] = {
    "order": {"lines": (_LINE, ("items", "lines", "line_items", "goods", "products", "orders", "order_list", "skus", "商品", "明细", "mingxi"), "订单行", "lines")},
    "warehouse": {
        "parcels": (_BOX, ("packages", "parcels", "boxes", "cartons", "包裹"), "包裹", "parcels"),
        "lines": ((_LINE[0], _LINE[1]), ("lines", "items", "order_lines", "details", "明细"), "明细", "lines"),
    },
    "receipt": {"lines": (_GOODS, _GOODS_NAMES, "明细", "lines")},
    "return": {"lines": (_GOODS, _GOODS_NAMES, "明细", "lines")},
}  # fmt: skip

#: The values a status may have, with what each says to the reader.
STATES: Mapping[str, tuple[str, ...]] = {
    "stock": ("count", "change"),
    "order": ("created", "paid", "shipped", "completed", "cancelled", "reviewing", "closed"),
    "warehouse": ("acknowledge", "pick", "pack", "ship", "reject", "short", "cancelled", "cancel_refused"),
    "production": (
        "accepted",
        "planned",
        "material",
        "started",
        "step",
        "qc_passed",
        "qc_failed",
        "rework",
        "finished",
        "packed",
        "reject",
    ),
    "scan": (
        "picked_up",
        "in_transit",
        "out_for_delivery",
        "ready_for_pickup",
        "delivered",
        "delivery_failed",
        "return_to_sender",
        "on_hold",
    ),
}
PERSONAL = frozenset(
    {"name", "phone", "email", "address", "postcode", "oaid", "cipher", "ip", "buyer_id", "town"}
)


def find(means: str, inside: str, name: str) -> Ours | None:
    """The field of that name; None for one that we do not know."""
    known = LISTS.get(means, {}).get(inside, ((), (), "", ""))[0] if inside else FIELDS.get(means, ())
    return next((one for one in known if one.name == name), None)

"""The words a risk signal may use; those of `WINDOWED` are counted over the signal's own window."""

from __future__ import annotations

from rules.engine import Fact, Vocabulary

_COUNTED = (
    Fact("account.phone_changes", "integer", "账户更换手机号次数", "phone changes of the account", example=3),
    Fact(
        "account.address_changes", "integer", "账户更改地址次数", "address changes of the account", example=3
    ),
    Fact("account.devices", "integer", "账户使用的设备数", "devices used by the account", example=5),
    Fact("account.phones", "integer", "账户使用的手机号数", "phones used by the account", example=4),
    Fact("account.addresses", "integer", "账户使用的地址数", "addresses used by the account", example=5),
    Fact("account.orders", "integer", "账户订单数", "orders of the account", example=5),
    Fact("account.failed_payments", "integer", "支付失败次数", "failed payments", example=4),
    Fact("account.refused", "integer", "拒收次数", "refused parcels", example=2),
    Fact("account.delivered", "integer", "签收订单数", "orders delivered", example=10),
    Fact("account.refund_share", "number", "退款占比", "share of orders refunded", example="0.6"),
    Fact("phone.accounts", "integer", "同一手机号的账户数", "accounts on this phone", example=5),
    Fact("device.accounts", "integer", "同一设备的账户数", "accounts on this device", example=5),
    Fact("address.accounts", "integer", "同一地址的账户数", "accounts at this address", example=10),
    Fact("ip.accounts", "integer", "同一 IP 的账户数", "accounts on this IP address", example=8),
    Fact("phone.orders", "integer", "同一手机号的订单数", "orders with this phone", example=6),
    Fact("device.orders", "integer", "同一设备的订单数", "orders from this device", example=8),
    Fact("promo.units", "integer", "促销品件数", "units of promoted goods", example=20),
    Fact("promo.benefits", "integer", "新客优惠次数", "new-customer benefits", example=5),
)
_OF_THE_ORDER = (
    Fact("account.signup_seconds", "integer", "注册到下单的秒数", "seconds from sign-up to order", unit="s"),
    Fact("account.age_days", "number", "账户天数", "age of the account", unit="d", example=7),
    Fact("account.payment_age_hours", "number", "支付方式添加小时数", "age of the payment method", unit="h"),
    Fact("device.is_new", "boolean", "账户首次使用该设备", "a device new to the account"),
    Fact("login.place", "text", "登录地", "place of login", example="广东"),
    Fact("login.is_unusual", "boolean", "登录地不是常用地", "login from an unusual province"),
    Fact(
        "login.differs_from_all",
        "boolean",
        "登录地、常用地、收货地均不同",
        "login, usual and delivery place differ",
    ),
    Fact("login.travel_kmh", "number", "两次登录所需时速", "speed needed between two logins", unit="km/h"),
    Fact("ip.place", "text", "IP 所在地", "place of the IP address", example="福建"),
    Fact(
        "ip.differs_from_all",
        "boolean",
        "IP 所在地、常用地、收货地均不同",
        "IP, usual and delivery place differ",
    ),
    Fact("order.total", "money", "订单金额", "order total", example="2000"),
    Fact("order.units", "integer", "件数", "units"),
    Fact("order.hour", "integer", "下单时刻", "hour it was placed", unit="h", example=3),
    Fact("order.over_p90", "boolean", "金额高于店铺九成订单", "above nine in ten orders of the shop"),
    Fact("order.over_p95", "boolean", "金额高于店铺 95% 订单", "above 95 % of the shop's orders"),
    Fact("order.is_cod", "boolean", "货到付款", "cash on delivery"),
    Fact("order.phone_changed_after_pay", "boolean", "付款后更换手机号", "phone changed after payment"),
    Fact("order.moved_after_pay", "boolean", "付款后改到外省", "moved to another province after payment"),
    Fact("address.is_forwarder", "boolean", "转运地址", "freight forwarder address"),
    Fact("address.is_incomplete", "boolean", "地址不完整", "incomplete address"),
    Fact("mail.is_disposable", "boolean", "临时邮箱", "throw-away mail address"),
    Fact("platform.flag", "boolean", "平台风险提示", "flagged by the channel"),
    Fact("parties.near", "boolean", "名单近似命中", "near match on a denied-party list"),
    Fact("list.blocked", "boolean", "在黑名单上", "on the block list"),
    Fact("list.trusted", "boolean", "在信任名单上", "on the trust list"),
)
#: Facts counted over a window; every other fact is about the order as it stands.
WINDOWED = frozenset(fact.name for fact in _COUNTED)
FACTS = _COUNTED + _OF_THE_ORDER
VOCABULARY = Vocabulary.of(FACTS)
#: What hangs together: points of one group are capped, so that one story told thrice holds nothing.
GROUPS: dict[str, tuple[str, str]] = {
    "account": ("账户", "account"),
    "network": ("关联网络", "network"),
    "order": ("订单", "order"),
    "payment": ("支付", "payment"),
    "history": ("历史", "history"),
    "promo": ("促销", "promotion"),
    "address": ("地址", "address"),
    "platform": ("平台", "channel"),
    "compliance": ("合规", "compliance"),
    "list": ("名单", "lists"),
}

"""The kinds of file we know, as data: which columns mean what, which must be there, how values are written.

A profile is recognized by its needed columns alone, so older exports with fewer columns and newer ones
with more are the same dialect.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from types import MappingProxyType
from zoneinfo import ZoneInfo

from orderhub.connectors.files.faults import FileRefused

SHANGHAI = ZoneInfo("Asia/Shanghai")
#: Columns of one line; every other known column of an order file belongs to the order as a whole.
LINE_FIELDS = frozenset(("line_no", "sku", "sku_other", "quantity", "unit_price", "line_total", "product"))
COMMON_ENCODINGS = ("utf-8-sig", "utf-16", "utf-8", "gb18030", "shift_jis", "cp1252")


@dataclass(frozen=True, slots=True)
class Profile:
    """One dialect (or half of a pair): our field names to header names, and the rules its values follow."""

    dialect: str
    kind: str
    columns: Mapping[str, tuple[str, ...]]
    required: frozenset[str]
    part: str = "both"
    delimiters: tuple[str, ...] = (",", ";", "\t")
    unquoted_delimiters: frozenset[str] = frozenset()
    #: A header in plain ASCII says nothing; these are then told apart by the first lines that are not.
    ascii_header_encodings: tuple[str, ...] = ("utf-8",)
    zone: tzinfo = UTC
    country: str = ""
    currency: str = ""
    #: The order's own cells stand on its first row only, so a second row that carries them repeats the order.
    is_head_once: bool = False
    money_suffix: str = ""

    def resolve(self, header: Sequence[str]) -> dict[str, int]:
        """Our field names to column numbers, for the columns that are there."""
        seen: dict[str, int] = {}
        for number, name in enumerate(header):
            seen.setdefault(name.casefold(), number)
        found = (
            (ours, [seen[x.casefold()] for x in theirs if x.casefold() in seen])
            for ours, theirs in self.columns.items()
        )
        return {ours: numbers[0] for ours, numbers in found if numbers}

    def missing(self, header: Sequence[str]) -> list[str]:
        """The needed columns that the header lacks, by their first name in the file's own language."""
        there = self.resolve(header)
        return [
            theirs[0] for ours, theirs in self.columns.items() if ours in self.required and ours not in there
        ]


def _columns(**names: str) -> Mapping[str, tuple[str, ...]]:
    return MappingProxyType({ours: tuple(theirs.split("|")) for ours, theirs in names.items()})


GENERIC = Profile(
    dialect="generic", kind="orders", zone=SHANGHAI, country="CN", currency="CNY",
    columns=_columns(
        order_no="order_no|订单号", line_no="line_no|行号", placed_at="placed_at|下单时间",
        paid_at="paid_at|付款时间", currency="currency|币种", sku="sku|商品编码",
        quantity="quantity|数量", unit_price="unit_price|单价",
        total="order_total|订单金额", name="recipient|收货人", phone="phone|电话", email="email|邮箱",
        country="country|国家", province="province|省份", city="city|城市", district="district|区县",
        address="address|地址", postcode="postcode|邮编", service="service|配送方式",
        green="green_delivery|绿色配送", note="note|备注", product="product_name|name|商品名称",
    ),
    required=frozenset((
        "order_no", "placed_at", "sku", "quantity", "unit_price", "name", "province", "city", "address",
    )),
)  # fmt: skip

SHOPIFY = Profile(
    dialect="shopify", kind="orders", is_head_once=True,
    columns=_columns(
        order_no="Name", email="Email", paid_state="Financial Status", paid_at="Paid at", currency="Currency",
        total="Total", service="Shipping Method", placed_at="Created at", quantity="Lineitem quantity",
        product="Lineitem name", unit_price="Lineitem price", sku="Lineitem sku", name="Shipping Name",
        address="Shipping Address1", address_2="Shipping Address2", street="Shipping Street",
        city="Shipping City", postcode="Shipping Zip", province="Shipping Province",
        country="Shipping Country", phone="Shipping Phone",
        phone_other="Phone", note="Notes", cancelled_at="Cancelled at", shipped_state="Fulfillment Status",
    ),
    required=frozenset((
        "order_no", "paid_state", "currency", "placed_at", "quantity", "unit_price", "sku", "name", "address",
        "city", "country",
    )),
)  # fmt: skip

TAOBAO_HEAD = Profile(
    dialect="taobao", kind="orders", part="head", is_head_once=True, zone=SHANGHAI,
    country="CN", currency="CNY", money_suffix="元",
    columns=_columns(
        order_no="订单编号", total="总金额", state="订单状态", note="买家留言", name="收货人姓名",
        full_address="收货地址",
        changed_address="修改后的收货地址", service="运送方式", phone="联系手机", phone_other="联系电话",
        placed_at="订单创建时间", paid_at="订单付款时间", units="宝贝总数量",
    ),
    required=frozenset(("order_no", "state", "name", "full_address", "placed_at")),
)  # fmt: skip

TAOBAO_LINE = Profile(
    dialect="taobao", kind="orders", part="line", zone=SHANGHAI, money_suffix="元",
    columns=_columns(
        order_no="订单编号", product="标题", unit_price="价格", quantity="购买数量",
        sku="外部系统编号|商家编码",
        sku_other="商家编码",
    ),
    required=frozenset(("order_no", "unit_price", "quantity", "sku")),
)  # fmt: skip

AMAZON = Profile(
    dialect="amazon", kind="orders", delimiters=("\t", ",", ";"), unquoted_delimiters=frozenset("\t"),
    ascii_header_encodings=("utf-8", "cp1252"),
    columns=_columns(
        order_no="order-id", line_no="order-item-id", placed_at="purchase-date", paid_at="payments-date",
        email="buyer-email", sku="sku", product="product-name", quantity="quantity-purchased",
        currency="currency", line_total="item-price", service="ship-service-level", name="recipient-name",
        address="ship-address-1",
        address_2="ship-address-2", address_3="ship-address-3", city="ship-city", province="ship-state",
        postcode="ship-postal-code", country="ship-country", phone="ship-phone-number",
        phone_other="buyer-phone-number", note="delivery-Instructions",
    ),
    required=frozenset((
        "order_no", "placed_at", "sku", "quantity", "currency", "line_total", "name", "address", "city",
        "country",
    )),
)  # fmt: skip

SKUS = Profile(
    dialect="skus", kind="skus", currency="CNY",
    columns=_columns(sku="sku|商品编码", name="name|商品名称", price="price|价格", grams="grams|重量克"),
    required=frozenset(("sku", "name", "price", "grams")),
)  # fmt: skip

STOCK = Profile(
    dialect="stock", kind="stock",
    columns=_columns(warehouse="warehouse|仓库", sku="sku|商品编码", on_hand="on_hand|库存"),
    required=frozenset(("warehouse", "sku", "on_hand")),
)  # fmt: skip

#: The most demanding fingerprints first.
PROFILES: tuple[Profile, ...] = (SHOPIFY, AMAZON, TAOBAO_HEAD, TAOBAO_LINE, GENERIC, SKUS, STOCK)
DIALECTS = tuple(dict.fromkeys(profile.dialect for profile in PROFILES if profile.kind == "orders"))


def candidates(*, kind: str, dialect: str | None) -> tuple[Profile, ...]:
    """The profiles a file of this kind may follow; ValueError for a kind or dialect that does not exist."""
    found = tuple(x for x in PROFILES if x.kind == kind and dialect in (None, x.dialect))
    if not found:
        raise ValueError(f"no profile of kind {kind!r} and dialect {dialect!r}")
    return found


def match(header: Sequence[str], profiles: Sequence[Profile]) -> Profile | None:
    """The first profile whose needed columns are all in the header."""
    return next((profile for profile in profiles if not profile.missing(header)), None)


def refuse_unknown(header: Sequence[str], profiles: Sequence[Profile], *, filename: str) -> FileRefused:
    """The refusal that shows the columns seen and what the nearest profile would still need."""
    nearest = min(profiles, key=lambda profile: len(profile.missing(header)) / len(profile.required))
    return FileRefused(
        "unknown_dialect",
        {
            "file": filename,
            "columns": [name[:60] for name in header[:100]],
            "nearest": nearest.dialect,
            "missing": nearest.missing(header),
        },
    )

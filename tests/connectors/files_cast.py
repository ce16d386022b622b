"""A small cast of merchants' files: the same few orders in every dialect, as cells that a test may spoil."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Container
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from orderhub.connectors.files import reader
from orderhub.connectors.files.grouping import RegionVerdict
from orderhub.connectors.files.parsed import Result

SKUS = frozenset(f"SKU-{number}" for number in range(1, 10))
PROVINCES = frozenset(("浙江省", "上海", "CA", "BY"))

GENERIC = [
    "order_no",
    "line_no",
    "placed_at",
    "paid_at",
    "currency",
    "sku",
    "quantity",
    "unit_price",
    "order_total",
    "recipient",
    "phone",
    "country",
    "province",
    "city",
    "district",
    "address",
    "postcode",
    "service",
    "green_delivery",
    "note",
]
SHOPIFY = [
    "Name",
    "Email",
    "Financial Status",
    "Paid at",
    "Fulfillment Status",
    "Currency",
    "Total",
    "Shipping Method",
    "Created at",
    "Lineitem quantity",
    "Lineitem name",
    "Lineitem price",
    "Lineitem sku",
    "Shipping Name",
    "Shipping Address1",
    "Shipping City",
    "Shipping Zip",
    "Shipping Province",
    "Shipping Country",
    "Shipping Phone",
    "Notes",
    "Cancelled at",
    "Vendor",
]
TAOBAO_HEAD = [
    "订单编号",
    "买家会员名",
    "总金额",
    "订单状态",
    "买家留言",
    "收货人姓名",
    "收货地址 ",
    "运送方式",
    "联系电话 ",
    "联系手机",
    "订单创建时间",
    "订单付款时间 ",
    "宝贝总数量",
    "修改后的收货地址",
    "退款金额",
]
TAOBAO_LINE = ["订单编号", "标题", "价格", "购买数量", "外部系统编号", "商品属性", "订单状态", "商家编码"]
AMAZON = [
    "order-id",
    "order-item-id",
    "purchase-date",
    "payments-date",
    "buyer-email",
    "sku",
    "product-name",
    "quantity-purchased",
    "currency",
    "item-price",
    "ship-service-level",
    "recipient-name",
    "ship-address-1",
    "ship-address-2",
    "ship-city",
    "ship-state",
    "ship-postal-code",
    "ship-country",
    "ship-phone-number",
    "delivery-Instructions",
]

#: order number, whether it is paid, whether it is green, lines of (sku, quantity, price)
ORDERS: list[tuple[str, bool, bool, list[tuple[str, int, str]]]] = [
    ("1001", True, True, [("SKU-1", 2, "19.90"), ("SKU-2", 1, "5.00")]),
    ("1002", True, False, [("SKU-3", 1, "100.00")]),
    ("1003", False, False, [("SKU-1", 3, "19.90"), ("SKU-4", 1, "7.25"), ("SKU-5", 2, "0.00")]),
    ("1004", True, False, [("SKU-2", 10, "5.00")]),
]


@dataclass
class Sheet:
    """One file: a header, rows, and how they are written."""

    name: str
    header: list[str]
    rows: list[list[str]] = field(default_factory=list)
    encoding: str = "utf-8"
    delimiter: str = ","
    is_quoting: bool = True

    def add(self, cells: dict[str, str]) -> None:
        """Append a row from cells by header name."""
        self.rows.append([cells.get(name, "") for name in self.header])

    def put(self, row: int, column: str, value: str) -> None:
        """Overwrite a cell; `row` is the number a merchant sees (header is 1)."""
        self.rows[row - 2][self.header.index(column)] = value

    def cell(self, row: int, column: str) -> str:
        """The cell a merchant sees in this row."""
        return self.rows[row - 2][self.header.index(column)]

    def data(self) -> bytes:
        """The file's bytes; the mark ␚ becomes the byte 0xFF."""
        buffer = io.StringIO()
        quoting = csv.QUOTE_MINIMAL if self.is_quoting else csv.QUOTE_NONE
        out = csv.writer(buffer, delimiter=self.delimiter, quoting=quoting, lineterminator="\r\n")
        out.writerow(self.header)
        out.writerows(self.rows)
        return buffer.getvalue().encode(self.encoding).replace(b"\x1a", b"\xff")


def generic() -> list[Sheet]:
    """Rows 2-3: order 1001, 4: 1002, 5-7: 1003 (unpaid), 8: 1004."""
    sheet = Sheet("orders.csv", list(GENERIC))
    for number, paid, green, lines in ORDERS:
        for place, (sku, quantity, price) in enumerate(lines, 1):
            sheet.add(
                {
                    "order_no": number,
                    "line_no": str(place),
                    "placed_at": "2026-11-11T08:00:00+08:00",
                    "paid_at": "2026-11-11 08:01:00" if paid else "",
                    "currency": "CNY",
                    "sku": sku,
                    "quantity": str(quantity),
                    "unit_price": price,
                    "order_total": "300.00",
                    "recipient": "收货人甲",
                    "phone": "10000000001",
                    "country": "CN",
                    "province": "浙江省",
                    "city": "杭州市",
                    "district": "滨江区",
                    "address": "示例路1号",
                    "postcode": "000000",
                    "service": "standard",
                    "green_delivery": "yes" if green else "no",
                    "note": 'a "quoted", note',
                }
            )
    return [sheet]


def shopify() -> list[Sheet]:
    """The same orders; next rows of an order carry only name, e-mail and line."""
    sheet = Sheet("shopify.csv", list(SHOPIFY))
    for number, paid, green, lines in ORDERS:
        head = {
            "Financial Status": "paid" if paid else "pending",
            "Fulfillment Status": "unfulfilled",
            "Paid at": "2026-11-11 00:01:00 +0000" if paid else "",
            "Currency": "USD",
            "Total": "300.00",
            "Shipping Method": "Green delivery" if green else "Express",
            "Created at": "2026-11-10 16:00:00 -0800",
            "Shipping Name": "Recipient",
            "Shipping Address1": "1 Example Road",
            "Shipping City": "San Jose",
            "Shipping Zip": "'95112",
            "Shipping Province": "CA",
            "Shipping Country": "US",
            "Shipping Phone": "555-0101",
        }
        for place, (sku, quantity, price) in enumerate(lines):
            line = {
                "Name": f"#{number}",
                "Email": "r@example.com",
                "Lineitem quantity": str(quantity),
                "Lineitem name": "Thing",
                "Lineitem price": price,
                "Lineitem sku": sku,
                "Vendor": "Example",
            }
            sheet.add(line | (head if place == 0 else {}))
    return [sheet]


def taobao() -> list[Sheet]:
    """Orders in rows 2-5 of the first file, details in rows 2-8 of the second, both in GB18030."""
    head = Sheet("ExportOrderList.csv", list(TAOBAO_HEAD), encoding="gb18030")
    detail = Sheet("ExportOrderDetailList.csv", list(TAOBAO_LINE), encoding="gb18030")
    for number, paid, _, lines in ORDERS:
        state = "买家已付款，等待卖家发货" if paid else "等待买家付款"
        head.add(
            {
                "订单编号": f'="{number}"',
                "总金额": "300.00元",
                "订单状态": state,
                "收货人姓名": "收货人甲",
                "收货地址 ": "浙江省 杭州市 滨江区 示例路1号(000000)",
                "运送方式": "快递",
                "联系手机": "'10000000001",
                "订单创建时间": "2026/11/11 8:00",
                "订单付款时间 ": "2026-11-11 08:01:00" if paid else "",
                "宝贝总数量": str(sum(quantity for _, quantity, _ in lines)),
                "退款金额": "0",
            }
        )
        for sku, quantity, price in lines:
            detail.add(
                {
                    "订单编号": f'="{number}"',
                    "标题": "示例商品",
                    "价格": price,
                    "购买数量": str(quantity),
                    "外部系统编号": sku,
                    "商品属性": "颜色:红",
                    "订单状态": state,
                    "商家编码": sku,
                }
            )
    return [head, detail]


def amazon() -> list[Sheet]:
    """The same orders as a tab-separated report in cp1252; item-price is for the whole quantity."""
    sheet = Sheet("amazon.tsv", list(AMAZON), encoding="cp1252", delimiter="\t", is_quoting=False)
    for number, paid, green, lines in ORDERS:
        for place, (sku, quantity, price) in enumerate(lines, 1):
            total = f"{float(price) * quantity:.2f}"
            sheet.add(
                {
                    "order-id": f"902-{number}",
                    "order-item-id": f"{number}{place:04d}",
                    "purchase-date": "2026-11-10T16:00:00-08:00",
                    "buyer-email": "r@example.net",
                    "sku": sku,
                    "payments-date": "2026-11-10T16:01:00-08:00" if paid else "",
                    "product-name": "Café thing",
                    "quantity-purchased": str(quantity),
                    "currency": "USD",
                    "item-price": total,
                    "ship-service-level": "Green" if green else "Expedited",
                    "recipient-name": "Recipient",
                    "ship-address-1": "1 Example Road",
                    "ship-city": "München",
                    "ship-state": "BY",
                    "ship-postal-code": "80331",
                    "ship-country": "DE",
                    "ship-phone-number": "555-0101",
                }
            )
    return [sheet]


CAST = {"generic": generic, "shopify": shopify, "taobao": taobao, "amazon": amazon}


ALL = ["1001", "1002", "1003", "1004"]
NUMBERS = {
    "generic": ALL, "taobao": ALL, "shopify": [f"#{x}" for x in ALL], "amazon": [f"902-{x}" for x in ALL],
}  # fmt: skip


class Spots(NamedTuple):
    """Where a dialect keeps the cells of order 1002, which has one line."""

    line_file: int
    line_row: int
    head_row: int
    number: str
    quantity: str
    price: str
    placed: str
    sku: str
    city: str
    name: str


SPOTS = {
    "generic": Spots(0, 4, 4, "order_no", "quantity", "unit_price", "placed_at", "sku", "city", "recipient"),
    "shopify": Spots(
        0,
        4,
        4,
        "Name",
        "Lineitem quantity",
        "Lineitem price",
        "Created at",
        "Lineitem sku",
        "Shipping City",
        "Shipping Name",
    ),
    "taobao": Spots(
        1, 4, 3, "订单编号", "购买数量", "价格", "订单创建时间", "外部系统编号", "收货地址 ", "收货人姓名"
    ),
    "amazon": Spots(
        0,
        4,
        4,
        "order-id",
        "quantity-purchased",
        "item-price",
        "purchase-date",
        "sku",
        "ship-city",
        "recipient-name",
    ),
}


def known_skus(asked: Collection[str]) -> Container[str]:
    """The catalogue of the cast."""
    return SKUS.intersection(asked)


def judge_region(country: str, province: str, city: str) -> RegionVerdict:
    """The regions of the cast."""
    if country not in ("CN", "US", "DE"):
        return "unknown_country"
    return "ok" if province in PROVINCES else "unknown_province"


def saved(folder: Path, sheets: list[Sheet]) -> list[tuple[str, Path]]:
    """The sheets as uploaded files."""
    return [saved_bytes(folder, sheet.name, sheet.data()) for sheet in sheets]


def saved_bytes(folder: Path, name: str, data: bytes) -> tuple[str, Path]:
    """One uploaded file with these bytes."""
    path = folder / name
    path.write_bytes(data)
    return name, path


def imported(folder: Path, sheets: list[Sheet]) -> Result:
    """What reading the sheets gives."""
    return imported_files(saved(folder, sheets))


def imported_files(files: list[tuple[str, Path]], **choice: str) -> Result:
    """What reading the files gives, with a dialect or encoding chosen by hand if wanted."""
    recognized = reader.recognize(files, dialect=choice.get("dialect"), encoding=choice.get("encoding"))
    return read(recognized)


def read(recognized: reader.Recognized) -> Result:
    """All chunks of the recognized files put together, errors in file order."""
    result = Result([], [], 0)
    for chunk in reader.stream_orders(recognized, catalog=known_skus, regions=judge_region):
        result.orders.extend(chunk.orders)
        result.errors.extend(chunk.errors)
        result = replace(
            result, rows=chunk.rows, unlisted_errors=result.unlisted_errors + chunk.unlisted_errors
        )
    result.errors.sort(
        key=lambda error: ([sheet.name for sheet in recognized.sheets].index(error.file), error.row)
    )
    return result


def faults(result: Result) -> list[tuple[int, str, str]]:
    """Row, column and kind of every refused row."""
    return [(error.row, error.column, error.kind) for error in result.errors]


def accepted(result: Result) -> list[str]:
    """Numbers of the accepted orders."""
    return [order.external_id for order in result.orders]

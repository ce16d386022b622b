"""Qimen's XML: what is required of a delivery order, and what a warehouse reports."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from orderhub.connectors.fakes.warehouse import Delivery, DeliveryLine, Entry, Package
from orderhub.connectors.fakes.wire import Tree, text_of, write_xml

REQUIRED = (
    "deliveryOrderCode",
    "orderType",
    "warehouseCode",
    "createTime",
    "placeOrderTime",
    "operateTime",
    "shopNick",
    "logisticsCode",
)
REQUIRED_PERSON = ("name", "mobile", "province", "city", "detailAddress")
REQUIRED_LINE = ("ownerCode", "itemCode", "planQty", "actualPrice")
RECEIVER_PARTS = (
    "name",
    "mobile",
    "tel",
    "oaid",
    "province",
    "city",
    "area",
    "town",
    "detailAddress",
    "zipCode",
)


def missing(root: Element) -> list[str]:
    """The required fields of deliveryorder.create that are not there, as paths."""
    order = root.find("deliveryOrder")
    if order is None:
        return ["deliveryOrder"]
    found = [f"deliveryOrder.{name}" for name in REQUIRED if not text_of(order, name)]
    for person in ("senderInfo", "receiverInfo"):
        part = order.find(person)
        found += [f"deliveryOrder.{person}.{name}" for name in REQUIRED_PERSON if not text_of(part, name)]
    lines = root.findall("orderLines/orderLine")
    if not lines:
        found.append("orderLines.orderLine")
    for number, line in enumerate(lines, 1):
        found += [
            f"orderLines.orderLine[{number}].{name}" for name in REQUIRED_LINE if not text_of(line, name)
        ]
    return found


def receiver(root: Element) -> dict[str, str]:
    """The receiver as it was written."""
    part = root.find("deliveryOrder/receiverInfo")
    return {name: text for name in RECEIVER_PARTS if (text := text_of(part, name))}


def lines(root: Element) -> list[DeliveryLine]:
    """The lines of a delivery or entry order; raises ValueError for a quantity that is no whole number."""
    return [
        DeliveryLine(
            text_of(line, "orderLineNo") or str(number), text_of(line, "itemCode"), int(text_of(line, "planQty")),
            text_of(line, "sourceOrderCode"), text_of(line, "subSourceOrderCode"),
        )
        for number, line in enumerate(root.findall("orderLines/orderLine"), 1)
    ]  # fmt: skip


def success(**more: object) -> bytes:
    """`flag` success, with what the operation gives back."""
    return write_xml("response", {"flag": "success", "code": "0", "message": "ok", **more})


def failure(code: str, message: str) -> bytes:
    """`flag` failure with its reason; the HTTP status is 200 all the same."""
    return write_xml("response", {"flag": "failure", "code": code, "message": message})


def process_report(delivery: Delivery, status: str, at: str, info: str) -> bytes:
    """orderprocess.report: a step inside the warehouse or on the way."""
    order = {
        "orderCode": delivery.code, "orderId": delivery.their_id, "orderType": delivery.order_type,
        "warehouseCode": delivery.warehouse,
    }  # fmt: skip
    process = {"processStatus": status, "operatorCode": "OP-07", "operateTime": at, "operateInfo": info}
    return write_xml("request", {"order": order, "process": process})


def confirm(delivery: Delivery, packages: list[Package], at: str, *, final: bool, biz_code: str) -> bytes:
    """deliveryorder.confirm with parcels and their packaging; `confirmType` 0 is the last word, 1 is not. Quantities of
    lines are those of these parcels, not sums so far.
    """
    moved: dict[str, int] = {}
    for sku, quantity in (item for one in packages for item in one.items):
        moved[sku] = moved.get(sku, 0) + quantity
    rows = []
    for line in delivery.lines:
        take = min(moved.get(line.sku, 0), line.quantity)
        moved[line.sku] = moved.get(line.sku, 0) - take
        if take or final:
            rows.append(_line(delivery, line, take))
    head = {
        "deliveryOrderCode": delivery.code, "deliveryOrderId": delivery.their_id,
        "warehouseCode": delivery.warehouse, "orderType": delivery.order_type,
        "status": "DELIVERED" if final else "PARTDELIVERED", "outBizCode": biz_code,
        "confirmType": 0 if final else 1, "orderConfirmTime": at, "operateTime": at,
    }  # fmt: skip
    return write_xml("request", {
        "deliveryOrder": head,
        "packages": {"package": [_package(delivery, number, one) for number, one in enumerate(packages, 1)]},
        "orderLines": {"orderLine": rows},
    })  # fmt: skip


def _package(delivery: Delivery, number: int, package: Package) -> Tree:
    length, width, height = package.size
    return {
        "logisticsCode": package.carrier, "expressCode": package.tracking_number,
        "packageCode": f"{delivery.their_id}-P{len(delivery.packages)}-{number}", "length": length, "width": width,
        "height": height, "weight": package.kilograms, "volume": f"{length * width * height / 1000:.1f}",
        "packageMaterialList": {
            "packageMaterial": [{"type": kind, "quantity": quantity} for kind, quantity in package.materials]
        },
        "items": {"item": [{"itemCode": sku, "quantity": quantity} for sku, quantity in package.items]},
    }  # fmt: skip


def _line(delivery: Delivery, line: DeliveryLine, quantity: int) -> Tree:
    return {
        "orderLineNo": line.number, "orderSourceCode": line.source or None, "subSourceCode": line.sub_source or None,
        "itemCode": line.sku, "inventoryType": "ZP", "ownerCode": delivery.owner,
        "planQty": line.quantity, "actualQty": quantity,
    }  # fmt: skip


def query_answer(delivery: Delivery) -> bytes:
    """deliveryorder.query's answer."""
    head = {
        "deliveryOrderCode": delivery.code, "deliveryOrderId": delivery.their_id,
        "warehouseCode": delivery.warehouse, "orderType": delivery.order_type, "status": delivery.state,
    }  # fmt: skip
    packages = [_package(delivery, number, one) for number, one in enumerate(delivery.packages, 1)]
    return success(
        deliveryOrder=head, packages={"package": packages},
        orderLines={"orderLine": [_line(delivery, one, one.sent) for one in delivery.lines]},
    )  # fmt: skip


def stock_items(warehouse: str, owner: str, stock: dict[str, int]) -> list[Tree]:
    """Quantities as items of a report or answer."""
    return [
        {
            "warehouseCode": warehouse, "ownerCode": owner, "itemCode": sku, "inventoryType": "ZP",
            "quantity": quantity, "lockQuantity": 0, "totalNum": quantity,
        }
        for sku, quantity in sorted(stock.items())
    ]  # fmt: skip


def stock_report(warehouse: str, owner: str, stock: dict[str, int], at: str, biz_code: str) -> bytes:
    """inventory.report: what the warehouse says there is."""
    items = stock_items(warehouse, owner, stock)
    return write_xml("request", {
        "totalPage": 1, "currentPage": 1, "pageSize": len(items), "warehouseCode": warehouse,
        "checkOrderCode": biz_code, "ownerCode": owner, "checkTime": at, "outBizCode": biz_code,
        "items": {"item": items},
    })  # fmt: skip


def stock_change(
    warehouse: str, owner: str, sku: str, quantity: int, at: str, biz_code: str, order: str
) -> bytes:
    """stockchange.report: so many more or fewer, and why."""
    item = {
        "ownerCode": owner, "warehouseCode": warehouse, "orderCode": order, "orderType": "QTCK" if quantity < 0 else "QTRK",
        "outBizCode": biz_code, "itemCode": sku, "inventoryType": "ZP", "quantity": quantity, "changeTime": at,
    }  # fmt: skip
    return write_xml("request", {"items": {"item": [item]}})


def entry_confirm(entry: Entry, received: dict[str, int], at: str, *, final: bool, biz_code: str) -> bytes:
    """entryorder.confirm: what has come in since the last one."""
    head = {
        "entryOrderCode": entry.code, "entryOrderId": entry.their_id, "ownerCode": entry.owner,
        "warehouseCode": entry.warehouse, "entryOrderType": "CGRK", "outBizCode": biz_code,
        "confirmType": 0 if final else 1, "status": "FULFILLED" if final else "PARTFULFILLED", "operateTime": at,
    }  # fmt: skip
    rows = [
        {
            "orderLineNo": line.number, "ownerCode": entry.owner, "itemCode": line.sku, "planQty": line.quantity,
            "inventoryType": "ZP", "actualQty": received[line.sku],
        }
        for line in entry.lines if received.get(line.sku)
    ]  # fmt: skip
    return write_xml("request", {"entryOrder": head, "orderLines": {"orderLine": rows}})

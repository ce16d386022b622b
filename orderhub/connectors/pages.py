"""What merchants' pages show, read in a constant number of queries."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, Prefetch, Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from orderhub.access.models import Merchant
from orderhub.connectors import outcomes
from orderhub.connectors.models import ImportBatch
from orderhub.events.models import Delivery
from orderhub.inventory.models import Sku, Stock, Warehouse
from orderhub.orders import sharing
from orderhub.orders.models import Hold, Order, OrderLine
from orderhub.orders.models.order import Stage

IMPORTS_SHOWN = 20
ROWS_SHOWN = 50
SUBSCRIBER = "connectors.imports"
OUR_NUMBER = re.compile(r"OH\d{6}-(\d{1,18})", re.IGNORECASE)
#: Speed is told once there is something to measure.
MEASURED_AFTER = timedelta(seconds=2)
STAGE_TONES = {
    Stage.RECEIVED: "wait",
    Stage.REVIEWING: "hold",
    Stage.ROUTED: "go",
    Stage.BACKORDERED: "warn",
    Stage.RELEASED: "go",
    Stage.PARTIALLY_SHIPPED: "go",
    Stage.SHIPPED: "go",
    Stage.PARTIALLY_DELIVERED: "go",
    Stage.DELIVERED: "ok",
    Stage.COMPLETED: "ok",
    Stage.PARTIALLY_RETURNED: "warn",
    Stage.RETURNED: "wait",
    Stage.CANCELLED: "wait",
}
_STATUS_PILLS: dict[str, tuple[str, str | Promise]] = {
    "queued": ("wait", gettext_lazy("Waiting")),
    "running": ("go", gettext_lazy("Importing")),
    "paused": ("warn", gettext_lazy("Paused")),
    "done": ("ok", gettext_lazy("Finished")),
    "failed": ("bad", gettext_lazy("Not imported")),
}


@dataclass(frozen=True, slots=True)
class OrderRow:
    """One line of the list of orders."""

    order: Order
    tone: str
    goods: str
    others: int
    tracking: str


def imports_of(merchant: Merchant, *, before: int | None = None) -> tuple[list[ImportBatch], int | None]:
    """The merchant's imports, newest first, and the id the next page starts under, if any; two queries."""
    rows = ImportBatch.objects.filter(merchant=merchant).prefetch_related("files").order_by("-id")
    if before:
        rows = rows.filter(pk__lt=before)
    found = list(rows[: IMPORTS_SHOWN + 1])
    return found[:IMPORTS_SHOWN], found[IMPORTS_SHOWN - 1].pk if len(found) > IMPORTS_SHOWN else None


def status_pill(batch: ImportBatch) -> tuple[str, str | Promise]:
    """Tone and words of an import's state."""
    if batch.confirmed_at is None:
        return "hold", gettext_lazy("Not confirmed")
    if batch.status == ImportBatch.Status.DONE and batch.refused_rows:
        return "warn", gettext_lazy("Finished, rows left out")
    return _STATUS_PILLS[batch.status]


def progress(batch: ImportBatch, *, language: str, now: datetime) -> dict[str, Any]:
    """How an import stands, in words and figures; the page and its script show exactly this."""
    title, detail = _title(batch, language=language, now=now)
    return {
        "status": batch.status,
        "is_open": batch.is_open,
        "title": title,
        "detail": detail,
        "done": batch.done,
        "total": batch.orders_total,
        "done_text": f"{batch.done:,} / {batch.orders_total:,}" if batch.orders_total else "",
        "speed_text": _speed(batch, now=now),
        "accepted": f"{batch.accepted_orders:,}",
        "unchanged": f"{batch.unchanged_orders:,}",
        "refused": f"{batch.refused_rows:,}",
        "rows": f"{batch.rows:,}",
    }


def _title(batch: ImportBatch, *, language: str, now: datetime) -> tuple[str, str]:
    if batch.status == ImportBatch.Status.FAILED:
        words = outcomes.failure(batch, language=language) or {"title": "", "reason": ""}
        return _("Not imported: %(title)s") % words, words["reason"]
    if batch.status == ImportBatch.Status.PAUSED:
        words = outcomes.failure(batch, language=language) or {"title": "", "remedy": ""}
        return words["title"], words["remedy"]
    if batch.status == ImportBatch.Status.DONE:
        return _finished(batch), _("Uploading the same file again changes nothing.")
    if _is_stuck(batch):
        detail = _(
            "One of our staff must start it again. Nothing is lost, and nothing comes in twice. "
            "Support number: %(n)s."
        )
        return _("This import has stopped"), detail % {"n": f"#{batch.pk}"}
    safe = _("You can close this page; the import goes on by itself.")
    if not batch.rows:
        return _("The files are waiting to be read"), safe
    seconds = _seconds_left(batch, now=now)
    if seconds is None:
        return _("Importing"), safe
    return _("Importing, about %(n)d s left") % {"n": seconds}, safe


def _finished(batch: ImportBatch) -> str:
    count = batch.accepted_orders
    if not count and not batch.unchanged_orders:
        return _("Finished: nothing could be imported")
    if not count:
        return _("Finished: everything was there already")
    words = {
        ImportBatch.Kind.ORDERS: ngettext(
            "Finished: %(n)s order imported", "Finished: %(n)s orders imported", count
        ),
        ImportBatch.Kind.SKUS: ngettext("Finished: %(n)s SKU written", "Finished: %(n)s SKUs written", count),
        ImportBatch.Kind.STOCK: ngettext(
            "Finished: %(n)s stock row written", "Finished: %(n)s stock rows written", count
        ),
    }
    return words[ImportBatch.Kind(batch.kind)] % {"n": f"{count:,}"}


def _is_stuck(batch: ImportBatch) -> bool:
    return Delivery.objects.filter(
        event__stream=batch.stream, subscriber=SUBSCRIBER, state=Delivery.State.DEAD
    ).exists()


def _rate_per_second(batch: ImportBatch, *, now: datetime) -> float | None:
    if not batch.started_at or not batch.done or now - batch.started_at < MEASURED_AFTER:
        return None
    return batch.done / (now - batch.started_at).total_seconds()


def _seconds_left(batch: ImportBatch, *, now: datetime) -> int | None:
    rate = _rate_per_second(batch, now=now)
    return None if rate is None else max(1, round((batch.orders_total - batch.done) / rate))


def _speed(batch: ImportBatch, *, now: datetime) -> str:
    rate = _rate_per_second(batch, now=now) if batch.is_open else None
    return "" if rate is None else _("%(n)s per second") % {"n": f"{max(1, round(rate)):,}"}


def orders_of(
    merchant: Merchant,
    *,
    number: str = "",
    stage: str = "",
    batch: int | None = None,
    before: int | None = None,
) -> tuple[list[OrderRow], int | None]:
    """The merchant's orders, newest first, and the id the next page starts under; three queries."""
    rows = (
        Order.objects.filter(merchant=merchant)
        .select_related("channel")
        .prefetch_related(
            Prefetch("lines", queryset=OrderLine.objects.order_by("position")),
            Prefetch(
                "holds",
                queryset=Hold.objects.filter(released_at__isnull=True).order_by("pk"),
                to_attr="active_holds",
            ),
        )
        .order_by("-id")
    )
    if batch is not None:
        rows = rows.filter(source=f"import:{batch}")
    if stage:
        rows = rows.filter(stage=stage)
    if before is not None:
        rows = rows.filter(pk__lt=before)
    found = list(_numbered(rows, number.strip())[: ROWS_SHOWN + 1])
    more = found[ROWS_SHOWN - 1].pk if len(found) > ROWS_SHOWN else None
    return [_order_row(order) for order in found[:ROWS_SHOWN]], more


def _numbered(rows: QuerySet[Order], number: str) -> QuerySet[Order]:
    if not number:
        return rows
    ours = OUR_NUMBER.fullmatch(number)
    is_theirs = Q(external_id=number) | Q(external_id__startswith=number)
    return rows.filter(is_theirs | Q(pk=int(ours.group(1)))) if ours else rows.filter(is_theirs)


def _order_row(order: Order) -> OrderRow:
    lines = list(order.lines.all())
    return OrderRow(
        order,
        STAGE_TONES[Stage(order.stage)],
        lines[0].name if lines else "",
        max(0, len(lines) - 1),
        sharing.tracking_path(order),
    )


def stock_of(merchant: Merchant, *, text: str = "", warehouse: str = "") -> QuerySet[Stock]:
    """Stock by SKU and warehouse with `free` = on hand − reserved − safety, which may be negative."""
    rows = Stock.objects.filter(merchant=merchant).select_related("sku", "warehouse")
    if text:
        rows = rows.filter(
            Q(sku__code__icontains=text) | Q(sku__name__icontains=text) | Q(sku__name_en__icontains=text)
        )
    if warehouse:
        rows = rows.filter(warehouse__code=warehouse)
    return rows.annotate(free=F("on_hand") - F("reserved") - F("safety")).order_by(
        "sku__code", "warehouse__code"
    )


def sample(merchant: Merchant, *, kind: str, chinese: bool, now: datetime) -> bytes:
    """A small file to start from, with the merchant's own SKUs and warehouse; UTF-8 with a mark."""
    codes = list(
        Sku.objects.filter(merchant=merchant, is_active=True)
        .order_by("code")
        .values_list("code", flat=True)[:2]
    )
    codes = [*codes, "SKU-001", "SKU-002"][:2]
    if kind == ImportBatch.Kind.ORDERS:
        rows = _sample_orders(codes, chinese=chinese, now=now)
    elif kind == ImportBatch.Kind.SKUS:
        head = ["商品编码", "商品名称", "价格", "重量克"] if chinese else ["sku", "name", "price", "grams"]
        rows = [head, [codes[0], "示例商品" if chinese else "Example article", "59.00", "420"]]
    else:
        place = Warehouse.objects.filter(merchant=merchant, is_active=True).order_by("code").first()
        head = ["仓库", "商品编码", "库存"] if chinese else ["warehouse", "sku", "on_hand"]
        rows = [head, *([place.code if place else "WH-01", code, "100"] for code in codes)]
    out = io.StringIO(newline="")
    csv.writer(out).writerows(rows)
    return out.getvalue().encode("utf-8-sig")


def _sample_orders(codes: Sequence[str], *, chinese: bool, now: datetime) -> list[list[str]]:
    head_zh = (
        "订单号 行号 下单时间 付款时间 币种 商品编码 数量 单价 订单金额 收货人 电话 国家"
        " 省份 城市 区县 地址 邮编 配送方式 绿色配送 备注"
    )
    head_en = (
        "order_no line_no placed_at paid_at currency sku quantity unit_price order_total recipient phone"
        " country province city district address postcode service green_delivery note"
    )
    placed = f"{now:%Y-%m-%d} 09:30:00"
    # An invented receiver: numbers starting with 100 belong to no mobile network.
    receiver = [
        "示例顾客",
        "10000000001",
        "CN",
        "浙江省",
        "杭州市",
        "西湖区",
        "示例路 1 号",
        "310000",
        "standard",
        "no",
        "",
    ]
    rows = [
        ["DEMO-0001", str(line), placed, placed, "CNY", code, str(line), "59.00", "177.00", *receiver]
        for line, code in enumerate(codes, 1)
    ]
    return [(head_zh if chinese else head_en).split(), *rows]

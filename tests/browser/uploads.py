"""Files that merchants upload, some rows of them wrong."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta

from playwright.sync_api import FilePayload, Page

from tests import cast

HEADER = (
    "order_no", "line_no", "channel", "placed_at", "paid_at", "currency", "sku", "quantity", "unit_price",
    "order_total", "recipient", "phone", "country", "province", "city", "district", "address", "service",
)  # fmt: skip
#: Column and value of the planted faults, each in an order of its own.
FAULTS = (("sku", "NO-SUCH-SKU"), ("quantity", "0"), ("placed_at", "2026-02-30 10:00:00"))
GOOD_ORDERS = 5


def faulty_file(prefix: str) -> bytes:
    """A file of eight orders with one line each: five good ones, then one for every fault."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, HEADER)
    writer.writeheader()
    for number in range(GOOD_ORDERS + len(FAULTS)):
        row = order_row(f"{prefix}-{number + 1}")
        if number >= GOOD_ORDERS:
            column, value = FAULTS[number - GOOD_ORDERS]
            row[column] = value
        writer.writerow(row)
    return out.getvalue().encode()


def order_row(order_no: str) -> dict[str, str]:
    """One good row: an order of one DEMO-001."""
    placed_at = (datetime.now(UTC) - timedelta(hours=1)).isoformat(timespec="seconds")
    address = {key: value for key, value in cast.FANG.destination.items() if key in HEADER}
    return {
        **address, "order_no": order_no, "line_no": "1", "channel": "web", "placed_at": placed_at,
        "paid_at": placed_at, "currency": "CNY", "sku": "DEMO-001", "quantity": "1", "unit_price": "399.00",
        "order_total": "399.00", "recipient": cast.FANG.name, "service": "standard",
    }  # fmt: skip


def upload(page: Page, content: bytes, *, name: str = "orders.csv") -> str:
    """Choose the file on the import page and send it; the path of its preview."""
    page.set_input_files("#file", FilePayload(name=name, mimeType="text/csv", buffer=content))
    page.click("form[data-upload] button.oh-btn-pri")
    page.wait_for_url("**/merchant/import/*/")
    return page.url.partition("/merchant/")[1] + page.url.partition("/merchant/")[2]

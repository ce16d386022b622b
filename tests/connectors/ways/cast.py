"""Systems that are fetched from: a carrier's EDIFACT files, a shop's rows, and what lies in folders and mailboxes."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.utils import translation

from orderhub.connectors import secretbox
from orderhub.connectors.models import Connection, WayMark
from orderhub.connectors.ways import reasons, turns
from orderhub.kernel import clock
from tests.connectors import systems

#: A shop that leaves files of JSON lines of orders, split by order.
_READ = {
    "form": "json", "split": "orders", "key": ["msg"],
    "routes": [{"when": [{"path": "goods", "exists": True}], "map": "order"}],
}  # fmt: skip
_CSV = {
    "form": "csv", "split": "_body", "routes": [{"when": [{"path": "sku", "exists": True}], "map": "stock"}],
}  # fmt: skip
_STOCK = {"means": "stock", "fields": [
    {"to": "warehouse", "from": "warehouse", "as": ["str"], "required": True}, {"to": "sku", "from": "sku", "required": True},
    {"to": "qty", "from": "qty", "as": ["int"], "required": True}, {"to": "kind", "as": [["const", "count"]]},
    {"to": "at", "from": "at", "as": ["local"], "required": True},
]}  # fmt: skip
_MAPS = {**systems.SHOP["maps"], "stock": _STOCK}
_TESTS = [
    {"name": "rows", "kind": "in", "request": {"door": "files", "body": '{"orders": []}'}, "expected": []}
]

SHOP: dict[str, Any] = {
    "code": "file_shop", "zh": "文件小店", "en": "File shop", "role": "file", "zone": "Asia/Shanghai", "currency": "CNY",
    "country": "CN", "tables": systems.SHOP["tables"], "maps": _MAPS,
    "doors": {"files": {**_READ, "pattern": "*.json"}, "mail": {"pattern": "*.json"}}, "tests": _TESTS,
}  # fmt: skip
COUNTS: dict[str, Any] = {
    **SHOP, "code": "file_counts", "zh": "盘点文件", "en": "Counts",
    "doors": {"files": {**_CSV, "pattern": "*.csv", "charset": "gb18030"}},
    "tests": [{"name": "a row", "kind": "in",
               "request": {"door": "files", "body": "sku,qty,warehouse,at\nA,1,W,2026-11-11 08:00:00"},
               "expected": [{"means": "stock", "value": {"sku": "A", "qty": 1}}]}],
}  # fmt: skip
IMPORTED: dict[str, Any] = {
    **SHOP, "code": "file_import", "doors": {"files": {"pattern": "*.csv", "imports": "orders"}},
    "tests": [{"name": "a name", "kind": "name", "request": {"door": "files", "name": "a.CSV"}, "expected": {"wanted": True}}],
}  # fmt: skip
TABLE: dict[str, Any] = {
    **SHOP, "code": "table_shop", "zh": "表", "en": "Table", "doors": {"table": {
        "form": "json", "unpack": [{"field": "goods", "form": "json"}, {"field": "to", "form": "json"}], "moved_by": "changed_at",
        "id": "id", "page": 3, "routes": [{"when": [], "map": "order"}]}},
    "tests": [{"name": "a row", "kind": "in",
               "request": {"door": "table", "body": {"id": 1, "state": "paid", "rev": 1, "fen": 1800}},
               "expected": [{"means": "order", "value": {"ext_id": "1"}}]}],
}  # fmt: skip


def connect(
    document: dict[str, Any], *, on: str = "files", secrets: dict[str, str] | None = None, **config: Any
) -> Connection:
    """A live connection whose way in is switched on."""
    channel = systems.make.channel(document["code"])
    row = systems.connect(document, channel=channel, config={f"{on}_on": True, **config}, allows_private=True)
    for name, value in (secrets or {}).items():
        secretbox.put(row, name, value, now=clock.now())
    row.save()
    turns.prepare(row, now=clock.now())
    return row


def folder(root: Path, row: Connection) -> Path:
    """Where the files of a connection are put."""
    own = root / row.merchant.code / row.code
    own.mkdir(parents=True, exist_ok=True)
    return own


def put(where: Path, name: str, data: bytes | str, *, age_seconds: int = 3600) -> Path:
    """A file that was written a while ago."""
    path = where / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    at = path.stat().st_mtime - age_seconds
    os.utime(path, (at, at))
    return path


def look(time: systems.make.Clock, *, times: int = 2, seconds: float = 40) -> int:
    """So many turns, as the clock takes them; how many messages were found. A file is still after two looks."""
    found = 0
    for _turn in range(times):
        time.advance(seconds=seconds)
        found += turns.run_due(now=clock.now())
    return found


def mark(row: Connection) -> WayMark:
    """How far its way in was read."""
    return WayMark.objects.get(connection=row)


def error(row: Connection) -> str:
    """What is wrong with its way in, in English."""
    with translation.override("en"):
        return reasons.trouble(mark(row).fault)


def abandon(row: Connection) -> None:
    """As if the worker at it had been killed and the lease were over."""
    WayMark.objects.filter(connection=row).update(
        leased_until=clock.now() - timedelta(seconds=1), next_at=clock.now()
    )

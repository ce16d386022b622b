"""Files: every figure of a report to the last digit as CSV, and recommendations as transfer orders."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from orderhub.inventory.admin_base import neutral
from routing.reports import sentences
from routing.reports.models import Recommendation, RoutingReport

HEAD = (
    "section", "key", "name", "orders", "parcels", "cost_yuan", "hours", "kgco2e", "split_orders", "local_orders",
    "automatic_orders", "promise_judged", "late_orders", "unsent_orders",
)  # fmt: skip
WHY_HEAD = ("why", "measure", "before", "now", "change", "mix", "price", "stock_position")
ADVICE_HEAD = ("recommendation", "rank", "kind", "value_yuan", "text")
TRANSFER_HEAD = (
    "transfer_order", "recommendation", "from_warehouse", "to_warehouse", "sku", "sku_name", "units", "note",
)  # fmt: skip
_SUMS = (
    "orders", "parcels", "cost", "hours", "kgco2e", "split", "local", "automatic", "judged", "late", "unsent",
)  # fmt: skip
Rows = Iterable[Sequence[Any]]


def csv_of(rows: Rows) -> bytes:
    """A table as a spreadsheet opens it: UTF-8 with mark, and no cell that runs."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerows([_cell(cell) for cell in row] for row in rows)
    return ("\ufeff" + out.getvalue()).encode()


def _cell(value: Any) -> Any:
    # A figure stays one, also below nought; only texts are made harmless.
    return value if isinstance(value, int | Decimal) else neutral("" if value is None else str(value))


def report(found: RoutingReport) -> bytes:
    """Sums, not means, so that whoever adds rows up gets the total; then why, then what is advised."""
    result = found.result or {}
    names = result["names"]
    rows: list[Sequence[Any]] = [HEAD, _row("total", "", "", result["now"]["total"])]
    if result["before"]:
        rows.append(_row("before", "", " – ".join(result["previous"]), result["before"]["total"]))
    rows += [_row("day", day, "", sums) for day, sums in result["now"]["days"].items()]
    for dimension, parts in result["now"]["by"].items():
        rows += [
            _row(dimension, key, sentences.name(names, dimension, key), sums) for key, sums in parts.items()
        ]
    if result["why"]:
        rows += [(), WHY_HEAD]
        rows += [
            ("why", measure, *(Decimal(row[key]) for key in ("before", "now", "change")),
             *(Decimal(row["parts"][part]) for part in ("mix", "price", "stock")))
            for measure, row in result["why"].items()
        ]  # fmt: skip
    advised = list(found.recommendations.order_by("rank"))
    if advised:
        rows += [(), ADVICE_HEAD]
        rows += [
            (
                "recommendation",
                one.rank,
                one.kind,
                one.value_yuan,
                sentences.advice(one.kind, one.facts, names),
            )
            for one in advised
        ]
    return csv_of(rows)


def transfers(found: RoutingReport, advised: Iterable[Recommendation]) -> bytes:
    """Transfer orders, one a pair of places; without a sender it comes from the supplier, NEW is not open yet.

    A change of carrier moves no stock: it is one row without units that says what to change.
    """
    result = found.result or {}
    names = result["names"]
    rows: list[Sequence[Any]] = [TRANSFER_HEAD]
    for one in advised:
        text = sentences.advice(one.kind, one.facts, names)
        if not one.moves:
            rows.append(("", one.rank, "", "", "", "", "", text))
        pairs: dict[tuple[Any, Any], int] = {}
        for move in one.moves:
            pair = (move["from"], move["to"])
            number = pairs.setdefault(pair, len(pairs) + 1)
            code, title = names["sku"].get(str(move["sku"]), (move["sku"], ""))
            end = _code(names, move["to"]) or f"NEW {one.facts.get('region', '')}"
            rows.append((
                f"TR-{found.pk}-{one.rank}-{number}", one.rank, _code(names, move["from"]), end, code, title,
                move["units"], text,
            ))  # fmt: skip
    return csv_of(rows)


def _code(names: Any, key: Any) -> str:
    return str(names["warehouse_code"].get(str(key), key)) if key is not None else ""


def _row(section: str, key: str, name: str, sums: Any) -> list[Any]:
    values = [sums[column] for column in _SUMS]
    return [section, key, name, *(value if isinstance(value, int) else Decimal(value) for value in values)]

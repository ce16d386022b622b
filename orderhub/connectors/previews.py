"""What an upload would become, by its first rows: nothing is written, every doubt is named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from orderhub.access.models import Merchant
from orderhub.connectors import imports
from orderhub.connectors.files import messages, reader
from orderhub.connectors.files.faults import FileRefused
from orderhub.connectors.files.parsed import ParsedLine, ParsedOrder
from orderhub.connectors.models import ImportBatch
from orderhub.inventory import queries as inventory
from orderhub.inventory.models import Sku
from orderhub.kernel import regions
from orderhub.orders.models import Order

#: More rows are read than shown, so that an order is whole when its result is told.
READ_ROWS = 120
SHOWN = 20
Text = str | Promise


@dataclass(frozen=True, slots=True)
class PreviewOrder:
    """One order as it would come in, with its result: tone of the pill and words."""

    order: ParsedOrder
    total: Decimal
    tone: str
    verdict: Text
    detail: str = ""
    lines: list[tuple[ParsedLine, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Evidence:
    """Why a file was taken for what it is: columns used (ours, theirs), left aside, encoding, separator."""

    name: str
    used: list[tuple[str, str]]
    unused: list[str]
    encoding: str
    delimiter: str


@dataclass(frozen=True, slots=True)
class Preview:
    """Everything the preview page shows; `refused` is set instead when the file cannot be read as a whole."""

    refused: messages.Wording | None = None
    dialect: str = ""
    evidence: list[Evidence] = field(default_factory=list)
    cautions: list[messages.Wording] = field(default_factory=list)
    is_encoding_doubtful: bool = False
    orders: list[PreviewOrder] = field(default_factory=list)
    faults: list[tuple[int, str, messages.Wording]] = field(default_factory=list)
    header: list[str] = field(default_factory=list)
    rows: list[tuple[int, list[str]]] = field(default_factory=list)


def preview(batch: ImportBatch, *, language: str) -> Preview:
    """Recognize the files of a batch and judge their first rows; seven queries at most."""
    try:
        recognized = imports.recognize(batch)
    except FileRefused as refused:
        doubtful = refused.kind in {"unknown_dialect", "binary_file"}
        return Preview(messages.about_file(refused, language=language), is_encoding_doubtful=doubtful)
    found = reader.preview(recognized, limit=READ_ROWS)
    whole = all(len(rows) < READ_ROWS for rows in found.rows.values())
    orders = found.orders if whole else found.orders[:-1]
    first = recognized.sheets[0]
    return Preview(
        dialect=recognized.dialect,
        evidence=[
            _evidence(recognized, sheet.name, sheet.encoding, sheet.delimiter) for sheet in recognized.sheets
        ],
        cautions=[messages.worded(x.kind, x.facts, language=language) for x in recognized.warnings],
        is_encoding_doubtful=any(x.kind == "encoding_doubt" for x in recognized.warnings),
        orders=_judged(batch.merchant, recognized.dialect, orders[:SHOWN]),
        faults=[(x.row, x.order_no, messages.about_row(x, language=language)) for x in found.errors[:SHOWN]],
        header=[] if recognized.kind == "orders" else list(first.header),
        rows=[] if recognized.kind == "orders" else found.rows[first.name][:SHOWN],
    )


def _evidence(recognized: reader.Recognized, name: str, encoding: str, delimiter: str) -> Evidence:
    used = list(recognized.column_map[name].items()) + _custom(recognized, name)
    theirs = {column for _ours, column in used}
    unused = [column for column in recognized.headers[name] if column and column not in theirs]
    return Evidence(name, used, unused, encoding, {"\t": "Tab"}.get(delimiter, delimiter))


def _custom(recognized: reader.Recognized, name: str) -> list[tuple[str, str]]:
    """The columns that are custom fields, as the file writes them."""
    known = recognized.fields
    codes = {f"custom.{code}" for code in known.own} | {f"line.custom.{code}" for code in known.line}
    return [(column.casefold(), column) for column in recognized.headers[name] if column.casefold() in codes]


def _judged(merchant: Merchant, dialect: str, found: Sequence[ParsedOrder]) -> list[PreviewOrder]:
    codes = {line.sku for order in found for line in order.lines}
    known = list(Sku.objects.filter(merchant=merchant, is_active=True, code__in=codes))
    skus, names = {sku.code: sku.pk for sku in known}, {sku.code: sku.name for sku in known}
    units = inventory.promisable(skus.values())
    standing = dict(
        Order.objects.filter(
            channel__merchant=merchant,
            channel__code=dialect,
            external_id__in={order.external_id for order in found},
        ).values_list("external_id", "content_hash")
    )
    judged = [_judge(order, skus, units, standing) for order in found]
    return [
        replace(row, lines=[(line, line.name or names.get(line.sku, "")) for line in row.order.lines])
        for row in judged
    ]


def _judge(
    order: ParsedOrder, skus: dict[str, int], units: dict[int, int], standing: dict[str, str]
) -> PreviewOrder:
    total = sum((line.line_total for line in order.lines), Decimal(0))
    unknown = sorted({line.sku for line in order.lines if line.sku not in skus})
    if unknown:
        return PreviewOrder(order, total, "bad", _("SKU unknown"), ", ".join(unknown))
    verdict = regions.verdict(order.country, order.province, order.city)
    if verdict != "ok":
        words = _("Country unknown") if verdict == "unknown_country" else _("Province unknown")
        return PreviewOrder(
            order, total, "bad", words, order.country if verdict == "unknown_country" else order.province
        )
    known = standing.get(order.external_id)
    if known == order.content_hash:
        return PreviewOrder(order, total, "wait", _("Imported before"))
    if known is not None:
        return PreviewOrder(order, total, "bad", _("Other content than before"))
    if any(line.quantity > units.get(skus[line.sku], 0) for line in order.lines):
        return PreviewOrder(order, total, "warn", _("Will wait for stock"))
    return PreviewOrder(order, total, "ok", _("Can be imported"))

"""Small master-data files: SKUs and stock."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeVar

from django.db import transaction

from orderhub.connectors.files import reader
from orderhub.connectors.files.faults import RowError
from orderhub.connectors.files.parsed import ParsedSku, ParsedStock
from orderhub.connectors.files.rows import Sheet
from orderhub.connectors.models import ImportBatch
from orderhub.connectors.refused import write_refused
from orderhub.fields import queries as fields
from orderhub.fields.engine import Definition
from orderhub.fields.filling import fill
from orderhub.inventory import services as inventory
from orderhub.inventory import telling
from orderhub.inventory.models import Sku, Warehouse
from orderhub.kernel import clock

CHUNK_ROWS = 1000
CENT = Decimal("0.01")
T = TypeVar("T")


def run(batch: ImportBatch, recognized: reader.Recognized) -> None:
    """Apply a `skus` or `stock` file, 1,000 rows a transaction; rows already so count as unchanged."""
    sheet = recognized.sheets[0]
    if batch.kind == ImportBatch.Kind.SKUS:
        articles = reader.read_skus(recognized)
        _start(
            batch,
            recognized,
            rows=articles.rows,
            total=len(articles.skus),
            errors=articles.errors,
        )
        _chunks(batch, [_storable(row) for row in articles.skus], _apply_skus, sheet=sheet)
    else:
        counts = reader.read_stock(recognized)
        _start(
            batch,
            recognized,
            rows=counts.rows,
            total=len(counts.stock),
            errors=counts.errors,
        )
        _chunks(batch, counts.stock, _apply_stock, sheet=sheet)


def _start(
    batch: ImportBatch,
    recognized: reader.Recognized,
    *,
    rows: int,
    total: int,
    errors: Sequence[RowError],
) -> None:
    with transaction.atomic():
        fresh = ImportBatch.objects.select_for_update(no_key=True).get(pk=batch.pk)
        if fresh.rows:
            return
        fresh.dialect, fresh.encoding, fresh.rows, fresh.orders_total = (
            recognized.dialect,
            recognized.encoding,
            rows,
            total,
        )
        fresh.refused_rows = write_refused(fresh, errors)
        fresh.save()


def _chunks(
    batch: ImportBatch,
    rows: Sequence[T],
    apply: Callable[[ImportBatch, Sequence[T], Sheet], tuple[int, list[RowError]]],
    *,
    sheet: Sheet,
) -> None:
    while True:
        with transaction.atomic():
            fresh = (
                ImportBatch.objects.select_for_update(no_key=True).select_related("merchant").get(pk=batch.pk)
            )
            chunk = rows[fresh.done : fresh.done + CHUNK_ROWS]
            if not chunk:
                return
            changed, errors = apply(fresh, chunk, sheet)
            fresh.done += len(chunk)
            fresh.accepted_orders += changed
            fresh.unchanged_orders += len(chunk) - changed - len(errors)
            fresh.refused_rows += write_refused(fresh, errors)
            fresh.save(update_fields=["done", "accepted_orders", "unchanged_orders", "refused_rows"])


def _storable(row: ParsedSku) -> ParsedSku:
    """The row as its columns keep it, so that the same file again finds nothing changed."""
    return dataclasses.replace(row, name=row.name[:200], price=row.price.quantize(CENT))


def _apply_skus(batch: ImportBatch, chunk: Sequence[ParsedSku], sheet: Sheet) -> tuple[int, list[RowError]]:
    merchant = batch.merchant
    known = {
        sku.code: sku for sku in Sku.objects.filter(merchant=merchant, code__in=[row.sku for row in chunk])
    }
    changed = [
        row
        for row in chunk
        if (sku := known.get(row.sku)) is None
        or (sku.name, sku.price, sku.grams) != (row.name, row.price, row.grams)
        or any(sku.custom.get(code) != value for code, value in row.custom.items())
    ]
    values, errors = _values(changed, known, fields.book(merchant).of("sku"), sheet)
    changed = [row for row in changed if row.sku in values]
    Sku.objects.bulk_create(
        [
            Sku(
                merchant=merchant,
                code=row.sku,
                name=row.name,
                price=row.price,
                grams=row.grams,
                currency=merchant.currency,
                custom=values[row.sku],
            )
            for row in changed
        ],
        update_conflicts=True,
        unique_fields=["merchant", "code"],
        update_fields=["name", "price", "grams", "custom"],
    )
    weighed = [row.sku for row in changed if row.sku in known and known[row.sku].grams != row.grams]
    telling.skus([(merchant.pk, code) for code in weighed], actor=batch.stream, now=clock.now())
    return len(changed), errors


def _values(
    rows: Sequence[ParsedSku], known: Mapping[str, Sku], definitions: Mapping[str, Definition], sheet: Sheet
) -> tuple[dict[str, dict[str, Any]], list[RowError]]:
    """The custom values of each article as they will stand; new ones need what is required."""
    found: dict[str, dict[str, Any]] = {}
    errors: list[RowError] = []
    for row in rows:
        sku = known.get(row.sku)
        said = {code: value for code, value in row.custom.items() if value is not None}
        if sku is not None:
            kept = {code: value for code, value in sku.custom.items() if code not in row.custom}
            found[row.sku] = {**kept, **said}
            continue
        new = fill({code: one for code, one in definitions.items() if code not in said}, {}, standing=None)
        if new.faults:
            code, fault = next(iter(new.faults.items()))
            errors.append(
                RowError(sheet.name, row.row, "", f"custom.{code}", fault.code, "", {"field": code})
            )
        else:
            found[row.sku] = {**new.values, **said}
    return found, errors


def _apply_stock(
    batch: ImportBatch, chunk: Sequence[ParsedStock], sheet: Sheet
) -> tuple[int, list[RowError]]:
    merchant = batch.merchant
    warehouses = {w.code: w for w in Warehouse.objects.filter(merchant=merchant)}
    skus = {s.code: s for s in Sku.objects.filter(merchant=merchant, code__in={row.sku for row in chunk})}
    errors = [error for row in chunk if (error := _unknown(row, warehouses, skus, sheet))]
    bad = {error.row for error in errors}
    good = [(warehouses[row.warehouse], skus[row.sku], row.on_hand) for row in chunk if row.row not in bad]
    counted = (
        inventory.set_counts(good, actor=batch.stream, now=clock.now(), reference=batch.stream)
        if good
        else []
    )
    return sum(1 for one in counted if one.change), errors


def _unknown(
    row: ParsedStock, warehouses: dict[str, Warehouse], skus: dict[str, Sku], sheet: Sheet
) -> RowError | None:
    if row.warehouse not in warehouses:
        return RowError(
            sheet.name, row.row, "", sheet.column("warehouse"), "unknown_warehouse", row.warehouse
        )
    if row.sku not in skus:
        return RowError(sheet.name, row.row, "", sheet.column("sku"), "unknown_sku", row.sku)
    return None

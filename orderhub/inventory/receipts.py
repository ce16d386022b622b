"""Goods that came in, as a warehouse confirms them: booked once, set against what was expected, differences told.

A confirmation names units that came since the last one. What is fit for sale is on hand from the moment the warehouse
says; damaged units are kept on the line and never sold. The final one closes what was expected under its reference.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from orderhub.access.models import Merchant
from orderhub.events import rows as writing
from orderhub.inventory import kinds, services, telling
from orderhub.inventory.models import ExpectedReceipt, Receipt, ReceiptLine, Sku, Warehouse
from orderhub.kernel.errors import Refused


@dataclass(frozen=True, slots=True)
class Came:
    """Units of a SKU (its code) that came in; damaged ones cannot be sold."""

    sku: str
    units: int
    is_damaged: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """The receipt and its lines; repeated means that this key was taken before and nothing was done."""

    receipt: Receipt
    lines: tuple[ReceiptLine, ...]
    is_repeated: bool = False


@transaction.atomic
def take(
    merchant: Merchant, warehouse_code: str, came: Sequence[Came], *, reference: str, key: str, is_final: bool,
    said_at: datetime, actor: str, now: datetime,
) -> Outcome:  # fmt: skip
    """Book what came in, once for a warehouse and key. Raises Refused: "warehouse_unknown", "sku_unknown"."""
    warehouse = warehouse_of(merchant, warehouse_code)
    skus = skus_of(merchant, (one.sku for one in came))
    receipt, made = Receipt.objects.get_or_create(
        warehouse=warehouse, key=key[:120],
        defaults={
            "merchant": merchant, "reference": reference[:80], "is_final": is_final, "said_at": min(said_at, now),
            "received_at": now, "actor": actor[:80],
        },
    )  # fmt: skip
    if not made:
        return Outcome(receipt, tuple(receipt.lines.order_by("pk")), is_repeated=True)
    lines = _lines(receipt, came, skus)
    _set_against(receipt, lines)
    good = [(warehouse, line.sku, line.units) for line in lines.values() if line.units]
    services.receive(
        good, reference=f"receipt:{receipt.reference}"[:80], actor=actor, now=now, at=receipt.said_at,
        is_confirmed=True,
    )  # fmt: skip
    ReceiptLine.objects.bulk_create(lines.values())
    _tell(receipt, warehouse, list(lines.values()), actor=actor, now=now)
    return Outcome(receipt, tuple(lines.values()))


def warehouse_of(merchant: Merchant, code: str) -> Warehouse:
    """The merchant's warehouse of that code; raises Refused("warehouse_unknown")."""
    found = Warehouse.objects.filter(merchant=merchant, code=code).first()
    if found is None:
        raise Refused(
            "warehouse_unknown", _("There is no warehouse with this code."),
            remedy=_("Use the code of one of the merchant's warehouses."), facts={"warehouse": code},
        )  # fmt: skip
    return found


def skus_of(merchant: Merchant, codes: Iterable[str]) -> dict[str, Sku]:
    """The merchant's SKUs by code; raises Refused("sku_unknown") naming the first that is none."""
    wanted = list(dict.fromkeys(codes))
    found = {sku.code: sku for sku in Sku.objects.filter(merchant=merchant, code__in=wanted)}
    missing = next((code for code in wanted if code not in found), None)
    if missing is not None:
        raise Refused(
            "sku_unknown", _("There is no SKU “%(sku)s”.") % {"sku": missing},
            remedy=_("Add it, or say which of your SKUs it is."), facts={"sku": missing},
        )  # fmt: skip
    return found


def _lines(receipt: Receipt, came: Sequence[Came], skus: Mapping[str, Sku]) -> dict[int, ReceiptLine]:
    """A line per SKU, in the order of the SKUs, as stock rows are locked."""
    lines: dict[int, ReceiptLine] = {}
    for one in sorted(came, key=lambda one: skus[one.sku].pk):
        sku = skus[one.sku]
        line = lines.setdefault(sku.pk, ReceiptLine(receipt=receipt, sku=sku, units=0))
        if one.is_damaged:
            line.damaged += one.units
        else:
            line.units += one.units
    return lines


def _set_against(receipt: Receipt, lines: dict[int, ReceiptLine]) -> None:
    """Fill what was expected under the reference, the earliest first; a final confirmation closes all of it."""
    wanted = ExpectedReceipt.objects.filter(
        warehouse=receipt.warehouse, reference=receipt.reference, arrived_at__isnull=True
    ).exclude(reference="")
    rows = list(wanted.select_for_update(of=("self",)).select_related("sku").order_by("expected_at", "pk"))
    if receipt.is_final:
        for row in rows:  # SKUs of which nothing came at all are missing as a whole
            lines.setdefault(row.sku_id, ReceiptLine(receipt=receipt, sku=row.sku, units=0))
    for sku_id, line in lines.items():
        own = [row for row in rows if row.sku_id == sku_id]
        line.expected = sum(max(0, row.units - row.came) for row in own)
        _fill(own, line.units + line.damaged)
        if receipt.is_final and own:
            line.difference = sum(row.came - row.units for row in own)
    for row in rows:
        if receipt.is_final or row.came >= row.units:
            row.arrived_at = receipt.said_at
    writing.save(rows, ["came", "arrived_at"])


def _fill(rows: Sequence[ExpectedReceipt], units: int) -> None:
    """Spread units over expected rows of one SKU; what is too much stands on the last one."""
    for row in rows:
        part = min(units, max(0, row.units - row.came))
        row.came, units = row.came + part, units - part
    if rows:
        rows[-1].came += units


def _tell(
    receipt: Receipt, warehouse: Warehouse, lines: Sequence[ReceiptLine], *, actor: str, now: datetime
) -> None:
    told = [
        {"sku": line.sku.code, "units": line.units, "damaged": line.damaged, "expected": line.expected,
         "difference": line.difference}
        for line in lines
    ]  # fmt: skip
    payload: dict[str, object] = {
        "receipt": receipt.pk, "warehouse": warehouse.code, "reference": receipt.reference,
        "final": receipt.is_final, "lines": told,
    }  # fmt: skip
    fact = telling.fact(receipt.merchant_id, kinds.RECEIPT_CONFIRMED.name, payload)
    telling.record([fact], actor=actor, now=now)

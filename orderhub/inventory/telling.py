"""Telling the log that what an operator or a file changed may let waiting orders go on.

Upper layers listen; nothing here knows who. Each function is one transaction, the caller's if there is one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from django.db import transaction

from orderhub.events import log
from orderhub.events.log import Fact
from orderhub.inventory import kinds, locks
from orderhub.inventory.models import CustomsLane, Sku, Workshop

__all__ = ["Fact"]
#: Fields of a SKU that decide whether and from where it can be sent.
SHIPPING_FIELDS = frozenset({"grams", "volume_cm3", "traits"})
_MOST_CODES = 500


def skus(rows: Iterable[tuple[int, str]], *, actor: str, now: datetime) -> None:
    """Tell that weight, size or handling of these (merchant id, SKU code) changed; 500 codes an event."""
    codes: dict[int, set[str]] = {}
    for merchant_id, code in rows:
        codes.setdefault(merchant_id, set()).add(code)
    facts = []
    for merchant_id, found in sorted(codes.items()):
        held = sorted(found)
        facts += [
            fact(merchant_id, kinds.SKU_CHANGED.name, {"skus": held[start : start + _MOST_CODES]})
            for start in range(0, len(held), _MOST_CODES)
        ]
    record(facts, actor=actor, now=now)


def sku_if(row: Sku, changed: Collection[str], *, actor: str, now: datetime) -> None:
    """Tell of one SKU if any of the fields that were changed matters for shipping."""
    if SHIPPING_FIELDS & set(changed):
        skus([(row.merchant_id, row.code)], actor=actor, now=now)


def customs(rows: Sequence[CustomsLane], *, actor: str, now: datetime) -> None:
    """Tell that customs lanes were opened, closed or taken away."""
    facts = [
        fact(
            lane.merchant_id, kinds.CUSTOMS_CHANGED.name,
            {"from_country": lane.from_country, "to_country": lane.to_country, "is_open": lane.is_open},
        )
        for lane in rows
    ]  # fmt: skip
    record(facts, actor=actor, now=now)


def workshops(rows: Sequence[Workshop], *, actor: str, now: datetime) -> None:
    """Tell that factories make other SKUs, more or fewer units, or in another time."""
    facts = [
        fact(
            row.merchant_id, kinds.WORKSHOP_CHANGED.name,
            {"warehouse": row.warehouse.code, "takes_orders": row.is_active},
        )
        for row in rows
    ]  # fmt: skip
    record(facts, actor=actor, now=now)


@transaction.atomic
def record(facts: Sequence[Fact], *, actor: str, now: datetime) -> None:
    """Record facts of streams that no aggregate's row guards: their heads are locked in order of their names."""
    for name in sorted({fact.stream for fact in facts}):
        locks.stream(name)
    log.record(facts, now=now, actor=actor)


def fact(merchant_id: int, kind: str, payload: dict[str, object]) -> Fact:
    """A fact of the merchant's stock stream."""
    return Fact(f"stock:{merchant_id}", kind, payload, merchant_id)

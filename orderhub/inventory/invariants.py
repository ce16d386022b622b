"""What must always hold of stock."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import F, Q, Sum
from django.db.models.functions import Coalesce

from orderhub.events.invariants import invariant
from orderhub.inventory import promising
from orderhub.inventory.models import Stock


@invariant("I1", zh="不超卖：0 ≤ 预占 ≤ 在库", en="No oversell: 0 ≤ reserved ≤ on hand")
def never_oversold() -> Iterable[str]:
    """I1: the check constraint makes this impossible; asked all the same, in case it was dropped."""
    for row in Stock.objects.filter(Q(reserved__gt=F("on_hand")) | Q(reserved__lt=0)).iterator():
        yield f"warehouse {row.warehouse_id}, SKU {row.sku_id}: {row.reserved} reserved of {row.on_hand}"


@invariant("I1", zh="库存流水之和等于库存", en="The movements of a stock row add up to the row")
def movements_add_up() -> Iterable[str]:
    """I1: what is on hand and reserved is the sum of every change ever made."""
    rows = Stock.objects.annotate(
        told_on_hand=Coalesce(Sum("movements__on_hand_change"), 0),
        told_reserved=Coalesce(Sum("movements__reserved_change"), 0),
    ).exclude(on_hand=F("told_on_hand"), reserved=F("told_reserved"))
    for row in rows.iterator():
        yield (
            f"warehouse {row.warehouse_id}, SKU {row.sku_id}: "
            f"on hand {row.on_hand}, reserved {row.reserved}; "
            f"its movements say {row.told_on_hand} and {row.told_reserved}"
        )


@invariant(
    "I2", zh="可承诺量读模型与库存一致", en="What can be promised by the read model is what the rows say"
)
def promised_is_read() -> Iterable[str]:
    """I2: for every SKU whose movements were all read."""
    yield from promising.differences()

"""What a buyer has a claim to for units that are not wanted or came back: to the cent what was paid for them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from decimal import Decimal

from django.db.models import Sum

from orderhub.orders import parting
from orderhub.orders.models import LineCredit, OrderLine


def paid_for(line: OrderLine, units: int) -> Decimal:
    """What so many units of a line cost after its discount, pure; all units together cost what the line did."""
    found = parting.share(line.line_total, line.discount, ordered=line.ordered, moving=units)[1]
    return found.total - found.discount


def credit(
    lines: Collection[OrderLine], units: Mapping[int, int], *, cause: str, now: datetime
) -> dict[int, Decimal]:
    """Credit units, by line id, of lines whose order is locked; the amounts. Two queries.

    Each credit is the difference of what all credited units cost and what was credited before, so however many
    small credits there are, they add up to the price of the line.
    """
    before = _before(units)
    rows = []
    for line in lines:
        if count := units.get(line.pk, 0):
            had, amount = before.get(line.pk, (0, Decimal(0)))
            due = max(Decimal(0), paid_for(line, min(line.ordered, had + count)) - amount)
            rows.append(LineCredit(line=line, units=count, amount=due, cause=cause, made_at=now))
    LineCredit.objects.bulk_create(rows)
    return {row.line_id: row.amount for row in rows}


def void(cause: str, *, now: datetime) -> Decimal:
    """Take the credits of a cause back; their sum. Again changes nothing."""
    rows = list(LineCredit.objects.select_for_update().filter(cause=cause, voided_at=None).order_by("pk"))
    LineCredit.objects.filter(pk__in=[row.pk for row in rows]).update(voided_at=now)
    return sum((row.amount for row in rows), Decimal(0))


def of_order(order_id: int) -> Decimal:
    """All that an order's lines are credited with now; one query."""
    found = LineCredit.objects.filter(line__order_id=order_id, voided_at=None).aggregate(sum=Sum("amount"))
    return found["sum"] or Decimal(0)


def _before(units: Mapping[int, int]) -> dict[int, tuple[int, Decimal]]:
    rows = LineCredit.objects.filter(line_id__in=units, voided_at=None).values("line_id")
    summed = rows.annotate(count=Sum("units"), sum=Sum("amount"))
    return {row["line_id"]: (row["count"], row["sum"]) for row in summed}

"""What must always hold of decisions."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from orderhub.events.invariants import invariant
from routing.models import Decision

TOLERANCE = Decimal("0.01")


@invariant("I6", zh="决策各项之和等于总价", en="The terms of a decision add up to its total")
def terms_add_up() -> Iterable[str]:
    """I6: of every plan that was kept, to ¥0.01; parcel by parcel as well."""
    rows = Decision.objects.filter(total__isnull=False, plan__isnull=False).values_list("pk", "total", "plan")
    for pk, total, plan in rows.iterator():
        assert total is not None
        assert plan is not None, "the filter left these out"
        terms = _sum(plan["terms"])
        parcels = sum((_sum(parcel["terms"]) for parcel in plan["parcels"]), Decimal(0))
        if max(abs(terms - total), abs(parcels - total)) > TOLERANCE:
            yield f"decision {pk}: total {total}, terms {terms}, parcels {parcels}"


def _sum(terms: dict[str, str]) -> Decimal:
    return sum(map(Decimal, terms.values()), Decimal(0))

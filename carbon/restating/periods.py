"""Closing months of the ledger, reopening them with a reason, and restating what was reported, by cause."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import QuerySet, Sum
from django.utils.translation import gettext_lazy as _

from carbon.models import CalculationRun, CarbonHead, LedgerEntry, Period
from carbon.posting import GENESIS
from carbon.restating.dates import dated, month_of
from orderhub.access.models import Merchant
from orderhub.kernel.errors import Refused

#: To the ledger's quantum: a database without exact decimals adds up no further.
QUANTUM = Decimal("0.000001")
ZERO = Decimal(0)
CAUSES = ("activity", "factor", "method", "boundary")
CAUSE_OF: Mapping[str, str] = {
    "": "activity",
    CalculationRun.Reason.INITIAL: "activity",
    CalculationRun.Reason.ACTIVITY_CORRECTION: "activity",
    CalculationRun.Reason.FACTOR_UPDATE: "factor",
    CalculationRun.Reason.METHOD_CHANGE: "method",
    CalculationRun.Reason.BOUNDARY_CHANGE: "boundary",
}
Figures = dict[str, dict[str, str]]


@dataclass(frozen=True, slots=True)
class Restatement:
    """kg CO2e of one basis: as published, each cause's part of the difference, and now; the parts add up exactly."""

    basis: str
    published_kg: Decimal
    by_cause: Mapping[str, Decimal]
    now_kg: Decimal

    @property
    def percent(self) -> Decimal | None:
        """The change in percent of what was published; None where that was nothing."""
        if not self.published_kg:
            return None
        return ((self.now_kg - self.published_kg) / self.published_kg * 100).quantize(Decimal("0.01"))


@transaction.atomic
def close(merchant: Merchant, month: date, *, actor: str, now: datetime) -> Period:
    """Write down the month's figures and the root of its entries; raises Refused if it is closed or not over."""
    first, last = month_of(month)
    if last >= now.date():
        raise Refused(
            "period_not_over", _("This month is not over yet."), remedy=_("Choose a month that is over."),
            field="month",
        )  # fmt: skip
    if current(merchant.pk, first) is not None:
        raise Refused(
            "period_closed", _("This month is closed already."), remedy=_("Reopen it with a reason.")
        )
    CarbonHead.objects.get_or_create(merchant=merchant, defaults={"hash": GENESIS})
    head = CarbonHead.objects.select_for_update().get(merchant=merchant)
    root, count = root_of(merchant.pk, first, seq=head.seq)
    number = Period.objects.filter(merchant=merchant, month=first).count() + 1
    return Period.objects.create(
        merchant=merchant, month=first, number=number, seq=head.seq, root_hash=root, entries=count,
        figures=figures_of(entries_of(merchant.pk, first).filter(seq__lte=head.seq)), closed_by=actor[:80],
        closed_at=now,
    )  # fmt: skip


def reopen(period: Period, *, reason: str, actor: str, now: datetime) -> None:
    """Let the month change again; what was reported stays as it was. Raises Refused without a reason."""
    if not reason.strip():
        raise Refused(
            "reason_missing", _("A closed period is reopened with a reason only."),
            remedy=_("Say why its figures have to change."), field="reason",
        )  # fmt: skip
    changed = Period.objects.filter(pk=period.pk, reopened_at__isnull=True).update(
        reopened_at=now, reopened_by=actor[:80], reason=reason.strip()[:240]
    )
    if not changed:
        raise Refused("period_open", _("This period is open already."), remedy=_("Reload the page."))


def current(merchant_id: int, month: date) -> Period | None:
    """The closing that holds for a month, if it is closed."""
    return Period.objects.filter(merchant_id=merchant_id, month=month, reopened_at__isnull=True).first()


def entries_of(merchant_id: int, month: date) -> QuerySet[LedgerEntry]:
    """The entries of a month by the day of their activity."""
    first, last = month_of(month)
    return LedgerEntry.objects.filter(dated(first, last, path="run__"), merchant_id=merchant_id)


def root_of(merchant_id: int, month: date, *, seq: int) -> tuple[str, int]:
    """SHA-256 over the hashes of the month's entries up to number `seq`, in their order, and how many they are."""
    root, count = hashlib.sha256(), 0
    rows = entries_of(merchant_id, month).filter(seq__lte=seq).order_by("seq").values_list("hash", flat=True)
    for one in rows.iterator(chunk_size=5000):
        root.update(one.encode())
        count += 1
    return root.hexdigest(), count


def figures_of(entries: QuerySet[LedgerEntry]) -> Figures:
    """kg CO2e by basis and stage as decimal strings; one query."""
    rows = entries.order_by().values("basis", "stage").annotate(kg=Sum("total_kgco2e"))
    found: Figures = {}
    for row in rows:
        found.setdefault(row["basis"], {})[row["stage"]] = f"{_exact(row['kg']):f}"
    return found


def restatement(period: Period, basis: str) -> Restatement:
    """What a closing reported, and each cause's part of what was posted since; two queries."""
    published = sum((Decimal(kg) for kg in period.figures.get(basis, {}).values()), ZERO)
    later = entries_of(period.merchant_id, period.month).filter(seq__gt=period.seq, basis=basis)
    by_cause = dict.fromkeys(CAUSES, ZERO)
    for cause, kg in later.order_by().values_list("run__cause").annotate(kg=Sum("total_kgco2e")):
        by_cause[CAUSE_OF.get(cause, "activity")] += _exact(kg)
    return Restatement(basis, published, by_cause, published + sum(by_cause.values(), ZERO))


def faults(period: Period) -> list[str]:
    """What of a closing no longer agrees with the entries it closed."""
    root, count = root_of(period.merchant_id, period.month, seq=period.seq)
    entries = entries_of(period.merchant_id, period.month).filter(seq__lte=period.seq)
    found = []
    if (root, count) != (period.root_hash, period.entries):
        found.append(
            f"period {period}: {count} entries give root {root}, it was closed with {period.root_hash}"
        )
    if figures_of(entries) != period.figures:
        found.append(f"period {period}: its entries do not add up to its figures")
    return found


def _exact(kg: Any) -> Decimal:
    return Decimal(kg or 0).quantize(QUANTUM)

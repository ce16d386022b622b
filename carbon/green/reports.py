"""Uptake of consolidated delivery, and the saving promised against the saving kept: beside the inventory, never in it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from math import sqrt
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum
from django.utils.translation import gettext as _

from carbon.green.models import GreenChoice, GreenExposure, GreenPool
from carbon.reports.chart import tidy
from carbon.reports.scope import Scope

Z95 = 1.959963984540054
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Uptake:
    """How many orders of an arm were seen and how many chose; the share with its 95 % interval (Wilson)."""

    arm: str
    seen: int
    chosen: int

    @property
    def share(self) -> float:
        """0 to 1."""
        return self.chosen / self.seen if self.seen else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """The interval of the share; 0 to 1 without anybody."""
        if not self.seen:
            return 0.0, 1.0
        n, p, z = self.seen, self.share, Z95
        middle, half = p + z * z / (2 * n), z * sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        return max(0.0, (middle - half) / (1 + z * z / n)), min(1.0, (middle + half) / (1 + z * z / n))


@dataclass(frozen=True, slots=True)
class Kept:
    """Savings in kg CO2e: promised and kept of the choices that were measured, and promised of all."""

    choices: int
    measured: int
    promised_kg: Decimal
    promised_measured_kg: Decimal
    kept_kg: Decimal
    marginal_promised_kg: Decimal
    marginal_kept_kg: Decimal


def choices(wanted: Scope) -> QuerySet[GreenChoice]:
    """The choices of orders placed in the period."""
    rows = GreenChoice.objects.filter(
        order__placed_at__gte=wanted.begins_at, order__placed_at__lt=wanted.ends_at
    )
    return rows if wanted.merchant_id is None else rows.filter(merchant_id=wanted.merchant_id)


def uptake(wanted: Scope) -> list[Uptake]:
    """By arm; two queries."""
    rows = GreenExposure.objects.filter(
        order__placed_at__gte=wanted.begins_at, order__placed_at__lt=wanted.ends_at
    )
    if wanted.merchant_id is not None:
        rows = rows.filter(merchant_id=wanted.merchant_id)
    chose = Count("pk", filter=Q(order__green_choice__isnull=False))
    found = rows.values("arm").annotate(seen=Count("pk"), chosen=chose).order_by("arm")
    return [Uptake(str(GreenExposure.Arm(row["arm"]).label), row["seen"], row["chosen"]) for row in found]


def kept(wanted: Scope) -> Kept:
    """Promised against kept; one query."""
    done = Q(measured_at__isnull=False)
    sums = choices(wanted).aggregate(
        choices=Count("pk"), measured=Count("pk", filter=done), promised=Sum("average_kg"),
        promised_measured=Sum("average_kg", filter=done), kept=Sum("kept_average_kg"),
        marginal=Sum("marginal_kg", filter=Q(kept_marginal_kg__isnull=False)), marginal_kept=Sum("kept_marginal_kg"),
    )  # fmt: skip
    return Kept(
        sums["choices"], sums["measured"], *(
            Decimal(sums[name] or 0).quantize(Decimal("0.000001"))
            for name in ("promised", "promised_measured", "kept", "marginal", "marginal_kept")
        ),
    )  # fmt: skip


def pools(merchant_id: int | None) -> QuerySet[GreenPool]:
    """The newest pools."""
    rows = GreenPool.objects.select_related("warehouse").order_by("-pk")
    return rows if merchant_id is None else rows.filter(merchant_id=merchant_id)


def beside(wanted: Scope) -> dict[str, Any] | None:
    """What stands beside the carbon report's total; None where nobody chose."""
    found = kept(wanted)
    if not found.choices:
        return None
    return {
        "title": _("Avoided by consolidated delivery"),
        "figure": tidy(found.kept_kg if found.measured else found.promised_kg),
        "note": _("beside the inventory, never taken off it; against each order shipped at once"),
    }

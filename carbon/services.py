"""What may be done with carbon data: load the bundled factors, do a stored calculation again."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from carbon import importer
from carbon.casing import computed
from carbon.models import CalculationRun, FactorSet


def ensure_factors(*, now: datetime) -> int:
    """Load the bundled factors into a database that has none; returns how many were loaded. One query
    otherwise.
    """
    return 0 if FactorSet.objects.exists() else importer.import_bundled(now=now)


def recompute(run: CalculationRun) -> dict[str, Any]:
    """The result of a stored run's inputs, calculated afresh; equal to `run.result` byte for byte.

    A reversal has no chain of its own: its result is the one it stores.
    """
    if run.reason == CalculationRun.Reason.REVERSAL:
        return dict(run.result)
    _result, body = computed(run.case)
    return body

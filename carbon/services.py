"""What may be done with carbon data: load the bundled factors, do a stored calculation again."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from carbon import importer
from carbon.casing import computed
from carbon.factors import loading
from carbon.models import CalculationRun


def ensure_factors(*, now: datetime) -> int:
    """Load the bundled factors into a database that has none, and know which are in force; how many were loaded.

    One query where nothing changed.
    """
    if loading.refresh():
        return 0
    loaded = importer.import_bundled(now=now)
    loading.refresh()
    return loaded


def recompute(run: CalculationRun) -> dict[str, Any]:
    """The result of a stored run's inputs, calculated afresh; equal to `run.result` byte for byte.

    A reversal has no chain of its own: its result is the one it stores.
    """
    if run.reason == CalculationRun.Reason.REVERSAL:
        return dict(run.result)
    _result, body = computed(run.case)
    return body

"""All promises at once."""

from __future__ import annotations

from orderhub.events import invariants


def assert_all_hold() -> None:
    """No declared invariant is violated."""
    broken = {result.invariant.en: result.shown for result in invariants.run() if result.count}
    assert broken == {}

"""Cross-border checks, pure: dated rows of rules applied to one shipment on one date. No Django, no clock.

Nothing about any country is a constant here: limits, rates, numbers and dates stand in rows (`Row`), each with its
version and source; the code knows only what each *kind* of row means.
"""

from __future__ import annotations

from orderhub.orders.compliance.engine.checks import check
from orderhub.orders.compliance.engine.duties import Duty, DutyLine, duty, split_delta
from orderhub.orders.compliance.engine.language import (
    BLOCK,
    HOLD,
    KINDS,
    NOTE,
    PASS,
    Finding,
    Goods,
    Near,
    Row,
    RowError,
    Shipment,
    Verdict,
)
from orderhub.orders.compliance.engine.levies import LEVYING, Levy, Unknown, levies
from orderhub.orders.compliance.engine.rows import Rulebook, compile_rows, covers

__all__ = [
    "BLOCK", "HOLD", "KINDS", "LEVYING", "NOTE", "PASS", "Duty", "DutyLine", "Finding", "Goods", "Levy", "Near", "Row",
    "RowError", "Rulebook", "Shipment", "Unknown", "Verdict", "check", "compile_rows", "covers", "duty", "levies",
    "split_delta",
]  # fmt: skip

"""What the risk desk tells the log."""

from __future__ import annotations

from orderhub.events.kinds import declare

REVIEWED = declare(
    "risk.reviewed",
    zh="风险审核已处理",
    en="Risk review decided",
    fields=["action", "reason", "points", "final"],
)

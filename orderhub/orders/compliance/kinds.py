"""What people decide about cross-border findings, for the log."""

from __future__ import annotations

from orderhub.events.kinds import declare

REVIEWED = declare(
    "compliance.reviewed",
    zh="跨境检查已人工处理",
    en="Cross-border check reviewed",
    fields=["action", "reason"],
)

"""What the event center tells the log: milestones in the order's own stream, alerts each in one of its own."""

from __future__ import annotations

from orderhub.events.kinds import declare

TOLD = declare(
    "order.milestone_told",
    zh="收到里程碑",
    en="Milestone told",
    visibility="public",
    fields=[
        "milestone", "classifier", "place", "reason", "step", "eta_from", "eta_to", "parcel", "fulfillment", "identity",
        "corrects", "zone", "said_by",
    ],
)  # fmt: skip
_ALERT = ["alert", "order", "order_number", "rule", "severity", "milestone", "part", "since", "due"]
OPENED = declare("alert.opened", zh="需要人工关注", en="Somebody must look", fields=_ALERT)
ESCALATED = declare("alert.escalated", zh="关注事项已升级", en="Nobody looked: escalated", fields=_ALERT)
CLEARED = declare(
    "alert.cleared", zh="关注事项已解除", en="Nothing to look at any more", fields=[*_ALERT, "cause"]
)

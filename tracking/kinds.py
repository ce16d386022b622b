"""What happens on a tracking page itself: buyers ask, somebody answers; told in the order's own stream."""

from __future__ import annotations

from orderhub.events.kinds import declare

PREFERENCE_ASKED = declare(
    "order.preference_asked",
    zh="买家选择了配送偏好",
    en="Delivery preference asked for",
    fields=["request", "choice", "stage"],
)
RETURN_ASKED = declare(
    "order.return_asked",
    zh="买家申请退货",
    en="Return asked for",
    milestone="RETURN_REQUESTED",
    visibility="public",
    fields=["request", "choice", "stage"],
)
COMPLAINT_MADE = declare(
    "order.complaint_made",
    zh="买家投诉",
    en="Complaint made",
    fields=["request", "choice", "stage"],
)
REQUEST_ANSWERED = declare(
    "order.request_answered",
    zh="已答复买家的申请",
    en="Buyer's request answered",
    fields=["request", "request_kind", "state", "stage"],
)

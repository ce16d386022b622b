"""What the order page shows of the drawn flow the order walks."""

from __future__ import annotations

from django.http import HttpRequest
from django.urls import reverse

from orderhub.fulfillment.panels import Drawn, panel
from orderhub.inventory.admin_base import is_chinese
from orderhub.orders import admin_words
from orderhub.orders.flows import reading
from orderhub.orders.models import Order


@panel("flow", order=18)
def flow(order: Order, request: HttpRequest) -> Drawn | None:
    """Where the order stands and what each decision decided; nothing for orders on the built-in journey."""
    if order.flow_version_id is None:
        return None
    told = reading.trace(order, language="zh" if is_chinese() else "en")
    at = told["at"]
    if at is not None:
        at = {**at, "waits_words": admin_words.waiting(order)}
    link = (
        reverse("flows:draw", args=(told["flow"]["id"],))
        if request.user.has_perm("rules.change_flow")
        else ""
    )
    return Drawn("admin/panels/flow.html", {**told, "at": at, "link": link})

"""What the Today page says of warehouses that are about to run out of slots."""

from __future__ import annotations

from datetime import datetime

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from orderhub.fulfillment.panels import Concern, concern
from routing.board import reading, words

MOST = 5


@concern("warehouse_full", permission="inventory.view_warehouse")
def filling_up(request: HttpRequest, now: datetime) -> list[Concern]:
    """Warehouses whose slots will be gone before the cut-off, the soonest first."""
    merchant_id = getattr(request.user, "merchant_id", None)
    found = [house for house in reading.houses(merchant_id=merchant_id, now=now) if house.tone == "bad"]
    return [
        Concern(
            "warn",
            words.warning(house),
            words.warning_detail(house),
            _("cut-off %(time)s") % {"time": words.clock_of(house, house.cutoff_at)},
            f"{reverse('routing:board')}#w{house.warehouse.pk}",
            _("relieve"),
            3,
        )
        for house in found[:MOST]
    ]

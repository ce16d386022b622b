"""The demo's make-believe customers: now and then a new order, so that every page lives. Only `serve --demo` has them."""

from __future__ import annotations

import random
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from orderhub.access.models import Merchant
from orderhub.connectors.demo import PLACES
from orderhub.fulfillment import intake
from orderhub.inventory.models import Sku
from orderhub.kernel import canonical
from orderhub.kernel.errors import Refused

SECONDS = 30.0


def shop(*, now: datetime) -> int:
    """Place one order in the demo shop, if there is one; returns how many."""
    merchant = Merchant.objects.filter(code="demo").first()
    if merchant is None:
        return 0
    skus = Sku.objects.filter(merchant=merchant, code__startswith="DEMO-", is_active=True).order_by("code")
    try:
        body = _order(now, skus, random.Random(int(now.timestamp())))
        original: Any = canonical.plain(body)
        intake.place_one(body, original=original, merchant=merchant, actor="demo", now=now)
    except Refused:  # an operator switched the demo's channel or goods off
        return 0
    return 1


def _order(now: datetime, skus: QuerySet[Sku], chance: random.Random) -> dict[str, Any]:
    province, city, district, _share = chance.choices(PLACES, [place[3] for place in PLACES])[0]
    picked = chance.sample(list(skus), chance.choices((1, 2, 3), (60, 28, 12))[0])
    return {
        "external_id": f"LIVE-{now:%m%d-%H%M%S}", "channel": "web", "currency": "CNY", "paid": chance.random() < 0.96,
        "destination": {
            "country": "CN", "province": province, "city": city, "district": district, "postcode": "", "email": "",
            "address": f"示例路 {chance.randint(1, 199)} 号", "name": f"演示顾客{now:%H%M%S}", "phone": f"1000{now:%H%M%S}0",
        },
        "lines": [{"sku": sku.code, "quantity": chance.choice((1, 1, 1, 2)), "unit_price": sku.price} for sku in picked],
        "service": chance.choices(("standard", "express", "economy"), (75, 15, 10))[0],
        "green": chance.random() < 0.38, "note": "", "extra": {},
    }  # fmt: skip

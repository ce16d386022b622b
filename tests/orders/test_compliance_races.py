"""Yearly limits under concurrency, on PostgreSQL: orders at once never exceed a person's limit together."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db import connection

from orderhub.orders import services
from orderhub.orders.advance import advance
from orderhub.orders.compliance import rulebook
from orderhub.orders.compliance.models import ComplianceCheck, YearUsage
from orderhub.orders.models import Channel, Hold
from tests import make
from tests.orders.test_races import at_once

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _only_postgresql() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite lets one writer in at a time")


def test_twelve_orders_of_one_person_at_once_stay_within_26000_yuan() -> None:
    """Twelve orders of 4,893 CNY each: exactly five fit."""
    make.network(units=1000)
    rulebook.start(now=make.NOW)
    Channel.objects.update(ships_from="DE")
    told = {"id_number": "11010519491231002X", "id_name": "王芳", "payer_name": "王芳"}
    drafts = [make.draft(f"Y{n}", lines={"QUILT": 7}, extra=told) for n in range(12)]
    placed = services.place(drafts, merchant=make.merchant(), actor="api:test", now=make.NOW, source="api")
    ids = [x.order.pk for x in placed if x.order is not None]

    at_once([lambda pk=pk: advance([pk], now=make.NOW, actor="system") for pk in ids])  # type: ignore[misc]

    blocked = {
        x.pk for x in ComplianceCheck.objects.all() if any(f["code"] == "over_year" for f in x.findings)
    }
    assert len(blocked) == 7
    assert YearUsage.objects.get().amount == 5 * 489_300
    assert Decimal(YearUsage.objects.get().amount) / 100 <= 26_000
    held = set(Hold.objects.filter(reason="compliance", released_at=None).values_list("order_id", flat=True))
    assert blocked <= held

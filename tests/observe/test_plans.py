"""Every hot query finds its rows in big tables through an index."""

from __future__ import annotations

import pytest
from django.conf import settings

from bench import plans

pytestmark = [
    pytest.mark.services,
    pytest.mark.slow,
    pytest.mark.skipif(not settings.ON_POSTGRESQL, reason="plans are PostgreSQL's"),
]
#: Tables that grow with the hub's history.
BIG = {
    "events_delivery", "events_streamhead", "orders_order", "orders_orderline", "orders_person",
    "fulfillment_fulfillmentorder", "fulfillment_fulfillmentline", "fulfillment_parcel", "tracking_journey",
    "tracking_timelineentry", "carbon_ledgerentry", "carbon_calculationrun", "routing_decision", "inventory_movement",
    "connectors_inboxmessage",
}  # fmt: skip


@pytest.mark.django_db
def test_no_hot_query_reads_a_big_table_from_end_to_end() -> None:
    shop = plans.fill(600, walked=100)

    found = [plans.explained(name, run, only_if_needed=True) for name, run in plans.hot_queries(shop).items()]

    scans = {hot.name: sorted(name for name in hot.scans if name in BIG or "_p20" in name) for hot in found}
    assert {name: tables for name, tables in scans.items() if tables} == {}
    # The end of the log is one step into an index, however long the log is.
    (end,) = [hot for hot in found if hot.name == "projection: the end of the log"]
    assert "Sort Method" not in "".join(end.plans)
    assert len(found) >= 15
    assert all(hot.plans for hot in found)

"""200 clients order the same 50 units at once: 50 get them, 150 wait, nobody gets what is not there."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from orderhub.kernel import clock
from orderhub.orders import advance as journey
from orderhub.orders.models import Order
from tests import make
from tests.journeys import replay
from tests.journeys.invariants import assert_all_hold

pytestmark = pytest.mark.django_db(transaction=True)

CLIENTS, UNITS = 200, 50
#: PostgreSQL admits a hundred connections unless told otherwise.
AT_ONCE = 60


def test_200_clients_race_for_50_units(hub_clock: make.Clock, on_postgresql: bool) -> None:
    make.network(units=0)
    make.stock({"HGH": {"LAMP": UNITS}})
    drafts = [make.draft(f"R{number}") for number in range(CLIENTS)]

    def client(number: int) -> None:
        try:
            (order,) = make.place(drafts[number])
            try:
                journey.advance([order.pk], now=clock.now(), actor="system")
            except journey.Unfinished:
                return  # a lock was not to be had in time: its delivery takes it on
        finally:
            connection.close()

    with ThreadPoolExecutor(AT_ONCE if on_postgresql else 8) as pool:
        list(pool.map(client, range(CLIENTS)))
    make.run_until_idle()

    stages = Counter(Order.objects.values_list("stage", flat=True))
    assert stages == {"released": UNITS, "backordered": CLIENTS - UNITS}
    assert make.shelf("HGH", "LAMP") == (UNITS, UNITS)
    replay.assert_told(*Order.objects.all()[:20])
    assert_all_hold()

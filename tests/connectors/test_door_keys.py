"""The door on PostgreSQL: what a process keeps of it is never older than the rows, and one key is one message."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orderhub.connectors import doorkeys
from orderhub.connectors.models import InboxMessage
from tests.connectors import systems
from tests.make import Clock
from tests.orders.test_races import at_once

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _shop(hub_clock: Clock) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("needs PostgreSQL")
    systems.shop()


def test_a_door_that_was_used_costs_one_statement_until_somebody_changes_it() -> None:
    first = doorkeys.find("corner_shop")
    with CaptureQueriesContext(connection) as asked:
        again = doorkeys.find("corner_shop")

    assert first is not None
    assert again is first
    assert len(asked) == 1

    type(first).objects.filter(pk=first.pk).update(name="Renamed")
    renamed = doorkeys.find("corner_shop")
    assert renamed is not None
    assert renamed.name == "Renamed"

    type(first).objects.filter(pk=first.pk).update(is_active=False)
    assert doorkeys.find("corner_shop") is None


def test_thirty_pushes_of_one_message_at_the_same_moment_are_one_message() -> None:
    answers = at_once([lambda: systems.push(systems.order()).status_code] * 30)

    assert set(answers) == {200}
    assert InboxMessage.objects.count() == 1

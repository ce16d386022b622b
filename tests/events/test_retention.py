"""Deliveries that are done make room after a month; their sum does not change, and nothing open goes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from orderhub.events import invariants, relay, retention
from orderhub.events.models import Delivery, DeliveryTally, Event
from orderhub.kernel import clock

pytestmark = pytest.mark.django_db


@pytest.fixture
def a_month_ago(write: Any, job: Any) -> None:
    """Six deliveries of long ago: four done, one skipped, one that needs a person."""
    job(lambda rows: None)
    write("a", "b", "c", "d", "e", "f")
    relay.run_queue("low")
    first, second = Delivery.objects.order_by("pk")[:2]
    Delivery.objects.filter(pk=first.pk).update(state=Delivery.State.DEAD)
    Delivery.objects.filter(pk=second.pk).update(state=Delivery.State.SKIPPED)
    long_ago = clock.now() - retention.KEPT_FOR - timedelta(hours=1)
    Delivery.objects.update(created_at=long_ago, finished_at=long_ago)


def test_what_is_over_goes_and_is_counted(a_month_ago: None, write: Any) -> None:
    write("g")
    before = invariants.delivery_counts()

    assert retention.forget(now=clock.now()) == 5

    assert sorted(Delivery.objects.values_list("state", flat=True)) == ["dead", "ready"]
    assert invariants.delivery_counts() == before == {"dead": 1, "done": 4, "ready": 1, "skipped": 1}
    assert Event.objects.count() == 7
    assert retention.forget(now=clock.now()) == 0


def test_a_second_month_adds_up(a_month_ago: None, write: Any) -> None:
    retention.forget(now=clock.now())
    write("g")
    relay.run_queue("low")

    assert retention.forget(now=clock.now() + timedelta(days=31)) == 1

    assert DeliveryTally.objects.get(state="done").number == 5
    assert retention.forget(now=clock.now() + timedelta(days=31)) == 0


def test_what_is_young_stays(write: Any, job: Any) -> None:
    job(lambda rows: None)
    write("a")
    relay.run_queue("low")

    assert retention.forget(now=clock.now() + timedelta(days=29)) == 0

    assert Delivery.objects.count() == 1
    assert not DeliveryTally.objects.exists()

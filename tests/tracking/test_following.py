"""Open pages follow the log by themselves: at once, once, and whatever the projection does meanwhile."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from orderhub.events import log, relay
from orderhub.events.log import Fact
from orderhub.orders.models import Order
from tests import make
from tracking import following, live, rebuilding
from tracking.models import Journey, TimelineEntry

pytestmark = pytest.mark.django_db


@pytest.fixture
def order() -> Order:
    make.network()
    (order,) = make.place()
    make.run_until_idle()
    return order


def told(order: Order, milestone: str, minute: int) -> None:
    at = make.NOW + timedelta(minutes=minute)
    said = {"milestone": milestone, "identity": f"i{minute}", "classifier": "ACTUAL"}
    with transaction.atomic():
        log.record(
            [Fact(f"order:{order.pk}", "order.milestone_told", said, order.merchant_id, at)],
            now=at,
            actor="t",
        )


def test_a_page_is_brought_up_without_the_projection_and_told_once(order: Order) -> None:
    before = Journey.objects.get(order=order)
    told(order, "ARRIVED", 1)
    told(order, "DEPARTED", 2)

    found = following.catch_up([order.pk, 999_999])

    assert found == {order.pk: (before.revision + 1, before.seq + 2)}
    at_once = rebuilding.digest(order.pk)
    relay.run_queue("low")
    assert rebuilding.digest(order.pk) == at_once
    assert Journey.objects.get(order=order).revision == before.revision + 1
    assert TimelineEntry.objects.filter(journey__order=order, milestone="ARRIVED").count() == 1


def test_where_nothing_is_new_two_queries_tell(order: Order, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(2):
        following.catch_up([order.pk])


def test_a_page_that_is_not_there_yet_is_left_to_the_projection(order: Order) -> None:
    Journey.objects.filter(order=order).delete()

    assert following.catch_up([order.pk]) == {}
    assert not Journey.objects.filter(order=order).exists()


def test_whoever_records_says_so_after_the_commit_and_not_after_a_rollback(
    order: Order,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    settings.EMBEDDED = False
    said: list[Any] = []
    monkeypatch.setattr(live, "_say", lambda messages: said.extend(messages))
    with django_capture_on_commit_callbacks(execute=True):
        told(order, "ARRIVED", 1)
        assert said == []

    reached = Journey.objects.get(order=order).seq + 1
    assert said[0] == (order.pk, {"type": "logged", "seq": reached})
    said.clear()
    with django_capture_on_commit_callbacks(execute=True), transaction.atomic():
        told(order, "DEPARTED", 2)
        transaction.set_rollback(True)
    assert said == []

"""A day told in any order, five times and late ends as the day told once and in order; and again from the log alone."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.db import transaction

from orderhub.events.models import Event
from tests import make
from tests.tracking import shuffled
from tracking import rebuilding
from tracking.models import TimelineEntry

pytestmark = pytest.mark.django_db

ORDERS = 8


class _Undone(Exception):
    pass


def test_a_shuffled_day_ends_as_the_clean_one(hub_clock: make.Clock) -> None:
    day = shuffled.set_up(ORDERS, hub_clock)
    assert len({one.source for one in day.events}) == 8
    results = []
    for seed in (None, 1, 2):
        try:
            with transaction.atomic():
                shuffled.play(shuffled.clean(day) if seed is None else shuffled.shuffled(day, seed))
                results.append((shuffled.state(day), shuffled.pages(day, now=hub_clock.now())))
                raise _Undone
        except _Undone:
            pass

    (clean, pages), *others = results
    assert len(clean["entries"]) > 10 * ORDERS
    for state, found in others:
        for name, rows in clean.items():
            assert state[name] == rows, name
        assert found == pages


def test_the_log_alone_gives_the_same_bytes(hub_clock: make.Clock) -> None:
    day = shuffled.set_up(3, hub_clock)
    shuffled.play(shuffled.shuffled(day, 7))
    before = {order.pk: rebuilding.digest(order.pk) for order in day.orders}
    pages, events = shuffled.pages(day, now=hub_clock.now()), Event.objects.count()

    call_command("rebuild_timelines")

    assert {order.pk: rebuilding.digest(order.pk) for order in day.orders} == before
    assert shuffled.pages(day, now=hub_clock.now()) == pages
    assert Event.objects.count() == events


def test_a_row_that_is_not_what_the_log_says_is_told_and_mended(hub_clock: make.Clock) -> None:
    day = shuffled.set_up(1, hub_clock)
    shuffled.play(shuffled.clean(day))
    before = rebuilding.digest(day.orders[0].pk)
    TimelineEntry.objects.filter(milestone="PICKED_UP").update(place="Nowhere")

    with pytest.raises(SystemExit):
        call_command("rebuild_timelines", order=[day.orders[0].pk])

    assert rebuilding.digest(day.orders[0].pk) == before

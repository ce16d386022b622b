"""Notices: once by event and audience, gathered, never at night, never to whoever wants none."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core import mail
from django.test import Client

from orderhub.events import relay
from orderhub.events.models import Delivery
from orderhub.orders import sharing
from orderhub.orders.models import Order, Person
from tests import cast, make
from tracking.everywhere import owing, sending
from tracking.everywhere.models import Notice, NoticeRule, OptOut

pytestmark = pytest.mark.django_db


@pytest.fixture
def order(hub_clock: make.Clock, settings: Any) -> Order:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    make.network()
    (placed,) = make.place(make.draft(to=cast.LEI))
    Person.objects.update(email="lei@example.org")
    return make.fresh(placed)


def rule(order: Order, **fields: Any) -> NoticeRule:
    values = {
        "name": "mail",
        "milestones": ["ORDER_PLACED", "ORDER_PAID", "ALLOCATED", "PACKED", "SHIPPED"],
        "merge_minutes": 10,
    }
    return NoticeRule.objects.create(merchant=order.merchant, **{**values, **fields})


def test_what_happens_within_minutes_is_one_message_and_never_twice(
    order: Order, hub_clock: make.Clock
) -> None:
    one = rule(order)
    make.run_until_idle()
    assert mail.outbox == []
    owed = Delivery.objects.filter(subscriber=owing.NAME)
    assert owed.count() >= 2
    assert len(set(owed.values_list("not_before", flat=True))) == 1

    hub_clock.advance(minutes=11)
    make.run_until_idle()
    Delivery.objects.filter(subscriber=owing.NAME).update(
        state="ready", not_before=hub_clock.now() - timedelta(hours=1)
    )
    make.run_until_idle()

    (message,) = mail.outbox
    assert message.to == ["lei@example.org"]
    assert order.number in message.subject
    assert sharing.token(order) in message.body
    assert "lei" not in message.subject.lower()
    assert Notice.objects.filter(rule=one, state="sent").count() == owed.count()
    kept = Notice.objects.first()
    assert kept is not None
    assert sharing.token(order) not in kept.text
    assert kept.to == "l***@example.org"


def test_the_log_read_again_owes_nothing_new(order: Order, hub_clock: make.Clock) -> None:
    rule(order)
    make.run_until_idle()
    events = [row.event for row in Delivery.objects.filter(subscriber=owing.NAME).select_related("event")]
    before = Delivery.objects.count()

    with_transaction(events, hub_clock.now())

    assert Delivery.objects.count() == before


def with_transaction(events: Any, now: datetime) -> None:
    from django.db import transaction

    with transaction.atomic():
        owing.owe(events, now=now)


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-11-22T12:00", "2026-11-22T12:00"),
        ("2026-11-22T22:30", "2026-11-23T08:00"),
        ("2026-11-23T03:00", "2026-11-23T08:00"),
        ("2026-11-22T08:00", "2026-11-22T08:00"),
    ],
)
def test_nobody_is_written_to_at_night(order: Order, at: str, expected: str) -> None:
    quiet = rule(order, merge_minutes=0, quiet_from=time(22), quiet_until=time(8))
    zone = ZoneInfo("Asia/Shanghai")
    due = owing.due_at(quiet, now=datetime.fromisoformat(at).replace(tzinfo=zone).astimezone(UTC))
    assert due == datetime.fromisoformat(expected).replace(tzinfo=zone)


def test_whoever_wants_none_gets_none(order: Order, hub_clock: make.Clock) -> None:
    rule(order, merge_minutes=0)
    token = sharing.token(order)
    page = Client().get(f"/t/{token}/notices/")
    assert page.status_code == 200
    assert "lei@example.org" not in page.content.decode()
    assert Client().post(f"/t/{token}/notices/", {"List-Unsubscribe": "One-Click"}).status_code == 302
    assert "lei@example.org" not in str(OptOut.objects.values().get())

    make.run_until_idle()

    assert mail.outbox == []
    assert set(Notice.objects.values_list("state", "reason")) == {("skipped", "opted_out")}
    Client().post(f"/t/{token}/notices/", {"has_email": "1", "email": "on"})
    assert not sending.has_opted_out(order, "email")


def test_a_mail_server_that_is_away_is_tried_again(
    order: Order, hub_clock: make.Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule(order, merge_minutes=0, milestones=["ORDER_PLACED"])
    with monkeypatch.context() as broken:
        broken.setattr(sending.EmailMessage, "send", _away)
        make.run_until_idle()
    row = Delivery.objects.get(subscriber=owing.NAME)
    assert (row.state, "lei@" in row.last_error) == ("ready", False)
    assert not Notice.objects.exists()

    hub_clock.advance(hours=1)
    relay.run_queue("outbox")

    assert len(mail.outbox) == 1


def _away(*_about: object, **_more: object) -> None:
    raise ConnectionRefusedError("lei@example.org")

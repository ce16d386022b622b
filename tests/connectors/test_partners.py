"""A partner subscribes to what happens to orders: signed CloudEvents in order, personal data only where it was agreed."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook as Signature

from orderhub.connectors import mending, partners, secretbox, switching
from orderhub.connectors.models import Call, Connection
from orderhub.connectors.speech import shipped
from orderhub.events import relay
from orderhub.events.models import Delivery, Event
from orderhub.kernel import clock
from tests import cast, make
from tests.admin import desk
from tests.connectors import systems
from tests.make import Clock

pytestmark = pytest.mark.django_db
SECRET, OTHER = "whsec_" + "YWJj" * 8, "whsec_" + "ZGVm" * 8


class Partner:
    """The other side: what it got, and what it answers."""

    def __init__(self) -> None:
        self.got: list[httpx.Request] = []
        self.answers: list[Callable[[], httpx.Response]] = []

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.got.append(request)
        return self.answers.pop(0)() if self.answers else httpx.Response(204)

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(request.content) for request in self.got]


@pytest.fixture(autouse=True)
def partner(hub_clock: Clock, monkeypatch: Any) -> Partner:
    make.network()
    return systems.stand_in(monkeypatch, Partner())  # type: ignore[arg-type,return-value]


def _subscribe(**config: Any) -> Connection:
    document = dict(shipped.load("standard_webhooks").document)
    row = systems.connect(document, config={"url": "https://partner.example/hook", **config})
    secretbox.put(row, "secret", SECRET, now=clock.now())
    row.sealed_secrets = {"secret": row.sealed_secrets["secret"][:1]}
    row.save()
    return row


def _is_signed(request: httpx.Request, secret: str) -> bool:
    """By the vendor's own library; the time of the test is not the machine's."""
    headers, at = request.headers, datetime.fromtimestamp(int(request.headers["webhook-timestamp"]), UTC)
    wanted = Signature(secret).sign(headers["webhook-id"], at, request.content.decode())
    return wanted in headers["webhook-signature"].split()


def _fail(status: int, **headers: str) -> Callable[[], httpx.Response]:
    return lambda: httpx.Response(
        status, headers={name.replace("_", "-"): value for name, value in headers.items()}
    )


def test_what_happens_to_an_order_is_told_in_order_signed_and_without_a_person(partner: Partner) -> None:
    row = _subscribe()
    (order,) = make.place(make.draft("A1"))
    make.run_until_idle()

    kinds = [event["type"] for event in partner.events]
    assert kinds[0] == "com.orderhub.order.placed.v1"
    assert "com.orderhub.fulfillment.released.v1" in kinds
    first = partner.events[0]
    assert (first["specversion"], first["subject"], first["sequence"]) == ("1.0", order.number, "1")
    assert first["source"] == f"/orderhub/{row.merchant.code}"
    assert first["data"]["order_number"] == order.number
    assert [int(event["sequence"]) for event in partner.events] == sorted(
        int(e["sequence"]) for e in partner.events
    )
    text = b"".join(request.content for request in partner.got).decode()
    for secret in (order.person.name, order.person.phone, order.person.address):
        assert secret not in text
    request = partner.got[0]
    assert _is_signed(request, SECRET)
    assert request.headers["webhook-id"] == first["id"]


def test_only_the_chosen_kinds_and_personal_data_only_by_scope(partner: Partner) -> None:
    _subscribe(kinds=["order.cancelled", "order.placed"], personal=True)
    (order,) = make.place(make.draft("A1"))
    make.run_until_idle()

    assert [event["data"]["kind"] for event in partner.events] == ["order.placed"]
    assert partner.events[0]["data"]["receiver"]["phone"] == order.person.phone


def test_nobody_is_told_what_was_before_and_nobody_twice(partner: Partner, hub_clock: Clock) -> None:
    make.place(make.draft("A1"))
    make.run_until_idle()
    hub_clock.advance(seconds=5)
    row = _subscribe(kinds=["order.placed"])
    row.config = {**row.config, "since": clock.now().isoformat()}
    row.save()
    make.place(make.draft("A2"))
    make.run_until_idle()

    partners.owe(list(Event.objects.order_by("pk")), now=clock.now())
    make.run_until_idle()

    told = [request.headers["webhook-id"] for request in partner.got]
    assert len(told) == len(set(told))
    assert {event["data"]["external_id"] for event in partner.events} == {"A2"}


def test_another_merchants_orders_are_not_told(partner: Partner) -> None:
    row = _subscribe()
    other = make.merchant(cast.BOB)
    make.network(other)
    make.place(make.draft("B1", owner=other), owner=other)
    make.run_until_idle()

    assert partner.got == []
    assert row.merchant_id != other.pk


def test_while_a_secret_is_replaced_both_sign(partner: Partner) -> None:
    row = _subscribe()
    secretbox.put(row, "secret", OTHER, now=clock.now())
    row.save()
    make.place(make.draft("A1"))
    make.run_until_idle()

    request = partner.got[0]
    assert len(request.headers["webhook-signature"].split()) == 2
    assert _is_signed(request, SECRET)
    assert _is_signed(request, OTHER)


def test_a_failure_is_tried_again_by_the_table_and_is_fresh_each_time(
    partner: Partner, hub_clock: Clock
) -> None:
    _subscribe(kinds=["order.placed"])
    partner.answers = [_fail(500), _fail(404)]
    make.place(make.draft("A1"))
    make.run_until_idle()
    waits = []
    for _try in range(2):
        row = Delivery.objects.get(subscriber=partners.NAME)
        waits.append((row.not_before - clock.now()).total_seconds())
        hub_clock.advance(seconds=waits[-1] + 1)
        make.run_until_idle()

    assert 4.5 <= waits[0] <= 5.5
    assert 270 <= waits[1] <= 330
    stamps = [int(request.headers["webhook-timestamp"]) for request in partner.got]
    assert len(set(stamps)) == 3
    assert len({request.headers["webhook-id"] for request in partner.got}) == 1
    assert Delivery.objects.get(subscriber=partners.NAME).state == "done"


def test_who_asks_to_wait_is_left_alone_so_long(partner: Partner, hub_clock: Clock) -> None:
    _subscribe(kinds=["order.placed"])
    partner.answers = [_fail(429, retry_after="600")]
    make.place(make.draft("A1"))
    make.run_until_idle()
    make.place(make.draft("A2"))
    hub_clock.advance(seconds=500)
    make.run_until_idle()
    assert len(partner.got) == 1

    hub_clock.advance(seconds=200)
    make.run_until_idle()

    assert [event["data"]["external_id"] for event in partner.events] == ["A1", "A2", "A1"] or [
        event["data"]["external_id"] for event in partner.events
    ] == ["A1", "A1", "A2"]


def test_who_is_gone_is_sent_nothing_more_until_a_person_switches_it_on(
    partner: Partner, hub_clock: Clock
) -> None:
    row = _subscribe(kinds=["order.placed"])
    partner.answers = [_fail(410)]
    make.place(make.draft("A1"))
    make.run_until_idle()
    row.refresh_from_db()
    assert not row.is_active
    assert Event.objects.filter(kind="connection.gone").count() == 1
    assert Call.objects.get(connection=row).state == Call.State.REFUSED

    make.place(make.draft("A2"))
    hub_clock.advance(seconds=4000)
    make.run_until_idle()
    assert len(partner.got) == 1

    Connection.objects.filter(pk=row.pk).update(is_active=True)
    switching.resume(row)
    mending.send_again(Call.objects.get(connection=row), actor="li")
    make.run_until_idle()
    assert [event["data"]["external_id"] for event in partner.events] == ["A1", "A1"]


def test_what_a_partner_never_took_is_for_a_person_and_holds_nothing_up(
    partner: Partner, hub_clock: Clock
) -> None:
    _subscribe(kinds=["order.placed", "order.cancelled"])
    partner.answers = [_fail(500) for _try in range(len(partners.DELAYS) + 1)]
    (order,) = make.place(make.draft("A1"))
    make.run_until_idle()
    for _try in range(len(partners.DELAYS)):
        row = Delivery.objects.get(subscriber=partners.NAME)
        hub_clock.moment = max(hub_clock.now(), row.not_before) + timedelta(seconds=70)
        make.run_until_idle()
    assert Delivery.objects.get(subscriber=partners.NAME).state == "dead"

    call = Call.objects.get()
    said = mending.message(call)
    mending.correct(
        call, {**said, "data": {"order_number": order.number, "note": "again"}}, actor="li", now=clock.now()
    )
    make.run_until_idle()

    assert partner.events[-1]["data"] == {"order_number": order.number, "note": "again"}
    assert Delivery.objects.get(subscriber=partners.NAME).state == "done"


def test_a_dead_message_can_be_let_be_with_a_note(partner: Partner) -> None:
    row = _subscribe(kinds=["order.placed"])
    partner.answers = [_fail(410)]
    make.place(make.draft("A1"))
    make.run_until_idle()

    mending.skip(Call.objects.get(connection=row), note="they left", actor="li")

    assert Delivery.objects.get(subscriber=partners.NAME).state == "skipped"
    assert relay.due_queues(["outbox"]) == set()


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_a_partner_is_subscribed_by_a_form_tried_with_a_ping_and_told(
    partner: Partner, language: str
) -> None:
    client = desk.boss(language)
    profile = systems.profile(dict(shipped.load("standard_webhooks").document))
    page = client.get(f"/admin/connectors/connection/connect/{profile.pk}/").content.decode()
    assert ("收到订单 (order.placed)" if language == "zh-hans" else "Order received (order.placed)") in page
    assert 'name="channel"' not in page

    form = {
        "name": "CRM", "code": "crm", "merchant": make.merchant().pk, "ask_url": "https://partner.example/hook",
        "ask_secret": SECRET, "ask_source": "/orderhub", "kinds": ["order.placed"],
    }  # fmt: skip
    client.post(f"/admin/connectors/connection/connect/{profile.pk}/", form)
    row = Connection.objects.get(code="crm")
    assert (row.config["kinds"], row.config["personal"], row.channel) == (["order.placed"], False, None)
    client.post(f"/admin/connectors/connection/{row.pk}/do/test/")
    assert [event["type"] for event in partner.events] == ["com.orderhub.ping.v1"]
    assert _is_signed(partner.got[0], SECRET)
    client.post(f"/admin/connectors/connection/{row.pk}/do/switch/", {"on": "1"})
    make.place(make.draft("A1"))
    make.run_until_idle()

    assert [event["type"] for event in partner.events[1:]] == ["com.orderhub.order.placed.v1"]
    assert client.get(f"/admin/connectors/connection/{row.pk}/change/").status_code == 200

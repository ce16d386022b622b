"""What waits for what at another system: a carrier's dead subscription holds up no interception, a cancel its release."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from django.db import transaction
from django.db.models import F

from orderhub.connectors import shelf, speaking, switching, wishes
from orderhub.connectors.models import Call, Connection, Published
from orderhub.connectors.speech import shipped
from orderhub.connectors.speech.flaws import Faulty
from orderhub.connectors.speech.profile import Profile as Spec
from orderhub.events import breaker, log, relay
from orderhub.events.models import Delivery, Event
from orderhub.inventory.models import Sku
from orderhub.kernel import clock
from orderhub.orders.models import Order, OrderLine
from tests import make
from tests.connectors import systems
from tests.make import Clock

pytestmark = pytest.mark.django_db
State = Call.State


class There:
    """The other side: what it was asked, by the last part of the path, and what it answers by it."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.bodies: list[dict[str, Any]] = []
        self.answers: dict[str, Callable[[], httpx.Response]] = {}

    def handle(self, request: httpx.Request) -> httpx.Response:
        name = request.url.path.rsplit("/", 1)[-1]
        self.asked.append(name)
        self.bodies.append(json.loads(request.content) if request.content else {})
        answer = self.answers.get(name)
        return answer() if answer else httpx.Response(200, json={"ok": True})


@pytest.fixture(autouse=True)
def there(hub_clock: Clock, monkeypatch: Any) -> There:
    make.network()
    Connection.objects.update(is_active=False)
    return systems.stand_in(monkeypatch, There())  # type: ignore[arg-type,return-value]


def _document(code: str) -> dict[str, Any]:
    return shelf.with_samples(copy.deepcopy(dict(shipped.load(code).document)), shipped.FOLDER / code)


def _connect(code: str, **config: Any) -> Connection:
    document = _document(code)
    fields = {"channel": make.channel(code)} if document["role"] == "channel" else {}
    return systems.connect(document, config={"base_url": "https://there.example", **config}, **fields)


def _happens(order: Order, kind: str, **payload: object) -> Event:
    with transaction.atomic():
        (event,) = log.record(
            [log.Fact(order.stream, kind, payload, order.merchant_id)], now=clock.now(), actor="test"
        )
    return event


def _shipped(order: Order, parcel: int) -> Event:
    return _happens(
        order, "fulfillment.shipped", fulfillment="F", warehouse="HZ", parcel=parcel, carrier="SF", tracking_number=f"SF{parcel}",
        lines=[],
    )  # fmt: skip


def _turned(order: Order, parcel: int) -> Event:
    return _happens(
        order, "parcel.intercept_requested", fulfillment="F", parcel=parcel, carrier="SF", tracking_number=f"SF{parcel}",
    )  # fmt: skip


@pytest.mark.parametrize("broken", ["refused", "resting"])
def test_an_interception_overtakes_a_subscription_that_is_dead_or_rests(there: There, broken: str) -> None:
    _connect("generic_carrier")
    there.answers["subscriptions"] = lambda: (
        httpx.Response(200, json={"ok": False, "message": "unknown"})
        if broken == "refused"
        else httpx.Response(500)
    )
    (order,) = make.place(make.draft("A1"))
    _shipped(order, 1)
    relay.run_queue("outbox")
    breaker.resume("connectors.push", str(Connection.objects.get(code="generic_carrier").pk))
    _turned(order, 1)
    relay.run_queue("outbox")

    assert Call.objects.get(operation="intercept").state == State.ACKED
    assert Call.objects.get(operation="subscribe").state in (State.REFUSED, State.FAILED)


def test_the_subscription_of_another_parcel_goes_on_too(there: There) -> None:
    _connect("generic_carrier")
    answers = iter([httpx.Response(200, json={"ok": False})])
    there.answers["subscriptions"] = lambda: next(answers, httpx.Response(200, json={"ok": True}))
    (order,) = make.place(make.draft("A1"))
    _shipped(order, 1)
    relay.run_queue("outbox")
    _shipped(order, 2)
    relay.run_queue("outbox")

    assert list(Call.objects.order_by("pk").values_list("state", flat=True)) == [State.REFUSED, State.ACKED]


def test_two_interceptions_of_a_parcel_stay_in_order(there: There) -> None:
    _connect("generic_carrier")
    there.answers["intercepts"] = lambda: httpx.Response(500)
    (order,) = make.place(make.draft("A1"))
    _turned(order, 1)
    relay.run_queue("outbox")
    _turned(order, 1)
    relay.run_queue("outbox")

    assert there.asked == ["intercepts"]


def test_a_cancel_waits_for_its_release_and_the_erps_cancel_for_its_order_only(there: There) -> None:
    manners = {code: _manners(code) for code in ("qimen", "kingdee", "sf", "douyin")}

    assert manners["qimen"]["cancel"] == wishes.Manner(None, True)
    assert manners["kingdee"]["erp_cancel"].after == ("erp_order",)
    assert manners["kingdee"]["erp_change"].after is None
    assert manners["sf"]["intercept"] == wishes.Manner((), True)
    assert manners["douyin"]["address_confirm"] == wishes.Manner((), True)


def _manners(code: str) -> Any:
    row = systems.profile(_document(code))
    assert row.in_force is not None
    return wishes.operations_of(row.in_force.digest)


def test_a_change_that_the_erp_refused_does_not_keep_a_cancellation_from_it(there: There) -> None:
    erp = _connect("generic_erp")
    there.answers["orders"] = lambda: httpx.Response(200, json={"ok": True})
    (order,) = make.place(make.draft("A1"))
    _happens(order, "fulfillment.released", fulfillment="F", warehouse="HZ")
    change = _happens(order, "order.address_changed", requested_by="operator")
    cancel = _happens(order, "order.cancelled", reason="customer")
    rows = Delivery.objects.filter(subscriber="connectors.push", destination=str(erp.pk))
    assert list(rows.order_by("pk").values_list("topic", "waits_for")) == [
        ("erp_order", ""), ("erp_change", ""), ("erp_cancel", ",erp_cancel,erp_order,"),
    ]  # fmt: skip
    rows.filter(event=change).update(state="dead")
    for _round in range(3):
        relay.run_queue("outbox")

    assert rows.get(event=cancel).state == "done"
    assert [call.operation for call in Call.objects.order_by("pk")] == ["erp_order", "erp_cancel"]


@pytest.mark.parametrize("kind", ["order.cancelled", "order.address_changed"])
def test_an_erp_that_never_heard_of_an_order_is_not_told_that_it_changed(there: There, kind: str) -> None:
    erp = _connect("generic_erp")
    (order,) = make.place(make.draft("A1"))
    _happens(order, kind, requested_by="operator", reason="customer")
    relay.run_queue("outbox")
    assert (there.asked, Call.objects.count()) == ([], 0)

    _happens(order, "fulfillment.released", fulfillment="F", warehouse="HZ")
    relay.run_queue("outbox")

    assert [call.operation for call in Call.objects.all()] == ["erp_order"]
    assert set(Delivery.objects.filter(destination=str(erp.pk)).values_list("state", flat=True)) == {"done"}


def test_an_erp_that_was_away_hears_what_was_sold_and_then_of_the_cancellation(there: There) -> None:
    _connect("generic_erp")
    (order,) = make.place(make.draft("A1"))
    _happens(order, "fulfillment.released", fulfillment="F", warehouse="HZ")
    OrderLine.objects.update(open=0, cancelled=F("ordered"))
    _happens(order, "order.cancelled", reason="customer")
    for _round in range(3):
        relay.run_queue("outbox")

    assert there.asked == ["orders", "cancellation"]
    (line,) = there.bodies[0]["lines"]
    assert int(line["qty"]) == OrderLine.objects.get().ordered


def test_what_comes_after_must_be_an_operation_of_the_profile() -> None:
    document = _document("generic_carrier")
    document["operations"]["intercept"]["after"] = ["sing"]

    with pytest.raises(Faulty) as caught:
        Spec.parse(document)

    assert [flaw.path for flaw in caught.value.flaws] == ["operations.intercept.after[0]"]


def test_a_batch_to_a_dead_system_is_not_tried_to_its_end(there: There) -> None:
    connection = _connect("generic_carrier")
    there.answers["subscriptions"] = lambda: httpx.Response(503)
    for number in range(30):
        (order,) = make.place(make.draft(f"A{number}"))
        _shipped(order, number + 1)
    relay.run_queue("outbox")

    assert len(there.asked) <= breaker.OUTAGE_FAILURES + speaking.SIDE_BY_SIDE
    rows = Delivery.objects.filter(destination=str(connection.pk))
    assert sum(rows.values_list("attempts", flat=True)) == len(there.asked)
    untried = Call.objects.filter(attempts=0)
    assert set(untried.values_list("state", flat=True)) == {State.WAITING}
    assert untried.count() == 30 - len(there.asked)


def test_a_system_that_says_when_to_come_back_is_left_alone_until_then(
    there: There, hub_clock: Clock
) -> None:
    _connect("generic_carrier")
    there.answers["subscriptions"] = lambda: httpx.Response(429, headers={"Retry-After": "300"})
    (order,) = make.place(make.draft("A1"))
    _shipped(order, 1)
    relay.run_queue("outbox")
    there.answers.clear()
    hub_clock.advance(seconds=290)
    _turned(order, 1)
    relay.run_queue("outbox")
    assert there.asked == ["subscriptions"]

    hub_clock.advance(seconds=15)
    relay.run_queue("outbox")

    assert sorted(there.asked[1:]) == ["intercepts", "subscriptions"]


def test_what_is_owed_to_a_switched_off_connection_waits_and_burns_nothing(
    there: There, hub_clock: Clock
) -> None:
    connection = _connect("generic_carrier")
    (order,) = make.place(make.draft("A1"))
    _shipped(order, 1)
    Connection.objects.filter(pk=connection.pk).update(is_active=False)
    relay.run_queue("outbox")
    assert (there.asked, Delivery.objects.get(destination=str(connection.pk)).attempts) == ([], 0)

    Connection.objects.filter(pk=connection.pk).update(is_active=True)
    switching.resume(connection)
    relay.run_queue("outbox")

    assert there.asked == ["subscriptions"]


def test_a_channel_is_told_the_last_quantities_only(there: There) -> None:
    connection = _connect("generic_channel")
    channel = connection.channel
    assert channel is not None
    stream = f"offers:{channel.pk}"
    for version, quantity in ((1, 9), (2, 7), (3, 5)):
        items = [{"sku": "LAMP", "qty": quantity, "version": version}]
        items += [{"sku": "CUP", "qty": 4, "version": 1}] if version == 1 else []
        with transaction.atomic():
            payload = {"channel": channel.code, "items": items}
            log.record(
                [log.Fact(stream, "stock.published", payload, channel.merchant_id)],
                now=clock.now(),
                actor="system",
            )
    for code, version in (("LAMP", 3), ("CUP", 1)):
        Published.objects.create(
            merchant=channel.merchant, channel=channel, sku=Sku.objects.get(code=code), quantity=5, version=version,
            first_at=clock.now(), sent_at=clock.now(), computed_at=clock.now(),
        )  # fmt: skip
    for _round in range(4):
        relay.run_queue("outbox")

    assert [[(item["sku"], item["qty"]) for item in body["items"]] for body in there.bodies] == [
        [("CUP", 4)], [("LAMP", 5)],
    ]  # fmt: skip
    assert set(Delivery.objects.filter(destination=str(connection.pk)).values_list("state", flat=True)) == {
        "done"
    }

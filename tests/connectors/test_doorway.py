"""What other systems push: verified, kept once, read by the profile in force, applied in order, set apart when wrong."""

from __future__ import annotations

import json

import pytest

from orderhub.access.models import Merchant
from orderhub.connectors import envelopes, inbox, secretbox, shelf
from orderhub.connectors.models import Alias, InboxMessage, Traffic
from orderhub.fulfillment.models import FulfillmentOrder
from orderhub.kernel import clock
from orderhub.orders.models import AddressChange, Order
from orderhub.orders.models.order import Stage
from tests import make
from tests.connectors import systems
from tests.make import Clock

pytestmark = pytest.mark.django_db
State = InboxMessage.State


@pytest.fixture(autouse=True)
def _network(hub_clock: Clock) -> None:
    make.network()


def _only() -> InboxMessage:
    return InboxMessage.objects.get()


def test_a_signed_push_becomes_an_order_and_the_shop_hears_its_own_word() -> None:
    systems.shop()

    answer = systems.push(systems.order())
    make.run_until_idle()

    assert (answer.status_code, answer.content) == (200, b"got it")
    order = Order.objects.get()
    assert (order.external_id, order.currency, order.channel.code) == ("1001", "CNY", "corner_shop")
    assert (order.payment, str(order.goods_total), order.person.name) == ("paid", "18.00", "王芳")
    assert _only().state == State.APPLIED
    assert _only().reference == "1001"


@pytest.mark.parametrize("secret", ["", "another secret"])
def test_a_forged_push_is_refused_in_the_shops_form_and_only_counted(secret: str) -> None:
    systems.shop()

    answer = systems.push(systems.order(), secret=secret)

    assert (answer.status_code, answer.content) == (401, b"who are you")
    assert not InboxMessage.objects.exists()
    assert Traffic.objects.get().forged == 1


def test_a_changed_byte_of_the_body_is_a_forgery() -> None:
    systems.shop()
    good = systems.push(systems.order(note="a"), key="1")

    forged = systems.Client().post(
        "/in/corner_shop/", data=json.dumps(systems.order(note="b")), content_type="application/json",
        headers={"X-Shop-Signature": good.wsgi_request.headers["X-Shop-Signature"], "X-Shop-Id": "2"},
    )  # fmt: skip

    assert forged.status_code == 401
    assert InboxMessage.objects.count() == 1


def test_a_door_that_is_not_there_tells_nothing() -> None:
    systems.shop()

    assert systems.push(systems.order(), door="another").status_code == 404


def test_a_switched_off_connection_takes_nothing() -> None:
    shop = systems.shop()
    shop.is_active = False
    shop.save()

    assert systems.push(systems.order()).status_code == 404


def test_what_a_person_changes_at_the_door_counts_from_the_next_push() -> None:
    shop = systems.shop()
    assert systems.push(systems.order(), key="1").status_code == 200

    secretbox.put(shop, "secret", "a newer one", now=clock.now())
    secretbox.drop_before(shop, "secret")
    shop.save()
    old, new = (
        systems.push(systems.order(), key="2"),
        systems.push(systems.order(), key="3", secret="a newer one"),
    )
    Merchant.objects.update(is_active=False)
    closed = systems.push(systems.order(), key="4", secret="a newer one")

    assert (old.status_code, new.status_code, closed.status_code) == (401, 200, 404)


def test_the_same_push_again_gets_the_same_answer_and_changes_nothing() -> None:
    systems.shop()

    answers = {systems.push(systems.order()).content for _time in range(5)}
    make.run_until_idle()

    assert answers == {b"got it"}
    assert (InboxMessage.objects.count(), Order.objects.count()) == (1, 1)
    assert Traffic.objects.get().repeated == 4


def test_what_came_is_kept_to_the_byte_and_not_readable_in_the_table() -> None:
    systems.shop()
    raw = json.dumps(systems.order(), ensure_ascii=False, indent=3).encode()

    systems.push(raw)

    row = _only()
    assert envelopes.unseal(row.raw) == raw
    assert b"1380" not in bytes(row.raw)
    assert "x-shop-signature" not in row.envelope["headers"]
    assert row.envelope["headers"]["x-shop-topic"] == "order"


def test_an_older_version_is_ignored_whatever_the_order_of_arrival() -> None:
    systems.shop()
    systems.push(systems.order(rev=3, state="paid"), key="3")
    systems.push(systems.order(rev=2, state="gone"), key="2")
    make.run_until_idle()

    assert Order.objects.get().stage == Stage.RELEASED
    assert [row.state for row in InboxMessage.objects.order_by("id")] == [State.APPLIED, State.IGNORED]


def test_the_same_version_with_other_content_is_for_a_person() -> None:
    systems.shop()
    systems.push(systems.order(rev=3), key="a")
    systems.push(systems.order(rev=3, state="gone"), key="b")
    make.run_until_idle()

    apart = InboxMessage.objects.get(key="b")
    assert (apart.state, apart.faults[0]["code"]) == (State.QUARANTINED, "version_conflict")


def test_two_versions_in_one_batch_end_as_the_newer_one_says() -> None:
    systems.shop()
    systems.push(systems.order(rev=1, state="new"), key="a")
    systems.push(systems.order(rev=2, state="paid"), key="b")
    make.run_until_idle()

    assert Order.objects.get().payment == "paid"


def test_a_cancellation_cancels_the_order() -> None:
    systems.shop()
    systems.push(systems.order(rev=1), key="a")
    systems.push(systems.order(rev=2, state="gone"), key="b")
    inbox.drain(_connection_pk(), now=clock.now())

    assert Order.objects.get().stage == Stage.CANCELLED


def test_a_changed_address_becomes_an_address_change_of_the_channel() -> None:
    systems.shop()
    systems.push(systems.order(rev=1), key="a")
    make.run_until_idle()
    there = {**systems.order()["to"], "address": "体育场路 1 号"}
    systems.push(systems.order(rev=2, to=there), key="b")
    make.run_until_idle()

    change = AddressChange.objects.get()
    assert change.requested_by == "channel"
    assert change.new_person.address == "体育场路 1 号"


def test_a_new_version_without_news_of_the_address_leaves_what_staff_changed() -> None:
    systems.shop()
    systems.push(systems.order(rev=1, state="new"), key="a")
    make.run_until_idle()
    Order.objects.update(city="宁波市")
    systems.push(systems.order(rev=2, state="paid"), key="b")
    make.run_until_idle()

    assert Order.objects.get().city == "宁波市"
    assert not AddressChange.objects.exists()


def test_an_unknown_article_is_set_apart_and_goes_through_once_it_has_a_name() -> None:
    shop = systems.shop()
    goods = [{"id": 1, "code": "OLD-CUP", "n": 1, "fen": 900}]
    systems.push(systems.order(goods=goods))
    make.run_until_idle()
    apart = _only()
    assert (apart.state, apart.faults) == (
        State.QUARANTINED, [{"field": "lines[0].sku", "code": "unknown_sku", "value": "OLD-CUP"}],
    )  # fmt: skip

    Alias.objects.create(connection=shop, sort="sku", theirs="OLD-CUP", ours="CUP")
    assert inbox.replay([apart.pk], now=clock.now()) == 1

    assert Order.objects.get().lines.get().sku.code == "CUP"
    assert _only().state == State.APPLIED


def test_a_person_corrects_one_message_and_the_bytes_stay_as_they_came() -> None:
    systems.shop()
    systems.push(systems.order(goods=[{"id": 1, "code": "CUP", "n": 1, "fen": "nine"}]))
    make.run_until_idle()
    apart = _only()
    assert apart.faults[0]["field"] == "lines[0].price"
    before = bytes(apart.raw)

    inbox.correct(apart, json.dumps(systems.order()), actor="li", now=clock.now())

    row = _only()
    assert (row.state, row.edited_by, bytes(row.raw)) == (State.APPLIED, "li", before)
    assert Order.objects.get().external_id == "1001"


def test_all_faults_of_a_message_are_told_at_once() -> None:
    systems.shop()
    systems.push(systems.order(state="strange", goods=[{"id": 1, "code": "CUP", "n": "x", "fen": "y"}]))
    make.run_until_idle()

    assert {fault["field"] for fault in _only().faults} == {"status", "lines[0].qty", "lines[0].price"}


@pytest.mark.parametrize(
    "body", [b"{", b"\xd6\xd0\xce\xc4", b"[" * 5000, b"null", b'{"id": 1}', b"<x/>"], ids=range(6)
)
def test_hostile_bodies_are_taken_and_set_apart(body: bytes) -> None:
    systems.shop()

    assert systems.push(body).status_code == 200
    make.run_until_idle()

    assert _only().state == State.QUARANTINED
    assert _only().faults
    assert not Order.objects.exists()


def test_one_bad_order_of_a_batch_keeps_no_other() -> None:
    systems.shop(systems.MARKET)
    batch = {"orders": [
        {**systems.order(), "id": 1, "msg": "m1"}, {**systems.order(state="strange"), "id": 2, "msg": "m2"},
        {**systems.order(), "id": 3, "msg": "m3"},
    ]}  # fmt: skip
    systems.push(batch, door="market")
    make.run_until_idle()

    assert set(Order.objects.values_list("external_id", flat=True)) == {"1", "3"}
    assert list(InboxMessage.objects.filter(state=State.QUARANTINED).values_list("key", flat=True)) == ["m2"]


def test_a_message_that_comes_again_in_another_batch_is_applied_once() -> None:
    systems.shop(systems.MARKET)
    first, second = ({**systems.order(), "id": n, "msg": f"m{n}"} for n in (1, 2))
    systems.push({"orders": [first]}, door="market")
    systems.push({"orders": [second, first]}, door="market")
    make.run_until_idle()

    assert Order.objects.count() == 2
    assert InboxMessage.objects.filter(key="m1").count() == 1


def test_a_message_that_is_not_for_us_is_kept_as_ignored() -> None:
    systems.shop()
    systems.push({"hello": 1}, topic="ping")
    make.run_until_idle()

    assert _only().state == State.IGNORED


def test_a_map_that_was_mended_reads_what_was_set_apart() -> None:
    shop = systems.shop()
    systems.push(systems.order(state="verified"))
    make.run_until_idle()
    assert _only().state == State.QUARANTINED

    document = {
        **systems.SHOP,
        "tables": {"states": {**systems.SHOP["tables"]["states"], "verified": "paid"}},
    }
    assert shop.profile is not None
    shelf.put_in_force(shop.profile, document, note="verified", actor="li", now=clock.now())
    inbox.replay([_only().pk], now=clock.now())

    row = _only()
    assert row.state == State.APPLIED
    assert row.version is not None
    assert row.version.number == 2


def test_a_map_whose_test_fails_does_not_come_into_force() -> None:
    shop = systems.shop()
    document = json.loads(json.dumps(systems.SHOP))
    document["maps"]["order"]["fields"][0]["from"] = "rev"
    assert shop.profile is not None

    with pytest.raises(shelf.Refused) as caught:
        shelf.put_in_force(shop.profile, document, note="", actor="li", now=clock.now())

    assert (caught.value.code, caught.value.facts) == ("tests_failed", {"tests": ["order"]})
    assert shop.profile.versions.count() == 1


def test_names_and_telephones_stay_out_of_the_events() -> None:
    systems.shop()
    systems.push(systems.order())
    make.run_until_idle()

    assert FulfillmentOrder.objects.exists()
    told = json.dumps(list(make.Event.objects.values_list("payload", flat=True)), default=str)
    assert "13800000001" not in told
    assert "王芳" not in told


def _connection_pk() -> int:
    return InboxMessage.objects.values_list("connection_id", flat=True)[0]

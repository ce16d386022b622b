"""The daily comparison: what differs is found on the right evidence, asked for where it can be, and left to a person else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from orderhub.connectors.models import Call, Connection, Difference, Reconciliation
from orderhub.connectors.reconciling import deeds, running
from orderhub.fulfillment.models import FulfillmentOrder
from orderhub.inventory.models import Stock
from orderhub.kernel import clock
from orderhub.kernel.errors import Refused
from orderhub.orders.models import Order
from tests.admin import desk
from tests.day.life import Day
from tests.day.town import Town, town

pytestmark = pytest.mark.django_db(transaction=True)
HOME = {
    "province": "浙江省",
    "city": "杭州市",
    "district": "滨江区",
    "address": "江南大道 1 号",
    "name": "王芳",
    "phone": "13800000001",
}


@pytest.fixture
def place() -> Iterator[Town]:
    """A town in which nothing goes wrong by itself."""
    with town(seed=5) as found:
        found.build()
        Reconciliation.objects.all().delete()
        yield found


def _day(place: Town) -> Day:
    return Day(place, orders=0, share=0.0)


def _buy(place: Town, shop: str, **more: Any) -> str:
    placed = place.world.place(shop, lines=[{"sku": "DAY-01", "quantity": 2}], receiver=HOME, **more)
    return str(placed["ext_id"])


def _compare(place: Town, code: str) -> Reconciliation:
    """One whole comparison of a system, half an hour later."""
    place.world.advance(1800)
    run = running.begin(place.connection(code), now=clock.now())
    for _turn in range(20):
        if run.ended_at is None:
            running.go_on(run, now=clock.now())
    assert run.is_complete, run.error
    return run


def _found(code: str = "") -> list[tuple[str, str, str, str]]:
    rows = Difference.objects.exclude(state="settled").order_by("pk")
    rows = rows.filter(connection__code=code) if code else rows
    return list(rows.values_list("sort", "subject", "state", "evidence"))


def test_systems_that_agree_have_no_differences(place: Town) -> None:
    for shop in ("taobao", "shopify"):
        _buy(place, shop)
    _day(place).work()

    for code in ("taobao", "shopify", "qimen", "kingdee"):
        run = _compare(place, code)
        assert (run.found, run.explained, run.asked > 0) == (0, 0, True), code


@pytest.mark.parametrize("shop", ["taobao", "shopify", "jd"])
def test_an_order_that_the_hub_never_heard_of_is_fetched(place: Town, shop: str) -> None:
    Connection.objects.get(code=shop).polls.all().delete()
    number = _buy(place, shop, quiet=True)
    _day(place).work()
    assert not Order.objects.exists()

    run = _compare(place, shop)

    assert _found(shop) == [("missing_here", number, "fetching", "asked")]
    assert run.fetched == 1
    _day(place).work()
    assert Order.objects.get().external_id == number
    assert (_compare(place, shop).settled, _found(shop)) == (1, [])


def test_an_order_that_was_lost_here_is_fetched_although_its_version_is_known(place: Town) -> None:
    number = _buy(place, "shopify", paid=False)
    _day(place).work()
    Order.objects.filter(external_id=number).update(external_id=f"{number}-lost")
    Connection.objects.get(code="shopify").polls.all().delete()

    _compare(place, "shopify")
    _day(place).work()

    assert Order.objects.filter(external_id=number).count() == 1
    sorts = {sort for sort, _subject, _state, _evidence in _found("shopify")}
    assert "missing_here" in sorts


def test_a_shipment_whose_report_was_lost_is_taken_from_the_answer(place: Town) -> None:
    _buy(place, "taobao")
    _day(place).work()
    work = FulfillmentOrder.objects.get()
    place.world.fault("lost", "qimen", "deliveryorder.confirm")
    place.world.ship(work.number)
    _day(place).work()
    assert FulfillmentOrder.objects.get().state == "acknowledged"

    _compare(place, "qimen")
    assert ("shipped_there", work.number, "fetching", "asked") in _found("qimen")
    _day(place).work()

    row = FulfillmentOrder.objects.get()
    assert (row.state, row.parcels.count()) == ("shipped", 1)
    assert _compare(place, "qimen").found == 0


def test_what_an_erp_only_pretended_to_take_is_sent_again_by_one_button(place: Town) -> None:
    place.world.fault("ack_lie", "kingdee", "Save")
    _buy(place, "taobao")
    _day(place).work()
    assert Call.objects.get(operation="erp_order").state == "acked"
    assert place.world.state("kingdee")["bills"] == []

    _compare(place, "kingdee")
    (row,) = Difference.objects.filter(connection__code="kingdee")
    assert (row.sort, row.state) == ("missing_there", "open")
    deeds.send_again(row, actor="user:li")
    _day(place).work()

    assert [bill["saved"] for bill in place.world.state("kingdee")["bills"]] == [1]
    assert (_compare(place, "kingdee").settled, _found("kingdee")) == (1, [])


def test_an_erp_hears_of_a_change_only_of_orders_it_has(place: Town) -> None:
    number = _buy(place, "shopify", paid=False)
    _day(place).work()
    place.world.change_address("shopify", number, city="广州市", province="广东省", address="体育西路 12 号")
    _day(place).work()
    place.world.do("shopify", "pay", ext_id=number)
    _day(place).work()

    assert list(Call.objects.filter(connection__code="kingdee").values_list("operation", "state")) == [
        ("erp_order", "acked")
    ]


def test_other_quantities_of_a_warehouse_are_found_and_reported(place: Town) -> None:
    place.world.set_stock("HGH", "DAY-02", 999_990)

    _compare(place, "qimen")

    assert ("stock", "HGH DAY-02", "fetching", "asked") in _found("qimen")
    _day(place).work()
    assert Stock.objects.filter(warehouse__code="HGH", sku__code="DAY-02").exists()


def test_calls_without_acknowledgment_are_told_without_asking(place: Town) -> None:
    place.world.fault("failure", "kingdee", "Save", times=0)
    _buy(place, "taobao")
    _day(place).work()

    _compare(place, "kingdee")

    ((sort, subject, state, evidence),) = _found("kingdee")
    assert (sort, state, evidence) == ("unanswered", "open", "told")
    assert subject.startswith("erp_order OH")


def test_a_system_that_wanted_to_answer_later_and_never_did_is_told_after_a_day(place: Town) -> None:
    _buy(place, "taobao")
    _day(place).work()
    asked = Call.objects.filter(connection=place.connection("qimen"), operation="release")
    assert asked.update(state=Call.State.LATER) == 1

    _compare(place, "qimen")
    assert [row for row in _found("qimen") if row[0] == "unanswered"] == []
    place.world.advance(25 * 3600)
    _compare(place, "qimen")

    ((_sort, subject, state, evidence),) = [row for row in _found("qimen") if row[0] == "unanswered"]
    assert (subject.partition(" ")[0], state, evidence) == ("release", "open", "told")


def test_a_comparison_goes_on_where_a_silent_system_stopped_it(place: Town) -> None:
    _buy(place, "shopify")
    _day(place).work()
    place.world.outage("shopify")
    place.world.advance(1800)
    run = running.begin(place.connection("shopify"), now=clock.now())
    running.go_on(run, now=clock.now())
    assert (run.ended_at, run.failures) == (None, 1)

    place.world.outage("shopify", False)
    running.go_on(run, now=clock.now())

    assert (run.is_complete, run.error, run.found) == (True, "", 0)


def test_once_a_day_and_no_oftener(place: Town) -> None:
    assert running.run_due(now=clock.now()) == 10
    for _turn in range(5):
        running.run_due(now=clock.now())
    assert Reconciliation.objects.filter(is_complete=True).count() == 10
    assert running.run_due(now=clock.now() + timedelta(minutes=1)) == 0
    assert running.run_due(now=clock.now() + timedelta(days=1)) == 10


def test_what_a_person_let_be_stays_so_until_it_changes(place: Town) -> None:
    place.world.set_stock("HGH", "DAY-02", 5)
    _compare(place, "qimen")
    (row,) = Difference.objects.filter(sort="stock")
    with pytest.raises(Refused):
        deeds.dismiss(row, note=" ", actor="user:li")
    deeds.dismiss(row, note="counted on Friday", actor="user:li")

    _compare(place, "qimen")
    assert Difference.objects.get(pk=row.pk).state == "dismissed"

    place.world.set_stock("HGH", "DAY-02", 4)
    _compare(place, "qimen")
    assert Difference.objects.get(pk=row.pk).state != "dismissed"


def test_the_page_shows_both_sides_and_its_buttons_work(place: Town) -> None:
    place.world.fault("ack_lie", "kingdee", "Save")
    _buy(place, "taobao")
    _day(place).work()
    _compare(place, "kingdee")
    row = Difference.objects.get()
    people: Client = desk.member("integrator")

    listed = people.get(reverse("admin:connectors_difference_changelist")).content.decode()
    shown = people.get(reverse("admin:connectors_difference_change", args=(row.pk,))).content.decode()
    assert "对方缺失" in listed
    assert "已向对方查询" in shown

    people.post(reverse("admin:connectors_difference_do", args=(row.pk, "dismiss")), {"note": ""})
    assert Difference.objects.get().state == "open"
    answer = people.post(reverse("admin:connectors_difference_do", args=(row.pk, "again")))
    assert answer.status_code == 302
    assert Difference.objects.get().state == "fetching"
    assert desk.member("support").get(
        reverse("admin:connectors_difference_changelist")
    ).status_code == 403  # fmt: skip

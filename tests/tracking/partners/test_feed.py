"""The event API: in order, without gaps or repetitions, by filters, one merchant's only."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from orderhub.connectors import partners
from orderhub.events.models import Event
from orderhub.orders.models import Order
from tests import cast, make
from tracking.partners import api, feed

pytestmark = pytest.mark.django_db


@pytest.fixture
def orders(hub_clock: make.Clock) -> list[Order]:
    make.network()
    placed = make.place(make.draft("A1", to=cast.LEI), make.draft("A2", to=cast.MEI))
    make.play(hub_clock)
    return placed


def walk(client: Any, **asked: Any) -> list[dict[str, Any]]:
    found, after = [], ""
    for _page in range(500):
        page = client.get("/api/v1/events/", {**asked, "after": after}).json()
        found += page["events"]
        after = page["after"]
        if not page["has_more"]:
            return found
    raise AssertionError("it never ends")


def test_pages_follow_each_other_without_gap_or_repetition(
    orders: list[Order], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = make.client()
    whole = walk(client, limit=500)
    offered = [kind.name for kind in partners.offered()]
    expected = Event.objects.filter(stream__in=[order.stream for order in orders], kind__in=offered)

    assert [one["id"] for one in whole] == [
        f"event:{pk}" for pk in expected.order_by("pk").values_list("pk", flat=True)
    ]
    monkeypatch.setattr(feed, "LOOKED_THROUGH", 7)
    assert walk(client, limit=3) == whole
    assert {one["specversion"] for one in whole} == {"1.0"}
    assert orders[0].person.phone not in str(whole)


def test_filters_and_wrong_cursors(orders: list[Order]) -> None:
    client = make.client()
    shipped = walk(client, milestone="SHIPPED")
    assert {one["data"]["milestone"] for one in shipped} == {"SHIPPED"}
    assert {one["subject"] for one in walk(client, order=orders[0].pk)} == {orders[0].number}
    assert {one["data"]["kind"] for one in walk(client, kind="order.placed")} == {"order.placed"}
    assert client.get("/api/v1/events/", {"after": "forged"}).status_code == 400
    assert client.get("/api/v1/events/", {"limit": "0"}).status_code == 400
    assert client.get("/api/v1/events/", {"order": "999999"}).status_code == 404


def test_others_see_nothing_of_it(orders: list[Order]) -> None:
    other = make.merchant(cast.BOB)
    assert walk(make.client(other)) == []
    assert make.client(other).get("/api/v1/events/", {"order": orders[0].pk}).status_code == 404


def test_what_is_sent_is_described() -> None:
    said = yaml.safe_load(api._ASYNCAPI.read_text())
    assert said["asyncapi"].startswith("3.")
    assert {channel["address"] for channel in said["channels"].values()} == {"{url}", "/ws/t/", "/ws/b/"}
    answer = make.client(make.merchant()).get("/api/v1/asyncapi/")
    assert answer.json()["info"]["title"] == "OrderHub messages"

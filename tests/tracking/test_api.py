"""The page and its JSON: for whoever has the link, and for nobody who guesses."""

from __future__ import annotations

import pytest
from django.test import Client
from rest_framework.test import APIClient

from orderhub.orders import sharing
from orderhub.orders.models import Order
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def order(hub_clock: make.Clock) -> Order:
    make.network()
    (order,) = make.place()
    make.run_until_idle()
    return Order.objects.get(pk=order.pk)


def address(order: Order) -> str:
    return f"/api/v1/tracking/{sharing.token(order)}/"


def test_the_json_has_an_etag_and_is_nobodys_cache(order: Order, api: APIClient) -> None:
    first = api.get(address(order))
    again = api.get(address(order), headers={"If-None-Match": first["ETag"]})

    assert first.status_code == 200
    assert first.json()["order_number"] == order.number
    assert (first["Cache-Control"], first["Referrer-Policy"]) == ("private, no-store", "no-referrer")
    assert first["X-Robots-Tag"] == "noindex, nofollow"
    assert (again.status_code, again.content) == (304, b"")


def test_the_etag_changes_with_the_page_and_the_language(
    order: Order, api: APIClient, hub_clock: make.Clock
) -> None:
    tag = api.get(address(order))["ETag"]

    assert api.get(address(order), {"lang": "en"})["ETag"] != tag
    make.play(hub_clock)
    changed = api.get(address(order), headers={"If-None-Match": tag})
    assert (changed.status_code, changed.json()["stage"]["code"]) == (200, "delivered")


def test_the_language_is_asked_or_accepted(order: Order, api: APIClient) -> None:
    assert api.get(address(order), {"lang": "en"}).json()["merchant"]["name"] == "Alice Home"
    assert api.get(address(order), headers={"Accept-Language": "en"}).json()["language"] == "en"
    assert api.get(address(order), {"lang": "xx"}).json()["language"] == "zh-hans"


def test_the_page_shows_the_same_words(order: Order) -> None:
    path = sharing.tracking_path(order)

    chinese, english = Client().get(path), Client().get(f"{path}?lang=en")

    assert chinese.status_code == english.status_code == 200
    assert "青禾家居" in chinese.content.decode()
    assert order.number in chinese.content.decode()
    assert "Alice Home" in english.content.decode()
    assert english["Content-Language"] == "en"
    assert (chinese["X-Robots-Tag"], chinese["Referrer-Policy"]) == ("noindex, nofollow", "no-referrer")
    for secret in ("王芳", "13800000001", "文三路"):
        assert secret not in chinese.content.decode()


def test_unknown_withdrawn_and_expired_links_look_alike(order: Order, hub_clock: make.Clock) -> None:
    old = sharing.tracking_path(order)
    make.play(hub_clock)
    sharing.withdraw(Order.objects.get(pk=order.pk))
    current = sharing.tracking_path(Order.objects.get(pk=order.pk))
    assert Client().get(current).status_code == 200
    hub_clock.advance(days=61)

    answers = [Client().get(path) for path in ("/t/no-such-link/", old, current)]

    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert len({answer.content for answer in answers}) == 1


def test_guessing_is_slowed_down_but_not_reading(order: Order, api: APIClient) -> None:
    codes = [api.get(f"/api/v1/tracking/guess{n}/").status_code for n in range(31)]

    assert codes == [404] * 30 + [429]
    refused = api.get("/api/v1/tracking/guess/")
    assert (refused["Retry-After"], refused.json()["code"]) == ("60", "too_many_tries")
    assert Client().get("/t/guess/").status_code == 429
    assert api.get(address(order)).status_code == 200

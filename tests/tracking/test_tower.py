"""The control tower's pages: what needs a person, by consequence, for many at once; and the Today page knows."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from orderhub.access.models import User
from orderhub.fulfillment.models import FulfillmentOrder
from orderhub.kernel import clock
from orderhub.orders.models import Order
from tests import cast, make
from tracking.center.models import Alert

pytestmark = pytest.mark.django_db

LISTS = (
    "alert", "unknowncode", "meaning", "milestonekind", "journeytemplate", "stallrule", "calendar", "calendarday", "lanetime",
)  # fmt: skip


@pytest.fixture
def stalled(hub_clock: make.Clock) -> list[Order]:
    """Two orders that a warehouse has not accepted, the second worth more."""
    hub_clock.advance(days=1)
    make.network()
    make.Connection.objects.update(is_active=False)  # nobody plays the warehouse
    found = make.place(make.draft("A1"), make.draft("A2", lines={"QUILT": 1}))
    make.run_until_idle()
    hub_clock.advance(hours=5)
    make.run_until_idle()
    return found


@pytest.fixture
def operator() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("ops", password="a-long-password"))
    return client


def test_every_list_opens_in_both_languages(stalled: list[Order], operator: Client) -> None:
    for name in LISTS:
        for language in ("zh-hans", "en"):
            page = operator.get(f"/admin/center/{name}/", headers={"Accept-Language": language})
            assert page.status_code == 200, name
    alert = Alert.objects.all()[0]
    assert operator.get(f"/admin/center/alert/{alert.pk}/change/").status_code == 200


def test_the_worst_comes_first_and_the_today_page_says_so(stalled: list[Order], operator: Client) -> None:
    page = operator.get("/admin/center/alert/", headers={"Accept-Language": "en"})
    rows = [row.order.external_id for row in page.context["cl"].result_list]

    assert rows == ["A2", "A1"]
    assert page.context["tower"]["sums"]["count"] == 2
    assert "Sent and not accepted by the warehouse" in page.content.decode()
    today = operator.get("/admin/", headers={"Accept-Language": "en"}).content.decode()
    assert "Sent and not accepted by the warehouse: 2 parts" in today
    order = operator.get(f"/admin/orders/order/{stalled[0].pk}/change/", headers={"Accept-Language": "en"})
    text = order.content.decode()
    assert "The journey so far" in text
    assert "Needs attention: Sent and not accepted by the warehouse." in text


def test_many_are_taken_put_off_and_settled_at_once(
    stalled: list[Order], operator: Client, hub_clock: make.Clock
) -> None:
    ids = list(Alert.objects.values_list("pk", flat=True))

    def do(action: str, **said: str) -> None:
        data = {"action": action, "_selected_action": ids, "confirmed": "1", **said}
        assert operator.post("/admin/center/alert/?which=all", data).status_code == 302

    do("take_them", note="calling them")
    assert set(Alert.objects.values_list("owner__username", "note")) == {("ops", "calling them")}
    do("put_off", note="")
    assert operator.get("/admin/center/alert/").context["tower"]["sums"]["count"] == 0
    assert operator.get("/admin/center/alert/?which=off").context["cl"].result_count == 2
    hub_clock.advance(hours=5)
    assert operator.get("/admin/center/alert/").context["tower"]["sums"]["count"] == 2
    do("settle", note="they have it")
    make.run_until_idle()
    assert set(Alert.objects.values_list("cause", flat=True)) == {"person"}


def test_stalled_orders_are_sent_from_another_warehouse(stalled: list[Order], operator: Client) -> None:
    ids = list(Alert.objects.values_list("pk", flat=True))

    data = {"action": "reroute", "_selected_action": ids, "confirmed": "1", "note": "no answer"}
    assert operator.post("/admin/center/alert/", data).status_code == 302

    works = list(FulfillmentOrder.objects.values_list("state", flat=True))
    assert works == ["cancel_requested", "cancel_requested"]


def test_many_of_one_place_are_told_as_one(operator: Client, hub_clock: make.Clock) -> None:
    hub_clock.advance(days=1)
    make.network()
    make.Connection.objects.update(is_active=False)
    make.place(*(make.draft(f"A{number}") for number in range(6)))
    make.run_until_idle()
    hub_clock.advance(hours=5)
    make.run_until_idle()

    (group,) = operator.get("/admin/center/alert/").context["tower"]["groups"]

    assert (group["place"], group["count"]) == ("HGH", 6)


def test_staff_of_another_merchant_see_and_settle_nothing_of_it(stalled: list[Order]) -> None:
    stranger = User.objects.create_user(
        "bob", password="a-long-password", is_staff=True, merchant=make.merchant(cast.BOB)
    )
    stranger.user_permissions.add(*Permission.objects.filter(content_type__app_label="center"))
    client = Client()
    client.force_login(stranger)

    assert client.get("/admin/center/alert/").context["cl"].result_count == 0
    ids = list(Alert.objects.values_list("pk", flat=True))
    client.post(
        "/admin/center/alert/", {"action": "settle", "_selected_action": ids, "confirmed": "1", "note": "x"}
    )
    assert Alert.objects.filter(cleared_at__isnull=True).count() == 2


def test_the_list_costs_no_query_per_row(
    stalled: list[Order], operator: Client, hub_clock: make.Clock
) -> None:
    counts = []
    for _round in range(2):
        operator.get("/admin/center/alert/?which=all")
        with CaptureQueriesContext(connection) as seen:
            operator.get("/admin/center/alert/?which=all")
        counts.append(len(seen))
        rows = list(Alert.objects.filter(cleared_at__isnull=True))
        for row in rows:
            row.pk, row.cleared_at, row.opened_at = None, clock.now(), clock.now() - timedelta(hours=1)
        Alert.objects.bulk_create(rows)
    assert counts[0] == counts[1]

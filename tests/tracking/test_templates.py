"""Milestone templates: chosen by rules that are data, planned once, expected anew with what happens."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client

from orderhub.access.models import User
from orderhub.kernel import clock
from orderhub.orders.models import Order
from tests import make
from tracking import queries
from tracking.center import plans
from tracking.center.models import Calendar, JourneyTemplate, OrderPlan, TemplateStep

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("hub_clock")]


def template(code: str = "own", **fields: object) -> JourneyTemplate:
    row = JourneyTemplate.objects.create(
        code=code, name=code, calendar=Calendar.objects.get(code="cn-factory"), **fields
    )
    lines = (("MATERIAL_RECEIVED", 10, "customer"), ("QC_PASSED", 10, "board"), ("SHIPPED", 5, "customer"))
    for number, (milestone, hours, shown) in enumerate(lines):
        TemplateStep.objects.create(
            template=row, position=number, milestone=milestone, hours=Decimal(hours), shown_to=shown
        )
    return row


def test_five_businesses_come_with_the_product_and_wait_to_be_switched_on() -> None:
    rows = JourneyTemplate.objects.filter(is_shipped=True)

    assert {row.code for row in rows} == {
        "standard-parcel", "garment-to-order", "b2b-manufacturing", "medical-device", "fresh-food",
    }  # fmt: skip
    assert all(row.steps.count() >= 5 and not row.is_active for row in rows)
    make.network()
    make.place()
    make.run_until_idle()
    assert not OrderPlan.objects.exists()


def test_the_rule_that_says_most_chooses_by_merchant_channel_and_sku() -> None:
    make.network()
    everything = template("all", priority=-1)
    lamps = template("lamps", priority=5, sku_prefix="LAM|QUI")
    shop = template("shop", priority=9, channel=make.channel("shop"))
    make.place(
        make.draft("A1"), make.draft("A2", lines={"CUP": 1}), make.draft("A3", channel=make.channel("shop"))
    )
    make.run_until_idle()

    found = dict(OrderPlan.objects.values_list("order__external_id", "template__code"))

    assert found == {"A1": lamps.code, "A2": everything.code, "A3": shop.code}


def test_the_plan_stands_and_the_page_says_what_is_to_come(hub_clock: make.Clock) -> None:
    make.network()
    row = template()
    (order,) = make.place()
    make.run_until_idle()
    plan = OrderPlan.objects.get(order=order)
    before = dict(plan.planned)
    row.steps.update(hours=99)

    found = Order.objects.select_related("merchant").get()
    timeline = queries.page(found, language="en", now=clock.now())["timeline"]

    ahead = [event["text"] for event in timeline if event["seq"] < -1000]
    assert ahead == ["Planned: Left the warehouse", "Planned: Materials have arrived"]
    assert {event["classifier"] for event in timeline if event["seq"] < -1000} == {"PLANNED"}
    # The order was paid on a Sunday: the factory's Monday ends ten hours of work, Tuesday ten more, then five.
    assert before["SHIPPED"] == "2026-11-25T13:00:00+08:00" or before["SHIPPED"].startswith(
        "2026-11-25T05:00:00"
    )
    stops = plans.stops(OrderPlan.objects.get(), [], now=clock.now() + timedelta(days=9))
    assert {stop.step.key: stop.planned.isoformat() for stop in stops} == before
    assert stops[0].late > timedelta(days=7)


def test_a_template_is_made_with_forms_alone() -> None:
    client = Client()
    client.force_login(User.objects.create_superuser("ops", password="a-long-password"))
    inline = {"steps-TOTAL_FORMS": "1", "steps-INITIAL_FORMS": "0", "steps-0-position": "1", "steps-0-milestone": "PACKED",
              "steps-0-hours": "4", "steps-0-works": "on", "steps-0-shown_to": "staff"}  # fmt: skip

    answer = client.post(
        "/admin/center/journeytemplate/add/",
        {"code": "flowers", "name": "鲜花", "priority": "3", "is_active": "on", **inline},
    )

    assert answer.status_code == 302
    assert JourneyTemplate.objects.get(code="flowers").steps.get().milestone == "PACKED"
    shipped = JourneyTemplate.objects.get(code="fresh-food")
    assert (
        client.post(f"/admin/center/journeytemplate/{shipped.pk}/delete/", {"post": "yes"}).status_code == 403
    )

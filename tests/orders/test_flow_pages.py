"""The editor's pages: who may, whose flows, and what the script is told."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from orderhub.access.models import User
from orderhub.orders import advance, journeys
from orderhub.orders.models import Order
from rules.flows import publishing, starters
from rules.models import Flow, FlowVersion
from tests.orders import builders as make
from tests.orders.test_flow_walking import BIG, LOOK
from tests.rules.test_flow_checking import standard

pytestmark = pytest.mark.django_db
REVIEW = standard(
    "price-big", "big:high-look", "big:else-route", "look-route", without="price-route", big=BIG, look=LOOK
)


@pytest.fixture
def boss(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("boss", "", "x"))
    return client


def flow(content: Any = None, *, scope: str | None = None) -> Flow:
    own = f"merchant:{make.merchant().pk}" if scope is None else scope
    return Flow.objects.create(
        code="f", name="高额", name_en="High", scope=own, draft=content or REVIEW, revision=1
    )


def post(client: Client, row: Flow, name: str, **body: Any) -> tuple[int, dict[str, Any]]:
    answer = client.post(f"/admin/flows/{row.pk}/{name}/", json.dumps(body), content_type="application/json")
    return answer.status_code, answer.json()


def test_a_copy_of_a_starter_is_a_draft_of_the_chosen_merchant(boss: Client) -> None:
    scope = f"merchant:{make.merchant().pk}"

    for _time in range(2):
        answer = boss.post("/admin/flows/copy/high-value/", {"scope": scope})
        assert answer.status_code == 302
    unknown = boss.post("/admin/flows/copy/high-value/", {"scope": "merchant:999"})

    rows = Flow.objects.order_by("pk")
    assert [(row.code, row.scope, row.draft == starters.get("high-value").content) for row in rows] == [
        ("high-value", scope, True), ("high-value-2", scope, True),
    ]  # fmt: skip
    assert FlowVersion.objects.count() == 0
    assert unknown["Location"] == "/admin/flows/"


def test_the_page_hands_its_script_the_drawing_the_palette_and_the_facts(boss: Client) -> None:
    page = boss.get(f"/admin/flows/{flow().pk}/")

    data = page.context["data"]
    assert data["content"] == REVIEW
    assert {"order.screen", "flow.decide", "flow.webhook", "carbon.weigh", "routing.strategy"} <= {
        row["step"] for row in data["steps"]
    }
    assert {"order.total", "risk.points", "carbon.kg", "order.made_to_order"} <= {
        row["name"] for row in data["facts"]
    }
    assert page.status_code == 200


def test_checks_come_with_places_and_sentences(boss: Client) -> None:
    row = flow()
    broken = standard("price-big", "big:high-route", without="price-route", big=BIG)

    assert post(boss, row, "check", content=REVIEW) == (
        200, {"findings": [], "sentences": {"big": {"high": "订单金额不少于5000"}}},
    )  # fmt: skip
    status, told = post(boss, row, "check", content=broken)
    assert (status, [(x["code"], x["nodes"]) for x in told["findings"]]) == (200, [("uncovered", ["big"])])
    assert post(boss, row, "check", content={"nodes": 1})[0] == 400


def test_saving_over_a_newer_draft_is_refused_with_that_draft(boss: Client) -> None:
    row = flow()
    mine = starters.get("standard").content

    assert post(boss, row, "save", content=mine, revision=1) == (200, {"revision": 2})
    status, told = post(boss, row, "save", content=REVIEW, revision=1)

    assert status == 409
    assert (told["revision"], told["content"], told["by"]) == (2, mine, "boss")
    assert post(boss, row, "save", content=[], revision=2)[0] == 400
    assert post(boss, row, "save", content=REVIEW, revision="x")[0] == 400


def test_an_order_is_tried_by_its_number_and_only_where_it_belongs(boss: Client) -> None:
    row = flow()
    [order] = make.placed(make.draft("A", lines=[make.line(price="9000.00")]))

    status, told = post(boss, row, "try", content=REVIEW, order=order.number)

    assert status == 200
    assert [(x["node"], x["exit_name"]) for x in told["stops"]][2:4] == [("big", "高额"), ("look", "")]
    assert told["stops"][2]["asked"] == [{"text": "订单金额不少于5000", "holds": True}]
    assert told["done"] is True
    assert post(boss, row, "try", content=REVIEW, order="A")[0] == 200
    assert post(boss, row, "try", content=REVIEW, order="OH261122-99999")[0] == 404
    elsewhere = flow(scope=f"merchant:{make.merchant('other').pk}")
    assert post(boss, elsewhere, "try", content=REVIEW, order=order.number)[0] == 404


def test_publishing_rolling_back_and_switching_off(boss: Client) -> None:
    row = flow()
    stale = boss.post(f"/admin/flows/{row.pk}/publish/", {"revision": 0, "note": "x"})
    assert FlowVersion.objects.count() == 0
    assert "刚刚保存" in stale.content.decode()

    boss.post(f"/admin/flows/{row.pk}/publish/", {"revision": 1, "note": "first"})
    Flow.objects.update(draft=starters.get("standard").content, revision=2)
    boss.post(f"/admin/flows/{row.pk}/publish/", {"revision": 2, "note": "second"})
    boss.post(f"/admin/flows/{row.pk}/back/1/", {"note": "third"})

    rows = FlowVersion.objects.order_by("number")
    assert [(x.number, x.note, x.content == REVIEW) for x in rows] == [
        (1, "first", True), (2, "second", False), (3, "third", True),
    ]  # fmt: skip
    assert {x.published_by.get_username() for x in rows if x.published_by} == {"boss"}
    page = boss.get(f"/admin/flows/{row.pk}/").content.decode()
    assert "新增「判断」" in page
    boss.post(f"/admin/flows/{row.pk}/switch/")
    assert publishing.in_force(row.scope, now=make.NOW) is None
    assert boss.post(f"/admin/flows/{row.pk}/back/9/").status_code == 404


def test_a_draft_with_errors_is_not_published(boss: Client) -> None:
    row = flow(standard("price-big", "big:high-route", without="price-route", big=BIG))

    page = boss.post(f"/admin/flows/{row.pk}/publish/", {"revision": 1})

    assert "没有覆盖所有情况" in page.content.decode()
    assert FlowVersion.objects.count() == 0


def test_moving_shows_first_and_moves_then(boss: Client) -> None:
    row = flow()
    publishing.publish(row, None, now=make.NOW)
    journeys.forget()
    [order] = make.placed(make.draft("A", lines=[make.line(price="9000.00")]))
    advance.advance([order.pk], now=make.NOW, actor="test")
    Flow.objects.update(draft=starters.get("standard").content)
    second = publishing.publish(Flow.objects.get(), None, now=make.NOW)

    page = boss.get(f"/admin/flows/{row.pk}/move/{second.number}/")
    assert [(x["count"], x["source"], x["target"]) for x in page.context["rows"]] == [
        (1, "冻结待审", "选择发货仓")
    ]
    boss.post(f"/admin/flows/{row.pk}/move/{second.number}/")

    moved = Order.objects.get()
    assert (moved.flow_version_id, moved.step, moved.step_state) == (second.pk, "routing.route", "waiting")


@pytest.mark.parametrize("name", ["", "check/", "save/", "try/", "publish/", "back/1/", "move/1/", "switch/"])
def test_staff_of_one_merchant_see_no_flow_of_another(client: Client, name: str) -> None:
    call_command("setup_roles", verbosity=0)
    own, other = make.merchant(), make.merchant("other")
    row = flow(scope=f"merchant:{other.pk}")
    user = User.objects.create_superuser("li", "", "x")
    user.merchant = own
    user.save()
    client.force_login(user)
    address = f"/admin/flows/{row.pk}/{name}"

    answer = client.get(address) if name in {"", "move/1/"} else client.post(address)

    assert answer.status_code == 404


@pytest.mark.parametrize("name", ["save", "publish", "switch"])
def test_who_may_only_look_changes_nothing(client: Client, name: str) -> None:
    user = User.objects.create_user("reader", "", "x", is_staff=True)
    client.force_login(user)

    assert client.post(f"/admin/flows/{flow().pk}/{name}/").status_code == 403
    assert client.get("/admin/flows/").status_code == 403

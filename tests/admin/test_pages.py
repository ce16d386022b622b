"""The other pages: all of them open in both languages, and what they change goes through the services."""

from __future__ import annotations

import json
from typing import Any

import pytest
import tablib
from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.auth.models import Group
from django.urls import reverse

from orderhub.inventory.admin import SkuResource
from orderhub.inventory.admin_base import neutral, plain
from orderhub.inventory.models import Movement, Sku, Stock, Warehouse
from orderhub.orders.models import Order, Person
from routing import restoring, strategies
from routing.models import Decision, Strategy, StrategyVersion
from rules.models import Flow, Rule, RuleSet, RuleVersion
from tests.admin import desk
from tests.fulfillment import builders as make
from tests.orders import builders as orders

pytestmark = pytest.mark.django_db
OWN_APPS = {"inventory", "orders", "risk", "compliance", "fulfillment", "rules", "routing"}
PAGES = sorted(
    (model._meta.app_label, model._meta.model_name or "")
    for model in admin.site._registry
    if model._meta.app_label in OWN_APPS
)


def _forms(page: Any) -> dict[str, Any]:
    """What a browser would send back from a change page, unchanged."""
    form = page.context["adminform"].form
    data = {name: form[name].value() for name in form.fields}
    for inline in page.context["inline_admin_formsets"]:
        formset = inline.formset
        management = formset.management_form
        data |= {f"{formset.prefix}-{name}": management[name].value() for name in management.fields}
        data |= {
            row.add_prefix(name): row[name].value() for row in formset.initial_forms for name in row.fields
        }
    return {name: value for name, value in data.items() if value is not None and value is not False}


@pytest.fixture
def shop() -> Order:
    """One order that went all the way, so that each list has a row."""
    make.network()
    [order] = make.released(1)
    make.apply(make.say("ship", order, tracking_number="SF1"))
    return order


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_every_list_and_its_first_row_open(language: str, shop: Order) -> None:
    client = desk.boss(language)

    for app, model in PAGES:
        page = client.get(reverse(f"admin:{app}_{model}_changelist"))

        assert page.status_code == 200, (app, model)
        for row in page.context["cl"].result_list[:1]:
            path = reverse(f"admin:{app}_{model}_change", args=(row.pk,))
            assert client.get(path).status_code == 200, path


def test_people_have_no_page_of_their_own() -> None:
    assert not admin.site.is_registered(Person)


# ---- inventory ------------------------------------------------------------------------------------


def test_freezing_asks_first_and_is_kept_in_the_history() -> None:
    place = make.warehouse()
    client = desk.boss()
    path = f"/admin/inventory/warehouse/{place.pk}/freeze/"

    asked = client.get(path)
    place.refresh_from_db()

    assert "不再把新订单分给上海仓" in asked.content.decode()
    assert not place.is_frozen

    done = client.post(path, follow=True)
    place.refresh_from_db()

    assert desk.messages_of(done) == ["已冻结 1 个仓。"]
    assert place.is_frozen
    assert [row.is_frozen for row in place.history.order_by("history_id")] == [False, True]
    assert place.history.latest().history_user.get_username() == "boss"


def test_reopening_many_touches_only_the_frozen_ones() -> None:
    open_one, frozen = make.warehouse("SHA"), make.warehouse("CAN", is_frozen=True)
    chosen = {ACTION_CHECKBOX_NAME: [open_one.pk, frozen.pk], "action": "reopen"}

    done = desk.boss().post("/admin/inventory/warehouse/", chosen, follow=True)

    assert desk.messages_of(done) == ["已恢复 1 个仓。"]
    assert not Warehouse.objects.filter(is_frozen=True).exists()
    assert open_one.history.count() == 1


def test_a_count_goes_through_the_services() -> None:
    row = make.stock(10)
    client = desk.boss()

    done = client.post(f"/admin/inventory/stock/{row.pk}/count/", {f"units_{row.pk}": "7"}, follow=True)

    row.refresh_from_db()
    assert desk.messages_of(done) == ["1 行库存已更改。"]
    assert row.on_hand == 7
    moved = Movement.objects.latest("pk")
    assert (moved.kind, moved.on_hand_change, moved.actor) == ("count", -3, "user:boss")


def test_a_count_below_what_is_promised_says_what_was_kept() -> None:
    row = make.stock(10)
    Stock.objects.filter(pk=row.pk).update(reserved=4)

    done = desk.boss().post(f"/admin/inventory/stock/{row.pk}/count/", {f"units_{row.pk}": "1"}, follow=True)

    assert desk.messages_of(done)[1] == "上海仓 的 TEA：盘点数少于已承诺数，保留 4 件。"
    row.refresh_from_db()
    assert (row.on_hand, row.reserved) == (4, 4)


def test_several_rows_are_counted_on_one_page_and_a_negative_count_is_refused() -> None:
    first, second = make.stock(10), make.stock(5, at="CAN")
    chosen = {ACTION_CHECKBOX_NAME: [first.pk, second.pk], "action": "count"}
    client = desk.boss()

    asked = client.post("/admin/inventory/stock/", chosen)
    refused = client.post(
        "/admin/inventory/stock/",
        {**chosen, "confirmed": "1", f"units_{first.pk}": "-1", f"units_{second.pk}": "6"},
    )

    assert set(asked.context["form"].fields) == {f"units_{first.pk}", f"units_{second.pk}"}
    assert refused.context["form"].errors.keys() == {f"units_{first.pk}"}
    second.refresh_from_db()
    assert second.on_hand == 5


def test_on_hand_and_reserved_are_not_edited_in_a_form() -> None:
    row = make.stock(10)
    client = desk.boss()

    client.post(
        f"/admin/inventory/stock/{row.pk}/change/", {"on_hand": "999", "reserved": "9", "safety": "3"}
    )

    row.refresh_from_db()
    assert (row.on_hand, row.reserved, row.safety) == (10, 0, 3)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_a_cell_that_looks_like_a_formula_leaves_harmless_and_comes_back_whole(start: str) -> None:
    cell = f"{start}HYPERLINK(1)"

    assert neutral(cell) == f"'{cell}"
    assert plain(neutral(cell)) == cell
    assert neutral("plain") == plain("plain") == "plain"
    assert neutral(5) == 5


def test_an_exported_name_is_no_formula_and_an_import_of_the_export_changes_nothing() -> None:
    row = orders.sku("TEA")
    Sku.objects.filter(pk=row.pk).update(name="=1+1", category="@x")

    table = SkuResource().export()
    result = SkuResource().import_data(tablib.Dataset().load(table.csv, format="csv"), dry_run=False)

    cells = dict(zip(table.headers, table[0], strict=True))
    assert (cells["name"], cells["category"]) == ("'=1+1", "'@x")
    assert not result.has_errors()
    row.refresh_from_db()
    assert (row.name, row.category) == ("=1+1", "@x")


# ---- rules ----------------------------------------------------------------------------------------

WHEN = {"fact": "order.total", "op": ">=", "value": "300"}
THEN = [{"do": "hold", "with": {"reason": "risk"}}]


def _ruleset() -> RuleSet:
    found = RuleSet.objects.create(code="risk", name="风险", name_en="Risk", purpose="screen")
    Rule.objects.create(ruleset=found, code="large", name="大额", condition=WHEN, actions=THEN)
    return found


def test_a_rule_is_shown_as_a_sentence_in_the_readers_language() -> None:
    path = f"/admin/rules/ruleset/{_ruleset().pk}/change/"

    assert "如果订单金额不少于300，则挂起订单（reason=risk）" in desk.boss().get(path).content.decode()
    assert "If order total is at least 300, then hold the order" in desk.boss("en").get(path).content.decode()


def test_publishing_shows_the_sentences_then_makes_a_version_and_only_if_something_changed() -> None:
    found = _ruleset()
    client = desk.boss()
    path = f"/admin/rules/ruleset/{found.pk}/publish/"

    asked = client.get(path)

    assert "如果订单金额不少于300" in asked.content.decode()
    assert RuleVersion.objects.count() == 0

    assert desk.messages_of(client.post(path, {"note": "开始"}, follow=True)) == ["版本 1 已生效。"]
    assert desk.messages_of(client.post(path, follow=True)) == ["版本 1 内容相同，无需发布。"]
    version = RuleVersion.objects.get()
    assert (version.number, version.note, str(version.published_by)) == (1, "开始", "boss")


def test_going_back_publishes_the_older_content_as_the_newest_version() -> None:
    found = _ruleset()
    client = desk.boss()
    publish = f"/admin/rules/ruleset/{found.pk}/publish/"
    client.post(publish)
    Rule.objects.update(condition={**WHEN, "value": "900"})
    client.post(publish)
    first = RuleVersion.objects.get(number=1)

    done = client.post(f"/admin/rules/ruleversion/{first.pk}/restore/", follow=True)

    assert desk.messages_of(done)[-1] == "版本 3 已生效。"
    newest = RuleVersion.objects.get(number=3)
    assert newest.content == first.content
    assert newest.note == "同 v1"


@pytest.mark.parametrize(
    ("field", "value", "where", "words"),
    [
        ("condition", {"fact": "order.tottal", "op": ">=", "value": "3"}, "condition", "order.tottal"),
        ("actions", [{"do": "hold", "with": {"reason": "weather"}}], "actions", "没有这种挂起原因"),
        ("actions", [], "actions", "必填"),
    ],
)
def test_the_engine_says_what_is_wrong_with_a_rule_at_its_field(
    field: str, value: object, where: str, words: str
) -> None:
    found = _ruleset()
    client = desk.boss()
    path = f"/admin/rules/ruleset/{found.pk}/change/"
    data = _forms(client.get(path))
    data[f"rules-0-{field}"] = json.dumps(value)

    page = client.post(path, data)

    assert page.status_code == 200
    [errors] = [form.errors for form in page.context["inline_admin_formsets"][0].formset.forms if form.errors]
    assert list(errors) == [where]
    assert words in str(errors[where])
    assert Rule.objects.get().condition == WHEN


def test_an_unchanged_rule_set_saves_and_keeps_its_rules() -> None:
    found = _ruleset()
    client = desk.boss()
    path = f"/admin/rules/ruleset/{found.pk}/change/"

    done = client.post(path, _forms(client.get(path)))

    assert done.status_code == 302
    rule = Rule.objects.get()
    assert (rule.condition, rule.actions) == (WHEN, THEN)


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        (["order.screen", "order.sing"], "未知步骤：order.sing"),
        (["order.screen", "order.screen"], "只能出现一次"),
        ([], ""),
        ({"a": 1}, "步骤名列表"),
        (["order.screen", 5], "步骤名列表"),
    ],
)
def test_a_flow_takes_only_steps_that_exist(steps: object, words: str) -> None:
    page = desk.boss().post("/admin/rules/flow/add/", {"code": "f", "name": "f", "steps": json.dumps(steps)})

    assert page.status_code == 200
    assert words in str(page.context["adminform"].form.errors["steps"])
    assert not Flow.objects.exists()


def test_a_flow_with_known_steps_is_kept_and_said_in_words() -> None:
    client = desk.boss()
    data = {
        "code": "f",
        "name": "短流程",
        "steps": json.dumps(["order.screen", "routing.route"]),
        "is_active": "on",
    }

    assert client.post("/admin/rules/flow/add/", data).status_code == 302
    assert Flow.objects.get().steps == ["order.screen", "routing.route"]
    assert "→" in client.get("/admin/rules/flow/").content.decode()


# ---- routing --------------------------------------------------------------------------------------


def _balanced() -> Strategy:
    strategies.ensure_presets(orders.merchant(), now=orders.NOW)
    return Strategy.objects.get(code="balanced")


def test_saving_a_strategy_keeps_a_draft_and_publishing_it_makes_the_version() -> None:
    found = _balanced()
    client = desk.boss()
    path = f"/admin/routing/strategy/{found.pk}/change/"
    publish = f"/admin/routing/strategy/{found.pk}/publish/"

    client.post(path, {**_forms(client.get(path)), "yuan_per_hour": "0.2"})
    client.post(path, {**_forms(client.get(path)), "yuan_per_hour": "0.2"})
    kept = found.versions.count()
    client.post(publish, {"token": client.get(publish).context["stand"].token, "without_replay": "on"})

    assert kept == 1
    versions = found.versions.order_by("number").values_list("number", "values", "created_by__username")
    told = [(number, values["yuan_per_hour"], by) for number, values, by in versions]
    assert told == [(1, "0.08", None), (2, "0.2", "boss")]


def test_the_figures_are_said_in_sentences_with_their_own_numbers() -> None:
    text = desk.boss().get(f"/admin/routing/strategy/{_balanced().pk}/change/").content.decode()

    assert "1 小时 = ¥0.08；快 24 小时值 ¥1.92。" in text
    assert "第二个包裹须在别处省下 ¥2.00 以上" in text


def test_a_negative_figure_is_refused() -> None:
    found = _balanced()
    client = desk.boss()
    path = f"/admin/routing/strategy/{found.pk}/change/"

    page = client.post(path, {**_forms(client.get(path)), "yuan_per_kgco2e": "-1"})

    assert str(page.context["adminform"].form.errors["yuan_per_kgco2e"][0]).startswith("不能小于零。")
    assert found.versions.count() == 1


def test_an_older_version_comes_back_as_a_new_one() -> None:
    found = _balanced()
    first = found.versions.get()
    found.yuan_per_hour = 5
    found.max_parcels = 2
    found.save()
    second = strategies.save_version(found, actor=None, now=orders.NOW)
    client = desk.boss()
    path = f"/admin/routing/strategyversion/{first.pk}/restore/"

    asked = client.get(path)

    assert [change.name for change in restoring.changes(second.values, first.values)] == [
        "yuan_per_hour",
        "max_parcels",
    ]
    assert '<del class="oh-del">¥5.00</del>' in asked.content.decode()
    assert StrategyVersion.objects.filter(strategy=found).count() == 2

    done = client.post(path, follow=True)

    assert desk.messages_of(done) == ["版本 3 已生效。"]
    newest = strategies.in_force(Strategy.objects.get(pk=found.pk))
    assert newest is not None
    assert newest.values == first.values


def test_a_decision_is_explained_and_cannot_be_changed(shop: Order) -> None:
    found = Decision.objects.get(order=shop)
    client = desk.boss()
    path = f"/admin/routing/decision/{found.pk}/change/"

    text = client.get(path).content.decode()

    assert "上海仓优于广州仓" in text
    assert "方案与备选" in text
    assert client.post(path, {"total": "0"}).status_code == 403
    assert client.get("/admin/routing/decision/add/").status_code == 403


def test_read_only_lists_offer_no_change_to_anybody(shop: Order) -> None:
    client = desk.boss()
    paths = [
        "inventory/movement",
        "inventory/warehouseday",
        "orders/hold",
        "fulfillment/parcel",
        "fulfillment/fulfillmentorder",
    ]

    assert Group.objects.count() == 0
    for path in paths:
        assert client.get(f"/admin/{path}/add/").status_code == 403, path

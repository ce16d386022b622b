"""The pages of strategies and their rules: drafts, conflicts, publishing, rights, and which order gets which."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils.translation import override

from orderhub.access.models import User
from routing import drafts, strategies
from routing.admin_versions import replay_words
from routing.models import Strategy, StrategyDraft, StrategyRule, StrategyVersion
from tests.admin import desk
from tests.fulfillment import builders as make
from tests.orders import builders as orders

pytestmark = pytest.mark.django_db


def _strategy(code: str = "balanced", merchant: str = "") -> Strategy:
    owner = orders.merchant(merchant) if merchant else orders.merchant()
    strategies.ensure_presets(owner, now=make.NOW)
    return Strategy.objects.get(code=code, merchant=owner)


def _page(strategy: Strategy, step: str = "change") -> str:
    return f"/admin/routing/strategy/{strategy.pk}/{step}/"


def _fields(client: Client, path: str) -> dict[str, Any]:
    """What a browser would send back unchanged."""
    form = client.get(path).context["adminform"].form
    data = {name: form[name].value() for name in form.fields}
    return {name: value for name, value in data.items() if value is not None and value is not False}


def _save(client: Client, strategy: Strategy, **changes: Any) -> Any:
    path = _page(strategy)
    return client.post(path, {**_fields(client, path), **changes}, follow=True)


def _publish(client: Client, strategy: Strategy, **given: str) -> Any:
    path = _page(strategy, "publish")
    token = client.get(path).context["stand"].token
    return client.post(path, {"token": token, **given}, follow=True)


# ---- drafts ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "field", "zh", "en"),
    [
        ({"yuan_per_hour": "-1"}, "yuan_per_hour", "填 0 表示不考虑", "0 leaves it out of account"),
        ({"max_parcels": "0"}, "max_parcels", "任何订单都发不出去", "No order could be sent at all"),
        (
            {"mode": "sequential", "order_hours": "1", "order_money": "1"},
            "mode", "位次相同", "hold the same place",
        ),
        ({"mode": "sequential"}, "mode", "没有选择判据", "No criterion is chosen"),
        ({"order_hours": "99"}, "order_hours", "99", "99"),
    ],
)  # fmt: skip
def test_figures_that_cannot_route_are_told_at_their_field(
    changes: dict[str, str], field: str, zh: str, en: str
) -> None:
    found = _strategy()

    for language, words in (("zh-hans", zh), ("en", en)):
        page = _save(desk.boss(language), found, **changes)

        assert words in str(page.context["adminform"].form.errors[field])
        assert words in page.content.decode()
    assert not StrategyDraft.objects.exists()


def test_a_second_default_is_refused_by_the_name_of_the_first() -> None:
    page = _save(desk.boss(), _strategy("green"), is_default="on")

    assert "「均衡」已是默认策略" in str(page.context["adminform"].form.errors["is_default"])
    assert "routing_strategy_one_default" not in page.content.decode()
    assert Strategy.objects.get(is_default=True).code == "balanced"


def test_the_publishing_page_says_what_the_what_if_said() -> None:
    figure = {"current": 10.0, "draft": 11.0, "difference": 1.0, "low": None, "high": None}
    kept = {
        "days": 7,
        "orders": 4,
        "changed": 1,
        "figures": dict.fromkeys(("money", "hours", "kgco2e"), figure),
    }

    with override("en"):
        assert replay_words(kept).endswith("otherwise. cost +10.0%, time +1.0 h, carbon +10.0%.")
        assert replay_words({"days": 7, "orders": 4, "changed": 1}).endswith("otherwise.")
    with override("zh-hans"):
        assert replay_words(kept).endswith("会改派。成本 +10.0%，时效 +1.0 小时，碳 +10.0%。")


def test_name_and_use_count_at_once_while_figures_wait() -> None:
    found = _strategy()

    _save(desk.boss(), found, name="新名字", yuan_per_hour="0.3")

    found.refresh_from_db()
    assert (found.name, str(found.yuan_per_hour)) == ("新名字", "0.0800")
    assert StrategyDraft.objects.get().values["yuan_per_hour"] == "0.3"


def test_a_ready_made_strategy_is_taken_over_without_scripts_too() -> None:
    found = _strategy()

    _save(desk.boss(), found, _preset="sequential")

    assert drafts.stand(found).values["order"] == ["parcels", "distance", "money"]


def test_two_people_editing_at_once_get_a_conflict_and_lose_nothing() -> None:
    found = _strategy()
    first, second = desk.boss(), desk.member("strategist")
    mine = _fields(second, _page(found))
    _save(first, found, yuan_per_hour="0.3")

    page = second.post(_page(found), {**mine, "yuan_per_hour": "0.5"})

    assert page.status_code == 200
    text = page.content.decode()
    assert "boss 保存了此策略的草稿" in text
    assert 'value="0.5"' in text
    assert drafts.stand(found).values["yuan_per_hour"] == "0.3"

    second.post(_page(found), {**mine, "token": page.context["stand"].token, "yuan_per_hour": "0.5"})

    assert drafts.stand(found).values["yuan_per_hour"] == "0.5"


def test_a_new_strategy_routes_nothing_before_its_first_version() -> None:
    _strategy()
    client = desk.boss()
    data = {
        **_fields(client, "/admin/routing/strategy/add/"), "merchant": orders.merchant().pk, "code": "mine",
        "name": "我的", "yuan_per_hour": "0.7",
    }  # fmt: skip

    client.post("/admin/routing/strategy/add/", data)

    made = Strategy.objects.get(code="mine")
    assert strategies.in_force(made) is None
    assert drafts.stand(made).values["yuan_per_hour"] == "0.7"
    _publish(client, made, without_replay="on")
    version = strategies.in_force(made)
    assert version is not None
    assert (version.number, version.values["yuan_per_hour"]) == (1, "0.7")


# ---- publishing and going back ---------------------------------------------------------------------


def test_publishing_without_what_if_needs_the_tick_and_is_kept_with_the_name() -> None:
    found, client = _strategy(), desk.boss("en")
    _save(client, found, yuan_per_hour="0.3")

    refused = _publish(client, found)

    assert "Run the what-if" in refused.content.decode()
    assert found.versions.count() == 1

    done = _publish(client, found, without_replay="on", note="peak")

    newest = strategies.in_force(found)
    assert newest is not None
    assert (newest.is_unreplayed, newest.note, newest.created_by) == (
        True, "peak", User.objects.get(username="boss"),
    )  # fmt: skip
    assert desk.messages_of(done) == ["Version 2 is in force from now on."]
    assert "without what-if" in done.content.decode()


def test_publishing_what_somebody_changed_meanwhile_is_refused() -> None:
    found, client = _strategy(), desk.boss("en")
    _save(client, found, yuan_per_hour="0.3")
    token = drafts.stand(found).token
    _save(client, found, yuan_per_hour="0.4")

    page = client.post(_page(found, "publish"), {"token": token, "without_replay": "on"})

    assert "saved a draft of this strategy while you were editing" in page.content.decode()
    assert found.versions.count() == 1


def test_one_press_rolls_back_and_the_history_says_so() -> None:
    found, client = _strategy(), desk.boss("en")
    first = found.versions.get()
    _save(client, found, yuan_per_hour="0.3")
    _publish(client, found, without_replay="on")

    page = client.post(_page(found, "rollback"), {"version": first.pk}, follow=True)

    newest = strategies.in_force(found)
    assert newest is not None
    assert (newest.number, newest.values) == (3, first.values)
    assert desk.messages_of(page) == ["Version 3 is in force from now on."]
    text = page.content.decode()
    assert "rolled back → v1" in text
    assert '<del class="oh-del">¥0.30</del> <ins class="oh-ins">¥0.08</ins>' in text


def test_a_version_of_another_strategy_is_not_rolled_back_to() -> None:
    found, client = _strategy(), desk.boss()
    other = _strategy("speed").versions.get()

    for asked in (str(other.pk), "x", ""):
        assert client.post(_page(found, "rollback"), {"version": asked}).status_code == 404
    assert StrategyVersion.objects.filter(strategy=found).count() == 1


# ---- rights ----------------------------------------------------------------------------------------


def test_who_may_only_look_sees_sentences_and_changes_nothing() -> None:
    found = _strategy()
    drafts.save(
        found, {**drafts.stand(found).values, "yuan_per_hour": "1"}, token=None, actor=None, now=make.NOW
    )
    client = desk.member("operator")

    text = client.get(_page(found)).content.decode()

    assert "1 小时 = ¥1.00；快 24 小时值 ¥24.00。" in text
    assert "_publish" not in text
    for step in ("publish", "discard", "rollback"):
        assert client.post(_page(found, step), {"version": "1"}).status_code == 403
    assert client.post(_page(found), {"name": "x"}).status_code == 403


def test_strategies_and_rules_of_another_merchant_do_not_exist() -> None:
    theirs = _strategy(merchant="stranger")
    rule = StrategyRule.objects.create(merchant=theirs.merchant, strategy=theirs, name="theirs")
    client = desk.member("strategist", merchant=orders.merchant())

    for step in ("publish", "discard", "rollback"):
        assert client.post(_page(theirs, step)).status_code == 404
    assert client.get(_page(theirs)).status_code == 302
    assert client.get(f"/admin/routing/strategyrule/{rule.pk}/change/").status_code == 302
    assert "theirs" not in client.get("/admin/routing/strategyrule/").content.decode()


# ---- rules -----------------------------------------------------------------------------------------


def _add_rule(client: Client, strategy: Strategy, **fields: Any) -> Any:
    data = {
        "merchant": strategy.merchant_id, "strategy": strategy.pk, "name": "双11", "priority": "10",
        "is_active": "on", **fields,
    }  # fmt: skip
    return client.post("/admin/routing/strategyrule/add/", data)


def test_a_rule_is_kept_as_conditions_and_shown_in_words() -> None:
    found, client = _strategy("speed"), desk.boss()
    shop = orders.channel("wechat")

    answer = _add_rule(
        client, found, channels=[shop.pk], provinces=["XJ", "XZ"], is_remote="yes", categories="tea， cups",
        countries="cn", customer_levels="gold", services=["express"],
        valid_from_0="2026-11-11", valid_from_1="00:00", valid_until_0="2026-11-12", valid_until_1="00:00",
    )  # fmt: skip

    assert answer.status_code == 302, answer.context["adminform"].form.errors
    rule = StrategyRule.objects.get()
    assert rule.conditions == {
        "channels": [shop.pk], "provinces": ["XJ", "XZ"], "countries": ["CN"], "services": ["express"],
        "categories": ["tea", "cups"], "customer_levels": ["gold"], "is_remote": True,
    }  # fmt: skip
    assert rule.valid_until is not None
    assert rule.valid_from is not None
    assert rule.valid_until - rule.valid_from == timedelta(days=1)
    assert "省份: 新疆" in client.get("/admin/routing/strategyrule/").content.decode()
    again = _fields(client, f"/admin/routing/strategyrule/{rule.pk}/change/")
    assert (again["is_remote"], again["categories"]) == ("yes", "tea, cups")


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"valid_from_0": "2026-11-12", "valid_from_1": "00:00", "valid_until_0": "2026-11-11",
          "valid_until_1": "00:00"}, "valid_until"),
        ({"provinces": ["ZJ"], "is_remote": "yes"}, "provinces"),
        ({"provinces": ["XJ"], "is_remote": "no"}, "provinces"),
        ({"provinces": ["ZJ"], "countries": "US"}, "provinces"),
        ({"countries": "Mars"}, "countries"),
        ({"priority": "-1"}, "priority"),
    ],
)  # fmt: skip
def test_rules_that_can_never_hold_are_refused(fields: dict[str, Any], field: str) -> None:
    page = _add_rule(desk.boss(), _strategy("speed"), **fields)

    assert list(page.context["adminform"].form.errors) == [field]
    assert not StrategyRule.objects.exists()


def test_an_open_contradiction_is_refused_and_a_hidden_one_is_shown() -> None:
    client = desk.boss("en")
    _add_rule(client, _strategy("speed"), name_en="Fast", is_remote="yes")

    page = _add_rule(client, _strategy("cost"), is_remote="yes")

    assert "asks exactly the same" in str(page.context["adminform"].form.errors["priority"])

    _add_rule(client, _strategy("cost"), services=["express"])
    _add_rule(client, _strategy("green"), priority="20", is_remote="yes", is_green="yes")
    text = client.get("/admin/routing/strategyrule/").content.decode()

    assert "Contradicts “Fast”" in text
    assert "Never reached: “Fast” comes first" in text


def test_rules_that_do_nothing_are_shown() -> None:
    client = desk.boss("en")
    _add_rule(client, _strategy("sequential"))
    _add_rule(client, _strategy("cost"), priority="5", valid_until_0="2020-01-01", valid_until_1="00:00")

    text = client.get("/admin/routing/strategyrule/").content.decode()

    assert "Its strategy is switched off" in text
    assert "Its time is over" in text


def test_the_trial_says_which_strategy_and_why_rule_by_rule() -> None:
    client = desk.boss("en")
    shop = orders.channel("wechat")
    _add_rule(client, _strategy("green"), name_en="Gold", customer_levels="gold", priority="1")
    _add_rule(client, _strategy("speed"), name_en="West", provinces=["XJ"])
    path = "/admin/routing/strategyrule/try/"

    west = client.get(path, {"channel": shop.pk, "province": "XJ", "service": "standard"})
    plain = client.get(path, {"channel": shop.pk, "province": "ZJ", "service": "standard"})
    [order] = make.placed()
    known = client.get(path, {"number": order.external_id})
    unknown = client.get(path, {"number": "nobody's"})

    assert west.context["picked_name"] == "Speed first"
    assert west.context["why"] == "The rule “West” holds."
    assert [(step.name, step.won, step.asked) for step in west.context["steps"]] == [
        ("Gold", False, True), ("West", True, True),
    ]  # fmt: skip
    assert plain.context["picked_name"] == "Balanced"
    assert plain.context["why"] == "No rule holds; it is the merchant's default."
    assert known.context["order"] == order
    assert "There is no order with this number." in unknown.content.decode()

"""The editor of rule sets: what its page is given, what it answers, who may, and two people at one draft."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone, translation

from orderhub.access.models import User
from orderhub.inventory.models import Sku
from orderhub.orders import steps
from orderhub.orders.models import Order
from rules import desks, drafts, services
from rules.engine import RuleError
from rules.flow import Context
from rules.models import Rule, RuleSet, RuleVersion
from tests.admin import desk
from tests.orders import builders as make
from tests.orders.promotion_cases import do, when

pytestmark = pytest.mark.django_db


def a_set(*bodies: dict[str, Any], purpose: str = "price", merchant: str = "") -> RuleSet:
    """A set of a merchant's own, with a draft."""
    owner = make.merchant(merchant) if merchant else make.merchant()
    made = RuleSet.objects.create(
        code="sale", name="大促", name_en="Sale", purpose=purpose, scope=f"merchant:{owner.pk}"
    )
    for number, body in enumerate(bodies):
        Rule.objects.create(
            ruleset=made, **{"code": f"r{number}", "name": f"优惠{number}", "priority": number, **body}
        )
    return made


def goods(code: str = "CUP", price: str = "10") -> Sku:
    """A SKU of the usual merchant with a list price."""
    made = make.sku(code)
    made.price = Decimal(price)
    made.save()
    return made


def order(number: str, price: str) -> Order:
    """An order of one unit."""
    (made,) = make.placed(make.draft(number, lines=[make.line(price=price)]))
    return made


def rule(code: str = "r0", **fields: Any) -> dict[str, Any]:
    """One rule as the page sends it."""
    return {
        "code": code, "name": code, "name_en": "", "priority": 10, "when": {"all": []},
        "then": [do("amount_off", value="5")], "group": "", "stop": False, "valid_from": None, "valid_to": None,
        "is_active": True, **fields,
    }  # fmt: skip


def ask(client: Client, found: RuleSet, deed: str, *rules: dict[str, Any], **fields: Any) -> Any:
    """What the page asks while somebody works."""
    body = {"rule": [json.dumps(one) for one in rules], **fields}
    return client.post(f"/admin/rules/ruleset/{found.pk}/blocks/{deed}/", body)


def given(client: Client, found: RuleSet) -> dict[str, Any]:
    """What the page draws from."""
    answer = client.get(f"/admin/rules/ruleset/{found.pk}/blocks/")
    assert answer.status_code == 200
    return dict(answer.context["given"])


# ---- the page --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("purpose", "word"), [("price", "threshold_off"), ("screen", "hold")])
def test_the_page_has_every_word_of_its_purpose_and_what_may_be_chosen(purpose: str, word: str) -> None:
    sku = goods("TEA", "20")
    make.channel()
    found = a_set({"actions": [do("gift", skus=["TEA"])]} if purpose == "price" else {}, purpose=purpose)
    boss = desk.boss()

    page = given(boss, found)

    known = {action["name"]: action for action in page["words"]["actions"]}
    assert word in known
    assert all(fact["ops"] for fact in page["words"]["facts"])
    assert page["sources"]["order.channel"] == "channel"
    assert [make.channel().code] == [value for value, *_rest in page["choices"]["channel"]]
    if purpose == "price":
        assert page["skus"] == [["TEA", sku.name, f"{sku.price:.2f}"]]
    else:
        assert "risk" in {value for value, *_rest in page["choices"]["reason"]}
    html = boss.get(f"/admin/rules/ruleset/{found.pk}/blocks/").content.decode()
    assert ('data-part="cart"' in html) == (purpose == "price")


def test_the_plain_form_leads_to_the_editor() -> None:
    found = a_set()
    boss = desk.boss()

    answer = boss.get(f"/admin/rules/ruleset/{found.pk}/edit-in-blocks/")

    assert answer["Location"] == f"/admin/rules/ruleset/{found.pk}/blocks/"
    assert boss.get("/admin/rules/ruleset/nonsense/edit-in-blocks/").status_code == 404


# ---- looking ---------------------------------------------------------------------------------------


def test_each_rule_is_told_in_the_readers_language_and_faults_at_their_place() -> None:
    found = a_set()
    rules = [
        rule("good", then=[do("threshold_off", full="300", off="50")], valid_to="2027-01-01T00:00:00+08:00"),
        rule("bad", then=[do("threshold_off", full="30", off="50")]),
        rule("odd", when=when("order.total", ">", "much")),
    ]

    zh = ask(desk.boss(), found, "look", *rules).json()
    en = ask(desk.boss("en"), found, "look", *rules).json()

    assert zh["sentences"]["good"].endswith("满300减50。到 2027-01-01 00:00 止。")
    assert en["sentences"]["good"].endswith("50 off from 300. Until 2027-01-01 00:00.")
    assert [(x["rule"], x["path"], x["level"]) for x in zh["findings"]] == [
        ("bad", "then[0].with.off", "error"),
        ("odd", "when.value", "error"),
    ]
    assert en["findings"][0]["text"] == "takes off more than the sum it asks for"
    assert Rule.objects.count() == 0


def test_a_rule_that_is_off_blocks_nothing_but_is_looked_at() -> None:
    found = a_set()

    told = ask(desk.boss(), found, "look", rule("odd", is_active=False, then=[do("nonsense")])).json()

    assert [(x["level"], x["code"]) for x in told["findings"]] == [("warning", "unknown_action")]


def test_changes_are_told_against_what_is_in_force() -> None:
    found = a_set({"actions": [do("amount_off", value="5")]}, {"actions": [do("amount_off", value="6")]})
    services.publish(found, None)
    kept, gone = drafts.documents(found)
    new = rule("r9", name="新")

    told = ask(desk.boss(), found, "look", {**kept, "priority": 7}, new).json()

    assert {x["sign"]: x["text"].partition(":")[0] for x in told["changes"]} == {
        "~": kept["name"], "+": "新", "−": gone["name"],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("spoilt", "place"),
    [
        ({"name": " "}, "r0.name"), ({"name": "x" * 121}, "r0.name"), ({"priority": "1"}, "r0.priority"),
        ({"priority": 2**40}, "r0.priority"), ({"code": "a b"}, "rules[0].code"), ({"code": "../x"}, "rules[0].code"),
        ({"valid_from": "2026-01-01"}, "r0.valid_from"), ({"valid_to": "soon"}, "r0.valid_to"), ({"when": []}, "r0.when"),
        ({"then": {}}, "r0.when"), ({"stop": 1}, "r0.stop"), ({"extra": 1}, "rules[0]"), ({"group": None}, "r0.group"),
    ],
)  # fmt: skip
def test_what_has_no_shape_is_refused_with_its_place(spoilt: dict[str, Any], place: str) -> None:
    found = a_set()
    token = drafts.token(found)

    answer = ask(desk.boss(), found, "save", {**rule(), **spoilt}, token=token)

    assert (answer.status_code, answer.json()["path"]) == (400, place)
    assert not found.rules.exists()


def test_hostile_texts_are_refused() -> None:
    deep = json.dumps(rule()).replace('{"all": []}', '{"not":' * 60 + '{"all": []}' + "}" * 60)
    twice = json.dumps(rule())[:-1] + ', "name": "again"}'
    floats = json.dumps(rule(then=[{"do": "amount_off", "with": {"value": 0.5}}]))
    for text in (deep, twice, floats, "[" * 9, "{}", "x" * 70_000):
        with pytest.raises(RuleError):
            drafts.given([text])
    with pytest.raises(RuleError, match="used twice"):
        drafts.given([json.dumps(rule()), json.dumps(rule())])


# ---- keeping, and two people at once -----------------------------------------------------------------


def test_a_draft_is_kept_as_it_was_sent_and_only_what_changed_is_written() -> None:
    found = a_set({"actions": [do("amount_off", value="5")]}, {"actions": [do("amount_off", value="6")]})
    first, second = drafts.documents(found)
    changed = {**second, "then": [do("percent_off", value=10)], "valid_from": "2026-12-01T20:00:00+08:00"}
    third = rule(
        "r7", when={"any": [when("order.total", ">=", 300), {"not": when("order.green", "==", True)}]}
    )

    answer = ask(desk.boss(), found, "save", first, changed, third, token=drafts.token(found)).json()

    assert answer["rules"] == [
        first,
        {**changed, "valid_from": "2026-12-01T12:00:00+00:00"},
        third,
    ]
    assert answer["token"] == drafts.token(found)
    assert [rule.history.count() for rule in found.rules.order_by("code")] == [1, 2, 1]


def test_a_half_done_rule_is_kept_and_cannot_be_published() -> None:
    found = a_set()
    boss = desk.boss()
    half = rule(then=[{"do": "threshold_off", "with": {"full": ""}}])

    token = ask(boss, found, "save", half, token=drafts.token(found)).json()["token"]
    refused = ask(boss, found, "publish", token=token)

    assert drafts.documents(found)[0]["then"] == half["then"]
    assert refused.status_code == 400
    assert not RuleVersion.objects.exists()


def test_who_is_second_overwrites_nothing_and_is_told_who_was_first() -> None:
    found = a_set({"actions": [do("amount_off", value="5")]})
    opened = drafts.token(found)
    (one,) = drafts.documents(found)
    ann = desk.browser(User.objects.create(username="ann", is_staff=True, is_superuser=True), "zh-hans")
    ask(ann, found, "save", {**one, "name": "安的"}, token=opened)

    refused = ask(desk.boss(), found, "save", {**one, "name": "老板的"}, token=opened)

    told = refused.json()
    assert (refused.status_code, told["is_stale"]) == (409, True)
    assert "ann" in told["text"]
    assert found.rules.get().name == "安的"
    assert ask(desk.boss(), found, "publish", token=opened).status_code == 409
    stand = ask(desk.boss(), found, "stand", token=opened).json()
    assert "ann" in stand["changed"]
    assert "ann" not in stand["others"]
    assert ask(ann, found, "stand", token=stand["token"]).json() | {"stand": 0} == {
        "token": stand["token"], "changed": "", "others": ["boss"], "stand": 0,
    }  # fmt: skip


# ---- publishing --------------------------------------------------------------------------------------


def test_publishing_prices_the_next_order_and_going_back_the_one_after() -> None:
    goods("CUP", "100")
    found = a_set({"actions": [do("amount_off", value="5")]})
    boss = desk.boss()

    first = ask(boss, found, "publish", token=drafts.token(found), note="一").json()
    found.rules.update(actions=[do("amount_off", value="8")])
    second = ask(boss, found, "publish", token=drafts.token(found)).json()
    again = ask(boss, found, "publish", token=drafts.token(found)).json()
    assert _off() == Decimal(8)
    back = ask(boss, found, "restore", number="1").json()

    assert (first["back"], second["back"], again["back"], back["back"]) == (None, 1, None, 2)
    assert "2" in again["text"]
    assert back["stand"]["in_force"] == 3
    assert [row["number"] for row in back["stand"]["versions"]] == [3, 2, 1]
    assert _off() == Decimal(5)
    assert drafts.documents(found)[0]["then"] == [do("amount_off", value="8")]
    assert ask(boss, found, "version", number="2").json()["rules"][0]["then"] == [do("amount_off", value="8")]


def _off() -> Decimal:
    made = order(f"O{Order.objects.count()}", "500.00")
    steps.price([made], Context(now=timezone.now(), actor="test"))
    return Order.objects.get(pk=made.pk).discount_total


def test_a_version_for_later_is_shown_and_can_be_withdrawn() -> None:
    found = a_set({"actions": [do("amount_off", value="5")]})
    boss = desk.boss()
    later = timezone.localtime() + timedelta(days=1)
    past = timezone.localtime() - timedelta(days=1)

    refused = ask(boss, found, "publish", token=drafts.token(found), effective_at=f"{past:%Y-%m-%dT%H:%M}")
    made = ask(
        boss, found, "publish", token=drafts.token(found), effective_at=f"{later:%Y-%m-%dT%H:%M}"
    ).json()
    withdrawn = ask(boss, found, "withdraw", number="1").json()

    assert refused.status_code == 400
    assert "effective_at" in refused.json()["fields"]
    assert (made["stand"]["in_force"], made["stand"]["versions"][0]["is_waiting"]) == (None, True)
    assert withdrawn["stand"]["versions"][0]["is_waiting"] is False
    assert ask(boss, found, "withdraw", number="1").status_code == 409
    assert ask(boss, found, "restore", number="77").status_code == 404


# ---- carts and effects -------------------------------------------------------------------------------


def test_a_cart_is_tried_on_what_is_on_the_page_to_the_cent() -> None:
    goods("CUP", "33.33")
    found = a_set()
    rules = [
        rule("half", then=[do("nth_price", nth=2, percent="50", skus=["CUP"])]),
        rule(
            "gold", priority=20, when=when("customer.level", "==", "gold"), then=[do("amount_off", value="1")]
        ),
    ]
    fields = {"channel": str(make.channel().pk), "sku": ["CUP"], "units": ["3"], "price": ["33.33"]}

    plain = ask(desk.boss(), found, "cart", *rules, **fields).json()
    gold = ask(desk.boss("en"), found, "cart", *rules, **fields, member_level="gold").json()

    assert (plain["goods"], plain["discount"], plain["pay"]) == ("99.99", "16.67", "83.32")
    assert [x["promotion"] for x in plain["applied"]] == ["sale/half"]
    assert "会员等级" in plain["skipped"][0]["text"]
    half = ask(desk.boss(), found, "cart", rule(then=[do("gift", skus=[])]), **fields)
    assert (half.status_code, list(half.json())) == (200, ["fault"])
    assert (gold["discount"], gold["pay"]) == ("17.67", "82.32")
    assert not RuleVersion.objects.exists()


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"channel": "x"}, "channel"), ({"channel": "999999"}, "channel"), ({"sku": []}, "sku"), ({"sku": ["NONE"]}, "sku"),
        ({"units": ["0"]}, "units"), ({"units": ["1.5"]}, "units"), ({"price": ["cheap"]}, "price"),
        ({"price": ["NaN"]}, "price"), ({"at": "noon"}, "at"), ({"units": ["1", "2"]}, "sku"),
    ],
)  # fmt: skip
def test_a_cart_that_makes_no_sense_is_told_by_field(changed: dict[str, Any], field: str) -> None:
    goods("CUP", "10")
    fields = {"channel": str(make.channel().pk), "sku": ["CUP"], "units": ["1"], "price": [""], **changed}

    answer = ask(desk.boss(), a_set(), "cart", rule(), **fields)

    assert (answer.status_code, list(answer.json()["fields"])) == (400, [field])


def test_goods_are_found_by_a_part_of_their_name_and_orders_by_number() -> None:
    goods("CUP", "10")
    goods("TEA", "20")
    found = a_set()
    boss = desk.boss()
    made = order("O-77", "100.00")

    assert [value for value, *_x in ask(boss, found, "find", text="te").json()["found"]] == ["TEA"]
    sample = ask(boss, found, "sample", number="O-77").json()
    assert sample["channel"] == str(made.channel_id)
    assert [(line["sku"], line["units"], line["price"]) for line in sample["lines"]] == [("TEA", 1, "100.00")]
    assert ask(boss, found, "sample", number="none").status_code == 400


def test_the_effect_counts_orders_of_the_week_and_writes_nothing() -> None:
    order("O1", "100.00")
    order("O2", "500.00")
    Order.objects.update(received_at=timezone.now() - timedelta(days=3))
    found = a_set()
    half = rule(then=[do("threshold_off", full="300", off="50")])

    told = ask(desk.boss(), found, "effect", half).json()

    assert (told["looked_at"], told["hit"], told["changed"]) == (2, 1, 1)
    assert told["given"] == told["largest"] == told["more_off"] == [{"currency": "CNY", "amount": "50.00"}]
    assert [(x["number"], x["was"], x["would"]) for x in told["orders"]] == [("O2", "0.00", "50.00")]
    assert set(Order.objects.values_list("discount_total", flat=True)) == {Decimal(0)}


# ---- rights ------------------------------------------------------------------------------------------


def test_a_strategist_works_and_publishes_an_operator_looks_and_others_do_not_enter() -> None:
    found = a_set({"actions": [do("amount_off", value="5")]})
    strategist, operator, support = (desk.member(role) for role in ("strategist", "operator", "support"))
    (one,) = drafts.documents(found)

    assert given(strategist, found)["can_publish"]
    saved = ask(strategist, found, "save", {**one, "name": "改"}, token=drafts.token(found))
    assert (saved.status_code, found.rules.get().name) == (200, "改")
    assert ask(strategist, found, "publish", token=drafts.token(found)).status_code == 200
    looking = given(operator, found)
    assert (looking["can_edit"], looking["can_publish"]) == (False, False)
    assert ask(operator, found, "look", one).status_code == 200
    for deed in ("save", "publish", "restore", "withdraw"):
        assert ask(operator, found, deed, one, token=drafts.token(found), number="1").status_code == 403
    assert support.get(f"/admin/rules/ruleset/{found.pk}/blocks/").status_code in (302, 403)
    assert ask(support, found, "look", one).status_code in (302, 403)


def test_staff_of_one_merchant_find_only_their_own_sets_and_goods() -> None:
    goods("CUP", "10")
    found = a_set({"actions": [do("amount_off", value="5")]})
    other = make.merchant("other")
    stranger = desk.member("strategist", merchant=other)
    own = a_set(merchant="other")

    for deed in ("look", "save", "load", "stand", "publish", "restore", "cart", "effect", "find", "version"):
        assert ask(stranger, found, deed, rule(), number="1").status_code == 404
    assert stranger.get(f"/admin/rules/ruleset/{found.pk}/blocks/").status_code == 404
    page = given(stranger, own)
    assert page["choices"]["channel"] == page["choices"]["trial_channel"] == []
    assert ask(stranger, own, "find", text="CUP").json() == {"found": []}
    assert (
        ask(
            stranger, own, "cart", rule(), channel=str(make.channel().pk), sku="CUP", units="1", price=""
        ).status_code
        == 400
    )


def test_only_what_is_asked_by_post_and_by_a_known_name_is_answered() -> None:
    found = a_set()
    boss = desk.boss()

    assert boss.get(f"/admin/rules/ruleset/{found.pk}/blocks/look/").status_code == 405
    assert ask(boss, found, "nonsense").status_code == 404
    assert boss.get("/admin/rules/ruleset/999999/blocks/").status_code == 404


def test_a_purpose_without_a_desk_offers_nothing() -> None:
    assert desks.of("nothing") == desks.Desk()
    with translation.override("en"):
        assert ask(desk.boss("en"), a_set(purpose="screen"), "effect", rule()).status_code == 404

"""Custom fields as words of rules: promotions, screening, risk; removing what rules name; drafts that name what is gone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from orderhub.fields import services, uses
from orderhub.fields.models import Field
from orderhub.fields.services import InUse
from orderhub.kernel import clock
from orderhub.kernel.errors import Refused
from orderhub.orders.models import Channel, Hold, Order
from orderhub.orders.risk import policies
from orderhub.orders.risk.models import Assessment, RiskSignal
from rules import services as rules
from rules import vocabulary
from rules.engine import RuleError
from rules.models import Rule, RuleSet
from tests import cast, make
from tests.fields.conftest import WRAPS, Add

pytestmark = pytest.mark.django_db


def rule_set(when: Any, then: Any, *, purpose: str = "price", scope: str | None = None) -> RuleSet:
    """A set of Alice's with one rule, not published."""
    scope = f"merchant:{make.merchant().pk}" if scope is None else scope
    found = RuleSet.objects.create(code="wraps", name="包装", name_en="Wraps", purpose=purpose, scope=scope)
    Rule.objects.create(ruleset=found, code="gold", name="金色包装", condition=when, actions=then)
    return found


def is_(name: str, value: Any, op: str = "==") -> dict[str, Any]:
    return {"fact": name, "op": op, "value": value}


OFF = [{"do": "amount_off", "with": {"value": "30"}}]
HOLD = [{"do": "hold", "with": {"reason": "risk"}}]


def placed(number: str = "A-1", **fields: Any) -> Order:
    (order,) = make.place(make.draft(number, **fields))
    make.run_until_idle()
    return Order.objects.get(pk=order.pk)


def test_a_promotion_prices_by_a_field_of_the_order(add: Add, hub_clock: make.Clock) -> None:
    make.network()
    add("order", "gift_wrap", "choice", choices=WRAPS)
    rules.publish(rule_set(is_("order.custom.gift_wrap", "gold"), OFF), None)

    with_wrap, without = (
        placed("A-1", custom={"gift_wrap": "gold"}),
        placed("A-2", custom={"gift_wrap": "red"}),
    )

    assert (with_wrap.discount_total, without.discount_total) == (30, 0)


@pytest.mark.parametrize(
    ("name", "op", "value", "fires"),
    [
        ("sku.custom.length_cm.max", ">=", 90, True),
        ("sku.custom.length_cm.max", ">", 90, False),
        ("sku.custom.length_cm.min", "==", 10, True),
        ("sku.custom.length_cm.sum", "==", 110, True),
        ("sku.custom.care", "contains", "dry", True),
        ("sku.custom.care", "in", ["wet"], False),
        ("line.custom.fragile", "==", True, True),
        ("line.custom.weight.sum", "==", "2.5", True),
        ("line.custom.weight.max", "<", "2.5", False),
        ("order.custom.due", "within", {"from": "2026-12-24", "to": "2026-12-26"}, True),
        ("order.custom.due", "within", {"from": "2026-12-01", "to": "2026-12-23"}, False),
        ("order.custom.slot", "within", {"from": "20:00", "to": "22:00"}, True),
        ("order.custom.budget", "between", ["10", "13"], True),
        ("order.custom.tags", "contains", "gold", True),
        ("order.custom.tags", "contains", "red", False),
        ("order.custom.unknown_here", "is_set", False, True),
    ],
)
def test_every_type_is_compared_as_what_it_is(
    add: Add, hub_clock: make.Clock, name: str, op: str, value: Any, fires: bool
) -> None:
    make.network()
    goods = make.goods()
    add("sku", "length_cm", "integer")
    add("sku", "care")
    add("line", "fragile", "boolean")
    add("line", "weight", "decimal")
    add("order", "due", "date")
    add("order", "slot", "time")
    add("order", "budget", "money")
    add("order", "tags", "choices", choices=WRAPS)
    add("order", "unknown_here")
    for code, values in {"LAMP": {"length_cm": 90, "care": "dry"}, "CUP": {"length_cm": 10}}.items():
        goods[code].custom = values
        goods[code].save()
    draft = make.draft(lines={"LAMP": 1, "CUP": 2}, custom={
        "due": "2026-12-24", "slot": "20:30", "budget": "12.5", "tags": ["gold"],
    })  # fmt: skip
    draft.lines[0].custom = {"fragile": False, "weight": "2.5"}
    draft.lines[1].custom = {"fragile": True}
    rules.publish(rule_set(is_(name, value, op), HOLD, purpose="screen"), None)

    make.place(draft)
    make.run_until_idle()

    assert Hold.objects.filter(reason="risk").exists() is fires


def test_only_the_merchants_own_rules_know_its_fields(add: Add) -> None:
    make.network()
    add("order", "mine")
    add("order", "shared", owner=None)
    bobs = f"merchant:{make.merchant(cast.BOB).pk}"

    def words(scope: str) -> set[str]:
        return {name for name in vocabulary.words("price", scope).facts if ".custom." in name}

    assert words(f"merchant:{make.merchant().pk}") == {"order.custom.mine", "order.custom.shared"}
    assert words(bobs) == words("") == {"order.custom.shared"}
    with pytest.raises(RuleError) as fault:
        rules.publish(rule_set({"all": [is_("order.custom.mine", "x")]}, OFF, scope=bobs), None)
    assert (fault.value.path, fault.value.code) == ("gold.when.all[0].fact", "unknown_fact")


def test_a_draft_naming_a_removed_field_is_refused_with_place_and_reason(add: Add) -> None:
    make.network()
    field = add("order", "gift_wrap", "choice", choices=WRAPS)
    drafted = rule_set({"all": [is_("order.green", True), is_("order.custom.gift_wrap", "gold")]}, OFF)
    first = rules.publish(drafted, None)
    Rule.objects.update(condition={"all": []})
    rules.publish(drafted, None)
    services.archive(field, now=clock.now(), actor="user:test")
    Rule.objects.update(condition={"all": [is_("order.green", True), is_("order.custom.gift_wrap", "gold")]})

    for attempt in (
        lambda: rules.publish(drafted, None),
        lambda: rules.roll_back(drafted, first.number, None),
    ):
        with pytest.raises(RuleError) as fault:
            attempt()
        assert (fault.value.path, fault.value.code) == ("gold.when.all[1].fact", "removed_field")
        assert "was removed" in fault.value.en
        assert "已被移除" in fault.value.zh


def test_a_field_in_force_is_not_removed_and_its_uses_are_listed(add: Add) -> None:
    make.network()
    field = add("order", "gift_wrap", "choice", choices=WRAPS, in_list=True, customer_sees=True)
    drafted = rule_set(is_("order.custom.gift_wrap", "gold"), OFF)
    assert [(use.kind, use.blocks) for use in uses.of(field) if use.title == "包装"] == [("规则草稿", False)]
    rules.publish(drafted, None)

    with pytest.raises(InUse) as fault:
        services.archive(field, now=clock.now(), actor="user:test")

    assert "包装" in str(fault.value)
    assert Field.objects.get().archived_at is None
    found = uses.of(field)
    assert (found[0].blocks, found[0].title, found[0].detail) == (True, "包装", "版本 1：金色包装")
    field.kind = "text"
    with pytest.raises(InUse):
        services.save(field, actor="user:test")
    # A version that waits for its time keeps the field too.
    Rule.objects.update(condition={"all": []})
    rules.publish(drafted, None)
    Rule.objects.update(condition=is_("order.custom.gift_wrap", "gold"))
    rules.publish(drafted, None, effective_at=clock.now() + timedelta(days=1))
    with pytest.raises(InUse):
        services.archive(field, now=clock.now(), actor="user:test")


def test_a_type_is_told_apart_in_what_is_compiled(add: Add, hub_clock: make.Clock) -> None:
    """The same rule over a field that is a text, then a number, compares it as what it is now."""
    make.network()
    field = add("order", "floor", "decimal")
    drafted = rule_set(is_("order.custom.floor", "3"), OFF)
    rules.publish(drafted, None)
    assert placed("A-1", custom={"floor": "3"}).discount_total == 30
    Rule.objects.update(condition={"all": [is_("order.green", True)]})
    rules.publish(drafted, None)
    field.kind = "text"
    services.save(field, actor="user:test")
    Rule.objects.update(condition=is_("order.custom.floor", "3"))
    rules.publish(drafted, None)

    assert placed("A-2", custom={"floor": "3"}).discount_total == 30


def test_a_risk_signal_asks_for_a_field(add: Add, hub_clock: make.Clock) -> None:
    alice = make.network()
    field = add("order", "agent", "boolean")
    policy = policies.start(alice, now=clock.now(), live=True)
    RiskSignal.objects.create(
        policy=policy, code="by_agent", group="order", mode="live", points=80, condition=is_("order.custom.agent", True),
        name="代购", name_en="by an agent", says="代购下单", says_en="Placed by an agent", mode_since=clock.now(),
    )  # fmt: skip
    make.channel("api", owner=alice)
    Channel.objects.update(risk_mode="live")
    policies.publish(policy, None, now=clock.now())

    placed("R-1", custom={"agent": True})
    placed("R-2", custom={"agent": False})

    fired = {x.order.external_id: [one["code"] for one in x.fired] for x in Assessment.objects.all()}
    assert "by_agent" in fired["R-1"]
    assert "by_agent" not in fired["R-2"]
    with pytest.raises(Refused):
        services.archive(field, now=clock.now(), actor="user:test")

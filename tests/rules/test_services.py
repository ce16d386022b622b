"""Publishing: immutable versions, in force at once, refused with the place of the fault."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rules import services, vocabulary
from rules.engine import Action, CompiledRule, Fact, RuleError
from rules.models import Flow, Rule, RuleSet, RuleVersion

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
ALWAYS: dict[str, Any] = {"all": []}


@pytest.fixture(autouse=True)
def _words(monkeypatch: pytest.MonkeyPatch) -> None:
    """A purpose of its own, so that these tests know nothing of orders."""
    for name in ("_facts", "_actions", "_checks"):
        monkeypatch.setattr(vocabulary, name, {})
    vocabulary.teach(
        "screen",
        facts=[Fact("x", "integer", "数", "x")],
        actions=[Action("act", {"n": "integer"}, "做", "act")],
    )


def ruleset(code: str = "s", *, scope: str = "", n: int = 1, **fields: Any) -> RuleSet:
    made = RuleSet.objects.create(code=code, name=code, purpose="screen", scope=scope)
    rule(made, n=n, **fields)
    return made


def rule(owner: RuleSet, code: str = "r", *, n: int = 1, condition: Any = None, **fields: Any) -> Rule:
    return Rule.objects.create(
        ruleset=owner, code=code, name=code, condition=condition or ALWAYS,
        actions=[{"do": "act", "with": {"n": n}}], **fields,
    )  # fmt: skip


def fired(*, scope: str = "", x: int = 0, now: datetime = NOW) -> list[Any]:
    return [
        action.params["n"]
        for found in services.in_force("screen", scope)
        for action in found.run({"x": x}, now=now).actions
    ]


def test_a_draft_counts_only_once_it_is_published() -> None:
    draft = ruleset(n=7)

    assert fired() == []

    version = services.publish(draft, None, "first", now=NOW)

    assert (version.number, version.note, version.published_at) == (1, "first", NOW)
    assert fired() == [7]


def test_a_new_version_counts_at_once_and_the_old_one_stays_as_it_was() -> None:
    draft = ruleset(n=1)
    first = services.publish(draft, None, now=NOW)
    draft.rules.update(actions=[{"do": "act", "with": {"n": 2}}])
    before = first.content

    second = services.publish(draft, None, now=NOW)

    assert (second.number, fired()) == (2, [2])
    assert RuleVersion.objects.get(number=1).content == before


def test_publishing_the_same_again_makes_no_version() -> None:
    draft = ruleset()

    assert services.publish(draft, None, now=NOW) == services.publish(draft, None, now=NOW)
    assert RuleVersion.objects.count() == 1


def test_rolling_back_publishes_the_older_content_again() -> None:
    draft = ruleset(n=1)
    services.publish(draft, None, now=NOW)
    draft.rules.update(actions=[{"do": "act", "with": {"n": 2}}])
    services.publish(draft, None, now=NOW)

    version = services.roll_back(draft, 1, None, "was better", now=NOW)

    assert (version.number, fired()) == (3, [1])


def test_a_faulty_rule_is_refused_with_its_place_and_nothing_is_written() -> None:
    draft = ruleset()
    rule(draft, "bad", condition={"fact": "y", "op": "==", "value": 1})

    with pytest.raises(RuleError) as refused:
        services.publish(draft, None, now=NOW)

    assert (refused.value.path, refused.value.code) == ("bad.when.fact", "unknown_fact")
    assert RuleVersion.objects.count() == 0


def test_a_purpose_may_check_more_than_types() -> None:
    def small(found: CompiledRule) -> None:
        if found.actions[0].params["n"] > 5:  # type: ignore[operator]
            raise RuleError("then[0].with.n", "range", zh="太大", en="too large")

    vocabulary.teach("screen", check=small)

    with pytest.raises(RuleError) as refused:
        services.publish(ruleset(n=6), None, now=NOW)

    assert (refused.value.path, refused.value.zh) == ("r.then[0].with.n", "太大")


def test_general_sets_come_before_a_merchants_own_and_others_do_not_count() -> None:
    for code, scope, n in (("a", "merchant:1", 1), ("b", "", 2), ("c", "merchant:2", 3)):
        services.publish(ruleset(code, scope=scope, n=n), None, now=NOW)

    assert fired(scope="merchant:1") == [2, 1]
    assert fired() == [2]
    many = services.in_force_many("screen", ["merchant:1", "merchant:2"])
    assert {scope: [found.code for found in sets] for scope, sets in many.items()} == {
        "merchant:1": ["b", "a"], "merchant:2": ["b", "c"],
    }  # fmt: skip


def test_inactive_sets_and_rules_do_not_count() -> None:
    off, partly = ruleset("off", n=1), ruleset("partly", n=2)
    rule(partly, "asleep", n=3, is_active=False)
    services.publish(off, None, now=NOW)
    services.publish(partly, None, now=NOW)
    RuleSet.objects.filter(pk=off.pk).update(is_active=False)

    assert fired() == [2]


def test_a_rule_counts_only_in_its_time() -> None:
    services.publish(ruleset(valid_from=NOW, valid_to=NOW + timedelta(days=1)), None, now=NOW)

    assert fired(now=NOW - timedelta(seconds=1)) == []
    assert fired(now=NOW) == [1]
    assert fired(now=NOW + timedelta(days=1)) == []


def test_asking_what_is_in_force_is_one_query(django_assert_num_queries: Any) -> None:
    for code in "abc":
        services.publish(ruleset(code), None, now=NOW)

    with django_assert_num_queries(1):
        services.in_force_many("screen", ["merchant:1", "merchant:2"])


def test_a_draft_can_be_tried_without_publishing() -> None:
    tried = services.draft(ruleset(n=4, condition={"fact": "x", "op": ">", "value": 10}))

    assert [action.params["n"] for action in tried.run({"x": 11}, now=NOW).actions] == [4]
    assert tried.run({"x": 1}, now=NOW).trace[0].status == "not_matched"
    assert RuleVersion.objects.count() == 0


def test_flows_are_found_by_scope_and_broken_ones_are_left_out(caplog: pytest.LogCaptureFixture) -> None:
    Flow.objects.create(code="a", name="a", scope="merchant:1", steps=["no.such"])
    Flow.objects.create(code="b", name="b", scope="merchant:2", steps=["order.screen"])
    Flow.objects.create(code="c", name="c", scope="merchant:3", steps=["order.screen"], is_active=False)

    found = services.flows(["merchant:1", "merchant:2", "merchant:3"])

    assert found == {"merchant:2": ("order.screen",)}
    assert "no.such" in caplog.text

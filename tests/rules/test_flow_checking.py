"""Drawn flows: what the checks find, with the exact place, and that the ready-made ones are sound."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from rules import vocabulary
from rules.engine import RuleError
from rules.flows import checking, starters
from rules.flows.graph import ELSE, flat, read

JOURNEY = (
    "order.screen", "order.price", "routing.route", "fulfillment.reserve", "routing.wave", "fulfillment.release",
)  # fmt: skip
HIGH = {"exit": "high", "when": {"all": [{"fact": "order.total", "op": ">=", "value": "5000"}]}}


def found(content: Any) -> list[tuple[str, tuple[str, ...]]]:
    findings = checking.findings(read(content), vocabulary.words("flow"))
    assert all(x.zh and x.en for x in findings)
    return [(x.code, x.nodes) for x in findings]


def drawing(*edges: str, **steps: Any) -> dict[str, Any]:
    """Nodes by name (a step, or a step with what it is given) and edges like "a-b" or "a:exit-b"."""
    nodes = []
    for name, step in steps.items():
        given: dict[str, Any] = step[1] if isinstance(step, tuple) else {}
        nodes.append({"id": name, "step": step[0] if isinstance(step, tuple) else step, "with": given})
    lines = []
    for edge in edges:
        left, right = edge.split("-")
        source, _, exit_ = left.partition(":")
        lines.append({"from": source, "to": right, "exit": exit_})
    return {"nodes": nodes, "edges": lines}


def standard(*edges: str, without: str = "", **more: Any) -> dict[str, Any]:
    """The built-in journey as nodes screen … release with further nodes; `edges` replace its line `without`."""
    steps = dict(zip(("screen", "price", "route", "reserve", "wave", "release"), JOURNEY, strict=True))
    names = ["start", *steps, "end"]
    lines = [f"{a}-{b}" for a, b in pairwise(names) if f"{a}-{b}" != without]
    return drawing(*lines, *edges, start="flow.start", **steps, end="flow.end", **more)


def test_the_built_in_journey_drawn_flat_is_sound() -> None:
    assert found(flat(JOURNEY)) == []


@pytest.mark.parametrize("starter", starters.all_(), ids=lambda x: x.code)
@pytest.mark.django_db
def test_every_starter_is_sound(starter: starters.Starter) -> None:
    wrong = [
        x for x in found(starter.content) if x != ("field", ("fast",))
    ]  # the strategy is the merchant's own

    assert wrong == []


def test_there_are_six_starters_with_words_in_both_languages() -> None:
    assert [x.code for x in starters.all_()] == [
        "standard", "high-value", "merge-window", "cross-border", "make-to-order", "vip",
    ]  # fmt: skip
    assert all(x.name and x.name_en and x.about and x.about_en for x in starters.all_())


def test_a_decision_must_cover_every_order() -> None:
    content = standard(
        "price-big", "big:high-route", without="price-route", big=("flow.decide", {"branches": [HIGH]})
    )

    assert found(content) == [("uncovered", ("big",))]


def test_a_node_nothing_comes_after_is_a_dead_end() -> None:
    content = standard(
        "price-big", "big:high-stop", "big:else-route", without="price-route",
        big=("flow.decide", {"branches": [HIGH]}), stop=("flow.tag", {"tag": "x"}),
    )  # fmt: skip

    assert found(content) == [("dead_end", ("stop",))]


def test_a_node_nobody_comes_to_is_named() -> None:
    assert found(standard("lost-route", lost=("flow.tag", {"tag": "x"}))) == [("unreachable", ("lost",))]


def test_a_circle_without_a_wait_is_refused_and_one_with_a_wait_is_not() -> None:
    big = ("flow.decide", {"branches": [HIGH]})
    tag = ("flow.tag", {"tag": "x"})

    circle = standard(
        "price-big", "big:high-tag", "tag-big", "big:else-route", without="price-route", big=big, tag=tag
    )
    waiting = standard(
        "price-big", "big:high-tag", "tag-later", "later-big", "big:else-route", without="price-route",
        big=big, tag=tag, later=("flow.wait_minutes", {"minutes": 5}),
    )  # fmt: skip

    assert found(circle) == [("circle", ("big", "tag"))]
    assert found(waiting) == []


def test_a_way_around_a_required_step_is_shown() -> None:
    content = standard(
        "start-big", "big:high-price", "big:else-screen", without="start-screen",
        big=("flow.decide", {"branches": [HIGH]}),
    )  # fmt: skip
    texts = [
        x for x in checking.findings(read(content), vocabulary.words("flow")) if x.code == "missing_step"
    ]

    assert [x.nodes for x in texts] == [("release", "end")]
    assert "Decision → Apply promotions → Choose warehouses" in texts[0].en
    assert ("too_early", ("route",)) in found(content)


def test_steps_stand_in_legal_order() -> None:
    content = drawing(
        "start-screen", "screen-reserve", "reserve-route", "route-release", "release-end",
        start="flow.start", screen="order.screen", reserve="fulfillment.reserve", route="routing.route",
        release="fulfillment.release", end="flow.end",
    )  # fmt: skip

    assert ("too_early", ("reserve",)) in found(content)


def test_waiting_after_release_is_too_late() -> None:
    content = standard(
        "release-late", "late-end", without="release-end", late=("flow.wait_minutes", {"minutes": 5})
    )

    assert found(content) == [("too_late", ("late",))]


def test_a_step_that_may_stand_once_on_a_way() -> None:
    content = standard("price-again", "again-route", without="price-route", again="order.price")

    assert {code for code, _nodes in found(content)} == {"twice"}


@pytest.mark.parametrize(
    ("node", "code"),
    [
        (("nobody.knows", {}), "unknown_step"),
        (("flow.tag", {}), "field"),
        (("flow.tag", {"tag": "x", "color": "red"}), "unknown_field"),
        (("flow.wait_minutes", {"minutes": "5"}), "field"),
        (("flow.wait_minutes", {"minutes": 0}), "field"),
        (("flow.wait_until", {"at": "25:00"}), "field"),
        (("flow.hold", {"reason": "stock"}), "field"),
    ],
)
def test_what_a_node_is_given_is_checked(node: Any, code: str) -> None:
    assert found(standard("price-x", "x-route", without="price-route", x=node)) == [(code, ("x",))]


@pytest.mark.parametrize(
    ("when", "code"),
    [
        ({"all": []}, "empty"),
        ({"fact": "order.moon", "op": "==", "value": "x"}, "unknown_fact"),
        ({"fact": "order.total", "op": "contains", "value": "5"}, "unknown_op"),
        ({"fact": "order.total", "op": ">=", "value": 5.5}, "float"),
    ],
)
def test_conditions_must_compile(when: Any, code: str) -> None:
    big = ("flow.decide", {"branches": [{"exit": "high", "when": when}]})
    content = standard("price-big", "big:high-route", "big:else-route", without="price-route", big=big)

    assert [nodes for _code, nodes in found(content)] == [("big",)]
    assert found(content)[0][0] == code or code == "float"


def test_start_and_end() -> None:
    assert [code for code, _nodes in found({"nodes": [], "edges": []})] == ["start", "end"]


@pytest.mark.parametrize(
    ("content", "path"),
    [
        ([], "flow"),
        ({"nodes": [], "edges": [], "script": "x"}, "flow"),
        ({"nodes": [{"id": "A B", "step": "x"}], "edges": []}, "nodes[0].id"),
        ({"nodes": [{"id": "a", "step": "x"}] * 2, "edges": []}, "nodes[1].id"),
        ({"nodes": [{"id": "a", "step": "x", "x": 1e9}], "edges": []}, "nodes[0].x"),
        ({"nodes": [{"id": "a", "step": "x"}], "edges": [{"from": "a", "to": "b"}]}, "edges[0].to"),
        ({"nodes": [{"id": f"n{n}", "step": "x"} for n in range(81)], "edges": []}, "nodes"),
    ],
)
def test_a_document_of_wrong_form_is_refused_with_its_place(content: Any, path: str) -> None:
    with pytest.raises(RuleError) as refused:
        read(content)

    assert refused.value.path == path


def test_ways_through_a_graph() -> None:
    graph = read(
        standard(
            "price-big", "big:high-look", "look-route", "big:else-route", without="price-route",
            big=("flow.decide", {"branches": [HIGH]}), look=("flow.hold", {"reason": "manual"}),
        )
    )  # fmt: skip

    assert graph.first == graph.nodes["screen"]
    assert [graph.follow("big", exit_).id for exit_ in ("high", ELSE, "gone")] == ["look", "route", "route"]  # type: ignore[union-attr]
    assert graph.follow("release") is None
    assert graph.is_ahead("look", "routing.route")
    assert not graph.is_ahead("reserve", "routing.route")
    assert graph.nearest("routing.route", "release").id == "route"  # type: ignore[union-attr]

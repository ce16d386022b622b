"""Custom fields in drawn flows: decided on, filled by a node, checked when published, tried before, told in the log."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orderhub.events.models import Event
from orderhub.fields import services as fields
from orderhub.fields import uses
from orderhub.fields.models import Field
from orderhub.orders.flows import trying
from orderhub.orders.models import Order
from rules.engine import sentence
from rules.flows import publishing
from rules.flows.publishing import PURPOSE
from rules.vocabulary import words
from tests.orders import builders as make
from tests.orders.test_flow_walking import advance, between, publish, steps

__all__ = ["steps"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("steps")]
WRAPS = [
    {"code": "red", "name": "红色", "name_en": "red"},
    {"code": "gold", "name": "金色", "name_en": "gold"},
]
IS_GOLD = {"all": [{"fact": "order.custom.wrap", "op": "==", "value": "gold"}]}
WHEN_GOLD = (
    "flow.decide",
    {"branches": [{"exit": "gold", "name": "金色", "name_en": "gold", "when": IS_GOLD}]},
)
TAG = ("flow.tag", {"tag": "wrap it"})


def add(code: str, kind: str = "text", **told: Any) -> Field:
    name, name_en = told.pop("name", code), told.pop("name_en", code)
    row = Field(
        target="order", code=code, kind=kind, merchant=make.merchant(), name=name, name_en=name_en, **told
    )
    return fields.save(row, actor="user:test")


def order(number: str, **custom: Any) -> Order:
    [placed] = make.placed(make.draft(number, custom=custom))
    return placed


def fill(field: str, value: str) -> tuple[str, dict[str, Any]]:
    return "flow.set_field", {"field": f"order.custom.{field}", "value": value}


def faults(content: dict[str, Any]) -> list[tuple[str, str]]:
    """What publishing says against a drawing, zh and en."""
    with pytest.raises(publishing.Faulty) as faulty:
        publish(content)
    return [(finding.zh, finding.en) for finding in faulty.value.findings]


def test_a_drawn_flow_goes_by_a_field_and_its_page_names_the_label() -> None:
    add("wrap", "choice", choices=WRAPS, name="包装", name_en="gift wrap")
    content = between("one-wrap", "wrap:gold-tag", "wrap:else-two", "tag-two", wrap=WHEN_GOLD, tag=TAG)
    version = publish(content)
    gold, red, none = order("W1", wrap="gold"), order("W2", wrap="red"), order("W3")

    advance(gold, red, none)

    found = {x.external_id: x.tags for x in Order.objects.all()}
    assert found == {"W1": ["wrap it"], "W2": [], "W3": []}
    known = words(PURPOSE, version.flow.scope)
    assert sentence(IS_GOLD, known, "en").startswith("gift wrap")
    assert sentence(IS_GOLD, known, "zh").startswith("包装")
    assert "order.custom" not in sentence(IS_GOLD, known, "zh")


def test_a_node_fills_a_field_and_later_decisions_and_the_log_see_it_without_the_value() -> None:
    add("wrap", "choice", choices=WRAPS)
    publish(between(
        "one-set", "set-wrap", "wrap:gold-tag", "wrap:else-two", "tag-two", set=fill("wrap", "金色"), wrap=WHEN_GOLD, tag=TAG
    ))  # fmt: skip
    first, second = order("N1", wrap="red"), order("N2")

    advance(first, second)

    assert [x.custom for x in Order.objects.order_by("pk")] == [{"wrap": "gold"}, {"wrap": "gold"}]
    assert all(x.tags == ["wrap it"] for x in Order.objects.all())
    [told] = Event.objects.filter(stream=first.stream, kind="order.fields_changed")
    assert told.payload["fields"] == ["wrap"]
    assert told.payload["node"] == "set"
    assert "gold" not in str(told.payload)


def test_what_stands_already_is_not_told_again_and_an_empty_value_clears() -> None:
    add("wrap", "choice", choices=WRAPS)
    publish(between("one-set", "set-two", set=fill("wrap", "gold")))
    same = order("S1", wrap="gold")
    advance(same)
    assert not Event.objects.filter(kind="order.fields_changed").exists()

    publish(between("one-set", "set-two", set=fill("wrap", "")))
    cleared = order("S2", wrap="gold")
    advance(cleared)

    assert Order.objects.get(pk=cleared.pk).custom == {}
    assert Event.objects.filter(stream=cleared.stream, kind="order.fields_changed").count() == 1


@pytest.mark.parametrize(
    ("field", "node", "zh", "en"),
    [
        ({"code": "due", "kind": "date"}, fill("due", "2026-02-30"), "「填写自定义字段」：due：", "date that exists"),
        ({"code": "n", "kind": "integer", "most": "9"}, fill("n", "10"), "9", "at most 9"),
        ({"code": "n", "kind": "integer"}, fill("n", "many"), "整数", "whole number"),
        ({"code": "w", "kind": "choice", "choices": WRAPS}, fill("w", "blue"), "blue", "none of its choices"),
        ({"code": "must", "default": "x", "is_required": True}, fill("must", ""), "必填", "required"),
        ({"code": "here"}, fill("gone", "x"), "没有「order.custom.gone」", "there is no"),
    ],
)  # fmt: skip
def test_a_value_that_is_none_of_the_field_is_refused_when_publishing(
    field: dict[str, Any], node: tuple[str, dict[str, Any]], zh: str, en: str
) -> None:
    add(**field)

    [(said_zh, said_en)] = faults(between("one-set", "set-two", set=node))

    assert zh in said_zh
    assert en in said_en


def test_fields_of_another_merchant_and_of_lines_cannot_be_filled() -> None:
    fields.save(Field(target="line", code="cut", merchant=make.merchant(), name="cut"), actor="user:test")
    fields.save(
        Field(target="order", code="theirs", merchant=make.merchant("bob"), name="x"), actor="user:test"
    )
    fields.save(Field(target="order", code="shared", name="x"), actor="user:test")

    for code in ("cut", "theirs"):
        assert "there is no" in faults(between("one-set", "set-two", set=fill(code, "x")))[0][1]
    publish(between("one-set", "set-two", set=fill("shared", "x")))
    filled = order("M1")
    advance(filled)
    assert Order.objects.get(pk=filled.pk).custom == {"shared": "x"}


def test_a_published_node_keeps_its_field_from_being_removed_or_changed() -> None:
    field = add("wrap", "choice", choices=WRAPS)
    publish(between("one-set", "set-two", set=fill("wrap", "gold")))

    assert [use.title for use in uses.of(field) if use.blocks] == ["f"]
    with pytest.raises(fields.InUse):
        fields.archive(field, now=make.NOW, actor="user:test")
    field.choices = WRAPS[:1]
    with pytest.raises(fields.InUse):
        fields.save(field, actor="user:test")


def test_a_value_that_fits_no_more_is_left_aside_and_the_order_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    field = add("n", "integer")
    publish(between("one-set", "set-two", set=fill("n", "20")))
    field.most = "9"
    fields.save(field, actor="user:test")
    tight = order("T1", n=3)

    advance(tight)

    tight = Order.objects.get(pk=tight.pk)
    assert (tight.custom, tight.step) == ({"n": 3}, "")
    assert "fills no field" in caplog.text


def test_trying_a_drawing_shows_what_the_filled_field_would_decide_and_writes_nothing() -> None:
    add("due", "date")
    late = {
        "all": [
            {"fact": "order.custom.due", "op": "within", "value": {"from": "2026-12-01", "to": "2026-12-31"}}
        ]
    }
    decide = ("flow.decide", {"branches": [{"exit": "late", "name": "晚", "name_en": "late", "when": late}]})
    content = between(
        "one-set", "set-due", "due:late-tag", "due:else-two", "tag-two", set=fill("due", "2026-12-24"), due=decide, tag=TAG
    )  # fmt: skip
    version = publish(content)
    wanted = order("D1", due="2026-11-25")
    drawn = publishing.drawn(content, version.flow.scope)
    seen = Order.objects.select_related("merchant", "channel", "person").get(pk=wanted.pk)

    tried = trying.try_order(drawn, seen, version.flow.scope, now=make.NOW)

    assert [stop.node.id for stop in tried.stops if stop.node.id in ("set", "due", "tag")] == [
        "set",
        "due",
        "tag",
    ]
    assert Order.objects.get(pk=wanted.pk).custom == {"due": "2026-11-25"}


def test_a_batch_costs_as_many_statements_as_one_order() -> None:
    add("wrap", "choice", choices=WRAPS)
    publish(between("one-set", "set-two", set=fill("wrap", "gold")))

    def spent(*found: Order) -> int:
        with CaptureQueriesContext(connection) as captured:
            advance(*found)
        return len(captured)

    spent(order("Q0"))
    assert spent(order("Q1")) == spent(*(order(f"Q{n}") for n in range(2, 12)))

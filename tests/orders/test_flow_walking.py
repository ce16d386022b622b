"""Orders on drawn flows: branches, waits, holds, versions, resuming after a fault, and what the log is told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orderhub.events.models import Event
from orderhub.orders import advance as engine
from orderhub.orders import journeys, lifecycle, services
from orderhub.orders.flows import moving, reading, trying
from orderhub.orders.models import Hold, Order
from rules import flow
from rules.flow import NEXT, Context, Verdict, again
from rules.flows import publishing
from rules.models import Flow, FlowVersion
from tests.orders import builders as make
from tests.rules.test_flow_checking import drawing

pytestmark = pytest.mark.django_db
Answer = Callable[[Order], Verdict]
HIGH = {"all": [{"fact": "order.total", "op": ">=", "value": "5000"}]}
BIG = ("flow.decide", {"branches": [{"exit": "high", "name": "高额", "name_en": "high", "when": HIGH}]})
LOOK = ("flow.hold", {"reason": "manual", "detail": "look at it"})
seen: list[tuple[str, list[str]]] = []


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> dict[str, Answer]:
    """Two plain steps whose answers the test sets, beside those that only drawings have."""
    seen.clear()
    answers: dict[str, Answer] = {}
    own = {name: flow.get(name) for name in flow.names() if name.startswith("flow.")}
    plain = {name: flow.Step(name, _asking(name, answers), name, name) for name in ("a.one", "b.two")}
    monkeypatch.setattr(flow, "_steps", {**own, **plain})
    monkeypatch.setattr(journeys, "built_in", lambda: ("a.one", "b.two"))
    return answers


def _asking(name: str, answers: dict[str, Answer]) -> Any:
    def run(orders: Sequence[Order], context: Context) -> dict[int, Verdict]:
        seen.append((name, [order.external_id for order in orders]))
        return {order.pk: answers.get(name, lambda _order: NEXT)(order) for order in orders}

    return run


def between(*edges: str, **nodes: Any) -> dict[str, Any]:
    """start → a.one → … → b.two → end with these nodes and lines in the middle."""
    lines = ["start-one", *edges, "two-end"]
    return drawing(*lines, start="flow.start", one="a.one", **nodes, two="b.two", end="flow.end")


REVIEW = between("one-big", "big:high-look", "big:else-two", "look-two", big=BIG, look=LOOK)


def publish(content: Any, *, code: str = "f", **fields: Any) -> FlowVersion:
    scope = f"merchant:{make.merchant().pk}"
    row, _made = Flow.objects.get_or_create(code=code, scope=scope, defaults={"name": code})
    row.draft = content
    row.save()
    journeys.forget()
    return publishing.publish(row, None, now=fields.pop("now", make.NOW), **fields)


def order(number: str, price: str = "100.00") -> Order:
    [placed] = make.placed(make.draft(number, lines=[make.line(price=price)]))
    return placed


def advance(*orders: Order, now: Any = make.NOW) -> int:
    return engine.advance([x.pk for x in orders], now=now, actor="test")


_READ = (
    "step", "step_state", "waiting_for", "attempts", "flow_node", "flow_marks", "flow_version", "tags", "service", "green",
)  # fmt: skip


def where(found: Order) -> tuple[str, str, str]:
    found.refresh_from_db(fields=_READ)
    return found.flow_node, found.step_state, found.waiting_for


def ways(found: Order) -> list[list[tuple[str, str]]]:
    events = Event.objects.filter(stream=found.stream, kind="order.flow_moved").order_by("pk")
    return [[(row["node"], row.get("exit", "")) for row in event.payload["way"]] for event in events]


def test_each_order_leaves_a_decision_by_its_own_branch(steps: Any) -> None:
    version = publish(REVIEW)
    small, large = order("A"), order("B", "5000.00")

    advance(small, large)

    assert (small.flow_version_id, small.step) == (version.pk, "a.one")
    assert where(small) == ("two", "done", "")
    assert where(large) == ("look", "waiting", "hold")
    assert Hold.objects.get().detail == "look at it"
    assert ways(small) == [[("one", ""), ("big", "else"), ("two", "")]]
    assert ways(large) == [[("one", ""), ("big", "high")]]


def test_an_order_let_go_by_a_person_goes_on_behind_the_hold_and_is_not_held_there_again(steps: Any) -> None:
    publish(REVIEW)
    large = order("B", "9000.00")
    advance(large)

    services.release_holds([large.pk], note="looked", actor="user:li", now=make.NOW)
    advance(large)

    assert where(large) == ("two", "done", "")
    assert ways(large)[-1] == [("look", ""), ("two", "")]
    assert Hold.objects.count() == 1


def test_a_fault_behind_a_decision_leaves_the_order_at_its_node_and_it_resumes_there(
    steps: dict[str, Answer],
) -> None:
    publish(between("one-mark", "mark-tell", "tell-two", mark=("flow.tag", {"tag": "VIP"}), tell=_TELL))
    found = order("A")
    steps["b.two"] = _raises

    with pytest.raises(engine.Unfinished):
        advance(found)
    assert where(found) == ("two", "ready", "")
    assert found.step == "b.two"
    told = Event.objects.filter(kind="order.flow_notified").count()

    steps["b.two"] = lambda _order: NEXT
    advance(found)

    assert where(found) == ("two", "done", "")
    assert [name for name, _ids in seen].count(
        "a.one"
    ) == 2  # once in the pass that was undone, once for good
    assert Event.objects.filter(kind="order.flow_notified").count() == told == 1
    assert found.tags == ["VIP"]


_TELL = ("flow.notify", {"audience": "customer", "text": "快好了", "text_en": "soon"})


def _raises(_order: Order) -> Verdict:
    raise ValueError("poison")


def test_a_node_that_tells_does_so_once_even_if_the_order_comes_by_again(steps: dict[str, Answer]) -> None:
    publish(between("one-tell", "tell-two", tell=_TELL))
    found = order("A")
    steps["b.two"] = lambda x: again("a.one") if x.attempts < 2 else NEXT

    advance(found)

    assert [name for name, _ids in seen] == ["a.one", "b.two"] * 3
    assert Event.objects.filter(kind="order.flow_notified").count() == 1
    assert where(found) == ("two", "done", "")


def test_running_it_again_changes_nothing(steps: Any) -> None:
    publish(REVIEW)
    found = order("A")
    advance(found)
    before = (Order.objects.get().version, Event.objects.count())

    assert advance(found) == 0
    assert (Order.objects.get().version, Event.objects.count()) == before


def test_a_loop_waits_every_time_round(steps: Any) -> None:
    old = {"exit": "old", "when": {"all": [{"fact": "order.age_minutes", "op": ">=", "value": 25}]}}
    publish(between(
        "one-ready", "ready:old-two", "ready:else-later", "later-ready",
        ready=("flow.decide", {"branches": [old]}), later=("flow.wait_minutes", {"minutes": 10}),
    ))  # fmt: skip
    found = order("A")
    minutes = []

    for minute in range(0, 41, 10):
        now = make.NOW + timedelta(minutes=minute)
        services.expire_holds(now=now)
        advance(found, now=now)
        if where(found)[1] == "waiting":
            minutes.append(minute)

    assert minutes == [0, 10, 20]
    assert where(found) == ("two", "done", "")
    assert set(Hold.objects.values_list("reason", flat=True)) == {"flow"}


def test_waiting_for_the_clock_of_the_shop(steps: Any) -> None:
    publish(between("one-late", "late-two", late=("flow.wait_until", {"at": "20:00"})))
    found = order("A")

    advance(found)

    assert Hold.objects.get().until.isoformat() == "2026-11-22T12:00:00+00:00"  # type: ignore[union-attr]


def test_waiting_for_payment_ends_with_it(steps: Any) -> None:
    publish(between("one-paid", "paid-two", paid="flow.wait_payment"))
    [unpaid] = make.placed(make.draft("U", paid=False, paid_at=None))
    advance(unpaid)
    assert where(unpaid) == ("paid", "waiting", "hold")

    services.pay([unpaid.pk], paid_at=make.NOW, actor="user:li", now=make.NOW)
    advance(unpaid)

    assert where(unpaid) == ("two", "done", "")


def test_the_merge_window_counts_from_when_the_order_came_in(steps: Any) -> None:
    publish(between("one-merge", "merge-two", merge=("flow.merge_window", {"minutes": 30})))
    fresh, late = order("A"), order("B")

    advance(fresh)
    advance(late, now=make.NOW + timedelta(minutes=31))

    assert where(fresh) == ("merge", "waiting", "hold")
    assert where(late) == ("two", "done", "")


def test_fields_that_a_node_sets_are_kept(steps: Any) -> None:
    publish(between(
        "one-fast", "fast-green", "green-two",
        fast=("flow.set_service", {"service": "express"}), green=("flow.set_green", {"green": "yes"}),
    ))  # fmt: skip
    found = order("A")

    advance(found)

    found.refresh_from_db(fields=_READ)
    assert (found.service, found.green) == ("express", True)


# ---- versions ------------------------------------------------------------------------------------------------


def test_running_orders_finish_on_their_version_and_the_next_one_takes_the_new(steps: Any) -> None:
    first = publish(REVIEW)
    running = order("A", "9000.00")
    advance(running)

    second = publish(between("one-two"))
    after = order("B", "9000.00")
    services.release_holds([running.pk], note="", actor="user:li", now=make.NOW)
    advance(running, after)

    assert (running.flow_version_id, after.flow_version_id) == (first.pk, second.pk)
    assert where(after) == ("two", "done", "")
    assert ways(running)[-1] == [("look", ""), ("two", "")]


def test_a_version_at_a_time_counts_from_then_and_can_be_taken_back(
    steps: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = [make.NOW]
    monkeypatch.setattr(journeys.clock, "now", lambda: moment[0])
    publish(between("one-two"))
    coming = publish(REVIEW, effective_at=make.NOW + timedelta(hours=1))
    before = order("A")
    moment[0] += timedelta(hours=2)
    journeys.forget()
    after = order("B")

    assert (before.flow_version_id, after.flow_version_id) == (coming.pk - 1, coming.pk)
    assert not publishing.withdraw(coming, now=moment[0])

    again_later = publish(between("one-two"), effective_at=moment[0] + timedelta(hours=1))
    assert publishing.withdraw(again_later, now=moment[0])


def test_rolling_back_publishes_the_older_drawing_as_a_new_version(steps: Any) -> None:
    first = publish(between("one-two"))
    second = publish(REVIEW)
    back = publishing.roll_back(second.flow, first.number, None, now=make.NOW + timedelta(seconds=1))
    journeys.forget()

    assert (back.number, back.content) == (3, first.content)
    assert order("A").flow_version_id == back.pk


def test_a_flow_switched_off_counts_for_no_new_order(steps: Any) -> None:
    version = publish(REVIEW)
    Flow.objects.update(is_active=False)
    journeys.forget()
    found = order("A")

    advance(found)

    assert found.flow_version_id is None
    assert [name for name, _ids in seen] == ["a.one", "b.two"]
    assert publishing.version_in_force(Flow.objects.get(pk=version.flow_id)) is None


def test_a_flow_for_all_merchants_counts_where_there_is_none_of_its_own(steps: Any) -> None:
    general = publish(REVIEW)
    Flow.objects.update(scope="")
    journeys.forget()
    assert order("A").flow_version_id == general.pk

    own = publish(between("one-two"), code="own")
    assert order("B").flow_version_id == own.pk


def test_a_faulty_drawing_is_not_published_and_names_the_place(steps: Any) -> None:
    circle = between(
        "one-big", "big:high-mark", "mark-big", "big:else-two", big=BIG, mark=("flow.tag", {"tag": "x"})
    )

    with pytest.raises(publishing.Faulty) as refused:
        publish(circle)

    assert [(x.code, x.nodes) for x in refused.value.findings] == [("circle", ("big", "mark"))]
    assert FlowVersion.objects.count() == 0


def test_of_two_people_who_draw_at_once_the_later_one_is_told(steps: Any) -> None:
    row = Flow.objects.create(code="f", name="f", draft=between("one-two"), revision=3)

    saved = publishing.save_draft(row, REVIEW, revision=3)
    with pytest.raises(publishing.Stale) as stale:
        publishing.save_draft(row, between("one-two"), revision=3)

    assert (saved.revision, stale.value.revision) == (4, 4)
    assert Flow.objects.get().draft == REVIEW
    assert [x.draft == REVIEW for x in row.history.all()] == [True, False]


# ---- what it costs --------------------------------------------------------------------------------------------


def test_the_queries_of_a_batch_do_not_grow(steps: Any) -> None:
    publish(REVIEW)
    few = make.placed(make.draft("A"))
    many = make.placed(*[make.draft(f"B{n}") for n in range(15)], now=make.NOW + timedelta(seconds=1))
    order("warm")
    advance(Order.objects.get(external_id="warm"))
    costs = []

    for group in (few, many):
        with CaptureQueriesContext(connection) as captured:
            advance(*group)
        costs.append(len(captured))

    assert costs[0] == costs[1] <= 22


# ---- reading, trying, moving ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "name", "why", "fact"),
    [
        ("zh", "高额", "订单金额不少于5000", "订单金额"),
        ("en", "high", "order total is at least 5000", "order total"),
    ],
)
def test_the_trace_says_where_an_order_is_and_why(
    steps: Any, language: str, name: str, why: str, fact: str
) -> None:
    publish(REVIEW)
    large = order("B", "5000.00")
    advance(large)

    large.refresh_from_db(fields=_READ)
    told = reading.trace(large, language=language)

    assert told["flow"]["version"] == 1
    assert (told["at"]["node"], told["at"]["waits"]) == ("look", "hold")
    decided = told["way"][-1]
    assert (decided["node"], decided["exit_name"], decided["why"]) == ("big", name, why)
    assert decided["told"] == [{"fact": "order.total", "name": fact, "value": "5000.00"}]


def test_an_order_without_a_drawing_has_no_way(steps: Any) -> None:
    found = order("A")

    assert reading.trace(found, language="en") == {
        "flow": None, "at": {"node": "", "step": "a.one", "name": "a.one", "waits": ""}, "way": [], "tags": [],
    }  # fmt: skip


def test_trying_an_order_shows_the_way_and_writes_nothing(steps: Any) -> None:
    tagged = {"exit": "vip", "when": {"all": [{"fact": "order.tags", "op": "contains", "value": "VIP"}]}}
    content = between(
        "one-mark", "mark-ask", "ask:vip-look", "ask:else-two", "look-two",
        mark=("flow.tag", {"tag": "VIP"}), ask=("flow.decide", {"branches": [tagged]}), look=LOOK,
    )  # fmt: skip
    found = order("A")
    events = Event.objects.count()

    with CaptureQueriesContext(connection) as captured:
        tried = trying.try_order(publishing.drawn(content, ""), found, "", now=make.NOW)

    assert [(x.node.id, x.exit) for x in tried.stops] == [
        ("one", ""), ("mark", ""), ("ask", "vip"), ("look", ""), ("two", ""),
    ]  # fmt: skip
    assert tried.is_done
    assert tried.stops[2].asked[0].holds is True
    assert all(row["sql"].startswith("SELECT") for row in captured.captured_queries)
    assert Event.objects.count() == events
    assert where(found) == ("", "ready", "")


def test_trying_a_drawing_that_leads_nowhere_says_so(steps: Any) -> None:
    content = drawing("start-one", start="flow.start", one="a.one")

    tried = trying.try_order(publishing.drawn(content, ""), order("A"), "", now=make.NOW)

    assert ([x.node.id for x in tried.stops], tried.is_done) == (["one"], False)


def test_moving_running_orders_first_says_how_many_land_where(steps: Any) -> None:
    publish(REVIEW)
    stays, goes = order("A", "9000.00"), order("B", "9000.00")
    advance(stays, goes)
    second = publish(between("one-other", "other-two", other=("flow.tag", {"tag": "new"})))

    [landing] = moving.preview(second)
    moved = moving.move(second, now=make.NOW, actor="user:li")
    services.release_holds([stays.pk, goes.pk], note="", actor="user:li", now=make.NOW)
    advance(stays, goes)

    assert (landing.count, landing.version_number, landing.source.id, landing.target.id) == (
        2,
        1,
        "look",
        "two",
    )
    assert moved == 2
    assert moving.preview(second) == []
    for found in (stays, goes):
        assert where(found) == ("two", "done", "")
        assert found.flow_version_id == second.pk
        rows = reading.trace(found, language="en")["way"]
        assert "moved from v1 to v2" in [row["exit_name"] for row in rows]


def test_an_order_sent_to_a_step_by_hand_goes_on_from_the_node_of_that_step(steps: Any) -> None:
    publish(REVIEW)
    large = order("B", "9000.00")
    advance(large)
    services.release_holds([large.pk], note="", actor="user:li", now=make.NOW)
    advance(large)
    large.refresh_from_db(fields=_READ)

    lifecycle.send_to([large], "a.one")
    large.save(update_fields=lifecycle.STEP_FIELDS)
    advance(large)

    assert ways(large)[-1] == [("one", ""), ("big", "high"), ("look", ""), ("two", "")]
    assert where(large) == ("two", "done", "")

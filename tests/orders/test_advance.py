"""The journey's engine: verdicts, repeats, faults."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError

from orderhub.events.models import Delivery
from orderhub.events.registry import Partly
from orderhub.orders import advance as engine
from orderhub.orders import journeys, lifecycle, services, subscribers
from orderhub.orders.models import Order
from rules import flow
from rules.flow import NEXT, STOP, Context, Verdict, again, wait
from rules.models import Flow
from tests.orders import builders as make

pytestmark = pytest.mark.django_db
Seen = list[tuple[str, list[str]]]
Answer = Callable[[Order], Verdict]


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> dict[str, Answer]:
    """A journey of three steps whose answers the test sets; NEXT unless told otherwise."""
    answers: dict[str, Answer] = {}
    names = ("a.one", "b.two", "c.three")
    registered = {name: flow.Step(name, _asking(name, answers), name, name) for name in names}
    monkeypatch.setattr(flow, "_steps", registered)
    monkeypatch.setattr(journeys, "built_in", lambda: names)
    return answers


seen: Seen = []


def _asking(
    name: str, answers: dict[str, Answer]
) -> Callable[[Sequence[Order], Context], dict[int, Verdict]]:
    def run(orders: Sequence[Order], context: Context) -> dict[int, Verdict]:
        seen.append((name, [order.external_id for order in orders]))
        return {order.pk: answers.get(name, lambda _order: NEXT)(order) for order in orders}

    return run


@pytest.fixture(autouse=True)
def _nothing_seen() -> None:
    seen.clear()


def advance(*orders: Order) -> int:
    return engine.advance([order.pk for order in orders], now=make.NOW, actor="test")


def where(order: Order) -> tuple[str, str, str]:
    order.refresh_from_db(fields=["step", "step_state", "waiting_for", "attempts"])
    return order.step, order.step_state, order.waiting_for


def test_orders_walk_all_steps_together_and_are_done(steps: Any) -> None:
    orders = make.placed(make.draft("A"), make.draft("B"))

    taken = advance(*orders)

    assert seen == [("a.one", ["A", "B"]), ("b.two", ["A", "B"]), ("c.three", ["A", "B"])]
    assert [where(order) for order in orders] == [("", "done", "")] * 2
    assert taken == 4


def test_each_verdict_moves_its_own_order(steps: dict[str, Answer]) -> None:
    waiting, stopping, going = orders = make.placed(make.draft("A"), make.draft("B"), make.draft("C"))
    steps["b.two"] = lambda order: {"A": wait("stock"), "B": STOP}.get(order.external_id, NEXT)

    advance(*orders)

    assert where(waiting) == ("b.two", "waiting", "stock")
    assert where(stopping) == ("", "done", "")
    assert where(going) == ("", "done", "")
    assert seen[-1] == ("c.three", ["C"])


def test_again_goes_back_and_counts(steps: dict[str, Answer]) -> None:
    [order] = make.placed()
    steps["b.two"] = lambda x: again("a.one") if x.attempts < 2 else wait("stock")

    advance(order)

    assert [name for name, _ids in seen] == ["a.one", "b.two"] * 3
    assert where(order) == ("b.two", "waiting", "stock")
    assert order.attempts == 2


def test_an_order_going_in_circles_is_a_fault(steps: dict[str, Answer]) -> None:
    [order] = make.placed()
    steps["a.one"] = lambda _order: again("a.one")

    with pytest.raises(engine.Unfinished, match="circles"):
        advance(order)


def test_running_it_again_changes_nothing(steps: Any) -> None:
    [order] = make.placed()
    advance(order)
    version = Order.objects.get().version

    assert advance(order) == 0

    assert len(seen) == 3
    assert Order.objects.get().version == version


def test_a_poisoned_order_stays_at_its_step_and_the_others_go_on(steps: dict[str, Answer]) -> None:
    orders = make.placed(*[make.draft(name) for name in "ABCDE"])
    steps["b.two"] = _poison("C")

    with pytest.raises(engine.Unfinished) as stopped:
        advance(*orders)

    poisoned = orders[2]
    assert {pk: str(fault) for pk, fault in stopped.value.faults.items()} == {poisoned.pk: "poison"}
    assert where(poisoned) == ("b.two", "ready", "")
    assert [where(x) for x in orders if x is not poisoned] == [("", "done", "")] * 4


def test_a_poisoned_order_fails_its_own_delivery_only(steps: dict[str, Answer]) -> None:
    orders = make.placed(make.draft("A"), make.draft("B"))
    steps["a.one"] = _poison("B")
    deliveries = list(Delivery.objects.filter(subscriber="orders.advance").order_by("pk"))

    with pytest.raises(Partly) as partly:
        subscribers.advance_orders(deliveries)

    assert list(partly.value.failures) == [deliveries[1].pk]
    assert where(orders[0]) == ("", "done", "")


def test_a_lock_timeout_is_not_tried_one_by_one(steps: dict[str, Answer]) -> None:
    orders = make.placed(make.draft("A"), make.draft("B"))
    steps["a.one"] = _raises(OperationalError("lock timeout"))

    with pytest.raises(engine.Unfinished) as stopped:
        advance(*orders)

    assert set(stopped.value.faults) == {order.pk for order in orders}
    assert len(seen) == 1


def test_a_held_order_is_not_run(steps: Any) -> None:
    held, free = make.placed(make.draft("A"), make.draft("B"))
    services.hold([held.pk], reason="manual", actor="user:li", now=make.NOW)

    advance(held, free)

    assert seen[0] == ("a.one", ["B"])
    assert where(held) == ("a.one", "waiting", "hold")


def test_a_merchant_may_draw_another_flow(steps: Any) -> None:
    merchant = make.merchant()
    Flow.objects.create(code="short", name="short", scope=f"merchant:{merchant.pk}", steps=["b.two"])

    [order] = make.placed()
    advance(order)

    assert seen == [("b.two", ["T1"])]


def test_an_order_at_a_step_that_was_taken_out_goes_on_at_the_next(steps: Any) -> None:
    [order] = make.placed()
    Flow.objects.create(code="x", name="x", scope=f"merchant:{order.merchant_id}", steps=["c.three"])

    advance(order)

    assert [name for name, _ids in seen] == ["a.one", "c.three"]
    assert where(order) == ("", "done", "")


def test_a_flow_with_an_unknown_step_is_not_used(steps: Any, caplog: pytest.LogCaptureFixture) -> None:
    merchant = make.merchant()
    Flow.objects.create(code="bad", name="bad", scope=f"merchant:{merchant.pk}", steps=["nobody.knows"])

    [order] = make.placed()

    assert order.step == "a.one"
    assert "nobody.knows" in caplog.text


def test_the_queries_of_a_batch_do_not_grow(steps: Any, django_assert_num_queries: Any) -> None:
    few = make.placed(make.draft("A"))
    many = make.placed(*[make.draft(f"B{n}") for n in range(15)], now=make.NOW + timedelta(seconds=1))

    # All three steps in one pass: which are ready, begin, lock, their merchants, channels and receivers, holds,
    # flow, write, commit.
    with django_assert_num_queries(7):
        advance(*few)
    with django_assert_num_queries(7):
        advance(*many)


def test_a_pass_on_sqlite_is_short_so_that_nobody_waits_long_for_the_one_writer(
    steps: Any, on_postgresql: bool
) -> None:
    orders = make.placed(*[make.draft(f"B{n}") for n in range(60)])

    advance(*orders)

    assert max(len(numbers) for _name, numbers in seen) == (60 if on_postgresql else 15)
    assert {where(order) for order in orders} == {("", "done", "")}


def test_each_order_is_written_once_a_pass(steps: Any) -> None:
    [order] = make.placed()
    version = order.version

    advance(order)

    assert [name for name, _ids in seen] == ["a.one", "b.two", "c.three"]
    assert Order.objects.get().version == version + 1


def test_a_step_sees_what_the_steps_before_it_saved(steps: dict[str, Answer]) -> None:
    [order] = make.placed()

    def save(found: Order) -> Verdict:
        found.note = "left by the first"
        lifecycle.save([found], ["note"], now=make.NOW)
        return NEXT

    read: list[str] = []
    steps["a.one"] = save
    steps["b.two"] = lambda found: read.append(Order.objects.get(pk=found.pk).note) or NEXT

    advance(order)

    assert read == ["left by the first"]


def test_a_fault_late_in_a_pass_undoes_nothing_that_was_gone_step_by_step(steps: dict[str, Answer]) -> None:
    """The pass is undone as a whole, then every step is gone by itself: the order stands before the faulty one."""
    [order] = make.placed()
    steps["c.three"] = _poison(order.external_id)

    with pytest.raises(engine.Unfinished):
        advance(order)

    assert where(order) == ("c.three", "ready", "")


def _poison(number: str) -> Answer:
    def answer(order: Order) -> Verdict:
        if order.external_id == number:
            raise ValueError("poison")
        return NEXT

    return answer


def _raises(fault: Exception) -> Answer:
    def answer(_order: Order) -> Verdict:
        raise fault

    return answer

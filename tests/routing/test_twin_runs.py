"""What-if runs as jobs and on the page: started, replaced, cancelled, taken up again, told in words."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from orderhub.access.models import User
from orderhub.kernel import clock
from orderhub.kernel.errors import Refused
from routing import strategies
from routing.models import Strategy
from routing.twin import figures, running, service, words
from routing.twin.models import TwinRun
from tests import cast, make
from tests.routing import twin_cast as twin

pytestmark = pytest.mark.django_db
State = TwinRun.State


@pytest.fixture
def week() -> Any:
    """A few orders of Alice, and the moment after."""
    twin.shop()
    return twin.a_week(count=6)


def started(now: Any, **changes: Any) -> TwinRun:
    return service.start(twin.default(), twin.figures(**changes), 7, now=now)


def person(*rights: str, **fields: Any) -> Client:
    """A browser of a member of staff with these rights."""
    user = User.objects.create_user("op", password="irrelevant-here", is_staff=True, **fields)
    user.user_permissions.set(Permission.objects.filter(codename__in=rights))
    browser = Client(headers={"HX-Request": "true"})
    browser.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return browser


# ---- the job -----------------------------------------------------------------------------------------


def test_a_new_run_replaces_the_one_under_way(week: Any) -> None:
    first = started(week, yuan_per_hour="0.3")
    second = started(week, yuan_per_hour="0.4")

    first.refresh_from_db()
    assert (first.state, second.state) == (State.CANCELLED, State.QUEUED)
    assert service.work(week) == 1
    second.refresh_from_db()
    assert second.state == State.DONE
    assert (second.done, second.lease_until) == (second.total, None)
    assert service.work(week) == 0


def test_the_same_question_is_answered_once_until_something_happens(week: Any) -> None:
    first = twin.replayed(week, yuan_per_hour="0.3")

    assert started(week, yuan_per_hour="0.30").pk == first.pk
    assert service.latest(twin.default(), twin.figures(yuan_per_hour="0.3000")) == first
    assert service.latest(twin.default(), twin.figures()) is None

    twin.ordered(99, {"CUP": 1}, now=week + timedelta(hours=1))
    assert started(week + timedelta(hours=2), yuan_per_hour="0.3").pk != first.pk


def test_a_cancelled_run_stops_in_the_middle_and_keeps_no_result(
    week: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = started(week, yuan_per_hour="0.3")
    monkeypatch.setattr("routing.twin.replay.EVERY", 1)
    monkeypatch.setattr(service, "TELL_SECONDS", 0.0)
    told: list[int] = []

    def cancelled(teller: Any, done: int, total: int) -> None:
        told.append(done)
        if done == 2:
            service.cancel(run, now=week)
        write(teller, done, total)

    write = service._Teller.tell
    monkeypatch.setattr(service._Teller, "tell", cancelled)

    assert service.work(week) == 1

    run.refresh_from_db()
    assert told == [1, 2]
    assert (run.state, run.result) == (State.CANCELLED, None)
    assert run.done == 1


def test_progress_is_written_while_it_works(week: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    run = started(week, yuan_per_hour="0.3")
    monkeypatch.setattr("routing.twin.replay.EVERY", 1)
    monkeypatch.setattr(service, "TELL_SECONDS", 0.0)
    seen: list[tuple[int, int, bool]] = []
    write = service._Teller.tell

    def watched(teller: Any, done: int, total: int) -> None:
        write(teller, done, total)
        row = TwinRun.objects.get(pk=run.pk)
        seen.append((row.done, row.total, row.result is not None))

    monkeypatch.setattr(service._Teller, "tell", watched)
    service.work(week)

    decisions = seen[-1][1] // 2
    assert [row[0] for row in seen] == sorted(row[0] for row in seen)
    assert seen[0] == (1, decisions * 2, False)
    assert seen[-1] == (decisions * 2, decisions * 2, True), "the comparison stands while the chart is drawn"


def test_a_run_whose_worker_died_is_taken_up_again_and_given_up_after_three(week: Any) -> None:
    run = started(week, yuan_per_hour="0.3")
    dead = {"state": State.RUNNING, "lease_token": "dead", "lease_until": week + timedelta(seconds=30)}
    TwinRun.objects.filter(pk=run.pk).update(**dead, attempts=1)

    assert service.work(week) == 0, "its worker may still live"
    assert service.work(week + timedelta(minutes=2)) == 1
    run.refresh_from_db()
    assert (run.state, run.attempts) == (State.DONE, 2)

    other = started(week, yuan_per_hour="0.4")
    TwinRun.objects.filter(pk=other.pk).update(**dead, attempts=3)
    assert service.work(week + timedelta(minutes=2)) == 0
    other.refresh_from_db()
    assert (other.state, other.error) == (State.FAILED, "workers_died")


def test_a_worker_that_lost_its_lease_writes_nothing(week: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    run = started(week, yuan_per_hour="0.3")
    monkeypatch.setattr("routing.twin.replay.EVERY", 1)

    def robbed(teller: Any, done: int, total: int) -> None:
        TwinRun.objects.filter(pk=run.pk).update(lease_token="another")

    monkeypatch.setattr(service._Teller, "tell", robbed)
    service.work(week)

    run.refresh_from_db()
    assert (run.state, run.lease_token, run.result) == (State.RUNNING, "another", None)


def test_a_fault_ends_the_run_in_words(week: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_given: Any, **_told: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(running, "work_off", broken)
    run = twin.replayed(week, yuan_per_hour="0.3")

    assert (run.state, run.error) == (State.FAILED, "fault")
    assert all(words.error(run.error, run.error_facts))


def test_runs_are_forgotten_after_ninety_days(week: Any) -> None:
    old, young = twin.replayed(week, yuan_per_hour="0.3"), twin.replayed(week, yuan_per_hour="0.4")
    TwinRun.objects.filter(pk=old.pk).update(created_at=week - timedelta(days=91))

    assert service.forget(now=week) == 1
    assert TwinRun.objects.get() == young


# ---- bad input ---------------------------------------------------------------------------------------


def test_days_without_orders_say_so() -> None:
    make.merchant()
    strategies.ensure_presets(make.merchant(), now=make.NOW)

    run = twin.replayed(make.NOW)

    assert (run.state, run.error) == (State.FAILED, "no_orders")
    assert words.error(run.error, run.error_facts)[0] == "这段时间没有订单被路由。"


def test_too_many_decisions_say_how_many_are_possible(week: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("routing.twin.history.MOST_DECISIONS", 3)
    monkeypatch.setattr(running, "MOST_DECISIONS", 3)

    run = twin.replayed(week)

    assert (run.error, run.error_facts) == ("too_many", {"most": 3})
    assert "3" in words.error(run.error, run.error_facts)[0]


def test_figures_under_which_nothing_can_be_sent_whole_say_so() -> None:
    twin.shop({"HGH": {"LAMP": 9, "CUP": 0}, "CAN": {"LAMP": 0, "CUP": 9}})
    twin.ordered(1, {"LAMP": 1, "CUP": 1}, now=make.NOW)

    run = twin.replayed(make.NOW + timedelta(hours=1), max_parcels=1)

    assert (run.state, run.error) == (State.FAILED, "nothing_whole")


@pytest.mark.parametrize(
    ("changes", "days"), [({"yuan_per_hour": "-1"}, 7), ({"max_parcels": 0}, 7), ({}, 0), ({}, 91)]
)
def test_impossible_figures_and_periods_start_nothing(week: Any, changes: dict[str, Any], days: int) -> None:
    with pytest.raises(Refused):
        service.start(twin.default(), twin.figures(**changes), days, now=week)

    assert not TwinRun.objects.exists()


# ---- how sure ----------------------------------------------------------------------------------------


def test_the_interval_is_the_same_for_the_same_seed_and_holds_the_mean() -> None:
    differences, orders = [4.0, -1.0, 2.0, 5.0, 1.0], [10, 8, 12, 9, 11]

    one = figures.interval(differences, orders, seed=7)

    assert one == figures.interval(differences, orders, seed=7)
    assert one != figures.interval(differences, orders, seed=8)
    low, high = one
    assert low is not None
    assert high is not None
    assert low < sum(differences) / sum(orders) < high
    assert figures.interval([3.0, 3.0, 3.0], [1, 1, 1], seed=1) == (3.0, 3.0)
    assert figures.interval(differences[:2], orders[:2], seed=7) == (None, None)


# ---- the page ----------------------------------------------------------------------------------------


def test_the_panel_runs_what_the_page_holds_and_tells_it_in_both_languages(
    week: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "now", lambda: week)
    browser = person("view_strategy", "change_strategy")
    address = reverse("admin:routing_strategy_whatif", args=(twin.default().pk,))

    empty = browser.get(address).content.decode()
    begun = browser.post(address, {**_rates(), "yuan_per_hour": "0.9", "whatif_days": "30"})
    service.work(week)
    done = browser.get(address)
    english = browser.get(address, headers={"Accept-Language": "en"}).content.decode()

    assert "开始重算" in empty
    assert "等待后台进程" in begun.content.decode()
    assert 'hx-trigger="every 1s"' in begun.content.decode()
    run = TwinRun.objects.get()
    assert (run.figures["yuan_per_hour"], run.days) == ("0.9", 30)
    assert run.started_by is not None
    text = done.content.decode()
    assert "按此设置重算最近 30 天的订单：成本" in text
    assert "一致的占 100%" in text
    assert "every 1s" not in text
    assert done.headers["HX-Trigger-After-Settle"] == "whatif-over"
    assert "The orders of the last 30 days under these figures: cost" in english


def test_a_run_is_cancelled_on_the_page(week: Any) -> None:
    browser = person("view_strategy", "change_strategy")
    pk = twin.default().pk
    browser.post(reverse("admin:routing_strategy_whatif", args=(pk,)))

    answer = browser.post(reverse("admin:routing_strategy_whatif_cancel", args=(pk,)))

    assert TwinRun.objects.get().state == State.CANCELLED
    assert "上一次重算在完成前被取消" in answer.content.decode()


def test_wrong_figures_on_the_page_are_refused_with_the_reason(week: Any) -> None:
    browser = person("view_strategy", "change_strategy")
    address = reverse("admin:routing_strategy_whatif", args=(twin.default().pk,))

    answer = browser.post(address, {**_rates(), "yuan_per_hour": "-2"})

    assert 'role="alert"' in answer.content.decode()
    assert not TwinRun.objects.exists()


def test_who_may_only_look_starts_and_cancels_nothing(week: Any) -> None:
    browser = person("view_strategy")
    pk = twin.default().pk
    run = started(week)

    assert browser.get(reverse("admin:routing_strategy_whatif", args=(pk,))).status_code == 200
    for name in ("routing_strategy_whatif", "routing_strategy_whatif_cancel"):
        assert browser.post(reverse(f"admin:{name}", args=(pk,))).status_code == 403
    run.refresh_from_db()
    assert run.state == State.QUEUED


def test_to_bobs_staff_alices_what_if_does_not_exist(week: Any) -> None:
    run = twin.replayed(week)
    browser = person("view_strategy", "change_strategy", merchant=make.merchant(cast.BOB))

    for name in ("routing_strategy_whatif", "routing_strategy_whatif_cancel"):
        address = reverse(f"admin:{name}", args=(run.strategy_id,))
        assert {browser.get(address).status_code, browser.post(address).status_code} == {404}
    assert TwinRun.objects.get() == run


def test_the_replay_of_one_merchant_sees_nothing_of_another() -> None:
    twin.shop()
    now = twin.a_week(count=5)
    before = twin.result_of(now, yuan_per_hour="0.3")
    bob = make.merchant(cast.BOB)
    make.network(owner=bob)
    strategies.ensure_presets(bob, now=now)

    run = service.start(Strategy.objects.get(merchant=bob, is_default=True), twin.figures(), 7, now=now)
    service.work(now)
    after = twin.result_of(now, yuan_per_hour="0.3")

    run.refresh_from_db()
    assert run.error == "no_orders"
    assert {**after, "seconds": 0} == {**before, "seconds": 0}


def _rates() -> dict[str, str]:
    """The page's other figures, as they are in force."""
    told = twin.figures()
    names = ("yuan_per_hour", "yuan_per_hour_remote", "yuan_per_kgco2e", "stock_price_factor")
    names += ("yuan_per_extra_parcel", "forward_bonus", "capacity_price_factor")
    return {name: told[name] for name in names}

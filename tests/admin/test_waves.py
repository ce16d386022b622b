"""Operators' pages of pick waves, in both languages; by hand and as a preview, only for whoever may."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from orderhub.kernel import clock
from routing.waves.models import PickWave, WaveSchedule
from tests import cast, make, waves
from tests.admin import desk

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def hub_clock(monkeypatch: pytest.MonkeyPatch) -> make.Clock:
    """A clock of the test's own."""
    own = make.Clock()
    monkeypatch.setattr(clock, "now", own.now)
    return own


def form(**fields: Any) -> dict[str, Any]:
    """What the page of a schedule sends."""
    return {
        "merchant": make.merchant().pk, "name": "午后波次", "name_en": "Afternoon", "times": "14:00",
        "every_hours": "", "time_zone": "Asia/Shanghai", "replan_minutes": "5", "max_changes": "",
        "seconds_limit": "5", "is_active": "on", **fields,
    }  # fmt: skip


def test_a_schedule_is_made_and_its_history_kept() -> None:
    client = desk.boss()

    done = client.post("/admin/routing/waveschedule/add/", form(times=" 17:30,10:00 "), follow=True)

    assert done.status_code == 200
    plan = WaveSchedule.objects.get()
    assert (plan.times, plan.counts_from, plan.history.count()) == ("10:00, 17:30", make.NOW, 1)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"times": ""}, "times"),
        ({"every_hours": "4"}, "times"),
        ({"times": "noon"}, "times"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"times": "", "every_hours": "25"}, "every_hours"),
        ({"seconds_limit": "0"}, "seconds_limit"),
    ],
)
def test_what_cannot_be_a_schedule_is_refused_at_its_field(fields: dict[str, str], field: str) -> None:
    page = desk.boss().post("/admin/routing/waveschedule/add/", form(**fields))

    assert page.status_code == 200
    assert field in page.context["adminform"].form.errors
    assert not WaveSchedule.objects.exists()


def test_a_merchant_has_one_active_schedule() -> None:
    waves.schedule()

    client = desk.boss()
    good = client.post("/admin/routing/waveschedule/add/", form(times="", every_hours="6"))
    bad = client.post("/admin/routing/waveschedule/add/", form(times="25:00"))

    assert list(good.context["adminform"].form.errors) == ["is_active"]
    assert set(bad.context["adminform"].form.errors) == {"times", "is_active"}
    assert "routing_waves_one_schedule" not in bad.content.decode()


def test_the_list_of_waves_says_when_the_next_is_or_that_none_is_planned() -> None:
    client, path = desk.boss("en"), "/admin/routing/pickwave/"

    before = client.get(path).content.decode()
    waves.schedule()
    after = client.get(path).content.decode()

    assert "No pick wave is planned" in before
    assert "Plan pick waves" in before
    assert "No pick wave is planned" not in after
    assert "(Asia/Shanghai)" in after


def test_only_new_times_count_from_now_on(hub_clock: make.Clock) -> None:
    plan = waves.schedule()
    client = desk.boss()
    path = f"/admin/routing/waveschedule/{plan.pk}/change/"
    hub_clock.advance(hours=1)

    client.post(path, form(name="下午"))
    plan.refresh_from_db()
    assert (plan.name, plan.counts_from) == ("下午", make.NOW)

    client.post(path, form(times="15:00"))
    plan.refresh_from_db()
    assert plan.counts_from == hub_clock.now()


@pytest.mark.parametrize(("language", "words"), [("zh-hans", "承诺全部保持"), ("en", "every promise kept")])
def test_the_page_of_a_wave_says_what_it_was_worth(hub_clock: make.Clock, language: str, words: str) -> None:
    waves.schedule()
    _mei, lei, _fang = waves.three_orders()
    hub_clock.moment = waves.RELEASE
    make.run_until_idle()
    client = desk.boss(language)
    wave = PickWave.objects.get()

    page = client.get(reverse("admin:routing_pickwave_change", args=(wave.pk,)))

    told = page.content.decode()
    assert page.status_code == 200
    assert words in told
    assert reverse("admin:orders_order_change", args=(lei.pk,)) in told
    assert f"¥{wave.cost_before - wave.cost_after:,.2f}" in told  # type: ignore[operator]
    assert client.get(reverse("admin:routing_pickwave_changelist")).status_code == 200


@pytest.mark.parametrize(
    ("language", "words"), [("zh-hans", "等待拣货波次"), ("en", "Waits for the pick wave")]
)
def test_the_order_says_what_it_waits_for(hub_clock: make.Clock, language: str, words: str) -> None:
    waves.schedule()
    _mei, lei, _fang = waves.three_orders()

    page = desk.boss(language).get(reverse("admin:orders_order_change", args=(lei.pk,)))

    assert words in page.content.decode()


def test_a_wave_is_released_by_hand(hub_clock: make.Clock) -> None:
    plan = waves.schedule()
    waves.three_orders()
    client = desk.boss()
    path = f"/admin/routing/waveschedule/{plan.pk}/release-now/"

    assert "3 个等待的订单" in client.get(path).content.decode()
    assert not PickWave.objects.exists()
    done = client.post(path, follow=True)

    assert desk.messages_of(done) == ["波次将在几秒内规划并下发。"]
    assert PickWave.objects.get().is_manual
    make.run_until_idle()
    assert PickWave.objects.get().released == 3


def test_a_preview_shows_the_changes_and_makes_none(hub_clock: make.Clock) -> None:
    plan = waves.schedule()
    placed = waves.three_orders()
    before = waves.sources(*placed)
    path = f"/admin/routing/waveschedule/{plan.pk}/preview/"

    page = desk.boss("en").post(path)

    assert page.status_code == 200
    assert "A preview: nothing was changed." in page.content.decode()
    assert page.context["page"]["changed"] == 2
    assert waves.sources(*placed) == before
    assert not PickWave.objects.exists()


@pytest.mark.parametrize("verb", ["release-now", "preview"])
def test_only_whoever_may_change_schedules_may_do_that(verb: str) -> None:
    plan = waves.schedule()

    page = desk.member("carbon").post(f"/admin/routing/waveschedule/{plan.pk}/{verb}/")

    assert page.status_code == 403
    assert not PickWave.objects.exists()


@pytest.mark.parametrize("verb", ["change", "release-now", "preview"])
def test_staff_of_another_merchant_find_nothing(verb: str) -> None:
    plan = waves.schedule()
    client = desk.member("operator", merchant=make.merchant(cast.BOB))

    page = client.post(f"/admin/routing/waveschedule/{plan.pk}/{verb}/")

    assert page.status_code in (302, 404)
    assert not PickWave.objects.exists()

"""Working time, lanes, bands, plans and suggestions, without a database."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracking.center.engine import bands, lanes, planning, working
from tracking.center.engine.bands import Band
from tracking.center.engine.planning import Step
from tracking.center.engine.suggesting import Known, suggest
from tracking.center.engine.working import Hours

CHINA = ZoneInfo("Asia/Shanghai")
#: The autumn holidays of 2026: closed from 1 to 7 October, the Sunday before and the Saturday after are worked.
OFFICE = Hours(
    "Asia/Shanghai", frozenset(range(5)), time(9), time(18),
    {**{date(2026, 10, day): False for day in range(1, 8)}, date(2026, 9, 20): True, date(2026, 10, 10): True},
)  # fmt: skip
moments = st.datetimes(datetime(2026, 9, 1), datetime(2026, 11, 1), timezones=st.just(UTC))
spans = st.integers(0, 60 * 24 * 5).map(lambda minutes: timedelta(minutes=minutes))


def at(day: int, hour: int, month: int = 10) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=CHINA)


@pytest.mark.parametrize(
    ("start", "hours", "end"),
    [
        (at(9, 10), 2, at(9, 12)),
        (at(9, 17), 2, at(10, 10)),  # a Saturday that is worked
        (at(10, 17), 2, at(12, 10)),  # over a Sunday
        (at(30, 17, 9), 2, at(8, 10)),  # over the holidays
        (at(3, 12), 1, at(8, 10)),  # begun in the middle of them
        (at(9, 3), 1, at(9, 10)),  # before it opens
    ],
)
def test_working_time_knows_weekends_holidays_and_the_days_worked_instead(
    start: datetime, hours: float, end: datetime
) -> None:
    assert working.after(start, timedelta(hours=hours), OFFICE) == end


def test_a_night_shift_is_of_the_day_it_began() -> None:
    night = Hours("Asia/Shanghai", frozenset({0}), time(22), time(6))  # Mondays from ten to six

    assert working.after(at(13, 1), timedelta(hours=2), night) == at(13, 3)
    assert working.after(at(13, 5), timedelta(hours=2), night) == at(19, 23)


@settings(max_examples=60, deadline=None)
@given(moments, spans)
def test_what_was_worked_until_the_limit_is_the_limit(start: datetime, span: timedelta) -> None:
    end = working.after(start, span, OFFICE)

    assert abs(working.worked(start, end, OFFICE) - span) < timedelta(seconds=1)
    assert working.after(start, span, working.AROUND_THE_CLOCK) == start + span


def test_a_calendar_that_never_opens_ends_somewhere() -> None:
    assert working.after(at(1, 0), timedelta(hours=1), Hours(weekdays=frozenset())) > at(1, 0)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(0.2, 500), min_size=lanes.FEWEST, max_size=120))
def test_a_quantile_of_classes_is_within_a_class_of_the_true_one(hours: list[float]) -> None:
    found = lanes.quantile(lanes.added({}, hours), 0.95)
    true = sorted(hours)[-(-95 * len(hours) // 100) - 1]

    assert found is not None
    assert true / 1.11 <= found <= true * 1.11


def test_few_samples_say_nothing_and_merging_counts_all() -> None:
    few = lanes.added({}, [10.0] * 20)

    assert lanes.quantile(few, 0.5) is None
    assert lanes.total(lanes.merged([few, few])) == 40


def test_a_band_flickers_only_for_a_fifth_or_for_the_promise() -> None:
    band = Band(at(9, 10), at(9, 20))

    def moved(hours: float) -> Band:
        return Band(at(9, 10) + timedelta(hours=hours), at(9, 20) + timedelta(hours=hours))

    assert bands.is_news(None, band, promise=None)
    assert not bands.is_news(band, moved(1.9), promise=None)
    assert bands.is_news(band, moved(2.1), promise=None)
    assert bands.is_news(band, moved(1.0), promise=at(9, 20) + timedelta(minutes=30))


def test_where_the_vehicle_is_narrows_the_band() -> None:
    first, last, now = at(10, 8), at(10, 20), at(10, 9)

    near = bands.located(first, last, at=now, road_km=10, is_out=True)
    assert near == (now + timedelta(minutes=6), now + timedelta(hours=3, minutes=30))
    # On the way between hubs, near says nothing of when somebody rings.
    assert bands.located(first, last, at=now, road_km=10, is_out=False) == (near[0], last)
    # Farther away than the band allows, it moves back as wide as it was.
    assert bands.located(first, last, at=now, road_km=1500, is_out=False) == (
        now + timedelta(hours=15),
        now + timedelta(hours=27),
    )
    # A fix of long ago takes nothing away.
    assert bands.located(first, last, at=at(9, 1), road_km=10, is_out=False) == (first, last)


def test_a_plan_is_kept_and_what_is_to_come_moves() -> None:
    steps = [
        Step("MATERIAL_RECEIVED", 9),
        Step("QC_PASSED", 9),
        Step("SHIPPED", 4),
        Step("DELIVERED", 24, works=False),
    ]
    plan = planning.planned(steps, at(9, 9), OFFICE)
    assert plan["SHIPPED"] == at(12, 13)  # Friday and the Saturday that is worked, then Monday

    stops = planning.expected(
        steps, plan, {"MATERIAL_RECEIVED": at(12, 12)}, OFFICE, begin=at(9, 9), now=at(12, 13)
    )

    assert [stop.planned for stop in stops] == list(plan.values())
    assert stops[0].late == timedelta(days=2, hours=18)
    assert [stop.expected for stop in stops[1:]] == [at(13, 12), at(13, 16), at(14, 16)]
    late = planning.expected(steps, plan, {}, OFFICE, begin=at(9, 9), now=at(20, 0))
    assert late[0].expected == at(20, 0)  # never in the past


@pytest.mark.parametrize(
    ("text", "milestone"),
    [
        ("您的快件已签收，感谢使用", "DELIVERED"),
        ("派送中，请本人签收", "OUT_FOR_DELIVERY"),
        ("派送不成功，收件人不在", "DELIVERY_ATTEMPTED"),
        ("快件已暂存至菜鸟驿站", "READY_FOR_COLLECTION"),
        ("快件离开【上海转运中心】", "DEPARTED"),
        ("Shipment could not be delivered", "DELIVERY_ATTEMPTED"),
        ("Arrived at sort facility", "ARRIVED"),
        ("Held by customs for inspection", "CUSTOMS_HELD"),
    ],
)
def test_texts_of_carriers_suggest_what_they_mean(text: str, milestone: str) -> None:
    found = suggest("", text)

    assert found is not None
    assert found.milestone == milestone


def test_what_looks_like_something_known_is_suggested_and_noise_is_not() -> None:
    known = [Known("STATUS_77_HANDOVER", "PICKED_UP")]

    assert (found := suggest("STATUS_78_HANDOVER", "", known)) is not None
    assert found.milestone == "PICKED_UP"
    assert suggest("qq", "zzz", known) is None
    assert suggest("", "") is None

"""When waves are released: at times of the day, or every so many hours, in the merchant's own zone."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from routing.waves import calendar

SHANGHAI, BERLIN = "Asia/Shanghai", "Europe/Berlin"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_the_next_and_the_last_release_of_times_of_the_day() -> None:
    table = calendar.daily(["17:30", "10:00"], SHANGHAI)

    assert table.after(at("2026-11-22T01:59:59")) == at("2026-11-22T02:00:00")
    assert table.after(at("2026-11-22T02:00:00")) == at("2026-11-22T09:30:00")
    assert table.after(at("2026-11-22T09:30:00")) == at("2026-11-23T02:00:00")
    assert table.until(at("2026-11-22T02:00:00")) == at("2026-11-22T02:00:00")
    assert table.until(at("2026-11-22T01:59:59")) == at("2026-11-21T09:30:00")


def test_hours_count_from_midnight_and_the_last_span_may_be_shorter() -> None:
    table = calendar.every(7, SHANGHAI)

    assert [at_.hour for at_ in table.times] == [0, 7, 14, 21]
    assert table.after(at("2026-11-22T13:00:00")) == at("2026-11-22T16:00:00")


@pytest.mark.parametrize(
    ("moment", "following"),
    [
        ("2026-03-29T00:00:00", "2026-03-29T01:30:00"),  # 02:30 is left out that day: an hour later
        ("2026-10-25T00:00:00", "2026-10-25T00:30:00"),  # 02:30 comes twice: the first counts
    ],
)
def test_a_change_of_the_clocks_loses_no_wave(moment: str, following: str) -> None:
    assert calendar.daily(["02:30"], BERLIN).after(at(moment)) == at(following)


@pytest.mark.parametrize("texts", [[], ["25:00"], ["noon"], ["10:00:30"]])
def test_other_texts_are_no_times(texts: list[str]) -> None:
    with pytest.raises(ValueError, match=r"time|hour|minute|Invalid"):
        calendar.daily(texts, SHANGHAI)


@pytest.mark.parametrize("hours", [0, 25])
def test_from_every_hour_to_once_a_day(hours: int) -> None:
    with pytest.raises(ValueError, match="hour"):
        calendar.every(hours, SHANGHAI)

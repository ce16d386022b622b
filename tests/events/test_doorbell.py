"""Rings are not piled up: one unanswered ring per queue is enough."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache

from orderhub.celery import app
from orderhub.events import doorbell


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch, settings: Any) -> list[str]:
    """The queues that were rung, in a hub with a broker."""
    settings.EMBEDDED = False
    rung: list[str] = []
    monkeypatch.setattr(app, "send_task", lambda _name, *, queue, **_options: rung.append(queue))
    return rung


def test_a_queue_is_rung_once_until_somebody_answers(sent: list[str]) -> None:
    doorbell.ring(["route", "low"])
    doorbell.ring(["route", "outbox"])

    assert sent == ["low", "route", "outbox"]

    doorbell.answered("route")
    doorbell.ring(["route", "low"])

    assert sent == ["low", "route", "outbox", "route"]


def test_a_dead_cache_stops_nobody(sent: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def dead(*_arguments: object, **_options: object) -> bool:
        raise ConnectionError("gone")

    monkeypatch.setattr(cache, "get_many", dead)
    monkeypatch.setattr(cache, "add", dead)
    monkeypatch.setattr(cache, "delete", dead)

    doorbell.ring(["route"])
    doorbell.answered("route")

    assert sent == []


def test_what_can_wait_is_rung_by_the_clock_once_for_all(sent: list[str]) -> None:
    doorbell.ring_late()  # a clock ticks
    doorbell.ring(["route", "low"])
    doorbell.ring(["low"])
    assert sent == ["route"]

    doorbell.ring_late()
    doorbell.ring_late()
    doorbell.ring(["low"])
    assert sent == ["route", "low"]

    doorbell.answered("low")
    doorbell.ring(["low"])
    doorbell.ring_late()
    assert sent == ["route", "low", "low"]


def test_without_a_clock_nothing_waits_for_it(sent: list[str]) -> None:
    doorbell.ring(["carbon"])

    assert sent == ["carbon"]

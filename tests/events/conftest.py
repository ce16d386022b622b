"""A kind, subscribers and projections that exist for one test only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction

from orderhub.events import kinds, registry
from orderhub.events.log import Fact, record
from orderhub.events.models import Event
from orderhub.kernel import clock

KIND = "test.happened"
kinds.declare(KIND, zh="测试事件", en="Something was tested")


@pytest.fixture(autouse=True)
def only_test_listeners(monkeypatch: pytest.MonkeyPatch) -> None:
    """Registries that start empty, so that no subscriber of an app sees the events of a test here."""
    for name in ("subscribers", "projections", "periodics"):
        monkeypatch.setattr(registry, name, {})


@pytest.fixture
def write() -> Callable[..., list[Event]]:
    """`write("a", "a", "b")` records one event per named stream, committed together."""

    def _write(*streams: str, payload: dict[str, object] | None = None) -> list[Event]:
        with transaction.atomic():
            facts = [
                Fact(stream, KIND, payload or {"number": number}) for number, stream in enumerate(streams)
            ]
            return record(facts, now=clock.now(), actor="system")

    return _write


@pytest.fixture
def job() -> Callable[..., registry.Subscriber]:
    """`job(handler, **options)` registers a subscriber of the test kind and gives it back."""

    def _job(
        handler: registry.DeliveryHandler, name: str = "test.job", **options: Any
    ) -> registry.Subscriber:
        registry.on(KIND, name=name, queue=options.pop("queue", "low"), **options)(handler)
        return registry.subscribers[name]

    return _job


@pytest.fixture
def view() -> Callable[..., registry.Projection]:
    """`view(handler, **options)` registers a projection of the test kind and gives it back."""

    def _view(
        handler: registry.ProjectionHandler, name: str = "test.view", **options: Any
    ) -> registry.Projection:
        registry.projection(name, kinds=[KIND], **options)(handler)
        return registry.projections[name]

    return _view

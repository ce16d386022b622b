"""`/healthz` and `/readyz`: what fails, what is only told, and to whom."""

from __future__ import annotations

import shutil
from collections import namedtuple
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client

from orderhub.celery import QUEUES
from orderhub.events import beats
from orderhub.events.models import Delivery
from orderhub.observe import readiness
from tests import make

pytestmark = pytest.mark.django_db

Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def monitor(settings: Any) -> Client:
    """A monitor with the token."""
    settings.METRICS_TOKEN = "a-token-of-the-monitor"
    return Client(headers={"Authorization": "Bearer a-token-of-the-monitor"})


@pytest.fixture
def alive() -> None:
    """A worker for every queue and a clock."""
    beats.beat("worker", queues=",".join(QUEUES))
    beats.beat("clock", queues="")


def test_all_is_well(alive: None, monitor: Client) -> None:
    answer = monitor.get("/readyz?strict")

    assert (answer.status_code, answer.json()["status"]) == (200, "ready")
    assert answer.json()["dependencies"]["migrations"] == {"well": True, "says": "applied"}
    assert {"database", "workers", "deliveries", "disk"} <= answer.json()["dependencies"].keys()


def test_strangers_learn_no_details(alive: None) -> None:
    assert Client().get("/readyz").json() == {"status": "ready"}
    assert Client().get("/healthz").json() == {"status": "ok"}


def test_without_workers_orders_are_still_taken(monitor: Client) -> None:
    lenient, strict = monitor.get("/readyz"), monitor.get("/readyz?strict")

    assert (lenient.status_code, lenient.json()["status"]) == (200, "degraded")
    assert "workers" in lenient.json()["reasons"]
    assert strict.status_code == 503


def test_a_dead_delivery_is_told(alive: None, monitor: Client) -> None:
    make.network()
    make.place()
    Delivery.objects.update(state=Delivery.State.DEAD)

    answer = monitor.get("/readyz")

    assert answer.json()["reasons"] == ["dead_deliveries"]


def test_a_full_disk_is_told(alive: None, monkeypatch: Any) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(100, 99, 1))

    assert Client().get("/readyz").json() == {"status": "degraded", "reasons": ["disk"]}


def test_a_dead_database_is_not_ready_and_the_process_still_lives(monkeypatch: Any) -> None:
    def _fail() -> None:
        raise OperationalError("password=secret of host db.internal")

    monkeypatch.setattr(readiness.connection, "ensure_connection", _fail)

    answer = Client().get("/readyz")

    assert (answer.status_code, answer.json()["status"]) == (503, "not ready")
    assert answer.json()["reasons"] == ["database"]
    assert "secret" not in answer.content.decode()
    assert Client().get("/healthz").status_code == 200


def test_pending_migrations_are_not_ready(alive: None, monkeypatch: Any) -> None:
    monkeypatch.setattr(readiness, "_pending_migrations", lambda: 2)

    answer = Client().get("/readyz")

    assert (answer.status_code, answer.json()["reasons"][0]) == (503, "migrations")

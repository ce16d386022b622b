"""`/metrics`: what Prometheus is told, and to whom; the dashboard and the alerts ask for nothing else."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings
from django.contrib.auth import get_user_model
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from orderhub.observe import collector
from orderhub.observe.collector import Hub
from tests import make

pytestmark = pytest.mark.django_db

DASHBOARD = Path(settings.BASE_DIR) / "docs" / "grafana" / "orderhub.json"
ALERTS = Path(settings.BASE_DIR) / "docs" / "grafana" / "alerts.yaml"
#: What only PostgreSQL or a broker has to tell.
ELSEWHERE = {
    "orderhub_db_connections", "orderhub_db_connections_allowed", "orderhub_db_oldest_transaction_seconds",
    "orderhub_partition_strays", "orderhub_partition_months_ahead", "orderhub_queue_messages",
}  # fmt: skip


@pytest.fixture
def monitor(settings: Any) -> Client:
    """A monitor with the token."""
    settings.METRICS_TOKEN = "a-token-of-the-monitor"
    return Client(headers={"Authorization": "Bearer a-token-of-the-monitor"})


def scraped(monitor: Client) -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
    """Samples by name and labels."""
    found: dict[str, dict[tuple[tuple[str, str], ...], float]] = {}
    for family in text_string_to_metric_families(monitor.get("/metrics").content.decode()):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sorted(sample.labels.items()))] = sample.value
    return found


def test_strangers_find_nothing(monitor: Client, settings: Any) -> None:
    assert Client().get("/metrics").status_code == 404
    assert Client(headers={"Authorization": "Bearer wrong"}).get("/metrics").status_code == 404
    settings.METRICS_TOKEN = ""
    assert Client(headers={"Authorization": "Bearer "}).get("/metrics").status_code == 404


def test_a_monitor_may_call_a_process_by_its_address(monitor: Client) -> None:
    assert monitor.get("/metrics", headers={"Host": "10.1.2.3:8000"}).status_code == 200
    assert Client().get("/metrics", headers={"Host": "10.1.2.3:8000"}).status_code == 400


def test_staff_may_look_and_merchants_may_not() -> None:
    people = get_user_model().objects
    staff, merchant = Client(), Client()
    backend = "django.contrib.auth.backends.ModelBackend"
    staff.force_login(people.create_user(username="staff", is_staff=True), backend=backend)
    merchant.force_login(people.create_user(username="merchant"), backend=backend)

    assert staff.get("/metrics").status_code == 200
    assert merchant.get("/metrics").status_code == 404


def test_an_order_and_its_work_are_told(monitor: Client) -> None:
    make.network()
    (order,) = make.place()

    told = scraped(monitor)

    assert told["orderhub_orders_total"] == {(): order.pk}
    assert told["orderhub_orders_in_stage"][(("stage", "received"),)] == 1
    assert sum(told["orderhub_deliveries_open"].values()) >= 1
    assert told["orderhub_events_last_minute"][(("kind", "order.placed"),)] == 1
    assert all(value >= 1 for value in told["orderhub_projection_behind_events"].values())

    make.run_until_idle()
    told = scraped(monitor)

    assert told["orderhub_orders_in_stage"][(("stage", "received"),)] == 0
    assert "orderhub_deliveries_open" not in told
    assert told["orderhub_decision_seconds"][(("quantile", "0.95"),)] > 0
    assert told["orderhub_reserved_units"][()] >= 1


def test_requests_are_counted_by_route_not_by_path(monitor: Client) -> None:
    labels = (("method", "GET"), ("route", "tracking-page"), ("status", "404"))
    name = "orderhub_http_request_seconds_count"
    before = scraped(monitor).get(name, {}).get(labels, 0)

    Client().get("/t/no-such-token/")

    told = scraped(monitor)
    assert told[name][labels] == before + 1
    assert not any("no-such-token" in str(key) for samples in told.values() for key in samples)


def test_a_part_that_fails_leaves_the_others(monitor: Client, monkeypatch: Any) -> None:
    def _gone() -> Any:
        raise OSError("the disk is gone")
        yield

    monkeypatch.setattr(collector, "PARTS", (_gone, *collector.PARTS))

    told = scraped(monitor)

    assert told["orderhub_scrape_failures_total"][(("part", "gone"),)] >= 1
    assert "orderhub_orders_total" in told


def names() -> set[str]:
    """Every metric there is, with those of the request histogram."""
    own = {"orderhub_http_request_seconds_bucket", "orderhub_http_request_seconds_count"}
    own |= {"orderhub_http_request_seconds_sum", "orderhub_scrape_failures_total"} | ELSEWHERE
    for family in Hub().collect():
        own.add(f"{family.name}_total" if family.type == "counter" else family.name)
    return own | {"orderhub_deliveries_open", "orderhub_deliveries_dead", "orderhub_deliveries_retrying"}


def asked(expression: str) -> set[str]:
    """The metrics an expression asks for."""
    return set(re.findall(r"\borderhub_[a-z_]+", expression))


def test_every_panel_asks_for_metrics_that_exist() -> None:
    board = json.loads(DASHBOARD.read_text("utf-8"))
    panels = [panel for panel in board["panels"] if panel["type"] != "row"]
    expressions = [target["expr"] for panel in panels for target in panel["targets"]]

    assert len(panels) >= 15
    assert {metric for each in expressions for metric in asked(each)} <= names()
    assert all(asked(each) for each in expressions)


def test_the_dashboard_can_be_imported() -> None:
    board = json.loads(DASHBOARD.read_text("utf-8"))

    assert board["schemaVersion"] >= 36
    assert {"title", "uid", "panels", "templating", "time", "refresh"} <= board.keys()
    identifiers = [panel["id"] for panel in board["panels"]]
    assert len(identifiers) == len(set(identifiers))
    taken: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert place["x"] + place["w"] <= 24
        assert not cells & taken, f"{panel['title']} lies on another panel"
        taken |= cells
        for target in panel.get("targets", []):
            assert target["refId"]
            assert target["datasource"]["uid"] == "${source}"


def test_alerts_ask_for_metrics_that_exist_and_say_what_to_do() -> None:
    groups = yaml.safe_load(ALERTS.read_text("utf-8"))["groups"]
    rules = [rule for group in groups for rule in group["rules"]]

    assert len(rules) >= 8
    for rule in rules:
        assert asked(rule["expr"]) <= names(), rule["alert"]
        assert asked(rule["expr"]) or "up{" in rule["expr"]
        assert rule["annotations"]["summary"]
        assert rule["annotations"]["remedy"]
        assert rule["labels"]["severity"] in ("page", "ticket")

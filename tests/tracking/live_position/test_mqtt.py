"""A broker, a listener, a database: what is published is stored once, also what came while nobody listened."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import pytest
from paho.mqtt import publish

from orderhub.access.models import Merchant
from tracking.live_position.models import Device, VehicleFix
from tracking.live_position.mqtt import Listener

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]


def test_what_is_published_is_stored_also_what_came_before(settings: Any) -> None:
    if not settings.MQTT_URL:
        pytest.skip("no MQTT broker")
    host, _colon, port = settings.MQTT_URL.removeprefix("mqtt://").partition(":")
    shop = Merchant.objects.create(code="mqttshop", name="x")
    Device.objects.create(merchant=shop, code="van")
    begun = int(time.time()) - 1000

    def send(first: int, count: int) -> None:
        publish.multiple(
            [
                {
                    "topic": "positions/mqttshop/van", "qos": 1,
                    "payload": json.dumps({"lat": 30.0, "lng": 120.0, "at": begun + first + n}),
                }
                for n in range(count)
            ],
            hostname=host, port=int(port or 1883),
        )  # fmt: skip

    client_id = f"test-{time.time_ns()}"
    for first, count in ((0, 50), (50, 300)):
        listener = Listener(settings.MQTT_URL, client_id)
        end = time.monotonic() + 20
        stop = threading.Thread(target=_later, args=(send, first, count))
        stop.start()
        wanted = first + count
        listener.run(
            until=lambda end=end, wanted=wanted: (
                time.monotonic() > end or VehicleFix.objects.count() >= wanted
            )
        )  # type: ignore[misc]
        stop.join()
        # Between the two listeners: the broker keeps it.
        assert VehicleFix.objects.count() >= wanted


def _later(send: Any, first: int, count: int) -> None:
    time.sleep(1.0)
    send(first, count)

"""One order, two browsers, events from outside; and the page in a shop's own site."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from paho.mqtt import publish
from playwright.sync_api import Page, expect

from tests.browser import survey
from tests.browser.living import Hub, Json, path_of, until
from tests.browser.test_tracking_live import Line
from tests.browser.visiting import DESK, PHONE, Guise, Visits, open_
from tests.faults.hub import ROOT, Process, free_port, manage

pytestmark = pytest.mark.browser

#: As the page's own test measures: what a busy machine adds is said by the figure that is printed.
AT_MOST_SECONDS = 2.0
#: The line is away so long; with the news meanwhile about a minute.
CUT_SECONDS = 45
CHINA = ZoneInfo("Asia/Shanghai")


def _open(visits: Visits, order: Json, guise: Guise) -> tuple[Any, Page, Any]:
    context, watch = visits.context(guise)
    page = context.new_page()
    open_(page, f"{path_of(order)}?lang={guise.language}")
    expect(page.locator("[data-slot=live]")).to_be_visible()
    return context, page, watch


def _told(hub: Hub, order: Json, event_id: str, place: str) -> None:
    """A carrier's scan, told by EPCIS through the API."""
    answer = hub.client.post("epcis/capture/", json={
        "type": "ObjectEvent", "eventID": event_id, "action": "OBSERVE", "bizStep": "arriving",
        "orderhub:milestone": "ARRIVED", "eventTime": datetime.now(UTC).isoformat(), "eventTimeZoneOffset": "+00:00",
        "readPoint": {"id": f"urn:orderhub:place:{place}"},
        "bizTransactionList": [{"type": "po", "bizTransaction": f"urn:orderhub:order:{order['number']}"}],
    })  # fmt: skip
    assert [one["state"] for one in answer.raise_for_status().json()["events"]] == ["applied"], answer.text


@pytest.mark.slow
def test_two_browsers_see_what_comes_from_all_sides_and_one_catches_up(
    hub: Hub, visits: Visits, tmp_path: Path
) -> None:
    """API, MQTT and a carrier's push reach both pages without a reload, and the page that was cut off lacks nothing."""
    order = hub.place()
    order = hub.when(order["id"], lambda now: now["stage"] in ("shipped", "delivered"))
    with sources(hub, order, tmp_path) as (push, drive):
        line_context, watch = visits.context(Guise(width=PHONE["width"]))
        line = Line(line_context)
        phone = line_context.new_page()
        open_(phone, f"{path_of(order)}?lang=zh-hans")
        _context, desk, other = _open(visits, order, Guise(language="en", width=DESK["width"]))
        expect(phone.locator("[data-slot=live]")).to_be_visible()
        said = {
            "Alpha": lambda: _told(hub, order, "urn:uuid:00000000-0000-4000-8000-000000000001", "Alpha"),
            "Bravo": lambda: push("Bravo"),
            "Delta": drive,
        }
        lags = {place: _seconds_until_shown(tell, place, (phone, desk)) for place, tell in said.items()}
        print(f"from the answer to both pages, in seconds: {lags}")
        assert max(lags.values()) <= AT_MOST_SECONDS, lags

        line.cut()
        expect(phone.locator("[data-slot=offline]")).to_be_visible()
        _told(hub, order, "urn:uuid:00000000-0000-4000-8000-000000000002", "Echo")
        push("Foxtrot")
        for place in ("Echo", "Foxtrot"):
            expect(desk.locator("[data-slot=timeline]")).to_contain_text(place, timeout=10_000)
            assert place not in phone.locator("[data-slot=timeline]").inner_text()
        # The rest of a minute: the page tries again, waits longer each time, and keeps what it shows.
        phone.wait_for_timeout(CUT_SECONDS * 1000)
        expect(phone.locator("[data-slot=offline]")).to_be_visible()
        line.mend()

        expect(phone.locator("[data-slot=timeline]")).to_contain_text("Foxtrot", timeout=40_000)
        assert _numbers(phone) == _numbers(desk), "no gap"
        assert (watch.loads, other.loads) == (1, 1)


def _seconds_until_shown(tell: Callable[[], object], place: str, pages: Sequence[Page]) -> float:
    """From the moment the teller was answered until the last page shows the place."""
    tell()
    begun = time.monotonic()
    for page in pages:
        expect(page.locator("[data-slot=timeline]")).to_contain_text(place, timeout=20_000)
    return round(time.monotonic() - begun, 2)


def _numbers(page: Page) -> list[str]:
    found: list[str] = page.locator("[data-slot=timeline] > li[data-seq]").evaluate_all(
        "steps => steps.map((step) => step.dataset.seq).filter((seq) => Number(seq) > 0)"
    )
    return found


SET_UP = """
from datetime import timedelta
from django.core.management import call_command
from orderhub.connectors import secretbox
from orderhub.connectors.models import Connection, Profile
from orderhub.fulfillment.models import Parcel
from orderhub.kernel import clock
from tracking.live_position.models import Device, Fence, Fitting, Trip, TripParcel, Vehicle
parcel = Parcel.objects.filter(fulfillment__order_id={order}).first()
shop, since = parcel.merchant, clock.now() - timedelta(hours=1)
vehicle = Vehicle.objects.create(merchant=shop, code="MQTT-1")
device = Device.objects.create(merchant=shop, code="mqtt-1")
Fitting.objects.create(device=device, vehicle=vehicle, from_at=since)
trip = Trip.objects.create(merchant=shop, vehicle=vehicle, code="MQTT-1", starts_at=since)
TripParcel.objects.create(trip=trip, parcel=parcel)
Fence.objects.create(merchant=shop, code="MQTT-1", name="Delta", latitude=30.2, longitude=120.2, radius_m=5000,
                     enter_milestone="ARRIVED")
call_command("load_profiles", verbosity=0)
carrier = Connection(
    merchant=shop, code="story-carrier", name="Story carrier", kind="profile", door_key="story-carrier",
    profile=Profile.objects.get(code="generic_carrier", merchant=None),
    config={{"base_url": "https://carrier.example", "carrier": parcel.carrier}},
)
secretbox.put(carrier, "secret", "carrier-secret", now=clock.now())
carrier.save()
print(shop.code, parcel.tracking_number)
"""


@contextlib.contextmanager
def sources(
    hub: Hub, order: Json, folder: Path
) -> Iterator[tuple[Callable[[str], None], Callable[[], None]]]:
    """A carrier that pushes a scan at a place, and a tracker over MQTT that drives into the fence "Delta"."""
    env, port = hub.process.env, free_port()
    command = [*manage("shell", "-v", "0", "-c", SET_UP.format(order=order["id"]))]
    done = subprocess.run(command, env=dict(env), capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr[-2000:]
    shop, number = done.stdout.split()[-2:]

    def push(place: str) -> None:
        at = datetime.now(CHINA).strftime("%Y-%m-%d %H:%M:%S")
        event = {"at": at, "code": "AR", "text": "arrived", "place": place, "id": place}
        body = json.dumps({"tracking_number": number, "events": [event]}).encode()
        stamp = str(int(time.time()))
        signed = hmac.new(b"carrier-secret", stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
        headers = {
            "X-Timestamp": stamp,
            "X-Signature": signed,
            "X-Id": place,
            "Content-Type": "application/json",
        }
        answer = httpx.post(f"{hub.url}/in/story-carrier/", content=body, headers=headers, timeout=20)
        assert answer.status_code < 300, answer.text

    def drive() -> None:
        for second in (8, 4):
            fix = {
                "_type": "location",
                "lat": 30.2,
                "lon": 120.2,
                "tst": int(time.time()) - second,
                "acc": 10,
            }
            publish.single(
                f"positions/{shop}/mqtt-1", json.dumps(fix), qos=1, hostname="127.0.0.1", port=port
            )

    with broker(folder, port):
        listener = Process(
            manage("listen_positions", "--url", f"mqtt://127.0.0.1:{port}"), env, folder / "listener.log"
        )
        listener.start()
        try:
            until(lambda: "listening" in listener.tail(), seconds=60, what="the listener subscribes")
            yield push, drive
        finally:
            listener.stop()


@contextlib.contextmanager
def broker(folder: Path, port: int) -> Iterator[None]:
    """A broker of the test's own; skipped where none is installed."""
    command = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if command is None:
        pytest.skip("no MQTT broker on this machine")
    (folder / "broker.conf").write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n")
    process = subprocess.Popen([command, "-c", str(folder / "broker.conf")], stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def test_a_shops_own_site_shows_the_page_only_where_it_may(hub: Hub, visits: Visits) -> None:
    order = hub.orders(stage="delivered")[0] if hub.orders(stage="delivered") else hub.place()
    token = path_of(order).strip("/").rpartition("/")[2]
    answer = httpx.get(f"{hub.url}/e/{token}/")
    assert "http://localhost:8080" in answer.headers["content-security-policy"]
    assert "x-frame-options" not in answer.headers
    assert len(answer.content) < 60_000

    page, watch = visits.page(f"/e/{token}/?lang=en", Guise(language="en", width=PHONE["width"]))
    assert survey.violations(page) == []
    assert survey.sticking_out(page) == {}
    watch.assert_clean()


def test_a_foreign_origin_gets_no_socket(hub: Hub) -> None:
    handshake = {
        "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }  # fmt: skip
    for path in ("/ws/t/", "/ws/b/"):
        foreign = httpx.get(f"{hub.url}{path}", headers={**handshake, "Origin": "https://evil.example"})
        assert foreign.status_code == 403


@pytest.mark.parametrize(
    "guise",
    [Guise(width=PHONE["width"]), Guise(language="en", theme="dark", width=PHONE["width"])],
    ids=str,
)
def test_finding_and_asking_are_easy_to_reach_and_to_read(hub: Hub, visits: Visits, guise: Guise) -> None:
    order = hub.place()
    for path in ("/t/", path_of(order), f"{path_of(order)}notices/"):
        page, _watch = visits.page(f"{path}?lang={guise.language}", guise)
        for ask in page.locator(".tr-ask summary").all():
            ask.click()
        assert survey.violations(page) == [], path
        assert survey.sticking_out(page) == {}, path
        assert survey.too_small(survey.words(page)) == [], path

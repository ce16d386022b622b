"""The browser tests' stage: one running demo shop, one Chromium, a fresh context for every visit."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser import uploads
from tests.browser.living import API_KEY, PASSWORD, READY_SECONDS, SPEED, Hub, answers, until
from tests.browser.rounds import Shares
from tests.browser.scene import Scene
from tests.browser.visiting import Guise, Visits
from tests.faults.hub import Process, environment, free_port, manage

#: The shell first: it draws the same pages without a window, for a third of the work.
_COMMANDS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
_FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--no-first-run",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The slow ones first, so that no process is left alone with one of them at the end."""
    items.sort(key=lambda item: not {"browser", "slow"} <= {mark.name for mark in item.iter_markers()})


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """With `--dist=loadgroup`: one by one, what shares work together; each process has a shop of its own."""
    if config.getvalue("dist") != "loadgroup":
        return None
    config.option.loadscopereorder = False
    return Shares(config, log)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The system's Chromium; without one the tests are skipped, or fail where CI is to run them."""
    command = next((found for name in _COMMANDS if (found := shutil.which(name))), None)
    if command is None:
        reason = f"no Chromium on this machine (looked for {', '.join(_COMMANDS)})"
        if os.environ.get("CI", "").lower() in ("1", "true"):
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=command, args=list(_FLAGS))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def hub(
    chromium: Browser, tmp_path_factory: pytest.TempPathFactory, place_database: Callable[[Path], None]
) -> Iterator[Hub]:
    """The demo shop with data and port of its own, once its first parcels are on their way."""
    folder, port = tmp_path_factory.mktemp("hub"), free_port()
    url = f"http://127.0.0.1:{port}"
    env = environment(
        HUB_DATA_DIR=folder / "data", HUB_PORT=port, HUB_PUBLIC_URL=url, HUB_SIM_SPEED=SPEED,
        HUB_DEMO_API_KEY=API_KEY, HUB_DEMO_PASSWORD=PASSWORD, HUB_DEMO_WORLD="0",
    )  # fmt: skip
    (folder / "data").mkdir()
    place_database(folder / "data" / "orderhub.sqlite3")
    process = Process(manage("serve", "--demo"), env, folder / "serve.log")
    process.start()
    try:
        headers = {"Authorization": f"Api-Key {API_KEY}"}
        with httpx.Client(base_url=f"{url}/api/v1/", headers=headers, timeout=20) as client:
            running = Hub(url, process, client)
            until(answers(url), seconds=READY_SECONDS, what="the hub is ready")
            until(
                lambda: _has_shipped(running), seconds=READY_SECONDS, what="the first parcels leave", every=1
            )
            yield running
    finally:
        process.stop()
        print(process.tail())


def _has_shipped(hub: Hub) -> bool:
    return bool(hub.orders(stage="shipped") or hub.orders(stage="delivered"))


@pytest.fixture(scope="session")
def sessions(chromium: Browser, hub: Hub) -> dict[str, Any]:
    """The cookies of the demo's two people, logged in through the form."""
    return {
        name: _log_in(chromium, hub, name, to=path)
        for name, path in (("admin", "/admin/"), ("merchant", "/login/"))
    }


def _log_in(chromium: Browser, hub: Hub, name: str, *, to: str) -> Any:
    context = chromium.new_context(base_url=hub.url)
    page = context.new_page()
    page.goto(to)
    page.fill("[name=username]", name)
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
    page.wait_for_url(lambda address: "login" not in address)
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture
def visits(chromium: Browser, hub: Hub, sessions: dict[str, Any]) -> Iterator[Visits]:
    """Opens pages in contexts that end with the test."""
    visits = Visits(chromium, hub.url, sessions)
    yield visits
    visits.close()


@pytest.fixture(scope="session")
def scene(
    chromium: Browser, hub: Hub, sessions: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Scene]:
    """The pages to look at, with a file in preview and one that came in but for some rows.

    Pictures of them go to the folder HUB_SHOTS, or to a temporary one.
    """
    folder = Path(os.environ.get("HUB_SHOTS") or tmp_path_factory.mktemp("shots"))
    folder.mkdir(parents=True, exist_ok=True)
    until(lambda: bool(hub.orders(stage="delivered")), seconds=90, what="a first parcel arrives", every=1)
    visits = Visits(chromium, hub.url, sessions)
    page, _watch = visits.page("/merchant/import/", Guise("merchant"))
    preview = uploads.upload(page, uploads.faulty_file("PREVIEW"))
    yield Scene(hub, visits, folder, preview=preview, done="/merchant/import/1/")
    visits.close()

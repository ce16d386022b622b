"""A hub of its own for tests that kill parts of it: its processes, and clients that send it orders."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from tests import cast

ROOT = Path(__file__).resolve().parents[2]
HERE = "127.0.0.1"
BUYERS = (cast.FANG, cast.LEI, cast.MEI)
_ELSEWHERE = (
    "DATABASE_URL",
    "REDIS_URL",
    "MQTT_URL",
    "HUB_SECRET_KEY",
    "HUB_DEBUG",
    "DJANGO_SETTINGS_MODULE",
)
_TRIES = 60


def free_port() -> int:
    """A port nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind((HERE, 0))
        return int(probe.getsockname()[1])


def environment(**values: object) -> dict[str, str]:
    """This process's environment without anything that names another hub, plus `values`."""
    kept = {key: value for key, value in os.environ.items() if key not in _ELSEWHERE}
    own = {"DJANGO_SETTINGS_MODULE": "orderhub.settings", **values}
    return {**kept, **{key: str(value) for key, value in own.items()}}


def until(condition: Callable[[], bool], *, seconds: float, what: str, every: float = 0.25) -> float:
    """Wait until the condition holds; the seconds it took. Fails after `seconds`."""
    start = time.monotonic()
    while not condition():
        if time.monotonic() - start > seconds:
            raise AssertionError(f"not within {seconds:.0f} s: {what}")
        time.sleep(every)
    return time.monotonic() - start


# ---- processes -----------------------------------------------------------------------------------


@dataclass(slots=True)
class Process:
    """One command that can be killed and started again; its output goes to a file."""

    command: Sequence[str]
    env: Mapping[str, str]
    log: Path
    running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it (again)."""
        with self.log.open("ab") as out:
            self.running = subprocess.Popen(
                self.command, env=dict(self.env), cwd=ROOT, stdout=out, stderr=out, start_new_session=True
            )

    def kill(self) -> None:
        """End it and everything it started, without any chance to clean up."""
        if self.running is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.running.pid, signal.SIGKILL)
            self.running.wait()

    def stop(self) -> int:
        """Ask it to end; the exit code. After 30 s it is killed."""
        assert self.running is not None
        self.running.terminate()
        try:
            return self.running.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.kill()
            return -signal.SIGKILL

    def tail(self, lines: int = 25) -> str:
        """The end of its output."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


def manage(*arguments: str) -> list[str]:
    """The command line of a management command."""
    return [sys.executable, str(ROOT / "manage.py"), *arguments]


def ask(call: str, *, env: Mapping[str, str]) -> Any:
    """Run a function of `inside` in a process of the hub, e.g. `seed(100)`; its answer, through JSON."""
    code = "import django, json; django.setup(); from tests.faults import inside; "
    code += f"print(json.dumps(inside.{call}))"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=dict(env), cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def invariants(env: Mapping[str, str]) -> tuple[int, str]:
    """Exit code and output of `manage.py check_invariants`."""
    command = manage("check_invariants")
    done = subprocess.run(command, env=dict(env), cwd=ROOT, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr[-2000:]


def answers(url: str) -> Callable[[], bool]:
    """Whether the web server answers there."""

    def ask() -> bool:
        try:
            return httpx.get(f"{url}/healthz", timeout=2).status_code == 200
        except httpx.HTTPError:
            return False

    return ask


# ---- orders --------------------------------------------------------------------------------------


def body(number: int) -> dict[str, Any]:
    """Order `number`: one to three units of one or two SKUs, for one of three buyers."""
    lines = [{"sku": cast.GOODS[number % 3][0], "quantity": number % 3 + 1, "unit_price": "10.00"}]
    if number % 2:
        lines.append({"sku": cast.GOODS[(number + 1) % 3][0], "quantity": 1, "unit_price": "5.00"})
    return {
        "external_id": f"F{number:05d}", "paid": True, "destination": BUYERS[number % 3].destination,
        "lines": lines,
    }  # fmt: skip


def units(numbers: Sequence[int]) -> int:
    """Units ordered in all."""
    return sum(int(line["quantity"]) for number in numbers for line in body(number)["lines"])


@dataclass(slots=True)
class Sent:
    """What the clients saw: acknowledged orders, the seconds of each, and how often they tried again."""

    acknowledged: dict[str, int] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    retries: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, number: str, order_id: int, seconds: float, retries: int) -> None:
        """Keep one acknowledgment."""
        with self._lock:
            self.acknowledged[number] = order_id
            self.seconds.append(seconds)
            self.retries += retries

    def percentile(self, share: float) -> float:
        """Seconds that this share of the requests took at most."""
        return sorted(self.seconds)[min(len(self.seconds) - 1, int(len(self.seconds) * share))]


@dataclass(slots=True)
class Clients:
    """Several clients that send orders and repeat what was not answered, under the same Idempotency-Key."""

    url: str
    key: str
    sent: Sent = field(default_factory=Sent)

    def send(self, numbers: Sequence[int], *, clients: int = 8) -> None:
        """Send these orders; returns when all are acknowledged."""
        with self._client() as client, ThreadPoolExecutor(clients) as pool:
            list(pool.map(lambda number: self._one(client, number), numbers))

    def _client(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, timeout=20, headers={"Authorization": f"Api-Key {self.key}"})

    def _one(self, client: httpx.Client, number: int) -> None:
        order = body(number)
        start = time.monotonic()
        for attempt in range(_TRIES):
            answer = self._try(client, order)
            if answer is not None:
                assert answer.status_code in (200, 201), f"{answer.status_code} {answer.text[:500]}"
                spent = time.monotonic() - start
                self.sent.note(order["external_id"], answer.json()["id"], spent, attempt)
                return
            time.sleep(0.5)
        raise AssertionError(f"order {number} was never acknowledged")

    def _try(self, client: httpx.Client, order: Mapping[str, Any]) -> httpx.Response | None:
        try:
            answer = client.post(
                "/api/v1/orders/", json=order, headers={"Idempotency-Key": order["external_id"]}
            )
        except httpx.HTTPError:
            return None
        return None if answer.status_code >= 500 else answer

    def release_seconds(self, numbers: Sequence[int]) -> list[float]:
        """One order at a time on an idle hub: from its acknowledgment until it is with a warehouse."""
        found = []
        with self._client() as client:
            for number in numbers:
                answer = self._try(client, body(number))
                assert answer is not None
                path = f"/api/v1/orders/{answer.json()['id']}/"
                released = partial(_released, client, path)
                found.append(until(released, seconds=20, every=0.03, what="the release"))
        return found


def _released(client: httpx.Client, path: str) -> bool:
    return any(row["released_at"] for row in client.get(path).json()["fulfillment_orders"])


@contextlib.contextmanager
def in_background(work: Callable[[], None]) -> Iterator[threading.Thread]:
    """Run `work` beside the block; joined at the end, its exception raised there."""
    faults: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as fault:
            faults.append(fault)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    yield thread
    thread.join()
    if faults:
        raise faults[0]

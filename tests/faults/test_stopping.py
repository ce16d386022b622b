"""A deploy: web, workers and clock are asked to end while orders come in, and started again."""

from __future__ import annotations

import json
import time

import pytest

from tests.faults import hub
from tests.faults.test_production import Production, production  # noqa: F401  (a fixture)

pytestmark = [pytest.mark.fault, pytest.mark.slow]

ORDERS = 400
LONGEST_SECONDS = 30.0
LEASED = "SELECT count(*) FROM events_delivery WHERE state = 'leased'"
LOST = "SELECT count(*) FROM events_delivery WHERE attempts > 1"
OPEN = "SELECT count(*) FROM events_delivery WHERE state IN ('ready', 'leased', 'dead')"


def stopped(process: hub.Process) -> float:
    """The seconds it took to end when asked."""
    began = time.monotonic()
    code = process.stop()
    # By the signal or by itself; never killed after the time is up.
    assert code in (0, -15), process.tail()
    return time.monotonic() - began


def failures(process: hub.Process) -> list[dict[str, object]]:
    """The lines of its access log that tell of errors of ours."""
    lines = [json.loads(line) for line in process.log.read_text().splitlines() if line.startswith("{")]
    answered = [line for line in lines if line["logger"] == "orderhub.web"]
    assert answered
    return [line for line in answered if line["status"] >= 500]


def test_a_deploy_loses_and_fails_nothing(
    production: Production,  # noqa: F811
    capsys: pytest.CaptureFixture[str],
) -> None:
    clients = hub.Clients(production.url, production.key)
    spent: dict[str, float] = {}

    def deploy() -> None:
        for share, name, process in (
            (0.2, "web", production.web),
            (0.4, "worker 0", production.workers[0]),
            (0.5, "worker 1", production.workers[1]),
        ):
            hub.until(
                lambda at=ORDERS * share: len(clients.sent.acknowledged) >= at,
                seconds=120, what="orders come in between the stops", every=0.02,
            )  # fmt: skip
            spent[name] = stopped(process)
            if name == "worker 1":  # both are gone now: what they had claimed is done or given back
                assert production.database.ask(LEASED) == 0
                production.workers[0].start()
            if name != "worker 0":
                process.start()

    with hub.in_background(deploy):
        clients.send(range(ORDERS))
    hub.until(lambda: production.database.ask(OPEN) == 0, seconds=120, what="everything owed is done")

    assert len(clients.sent.acknowledged) == ORDERS
    assert failures(production.web) == []
    assert production.database.ask(LOST) == 0
    assert max(spent.values()) < LONGEST_SECONDS
    with capsys.disabled():
        told = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in spent.items())
        print(f"\nstopped under load: {told}; {clients.sent.retries} requests were sent again")

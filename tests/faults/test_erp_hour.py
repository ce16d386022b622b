"""The bench of the hour without the ERP, made small: processes, sockets, an outage, cancellations in it, the drain."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.faults.hub import ROOT

pytestmark = [pytest.mark.fault, pytest.mark.slow]
_OWN = ("DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE", "HUB_DATA_DIR")
ORDERS = 90


def test_while_the_erp_is_away_nothing_is_refused_and_then_it_gets_all_in_order_at_its_pace() -> None:
    command = [sys.executable, str(ROOT / "bench" / "erp_hour.py"), "--orders", str(ORDERS), "--rate", "30"]
    command += ["--limit", "60", "--pairs", "0"]
    # A database and a number of Redis of its own: what runs there is no test's.
    environment = {name: value for name, value in os.environ.items() if name not in _OWN}
    done = subprocess.run(
        command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False
    )  # fmt: skip
    assert done.returncode == 0, (done.stdout[-2000:], done.stderr[-4000:])

    figures = json.loads(done.stdout.splitlines()[-1])
    none = ("refused", "above_limit", "out_of_order", "twice", "lost", "dead")
    assert {name: figures[name] for name in none} == dict.fromkeys(none, 0)
    # Of the few that are cancelled meanwhile, those not released yet are nothing to the ERP.
    assert figures["queued"] >= ORDERS * 0.9

"""The process that makes items ahead: all of them in order, its faults told as a loss, no process left behind."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection

from orderhub.connectors import forked

ROOT = Path(__file__).resolve().parents[2]
# A process of one thread of its own: the test's may have several.
START = """
import os
import django
django.setup()
from orderhub.connectors import forked

def numbers(bad=None):
    for number in range(50):
        if number == bad:
            raise RuntimeError("no further")
        yield number, os.getpid(), "x" * 100_000

def left_behind():
    try:
        os.waitpid(-1, 0)
    except ChildProcessError:
        return "nobody left"
"""


def said(script: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", START + script],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_items_come_in_order_from_one_other_process() -> None:
    assert said("""
found = list(forked.items(numbers))
print([number for number, _pid, _text in found] == list(range(50)), len({pid for _n, pid, _text in found}))
print(found[0][1] == os.getpid(), {len(text) for _n, _pid, text in found}, left_behind())
""") == ["True 1", "False {100000} nobody left"]


def test_whoever_has_enough_ends_the_process() -> None:
    assert said("""
made = forked.items(numbers)
print(next(made)[0], next(made)[0])
made.close()
print(left_behind())
""") == ["0 1", "nobody left"]


def test_a_fault_is_a_loss_after_the_items_before_it() -> None:
    assert said("""
from functools import partial
found = []
try:
    found.extend(number for number, _pid, _text in [*forked.items(partial(numbers, bad=0))])
except forked.Lost:
    print("lost", found)
made = forked.items(partial(numbers, bad=3))
print([next(made)[0] for _ in range(3)])
try:
    next(made)
except forked.Lost:
    print("lost", left_behind())
""") == ["lost []", "[0, 1, 2]", "lost nobody left"]


@pytest.mark.django_db
def test_nobody_forks_inside_a_transaction() -> None:
    assert connection.in_atomic_block

    assert not forked.is_possible()

"""Whatever a system sends through whichever shipped profile, the answer is a meaning, faults or Unreadable, never a crash."""

from __future__ import annotations

import contextlib
import copy
import json
import random
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from orderhub.connectors.speech import answers, calls, reading, shipped, trees, trial, words
from orderhub.connectors.speech.limits import Unreadable
from orderhub.connectors.speech.profile import Profile

ROUNDS = 12
NASTY: tuple[Any, ...] = (
    None, True, -1, 0, "", " ", "x" * 3000, "1e999", "\u202e甲", 10**14, [],
    {}, [[]], [None], {"a": {"b": []}}, Decimal("1.5"),
    "0001-01-01T00:00:00+23:59",
    "9999-12-31 23:59:59", "=cmd|' /C calc'!A0", ["a", {"b": 1}],
)  # fmt: skip


def places(tree: Any) -> Iterator[tuple[Any, Any]]:
    """Every container with a key or number in it."""
    pairs = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in pairs:
        yield tree, key
        yield from places(value)


def damaged(tree: Any, chance: random.Random) -> Any:
    """A copy with a few values replaced or gone."""
    tree = copy.deepcopy(tree)
    for _time in range(chance.randint(1, 4)):
        spots = list(places(tree))
        if not spots:
            break
        inside, key = chance.choice(spots)
        if chance.random() < 0.3 and isinstance(inside, dict):
            del inside[key]
        else:
            inside[key] = copy.deepcopy(chance.choice(NASTY))
    return tree


def said(part: reading.Part) -> None:
    json.dumps(part.value, allow_nan=False)
    for fault in part.faults:
        assert words.fault(fault, "zh") and words.fault(fault, "en")  # noqa: PT018
        assert len(fault.value) <= 80


@pytest.mark.parametrize("code", shipped.codes())
def test_damaged_messages_become_faults(code: str) -> None:
    profile, chance = shipped.load(code), random.Random(code)
    sample = shipped.samples(code)
    for case in profile.tests:
        if case.kind == "in" and profile.door:
            came(profile, trial.request_of(case.request, sample).body, case.config, chance)
        elif case.kind == "answer":
            answered(profile, case.operation, trial.request_of(case.answer, sample).body, chance)


def came(profile: Profile, body: bytes, config: Any, chance: random.Random) -> None:
    door = profile.door
    assert door is not None
    for name, spec in profile.maps.items():
        tree = trees.read(body, door.form, lists=door.lists)
        for _time in range(ROUNDS):
            said(reading.understand(profile, name, damaged(tree, chance), config))
        assert spec.means
    for _time in range(ROUNDS):
        at = chance.randrange(len(body) + 1)
        cut = body[:at] + bytes([chance.randrange(256)]) + body[at + chance.randrange(2) :]
        request = trial.request_of({"body": ""})
        with contextlib.suppress(Unreadable):
            for part in reading.parts(profile, type(request)(body=cut), config):
                said(part)


def answered(profile: Profile, operation: str, body: bytes, chance: random.Random) -> None:
    spec = profile.operations[operation]
    for _time in range(ROUNDS):
        at = chance.randrange(len(body) + 1)
        cut = body[:at] + bytes([chance.randrange(256)]) + body[at + 1 :]
        answer = answers.judge(spec.ack, chance.choice([200, 200, 201, 400, 500]), {}, cut)
        assert answer.means in answers.MEANS
        assert len(answer.message) <= answers.LONGEST_MESSAGE
        if spec.map and answer.means == "acked":
            for part in reading.answered(profile, operation, damaged(answer.tree, chance), {}):
                said(part)


@pytest.mark.parametrize("code", shipped.codes())
def test_damaged_messages_of_ours_are_built_or_told(code: str) -> None:
    profile, chance = shipped.load(code), random.Random(code)
    for case in profile.tests:
        if case.kind != "out":
            continue
        for _time in range(ROUNDS):
            message, config = damaged(dict(case.message), chance), damaged(dict(case.config), chance)
            with contextlib.suppress(calls.CannotBuild):
                call = calls.build(profile, case.operation, message, config, "whsec_eA==", trial.NOW, "n")
                assert call.url.startswith(("https://", "http://"))
                assert all("\n" not in value and "\r" not in value for value in call.headers.values())

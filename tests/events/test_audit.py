"""The audit finds every kind of tampering."""

from __future__ import annotations

import random
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from orderhub.events import audit, guard, invariants
from orderhub.events.log import event_hash
from orderhub.events.models import Event, StreamHead

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _own_anchors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "ANCHORS", tmp_path / "anchors.jsonl")


def change(event: Event, **fields: object) -> None:
    with guard.opened("test of tampering"):
        Event.objects.filter(pk=event.pk).update(**fields)


def test_an_untouched_log_is_silent(write: Any) -> None:
    write(
        "a",
        "b",
        "a",
        "c",
        "b",
        payload={"name": "青禾", "price": "12.50", "weight": 0.25, "deep": {"x": [1, None]}},
    )

    assert list(audit.verify()) == []
    assert list(audit.head_differences()) == []


def test_one_flipped_character_in_each_of_a_thousand_rows_is_found(write: Any) -> None:
    """Pass figure: 1,000 flipped, 1,000 found (reliability, I8)."""
    chance = random.Random(7)
    for first in range(0, 1000, 100):
        write(*(f"s{number % 50}" for number in range(first, first + 100)), payload={"text": "abcdefgh"})
    with guard.opened("test of tampering"):
        for event in Event.objects.all():
            text = list("abcdefgh")
            position = chance.randrange(8)
            text[position] = chr(ord(text[position]) ^ 1)
            Event.objects.filter(pk=event.pk).update(payload={"text": "".join(text)})

    found = list(audit.verify())

    assert len(found) == 1000
    assert all(line.endswith("was changed after it was written") for line in found)


@pytest.mark.parametrize("field", ["actor", "kind", "occurred_at"])
def test_every_field_is_covered(write: Any, field: str) -> None:
    (event, other) = write("a", "b")
    values = {"actor": "user:eve", "kind": "test.other", "occurred_at": other.occurred_at.replace(year=2001)}

    change(event, **{field: values[field]})

    assert len(list(audit.verify())) == 1


def test_a_removed_event_is_found(write: Any) -> None:
    events = write("a", "a", "a")
    with guard.opened("test of tampering"):
        Event.objects.filter(pk=events[1].pk).delete()

    assert list(audit.verify()) == ["a jumps from 1 to 3"]


def test_a_cut_off_end_is_found_by_the_head(write: Any) -> None:
    events = write("a", "a")
    with guard.opened("test of tampering"):
        Event.objects.filter(pk=events[1].pk).delete()

    assert list(audit.verify()) == []
    assert list(audit.head_differences()) == ["the head of a is not its last event"]


def test_a_rewritten_log_with_right_hashes_is_found_by_its_anchor(write: Any) -> None:
    (event,) = write("a")
    audit.anchor()
    write("b")
    assert list(audit.broken_anchors()) == []
    event.payload = {"number": 99}
    event.hash = event_hash(event)
    change(event, payload=event.payload, hash=event.hash)
    with guard.opened("a forger"):
        StreamHead.objects.filter(stream="a").update(hash=event.hash)

    assert list(audit.verify()) == []
    assert list(audit.head_differences()) == []
    assert len(list(audit.broken_anchors())) == 1


def test_the_daily_anchor_is_written_once_a_day(write: Any) -> None:
    write("a")

    assert [audit.anchor_daily(), audit.anchor_daily()] == [1, 0]
    assert len(audit.ANCHORS.read_text().splitlines()) == 1


def test_verify_audit_exits_with_1_and_names_the_event(write: Any) -> None:
    (event,) = write("a")
    change(event, actor="eve")
    out = StringIO()

    with pytest.raises(SystemExit) as stop:
        call_command("verify_audit", stdout=out)

    assert stop.value.code == 1
    assert "a #1 test.happened was changed" in out.getvalue()


def test_the_log_s_own_invariants_hold_then_break(write: Any) -> None:
    (event,) = write("a")
    own = [each for each in invariants.declared() if each.check.__module__ == "orderhub.events.invariants"]

    before = {result.invariant.id: result.count for result in invariants.run(own)}
    change(event, actor="eve")
    StreamHead.objects.filter(stream="a").update(seq=7)
    after = {result.invariant.id: result.count for result in invariants.run(own)}

    assert before == {"I3": 0, "I5": 0, "I8": 0}
    assert after == {"I3": 1, "I5": 0, "I8": 1}

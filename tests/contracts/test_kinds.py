"""The event catalog is a contract: every kind speaks both languages, and the recorded list changes only on purpose."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

from django.conf import settings

from orderhub.management.commands.snapshots import kind_table

SNAPSHOT = Path(__file__).with_name("kinds.json")


def _catalog() -> dict[str, dict[str, object]]:
    """The product's kinds; other tests declare some of their own in the same process."""
    return {name: kind for name, kind in kind_table().items() if not name.startswith("test.")}


def test_every_kind_is_named_and_worded_in_both_languages() -> None:
    for name, kind in _catalog().items():
        assert re.fullmatch(r"[a-z_]+\.[a-z_]+", name), name
        assert re.search(r"[\u4e00-\u9fff]", str(kind["zh"])), f"{name} has no Chinese words"
        assert str(kind["en"]).isascii(), f"{name} is not English"
        assert str(kind["en"]).strip(), f"{name} has no English words"


def test_every_milestone_named_by_a_kind_exists() -> None:
    with (Path(settings.BASE_DIR) / "tracking/data/milestones.csv").open(encoding="utf-8") as handle:
        known = {row["code"] for row in csv.DictReader(handle)}

    assert {str(kind["milestone"]) for kind in _catalog().values() if kind["milestone"]} <= known


def test_the_catalog_is_the_recorded_one() -> None:
    recorded = json.loads(SNAPSHOT.read_text("utf-8"))

    assert _catalog() == recorded, "after a wanted change: python manage.py snapshots"

"""The two machines are drawn from the code; the drawing in the documentation must be the true one."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

from orderhub.management.commands.snapshots import machine_drawing


def test_the_drawn_machines_are_the_true_ones() -> None:
    drawn = (Path(settings.BASE_DIR) / "docs/machines.md").read_text("utf-8")

    assert drawn == machine_drawing(), "after a wanted change: python manage.py snapshots"

#!/usr/bin/env python
"""Command line of OrderHub; `make help` lists the everyday commands."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run one management command with the project's settings."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "orderhub.settings")
    if sys.argv[1:] == ["route_wave"]:
        # It needs no apps, and starting them takes longer than planning a small wave.
        from routing.world import wavedoor

        sys.exit(wavedoor.main())
    try:
        from django.core.management import execute_from_command_line
    except ModuleNotFoundError:
        sys.exit("Django is not installed here. Run `make setup` first; it prepares .venv for you.")
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()

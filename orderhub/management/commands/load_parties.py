"""`manage.py load_parties`: reads a published list of denied parties and checks open orders again."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from orderhub.kernel import clock
from orderhub.orders.compliance import checking, parties
from orderhub.orders.compliance.engine import lists
from orderhub.orders.compliance.engine.lists import ListError

#: What the rule row `xx-denied-party` calls them.
CODES = {"ofac": "OFAC SDN", "csl": "US CSL", "eu": "EU", "un": "UN"}


class Command(BaseCommand):
    """One list at a time; what did not change is left alone."""

    help = (
        "Load a denied-party list: ofac needs its three files (entries, aliases, addresses), the others one."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Which list, its files, and the day it is of."""
        parser.add_argument("list", choices=sorted(CODES))
        parser.add_argument("files", nargs="+", type=Path)
        parser.add_argument(
            "--of", type=date.fromisoformat, default=None, help="The day the list is of (today)."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Read, load, check open orders again, say what changed."""
        files, name = options["files"], options["list"]
        wanted = 3 if name == "ofac" else 1
        if len(files) != wanted:
            raise CommandError(f"{name} takes {wanted} file{'s' if wanted > 1 else ''}, {len(files)} given")
        try:
            data = [path.read_bytes() for path in files]
            entries = lists.ofac(*data) if name == "ofac" else lists.READERS[name](data[0])
        except (OSError, ListError) as fault:
            raise CommandError(str(fault)) from fault
        now = clock.now()
        held = parties.load(CODES[name], entries, of=options["of"] or now.date(), actor="system")
        changed = checking.recheck_open(now=now, actor="system")
        self.stdout.write(
            f"{held.code}: {held.entries} entries, {held.added} new, {held.changed} changed, {held.removed} gone; "
            f"{changed} open orders changed"
        )

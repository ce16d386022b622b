"""`manage.py erase_person OH261122-00001 --reason "asked by letter"`: erases the receiver of an order."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from orderhub.kernel import clock
from orderhub.kernel.errors import Refused
from orderhub.orders import erasing
from orderhub.orders.models import Order


class Command(BaseCommand):
    """Refuses while an order of the receiver is under way; safe to run again."""

    help = "Erase the receiver of an order, with everything personal that the hub keeps of it."

    def add_arguments(self, parser: CommandParser) -> None:
        """Our number of the order or its id, and why."""
        parser.add_argument("order")
        parser.add_argument("--reason", required=True)

    def handle(self, *args: Any, **options: Any) -> None:
        """Erase, and say what that reached."""
        given = options["order"]
        tail = given.rpartition("-")[2]
        order = Order.objects.filter(pk=int(tail)).first() if tail.isascii() and tail.isdigit() else None
        if order is None or given not in (str(order.pk), order.number):
            raise CommandError(f"there is no order {given}")
        try:
            found = erasing.erase(
                order.person_id, reason=options["reason"], now=clock.now(), actor="command:erase_person"
            )
        except Refused as refused:
            raise CommandError(str(refused)) from refused
        self.stdout.write(f"erased with {found.orders} orders and {found.records} records of custom fields")

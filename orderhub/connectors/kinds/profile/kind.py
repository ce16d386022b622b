"""The kind of every system that a profile describes: what it says is read by maps, what it is told is built by them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from orderhub.connectors import base, opening, shelf, speaking, wishes
from orderhub.connectors.applying import answered
from orderhub.connectors.base import Push, Unreadable
from orderhub.connectors.meant import Fault, Told
from orderhub.connectors.models import Connection, InboxMessage

#: Documents of these meanings carry codes and texts that operators may have mapped.
_CODED = frozenset({"scan", "milestone"})


class Spoken:
    """Every system whose particulars are data."""

    name = wishes.KIND

    def push(
        self, connection: Connection, pushes: Sequence[Push], *, now: datetime
    ) -> Mapping[str, Exception]:
        """Make the calls, at the pace the system takes; what failed by key."""
        return speaking.send(connection, pushes, after=answered.act, now=now)

    def normalize(self, connection: Connection, message: InboxMessage) -> Sequence[Told]:
        """What a kept request means by the profile in force; raises Unreadable with every fault."""
        spec = shelf.spec_of(connection)
        message.version = connection.profile.in_force if connection.profile is not None else None
        part = opening.read(connection, spec, message)
        message.means = part.means
        if part.became == "ignored":
            return []
        if part.became != "mapped":
            faults = [opening.fault_of(fault.field, fault.code, fault.value) for fault in part.faults]
            raise Unreadable(part.became, faults or [Fault("", part.became)])
        if part.faults:
            raise Unreadable("bad_values", [opening.fault_of(f.field, f.code, f.value) for f in part.faults])
        told = [Told(part.means, document, part.version) for document in _documents(part.value)]
        unknown = [Fault("code", "unknown_code", " ".join(pair)) for pair in part.unknown]
        if part.means in _CODED:
            told, aside = base.read_codes(connection, message, told)
            if aside and not any(_says_something(one) for one in told):
                raise Unreadable("unknown_code", unknown or [Fault("code", "unknown_code")])
        elif unknown and all(not one.document.get("status") for one in told):
            raise Unreadable("unknown_code", unknown)
        return [one for one in told if not one.document.get("ignored")]


def _says_something(one: Told) -> bool:
    return any(one.document.get(name) for name in ("status", "milestone", "corrects"))


def _documents(value: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """A map with items gives a list of documents, any other gives one."""
    items = value.get("items")
    return list(items) if isinstance(items, list) and len(value) == 1 else [value]


base.register(Spoken())

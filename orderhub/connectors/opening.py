"""Kept requests read by the profile in force: split into messages where one request holds several, and each understood."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orderhub.connectors import envelopes, shelf, speaking
from orderhub.connectors.base import Unreadable
from orderhub.connectors.meant import Fault
from orderhub.connectors.models import Connection, InboxMessage
from orderhub.connectors.speech import reading, trees
from orderhub.connectors.speech.limits import Unreadable as NoTree
from orderhub.connectors.speech.profile import Profile as Spec


def split(connection: Connection, message: InboxMessage) -> list[tuple[str, bytes]] | None:
    """The messages a request holds, each with its own key, as kept bytes; None where it is one. Raises Unreadable."""
    if connection.profile is None or message.envelope.get("part") or message.raw is None:
        return None
    spec = shelf.spec_of(connection)
    door = spec.reader(str(message.envelope.get("door", "")))
    if door is None or door.split is None or _is_whole(message.envelope):
        return None
    _name(message)
    try:
        found = reading.parts(spec, envelopes.request_of(message), speaking.config_of(connection))
    except NoTree as fault:
        raise Unreadable("unreadable", [fault_of("", fault.code, "")]) from fault
    return [(part.key, trees.json_text(part.tree).encode()) for part in found]


def read(connection: Connection, spec: Spec, message: InboxMessage) -> reading.Part:
    """The one part that a kept message is; raises Unreadable where its body is no tree at all."""
    request, config = envelopes.request_of(message), speaking.config_of(connection)
    kept: Mapping[str, Any] = message.envelope
    _name(message)
    if kept.get("refused"):
        # A file or mail that was not read: the reason is all there is of it.
        raise Unreadable(str(kept["refused"]), [fault_of("", str(kept["refused"]), kept.get("why", ""))])
    try:
        if kept.get("fetched"):
            tree = trees.read(request.body, "json")
            return reading.understand(spec, str(kept["fetched"]), tree, config, key=message.key)
        if spec.reader(request.door) is None:
            raise Unreadable("unrouted", [fault_of("", "unrouted", "")])
        if kept.get("part"):
            return reading.one(spec, trees.read(request.body, "json"), request, config)
        (part,) = reading.parts(spec, request, config)
    except NoTree as fault:
        raise Unreadable("unreadable", [fault_of("", fault.code, "")]) from fault
    return part


def _name(message: InboxMessage) -> None:
    """What came in a file is about the file, until more is known."""
    if message.envelope.get("door") and not message.reference:
        message.reference = str(message.envelope.get("headers", {}).get("file-name", ""))[:80]


def _is_whole(kept: Mapping[str, Any]) -> bool:
    return bool(kept.get("fetched") or kept.get("refused"))


def fault_of(field: str, code: str, value: object) -> Fault:
    """A fault as it is kept with the message."""
    return Fault(field, code, str(value))

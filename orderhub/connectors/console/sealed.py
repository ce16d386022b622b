"""Messages and calls as a person may read them: decoded, with persons behind marks for whoever may not see them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest

from orderhub.connectors import envelopes, opening, shelf
from orderhub.connectors.base import Unreadable
from orderhub.connectors.console import veiling
from orderhub.connectors.console.our_fields import PERSONAL
from orderhub.connectors.models import InboxMessage
from orderhub.connectors.speech import trees
from orderhub.connectors.speech.limits import Unreadable as NoTree
from orderhub.connectors.speech.reading import Part

#: Who may see receivers in clear.
CLEAR = "orders.view_person"
MOST_SHOWN = 200_000


@dataclass(frozen=True, slots=True)
class Read:
    """A kept message for one reader: its text, what it became, and what stands behind the marks in the text."""

    text: str
    form: str
    part: Part | None = None
    value: Any = None
    marks: Mapping[str, str] = field(default_factory=dict)
    is_veiled: bool = False


def sees_persons(request: HttpRequest) -> bool:
    """Whether this person may see names, phones and addresses."""
    return bool(request.user.has_perm(CLEAR))


def read(message: InboxMessage, *, clear: bool, as_it_came: bool = False) -> Read:
    """The message as it is read now (with a correction), or as it came."""
    raw = (
        envelopes.unseal(message.raw)
        if as_it_came and message.raw is not None
        else envelopes.body_of(message)
    )
    form, part = _form(message), _part(message)
    text = pretty(raw, form)
    if clear:
        return Read(text, form, part, part.value if part else None)
    values = veiling.personal_values(part.tree if part else tree_of(raw, form), _known(part))
    shown, marks = veiling.veil(text, values)
    return Read(shown, form, part, veiling.masked(part.value, PERSONAL) if part else None, marks, bool(marks))


def tree_of(raw: bytes, form: str) -> Any:
    """The tree in the bytes; nothing where they are none."""
    try:
        return trees.read(raw, form)
    except NoTree:
        return {}


def pretty(raw: bytes, form: str) -> str:
    """The bytes as text, JSON with line breaks; the bytes themselves are never changed."""
    text = raw[:MOST_SHOWN].decode("utf-8", "replace")
    if form in ("json", "auto"):
        try:
            # Texts of numbers stay as they came: a long id or a price is never made a float.
            tree = _marked(json.loads(text, parse_float=_Digits, parse_int=_Digits))
            made = json.dumps(tree, ensure_ascii=False, indent=2)
            return made.replace('"\ue000', "").replace('\ue001"', "")
        except (ValueError, RecursionError):
            return text
    return text


class _Digits(str):
    """The digits of a number as they came."""

    __slots__ = ()


def _marked(node: Any) -> Any:
    """Numbers between two private-use characters, which are taken out again with the quotation marks around."""
    if isinstance(node, _Digits):
        return f"\ue000{node}\ue001"
    if isinstance(node, dict):
        return {name: _marked(value) for name, value in node.items()}
    return [_marked(value) for value in node] if isinstance(node, list) else node


def _form(message: InboxMessage) -> str:
    connection = message.connection
    if message.raw is None or message.envelope.get("part") or message.envelope.get("fetched"):
        return "json"
    if connection.profile is None or connection.profile.in_force is None:
        return "json"
    door = shelf.spec_of(connection).reader(str(message.envelope.get("door", "")))
    return door.form if door is not None else "json"


def _part(message: InboxMessage) -> Part | None:
    connection = message.connection
    if connection.profile is None or connection.profile.in_force is None:
        return None
    try:
        return opening.read(connection, shelf.spec_of(connection), message)
    except (Unreadable, KeyError, ValueError):
        return None


def _known(part: Part | None) -> list[Any]:
    """What the map found to be personal."""
    if part is None or not isinstance(part.value, Mapping):
        return []
    return [value for name, value in part.value.items() if name in PERSONAL]

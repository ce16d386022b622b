"""The door of a profile: how what comes in is opened, checked, split, routed and answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from orderhub.connectors.speech import trees
from orderhub.connectors.speech.answers import Condition
from orderhub.connectors.speech.flaws import Doc
from orderhub.connectors.speech.mapping import path
from orderhub.connectors.speech.picking import Path

ANSWERS = ("ok", "bad_signature", "refused")
#: What an answer may be; a page would run what a stranger sent.
TYPES = ("application/json", "text/plain", "text/xml", "application/xml", "application/soap+xml")
#: How a packed field is written before it is a document.
CODINGS = ("", "base64", "quoted")


@dataclass(frozen=True, slots=True)
class Reply:
    """What we answer with: HTTP status, content type and body, word for word but for {name}, which stands for what `take`
    finds in the message.
    """

    status: int = 200
    type: str = "application/json"
    body: str = "{}"
    take: tuple[tuple[str, Path], ...] = ()


@dataclass(frozen=True, slots=True)
class Challenge:
    """A test message that is answered with what stands at `path`; `answer` is the body, {value} stands for it and {sign} for
    what the rule of signing called `signature` makes of the request.
    """

    path: Path
    answer: str = "{value}"
    type: str = "text/plain"
    signature: str = ""


@dataclass(frozen=True, slots=True)
class Unpack:
    """A field of each part (dots lead inside) that holds a document as text, perhaps in Base64 or quoted as in an address."""

    field: str
    form: str
    coding: str = ""


@dataclass(frozen=True, slots=True)
class Route:
    """Which map reads a part for which all conditions hold; "" for a part that is not for us."""

    conditions: tuple[Condition, ...]
    map: str


@dataclass(frozen=True, slots=True)
class Door:
    """How messages come in. `key` are paths in order of preference; nothing found means the body's hash."""

    form: str = "json"
    charset: str = "utf-8"
    lists: frozenset[str] = frozenset()
    signature: str = ""
    challenge: Challenge | None = None
    key: tuple[Path, ...] = ()
    split: Path | None = None
    unpack: tuple[Unpack, ...] = ()
    routes: tuple[Route, ...] = ()
    replies: Mapping[str, Reply] = field(default_factory=dict)


#: Words that say how a body is read; the doors of `fetching` have them too.
READING = ("form", "charset", "lists", "key", "split", "unpack", "routes")


def read(doc: Doc) -> Door | None:
    """The door in a profile's document, None where it has none; flaws are noted there."""
    part = doc.child("door")
    if part is None:
        return None
    part.only(*READING, "signature", "challenge", "answers", "about")
    return replace(
        reading(part), signature=part.text("signature"), challenge=_challenge(part), replies=_replies(part)
    )


def reading(part: Doc) -> Door:
    """How bodies are opened, split and routed, whichever way they come in."""
    form, charset = part.text("form", "json"), part.text("charset", "utf-8", choices=trees.CHARSETS)
    if not trees.is_form(form):
        part.note("form", "unknown_form", value=form[:60], forms=", ".join(trees.FORMS))
    unpack = []
    for one in part.children("unpack"):
        one.only("field", "form", "coding")
        inner = one.text("form", "json")
        if not trees.is_form(inner):
            one.note("form", "unknown_form", value=inner[:60], forms=", ".join(trees.FORMS))
        unpack.append(Unpack(one.text("field", required=True), inner, one.text("coding", choices=CODINGS)))
    return Door(
        form=form, charset=charset, lists=frozenset(part.texts("lists")), key=_paths(part, "key"),
        split=path(part, "split"), unpack=tuple(unpack), routes=_routes(part),
    )  # fmt: skip


def taken(doc: Doc) -> tuple[tuple[str, Path], ...]:
    """The paths under `take` by name."""
    part, found = doc.child("take"), list[tuple[str, Path]]()
    for name in part.data if part else ():
        where = path(part, str(name), required=True) if part else None
        if where:
            found.append((str(name), where))
    return tuple(found)


def _paths(doc: Doc, name: str) -> tuple[Path, ...]:
    found = []
    for at, text in enumerate(doc.items(name)):
        one = path(Doc({f"{name}[{at}]": text}, doc.flaws, doc.path), f"{name}[{at}]", required=True)
        if one:
            found.append(one)
    return tuple(found)


def _challenge(doc: Doc) -> Challenge | None:
    part = doc.child("challenge")
    if part is None:
        return None
    part.only("path", "answer", "type", "signature")
    where = path(part, "path", required=True)
    if where is None:
        return None
    kind = part.text("type", "text/plain", choices=TYPES[:2])
    return Challenge(where, part.text("answer", "{value}"), kind, part.text("signature"))


def _routes(doc: Doc) -> tuple[Route, ...]:
    found = []
    for part in doc.children("routes"):
        part.only("when", "map", "ignore", "about")
        when = []
        for one in part.children("when"):
            one.only("path", "equals", "in", "exists")
            when.append(Condition.read(one))
        ignored, name = part.flag("ignore"), part.text("map")
        if ignored == bool(name):
            part.note("map", "map_or_ignore")
        found.append(Route(tuple(when), name))
    if not found:
        doc.note("routes", "missing")
    return tuple(found)


def _replies(doc: Doc) -> dict[str, Reply]:
    found = {}
    for name, part in doc.named("answers"):
        part.only("status", "type", "body", "take")
        if name not in ANSWERS:
            part.note("", "not_a_choice", value=name[:60], choices=", ".join(ANSWERS))
        found[name] = Reply(
            part.number("status", 200, least=200, most=599),
            part.text("type", "application/json", choices=TYPES),
            part.text("body"),
            taken(part),
        )
    return found

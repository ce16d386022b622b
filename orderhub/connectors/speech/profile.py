"""A profile: everything that is particular about another system, as one document.

Parts of the document (`PARTS`); docs/connectors.md explains each with an example:

- code, zh, en, role, zone, currency, country: what it is and where it lives; about_zh, about_en: for whom sets it up
- asks: what an operator types in (address, keys, numbers); secrets are asked for here too
- signatures: rules of signing by name (`signing.SignatureSpec`)
- tables: small tables for the transform `map`, by name
- codes: lists of codes and remarks, by name (`codes.CodeMap`)
- maps: from their messages to ours, by name (`mapping.Map`)
- door: how what comes in is opened, checked, split, routed and answered (`doors.Door`)
- doors: other ways in: files in a folder, attachments of mails, rows of a table (`fetching.Way`)
- operations: what we call, by our name of it (`calls.EndpointSpec`)
- schedules: what is asked for again and again
- rate: how fast we may call
- verified: which part was confirmed how
- tests: cases with an expected result, run by `trial.run`
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from orderhub.connectors.speech import asking, calls, doors, fetching
from orderhub.connectors.speech.asking import KINDS, Ask
from orderhub.connectors.speech.calls import OPERATIONS, EndpointSpec
from orderhub.connectors.speech.codes import CodeMap
from orderhub.connectors.speech.doors import Door
from orderhub.connectors.speech.fetching import Way
from orderhub.connectors.speech.flaws import Doc, Faulty, Flaw
from orderhub.connectors.speech.mapping import Map, path
from orderhub.connectors.speech.moments import Bad, zone
from orderhub.connectors.speech.picking import Path
from orderhub.connectors.speech.signing import SignatureSpec

PARTS = (
    "code", "zh", "en", "role", "zone", "currency", "country", "about_zh", "about_en", "asks", "signatures", "tables",
    "codes", "maps", "door", "doors", "operations", "schedules", "rate", "verified", "tests",
)  # fmt: skip
ROLES = ("channel", "warehouse", "erp", "carrier", "tms", "mes", "partner", "file", "position")
HOW = ("vendor library run", "vendor source re-typed", "documented rule", "from memory")
__all__ = ["HOW", "KINDS", "PARTS", "ROLES", "Ask", "Profile"]
_CODE = re.compile(r"[a-z][a-z0-9_]{1,39}")


@dataclass(frozen=True, slots=True)
class Schedule:
    """Something asked for again and again: `cursor` is the field of the mapped items that moves on, `overlap_s` how far
    back the next question reaches, `next` what is there while pages are left.
    """

    name: str
    operation: str
    every_s: int
    map: str = ""
    items: Path | None = None
    cursor: str = ""
    overlap_s: int = 300
    next: Path | None = None
    #: What of the last page the next turn begins with, where it is a word of theirs and no time (a cursor, a sync token).
    remember: Path | None = None


@dataclass(frozen=True, slots=True)
class Rate:
    """A token bucket: calls a second, and how many at once after a pause."""

    per_second: int = 5
    burst: int = 10


@dataclass(frozen=True, slots=True)
class Proof:
    """How a part was confirmed (one of HOW), and by what."""

    part: str
    how: str
    source: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """A test that travels with the profile: a request with what it must mean, or a message with what must be sent."""

    name: str
    kind: str
    request: Mapping[str, Any] = field(default_factory=dict)
    map: str = ""
    operation: str = ""
    message: Mapping[str, Any] = field(default_factory=dict)
    answer: Mapping[str, Any] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)
    expected: Any = None


@dataclass(frozen=True, slots=True)
class Profile:
    """Everything that is particular about one other system, checked and ready to use."""

    code: str
    zh: str
    en: str
    role: str
    zone: str = "UTC"
    currency: str = ""
    country: str = ""
    about_zh: str = ""
    about_en: str = ""
    asks: tuple[Ask, ...] = ()
    signatures: Mapping[str, SignatureSpec] = field(default_factory=dict)
    tables: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    codes: Mapping[str, CodeMap] = field(default_factory=dict)
    maps: Mapping[str, Map] = field(default_factory=dict)
    door: Door | None = None
    ways: Mapping[str, Way] = field(default_factory=dict)
    operations: Mapping[str, EndpointSpec] = field(default_factory=dict)
    schedules: tuple[Schedule, ...] = ()
    rate: Rate = field(default_factory=Rate)
    verified: tuple[Proof, ...] = ()
    tests: tuple[Case, ...] = ()
    document: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> Self:
        """The profile a document describes; raises Faulty with everything that is wrong, each with its path."""
        flaws: list[Flaw] = []
        profile = cls._read(Doc(document, flaws))
        if flaws:
            raise Faulty(flaws)
        return profile

    @classmethod
    def _read(cls, doc: Doc) -> Self:
        doc.only(*PARTS)
        place = _zone(doc)
        tables = {name: dict(part.data) for name, part in doc.named("tables")}
        codes, door = _codes(doc), doors.read(doc)
        profile = cls(
            code=_code(doc),
            zh=doc.text("zh", required=True),
            en=doc.text("en", required=True),
            role=doc.text("role", required=True, choices=ROLES),
            zone=place,
            currency=doc.text("currency"),
            country=doc.text("country"),
            about_zh=doc.text("about_zh"),
            about_en=doc.text("about_en"),
            asks=asking.read(doc),
            signatures={name: SignatureSpec.read(part) for name, part in doc.named("signatures")},
            tables=tables,
            codes=codes,
            maps={name: Map.read(part, tables, place) for name, part in doc.named("maps")},
            door=door,
            ways=fetching.read(doc, door),
            operations=_operations(doc, tables, place),
            schedules=tuple(_schedule(part) for part in doc.children("schedules")),
            rate=_rate(doc),
            verified=tuple(_proof(part) for part in doc.children("verified")),
            tests=tuple(_case(part) for part in doc.children("tests")),
            document=doc.data,
        )
        _check_names(doc, profile)
        return profile

    def reader(self, way: str) -> Door | None:
        """What reads bodies that came in this way; "" for the door itself."""
        if not way:
            return self.door
        return self.ways[way].door if way in self.ways else None

    @property
    def defaults(self) -> dict[str, str]:
        """What settings are where nothing was typed in."""
        return {ask.name: ask.default for ask in self.asks if ask.default}

    @property
    def secrets(self) -> frozenset[str]:
        """Names of the asked settings that are secret and never shown again."""
        return frozenset(ask.name for ask in self.asks if ask.kind == "secret")


def _code(doc: Doc) -> str:
    code = doc.text("code", required=True)
    if code and not _CODE.fullmatch(code):
        doc.note("code", "bad_code", value=code[:60])
    return code


def _zone(doc: Doc) -> str:
    name = doc.text("zone", "UTC")
    try:
        zone(name)
    except Bad:
        doc.note("zone", "no_zone", value=name[:40])
        return "UTC"
    return name


def _codes(doc: Doc) -> dict[str, CodeMap]:
    part = doc.child("codes")
    return {str(name): CodeMap.read(part, str(name)) for name in part.data} if part else {}


def _operations(doc: Doc, tables: Mapping[str, Mapping[str, Any]], place: str) -> dict[str, EndpointSpec]:
    found = {}
    for name, part in doc.named("operations"):
        if name not in OPERATIONS:
            part.note("", "not_a_choice", value=name[:60], choices=", ".join(OPERATIONS))
        found[name] = EndpointSpec.read(part, name, tables, place)
    return found


def _schedule(doc: Doc) -> Schedule:
    doc.only(
        "name", "operation", "every_s", "cursor", "overlap_s", "items", "map", "next", "remember", "about"
    )
    return Schedule(
        name=doc.text("name", required=True),
        operation=doc.text("operation", required=True),
        every_s=doc.number("every_s", 300, least=10, most=604_800),
        map=doc.text("map"),
        items=path(doc, "items"),
        cursor=doc.text("cursor"),
        overlap_s=doc.number("overlap_s", 300, most=86_400),
        next=path(doc, "next"),
        remember=path(doc, "remember"),
    )


def _rate(doc: Doc) -> Rate:
    part = doc.child("rate")
    if part is None:
        return Rate()
    part.only("per_second", "burst")
    return Rate(
        part.number("per_second", 5, least=1, most=1000), part.number("burst", 10, least=1, most=10_000)
    )


def _proof(doc: Doc) -> Proof:
    doc.only("part", "how", "source")
    return Proof(
        doc.text("part", required=True), doc.text("how", required=True, choices=HOW), doc.text("source")
    )


def _case(doc: Doc) -> Case:
    doc.only("name", "kind", "request", "map", "operation", "message", "answer", "config", "expected")
    kind = doc.text("kind", "in", choices=("in", "out", "answer", "name"))
    case = Case(
        name=doc.text("name", required=True),
        kind=kind,
        request=dict(part.data) if (part := doc.child("request")) else {},
        map=doc.text("map"),
        operation=doc.text("operation", required=kind in ("out", "answer")),
        message=dict(part.data) if (part := doc.child("message")) else {},
        answer=dict(part.data) if (part := doc.child("answer")) else {},
        config=dict(part.data) if (part := doc.child("config")) else {},
        expected=doc.data.get("expected"),
    )
    if case.expected is None:
        doc.note("expected", "missing")
    return case


def _check_names(doc: Doc, profile: Profile) -> None:
    """Every name a part uses must be there."""
    known = {
        "map": profile.maps, "signature": profile.signatures, "codes": profile.codes, "operation": profile.operations,
    }  # fmt: skip

    def wants(place: str, sort: str, name: str) -> None:
        if name and name not in known[sort]:
            doc.note(place, "unknown_name", sort=sort, name=name)

    for name, map in profile.maps.items():
        wants(f"maps.{name}.codes", "codes", map.codes)
        if not map.means:
            doc.note(f"maps.{name}.means", "missing")
    if profile.door:
        wants("door.signature", "signature", profile.door.signature)
        rule = profile.signatures.get(profile.door.signature)
        if rule is not None and not rule.proves:
            doc.note("door.signature", "unproven", name=profile.door.signature)
        if profile.door.challenge:
            wants("door.challenge.signature", "signature", profile.door.challenge.signature)
        for at, route in enumerate(profile.door.routes):
            wants(f"door.routes[{at}].map", "map", route.map)
    for kind, way in profile.ways.items():
        for at, route in enumerate(way.door.routes if way.door else ()):
            wants(f"doors.{kind}.routes[{at}].map", "map", route.map)
    asked = {ask.name: ask.kind for ask in profile.asks}
    for name, spec in profile.operations.items():
        place = f"operations.{name}"
        for one in spec.signature:
            wants(f"{place}.signature", "signature", one)
        for at, before in enumerate(spec.prepare):
            wants(f"{place}.prepare[{at}].operation", "operation", before.operation)
            for secret, _taken in before.rotates:
                if asked.get(secret) != "secret":
                    doc.note(f"{place}.prepare[{at}].rotates", "unknown_setting", name=secret)
        wants(f"{place}.map", "map", spec.map)
        wants(f"{place}.query_first.operation", "operation", spec.query_first)
        for at, other in enumerate(spec.after or ()):
            wants(f"{place}.after[{at}]", "operation", other)
        calls.check_url(Doc({}, doc.flaws, place), spec.url, asked)
    for at, schedule in enumerate(profile.schedules):
        wants(f"schedules[{at}].operation", "operation", schedule.operation)
        wants(f"schedules[{at}].map", "map", schedule.map)
    for at, case in enumerate(profile.tests):
        wants(f"tests[{at}].operation", "operation", case.operation)
        wants(f"tests[{at}].map", "map", case.map)

"""Maps: which value of theirs becomes which field of ours, as a list of fields; all faults of a message at once."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from orderhub.connectors.speech import transforms
from orderhub.connectors.speech.flaws import Doc, Faulty, Flaw
from orderhub.connectors.speech.moments import Bad, Setting
from orderhub.connectors.speech.picking import BadPath, Budget, Path, TooMuch
from orderhub.connectors.speech.requests import Request
from orderhub.connectors.speech.trees import Tree, plain

MEANS = (
    "order", "address", "cancel", "hint", "warehouse", "scan", "stock", "receipt", "production", "risk", "position",
    "return", "milestone", "answer",
)  # fmt: skip
#: A batch with more items than this is split by the sender, or its map is wrong.
MOST_ITEMS = 20_000
DEEPEST = 5
MOST_FIELDS = 300
#: A message with more faults than this is read by the wrong map; the rest is not told.
MOST_FAULTS = 500
_TO = re.compile(r"[@#$\w:-]{1,80}(?:\.[@#$\w:-]{1,80}){0,9}")


@dataclass(frozen=True, slots=True)
class Fault:
    """One value that could not be mapped: our field (`lines[2].sku`), their path, a code of `words.FAULTS`, the value
    in short, and facts for the sentence.
    """

    field: str
    path: str
    code: str
    value: str = ""
    facts: Mapping[str, Any] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Mapped:
    """What a map gave: the fields it could fill, and every fault. Only a value without faults may be applied."""

    value: dict[str, Any]
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """One transform with its arguments."""

    name: str
    args: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Field:
    """One field: where it goes (names from outside in), where it comes from, what is done to it."""

    to: tuple[str, ...]
    source: Path | None
    steps: tuple[Step, ...] = ()
    required: bool = False
    #: In a body of ours: written even where it is empty.
    keep: bool = False


@dataclass(frozen=True, slots=True)
class Each:
    """A list: one object for each value found. Inside it `_up` is the value around and `_at` the number from 1."""

    to: tuple[str, ...]
    source: Path
    fields: tuple[Field, ...]
    each: tuple[Each, ...] = ()
    required: bool = False


@dataclass(frozen=True, slots=True)
class Map:
    """A map ready to apply. With `items` it gives a list: value is {"items": [...]} and `_up` is the whole message."""

    fields: tuple[Field, ...]
    each: tuple[Each, ...] = ()
    items: Path | None = None
    #: Where in the message the fields begin, for messages in an envelope; nothing there is a fault.
    root: Path | None = None
    means: str = ""
    version: Path | None = None
    #: Name of the code list that reads each item's (or the message's) `code` and `remark`.
    codes: str = ""
    zone: str = "UTC"
    tables: Mapping[str, Mapping[str, Any]] = dataclasses.field(default_factory=dict)

    @classmethod
    def parse(
        cls,
        data: Mapping[str, Any],
        *,
        tables: Mapping[str, Mapping[str, Any]] | None = None,
        zone: str = "UTC",
    ) -> Self:
        """The map a document describes; raises Faulty with everything that is wrong."""
        flaws: list[Flaw] = []
        found = cls.read(Doc(data, flaws), tables or {}, zone)
        if flaws:
            raise Faulty(flaws)
        return found

    @classmethod
    def read(cls, doc: Doc, tables: Mapping[str, Mapping[str, Any]], zone: str) -> Self:
        """The map in a part of a document; flaws are noted there."""
        doc.only("fields", "each", "root", "items", "means", "version", "codes", "about")
        return cls(
            fields=_fields(doc, tables),
            each=_eaches(doc, tables, 1),
            items=path(doc, "items"),
            root=path(doc, "root"),
            means=doc.text("means", choices=MEANS),
            version=path(doc, "version"),
            codes=doc.text("codes"),
            zone=zone,
            tables=tables,
        )


def path(doc: Doc, name: str, *, required: bool = False) -> Path | None:
    """The JMESPath called `name` in a part of a document; flaws are noted there."""
    text = doc.text(name, required=required)
    if not text:
        return None
    try:
        return Path(text)
    except BadPath as error:
        doc.note(name, error.code, **error.facts)
        return None


def _to(doc: Doc, name: str, text: str) -> tuple[str, ...]:
    if text and not _TO.fullmatch(text):
        doc.note(name, "bad_target", value=text[:60])
    return tuple(text.split("."))


def _fields(doc: Doc, tables: Mapping[str, Mapping[str, Any]]) -> tuple[Field, ...]:
    found: list[Field] = []
    seen: set[tuple[str, ...]] = set()
    for part in doc.children("fields"):
        part.only("to", "from", "as", "required", "keep", "about")
        one = Field(
            to=_to(part, "to", part.text("to", required=True)),
            source=path(part, "from"),
            steps=_steps(part, tables),
            required=part.flag("required"),
            keep=part.flag("keep"),
        )
        if one.source is None and "from" not in part.data and not any(s.name == "const" for s in one.steps):
            part.note("from", "missing")
        if one.to in seen:
            part.note("to", "twice", value=".".join(one.to))
        seen.add(one.to)
        found.append(one)
    if len(found) > MOST_FIELDS:
        doc.note("fields", "too_many", most=MOST_FIELDS)
    return tuple(found)


def _steps(doc: Doc, tables: Mapping[str, Mapping[str, Any]]) -> tuple[Step, ...]:
    found: list[Step] = []
    for at, item in enumerate(doc.items("as")):
        name, *args = item if isinstance(item, list | tuple) and item else [item]
        if not isinstance(name, str):
            doc.note(f"as[{at}]", "not_text", found=type(name).__name__)
            continue
        wrong = transforms.check_args(name, tuple(args), tables)
        if wrong:
            doc.note(f"as[{at}]", wrong[0], **wrong[1])
        else:
            found.append(Step(name, tuple(args)))
    return tuple(found)


def _eaches(doc: Doc, tables: Mapping[str, Mapping[str, Any]], depth: int) -> tuple[Each, ...]:
    found: list[Each] = []
    for name, part in doc.named("each"):
        if depth > DEEPEST:
            part.note("", "too_deep", most=DEEPEST)
            continue
        part.only("from", "fields", "each", "required", "about")
        source = path(part, "from", required=True)
        found.append(
            Each(
                to=_to(part, "", name),
                source=source or Path("_none"),
                fields=_fields(part, tables),
                each=_eaches(part, tables, depth + 1),
                required=part.flag("required"),
            )
        )
    return tuple(found)


def around(request: Request, config: Mapping[str, Any]) -> dict[str, Any]:
    """What a path may reach besides the body: `_headers`, `_query`, `_form` and `_config` (texts by name)."""
    return {
        "_headers": dict(request.headers),
        "_query": dict(request.query),
        "_form": dict(request.form),
        "_config": dict(config),
    }


def scope(tree: Tree, around: Mapping[str, Any]) -> dict[str, Any]:
    """The object paths are applied to: the tree's own names (where it is an object), `_body` for the tree as a whole, and
    what is around. Names with `_` in front are ours: a message cannot put its own there.
    """
    own = tree if isinstance(tree, dict) else {}
    return {**own, "_body": tree, **around}


def apply(map: Map, tree: Tree, around: Mapping[str, Any], *, sparse: bool = False) -> Mapped:
    """Apply a map to a tree. `sparse` leaves out what is empty (for bodies of ours), else every field is there and values
    are such as JSON holds. Never raises for what is in the message: that becomes faults.
    """
    # A connection may live in another zone than its system usually does.
    own = around.get("_config", {}).get("zone") if isinstance(around.get("_config"), Mapping) else None
    work = _Work(around, Setting(own or map.zone, map.tables), sparse)
    top = scope(tree, around)
    if map.root is not None:
        inner = work.pick(map.root, top, "")
        if inner in (None, "", [], {}):
            return Mapped(
                {"items": []} if map.items else {}, (*work.faults, Fault("", map.root.text, "missing"))
            )
        top = {**scope(inner, around), "_whole": tree}
    if map.items is None:
        value = work.built(map.fields, map.each, top, "")
    else:
        value = {"items": work.objects(Each(("items",), map.items, map.fields, map.each), top, "")}
    return Mapped(value, tuple(work.faults))


class _Work:
    """One application of a map."""

    def __init__(self, around: Mapping[str, Any], setting: Setting, sparse: bool) -> None:
        self.around, self.setting, self.sparse = around, setting, sparse
        self.faults: list[Fault] = []
        self.budget = Budget()

    def built(
        self, fields: tuple[Field, ...], each: tuple[Each, ...], top: dict[str, Any], at: str
    ) -> dict[str, Any]:
        """One object of ours from one scope; `at` is the place of it, for faults."""
        made: dict[str, Any] = {}
        for one in fields:
            value = self.value(one, top, at)
            if not self.sparse:
                _put(made, one.to, plain(value))
            elif one.keep or (value is not None and value not in ("", [], {})):
                _put(made, one.to, "" if value is None else value)
        for part in each:
            items = self.objects(part, top, at)
            if items or not self.sparse:
                _put(made, part.to, items)
        return made

    def objects(self, part: Each, top: dict[str, Any], at: str) -> list[dict[str, Any]]:
        """The objects of a list; a single value counts as a list of one."""
        name = at + ".".join(part.to)
        found = self.pick(part.source, top, name)
        values = found if isinstance(found, list) else [] if found in (None, "", {}) else [found]
        if part.required and not values:
            self.faults.append(Fault(name, part.source.text, "missing"))
        if len(values) > MOST_ITEMS:
            self.faults.append(Fault(name, part.source.text, "too_many", facts={"most": MOST_ITEMS}))
            return []
        made = []
        for number, value in enumerate(values):
            if self.budget.left < 0 or len(self.faults) >= MOST_FAULTS:
                break
            inner = value if isinstance(value, dict) else {"_item": value}
            inside = {**inner, **self.around, "_up": top, "_at": number + 1}
            made.append(self.built(part.fields, part.each, inside, f"{name}[{number}]."))
        return made

    def value(self, one: Field, top: dict[str, Any], at: str) -> Any:
        """The value of one field, None where it is missing or at fault."""
        name = at + ".".join(one.to)
        text = one.source.text if one.source else ""
        value = raw = self.pick(one.source, top, name) if one.source else None
        try:
            for step in one.steps:
                value = transforms.run(step.name, value, step.args, self.setting)
        except Bad as error:
            self.faults.append(Fault(name, text, error.code, _short(raw), error.facts))
            return None
        if one.required and (value is None or value in ("", [], {})):
            self.faults.append(Fault(name, text, "missing", _short(raw)))
        return value

    def pick(self, source: Path, top: dict[str, Any], name: str) -> Any:
        """What a path finds; where it cannot work on this message, a fault and None."""
        try:
            return source.pick(top, self.budget)
        except TooMuch:
            self.faults.append(Fault(name, source.text, "too_much"))
        except (TypeError, ValueError, RecursionError, ArithmeticError) as error:
            self.faults.append(Fault(name, source.text, "path_failed", facts={"reason": str(error)[:120]}))
        return None


def _put(made: dict[str, Any], to: tuple[str, ...], value: Any) -> None:
    for name in to[:-1]:
        inner = made.get(name)
        if not isinstance(inner, dict):
            inner = made[name] = {}
        made = inner
    made[to[-1]] = value


def _short(value: Any) -> str:
    if value is None:
        return ""
    text = (
        value
        if isinstance(value, str)
        else str(plain(value))
        if not isinstance(value, list | dict)
        else "[…]"
    )
    return text[:80]

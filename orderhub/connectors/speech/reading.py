"""From a request to what it means: opened, split, unpacked, routed, mapped, its codes looked up; by the profile alone."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal
from urllib.parse import unquote_to_bytes
from xml.sax.saxutils import escape

from orderhub.connectors.speech import trees
from orderhub.connectors.speech.answers import pick, said
from orderhub.connectors.speech.codes import Entry
from orderhub.connectors.speech.doors import Door, Reply, Unpack
from orderhub.connectors.speech.limits import Unreadable
from orderhub.connectors.speech.mapping import MOST_ITEMS, Fault, apply, around, scope
from orderhub.connectors.speech.profile import Profile
from orderhub.connectors.speech.requests import Request
from orderhub.connectors.speech.signing import Verdict, check, sign

Became = Literal["mapped", "ignored", "unrouted"]
DEFAULT_REPLIES = {
    "ok": Reply(200, "application/json", '{"ok":true}'),
    "bad_signature": Reply(401, "application/json", '{"ok":false,"error":"signature"}'),
    "refused": Reply(400, "application/json", '{"ok":false}'),
}


@dataclass(frozen=True, slots=True)
class Part:
    """One message of a request (most requests have one): its own key, what became of it, and what it means.

    `version` orders messages about the same thing, "" where the system has none. `unknown` has every (code, remark) that
    no code list knows. A part may be applied only where it is mapped and without faults.
    """

    key: str
    became: Became
    map: str = ""
    means: str = ""
    value: Mapping[str, Any] = field(default_factory=dict)
    version: str = ""
    faults: tuple[Fault, ...] = ()
    unknown: tuple[tuple[str, str], ...] = ()
    tree: Any = None


def verify(
    profile: Profile, request: Request, secrets: Sequence[str], config: Mapping[str, Any], now: datetime
) -> Verdict:
    """Whether the request is really theirs. A door without a signature rule lets nothing be said: ok, reason "unsigned";
    the caller decides whether an unsigned door may be open (a secret address, a local network).
    """
    door = _door(profile, "")
    if not door.signature:
        return Verdict(True, "unsigned")
    return check(profile.signatures[door.signature], request, secrets, config, now)


def reply(profile: Profile, name: str, request: Request | None = None) -> Reply:
    """What the system wants to hear: `ok`, `bad_signature` or `refused`, with words of the request where it is given."""
    found = profile.door.replies.get(name) if profile.door else None
    if found is None or not found.take:
        return found or DEFAULT_REPLIES[name]
    whole = scope(_tree(_door(profile, ""), request), around(request, {})) if request else {}
    body = found.body
    for hole, where in found.take:
        body = body.replace("{" + hole + "}", _shown(said(where, whole)[:1000], found.type))
    return replace(found, body=body)


def _shown(value: str, kind: str) -> str:
    """A stranger's word inside an answer of ours: always a text of its form, never more."""
    if "json" in kind:
        return json.dumps(value)[1:-1]
    return escape(value, {'"': "&quot;"}) if "xml" in kind else value


def _tree(door: Door, request: Request) -> Any:
    """The tree of a request, {} where it cannot be read."""
    try:
        return trees.read(request.body, door.form, lists=door.lists, charset=door.charset)
    except Unreadable:
        return {}


def challenge(
    profile: Profile, request: Request, secret: str = "", config: Mapping[str, Any] | None = None
) -> Reply | None:
    """The answer to a test message, None for an ordinary one. Call it after `verify`; but what asks for a signature of
    ours proves nothing by itself and is answered before.
    """
    door = _door(profile, "")
    if door.challenge is None:
        return None
    value = said(door.challenge.path, scope(_tree(door, request), around(request, {})))[:1000]
    if not value:
        return None
    kind, answer = door.challenge.type, door.challenge.answer
    # Inside JSON the value is a JSON text; doors never answer with a page (`doors.TYPES`).
    answer = answer.replace("{value}", _shown(value, kind))
    if door.challenge.signature:
        rule = profile.signatures[door.challenge.signature]
        answer = answer.replace("{sign}", _shown(sign(rule, request, secret, config or {}), kind))
    return Reply(200, kind, answer)


def key(profile: Profile, request: Request) -> str:
    """What the request as a whole is deduplicated by: the door's key where it is not split and can be read, else the hash
    of the body and query. Never raises.
    """
    return own_key(profile, request) or _hash(request.body, request.query)


def own_key(profile: Profile, request: Request) -> str:
    """The door's key of a request that is one message, "" where it has none, is split or cannot be read. Never raises."""
    door = _door(profile, request.door)
    if door.split is not None:
        return ""
    try:
        tree = trees.read(request.body, door.form, lists=door.lists, charset=door.charset)
    except Unreadable:
        return ""
    return _key(door, scope(tree, around(request, {})))


def parts(profile: Profile, request: Request, config: Mapping[str, Any]) -> tuple[Part, ...]:
    """Everything a request says, in order. Raises Unreadable where the body cannot be read at all."""
    door = _door(profile, request.door)
    tree = trees.read(request.body, door.form, lists=door.lists, charset=door.charset)
    near = around(request, config)
    if door.split is None:
        return (_part(profile, door, tree, near, request),)
    found = pick(door.split, scope(tree, near))
    items = found if isinstance(found, list) else [] if found is None else [found]
    if len(items) > MOST_ITEMS:
        raise Unreadable("too_many", most=MOST_ITEMS)
    return tuple(
        _part(profile, door, item, {**near, "_whole": tree}, None, origin=request.origin and f"{request.origin}/{at}")
        for at, item in enumerate(items)
    )  # fmt: skip


def one(profile: Profile, tree: Any, request: Request, config: Mapping[str, Any]) -> Part:
    """What one part of a split request means, from its tree as `parts` gave it; `request` is what it came in."""
    return _part(profile, _door(profile, request.door), tree, around(request, config), None)


def understand(profile: Profile, name: str, tree: Any, config: Mapping[str, Any], *, key: str = "") -> Part:
    """What a tree that was fetched (not pushed) means by the map called `name`."""
    return _mapped(
        profile, name, tree, {"_headers": {}, "_query": {}, "_form": {}, "_config": dict(config)}, key
    )


def answered(profile: Profile, operation: str, tree: Any, config: Mapping[str, Any]) -> tuple[Part, ...]:
    """What the answer of an operation with a map says, one part for each of its items. Raises KeyError for an operation
    there is not.
    """
    spec = profile.operations[operation]
    if spec.items is None:
        return (understand(profile, spec.map, tree, config),)
    found = pick(spec.items, {**tree, "_body": tree} if isinstance(tree, dict) else {"_body": tree})
    items = found if isinstance(found, list) else [] if found is None else [found]
    return tuple(understand(profile, spec.map, item, config) for item in items[:MOST_ITEMS])


def _door(profile: Profile, way: str) -> Door:
    door = profile.reader(way)
    if door is None:
        raise LookupError(f"{profile.code} has no door{way and f' for {way}'}")
    return door


def _part(
    profile: Profile, door: Door, tree: Any, near: Mapping[str, Any], request: Request | None, *, origin: str = ""
) -> Part:  # fmt: skip
    tree = _unpacked(door, tree)
    whole = scope(tree, near)
    if request is not None:
        other = _hash(request.body, request.query)
    else:
        # Parts of a file without numbers of their own: the same row in another file is said anew.
        other = _own({"in": origin, "is": tree}) if origin else _own(tree)
    own = _key(door, whole) or other
    for route in door.routes:
        if all(condition.holds(whole) for condition in route.conditions):
            if not route.map:
                return Part(own, "ignored", tree=tree)
            return _mapped(profile, route.map, tree, near, own)
    return Part(own, "unrouted", tree=tree)


def _unpacked(door: Door, tree: Any) -> Any:
    """The part with its packed fields read; a text that is no document stays a text (platforms send probes)."""
    if not isinstance(tree, dict):
        return tree
    for one in door.unpack:
        tree = _opened(tree, one.field.split("."), one, door)
    return tree


def _opened(tree: dict[str, Any], steps: Sequence[str], one: Unpack, door: Door) -> dict[str, Any]:
    name, *deeper = steps
    value = tree.get(name)
    if deeper:
        return {**tree, name: _opened(value, deeper, one, door)} if isinstance(value, dict) else tree
    if isinstance(value, str) and value.strip():
        with contextlib.suppress(Unreadable, ValueError):
            raw = (
                unquote_to_bytes(value.replace("+", " "))
                if one.coding == "quoted"
                else value.encode("utf-8", "surrogatepass")
            )
            raw = base64.b64decode("".join(value.split()), validate=True) if one.coding == "base64" else raw
            return {**tree, name: trees.read(raw, one.form, lists=door.lists)}
    return tree


def _mapped(profile: Profile, name: str, tree: Any, near: Mapping[str, Any], own: str) -> Part:
    spec = profile.maps[name]
    mapped = apply(spec, tree, near)
    value, unknown = mapped.value, list[tuple[str, str]]()
    if spec.codes:
        lookup = profile.codes[spec.codes].lookup
        for item in value["items"] if spec.items else (value,):
            if (entry := lookup(item.get("code"), item.get("remark"))) is None:
                unknown.append((str(item.get("code") or ""), str(item.get("remark") or "")[:200]))
            else:
                _enrich(item, entry)
    version = said(spec.version, scope(tree, near)) if spec.version else str(value.get("updated_at") or "")
    return Part(own, "mapped", name, spec.means, value, version, mapped.faults, tuple(unknown), tree)


def _enrich(item: dict[str, Any], entry: Entry) -> None:
    """What the code list says goes where the map said nothing."""
    for name in ("status", "milestone", "event", "reason"):
        if word := getattr(entry, name):
            item[name] = item.get(name) or word
    if entry.ignored:
        item["ignored"] = True


def _key(door: Door, whole: Mapping[str, Any]) -> str:
    return next(filter(None, (said(one, whole) for one in door.key)), "")[:200]


def _hash(body: bytes, query: Sequence[tuple[str, str]]) -> str:
    return "sha256:" + hashlib.sha256(body + b"\x00" + json.dumps(list(query)).encode()).hexdigest()


def _own(tree: Any) -> str:
    text = trees.json_text(tree, sort_keys=True)
    return "sha256:" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def content_key(value: Mapping[str, Any]) -> str:
    """A key made of what something says, for systems whose events have no number of their own (carriers' histories)."""
    return _own(dict(value))

"""Calls to another system, built from data: address, query, headers, body and signature of one operation."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol, Self
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from orderhub.connectors.speech import addresses, digests, places, signing, trees
from orderhub.connectors.speech.answers import Ack, pick, said
from orderhub.connectors.speech.flaws import Doc
from orderhub.connectors.speech.mapping import Fault, Map, apply, path
from orderhub.connectors.speech.picking import Path
from orderhub.connectors.speech.requests import Pairs, Request

OPERATIONS = (
    "release", "cancel", "query_release", "erp_order", "erp_change", "erp_cancel", "query_erp", "ship_notice",
    "address_confirm", "stock", "subscribe", "intercept", "fetch_order", "list_orders", "query_stock", "production",
    "milestone", "ping", "token", "find_shipment", "change", "plan_notice", "erp_restore", "units_changed", "query_track",
    "find_listing",
)  # fmt: skip
BODY_FORMS = ("json", "xml", "form", "form+nested", "text", "none")
LONGEST_KEPT_S = 2_592_000
_WRAPPED = re.compile(r"(form|query)\+json:(\w{1,60})")
_HOLE = re.compile(r"\{([\w.]+)\}")
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,62})(?:\.[A-Za-z0-9-]{1,63}){0,8}(?::\d{1,5})?")
_TYPES = {
    "json": "application/json; charset=utf-8",
    "xml": "text/xml; charset=utf-8",
    "form": "application/x-www-form-urlencoded; charset=utf-8",
    "text": "text/plain; charset=utf-8",
}
_HEADER = re.compile(r"[\x20-\x7e]*")


class CannotBuild(ValueError):
    """A message from which no call can be made: `faults` has everything that is missing or wrong."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(f"{fault.field}: {fault.code}" for fault in self.faults))


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request ready to send; headers and query may hold secrets and are never logged."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Prepare:
    """An operation that is asked before, and what of its answer our message takes along, by name.

    With `keep_s` (or the seconds at the path `keep_for`) the answer serves later calls too, and is asked for anew when one
    of them meets HTTP 401. `rotates` names secrets that the answer replaces for good, with what is taken (refresh tokens).
    """

    operation: str
    take: tuple[tuple[str, Path], ...]
    keep_s: int = 0
    keep_for: Path | None = None
    rotates: tuple[tuple[str, str], ...] = ()

    def taken(self, tree: Any, headers: Mapping[str, str]) -> dict[str, Any]:
        """What the message takes from an answer; what is not there is left out."""
        scope = {**(tree if isinstance(tree, dict) else {}), "_body": tree, "_headers": dict(headers)}
        found = {name: pick(where, scope) for name, where in self.take}
        return {name: value for name, value in found.items() if value is not None}

    def kept_s(self, tree: Any, headers: Mapping[str, str]) -> int:
        """For how many seconds an answer serves; a minute less than it says, so that none is used in its last moment."""
        seconds = self.keep_s
        if self.keep_for is not None:
            scope = {**(tree if isinstance(tree, dict) else {}), "_body": tree, "_headers": dict(headers)}
            text = said(self.keep_for, scope).partition(".")[0]
            seconds = (
                min(int(text), LONGEST_KEPT_S)
                if text.isascii() and text.isdigit() and len(text) < 10
                else seconds
            )
        return max(0, seconds - 60) if seconds > 120 else seconds // 2


@dataclass(frozen=True, slots=True)
class EndpointSpec:
    """One operation of another system. Maps read our message, `_config`, `_now`, `_now_s`, `_now_ms`, `_nonce`, `_secret`."""

    name: str
    method: str
    url: str
    query: Map | None = None
    headers: Map | None = None
    body: Map | None = None
    #: json, xml, form, none; or form+json:NAME / query+json:NAME, where the JSON of `body` is one field and `fields` has
    #: the others.
    form: str = "json"
    fields: Map | None = None
    root: str = "request"
    sort_keys: bool = False
    #: Names of signatures, in the order they are put on.
    signature: tuple[str, ...] = ()
    ack: Ack = field(default_factory=Ack)
    #: The operation that asks whether a call whose answer never came has arrived, and the path that is there if so.
    query_first: str = ""
    exists: Path | None = None
    #: The map that reads the answer (fetch_order, list_orders, query_stock), and where each item of it is.
    map: str = ""
    prepare: tuple[Prepare, ...] = ()
    items: Path | None = None
    #: The operations of the same order that it waits for (None: everything said before), and whether it goes before what
    #: was owed earlier for other orders.
    after: tuple[str, ...] | None = None
    urgent: bool = False
    #: So many quantities one call of `stock` takes; 0 for any number.
    at_once: int = 0
    #: The path that must be there once everything was asked for, else there is nothing to say (an article they do not sell).
    only_if: Path | None = None

    @classmethod
    def read(cls, doc: Doc, name: str, tables: Mapping[str, Mapping[str, Any]], zone: str) -> Self:
        """The operation in a part of a document; flaws are noted there."""
        doc.only(
            "method", "url", "query", "headers", "body", "form", "fields", "root", "sort_keys", "signature", "ack",
            "query_first", "prepare", "map", "items", "after", "urgent", "about",
            *(("at_once", "only_if") if name == "stock" else ()),
        )  # fmt: skip
        first = doc.child("query_first")
        if first:
            first.only("operation", "exists")
        ack = doc.child("ack")
        form = doc.text("form", "none" if "body" not in doc.data else "json")
        if form not in BODY_FORMS and not _WRAPPED.fullmatch(form):
            doc.note("form", "unknown_form", value=form[:60], forms=", ".join(BODY_FORMS))
        return cls(
            name=name,
            method=doc.text("method", "POST", choices=("GET", "POST", "PUT", "PATCH", "DELETE")),
            url=doc.text("url", required=True),
            query=_part(doc, "query", tables, zone),
            headers=_part(doc, "headers", tables, zone),
            body=_part(doc, "body", tables, zone),
            form=form,
            fields=_part(doc, "fields", tables, zone),
            root=doc.text("root", "request"),
            sort_keys=doc.flag("sort_keys"),
            signature=_signatures(doc),
            ack=Ack.read(ack) if ack else Ack(),
            query_first=first.text("operation", required=True) if first else "",
            exists=path(first, "exists", required=True) if first else None,
            map=doc.text("map"),
            prepare=tuple(_prepare(part) for part in doc.children("prepare")),
            items=path(doc, "items"),
            after=doc.texts("after") if "after" in doc.data else None,
            urgent=doc.flag("urgent"),
            at_once=doc.number("at_once", 0, most=1000),
            only_if=path(doc, "only_if"),
        )


def _signatures(doc: Doc) -> tuple[str, ...]:
    if isinstance(doc.data.get("signature"), list):
        return doc.texts("signature")
    name = doc.text("signature")
    return (name,) if name else ()


def _prepare(doc: Doc) -> Prepare:
    doc.only("operation", "take", "keep_s", "keep_for", "rotates", "about")
    part, taken = doc.child("take"), list[tuple[str, Path]]()
    if part:
        for name in part.data:
            where = path(part, str(name), required=True)
            if where:
                taken.append((str(name), where))
    if not taken:
        doc.note("take", "missing")
    names, rotates = {name for name, _where in taken}, list[tuple[str, str]]()
    for secret, rest in dict(inner.data if (inner := doc.child("rotates")) else {}).items():
        if rest not in names:
            doc.note(f"rotates.{secret}", "unknown_name", sort="take", name=str(rest)[:60])
        rotates.append((str(secret), str(rest)))
    kept = doc.number("keep_s", 0, most=LONGEST_KEPT_S)
    return Prepare(
        doc.text("operation", required=True), tuple(taken), kept, path(doc, "keep_for"), tuple(rotates)
    )


class Speaks(Protocol):
    """What `build` needs of a profile."""

    @property
    def operations(self) -> Mapping[str, EndpointSpec]:
        """Its operations by name."""

    @property
    def signatures(self) -> Mapping[str, signing.SignatureSpec]:
        """Its signatures by name."""


def _part(doc: Doc, name: str, tables: Mapping[str, Mapping[str, Any]], zone: str) -> Map | None:
    part = doc.child(name)
    return Map.read(part, tables, zone) if part else None


def check_url(doc: Doc, url: str, asked: Mapping[str, str]) -> None:
    """Note what is wrong with an address: its beginning must be https, http or a setting of kind url, every {name} must
    be a setting that is asked for, or {message.…} behind the host. Other people's data never chooses the host.
    """
    holes = [hit[1] for hit in _HOLE.finditer(url)]
    for hole in holes:
        if not hole.startswith("message.") and hole not in asked:
            doc.note("url", "unknown_setting", name=hole)
    first = _HOLE.match(url)
    if first:
        # What follows a whole address must begin a path: "{base}{message.x}" would let a message lengthen the host.
        if first[1].startswith("message.") or url[first.end() : first.end() + 1] not in ("", "/", "?"):
            doc.note("url", "url_host")
        elif asked.get(first[1], "url") not in ("url", "choice"):
            doc.note("url", "url_start", name=first[1])
        return
    host = re.match(r"https?://([^/?#]*)", url)
    if not host:
        doc.note("url", "url_start", name="")
    elif "{message." in host[1]:
        doc.note("url", "url_host")


def build(
    profile: Speaks,
    operation: str,
    message: Mapping[str, Any],
    config: Mapping[str, Any],
    secret: str,
    now: datetime,
    nonce: str,
    *,
    secrets_before: Sequence[str] = (),
) -> Call:
    """The call of an operation for one message of ours. Raises KeyError for an operation the profile has not, CannotBuild
    with all faults where values are missing. `now` is aware; `nonce` is unique to the call. Where a rule takes several
    signatures, the secrets that are being replaced sign too.
    """
    spec = profile.operations[operation]
    around = surroundings(config, secret, now, nonce)
    faults: list[Fault] = []
    url = _url(spec.url, message, config, faults)
    query = _pairs(spec.query, message, around, faults)
    headers = {name.lower(): value for name, value in _pairs(spec.headers, message, around, faults)}
    body, wrapped = _body(spec, message, around, faults)
    faults += [
        Fault(f"headers.{name}", "", "bad_header")
        for name, value in headers.items()
        if not _HEADER.fullmatch(value)
    ]
    if faults:
        raise CannotBuild(faults)
    kind = _TYPES.get(spec.form.partition("+")[0])
    if kind and spec.body:
        headers.setdefault("content-type", kind)
    request = Request(spec.method, url, urlsplit(url).path, _query(url) + query + wrapped, headers, body)
    for name in spec.signature:
        try:
            request = signed(profile.signatures[name], request, (secret, *secrets_before), config)
        except digests.BadKey:
            raise CannotBuild([Fault(f"signature.{name}", "", "bad_key")]) from None
    base = url.partition("?")[0]
    whole = f"{base}?{urlencode(request.query)}" if request.query else base
    return Call(spec.method, whole, dict(request.headers), request.body)


def surroundings(config: Mapping[str, Any], secret: str, now: datetime, nonce: str) -> dict[str, Any]:
    """What maps of a call may reach besides the message."""
    seconds = int(now.timestamp())
    return {
        "_config": dict(config),
        "_secret": secret,
        "_now": now.astimezone(UTC).isoformat(),
        "_now_s": seconds,
        "_now_ms": seconds * 1000 + now.microsecond // 1000,
        "_nonce": nonce,
    }


def signed(
    spec: signing.SignatureSpec, request: Request, secrets: Sequence[str], config: Mapping[str, Any]
) -> Request:
    """The same request with its signature in its place: one for each secret where the rule takes several, else by the
    first.
    """
    if spec.where is None:
        return request
    value = " ".join(
        signing.sign(spec, request, secret, config) for secret in secrets[: None if spec.several else 1]
    )
    return places.put(request, spec.where, value)


def _url(text: str, message: Mapping[str, Any], config: Mapping[str, Any], faults: list[Fault]) -> str:
    def fill(hit: re.Match[str]) -> str:
        name, start = hit[1], hit.start()
        outer, _dot, inner = name.partition(".")
        value = str((message.get(inner) if outer == "message" else config.get(name)) or "")
        if not value:
            faults.append(Fault(f"url.{name}", name, "missing"))
        elif start == 0:
            return _base(name, value, faults)
        elif "://" in text[:start] and "/" not in text[:start].partition("://")[2]:
            if not _HOST.fullmatch(value):
                faults.append(Fault(f"url.{name}", name, "bad_host", value[:60]))
        elif value in (".", ".."):
            faults.append(Fault(f"url.{name}", name, "bad_segment", value))
        return quote(value, safe="")

    return _HOLE.sub(fill, text)


def _base(name: str, value: str, faults: list[Fault]) -> str:
    if not addresses.is_address(value):
        faults.append(Fault(f"url.{name}", name, "bad_url", value[:60]))
    return value.rstrip("/")


def _query(url: str) -> Pairs:
    return tuple(parse_qsl(urlsplit(url).query, keep_blank_values=True))


def _pairs(
    part: Map | None, message: Mapping[str, Any], around: Mapping[str, Any], faults: list[Fault]
) -> Pairs:
    if part is None:
        return ()
    found = apply(part, dict(message), around, sparse=True)
    faults += found.faults
    return tuple((name, _single(value)) for name, value in found.value.items())


def _single(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return trees.json_text(value) if isinstance(value, dict | list) else str(trees.plain(value))


def _body(
    spec: EndpointSpec, message: Mapping[str, Any], around: Mapping[str, Any], faults: list[Fault]
) -> tuple[bytes, Pairs]:
    """The bytes to send, and what of the body goes into the query."""
    if spec.body is None:
        return b"", ()
    found = apply(spec.body, dict(message), around, sparse=True)
    faults += found.faults
    tree = found.value["items"] if spec.body.items else found.value
    wrapped = _WRAPPED.fullmatch(spec.form)
    if not wrapped:
        try:
            return trees.write(tree, spec.form, root=spec.root, sort_keys=spec.sort_keys), ()
        except trees.Unreadable as error:
            faults.append(Fault("body", "", error.code, facts=error.facts))
            return b"", ()
    others = _pairs(spec.fields, message, around, faults)
    own = (wrapped[2], trees.json_text(tree, sort_keys=spec.sort_keys))
    if wrapped[1] == "query":
        return b"", (*others, own)
    return urlencode([*others, own]).encode(), ()

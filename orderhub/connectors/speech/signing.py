"""Signatures as data: how a system signs what it sends, checked in constant time and made by the same rule."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Self
from urllib.parse import quote_plus
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from orderhub.connectors.speech.flaws import Doc, Faulty, Flaw
from orderhub.connectors.speech.requests import Pairs, Request

ALGORITHMS = ("md5", "sha1", "sha256", "hmac-md5", "hmac-sha1", "hmac-sha256")
KEYS = ("none", "secret", "base64-after-prefix", "xor-after-prefix")
ENCODINGS = ("hex", "HEX", "b64", "hexb64", "b64hex")
PLACES = ("header", "query", "form")
NAMES = (
    "alg", "key", "parts", "pre", "normalize", "enc", "prefix", "where", "compare", "several", "tolerance_s", "ts",
    "ts_zone", "id", "nonce", "skip", "empty", "listed", "secret_from", "seed", "about",
)  # fmt: skip
_PART = re.compile(
    r"\{(secret|body|ts|id|nonce|url|path|pathenc|method|sorted_kv(?::(?:query|form|listed))?|hdr:[\w-]+|form:\w+|q:\w+|config:\w+)\}"
)
_WHERE = re.compile(r"(header|query|form):([\w-]+)")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a signature holds; `reason` is empty then, else missing|wrong|no_timestamp|too_old|too_new|no_secret."""

    ok: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class SignatureSpec:
    """One rule of signing. `where`, `ts`, `id` and `nonce` are places like ("header", "x-signature"), None for none."""

    alg: str
    parts: tuple[str, ...]
    key: str = "none"
    pre: str = ""
    normalize: str = ""
    enc: str = "hex"
    prefix: str = ""
    where: tuple[str, str] | None = None
    ignore_case: bool = False
    several: bool = False
    tolerance_s: int = 0
    ts: tuple[str, str] | None = None
    ts_zone: str = ""
    id: tuple[str, str] | None = None
    nonce: tuple[str, str] | None = None
    #: Names that are no part of {sorted_kv}, besides the signature itself.
    skip: frozenset[str] = frozenset()
    #: Whether fields without a value are part of {sorted_kv}.
    empty: bool = False
    #: The header that names (by commas) the headers that are part of {sorted_kv:listed}, with query and form.
    listed: str = ""
    #: The setting that holds the key of this rule, where it is another than the connection's secret.
    secret_from: str = ""
    #: For the key xor-after-prefix: what the decoded key is mixed with.
    seed: bytes = b""

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> Self:
        """The rule a document describes; raises Faulty with everything that is wrong."""
        flaws: list[Flaw] = []
        found = cls.read(Doc(data, flaws))
        if flaws:
            raise Faulty(flaws)
        return found

    @classmethod
    def read(cls, doc: Doc) -> Self:
        """The rule in a part of a document; flaws are noted there."""
        doc.only(*NAMES)
        spec = cls(
            alg=doc.text("alg", "sha256", required=True, choices=ALGORITHMS),
            parts=_parts(doc),
            key=doc.text("key", "none", choices=KEYS),
            pre=doc.text("pre", choices=("java-urlencode",)),
            normalize=doc.text("normalize", choices=("NFKD",)),
            enc=doc.text("enc", "hex", choices=ENCODINGS),
            prefix=doc.text("prefix"),
            where=_place(doc, "where", required=True),
            ignore_case=doc.text("compare", "exact", choices=("exact", "ignore_case")) == "ignore_case",
            several=doc.flag("several"),
            tolerance_s=doc.number("tolerance_s", 0, most=86_400),
            ts=_place(doc, "ts"),
            ts_zone=doc.text("ts_zone"),
            id=_place(doc, "id"),
            nonce=_place(doc, "nonce"),
            skip=frozenset(doc.texts("skip")),
            empty=doc.flag("empty"),
            listed=doc.text("listed").lower(),
            secret_from=doc.text("secret_from"),
            seed=doc.text("seed", required=doc.data.get("key") == "xor-after-prefix").encode(),
        )
        _check_whole(doc, spec)
        return spec


def _check_whole(doc: Doc, spec: SignatureSpec) -> None:
    if spec.alg.startswith("hmac") == (spec.key == "none"):
        doc.note("key", "key_and_alg", alg=spec.alg)
    if not spec.alg.startswith("hmac") and "{secret}" not in spec.parts and spec.parts:
        doc.note("parts", "no_secret_part")
    if spec.tolerance_s and spec.ts is None:
        doc.note("ts", "missing")
    for name in ("ts", "id", "nonce"):
        if f"{{{name}}}" in spec.parts and getattr(spec, name) is None:
            doc.note(name, "missing")
    if spec.ts_zone:
        try:
            ZoneInfo(spec.ts_zone)
        except (ZoneInfoNotFoundError, ValueError):
            doc.note("ts_zone", "no_zone", value=spec.ts_zone)


def _parts(doc: Doc) -> tuple[str, ...]:
    found = doc.texts("parts")
    if not found:
        doc.note("parts", "missing")
    for at, part in enumerate(found):
        if part.startswith("{") and part.endswith("}") and not _PART.fullmatch(part):
            doc.note(f"parts[{at}]", "unknown_part", value=part)
    return found


def _place(doc: Doc, name: str, *, required: bool = False) -> tuple[str, str] | None:
    text = doc.text(name, required=required)
    if not text:
        return None
    found = _WHERE.fullmatch(text)
    if not found:
        doc.note(name, "no_place", value=text)
        return None
    where, key = found.groups()
    return where, key.lower() if where == "header" else key


def sign(spec: SignatureSpec, request: Request, secret: str, config: Mapping[str, Any]) -> str:
    """The signature of a request by the rule, as text with its prefix. Timestamp, id and nonce are read from the request."""
    if spec.secret_from:
        secret = str(config.get(spec.secret_from, ""))
    word = unicodedata.normalize("NFKD", secret) if spec.normalize else secret
    data = b"".join(_bytes(spec, part, request, word, config) for part in spec.parts)
    if spec.pre:
        # Java's URLEncoder: a blank is +, * stays and ~ is quoted.
        data = quote_plus(data, safe="*").replace("~", "%7E").encode()
    return spec.prefix + _encoded(spec.enc, _digest(spec, data, word))


def check(
    spec: SignatureSpec, request: Request, secrets: Sequence[str], config: Mapping[str, Any], now: datetime
) -> Verdict:
    """Whether the request carries a signature by one of the secrets (two while rotating) and is not too old."""
    given = found(request, spec.where)
    if not given:
        return Verdict(False, "missing")
    usable = [secret for secret in secrets if secret]
    if not usable:
        return Verdict(False, "no_secret")
    candidates = given.split(" ") if spec.several else [given]
    fits = False
    for secret in usable:
        expected = _comparable(spec, sign(spec, request, secret, config))
        for candidate in candidates[:10]:
            fits |= hmac.compare_digest(expected, _comparable(spec, candidate))
    if not fits:
        return Verdict(False, "wrong")
    return _timely(spec, request, now) if spec.tolerance_s else Verdict(True)


def found(request: Request, place: tuple[str, str] | None) -> str:
    """What stands at a place of the request, "" for nothing."""
    if place is None:
        return ""
    where, name = place
    if where == "header":
        return request.headers.get(name, "")
    return _one(request.query if where == "query" else request.form, name)


def _one(fields: Pairs, name: str) -> str:
    return next((value for key, value in fields if key == name), "")


def _comparable(spec: SignatureSpec, text: str) -> bytes:
    return (text.lower() if spec.ignore_case else text).encode("utf-8", "surrogatepass")


def _timely(spec: SignatureSpec, request: Request, now: datetime) -> Verdict:
    at = _moment(found(request, spec.ts), spec.ts_zone or "Asia/Shanghai")
    if at is None:
        return Verdict(False, "no_timestamp")
    window = timedelta(seconds=spec.tolerance_s)
    if now - at > window:
        return Verdict(False, "too_old")
    return Verdict(False, "too_new") if at - now > window else Verdict(True)


def _moment(text: str, zone: str) -> datetime | None:
    """Epoch seconds, epoch milliseconds (13 digits) or `2026-11-11 09:31:30` on the zone's clock."""
    try:
        if text.isascii() and text.isdigit() and len(text) <= 13:
            return datetime.fromtimestamp(int(text) / (1000 if len(text) == 13 else 1), UTC)
        at = datetime.fromisoformat(text)
        return at if at.tzinfo else at.replace(tzinfo=ZoneInfo(zone))
    except (ValueError, OverflowError, OSError):
        return None


def _digest(spec: SignatureSpec, data: bytes, secret: str) -> bytes:
    kind = spec.alg.removeprefix("hmac-")
    if spec.alg.startswith("hmac"):
        return hmac.new(_key(spec, secret), data, kind).digest()
    return hashlib.new(kind, data, usedforsecurity=False).digest()


def _key(spec: SignatureSpec, secret: str) -> bytes:
    if spec.key == "secret":
        return secret.encode()
    try:
        raw = base64.b64decode(secret.partition("_")[2] or secret, validate=True)
        if not spec.seed:
            return raw
        mixed = bytes(byte ^ spec.seed[at % len(spec.seed)] for at, byte in enumerate(raw))
        return base64.b64encode(mixed)
    except binascii.Error:
        # A secret typed wrongly signs nothing anybody would accept; it must not end in a traceback.
        return secret.encode()


def _encoded(enc: str, raw: bytes) -> str:
    makers: Mapping[str, Callable[[], str]] = {
        "hex": raw.hex,
        "HEX": lambda: raw.hex().upper(),
        "b64": lambda: base64.b64encode(raw).decode(),
        "hexb64": lambda: base64.b64encode(raw.hex().encode()).decode(),
        "b64hex": lambda: base64.b64encode(raw).hex(),
    }
    return makers[enc]()


def _bytes(spec: SignatureSpec, part: str, request: Request, secret: str, config: Mapping[str, Any]) -> bytes:
    if part == "{body}":
        return request.body
    if not _PART.fullmatch(part):
        return part.encode()
    name, _colon, rest = part[1:-1].partition(":")
    return _text(spec, name, rest, request, secret, config).encode("utf-8", "surrogatepass")


def _text(
    spec: SignatureSpec, name: str, rest: str, request: Request, secret: str, config: Mapping[str, Any]
) -> str:
    simple: Mapping[str, Callable[[], str]] = {
        "secret": lambda: secret,
        "ts": lambda: found(request, spec.ts),
        "id": lambda: found(request, spec.id),
        "nonce": lambda: found(request, spec.nonce),
        "url": lambda: request.url,
        "path": lambda: request.path,
        "pathenc": lambda: quote_plus(request.path, safe=""),
        "method": lambda: request.method,
        "hdr": lambda: request.headers.get(rest.lower(), ""),
        "form": lambda: _one(request.form, rest),
        "q": lambda: _one(request.query, rest),
        "config": lambda: str(config.get(rest, "")),
        "sorted_kv": lambda: _sorted(spec, rest, request),
    }
    return simple[name]()


def _sorted(spec: SignatureSpec, rest: str, request: Request) -> str:
    fields: Pairs = ()
    if rest == "listed":
        names = (name.strip() for name in request.headers.get(spec.listed, "").split(",")[:100])
        fields += tuple((name, request.headers.get(name.lower(), "")) for name in names if name)
    if rest in ("", "query", "listed"):
        fields += request.query
    if rest in ("", "form", "listed"):
        fields += request.form
    own = spec.where[1] if spec.where and spec.where[0] != "header" else ""
    kept = sorted((k, v) for k, v in fields if k != own and k not in spec.skip and (v or spec.empty))
    return "".join(key + value for key, value in kept)

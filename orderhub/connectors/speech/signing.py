"""Signatures as data: how a system signs what it sends, checked in constant time and made by the same rule."""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Self
from urllib.parse import quote, quote_plus
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from orderhub.connectors.speech import digests, places
from orderhub.connectors.speech.digests import ALGORITHMS, ENCODINGS, KEYS
from orderhub.connectors.speech.flaws import Doc, Faulty, Flaw
from orderhub.connectors.speech.places import Place, found, one
from orderhub.connectors.speech.requests import Pairs, Request

NAMES = (
    "alg", "key", "parts", "pre", "normalize", "enc", "prefix", "where", "compare", "several", "tolerance_s", "ts",
    "ts_zone", "id", "nonce", "skip", "empty", "listed", "secret_from", "seed", "equals", "between", "quoted", "sorted",
    "proves", "about",
)  # fmt: skip
_HASHES = ("md5", "sha1", "sha256", "sha512")
_PART = re.compile(
    r"\{(secret|body|ts|id|nonce|url|address|path|pathenc|method|sorted_kv(?::(?:query|form|json|listed))?|hdr:[\w-]+"
    r"|form:[\w.\[\]-]+|q:[\w.\[\]-]+|json:[\w.-]+|config:\w+|(?:md5|sha1|sha256|sha512)(?:b64)?:body)\}"
)
#: Timestamps by how many digits they have: seconds, then thousandths, millionths and billionths of them.
_UNITS = {13: 10**3, 16: 10**6, 19: 10**9}


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
    where: Place | None = None
    ignore_case: bool = False
    several: bool = False
    tolerance_s: int = 0
    ts: Place | None = None
    ts_zone: str = ""
    id: Place | None = None
    nonce: Place | None = None
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
    #: What stands between name and value in {sorted_kv}, and between two of them; `quoted` quotes both as in an address.
    equals: str = ""
    between: str = ""
    quoted: bool = False
    #: Whether the parts are put in order as texts before they are joined.
    sorted: bool = False
    #: False for a mere digest of what is sent (Content-MD5), which anybody can make and no door goes by.
    proves: bool = True

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
            enc=doc.text("enc", "text" if doc.data.get("alg") == "text" else "hex", choices=ENCODINGS),
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
            equals=doc.text("equals"),
            between=doc.text("between"),
            quoted=doc.flag("quoted"),
            sorted=doc.flag("sorted"),
            proves=doc.flag("proves", True),
        )
        _check_whole(doc, spec)
        return spec


def _check_whole(doc: Doc, spec: SignatureSpec) -> None:
    if spec.alg.startswith("hmac") == (spec.key == "none"):
        doc.note("key", "key_and_alg", alg=spec.alg)
    if (spec.enc == "text") != (spec.alg == "text") and not (
        spec.alg == "text" and spec.enc.startswith("b64")
    ):
        doc.note("enc", "enc_and_alg", alg=spec.alg)
    by_itself = spec.alg.startswith("hmac") or spec.alg in digests.PAIRS or not spec.proves
    if not by_itself and "{secret}" not in spec.parts and spec.parts:
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


def _place(doc: Doc, name: str, *, required: bool = False) -> Place | None:
    text = doc.text(name, required=required)
    place = places.parse(text) if text else None
    if text and place is None:
        doc.note(name, "no_place", value=text)
    return place


def sign(spec: SignatureSpec, request: Request, secret: str, config: Mapping[str, Any]) -> str:
    """The signature of a request by the rule, as text with its prefix. Timestamp, id and nonce are read from the request.

    Raises digests.BadKey where the algorithm wants a private key and the secret is none.
    """
    secret = _secret(spec, secret, config)
    raw = digests.made(
        spec.alg, _data(spec, request, secret, config), digests.key_of(spec.key, secret, spec.seed)
    )
    return spec.prefix + digests.written(spec.enc, raw)


def _secret(spec: SignatureSpec, secret: str, config: Mapping[str, Any]) -> str:
    if spec.secret_from:
        secret = str(config.get(spec.secret_from, ""))
    return unicodedata.normalize("NFKD", secret) if spec.normalize else secret


def _data(spec: SignatureSpec, request: Request, secret: str, config: Mapping[str, Any]) -> bytes:
    """The bytes that are signed."""
    parts = [_bytes(spec, part, request, secret, config) for part in spec.parts]
    data = b"".join(sorted(parts) if spec.sorted else parts)
    if spec.pre:
        # Java's URLEncoder: a blank is +, * stays and ~ is quoted.
        data = quote_plus(data, safe="*").replace("~", "%7E").encode()
    return data


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
    candidates = given.split(" ") if spec.several or places.is_list(spec.where) else [given]
    fits = False
    for secret in usable:
        if spec.alg in digests.PAIRS:
            fits |= _owned(spec, request, secret, config, candidates)
            continue
        expected = _comparable(spec, sign(spec, request, secret, config))
        for candidate in candidates[:10]:
            fits |= hmac.compare_digest(expected, _comparable(spec, candidate))
    if not fits:
        return Verdict(False, "wrong")
    return _timely(spec, request, now) if spec.tolerance_s else Verdict(True)


def _owned(
    spec: SignatureSpec, request: Request, public: str, config: Mapping[str, Any], candidates: Sequence[str]
) -> bool:
    """Whether one of the signatures was made by the owner of the public key."""
    public = _secret(spec, public, config)
    data = _data(spec, request, public, config)
    raws = [
        digests.read(spec.enc, one.removeprefix(spec.prefix))
        for one in candidates[:10]
        if one.startswith(spec.prefix)
    ]
    return any(raw is not None and digests.holds(spec.alg, data, raw, public) for raw in raws)


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
    """Epoch seconds (or finer, by the digits), `20261111093130`, an HTTP date, or `2026-11-11 09:31:30` on the zone's clock."""
    try:
        if text.isascii() and text.isdigit() and (len(text) < 13 or len(text) in _UNITS):
            return datetime.fromtimestamp(int(text) / _UNITS.get(len(text), 1), UTC)
        if text.isascii() and text.isdigit() and len(text) == 14:
            text = f"{text[:8]}T{text[8:]}"
        at = parsedate_to_datetime(text) if text[:1].isalpha() else datetime.fromisoformat(text)
        return at if at.tzinfo else at.replace(tzinfo=ZoneInfo(zone))
    except (ValueError, OverflowError, OSError):
        return None


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
        "address": lambda: request.url.partition("?")[0],
        "path": lambda: request.path,
        "pathenc": lambda: quote_plus(request.path, safe=""),
        "method": lambda: request.method,
        "hdr": lambda: request.headers.get(rest.lower(), ""),
        "form": lambda: one(request.form, rest),
        "q": lambda: one(request.query, rest),
        "json": lambda: places.text_at(request.body, rest),
        "config": lambda: str(config.get(rest, "")),
        "sorted_kv": lambda: _sorted(spec, rest, request),
    }
    if rest == "body" and name.removesuffix("b64") in _HASHES:
        raw = hashlib.new(name.removesuffix("b64"), request.body, usedforsecurity=False).digest()
        return digests.written("b64" if name.endswith("b64") else "hex", raw)
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
    if rest == "json":
        fields += places.json_fields(request.body)
    own = spec.where[1] if spec.where and spec.where[0] != "header" else ""
    kept = sorted((k, v) for k, v in fields if k != own and k not in spec.skip and (v or spec.empty))
    if spec.quoted:
        kept = [(quote(k, safe="-._~"), quote(v, safe="-._~")) for k, v in kept]
    return spec.between.join(key + spec.equals + value for key, value in kept)

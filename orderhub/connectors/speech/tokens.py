"""Transforms between texts and what they stand for elsewhere: quoted, packed, digested, and tokens that are signed."""

from __future__ import annotations

import base64
import binascii
import hashlib
import html
import json
from typing import Any
from urllib.parse import quote, unquote_plus

from orderhub.connectors.speech import digests
from orderhub.connectors.speech.moments import Bad, Setting, text_of

#: Algorithms of JSON Web Tokens, and ours of the same meaning.
TOKENS = {
    "HS256": "hmac-sha256", "HS384": "hmac-sha384", "HS512": "hmac-sha512", "RS256": "rsa-sha256", "EdDSA": "ed25519",
}  # fmt: skip


def replaced(value: Any, args: tuple[Any, ...], _setting: Setting) -> str:
    """One text for another, wherever it is."""
    return text_of(value).replace(args[0], args[1]) if args[0] else text_of(value)


def before(value: Any, args: tuple[Any, ...], _setting: Setting) -> str | None:
    """The value behind a text (`Bearer …`); nothing stays nothing."""
    text = text_of(value)
    return args[0] + text if text else None


def unquoted(value: Any, _args: tuple[Any, ...], _setting: Setting) -> str:
    """%E6%B5%99 and + as the signs they stand for: for what was quoted twice."""
    return unquote_plus(text_of(value))


def quoted(value: Any, _args: tuple[Any, ...], _setting: Setting) -> str:
    """As in an address."""
    return quote(text_of(value), safe="")


def unescaped(value: Any, _args: tuple[Any, ...], _setting: Setting) -> str:
    """&amp; and its like as the signs they stand for."""
    return html.unescape(text_of(value))


def unbase64(value: Any, _args: tuple[Any, ...], _setting: Setting) -> str:
    """The text inside Base64, of either alphabet."""
    text = "".join(text_of(value).split()).replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise Bad("not_packed") from None


def digest(name: str) -> Any:
    """A transform to the digest of a text, in hex."""

    def run(value: Any, _args: tuple[Any, ...], _setting: Setting) -> str:
        data = text_of(value).encode("utf-8", "surrogatepass")
        return hashlib.new(name, data, usedforsecurity=False).hexdigest()

    return run


def jwt(value: Any, args: tuple[Any, ...], _setting: Setting) -> str:
    """[claims, key] as a signed token; with a second argument it expires so many seconds after the claim `iat`."""
    claims, key = value if isinstance(value, list) and len(value) == 2 else (None, None)
    if not isinstance(claims, dict) or not key or args[0] not in TOKENS:
        raise Bad("not_token")
    made = {name: one for name, one in claims.items() if one is not None}
    if len(args) > 1:
        if not isinstance(made.get("iat"), int):
            raise Bad("not_token")
        made["exp"] = made["iat"] + args[1]
    head = _part({"alg": args[0], "typ": "JWT"})
    text = f"{head}.{_part(made)}"
    try:
        raw = digests.made(TOKENS[args[0]], text.encode(), text_of(key).encode())
    except digests.BadKey:
        raise Bad("bad_key") from None
    return f"{text}.{digests.written('b64url', raw)}"


def _part(value: dict[str, Any]) -> str:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=text_of)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

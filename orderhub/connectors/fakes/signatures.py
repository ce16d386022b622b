"""Each vendor's signing rule in plain code: written from the rules alone, so that it can prove our reader of rules."""

from __future__ import annotations

import base64
import hashlib
import hmac
import unicodedata
from collections.abc import Mapping
from urllib.parse import quote, quote_plus


def same(left: str, right: str) -> bool:
    """Whether two signatures are equal, in constant time."""
    return hmac.compare_digest(left.encode(), right.encode())


def _md5(data: bytes) -> bytes:
    return hashlib.md5(data, usedforsecurity=False).digest()


def _sorted_pairs(params: Mapping[str, str]) -> str:
    return "".join(f"{key}{params[key]}" for key in sorted(params) if key != "sign")


def body_hmac(secret: str, body: bytes) -> str:
    """Shopify, WooCommerce, AfterShip: base64 of HMAC-SHA256 over the raw body."""
    return base64.b64encode(hmac.digest(secret.encode(), body, "sha256")).decode()


def easypost(secret: str, body: bytes) -> str:
    """EasyPost: the secret is Unicode-normalized (NFKD) before HMAC-SHA256; hex with a prefix."""
    key = unicodedata.normalize("NFKD", secret).encode()
    return "hmac-sha256-hex=" + hmac.digest(key, body, "sha256").hex()


def standard_webhook(secret: str, message_id: str, timestamp: str, body: bytes) -> str:
    """Standard Webhooks: `v1,` + base64 of HMAC-SHA256 over `id.timestamp.body`; the key is base64 after `whsec_`."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode()


def mes(secret: str, timestamp: str, body: bytes) -> str:
    """The plain JSON systems (MES): hex of HMAC-SHA256 over `timestamp.body`."""
    return hmac.digest(secret.encode(), timestamp.encode() + b"." + body, "sha256").hex()


def qimen(secret: str, query: Mapping[str, str], body: bytes) -> str:
    """Qimen (and Taobao's callbacks): MD5, upper hex, of secret + sorted query + body + secret."""
    key = secret.encode()
    return _md5(key + _sorted_pairs(query).encode() + body + key).hex().upper()


def top(secret: str, params: Mapping[str, str], method: str = "md5") -> str:
    """TOP, JD and Pinduoduo: MD5 of secret + sorted parameters + secret, or an HMAC without the wrapping secret."""
    text = _sorted_pairs(params)
    if method == "hmac":
        return hmac.digest(secret.encode(), text.encode(), "md5").hex().upper()
    if method == "hmac-sha256":
        return hmac.digest(secret.encode(), text.encode(), "sha256").hex().upper()
    return _md5(f"{secret}{text}{secret}".encode()).hex().upper()


def douyin_call(secret: str, params: Mapping[str, str]) -> str:
    """Douyin's shop API: HMAC-SHA256 (or MD5 if `sign_method` says so), lower hex, of five fixed fields in the secret."""
    fields = ("app_key", "method", "param_json", "timestamp", "v")
    text = secret + "".join(f"{name}{params.get(name, '')}" for name in fields) + secret
    if params.get("sign_method") == "md5":
        return _md5(text.encode()).hex()
    return hmac.digest(secret.encode(), text.encode(), "sha256").hex()


def douyin_push(secret: str, app_key: str, body: bytes) -> str:
    """Douyin's pushes: MD5 hex of app key + body + secret."""
    return _md5(app_key.encode() + body + secret.encode()).hex()


def sf(secret: str, message: str, timestamp: str) -> str:
    """SF: base64 of MD5 over the form-encoded message + timestamp + check word (a blank becomes `+`)."""
    # Java's encoder leaves `*` alone and encodes `~`: Python's does the opposite.
    text = quote_plus(message + timestamp + secret, safe="*").replace("~", "%7E")
    return base64.b64encode(_md5(text.encode())).decode()


def kuaidi100_push(salt: str, param: str) -> str:
    """Kuaidi100's pushes: MD5, upper hex, of the parameter + salt."""
    return _md5((param + salt).encode()).hex().upper()


def kuaidi100_query(key: str, customer: str, param: str) -> str:
    """Kuaidi100's queries: MD5, upper hex, of the parameter + key + customer."""
    return _md5((param + key + customer).encode()).hex().upper()


def kingdee(secret: str, path: str, nonce: str, timestamp: str) -> str:
    """Kingdee, version 2: base64 of the hex HMAC-SHA256 over method, encoded path and two headers."""
    text = f"POST\n{quote(path, safe='')}\n\nx-api-nonce:{nonce}\nx-api-timestamp:{timestamp}\n"
    return base64.b64encode(hmac.digest(secret.encode(), text.encode(), "sha256").hex().encode()).decode()

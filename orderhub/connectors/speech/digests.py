"""What a signature is made with: algorithms, where the key comes from, and how the result is written; public keys too."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Callable, Mapping

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

_PLAIN = ("md5", "sha1", "sha256", "sha384", "sha512")
_HEX = re.compile(r"[0-9A-Fa-f]{64}")
#: The other side signs with a private key and we check with the public one; what we send, with a private key of ours.
PAIRS = ("ed25519", "rsa-sha1", "rsa-sha256", "ecdsa-sha256")
#: `text` compares the parts as they are: a token, or name and password, that stand in a header.
ALGORITHMS = (*_PLAIN, *(f"hmac-{name}" for name in _PLAIN), "text", *PAIRS)
KEYS = ("none", "secret", "base64", "hex", "base64-after-prefix", "xor-after-prefix")
ENCODINGS = ("hex", "HEX", "b64", "b64url", "hexb64", "b64hex", "text")


class BadKey(ValueError):
    """A key that is none of its algorithm."""


def made(alg: str, data: bytes, key: bytes) -> bytes:
    """The digest, authentication code or signature of the data. Raises BadKey."""
    if alg == "text":
        return data
    if alg in PAIRS:
        return _signed(alg, data, key.decode("utf-8", "replace"))
    kind = alg.removeprefix("hmac-")
    if alg.startswith("hmac"):
        return hmac.new(key, data, kind).digest()
    return hashlib.new(kind, data, usedforsecurity=False).digest()


def key_of(how: str, secret: str, seed: bytes) -> bytes:
    """The bytes of an HMAC's key in a secret as it was typed in."""
    try:
        if how == "base64":
            return base64.b64decode(secret, validate=True)
        if how == "hex":
            return bytes.fromhex(secret)
        if how in ("base64-after-prefix", "xor-after-prefix"):
            raw = base64.b64decode(secret.partition("_")[2] or secret, validate=True)
            if not seed:
                return raw
            return base64.b64encode(bytes(byte ^ seed[at % len(seed)] for at, byte in enumerate(raw)))
    except (binascii.Error, ValueError):
        # A secret typed wrongly signs nothing anybody would accept; it must not end in a traceback.
        return secret.encode()
    return secret.encode()


def written(enc: str, raw: bytes) -> str:
    """The result as text."""
    makers: Mapping[str, Callable[[], str]] = {
        "hex": raw.hex,
        "HEX": lambda: raw.hex().upper(),
        "b64": lambda: base64.b64encode(raw).decode(),
        "b64url": lambda: base64.urlsafe_b64encode(raw).decode().rstrip("="),
        "hexb64": lambda: base64.b64encode(raw.hex().encode()).decode(),
        "b64hex": lambda: base64.b64encode(raw).hex(),
        "text": lambda: raw.decode("utf-8", "replace"),
    }
    return makers[enc]()


def read(enc: str, text: str) -> bytes | None:
    """The bytes a text stands for; None for a text that `written` never makes."""
    try:
        if enc in ("hex", "HEX"):
            raw = bytes.fromhex(text)
        elif enc == "b64url":
            raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        else:
            raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    # One way to write it only: spare bits at the end of Base64 would let a changed signature pass.
    return raw if written(enc, raw) == text else None


def holds(alg: str, data: bytes, signature: bytes, public: str) -> bool:
    """Whether the owner of the private key beside this public one signed the data; a key that is none holds nothing."""
    try:
        key = _public(alg, public)
        if isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(signature, data)
        elif isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, data, padding.PKCS1v15(), _hash(alg))
        else:
            key.verify(signature, data, ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, BadKey):
        return False
    return True


def is_key(alg: str, text: str) -> bool:
    """Whether a text is a public or private key for the algorithm."""
    for load in (_public, _private):
        try:
            load(alg, text)
        except BadKey:
            continue
        return True
    return False


def _hash(alg: str) -> hashes.HashAlgorithm:
    return hashes.SHA1() if alg.endswith("sha1") else hashes.SHA256()  # noqa: S303 - what some systems still use


def _signed(alg: str, data: bytes, private: str) -> bytes:
    key = _private(alg, private)
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(data)
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(data, padding.PKCS1v15(), _hash(alg))
    return key.sign(data, ec.ECDSA(hashes.SHA256()))


Public = ed25519.Ed25519PublicKey | rsa.RSAPublicKey | ec.EllipticCurvePublicKey
Private = ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


def _public(alg: str, text: str) -> Public:
    raw = _raw(text)
    try:
        if alg == "ed25519" and len(raw) == 32:
            return ed25519.Ed25519PublicKey.from_public_bytes(raw)
        key = serialization.load_der_public_key(raw)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise BadKey(alg) from None
    if isinstance(key, Public) and _fits(alg, key):
        return key
    raise BadKey(alg)


def _private(alg: str, text: str) -> Private:
    raw = _raw(text)
    try:
        if alg == "ed25519" and len(raw) == 32:
            return ed25519.Ed25519PrivateKey.from_private_bytes(raw)
        key = serialization.load_der_private_key(raw, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise BadKey(alg) from None
    if isinstance(key, Private) and _fits(alg, key):
        return key
    raise BadKey(alg)


def _fits(alg: str, key: Public | Private) -> bool:
    if alg == "ed25519":
        return isinstance(key, ed25519.Ed25519PublicKey | ed25519.Ed25519PrivateKey)
    if alg == "ecdsa-sha256":
        return isinstance(key, ec.EllipticCurvePublicKey | ec.EllipticCurvePrivateKey)
    return isinstance(key, rsa.RSAPublicKey | rsa.RSAPrivateKey)


def _raw(text: str) -> bytes:
    """The bytes of a key as portals show it: PEM (its lines may have become blanks), bare Base64, or hex."""
    lines = [
        one for one in text.replace("\\n", "\n").split("-----") if "BEGIN " not in one and "END " not in one
    ]
    bare = "".join("".join(lines).split())
    try:
        return bytes.fromhex(bare) if _HEX.fullmatch(bare) else base64.b64decode(bare, validate=True)
    except (binascii.Error, ValueError):
        raise BadKey("key") from None

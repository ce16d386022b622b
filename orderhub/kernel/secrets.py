"""Secrets at rest and tokens in links: authenticated encryption with rotation, and derived 128-bit tokens."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet


def _fernet(keys: Sequence[str]) -> MultiFernet:
    return MultiFernet(
        [
            Fernet(base64.urlsafe_b64encode(hashlib.sha256(b"orderhub.secret:" + key.encode()).digest()))
            for key in keys
        ]
    )


def seal(text: str, *, keys: Sequence[str]) -> str:
    """Encrypt with the first key."""
    return _fernet(keys).encrypt(text.encode()).decode()


def unseal(sealed: str, *, keys: Sequence[str]) -> str:
    """Decrypt with any of the keys; raises ValueError if none fits."""
    try:
        return _fernet(keys).decrypt(sealed.encode()).decode()
    except InvalidToken as fault:
        raise ValueError("this secret was sealed with another HUB_SECRET_KEY") from fault


def derived_token(*, key: str, subject: str) -> str:
    """A 128-bit token (22 URL-safe characters) that only holders of the key can derive again."""
    mac = hmac.new(
        hashlib.sha256(b"orderhub.link:" + key.encode()).digest(), subject.encode(), hashlib.sha256
    )
    return base64.urlsafe_b64encode(mac.digest()[:16]).rstrip(b"=").decode()


def token_hash(token: str) -> str:
    """What the database keeps of a token: SHA-256, 64 hex digits."""
    return hashlib.sha256(token.encode()).hexdigest()

"""What counts as the address of another system."""

from __future__ import annotations

from urllib.parse import urlsplit


def is_address(text: str) -> bool:
    """Whether a text is an http or https address with a host and neither parameters, a fragment nor an account."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return False
    plain = not (
        parts.query or parts.fragment or parts.username or parts.password or set(text) & set(" \\{}\r\n\t")
    )
    return parts.scheme in ("http", "https") and bool(parts.hostname) and plain and port != 0

"""The one way a service says no."""

from __future__ import annotations

from collections.abc import Mapping


class Refused(Exception):
    """A request that may not be done: a machine code, a sentence for the user and what to do about it.

    `message` and `remedy` are translated texts (lazy strings are fine); `facts` holds the values involved.
    """

    def __init__(
        self,
        code: str,
        message: object,
        *,
        remedy: object = "",
        status: int = 409,
        field: str = "",
        facts: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.message = message
        self.remedy = remedy
        self.status = status
        self.field = field
        self.facts = dict(facts or {})

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()

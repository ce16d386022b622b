"""Fields to play with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from orderhub.access import keys
from orderhub.access.models import Merchant
from orderhub.fields import queries, services
from orderhub.fields.models import Field
from orderhub.kernel import clock
from tests import make

#: Makes a field and lets this process know at once; merchants handed around are read again by `fresh`.
Add = Callable[..., Field]
WRAPS = [
    {"code": "red", "name": "红色", "name_en": "red"},
    {"code": "gold", "name": "金色", "name_en": "gold"},
]


@pytest.fixture(autouse=True)
def _nothing_remembered() -> None:
    queries.forget()
    keys.forget()


@pytest.fixture
def add() -> Add:
    """Add a field of Alice's, or, with `owner=None`, of all merchants."""

    def run(target: str, code: str, kind: str = "text", **fields: Any) -> Field:
        owner: Merchant | None = fields.pop("owner", make.merchant())
        name = fields.pop("name", code.replace("_", " "))
        row = Field(target=target, code=code, kind=kind, merchant=owner, name=name, **fields)
        services.save(row, actor="user:test")
        keys.forget()
        return row

    return run


@pytest.fixture
def hub_clock(monkeypatch: pytest.MonkeyPatch) -> make.Clock:
    """The hub's time, moved by the test."""
    own = make.Clock()
    monkeypatch.setattr(clock, "now", own.now)
    return own

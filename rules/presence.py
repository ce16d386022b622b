"""Who has the editor of a set open: kept for a minute in the cache, which is nothing but a courtesy."""

from __future__ import annotations

import time

from django.core.cache import cache

_SECONDS = 60


def seen(ruleset_id: int, name: str, *, may_edit: bool) -> list[str]:
    """Note that somebody looks at the editor; the others who could change the draft and were there a minute ago."""
    key, now = f"rules:editing:{ruleset_id}", time.time()
    noted: dict[str, float] = cache.get(key) or {}
    there = {who: at for who, at in noted.items() if now - at < _SECONDS}
    if may_edit:
        there[name] = now
    cache.set(key, there, _SECONDS)
    return sorted(who for who in there if who != name)

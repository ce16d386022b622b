"""The list of codes beside a carrier's map, as rows of a form: their code, a word of the remark, and what it means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import QueryDict

BLANK = 3


def shown(document: Mapping[str, Any], known: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The entries of the map's list, and a few empty rows; what says more than a status is shown, and kept, as it is."""
    entries = (document.get("codes") or {}).get(str(known.get("codes") or "")) or []
    return [*map(_row, entries), *({"code": "", "pattern": "", "status": ""} for _n in range(BLANK))]


def _row(entry: Mapping[str, Any]) -> dict[str, Any]:
    more = ", ".join(str(entry[name]) for name in ("milestone", "event", "reason") if entry.get(name))
    return {
        "code": entry.get("code", ""), "pattern": entry.get("pattern", ""), "more": more,
        "status": "-" if entry.get("ignored") else entry.get("status", ""),
    }  # fmt: skip


def entered(
    document: Mapping[str, Any], name: str, known: Mapping[str, Any], post: QueryDict
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The draft and its map with what the form says; a map without entries has no list."""
    lists = dict(document.get("codes") or {})
    called = str(known.get("codes") or name)
    before = list(lists.get(called) or [])
    made: list[dict[str, Any]] = []
    columns = (post.getlist("code"), post.getlist("code_pattern"), post.getlist("code_status"))
    for number, (code, pattern, status) in enumerate(zip(*columns, strict=False)):
        kept = dict(before[number]) if number < len(before) else {}
        entry = {one: kept[one] for one in kept if one not in ("code", "pattern", "status", "ignored")}
        entry |= {one: text.strip() for one, text in (("code", code), ("pattern", pattern)) if text.strip()}
        entry |= {"ignored": True} if status == "-" else {"status": status} if status else {}
        if code.strip() or pattern.strip():
            made.append(entry)
    found = {one: value for one, value in known.items() if one != "codes"}
    if not made:
        lists.pop(called, None)
        return {**document, "codes": lists}, found
    return {**document, "codes": {**lists, called: made}}, {**found, "codes": called}

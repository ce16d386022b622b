"""What a new OpenAPI document breaks for those who built on the old one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from orderhub.management.openapi.hooks import Document, operations
from orderhub.management.openapi.samples import Sampler

CHANGES = "docs/changes.md"
_DEEPEST = 8


def breaks(old: Document, new: Document) -> list[str]:
    """One line for each thing a caller may miss or must now send, each beginning with the operation's id."""
    before, after = Sampler(old["components"]["schemas"]), Sampler(new["components"]["schemas"])
    now = {(path, method): operation for path, method, operation in operations(new)}
    found: list[str] = []
    for path, method, operation in operations(old):
        name = operation["operationId"]
        current = now.get((path, method))
        if current is None:
            found.append(f"{name}: {method.upper()} {path} is gone")
            continue
        found += [f"{name}: {text}" for text in _of_parameters(operation, current)]
        found += [f"{name}: {text}" for text in _of_body(operation, current, before, after)]
        found += [f"{name}: {text}" for text in _of_answers(operation, current, before, after)]
    return sorted(set(found))


def unlisted(found: list[str], changes: str) -> list[str]:
    """Those that the changelog does not name."""
    return [line for line in found if line not in changes]


def _of_parameters(old: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    before = {(p["in"], p["name"]): p for p in old.get("parameters", ())}
    after = {(p["in"], p["name"]): p for p in new.get("parameters", ())}
    for place, name in before.keys() - after.keys():
        yield f"parameter {name} ({place}) is gone"
    for key, parameter in after.items():
        if parameter.get("required") and not before.get(key, {}).get("required"):
            yield f"parameter {key[1]} ({key[0]}) is now required"


def _of_body(old: dict[str, Any], new: dict[str, Any], before: Sampler, after: Sampler) -> Iterator[str]:
    was = old.get("requestBody", {}).get("content", {}).get("application/json")
    now = new.get("requestBody", {}).get("content", {}).get("application/json")
    if was and now:
        yield from _of_schema(was["schema"], now["schema"], before, after, "body", asks=True)


def _of_answers(old: dict[str, Any], new: dict[str, Any], before: Sampler, after: Sampler) -> Iterator[str]:
    for status, answer in old["responses"].items():
        if status[0] != "2":
            continue
        now = new["responses"].get(status)
        if now is None:
            yield f"answer {status} is gone"
            continue
        was_json = answer.get("content", {}).get("application/json")
        now_json = now.get("content", {}).get("application/json")
        if was_json and now_json:
            yield from _of_schema(was_json["schema"], now_json["schema"], before, after, status, asks=False)


def _of_schema(
    old: dict[str, Any],
    new: dict[str, Any],
    before: Sampler,
    after: Sampler,
    where: str,
    *,
    asks: bool,
    depth: int = 0,
) -> Iterator[str]:
    was, now = before.resolve(old), after.resolve(new)
    if depth > _DEEPEST:
        return
    if was.get("type") != now.get("type"):
        yield f"{where} is {now.get('type')}, was {was.get('type')}"
        return
    words: list[Any] = was.get("enum") or []
    if asks and not set(map(str, words)) <= set(map(str, now.get("enum") or words)):
        yield f"{where} takes fewer values"
    mine, theirs = was.get("properties", {}), now.get("properties", {})
    for name in mine.keys() - theirs.keys():
        yield f"{where}.{name} is gone"
    if asks:
        for name in set(now.get("required", ())) - set(was.get("required", ())):
            yield f"{where}.{name} is now required"
    for name in mine.keys() & theirs.keys():
        yield from _of_schema(
            mine[name], theirs[name], before, after, f"{where}.{name}", asks=asks, depth=depth + 1
        )
    if was.get("type") == "array":
        yield from _of_schema(
            was.get("items", {}),
            now.get("items", {}),
            before,
            after,
            f"{where}[]",
            asks=asks,
            depth=depth + 1,
        )

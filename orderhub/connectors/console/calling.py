"""A call of a profile's draft as what its form shows, and back: head, body, what its answer means, what is asked before it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict

from orderhub.connectors.console.draft_forms import pairs_of, pairs_text
from orderhub.connectors.console.hows import how_of, says_itself, steps_of

BLANK = 3
BODY_BLANK = 8
_SHOWN_FIELD = ("to", "from", "as", "required")


@dataclass(frozen=True, slots=True)
class Line:
    """One line: what it is called there (in which of their lists), which value of ours it takes, and how it is written."""

    to: str = ""
    path: str = ""
    how: str = "text"
    detail: str = ""
    inside: str = ""
    #: None where the form does not ask: then it stays as it was.
    required: bool | None = False


def shown(call: Mapping[str, Any]) -> dict[str, Any]:
    """What the form of a call shows."""
    ack, before = dict(call.get("ack") or {}), list(call.get("prepare") or [])
    first = dict(before[0]) if before else {}
    each = dict((call.get("body") or {}).get("each") or {})
    names = call.get("signature") or ()
    return {
        "call": {**call, "form": call.get("form") or ("json" if "body" in call else "none")},
        "answer_items": call.get("items", ""),
        "answer_map": call.get("map", ""), "ack": ack,
        "is_signed_as": ([names] if isinstance(names, str) else list(names))[:1],
        "head": [*_head(call), *(("header", Line()) for _n in range(BLANK))],
        "body": [*_lines(call.get("body"), ""), *(one for name, part in each.items() for one in _lines(part, name)), *_blank()],
        "lists": [*((name, str(part.get("from", ""))) for name, part in each.items()), ("", "")],
        "fields": [*_lines(call.get("fields"), ""), Line(), Line()],
        "rules": [*map(_rule, ack.get("when") or []), *(_rule({}) for _n in range(2))],
        "before": first, "take": pairs_text(first.get("take") or {}),
        "rotates": pairs_text(first.get("rotates") or {}),
    }  # fmt: skip


def _blank() -> list[Line]:
    return [Line() for _n in range(BODY_BLANK)]


def _head(call: Mapping[str, Any]) -> list[tuple[str, Line]]:
    found = [("header", one) for one in _lines(call.get("headers"), "")]
    return found + [("query", one) for one in _lines(call.get("query"), "")]


def _lines(part: Any, inside: str) -> list[Line]:
    made = []
    for one in (part or {}).get("fields") or ():
        how, detail = how_of(one.get("as") or [])
        made.append(
            Line(
                str(one.get("to", "")),
                str(one.get("from") or ""),
                how,
                detail,
                inside,
                bool(one.get("required")),
            )
        )
    return made


def _rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    """A rule of an answer as one condition; what has several is shown, and kept, as it is."""
    simple = "all" not in rule
    values = [rule["equals"]] if "equals" in rule else list(rule.get("in") or [])
    words = ", ".join(_word(value) for value in values)
    if "exists" in rule:
        words = "?" if rule["exists"] else "!"
    return {
        "path": rule.get("path", "") if simple else "…",
        "equals": words,
        "means": "refused!"
        if rule.get("any_status") and rule.get("means") == "refused"
        else rule.get("means", ""),
        "simple": simple,
    }


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


# ---- entered ---------------------------------------------------------------------------------------


def entered(before: Mapping[str, Any], post: QueryDict) -> dict[str, Any]:
    """The call with what the form says; what it does not show (notes, deeper lists) stays. Raises ValueError for a line of
    the sort "own" that is no JSON.
    """
    made = {
        **before,
        "method": post.get("method", "POST"),
        "url": post.get("url", "").strip(),
        "form": post.get("form", "none"),
    }
    made["root"] = post.get("root", "").strip()
    columns = [post.getlist(f"head_{name}") for name in ("place", "to", "path", "how", "detail")]
    rows = list(zip(*columns, strict=False))
    for place, part in (("header", "headers"), ("query", "query")):
        lines = [
            Line(to, path, how, detail, required=None)
            for where, to, path, how, detail in rows
            if where == place
        ]
        made[part] = _part(before.get(part), lines)
    made["fields"] = _part(before.get("fields"), _posted(post, "field_"))
    made["body"] = _body(before.get("body"), post) if made["form"] != "none" else {}
    made["ack"] = _ack(dict(before.get("ack") or {}), post)
    made["prepare"] = _prepare(list(before.get("prepare") or []), post)
    for name in ("map", "items"):
        made[name] = post.get(f"answer_{name}", "").strip()
    return {name: value for name, value in made.items() if value not in ({}, "", [])}


def _posted(post: QueryDict, prefix: str) -> list[Line]:
    names = ("to", "path", "how", "detail")
    columns = [post.getlist(prefix + name) for name in names]
    inside = post.getlist(prefix + "inside") or [""] * len(columns[0])
    needed = post.getlist(prefix + "required")
    flags = [one == "1" for one in needed] if needed else [None] * len(columns[0])
    return [
        Line(to, path, how, detail, where.strip(), must)
        for to, path, how, detail, where, must in zip(*columns, inside, flags, strict=False)
    ]


def _body(before: Any, post: QueryDict) -> dict[str, Any]:
    known = dict(before or {})
    lines, each = _posted(post, "body_"), dict[str, Any]()
    for name, source in zip(post.getlist("list_name"), post.getlist("list_path"), strict=False):
        if name.strip() and source.strip():
            part = dict((known.get("each") or {}).get(name.strip()) or {})
            own = [one for one in lines if one.inside == name.strip()]
            each[name.strip()] = {**part, "from": source.strip(), **_part(part, own)}
    made = {
        **known,
        "fields": _part(known, [one for one in lines if not one.inside]).get("fields", []),
        "each": each,
    }
    return {name: value for name, value in made.items() if value or name == "fields"}


def _part(before: Any, lines: list[Line]) -> dict[str, Any]:
    known = {str(one.get("to", "")): one for one in (before or {}).get("fields") or ()}
    made = []
    for line in lines:
        to, path = line.to.strip(), line.path.strip()
        old = known.get(to, {})
        if not to or not (
            path or says_itself(line.how, line.detail, is_known="from" not in old and bool(old))
        ):
            continue
        kept = {name: value for name, value in old.items() if name not in _SHOWN_FIELD}
        one: dict[str, Any] = {"to": to, **({"from": path} if path else {}), **kept}
        steps = steps_of(line.how, line.detail)
        needed = bool(old.get("required")) if line.required is None else line.required
        made.append(one | ({"as": steps} if steps else {}) | ({"required": True} if needed else {}))
    return {"fields": made} if made else {}


def _ack(before: dict[str, Any], post: QueryDict) -> dict[str, Any]:
    rules, old = list[dict[str, Any]](), list(before.get("when") or [])
    columns = (post.getlist("rule_path"), post.getlist("rule_equals"), post.getlist("rule_means"))
    for number, (path, words, means) in enumerate(zip(*columns, strict=False)):
        kept = dict(old[number]) if number < len(old) else {}
        if "all" in kept:
            rules.append(kept)
        elif path.strip() and means:
            more = {name: value for name, value in kept.items() if name == "about"}
            same = kept.get("path") == path.strip() and _rule(kept)["equals"] == words
            wanted = (
                {name: kept[name] for name in ("equals", "in", "exists") if name in kept}
                if same
                else _wanted(words)
            )
            rules.append({"path": path.strip(), **wanted, "means": means, **more})
            if means == "refused!":
                rules[-1] |= {"means": "refused", "any_status": True}
    made = {
        **before,
        "when": rules,
        "form": post.get("ack_form", "json"),
        "otherwise": post.get("otherwise", ""),
    }
    for name in ("reference", "message", "wait"):
        made[name] = post.get(f"ack_{name}", "").strip()
    return {name: value for name, value in made.items() if value not in ("", [])}


def _wanted(words: str) -> dict[str, Any]:
    """`?` is "there is something", `!` "there is nothing"; else one of the words."""
    if words.strip() in ("?", "？", "!", "！", ""):
        return {"exists": words.strip() not in ("!", "！")}
    values = [word.strip() for word in words.replace("，", ",").split(",") if word.strip()]
    return {"equals": values[0]} if len(values) == 1 else {"in": values}


def _prepare(before: list[Any], post: QueryDict) -> list[Any]:
    operation = post.get("before_operation", "")
    if not operation:
        return before[1:]
    kept = dict(before[0]) if before else {}
    made = {**kept, "operation": operation, "take": pairs_of(post.get("before_take", ""))}
    made["keep_for"], made["rotates"] = (
        post.get("before_keep", "").strip(),
        pairs_of(post.get("before_rotates", "")),
    )
    return [{name: value for name, value in made.items() if value not in ("", {})}, *before[1:]]


def with_call(
    document: Mapping[str, Any], name: str, call: Mapping[str, Any], rule: Mapping[str, Any] | None
) -> dict[str, Any]:
    """The draft with this call, signed by this rule (None: not signed); rules nobody uses go."""
    signatures = dict(document.get("signatures") or {})
    called = list(shown(call)["is_signed_as"])
    own = called[0] if called else name
    made = {key: value for key, value in call.items() if key != "signature"}
    if rule is not None:
        door = str((document.get("door") or {}).get("signature") or "")
        # A rule that the door goes by too is changed there only.
        own = own if own != door or signatures.get(own) == rule else name
        signatures[own] = dict(rule)
        rest = list(call.get("signature") or [])[1:] if isinstance(call.get("signature"), list) else []
        made["signature"] = [own, *rest] if rest else own
    operations = {**(document.get("operations") or {}), name: made}
    used = {str((document.get("door") or {}).get("signature") or "")}
    for one in operations.values():
        names = one.get("signature") or ()
        used |= {names} if isinstance(names, str) else set(names)
    challenge = ((document.get("door") or {}).get("challenge") or {}).get("signature")
    kept = {key: value for key, value in signatures.items() if key in used or key == challenge}
    return {**document, "operations": operations, "signatures": kept}


def json_of(text: str) -> dict[str, Any]:
    """A message that was typed in; raises ValueError for what is no object."""
    found = json.loads(text)
    if not isinstance(found, dict):
        raise ValueError("no object")
    return found

"""The editor's plain forms: what a draft shows in them, and a draft with what was entered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from orderhub.connectors.console import drafting
from orderhub.connectors.console.drafting import Row
from orderhub.connectors.speech.digests import ALGORITHMS
from orderhub.connectors.speech.profile import KINDS

PARTS: Mapping[str, Any] = {
    "{body}": _("the body as it came"), "{secret}": _("the secret"), "{ts}": _("the timestamp"), "{id}": _("the message's id"),
    "{nonce}": _("the random word"), "{sorted_kv}": _("all parameters, sorted"),
    "{sorted_kv:query}": _("parameters of the address, sorted"),
    "{sorted_kv:form}": _("fields of the form, sorted"), "{url}": _("the whole address"), "{path}": _("the path"),
    "{method}": _("the HTTP method"),
}  # fmt: skip
ENCODINGS: Mapping[str, Any] = {
    "hex": _("hex, small letters"), "HEX": _("hex, capitals"), "b64": _("Base64"), "hexb64": _("hex, then Base64"),
    "b64hex": _("Base64, then hex"),
}  # fmt: skip
PLACES: Mapping[str, Any] = {
    "header": _("header"),
    "query": _("parameter of the address"),
    "form": _("field of the form"),
}
ALGS: Mapping[str, str] = {name: name.upper().replace("SHA", "SHA-") for name in ALGORITHMS}
ASK_KINDS: Mapping[str, Any] = {
    "text": _("text"), "secret": _("secret"), "url": _("address"), "number": _("number"), "choice": _("choice"),
    "bool": _("yes or no"),
}  # fmt: skip
FORMS: Mapping[str, Any] = {
    "json": "JSON", "xml": "XML", "form": _("form fields"), "csv": "CSV", "tsv": "TSV", "edifact": "EDIFACT",
    "auto": _("guess each time"),
}  # fmt: skip
BLANK = 2
MOST_PARTS = 6
assert set(ASK_KINDS) == set(KINDS)


# ---- shown -----------------------------------------------------------------------------------------


def shown(document: Mapping[str, Any]) -> dict[str, Any]:
    """What the form of a draft shows."""
    name, rule = drafting.signature(document)
    parts = list(rule.get("parts") or [])
    door = dict(document.get("door") or {})
    ok = ((door.get("answers") or {}).get("ok")) or {}
    form = str(door.get("form") or "json")
    return {
        "asks": [*(document.get("asks") or []), *({} for _n in range(BLANK))], "ask_kinds": ASK_KINDS,
        "signature": rule, "signature_name": name, "algs": ALGS, "encodings": ENCODINGS, "places": PLACES,
        "parts": [*parts, *[""] * max(1, MOST_PARTS - len(parts))],
        "part_choices": {**PARTS, **{one: one for one in parts if one not in PARTS}},
        "where": str(rule.get("where") or "header:").partition(":"), "ts": str(rule.get("ts") or ":").partition(":"),
        "door": door, "forms": FORMS if form in FORMS else {**FORMS, form: form}, "door_form": form,
        "keys": "\n".join(map(str, door.get("key") or [])),
        "routes": [*map(_route, door.get("routes") or []), *({"path": "", "equals": "", "map": ""} for _n in range(BLANK))],
        "maps": list(document.get("maps") or {}), "ok": ok,
    }  # fmt: skip


def _route(one: Mapping[str, Any]) -> dict[str, Any]:
    """A route as one condition; what has several is shown, and kept, as it is."""
    when = list(one.get("when") or [])
    first = when[0] if when else {}
    simple = len(when) < 2 and ("equals" in first or "in" in first or not first)
    values = [first["equals"]] if "equals" in first else list(first.get("in") or [])
    return {
        "path": first.get("path", ""), "equals": ", ".join(map(str, values)),
        "map": "" if one.get("ignore") else one.get("map", ""),
        "ignore": bool(one.get("ignore")), "simple": simple,
    }  # fmt: skip


# ---- entered ---------------------------------------------------------------------------------------


def entered(document: Mapping[str, Any], post: QueryDict) -> dict[str, Any]:
    """The draft with what the form says; everything the form does not show stays."""
    made = dict(document)
    for name in ("zh", "en", "zone", "currency", "country", "about_zh", "about_en"):
        made[name] = post.get(name, "").strip()
    made = {name: value for name, value in made.items() if value != "" or name in ("zh", "en")}
    made["asks"] = _asks(made.get("asks") or [], post)
    made = _door(made, post)
    return _signature(made, post)


def _asks(before: Any, post: QueryDict) -> list[dict[str, Any]]:
    known = {str(one.get("name")): dict(one) for one in before}
    made = []
    columns = [post.getlist(f"ask_{name}") for name in ("name", "zh", "en", "kind", "required", "choices")]
    for name, zh, en, kind, required, choices in zip(*columns, strict=False):
        name = name.strip()
        if not name:
            continue
        one = {
            **known.get(name, {}),
            "name": name,
            "zh": zh.strip() or name,
            "en": en.strip() or zh.strip() or name,
            "kind": kind,
        }
        one["required"] = required == "1"
        one.pop("choices", None)
        words = [word.strip() for word in choices.replace("，", ",").split(",") if word.strip()]
        made.append({**one, "choices": words} if kind == "choice" else one)
    return made


def _door(document: dict[str, Any], post: QueryDict) -> dict[str, Any]:
    before = dict(document.get("door") or {})
    if post.get("has_door") != "1":
        return {name: value for name, value in document.items() if name != "door"}
    door = {**before, "form": post.get("door_form", "json")}
    door["key"] = [line.strip() for line in post.get("door_key", "").splitlines() if line.strip()]
    door.pop("split", None)
    if post.get("door_split", "").strip():
        door["split"] = post.get("door_split", "").strip()
    door["routes"] = _routes(list(before.get("routes") or []), post)
    status, kind, body = post.get("ok_status", ""), post.get("ok_type", ""), post.get("ok_body", "")
    answers = dict(before.get("answers") or {})
    if body.strip():
        answers["ok"] = {
            "status": int(status) if status.isdigit() else 200,
            "type": kind.strip() or "application/json",
            "body": body,
        }
    else:
        answers.pop("ok", None)
    door["answers"] = answers
    return {**document, "door": {name: value for name, value in door.items() if value not in ({}, "")}}


def _routes(before: list[Any], post: QueryDict) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    columns = (post.getlist("route_path"), post.getlist("route_equals"), post.getlist("route_map"))
    for number, (path, equals, name) in enumerate(zip(*columns, strict=False)):
        if number < len(before) and not _route(before[number])["simple"]:
            made.append(before[number])
            continue
        if not name:
            continue
        values = [word.strip() for word in equals.replace("，", ",").split(",") if word.strip()]
        when = [] if not path.strip() else [
            {"path": path.strip(),
                **({"equals": values[0]} if len(values) == 1 else {"in": values} if values else {"exists": True})}
        ]  # fmt: skip
        made.append({"when": when, **({"ignore": True} if name == "-" else {"map": name})})
    return made


def _signature(document: dict[str, Any], post: QueryDict) -> dict[str, Any]:
    alg = post.get("alg", "")
    if "door" not in document:
        return document
    if not alg:
        return drafting.with_signature(document, None)
    parts = [part for part in post.getlist("part") if part]
    if post.get("part_more"):
        parts.append(post.get("part_more", ""))
    before = drafting.signature(document)[1]
    rule: dict[str, Any] = {
        "alg": alg, "parts": parts, "enc": post.get("enc", "hex"),
        "where": f"{post.get('where_kind', 'header')}:{post.get('where_name', '').strip()}",
        "key": "none" if not alg.startswith("hmac") else before.get("key") if before.get("key", "none") != "none" else "secret",
    }  # fmt: skip
    if post.get("prefix"):
        rule["prefix"] = post["prefix"]
    if post.get("ts_name", "").strip():
        rule["ts"] = f"{post.get('ts_kind', 'header')}:{post.get('ts_name', '').strip()}"
        tolerance = post.get("tolerance_s", "")
        rule["tolerance_s"] = int(tolerance) if tolerance.isdigit() else 300
    asks = list(document.get("asks") or [])
    if not any(one.get("name") == "secret" for one in asks):
        asks.append({"name": "secret", "zh": "密钥", "en": "Secret", "kind": "secret", "required": True})
    return drafting.with_signature({**document, "asks": asks}, rule)


def rows_entered(post: QueryDict) -> list[Row]:
    """The lines of the form of a map."""
    columns = [post.getlist(name) for name in ("to", "inside", "path", "how", "detail", "required")]
    return [
        Row(to.strip(), path, how or "text", detail, required == "1", inside)
        for to, inside, path, how, detail, required in zip(*columns, strict=False)
    ]

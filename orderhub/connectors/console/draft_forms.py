"""The editor's plain forms: what a draft shows in them, and a draft with what was entered."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from orderhub.connectors.console import drafting
from orderhub.connectors.console.drafting import Row
from orderhub.connectors.console.our_messages import FETCHING
from orderhub.connectors.speech.digests import ALGORITHMS
from orderhub.connectors.speech.profile import KINDS

PARTS: Mapping[str, Any] = {
    "{body}": _("the body as it came"), "{secret}": _("the secret"), "{ts}": _("the timestamp"), "{id}": _("the message's id"),
    "{nonce}": _("the random word"), "{sorted_kv}": _("all parameters, sorted"),
    "{sorted_kv:query}": _("parameters of the address, sorted"),
    "{sorted_kv:form}": _("fields of the form, sorted"), "{url}": _("the whole address"), "{path}": _("the path"),
    "{method}": _("the HTTP method"), "{address}": _("the address without parameters"),
    "{sorted_kv:json}": _("fields of the JSON body, sorted"), "{md5:body}": _("MD5 of the body"),
    "{sha256:body}": _("SHA-256 of the body"),
}  # fmt: skip
ENCODINGS: Mapping[str, Any] = {
    "hex": _("hex, small letters"), "HEX": _("hex, capitals"), "b64": _("Base64"), "hexb64": _("hex, then Base64"),
    "b64hex": _("Base64, then hex"), "b64url": _("Base64 for addresses"), "text": _("as it is"),
}  # fmt: skip
PLACES: Mapping[str, Any] = {
    "header": _("header"),
    "query": _("parameter of the address"),
    "form": _("field of the form"),
    "json": _("field of the JSON body"),
}
ALGS: Mapping[str, Any] = {
    **{name: name.upper().replace("SHA", "SHA-") for name in ALGORITHMS if name != "text"},
    "text": _("none: a token or password"),
}
KEYS: Mapping[str, Any] = {
    "secret": _("as it was typed in"), "base64": _("Base64 of the key"), "hex": _("hex of the key"),
    "base64-after-prefix": _("Base64 behind a prefix (whsec_…)"), "xor-after-prefix": _("as the expert view says"),
}  # fmt: skip
#: What an answer may mean, by our word of it; `refused!` whatever its HTTP status says.
ANSWERED: Mapping[str, Any] = {
    "acked": _("yes, it took it"), "refused": _("no, for good"), "refused!": _("no, for good, even with HTTP 500"),
    "retry": _("not now: try again"), "unknown": _("nobody knows: look it up first"),
}  # fmt: skip
ASK_KINDS: Mapping[str, Any] = {
    "text": _("text"), "secret": _("secret"), "url": _("address"), "number": _("number"), "choice": _("choice"),
    "bool": _("yes or no"),
}  # fmt: skip
FORMS: Mapping[str, Any] = {
    "json": "JSON",
    "xml": "XML",
    "form": _("form fields"),
    "csv": "CSV",
    "tsv": "TSV",
    "edifact": "EDIFACT",
    "auto": _("guess each time"),
    "form+nested": _("form fields with brackets"),
    "multipart": _("multipart form"),
    "ndjson": _("JSON lines"),
    "csv:;": "CSV (;)",
    "rows:|": _("values between |"),
    "text": _("plain text"),
    "none": _("nothing: all is in the address"),
}
BODY_FORMS: Mapping[str, Any] = {
    "json": "JSON", "xml": "XML / SOAP", "form": _("form fields"), "form+nested": _("form fields with brackets"),
    "text": _("plain text"), "none": _("nothing: all is in the address"),
}  # fmt: skip
_PIECES = re.compile(r"(\{[^{}]+\})")
BLANK = 2
MOST_PARTS = 6
assert set(ASK_KINDS) == set(KINDS)


# ---- shown -----------------------------------------------------------------------------------------


def shown(document: Mapping[str, Any]) -> dict[str, Any]:
    """What the form of a draft shows."""
    name, rule = drafting.signature(document)
    door = dict(document.get("door") or {})
    ok = ((door.get("answers") or {}).get("ok")) or {}
    form = str(door.get("form") or "json")
    return {
        "asks": [*(document.get("asks") or []), *({} for _n in range(BLANK))], "ask_kinds": ASK_KINDS,
        **shown_rule(rule), "signature_name": name,
        "schedules": [*(document.get("schedules") or []), {}],
        "fetching": [one for one in document.get("operations") or {} if one in FETCHING],
        "door": door, "forms": FORMS if form in FORMS else {**FORMS, form: form}, "door_form": form,
        "keys": "\n".join(map(str, door.get("key") or [])),
        "routes": [*map(_route, door.get("routes") or []), *({"path": "", "equals": "", "map": ""} for _n in range(BLANK))],
        "maps": list(document.get("maps") or {}), "ok": ok, "ok_take": pairs_text(ok.get("take") or {}),
    }  # fmt: skip


def shown_rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    """What the form of a rule of signing shows."""
    parts = list(rule.get("parts") or [])
    return {
        "signature": rule, "algs": ALGS, "encodings": ENCODINGS, "places": PLACES, "key_kinds": KEYS,
        "parts": [*parts, *[""] * max(1, MOST_PARTS - len(parts))],
        "part_choices": {**PARTS, **{one: one for one in parts if one not in PARTS}},
        "where": str(rule.get("where") or "header:").partition(":"), "ts": str(rule.get("ts") or ":").partition(":"),
        "nonce": str(rule.get("nonce") or ":").partition(":"),
    }  # fmt: skip


def around(document: Mapping[str, Any]) -> list[str]:
    """What a call may take besides the message: settings, the moment, a word used once."""
    asked = [str(one.get("name")) for one in document.get("asks") or () if one.get("kind") != "url"]
    return [*(f"_config.{name}" for name in asked), "_secret", "_now", "_now_s", "_now_ms", "_nonce"]


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
    made["schedules"] = _schedules(list(made.get("schedules") or []), post)
    return _signature(made, post)


def _schedules(before: list[Any], post: QueryDict) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    names = ("operation", "every", "cursor", "next", "remember")
    columns = [post.getlist(f"poll_{name}") for name in names]
    for number, (operation, every, *paths) in enumerate(zip(*columns, strict=False)):
        if not operation:
            continue
        kept = dict(before[number]) if number < len(before) else {"name": operation}
        kept |= {"operation": operation, "every_s": int(every) if every.isdigit() else 300}
        kept |= {name: text.strip() for name, text in zip(names[2:], paths, strict=True)}
        made.append({name: value for name, value in kept.items() if value != ""})
    return made


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
            "take": pairs_of(post.get("ok_take", "")),
        }
        answers["ok"] = {name: value for name, value in answers["ok"].items() if value != {}}
    else:
        answers.pop("ok", None)
    door["answers"] = answers
    return {**document, "door": {name: value for name, value in door.items() if value not in ({}, "")}}


def pairs_of(text: str) -> dict[str, str]:
    """`id=head.id; no=order` as names with their paths."""
    parts = (
        part.partition("=") for part in text.replace("；", ";").replace("＝", "=").split(";") if "=" in part
    )
    return {name.strip(): value.strip() for name, _sign, value in parts}


def pairs_text(pairs: Mapping[str, Any]) -> str:
    """The opposite."""
    return "; ".join(f"{name}={value}" for name, value in pairs.items())


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
    if "door" not in document:
        return document
    rule = rule_entered(post, drafting.signature(document)[1])
    return drafting.with_signature(with_secret(document, rule), rule)


def with_secret(document: Mapping[str, Any], rule: Mapping[str, Any] | None) -> dict[str, Any]:
    """The draft asks for the secret where something is signed with it."""
    asks = list(document.get("asks") or [])
    if rule is not None and not any(one.get("name") == "secret" for one in asks):
        asks.append({"name": "secret", "zh": "密钥", "en": "Secret", "kind": "secret", "required": True})
    return {**document, "asks": asks}


def rule_entered(post: QueryDict, before: Mapping[str, Any]) -> dict[str, Any] | None:
    """The rule of signing a form says, with what it does not show; None where nothing is signed."""
    alg = post.get("alg", "")
    if not alg:
        return None
    parts = [part for part in post.getlist("part") if part]
    # Written as one text: {ts}.{body}
    parts += [part for part in _PIECES.split(post.get("part_more", "")) if part]
    rule: dict[str, Any] = {
        "alg": alg, "parts": parts, "enc": post.get("enc", "hex"), "where": _place(post, "where"),
        "key": (post.get("key") or "secret") if alg.startswith("hmac") else "none",
    }  # fmt: skip
    if alg == "text" and not rule["enc"].startswith("b64"):
        rule["enc"] = "text"
    for name in ("prefix", "equals", "between"):
        if post.get(name):
            rule[name] = post[name]
    if before.get("compare"):
        rule["compare"] = before["compare"]
    if post.get("nonce_name", "").strip():
        rule["nonce"] = _place(post, "nonce")
    if before.get("id"):
        rule["id"] = before["id"]
    if post.get("ts_name", "").strip():
        rule["ts"] = _place(post, "ts")
        tolerance = post.get("tolerance_s", "")
        rule["tolerance_s"] = int(tolerance) if tolerance.isdigit() else 300
    return drafting.merged(before, rule)


def _place(post: QueryDict, name: str) -> str:
    return f"{post.get(name + '_kind', 'header')}:{post.get(name + '_name', '').strip()}"


def rows_entered(post: QueryDict) -> list[Row]:
    """The lines of the form of a map."""
    columns = [post.getlist(name) for name in ("to", "inside", "path", "how", "detail", "required")]
    return [
        Row(to.strip(), path, how or "text", detail, required == "1", inside)
        for to, inside, path, how, detail, required in zip(*columns, strict=False)
    ]

"""The typed Python client's calls and models, written from the OpenAPI document."""

from __future__ import annotations

import builtins
import keyword
import re
import subprocess
import sys
from typing import Any

from orderhub.management.openapi.hooks import Document, operations
from orderhub.management.openapi.samples import Sampler

MODELS, CALLS = "orderhub/client/models.py", "orderhub/client/calls.py"
_PLAIN = {"string": "str", "integer": "int", "number": "float", "boolean": "bool"}
_HEAD = '"""{0}\n\nWritten from the OpenAPI document by `python manage.py snapshots`; do not edit.\n"""\n\n'
_HEADERS = {"Idempotency-Key": "idempotency_key", "If-Match": "if_match", "If-None-Match": "if_none_match"}


def models(document: Document) -> str:
    """Every body and answer as a TypedDict, every closed list of words as a Literal."""
    parts = [
        _HEAD.format("What the calls take and give."),
        "from __future__ import annotations\n\nfrom typing import Any, Literal, NotRequired, TypedDict\n",
    ]
    parts += [_model(name, schema) for name, schema in document["components"]["schemas"].items()]
    return _formatted("\n".join(parts))


def calls(document: Document) -> str:
    """The class `OrderHub` with a method per call, and one per list that walks all its rows."""
    methods = [_method(path, method, one, document) for path, method, one in operations(document)]
    parts = [
        _HEAD.format("A method for each call of the API."),
        "from __future__ import annotations\n\nfrom collections.abc import Iterator\n"
        "from typing import Any, Literal, cast\n\n"
        "from orderhub.client import models as m\nfrom orderhub.client.runtime import File, Transport\n\n\n"
        'class OrderHub(Transport):\n    """The API, call by call."""\n',
        *methods,
    ]
    return _formatted("\n".join(parts))


def _model(name: str, schema: dict[str, Any]) -> str:
    if schema.get("enum"):
        return f"{name} = {_type(schema)}\n"
    required = set(schema.get("required", ()))
    rows = []
    for field, inner in schema.get("properties", {}).items():
        kind = _type(inner)
        rows.append((field, kind if field in required else f"NotRequired[{kind}]"))
    words = _doc(schema.get("description", name))
    if any(not field.isidentifier() or keyword.iskeyword(field) for field, _kind in rows):
        pairs = ", ".join(f'"{field}": {kind!r}' for field, kind in rows)
        return f'{name} = TypedDict("{name}", {{{pairs}}})\n'
    body = "\n".join(f"    {field}: {kind}" for field, kind in rows)
    return f'class {name}(TypedDict):\n    """{words}"""\n\n{body}\n'


def _type(schema: dict[str, Any], prefix: str = "") -> str:
    nullable = " | None" if schema.get("nullable") else ""
    if "$ref" in schema:
        return f"{prefix}{schema['$ref'].rpartition('/')[2]}{nullable}"
    for key in ("allOf", "oneOf", "anyOf"):
        if key in schema:
            kinds = dict.fromkeys(_type(one, prefix) for one in schema[key])
            return " | ".join(kinds) + nullable
    if schema.get("enum"):
        words = ", ".join(
            "None" if word is None else f'"{word}"' if isinstance(word, str) else str(word)
            for word in schema["enum"]
        )
        return f"Literal[{words}]{nullable}"
    kind = schema.get("type")
    if kind == "array":
        return f"list[{_type(schema.get('items', {}), prefix)}]{nullable}"
    if kind == "object":
        more = schema.get("additionalProperties")
        return f"dict[str, {_type(more, prefix) if isinstance(more, dict) and more else 'Any'}]{nullable}"
    return _PLAIN.get(str(kind), "Any") + (nullable if kind else "")


def _method(path: str, method: str, operation: dict[str, Any], document: Document) -> str:
    parameters = operation.get("parameters", ())
    named = [(p, _name(p["name"])) for p in parameters if p["name"] in _HEADERS or p["in"] != "header"]
    places = [f"{n}: {_type(p['schema'], 'm.')}" for p, n in named if p["in"] == "path"]
    body, files = _body(operation)
    options = [
        f"{n}: {_type(p['schema'], 'm.').removesuffix(' | None')} | None = None"
        for p, n in named
        if p["in"] != "path"
    ]
    takes = ["self", *places, *body, *(["*", *options] if options else [])]
    gives = _answer(operation)
    sends = [f"query={{{_pairs(named, 'query')}}}"] if any(p["in"] == "query" for p, _n in named) else []
    if body:
        sends.append("body=body" if not files else "body=fields, files=[('file', one) for one in files]")
    if any(p["in"] == "header" for p, _n in named):
        sends.append(f"headers={{{_pairs(named, 'header')}}}")
    if any(p["name"] == "Idempotency-Key" for p in parameters):
        sends.append("once=True")
    where = re.sub(r"\{(\w+)\}", lambda found: "{" + _name(found[1]) + "}", path)
    address = f'f"{where}"' if "{" in where else f'"{where}"'
    call = f'self.call("{method.upper()}", {", ".join([address, *sends])})'
    words = _doc(operation.get("description", "") or operation["operationId"], indent=8)
    body_code = f"        {call}" if gives == "None" else f"        return cast({gives!r}, {call})"
    code = f'    def {operation["operationId"]}({", ".join(takes)}) -> {gives}:\n        """{words}"""\n{body_code}\n'
    return code + _walker(operation, named, address, document)


def _walker(
    operation: dict[str, Any], named: list[tuple[dict[str, Any], str]], address: str, document: Document
) -> str:
    if "cursor" not in {p["name"] for p, _n in named}:
        return ""
    schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
    page = Sampler(document["components"]["schemas"]).resolve(schema)
    row = _type(page["properties"]["results"]["items"], "m.")
    kept = [(p, n) for p, n in named if p["name"] not in ("cursor", "page")]
    takes = [f"{n}: {_type(p['schema'], 'm.')} | None = None" for p, n in kept]
    name = operation["operationId"].removesuffix("_list")
    return (
        f"    def iter_{name}(self, *, {', '.join(takes)}) -> Iterator[{row}]:\n"
        f'        """Every row of `{operation["operationId"]}`, page after page."""\n'
        f"        return self.rows({address}, {{{_pairs(kept, 'query')}}})\n"
    )


def _body(operation: dict[str, Any]) -> tuple[list[str], bool]:
    content = operation.get("requestBody", {}).get("content", {})
    if "application/json" in content:
        kind = _type(content["application/json"]["schema"], "m.")
        optional = "" if operation["requestBody"].get("required") else " | None = None"
        return [f"body: {kind}{optional}"], False
    return (["files: list[File]", "fields: dict[str, str] | None = None"], True) if content else ([], False)


def _answer(operation: dict[str, Any]) -> str:
    for status, answer in operation["responses"].items():
        if status[0] == "2":
            content = answer.get("content", {})
            kind = _type(content["application/json"]["schema"], "m.") if "application/json" in content else ""
            maybe = " | None" if "304" in operation["responses"] and kind else ""
            return kind + maybe if kind else "str" if content else "None"
    return "None"


def _pairs(named: list[tuple[dict[str, Any], str]], place: str) -> str:
    return ", ".join(f'"{p["name"]}": {name}' for p, name in named if p["in"] == place)


def _name(name: str) -> str:
    plain = _HEADERS.get(name, name)
    taken = keyword.iskeyword(plain) or plain in dir(builtins)
    return f"{plain}_" if taken and plain not in ("id", "format") else plain


def _doc(text: str, indent: int = 4) -> str:
    lines = [line.rstrip() for line in text.strip().splitlines()]
    pad = "\n" + " " * indent
    return pad.join(lines).replace('"""', "'''").replace(f"{pad}\n", "\n\n") + (pad if len(lines) > 1 else "")


def _formatted(code: str) -> str:
    """As the house formats it."""
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "format", "--stdin-filename", "orderhub/client/x.py", "-"],
        input=code, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout

"""The last touch on the OpenAPI document: problems and examples for every call."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from orderhub.access import problems
from orderhub.management.openapi.samples import Sampler

Document = dict[str, Any]
METHODS = ("get", "post", "put", "patch", "delete")
PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "A refusal (RFC 9457); the codes are listed in docs/problems.md.",
    "required": ["type", "title", "status", "code", "detail", "remedy"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "detail": {"type": "string"},
        "remedy": {"type": "string"},
        "request_id": {"type": "string"},
        "field": {"type": "string"},
        "errors": {"type": "array", "items": {"$ref": "#/components/schemas/ProblemError"}},
        "errors_left_out": {"type": "integer"},
        "facts": {"type": "object", "additionalProperties": {"type": "string"}},
    },
}
ERROR: dict[str, Any] = {
    "type": "object",
    "description": "One wrong field: `field` as people write it, `pointer` as a JSON pointer.",
    "required": ["field", "pointer", "code", "message"],
    "properties": {name: {"type": "string"} for name in ("field", "pointer", "code", "message")},
}
_WORDS = {
    304: "Not changed.", 400: "The request has errors.", 401: "No key, or one that does not count.",
    403: "The key lacks the scope.", 404: "Not found, or another merchant's.", 409: "Its state does not allow this.",
    412: "Changed since you read it.", 413: "Too large.", 415: "Wrong content type.", 422: "Not understood.",
    429: "Too many calls.",
}  # fmt: skip


def operations(document: Document) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every call: path, method, operation."""
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield path, method, item[method]


def finish(result: Document, generator: Any, request: Any, public: bool) -> Document:
    """drf-spectacular's post-processing hook."""
    schemas = result.setdefault("components", {}).setdefault("schemas", {})
    schemas["Problem"], schemas["ProblemError"] = PROBLEM, ERROR
    sampler = Sampler(schemas)
    for path, method, operation in operations(result):
        _add_problems(path, method, operation)
        _add_examples(operation, sampler)
    return result


def _add_problems(path: str, method: str, operation: dict[str, Any]) -> None:
    names = {parameter["name"] for parameter in operation.get("parameters", ())}
    statuses = {401, 403, 429} if operation.get("x-scope") else {429}
    if names - {"lang"} or "requestBody" in operation:
        statuses.add(400)
    if "{" in path:
        statuses.add(404)
    if "requestBody" in operation:
        statuses |= {413, 415}
    if method in ("post", "patch", "delete") and ("{" in path or "Idempotency-Key" in names):
        statuses.add(409)
    if "If-Match" in names:
        statuses.add(412)
    answers = operation["responses"]
    for status in statuses | {int(code) for code in answers if code[0] in "45"}:
        answers[str(status)] = {
            "description": _WORDS.get(status, "Refused."),
            "content": {problems.CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
    if "If-None-Match" in names:
        answers["304"] = {"description": _WORDS[304]}
    operation["responses"] = dict(sorted(answers.items()))


def _add_examples(operation: dict[str, Any], sampler: Sampler) -> None:
    for content in operation.get("requestBody", {}).get("content", {}).values():
        content["examples"] = {"usual": {"value": sampler.sample(content["schema"])}}
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "path":
            parameter["example"] = sampler.sample(parameter["schema"], parameter["name"])
    for status, answer in operation["responses"].items():
        for kind, content in answer.get("content", {}).items():
            if kind == problems.CONTENT_TYPE:
                content["examples"] = {"refused": {"value": problem_example(int(status))}}
            elif kind.startswith("application/json"):
                content["examples"] = {"usual": {"value": sampler.sample(content["schema"])}}
            else:
                content["examples"] = {"usual": {"value": "file,row,order_no,column,kind,value,reason\n"}}


def problem_example(status: int) -> dict[str, Any]:
    """A refusal of this status as it is answered, in English."""
    code = "invalid" if status == 400 else problems.code_of(status)
    _status, title, remedy = problems.FRAME[code]
    if status == 409:
        code, title, remedy = (
            "illegal_transition",
            "Order OH-1001 is shipped and cannot become in review.",
            "Read the order again: `supported_actions` names what is possible now.",
        )
    found: dict[str, Any] = {
        "type": f"https://hub.example{problems.PAGE}#{code}",
        "title": str(title),
        "status": status,
        "code": code,
        "detail": str(title),
        "remedy": str(remedy),
        "request_id": "5f3a9c0e1b7d4a2c8e6f0d1b",
    }
    if status == 400:
        wrong = {"field": "lines[0].sku", "pointer": "#/lines/0/sku", "code": "required"}
        found["errors"] = [{**wrong, "message": "This field is required."}]
        found["field"] = "lines[0].sku"
    return found

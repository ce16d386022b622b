"""The API as a Postman collection (v2.1): a folder per part, each call with its body and its answers."""

from __future__ import annotations

import json
from typing import Any

from orderhub.management.openapi.hooks import Document, operations

PATH = "docs/orderhub.postman_collection.json"
_SCHEMA = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"


def collection(document: Document) -> dict[str, Any]:
    """The collection; `base_url` and `api_key` are its variables."""
    folders: dict[str, list[dict[str, Any]]] = {}
    for path, method, operation in operations(document):
        folders.setdefault(path.split("/")[3], []).append(_item(path, method, operation))
    return {
        "info": {"name": "OrderHub API", "schema": _SCHEMA, "description": document["info"]["description"]},
        "auth": {
            "type": "apikey",
            "apikey": [
                {"key": "key", "value": "Authorization", "type": "string"},
                {"key": "value", "value": "Api-Key {{api_key}}", "type": "string"},
                {"key": "in", "value": "header", "type": "string"},
            ],
        },
        "variable": [
            {"key": "base_url", "value": "http://localhost:8000", "type": "string"},
            {"key": "api_key", "value": "", "type": "string"},
        ],
        "item": [{"name": name, "item": items} for name, items in folders.items()],
    }


def text(document: Document) -> str:
    """The collection as it stands in the file."""
    return json.dumps(collection(document), ensure_ascii=False, indent=1) + "\n"


def _item(path: str, method: str, operation: dict[str, Any]) -> dict[str, Any]:
    request = _request(path, method, operation)
    answers = []
    for status, answer in operation["responses"].items():
        for kind, content in answer.get("content", {}).items():
            value = next(iter(content["examples"].values()))["value"]
            answers.append(
                {
                    "name": f"{status} {answer.get('description', '')}".strip(),
                    "originalRequest": request,
                    "code": int(status),
                    "status": status,
                    "header": [{"key": "Content-Type", "value": kind}],
                    "body": value if isinstance(value, str) else _json(value),
                }
            )
    return {"name": operation["operationId"], "request": request, "response": answers}


def _request(path: str, method: str, operation: dict[str, Any]) -> dict[str, Any]:
    parameters = operation.get("parameters", ())
    steps = [f":{step[1:-1]}" if step.startswith("{") else step for step in path.strip("/").split("/")]
    query = [
        {"key": one["name"], "value": "", "disabled": True, "description": one.get("description", "")}
        for one in parameters
        if one["in"] == "query"
    ]
    headers = [
        {"key": one["name"], "value": "", "disabled": True, "description": one.get("description", "")}
        for one in parameters
        if one["in"] == "header"
    ]
    request: dict[str, Any] = {
        "method": method.upper(),
        "description": operation.get("description", ""),
        "header": headers,
        "url": {
            "raw": "{{base_url}}/" + "/".join(steps) + "/",
            "host": ["{{base_url}}"],
            "path": [*steps, ""],
            "query": query,
            "variable": [
                {"key": one["name"], "value": str(one.get("example", ""))}
                for one in parameters
                if one["in"] == "path"
            ],
        },
    }
    contents = operation.get("requestBody", {}).get("content", {})
    if "application/json" in contents:
        value = contents["application/json"]["examples"]["usual"]["value"]
        request["header"] = [*headers, {"key": "Content-Type", "value": "application/json"}]
        request["body"] = {"mode": "raw", "raw": _json(value), "options": {"raw": {"language": "json"}}}
    elif "multipart/form-data" in contents:
        value = contents["multipart/form-data"]["examples"]["usual"]["value"]
        request["body"] = {"mode": "formdata", "formdata": [_field(*pair) for pair in value.items()]}
    if not operation.get("security") or {} in operation["security"] or operation["security"] == []:
        request["auth"] = {"type": "noauth"}
    return request


def _field(name: str, value: Any) -> dict[str, Any]:
    if name == "file":
        return {"key": name, "type": "file", "src": []}
    return {"key": name, "type": "text", "value": str(value)}


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)

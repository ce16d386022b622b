"""The API's contract is in the repository: a change of the document is a question in review."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from django.conf import settings

from orderhub.management.commands.snapshots import openapi_document
from orderhub.management.openapi import breaking, client_code, postman
from orderhub.management.openapi.hooks import operations

AGAIN = "after a wanted change: python manage.py snapshots"
#: Pages for people, without a key.
OPEN = {"tracking_retrieve", "asyncapi_retrieve"}


def recorded(name: str) -> str:
    """A recorded file."""
    return (Path(settings.BASE_DIR) / name).read_text("utf-8")


@pytest.fixture(scope="module")
def document() -> Any:
    """The document as the code says it now."""
    return yaml.safe_load(openapi_document())


def test_the_openapi_document_is_the_recorded_one() -> None:
    assert openapi_document() == recorded("docs/openapi.yaml"), AGAIN


@pytest.mark.parametrize(
    ("name", "written"),
    [
        (postman.PATH, postman.text),
        (client_code.MODELS, client_code.models),
        (client_code.CALLS, client_code.calls),
    ],
)
def test_what_is_written_from_the_document_is_the_recorded_one(
    name: str, written: Callable[[Any], str], document: Any
) -> None:
    assert written(document) == recorded(name), AGAIN


def test_no_break_is_without_its_line_in_the_changelog(document: Any) -> None:
    found = breaking.breaks(yaml.safe_load(recorded("docs/openapi.yaml")), document)

    assert breaking.unlisted(found, recorded(breaking.CHANGES)) == []


# ---- what breaks callers ---------------------------------------------------------------------------


def _gone_call(new: Any) -> None:
    del new["paths"]["/api/v1/skus/"]["get"]


def _gone_parameter(new: Any) -> None:
    call = new["paths"]["/api/v1/orders/"]["get"]
    call["parameters"] = [one for one in call["parameters"] if one["name"] != "stage"]


def _gone_field(new: Any) -> None:
    del new["components"]["schemas"]["Sku"]["properties"]["grams"]


def _asks_more(new: Any) -> None:
    new["components"]["schemas"]["CountInRequest"]["properties"]["why"] = {"type": "string"}
    new["components"]["schemas"]["CountInRequest"]["required"].append("why")


def _other_type(new: Any) -> None:
    new["components"]["schemas"]["Sku"]["properties"]["grams"] = {"type": "string"}


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (_gone_call, "skus_list: GET /api/v1/skus/ is gone"),
        (_gone_parameter, "orders_list: parameter stage (query) is gone"),
        (_gone_field, "skus_list: 200.results[].grams is gone"),
        (_asks_more, "stock_counts_create: body.counts[].why is now required"),
        (_other_type, "skus_retrieve: 200.grams is string, was integer"),
    ],
)
def test_a_break_is_seen_and_needs_its_line(change: Callable[[Any], None], line: str, document: Any) -> None:
    new = copy.deepcopy(document)
    change(new)

    found = breaking.breaks(document, new)

    assert line in found
    assert line in breaking.unlisted(found, "")
    assert line not in breaking.unlisted(found, f"- Breaking: {line} (on purpose)")


def test_what_is_added_breaks_nobody(document: Any) -> None:
    new = copy.deepcopy(document)
    new["components"]["schemas"]["Sku"]["properties"]["color"] = {"type": "string"}
    new["components"]["schemas"]["SkuRequest"]["properties"]["color"] = {"type": "string"}
    new["paths"]["/api/v1/colors/"] = new["paths"]["/api/v1/skus/"]

    assert breaking.breaks(document, new) == []


# ---- examples --------------------------------------------------------------------------------------


def _as_json_schema(node: Any) -> Any:
    """OpenAPI 3.0's `nullable` as JSON Schema says it; formats and marks that it does not know are left."""
    if isinstance(node, list):
        return [_as_json_schema(one) for one in node]
    if not isinstance(node, dict):
        return node
    plain = {key: _as_json_schema(value) for key, value in node.items() if key != "nullable"}
    return {"anyOf": [plain, {"type": "null"}]} if node.get("nullable") is True else plain


def test_every_call_has_good_and_bad_examples_that_its_schemas_accept(document: Any) -> None:
    components = _as_json_schema(document["components"]["schemas"])
    faults: list[str] = []
    for _path, _method, operation in operations(document):
        name, good, bad = operation["operationId"], 0, 0
        contents = [("body", operation.get("requestBody", {}).get("content", {}))]
        contents += [(status, one.get("content", {})) for status, one in operation["responses"].items()]
        for where, kinds in contents:
            for kind, content in kinds.items():
                (example,) = content["examples"].values()
                good += where[0] == "2"
                bad += where[0] == "4"
                if "json" not in kind:
                    continue
                schema = {**_as_json_schema(content["schema"]), "components": {"schemas": components}}
                wrong = list(jsonschema.Draft202012Validator(schema).iter_errors(example["value"]))
                faults += [f"{name} {where}: {fault.json_path} {fault.message}" for fault in wrong]
        if (not good and "204" not in operation["responses"]) or not bad:
            faults.append(f"{name}: {good} good, {bad} bad examples")

    assert faults == []


def test_every_call_says_its_scope(document: Any) -> None:
    without = [one["operationId"] for _p, _m, one in operations(document) if "x-scope" not in one]

    assert set(without) == OPEN


def test_the_postman_collection_has_every_call_with_its_variables(document: Any) -> None:
    collection = json.loads(recorded(postman.PATH))

    calls = [item for folder in collection["item"] for item in folder["item"]]
    assert {item["name"] for item in calls} == {one["operationId"] for _p, _m, one in operations(document)}
    assert collection["info"]["schema"].endswith("/v2.1.0/collection.json")
    assert {one["key"] for one in collection["variable"]} == {"base_url", "api_key"}
    for item in calls:
        request = item["request"]
        assert request["url"]["raw"] == "{{base_url}}/" + "/".join(request["url"]["path"])
        named = {step[1:] for step in request["url"]["path"] if step.startswith(":")}
        assert named == {one["key"] for one in request["url"]["variable"]}
        if request.get("body", {}).get("mode") == "raw":
            json.loads(request["body"]["raw"])

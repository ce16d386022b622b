"""Our fakes sign by the vendors' rules: every published vector, and nothing else, is theirs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from orderhub.connectors.fakes import signatures

VECTORS = json.loads((Path(__file__).parent / "vectors.json").read_text())["vectors"]

RULES: dict[str, Callable[[dict[str, Any]], str]] = {
    "shopify": lambda i: signatures.body_hmac(i["secret"], i["body"].encode()),
    "woocommerce": lambda i: signatures.body_hmac(i["secret"], i["body"].encode()),
    "easypost": lambda i: signatures.easypost(i["secret"], i["body"].encode()),
    "standard-webhooks": lambda i: signatures.standard_webhook(
        i["secret"], i["id"], i["timestamp"], i["body"].encode()
    ),
    "qimen": lambda i: signatures.qimen(i["secret"], i["query"], i["body"].encode()),
    "top": lambda i: signatures.top(i["secret"], i["form"]),
    "jd": lambda i: signatures.top(i["secret"], i["form"]),
    "pdd": lambda i: signatures.top(i["secret"], i["form"]),
    "doudian-api": lambda i: signatures.douyin_call(i["secret"], i),
    "doudian-push": lambda i: signatures.douyin_push(i["secret"], i["app_key"], i["body"].encode()),
    "sf": lambda i: signatures.sf(i["secret"], i["msgData"], i["timestamp"]),
    "kuaidi100-push": lambda i: signatures.kuaidi100_push(i["salt"], i["param"]),
    "kuaidi100-query": lambda i: signatures.kuaidi100_query(i["key"], i["customer"], i["param"]),
    "kingdee-v2": lambda i: signatures.kingdee(
        i["secret"], unquote(i["path_urlencoded"]), i["nonce"], i["timestamp"]
    ),
}
#: Rules of systems that this world does not play.
NOT_PLAYED = {"douyin-life-webhook", "cainiao", "kdniao"}
PLAYED = [vector for vector in VECTORS if vector["scheme"] not in NOT_PLAYED]


def test_every_rule_of_the_vectors_is_played_or_named_as_not() -> None:
    assert {vector["scheme"] for vector in VECTORS} == RULES.keys() | NOT_PLAYED


@pytest.mark.parametrize("vector", PLAYED, ids=lambda vector: vector["scheme"])
def test_the_vector_is_met(vector: dict[str, Any]) -> None:
    assert RULES[vector["scheme"]](vector["input"]) == vector["expected"]


@pytest.mark.parametrize("vector", PLAYED, ids=lambda vector: vector["scheme"])
def test_any_other_input_signs_differently(vector: dict[str, Any]) -> None:
    rule, flat = RULES[vector["scheme"]], vector["input"]
    for name, value in flat.items():
        if name == "path_urlencoded":
            continue
        if isinstance(value, dict):
            key = sorted(value)[0]
            changed = {**flat, name: {**value, key: value[key] + "x"}}
        elif name == "secret" and value.startswith("whsec_"):
            changed = {**flat, name: "whsec_NDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"}
        else:
            changed = {**flat, name: value[:-1] + ("x" if value[-1] != "x" else "y")}
        assert rule(changed) != vector["expected"], name

"""Two small systems that nobody has seen, as profiles: a shop that pushes signed JSON, and a warehouse that is called."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

import httpx
from django.test import Client

from orderhub.connectors import secretbox, shelf, speaking
from orderhub.connectors.models import Connection, Profile
from orderhub.kernel import clock
from tests import make

SECRET = "secret-of-the-tests"
_LINE = {
    "from": "goods", "fields": [
        {"to": "ext_id", "from": "id", "as": ["str"]}, {"to": "sku", "from": "code"},
        {"to": "qty", "from": "n", "as": ["int"], "required": True},
        {"to": "price", "from": "fen", "as": ["cents"], "required": True},
    ],
}  # fmt: skip
_STATES = {"new": "created", "paid": "paid", "gone": "cancelled"}
_PLACE = [
    {"to": name, "from": f"to.{name}", "as": ["str"]}
    for name in ("name", "phone", "province", "city", "district", "address")
]
_SAMPLE = {
    "id": 4781320682406083640, "rev": 1, "state": "paid", "fen": 1800,
    "to": {"name": "王芳", "phone": "13800000001", "province": "浙江省", "city": "杭州市", "district": "西湖区",
           "address": "文三路 90 号"},
    "goods": [{"id": 7, "code": "CUP", "n": 2, "fen": 900}],
}  # fmt: skip

SHOP: dict[str, Any] = {
    "code": "corner_shop", "zh": "街角小店", "en": "Corner shop", "role": "channel", "zone": "Asia/Shanghai",
    "currency": "CNY", "country": "CN",
    "asks": [{"name": "secret", "zh": "密钥", "en": "Secret", "kind": "secret", "required": True}],
    "signatures": {"push": {"alg": "hmac-sha256", "key": "secret", "parts": ["{body}"], "enc": "b64",
                            "where": "header:X-Shop-Signature"}},
    "tables": {"states": _STATES},
    "maps": {"order": {"means": "order", "version": "rev", "fields": [
        {"to": "ext_id", "from": "id", "as": ["str"], "required": True},
        {"to": "status", "from": "state", "as": [["map", "states"]], "required": True},
        {"to": "currency", "as": [["const", "CNY"]]}, {"to": "total", "from": "fen", "as": ["cents"]}, *_PLACE,
    ], "each": {"lines": _LINE}}},
    "door": {"form": "json", "signature": "push", "key": ["_headers.\"x-shop-id\""],
             "routes": [{"when": [{"path": "_headers.\"x-shop-topic\"", "equals": "order"}], "map": "order"},
                        {"when": [{"path": "_headers.\"x-shop-topic\"", "equals": "ping"}], "ignore": True}],
             "answers": {"ok": {"status": 200, "type": "text/plain", "body": "got it"},
                         "bad_signature": {"status": 401, "type": "text/plain", "body": "who are you"}}},
    "tests": [{"name": "order", "kind": "in",
               "request": {"headers": {"X-Shop-Topic": "order", "X-Shop-Id": "1"}, "body": json.dumps(_SAMPLE)},
               "expected": [{"means": "order", "value": {"ext_id": "4781320682406083640", "total": "18.00"}}]}],
}  # fmt: skip

MARKET: dict[str, Any] = {
    **SHOP, "code": "market", "zh": "大市场", "en": "Market",
    "door": {**SHOP["door"], "split": "orders", "key": ["msg"],
             "routes": [{"when": [{"path": "goods", "exists": True}], "map": "order"}]},
    "tests": [{"name": "batch", "kind": "in", "request": {"body": json.dumps({"orders": [{**_SAMPLE, "msg": "m1"}]})},
               "expected": [{"key": "m1", "means": "order"}]}],
}  # fmt: skip

STORE: dict[str, Any] = {
    "code": "small_store", "zh": "小仓库", "en": "Small store", "role": "warehouse", "zone": "Asia/Shanghai",
    "asks": [{"name": "base", "zh": "地址", "en": "Address", "kind": "url", "required": True},
             {"name": "secret", "zh": "密钥", "en": "Secret", "kind": "secret"}],
    "signatures": {"call": {"alg": "hmac-sha256", "key": "secret", "parts": ["{body}"], "where": "header:X-Sign"}},
    "operations": {
        "release": {"method": "POST", "url": "{base}/jobs", "form": "json", "signature": "call",
                    "body": {"fields": [{"to": "no", "from": "number", "required": True},
                                        {"to": "before", "from": "previous_number"},
                                        {"to": "to", "from": "receiver.address", "required": True}],
                             "each": {"rows": {"from": "lines", "fields": [{"to": "sku", "from": "sku"},
                                                                          {"to": "n", "from": "qty"}]}}},
                    "query_first": {"operation": "query_release", "exists": "job"},
                    "ack": {"form": "json", "when": [{"path": "ok", "equals": True, "means": "acked"},
                                                     {"path": "code", "in": ["BAD"], "means": "refused"}],
                            "otherwise": "retry", "reference": "job", "message": "why"}},
        "query_release": {"method": "GET", "url": "{base}/jobs/{message.number}",
                          "ack": {"form": "json", "when": [{"path": "ok", "equals": True, "means": "acked"},
                                                           {"path": "ok", "equals": False, "means": "refused"}],
                                  "reference": "job"}},
        "cancel": {"method": "POST", "url": "{base}/jobs/{message.number}/stop", "form": "json",
                   "body": {"fields": [{"to": "why", "from": "reason", "keep": True}]},
                   "ack": {"form": "json", "when": [{"path": "ok", "equals": True, "means": "acked"},
                                                    {"path": "ok", "equals": False, "means": "refused"}],
                           "message": "why"}},
    },
    "rate": {"per_second": 1000, "burst": 1000},
    "tests": [{"name": "release", "kind": "out", "operation": "release",
               "message": {"number": "FO-1", "receiver": {"address": "文三路"}, "lines": [{"sku": "CUP", "qty": 2}]},
               "config": {"base": "https://store.example"},
               "expected": {"body": {"no": "FO-1", "rows": [{"sku": "CUP", "n": 2}]}}}],
}  # fmt: skip


def profile(document: dict[str, Any]) -> Profile:
    """The profile in force, made once."""
    found, made = Profile.objects.get_or_create(
        merchant=None, code=document["code"],
        defaults={"name": document["zh"], "name_en": document["en"], "role": document["role"]},
    )  # fmt: skip
    if made:
        shelf.put_in_force(found, document, note="", actor="test", now=clock.now())
    return found


def connect(document: dict[str, Any], **fields: Any) -> Connection:
    """A live connection of the merchant that speaks so; its door is at /in/<code>/."""
    code = fields.pop("code", document["code"])
    row = Connection(
        merchant=make.merchant(), code=code, name=document["zh"], kind="profile", profile=profile(document),
        door_key=code, config=fields.pop("config", {}), **fields,
    )  # fmt: skip
    secretbox.put(row, "secret", SECRET, now=clock.now())
    row.save()
    return row


def shop(document: dict[str, Any] = SHOP) -> Connection:
    """The shop, selling through the channel of its name."""
    return connect(document, channel=make.channel(document["code"]))


def order(**changes: Any) -> dict[str, Any]:
    """The shop's order 1001 of two cups at 9.00, as the shop says it."""
    return {**_SAMPLE, "id": 1001, **changes}


def push(
    body: Any, *, key: str = "1", topic: str = "order", door: str = "corner_shop", secret: str = SECRET
) -> Any:
    """The answer to a signed push; `body` is a document or bytes."""
    raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    sign = base64.b64encode(hmac.new(secret.encode(), raw, hashlib.sha256).digest()).decode()
    return Client().post(
        f"/in/{door}/", data=raw, content_type="application/json",
        headers={"X-Shop-Signature": sign, "X-Shop-Id": key, "X-Shop-Topic": topic},
    )  # fmt: skip


class Store:
    """The other side of STORE: what it was sent, and what it says (`answers` first, then yes)."""

    def __init__(self) -> None:
        self.sent: list[httpx.Request] = []
        self.answers: list[Callable[[httpx.Request], httpx.Response]] = []
        self.jobs: set[str] = set()

    def handle(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        self.sent.append(request)
        if self.answers:
            return self.answers.pop(0)(request)
        if request.method == "GET":
            number = request.url.path.rsplit("/", 1)[-1]
            return httpx.Response(
                200, json={"ok": number in self.jobs, "job": "J-1" if number in self.jobs else None}
            )
        if request.url.path.endswith("/jobs"):
            self.jobs.add(json.loads(request.content)["no"])
        return httpx.Response(200, json={"ok": True, "job": "J-1"})

    @property
    def paths(self) -> list[str]:
        """Method and path of each request, the number of a job left out."""
        return [
            f"{one.method} {'/'.join('*' if part.startswith('OH') else part for part in one.url.path.split('/'))}"
            for one in self.sent
        ]


def stand_in(monkeypatch: Any, store: Store) -> Store:
    """Let all calls of connections reach the store instead of a network."""
    client = httpx.Client(transport=httpx.MockTransport(store.handle))
    monkeypatch.setattr(speaking, "_client", lambda connection: client)
    return store

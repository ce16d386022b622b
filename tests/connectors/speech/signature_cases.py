"""The signing rules of the vectors as data, and each vector as the request that would carry it.

data/vectors.json was written for this project (CC0); its field `checked` says how each rule was confirmed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus, urlencode

from orderhub.connectors.speech.requests import Request
from orderhub.connectors.speech.signing import SignatureSpec

DATA = Path(__file__).parent / "data"
VECTORS: list[dict[str, Any]] = json.loads((DATA / "vectors.json").read_text())["vectors"]
_BODY = {"alg": "hmac-sha256", "key": "secret", "parts": ["{body}"]}
_TOP = {"alg": "md5", "enc": "HEX"}
SPECS: Mapping[str, dict[str, Any]] = {
    "shopify": {**_BODY, "enc": "b64", "where": "header:X-Shopify-Hmac-Sha256"},
    "woocommerce": {**_BODY, "enc": "b64", "where": "header:X-WC-Webhook-Signature"},
    "easypost": {
        **_BODY, "enc": "hex", "normalize": "NFKD", "prefix": "hmac-sha256-hex=", "where": "header:X-Hmac-Signature",
    },
    "standard-webhooks": {
        "alg": "hmac-sha256", "key": "base64-after-prefix", "parts": ["{id}", ".", "{ts}", ".", "{body}"],
        "enc": "b64", "prefix": "v1,", "where": "header:webhook-signature", "several": True, "tolerance_s": 300,
        "ts": "header:webhook-timestamp", "id": "header:webhook-id",
    },
    "qimen": {**_TOP, "parts": ["{secret}", "{sorted_kv:query}", "{body}", "{secret}"], "where": "query:sign"},
    "top": {**_TOP, "parts": ["{secret}", "{sorted_kv:form}", "{secret}"], "where": "form:sign"},
    "jd": {**_TOP, "parts": ["{secret}", "{sorted_kv:query}", "{secret}"], "where": "query:sign"},
    "pdd": {**_TOP, "parts": ["{secret}", "{sorted_kv:form}", "{secret}"], "where": "form:sign"},
    "doudian-api": {
        "alg": "hmac-sha256", "key": "secret", "where": "query:sign",
        "parts": [
            "{secret}", "app_key", "{q:app_key}", "method", "{q:method}", "param_json", "{q:param_json}",
            "timestamp", "{q:timestamp}", "v", "{q:v}", "{secret}",
        ],
    },
    "doudian-push": {
        "alg": "md5", "parts": ["{config:app_key}", "{body}", "{secret}"], "where": "header:event-sign",
        "compare": "ignore_case",
    },
    "douyin-life-webhook": {"alg": "sha1", "parts": ["{secret}", "{body}"], "where": "header:X-Douyin-Signature"},
    "sf": {
        "alg": "md5", "enc": "b64", "pre": "java-urlencode",
        "parts": ["{form:msgData}", "{form:timestamp}", "{secret}"], "where": "form:msgDigest",
    },
    "kuaidi100-push": {**_TOP, "parts": ["{form:param}", "{secret}"], "where": "form:sign"},
    "kuaidi100-query": {**_TOP, "parts": ["{form:param}", "{secret}", "{form:customer}"], "where": "form:sign"},
    "cainiao": {
        "alg": "md5", "enc": "b64", "parts": ["{form:logistics_interface}", "{secret}"], "where": "form:data_digest",
    },
    "kdniao": {"alg": "md5", "enc": "hexb64", "parts": ["{form:RequestData}", "{secret}"], "where": "form:DataSign"},
    "kingdee-v2": {
        "alg": "hmac-sha256", "key": "secret", "enc": "hexb64", "where": "header:X-Api-Signature",
        "parts": ["{method}", "\n", "{pathenc}", "\n\nx-api-nonce:", "{nonce}", "\nx-api-timestamp:", "{ts}", "\n"],
        "nonce": "header:x-api-nonce", "ts": "header:x-api-timestamp",
    },
}  # fmt: skip
SECRETS = ("secret", "salt", "key")


@dataclass(frozen=True)
class Signed:
    """What a vector signs, before it becomes a request."""

    scheme: str
    secret: str
    signature: str
    values: Mapping[str, Any]

    @property
    def spec(self) -> SignatureSpec:
        return SignatureSpec.parse(SPECS[self.scheme])

    @property
    def config(self) -> dict[str, str]:
        return {"app_key": self.values.get("app_key", "")}

    def request(self) -> Request:
        """The request that carries the values and the signature in their places."""
        where, name = str(SPECS[self.scheme]["where"]).split(":")
        values = dict(self.values)
        body = values.pop("body", "").encode("utf-8", "surrogatepass")
        headers = {
            "webhook-id": values.pop("id", ""), "webhook-timestamp": values.get("timestamp", ""),
            "x-api-nonce": values.pop("nonce", ""), "x-api-timestamp": values.get("timestamp", ""),
        }  # fmt: skip
        path = unquote_plus(values.pop("path_urlencoded", "/in/one/"))
        fields = {**values.pop("query", {}), **values.pop("form", {}), **values}
        query: dict[str, str] = {}
        if where == "header":
            headers[name.lower()] = self.signature
        elif where == "query":
            query = {**fields, name: self.signature}
        else:
            body = urlencode({**fields, name: self.signature}).encode()
        return Request("POST", "https://hub.example" + path, path, tuple(query.items()), headers, body)


def signed(vector: Mapping[str, Any]) -> Signed:
    """A vector as something to send."""
    values = dict(vector["input"])
    secret = next(values.pop(name) for name in SECRETS if name in values)
    return Signed(vector["scheme"], secret, vector["expected"], values)

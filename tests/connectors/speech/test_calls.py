"""Calls built from data: addresses nobody else can bend, signatures in their places, and all that is missing at once."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest

from orderhub.connectors.speech import calls, shipped, signing
from orderhub.connectors.speech.answers import Ack
from orderhub.connectors.speech.calls import CannotBuild
from orderhub.connectors.speech.flaws import Faulty
from orderhub.connectors.speech.profile import Profile
from orderhub.connectors.speech.requests import Request, lower_names

NOW = datetime(2026, 11, 11, 1, 31, 30, 250_000, tzinfo=UTC)
SECRET = "example-secret-0001"
TOP = {
    "alg": "md5",
    "parts": ["{secret}", "{sorted_kv:form}", "{secret}"],
    "enc": "HEX",
    "where": "form:sign",
}
KINGDEE_ID = "100001_ZXhhbXBsZS1nYXRld2F5LWtleS0wMDAx"


def profile(url: str, **operation: Any) -> Profile:
    return Profile.parse(
        {
            "code": "one", "zh": "一", "en": "One", "role": "erp",
            "asks": [
                {"name": "base", "zh": "址", "en": "Base", "kind": "url"},
                {"name": "shop", "zh": "店", "en": "Shop"},
            ],
            "signatures": {"top": TOP},
            "operations": {"erp_order": {"url": url, **operation}},
        }
    )  # fmt: skip


def built(
    url: str, config: dict[str, Any], message: dict[str, Any] | None = None, **operation: Any
) -> calls.Call:
    return calls.build(profile(url, **operation), "erp_order", message or {}, config, SECRET, NOW, "n1")


def faults(
    url: str, config: dict[str, Any], message: dict[str, Any] | None = None, **operation: Any
) -> list[tuple[str, str]]:
    with pytest.raises(CannotBuild) as error:
        built(url, config, message, **operation)
    return [(fault.field, fault.code) for fault in error.value.faults]


def test_settings_and_values_are_quoted_into_the_address() -> None:
    call = built(
        "{base}/a/{shop}/{message.no}?x=1",
        {"base": "https://erp.example/books/", "shop": "甲/乙"},
        {"no": "1?x=2#y"},
    )

    assert call.url == "https://erp.example/books/a/%E7%94%B2%2F%E4%B9%99/1%3Fx%3D2%23y?x=1"
    assert call.body == b""


@pytest.mark.parametrize(
    ("base", "code"),
    [
        ("ftp://erp.example", "bad_url"), ("erp.example", "bad_url"), ("https://user:pw@erp.example", "bad_url"),
        ("https://erp.example?x=1", "bad_url"), ("https://erp.example/#f", "bad_url"), ("https://", "bad_url"),
        ("https://erp.example/ x", "bad_url"), ("", "missing"),
    ],
)  # fmt: skip
def test_an_address_that_is_none_is_told_before_anything_is_sent(base: str, code: str) -> None:
    assert faults("{base}/x", {"base": base}) == [("url.base", code)]


@pytest.mark.parametrize(
    "shop", ["evil.example/x", "evil.example#", "a b", "-x", "user@evil.example", "x:y", "x:999999"]
)
def test_a_setting_in_the_host_is_a_host_name_only(shop: str) -> None:
    assert faults("https://{shop}.shop.example/x", {"shop": shop}) == [("url.shop", "bad_host")]


@pytest.mark.parametrize("number", [".", ".."])
def test_a_value_does_not_climb_out_of_its_path(number: str) -> None:
    assert faults("https://erp.example/orders/{message.no}/x", {}, {"no": number}) == [
        ("url.message.no", "bad_segment")
    ]


def test_everything_that_is_missing_is_told_at_once() -> None:
    body = {"fields": [{"to": "a", "from": "a", "required": True}, {"to": "b", "from": "b", "as": ["int"]}]}
    headers = {"fields": [{"to": "X-A", "from": "h"}]}

    assert faults(
        "https://e.example/{message.no}", {}, {"b": "x", "h": "a\r\nX-B: 1"}, body=body, headers=headers
    ) == [
        ("url.message.no", "missing"),
        ("a", "missing"),
        ("b", "not_number"),
        ("headers.x-a", "bad_header"),
    ]


@pytest.mark.parametrize(
    "url", ["{message.url}", "{base}{message.no}/x", "{base}.{shop}/x", "https://{message.no}.e.example/x"]
)
def test_what_others_send_never_chooses_the_host(url: str) -> None:
    with pytest.raises(Faulty) as error:
        profile(url)

    assert [(flaw.path, flaw.code) for flaw in error.value.flaws] == [
        ("operations.erp_order.url", "url_host")
    ]


def test_a_name_xml_cannot_have_is_told_and_not_raised() -> None:
    body = {"fields": [{"to": "1st", "from": "a"}]}

    assert faults("https://e.example/x", {}, {"a": 1}, body=body, form="xml") == [("body", "bad_name")]


def test_an_operation_the_profile_has_not_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        calls.build(profile("{base}"), "cancel", {}, {}, SECRET, NOW, "n")


def test_query_fields_are_added_to_those_of_the_address_and_signed_ones_are_sent_as_signed() -> None:
    body = {
        "fields": [{"to": "b", "from": "b"}, {"to": "at", "from": "_now_ms"}, {"to": "n", "from": "_nonce"}]
    }
    query = {"fields": [{"to": "page", "from": "page"}]}

    call = built(
        "https://e.example/x?v=2",
        {},
        {"b": "中 &=", "page": 3},
        body=body,
        query=query,
        form="form",
        signature="top",
    )

    assert parse_qs(urlsplit(call.url).query) == {"v": ["2"], "page": ["3"]}
    fields = dict(parse_qsl(call.body.decode()))
    assert fields["at"] == "1794360690250"
    request = Request("POST", call.url, "/x", (), call.headers, call.body)
    spec = profile("{base}").signatures
    assert signing.check(spec["top"], request, [SECRET], {}, NOW).ok
    assert not signing.check(spec["top"], request, ["other"], {}, NOW).ok


@pytest.mark.parametrize(
    ("code", "operation", "message", "config"),
    [
        ("qimen", "cancel", {"number": "F1", "warehouse": "W"},
         {"base_url": "https://q.example", "app_key": "k", "customer_id": "c"}),
        ("taobao", "fetch_order", {"ext_id": "1"}, {"app_key": "k", "session": "s"}),
        ("douyin", "fetch_order", {"ext_id": "1"}, {"app_key": "k", "access_token": "t"}),
        ("jd", "fetch_order", {"ext_id": "中"}, {"app_key": "k", "access_token": "t"}),
        ("sf", "subscribe", {"tracking_number": "a b*~"}, {"base_url": "https://sf.example", "partner_id": "p"}),
        ("standard_webhooks", "milestone", {"key": "k", "type": "t", "data": {"a": 1}}, {"url": "https://p.example"}),
        ("generic_channel", "ship_notice", {"key": "k", "ext_id": "1", "tracking_number": "2"},
         {"base_url": "https://c.example"}),
        ("kingdee", "query_erp", {"number": "SO-1"},
         {"base_url": "https://k.example/k3cloud", "acct_id": "a", "user_name": "u", "app_id": KINGDEE_ID}),
    ],
)  # fmt: skip
def test_what_we_send_carries_every_signature_by_the_rule_we_check_with(
    code: str, operation: str, message: dict[str, Any], config: dict[str, Any]
) -> None:
    speaks = shipped.load(code)
    secret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3" if code == "standard_webhooks" else SECRET
    config = {**speaks.defaults, **config}

    call = calls.build(speaks, operation, message, config, secret, NOW, "n1")

    parts = urlsplit(call.url)
    query = tuple(parse_qsl(parts.query, keep_blank_values=True))
    request = Request(call.method, call.url, parts.path, query, lower_names(call.headers), call.body)
    names = speaks.operations[operation].signature
    assert names
    for name in names:
        assert signing.check(speaks.signatures[name], request, [secret], config, NOW).ok, name


def test_a_call_may_take_along_what_another_operation_answered() -> None:
    [before] = shipped.load("shopify").operations["ship_notice"].prepare

    assert before.operation == "find_shipment"
    assert before.taken(
        {"fulfillment_orders": [{"id": 1, "status": "open"}, {"id": 2, "status": "closed"}]}, {}
    ) == {"open": [1]}
    assert before.taken({}, {}) == {}


def test_without_a_rule_for_answers_every_2xx_is_taken() -> None:
    assert profile("{base}").operations["erp_order"].ack == Ack()

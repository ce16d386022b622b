"""Whatever goes wrong under /api/ is a problem document: code, remedy, request id, in the caller's language."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.urls import include, path
from rest_framework.test import APIClient

from orderhub.access import problems
from orderhub.kernel.errors import Refused
from tests import make

pytestmark = pytest.mark.django_db
ORDERS = "/api/v1/orders/"


def _breaks(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("a secret of ours")


def _too_big(request: HttpRequest) -> HttpResponse:
    raise RequestDataTooBig("2.5 MB")


def _refuses(request: HttpRequest) -> HttpResponse:
    raise Refused("no_file", "no", remedy="send one", status=400, field="lines[2].sku", facts={"a": 1})


urlpatterns = [
    path("api/breaks/", _breaks),
    path("api/big/", _too_big),
    path("api/refuses/", _refuses),
    path("", include("orderhub.urls")),
]


def whole(answer: Any) -> dict[str, Any]:
    """The answer's problem document, which is whole."""
    assert answer["Content-Type"] == problems.CONTENT_TYPE
    body: dict[str, Any] = answer.json()
    assert {"type", "title", "status", "code", "detail", "remedy", "request_id"} <= set(body)
    assert body["type"] in (problems.type_url(body["code"]), problems.type_url("invalid"))
    assert body["status"] == answer.status_code
    assert body["request_id"] == answer["X-Request-Id"]
    assert body["title"]
    assert body["remedy"]
    return body


@pytest.mark.parametrize(
    ("method", "url", "fields", "status", "code"),
    [
        ("get", "/api/v1/nothing/", {}, 404, "not_found"),
        ("get", f"{ORDERS}999999999/", {}, 404, "not_found"),
        ("get", f"{ORDERS}99999999999999999999999/", {}, 404, "not_found"),
        ("delete", ORDERS, {}, 405, "method_not_allowed"),
        ("get", ORDERS, {"HTTP_ACCEPT": "application/xml"}, 406, "not_acceptable"),
        ("post", ORDERS, {"data": "<a/>", "content_type": "application/xml"}, 415, "unsupported_media_type"),
        ("post", ORDERS, {"data": '{"a": ', "content_type": "application/json"}, 400, "bad_json"),
        ("post", ORDERS, {"data": b"\xff\xfe", "content_type": "application/json"}, 400, "bad_encoding"),
        ("post", ORDERS, {"data": {}}, 400, "invalid"),
    ],
)
@pytest.mark.parametrize("debug", [False, True])
def test_every_error_is_a_problem(
    method: str, url: str, fields: dict[str, Any], status: int, code: str, debug: bool, settings: Any
) -> None:
    settings.DEBUG = debug

    answer = getattr(make.client(), method)(url, **fields)

    assert answer.status_code == status
    assert whole(answer)["code"] == code


def test_a_caller_without_a_key_and_one_with_a_wrong_one_are_told_what_to_send() -> None:
    nobody = APIClient().get(ORDERS)
    wrong = APIClient(headers={"Authorization": "Api-Key no"}).get(ORDERS)

    assert (nobody.status_code, whole(nobody)["code"]) == (401, "not_authenticated")
    assert (wrong.status_code, whole(wrong)["code"]) == (401, "bad_key")
    assert nobody["WWW-Authenticate"] == "Api-Key"


def test_a_session_without_its_csrf_token_is_told_so() -> None:
    from tests.security.test_access_matrix import person  # the matrix' person in a browser

    browser = person("alice", merchant=make.merchant())
    browser.handler.enforce_csrf_checks = True

    answer = browser.post(ORDERS, make.order_json(), content_type="application/json")

    assert (answer.status_code, whole(answer)["code"]) == (403, "csrf_failed")


@override_settings(ROOT_URLCONF=__name__)
@pytest.mark.parametrize("debug", [False, True])
def test_an_error_of_ours_tells_nothing_of_our_insides(
    debug: bool, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.DEBUG = debug
    browser = Client(raise_request_exception=False)

    answer = browser.get("/api/breaks/", headers={"X-Request-Id": "abc-1"})

    assert (answer.status_code, whole(answer)["code"]) == (500, "server_error")
    assert "secret" not in answer.content.decode()
    assert answer.json()["request_id"] == "abc-1"
    assert "a secret of ours" in caplog.text


@override_settings(ROOT_URLCONF=__name__)
def test_refusals_outside_the_views_of_drf_are_problems_too() -> None:
    big = Client().get("/api/big/")
    refused = Client().get("/api/refuses/").json()

    assert (big.status_code, whole(big)["code"]) == (413, "body_too_large")
    assert (refused["code"], refused["field"], refused["facts"]) == ("no_file", "lines[2].sku", {"a": "1"})
    assert refused["errors"][0]["pointer"] == "#/lines/2/sku"


def test_wrong_fields_are_named_for_people_and_machines() -> None:
    body = make.order_json()
    body["lines"][0]["quantity"] = 0
    body["destination"].pop("city")

    errors = whole(make.client().post(ORDERS, body))["errors"]

    assert [(e["field"], e["pointer"], e["code"]) for e in errors] == [
        ("destination.city", "#/destination/city", "required"),
        ("lines[0].quantity", "#/lines/0/quantity", "min_value"),
    ]


@pytest.mark.parametrize(
    ("accept", "query", "title"),
    [
        ("en", "", "There is nothing at this address."),
        ("zh-CN", "", "这个地址没有内容。"),
        ("zh-CN", "?lang=en", "There is nothing at this address."),
        ("en", "?lang=zh", "这个地址没有内容。"),
        ("fr", "", "这个地址没有内容。"),
    ],
)
@pytest.mark.parametrize("url", [f"{ORDERS}0/", "/api/v1/nothing/"])
def test_problems_speak_the_callers_language(accept: str, query: str, title: str, url: str) -> None:
    answer = make.client().get(url + query, headers={"Accept-Language": accept})

    assert answer.json()["title"] == title


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ("abc-1.X:2", True),
        ("x" * 64, True),
        ("x" * 65, False),
        ("a b", False),
        ("-a", False),
        ("ä", False),
        ("", False),
    ],
)
def test_a_request_keeps_its_callers_id_when_it_is_a_plain_one(given: str, taken: bool) -> None:
    answer = make.client().get(ORDERS, headers={"X-Request-Id": given})

    assert (answer["X-Request-Id"] == given) is taken
    assert answer["X-Request-Id"]


def test_ids_of_requests_differ_and_do_not_stay() -> None:
    from orderhub.access import request_id

    caller = make.client()

    first, second = caller.get(ORDERS)["X-Request-Id"], caller.get(ORDERS)["X-Request-Id"]

    assert first != second
    assert request_id.current() == ""

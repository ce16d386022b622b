"""What an answer means: a failure inside an HTTP 200 is no acknowledgment, and nothing unreadable counts as arrived."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from orderhub.connectors.speech.answers import Ack, judge
from orderhub.connectors.speech.flaws import Faulty

NOW = datetime(2026, 11, 11, 1, 0, tzinfo=UTC)
QIMEN = Ack.parse(
    {
        "form": "xml",
        "when": [
            {"path": "flag", "equals": "success", "means": "acked"},
            {
                "all": [{"path": "flag", "equals": "failure"}, {"path": "code", "in": ["S003", "S007"]}],
                "means": "refused",
            },
        ],
        "otherwise": "retry",
        "reference": "deliveryOrderId",
        "message": "message",
    }
)
KINGDEE = Ack.parse(
    {
        "when": [
            {"path": "Result.ResponseStatus.IsSuccess", "equals": True, "means": "acked"},
            {"path": "Result.ResponseStatus.Errors", "exists": True, "means": "refused"},
        ],
        "otherwise": "unknown",
        "reference": "Result.Number",
        "message": "Result.ResponseStatus.Errors[].Message | [0]",
    }
)


@pytest.mark.parametrize(
    ("status", "body", "means", "reference", "message"),
    [
        (200, "<response><flag>success</flag><deliveryOrderId>WMS-1</deliveryOrderId></response>", "acked", "WMS-1", ""),
        (200, "<response><flag>failure</flag><code>S003</code><message>已拣货</message></response>", "refused", "", "已拣货"),
        (200, "<response><flag>failure</flag><code>S001</code></response>", "retry", "", ""),
        (200, "<html>", "unknown", "", "unreadable"),
        (200, "", "unknown", "", "unreadable"),
        (503, "<response><flag>success</flag></response>", "retry", "", "HTTP 503"),
        (429, "", "retry", "", "HTTP 429"),
        (401, "", "retry", "", "HTTP 401"),
        (404, "gone", "refused", "", "HTTP 404"),
        (302, "", "refused", "", "HTTP 302"),
    ],
)  # fmt: skip
def test_an_answer_of_a_warehouse(status: int, body: str, means: str, reference: str, message: str) -> None:
    answer = judge(QIMEN, status, {}, body.encode())

    assert (answer.means, answer.reference, answer.message) == (means, reference, message)


def test_errors_inside_an_http_200_are_refusals() -> None:
    failure = b'{"Result":{"ResponseStatus":{"IsSuccess":false,"Errors":[{"Message":"no such material"}]}}}'
    success = b'{"Result":{"ResponseStatus":{"IsSuccess":true,"Errors":[]},"Number":"XSDD1"}}'

    assert (judge(KINGDEE, 200, {}, failure).means, judge(KINGDEE, 200, {}, failure).message) == (
        "refused",
        "no such material",
    )
    assert (judge(KINGDEE, 200, {}, success).means, judge(KINGDEE, 200, {}, success).reference) == (
        "acked",
        "XSDD1",
    )
    assert judge(KINGDEE, 200, {}, b"{}").means == "unknown"


def test_a_rule_may_read_status_and_headers() -> None:
    ack = Ack.parse({"when": [{"path": "_status", "equals": 409, "means": "acked"}], "otherwise": "acked"})

    assert judge(ack, 409, {}, b'{"why":"exists already"}').means == "acked"
    assert judge(ack, 400, {}, b"{}").means == "refused"


def test_without_a_rule_every_2xx_is_an_acknowledgment() -> None:
    assert judge(Ack(), 204, {}, b"").means == "acked"
    assert judge(Ack(), 200, {}, b"thank you").means == "acked"
    assert judge(Ack(), 500, {}, b"").means == "retry"


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120), ("", None), ("soon", None), ("999999", 86_400), ("-5", None),
        ("Wed, 11 Nov 2026 01:02:00 GMT", 120), ("Wed, 11 Nov 2020 01:02:00 GMT", 0), ("99999999999999", None),
    ],
)  # fmt: skip
def test_how_long_to_wait(header: str, seconds: int | None) -> None:
    assert judge(Ack(), 429, {"retry-after": header}, b"", now=NOW).retry_after_s == seconds


def test_a_rule_says_everything_that_is_wrong_with_it_at_once() -> None:
    with pytest.raises(Faulty) as error:
        Ack.parse(
            {
                "when": [{"path": "a["}, {"equals": 1, "means": "perhaps"}],
                "form": "yaml",
                "otherwise": "no",
                "x": 1,
            }
        )

    assert {(flaw.path, flaw.code) for flaw in error.value.flaws} == {
        ("x", "unknown_word"),
        ("when[0].path", "path_wrong"),
        ("when[0].equals", "missing"),
        ("when[0].means", "missing"),
        ("when[1].path", "missing"),
        ("when[1].means", "not_a_choice"),
        ("form", "unknown_form"),
        ("otherwise", "not_a_choice"),
    }

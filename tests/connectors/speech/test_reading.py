"""From a request to what it means: doors with and without signatures, keys, challenges, batches."""

from __future__ import annotations

import copy
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from orderhub.connectors.speech import reading, shipped, trial
from orderhub.connectors.speech.flaws import Faulty
from orderhub.connectors.speech.limits import Unreadable
from orderhub.connectors.speech.profile import Profile
from orderhub.connectors.speech.requests import Request
from orderhub.connectors.speech.signing import sign

NOW = datetime(2026, 11, 11, 1, 31, 30, tzinfo=UTC)
LIFE: dict[str, Any] = {
    "code": "life", "zh": "生活服务", "en": "Life services", "role": "channel",
    "signatures": {"hook": {"alg": "sha1", "parts": ["{secret}", "{body}"], "where": "header:X-Douyin-Signature"}},
    "maps": {"any": {"means": "hint", "fields": [{"to": "operation", "as": [["const", "fetch_order"]]}]}},
    "door": {
        "signature": "hook", "key": ['_headers."msg-id"'],
        "challenge": {
            "path": "event == 'verify_webhook' && to_string(content.challenge) || null",
            "answer": '{"challenge":{value}}', "type": "application/json",
        },
        "routes": [{"when": [], "map": "any"}],
    },
}  # fmt: skip


def test_a_signed_door_opens_for_the_right_signature_only() -> None:
    shop = shipped.load("shopify")
    request = Request(body=b'{"id":1}')
    mark = sign(shop.signatures["webhook"], request, "s1", {})
    good = replace(request, headers={"x-shopify-hmac-sha256": mark})

    assert reading.verify(shop, good, ["s1"], {}, NOW).ok
    assert reading.verify(shop, good, ["new", "s1"], {}, NOW).ok
    assert reading.verify(shop, replace(good, body=b'{"id":2}'), ["s1"], {}, NOW).reason == "wrong"
    assert reading.verify(shop, request, ["s1"], {}, NOW).reason == "missing"


def test_a_door_without_a_rule_says_so() -> None:
    verdict = reading.verify(shipped.load("sf"), Request(), [], {}, NOW)

    assert (verdict.ok, verdict.reason) == (True, "unsigned")


def test_a_system_hears_what_it_wants_to_hear() -> None:
    assert reading.reply(shipped.load("qimen"), "ok").body.endswith(
        "<flag>success</flag><code>0</code><message>ok</message></response>"
    )
    assert reading.reply(shipped.load("sf"), "bad_signature") == reading.DEFAULT_REPLIES["bad_signature"]
    assert reading.reply(shipped.load("kingdee"), "ok") == reading.DEFAULT_REPLIES["ok"]


def test_a_challenge_is_answered_and_cannot_break_out_of_the_answer() -> None:
    life = Profile.parse(LIFE)

    found = reading.challenge(life, Request(body=b'{"event":"verify_webhook","content":{"challenge":12345}}'))
    assert found is not None
    assert (found.body, found.type) == ('{"challenge":12345}', "application/json")
    nasty = reading.challenge(
        life, Request(body=b'{"event":"verify_webhook","content":{"challenge":"a\\"}<b>"}}')
    )
    assert nasty is not None
    assert nasty.body == '{"challenge":a\\"}<b>}'
    assert reading.challenge(life, Request(body=b'{"event":"order"}')) is None
    assert reading.challenge(life, Request(body=b"no json")) is None
    assert reading.challenge(shipped.load("shopify"), Request()) is None


def test_a_door_never_answers_with_a_page() -> None:
    document = copy.deepcopy(LIFE)
    document["door"]["challenge"]["type"] = "text/html"
    document["door"]["answers"] = {"ok": {"type": "text/html", "body": "x"}}

    with pytest.raises(Faulty) as error:
        Profile.parse(document)

    assert [(flaw.path, flaw.code) for flaw in error.value.flaws] == [
        ("door.challenge.type", "not_a_choice"),
        ("door.answers.ok.type", "not_a_choice"),
    ]


def test_the_key_is_theirs_or_the_hash_of_what_came() -> None:
    life, body = Profile.parse(LIFE), b'{"a":1}'

    assert reading.key(life, Request(headers={"msg-id": "m1"}, body=body)) == "m1"
    plain = reading.key(life, Request(body=body))
    assert plain.startswith("sha256:")
    assert plain == reading.key(life, Request(body=body))
    assert plain != reading.key(life, Request(body=body, query=(("x", "1"),)))
    assert reading.key(life, Request(body=b"\xff")).startswith("sha256:")
    assert len(reading.key(life, Request(headers={"msg-id": "m" * 999}, body=body))) == 200


def test_a_batch_has_a_key_of_its_own_and_one_for_each_part() -> None:
    shop = shipped.load("douyin")
    request = Request(body=shipped.samples("douyin")("push_batch.json"))

    parts = reading.parts(shop, request, {})

    assert reading.key(shop, request).startswith("sha256:")
    assert len({part.key for part in parts}) == len(parts) == 5


def test_a_batch_that_is_none_is_no_part_and_a_body_nobody_can_read_is_told() -> None:
    assert (
        reading.parts(shipped.load("edifact_iftsta"), Request(body=b"UNB+UNOA:1+A+B+1:1+1'UNZ+0+1'"), {})
        == ()
    )
    with pytest.raises(Unreadable):
        reading.parts(shipped.load("qimen"), Request(body=b"<!DOCTYPE x><x/>"), {})


def test_a_message_of_an_unknown_sort_is_neither_lost_nor_guessed() -> None:
    [part] = reading.parts(shipped.load("qimen"), Request(query=(("method", "x.y"),), body=b"<request/>"), {})

    assert (part.became, part.value) == ("unrouted", {})


def test_messages_of_one_shipment_told_twice_have_the_same_key_for_each_scan() -> None:
    carrier, body = shipped.load("kuaidi100"), shipped.samples("kuaidi100")("push_body.form.txt")
    headers = {"content-type": "application/x-www-form-urlencoded"}

    first, second = (reading.parts(carrier, Request(headers=headers, body=body), {})[0] for _time in range(2))

    keys = [scan["key"] for scan in first.value["items"]]
    assert keys == [scan["key"] for scan in second.value["items"]]
    assert len(set(keys)) == 3


def test_the_recorded_push_of_kuaidi100_is_really_signed() -> None:
    carrier = shipped.load("kuaidi100")
    request = Request(body=shipped.samples("kuaidi100")("push_body.form.txt"))

    assert reading.verify(carrier, request, ["EXAMPLE-SALT"], {}, NOW).ok
    assert reading.verify(carrier, request, ["EXAMPLE-SALU"], {}, NOW).reason == "wrong"


def test_an_envelope_without_its_content_is_a_fault() -> None:
    part = reading.understand(shipped.load("amazon"), "changed", {"NotificationType": "ORDER_CHANGE"}, {})

    assert [fault.code for fault in part.faults] == ["missing"]
    assert part.value == {}


def test_a_trial_tells_every_difference() -> None:
    shop = shipped.load("shopify")
    case = replace(
        next(one for one in shop.tests if one.kind == "in"),
        expected=[{"value": {"ext_id": "1", "lines": [{"qty": "1"}]}, "faults": [{}]}],
    )

    outcome = trial.run(shop, case, shipped.samples("shopify"))

    assert not outcome.ok
    assert [(one.path, one.expected, one.got) for one in outcome.differences] == [
        ("[0].value.ext_id", "1", "450789469"),
        ("[0].value.lines[]", 1, 3),
        ("[0].faults[]", 1, 0),
    ]
    assert not trial.run(
        shop, replace(case, request={"file": "../profile.json"}), shipped.samples("shopify")
    ).ok
    assert not trial.run(shop, case).ok

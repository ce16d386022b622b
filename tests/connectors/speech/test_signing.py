"""Signatures as data: every vector is accepted, and 0 changes of one character are, in body, fields, timestamp, id, secret
or signature.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from orderhub.connectors.speech import shipped, signing
from orderhub.connectors.speech.flaws import Faulty
from orderhub.connectors.speech.requests import Request
from orderhub.connectors.speech.signing import SignatureSpec, check, sign
from tests.connectors.speech.signature_cases import SPECS, VECTORS, Signed, signed

NOW = datetime.fromtimestamp(1674087231, UTC)
IDS = [f"{vector['scheme']}-{at}" for at, vector in enumerate(VECTORS)]
MOST_PLACES = 160


def verdict(case: Signed, secret: str | None = None, now: datetime = NOW) -> signing.Verdict:
    return check(case.spec, case.request(), [secret or case.secret], case.config, now)


def changed(text: str, places: random.Random, *, keep_case: bool = False) -> Iterator[str]:
    """The text with one character changed, dropped or doubled, at every place (or many places of a long text)."""
    count = len(text)
    for at in range(count) if count <= MOST_PLACES else sorted(places.sample(range(count), MOST_PLACES)):
        other = chr(ord(text[at]) ^ 1) if text[at].isascii() else "外"
        if not (keep_case and other.lower() == text[at].lower()):
            yield text[:at] + other + text[at + 1 :]
        yield text[:at] + text[at + 1 :]
        yield text[:at] + text[at] + text[at:]
    yield text + "x"


def forged(case: Signed) -> Iterator[tuple[Signed, str | None]]:
    """The case with one change somewhere, and the secret it is checked with."""
    places = random.Random(11)
    for text in changed(case.signature, places, keep_case=case.spec.ignore_case):
        if text:
            yield replace(case, signature=text), None
    for name, value in case.values.items():
        if isinstance(value, dict):
            for inner, text in value.items():
                for other in changed(text, places):
                    yield replace(case, values={**case.values, name: {**value, inner: other}}), None
        else:
            for other in changed(value, places):
                yield replace(case, values={**case.values, name: other}), None
    # The words before the underscore of a Standard Webhooks secret are a name, not a part of the key.
    head, mark, tail = case.secret.rpartition("_")
    for other in changed(tail, places):
        yield case, head + mark + other


@pytest.mark.parametrize("vector", VECTORS, ids=IDS)
def test_the_vector_is_made_and_accepted(vector: dict[str, Any]) -> None:
    case = signed(vector)

    assert sign(case.spec, case.request(), case.secret, case.config) == vector["expected"]
    assert verdict(case) == signing.Verdict(True)


def test_no_change_of_one_character_is_accepted() -> None:
    tried, accepted = 0, []
    for vector in VECTORS:
        case = signed(vector)
        for other, secret in forged(case):
            tried += 1
            if verdict(other, secret).ok:
                accepted.append((case.scheme, other.values, other.signature, secret))

    assert accepted == []
    assert tried > 5000


@pytest.mark.parametrize("vector", VECTORS, ids=IDS)
def test_a_missing_signature_and_a_missing_secret_are_refused(vector: dict[str, Any]) -> None:
    case = signed(vector)

    assert verdict(replace(case, signature="")).reason == "missing"
    assert check(case.spec, case.request(), [], case.config, NOW).reason == "no_secret"
    assert check(case.spec, case.request(), [""], case.config, NOW).reason == "no_secret"


def test_two_secrets_are_valid_while_they_rotate_and_a_third_is_not() -> None:
    case = signed(VECTORS[0])

    assert check(case.spec, case.request(), ["new-secret", case.secret], {}, NOW).ok
    assert check(case.spec, case.request(), [case.secret, "new-secret"], {}, NOW).ok
    assert check(case.spec, case.request(), ["new-secret", "newer-secret"], {}, NOW).reason == "wrong"


def test_one_of_several_signatures_is_enough_but_no_more_than_ten_are_tried() -> None:
    case = signed(next(v for v in VECTORS if v["scheme"] == "standard-webhooks"))
    other = "v1," + "A" * 43 + "="

    assert verdict(replace(case, signature=f"{other} {case.signature}")).ok
    assert verdict(replace(case, signature=" ".join([other] * 10 + [case.signature]))).reason == "wrong"
    assert verdict(replace(case, signature=case.signature.replace("v1,", "v2,"))).reason == "wrong"


@pytest.mark.parametrize(
    ("seconds", "reason"), [(0, ""), (300, ""), (301, "too_old"), (-300, ""), (-301, "too_new")]
)
def test_a_signature_holds_inside_its_window_only(seconds: int, reason: str) -> None:
    case = signed(next(v for v in VECTORS if v["scheme"] == "standard-webhooks"))

    assert verdict(case, now=NOW + timedelta(seconds=seconds)) == signing.Verdict(not reason, reason)


@pytest.mark.parametrize(
    ("text", "zone", "ok"),
    [
        ("1674087231", "", True),
        ("1674087231999", "", True),
        ("2023-01-19 08:13:51", "", True),
        ("2023-01-19 00:13:51", "UTC", True),
        ("2023-01-19 00:13:51", "", False),
        ("2023-01-19T00:13:51+00:00", "Asia/Tokyo", True),
        ("soon", "", False),
        ("99999999999999999999", "", False),
        ("", "", False),
    ],
)
def test_timestamps_are_read_in_every_form_vendors_send(text: str, zone: str, ok: bool) -> None:
    data = {**SPECS["top"], "tolerance_s": 300, "ts": "form:timestamp", "ts_zone": zone}
    spec = SignatureSpec.parse(data)
    body = f"timestamp={text.replace('+', '%2B')}".encode()
    request = Request(body=body)
    mark = sign(spec, request, "s", {})

    assert check(spec, replace(request, body=body + f"&sign={mark}".encode()), ["s"], {}, NOW).ok is ok


def test_signatures_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[bytes, bytes]] = []

    def compare(first: bytes, second: bytes) -> bool:
        compared.append((first, second))
        return first == second

    monkeypatch.setattr(signing.hmac, "compare_digest", compare)
    case = signed(VECTORS[0])

    assert check(case.spec, case.request(), ["one", case.secret, "two"], {}, NOW).ok
    assert len(compared) == 3, "every secret is tried, so that time does not tell which one fits"


def test_fields_that_are_no_part_of_the_base_are_left_out() -> None:
    spec = SignatureSpec.parse({**SPECS["qimen"], "skip": ["debug"]})
    plain = Request(query=(("b", "2"), ("a", "1")), body=b"x")

    assert sign(spec, plain, "s", {}) == sign(
        spec,
        replace(plain, query=(("a", "1"), ("b", "2"), ("c", ""), ("debug", "9"), ("sign", "old"))),
        "s",
        {},
    )


def test_headers_that_the_sender_lists_are_part_of_the_base() -> None:
    spec = shipped.load("taobao").signatures["callback"]
    headers = {"top-sign-list": "X-One,missing, x-two", "x-one": "1", "x-two": "2", "x-three": "3"}
    request = Request(
        query=(("b", "q"), ("sign", "old")),
        headers={**headers, "content-type": "application/json"},
        body=b"{}",
    )

    expected = hashlib.md5(b"sX-One1bqx-two2{}s").hexdigest().upper()

    assert sign(spec, request, "s", {}) == expected


def test_a_rule_says_everything_that_is_wrong_with_it_at_once() -> None:
    with pytest.raises(Faulty) as error:
        SignatureSpec.parse(
            {
                "alg": "crc32", "parts": ["{bdy}", "{ts}"], "where": "cookie:x", "compare": "nearly", "tolerance_s": -1,
                "ts_zone": "Asia/Atlantis", "colour": "red",
            }
        )  # fmt: skip

    assert {(flaw.path, flaw.code) for flaw in error.value.flaws} == {
        ("colour", "unknown_word"),
        ("alg", "not_a_choice"),
        ("parts[0]", "unknown_part"),
        ("where", "no_place"),
        ("compare", "not_a_choice"),
        ("tolerance_s", "out_of_range"),
        ("ts", "missing"),
        ("ts_zone", "no_zone"),
        ("parts", "no_secret_part"),
    }


def test_a_rule_without_a_secret_in_it_is_refused() -> None:
    with pytest.raises(Faulty) as error:
        SignatureSpec.parse({"alg": "md5", "parts": ["{body}"], "where": "header:x"})
    assert [flaw.code for flaw in error.value.flaws] == ["no_secret_part"]

    with pytest.raises(Faulty) as error:
        SignatureSpec.parse({"alg": "hmac-md5", "parts": ["{body}"], "where": "header:x"})
    assert [flaw.code for flaw in error.value.flaws] == ["key_and_alg"]

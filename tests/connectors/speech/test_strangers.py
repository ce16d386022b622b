"""What systems that nobody has seen may do, said by data: keys, places, bodies, paths, answers and tokens of every kind."""

from __future__ import annotations

import base64
import gzip
import hashlib
import hmac
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

from orderhub.connectors.speech import calls, places, reading, trees
from orderhub.connectors.speech.answers import Ack, judge
from orderhub.connectors.speech.flaws import Faulty
from orderhub.connectors.speech.mapping import Map, apply
from orderhub.connectors.speech.picking import Budget, Path, TooMuch
from orderhub.connectors.speech.profile import Profile
from orderhub.connectors.speech.requests import Request, opened
from orderhub.connectors.speech.signing import SignatureSpec, check, sign

NOW = datetime.fromtimestamp(1674087231, UTC)
BODY = b'{"no":"A-1","sum":10.50,"n":2,"sign":"x"}'


def rule(**changes: Any) -> SignatureSpec:
    return SignatureSpec.parse(
        {"alg": "hmac-sha256", "key": "secret", "parts": ["{body}"], "where": "header:X-Sign", **changes}
    )


def ok(spec: SignatureSpec, request: Request, secret: str, **config: Any) -> bool:
    return check(spec, request, [secret], config, NOW).ok


# ---- signatures ------------------------------------------------------------------------------------


def test_a_header_of_named_parts_carries_time_and_signature() -> None:
    spec = rule(
        alg="hmac-sha512",
        parts=["{ts}", ".", "{body}"],
        where="header:X-Sign#v1",
        ts="header:X-Sign#t",
        tolerance_s=300,
    )
    mark = hmac.new(b"s", b"1674087231." + BODY, "sha512").hexdigest()
    request = Request(headers={"x-sign": f"t=1674087231,v1={'0' * 128},v1={mark}"}, body=BODY)

    assert ok(spec, request, "s")
    assert not ok(spec, replace(request, body=BODY + b" "), "s")
    assert not ok(spec, replace(request, headers={"x-sign": f"t=1674087232,v1={mark}"}), "s")
    assert not ok(spec, replace(request, headers={"x-sign": f"t=1674087231,v0={mark}"}), "s")


def test_a_time_before_the_signature_in_one_word_is_found_and_made() -> None:
    spec = rule(parts=["{ts}", "{body}"], where="header:X-Sign#1:.", ts="header:X-Sign#0:.", tolerance_s=300)
    request = Request(headers={"x-sign": "1674087231"}, body=BODY)
    mark = hmac.new(b"s", b"1674087231" + BODY, "sha256").hexdigest()

    made = places.put(replace(request, headers={"x-sign": "1674087231"}), ("header", "x-sign#1:."), mark)

    assert made.headers["x-sign"] == f"1674087231.{mark}"
    assert ok(spec, made, "s")


def test_fields_joined_like_an_address_and_the_secret_at_the_end() -> None:
    spec = SignatureSpec.parse({
        "alg": "md5", "enc": "HEX", "parts": ["{sorted_kv:json}", "&key=", "{secret}"], "equals": "=", "between": "&",
        "where": "json:sign",
    })  # fmt: skip
    mark = hashlib.md5(b"n=2&no=A-1&sum=10.50&key=word").hexdigest().upper()
    body = BODY.replace(b'"x"', json.dumps(mark).encode())

    assert ok(spec, Request(body=body), "word")
    assert not ok(spec, Request(body=body.replace(b"10.50", b"10.5")), "word")
    assert places.put(Request(body=BODY), ("json", "sign"), mark).body == body


def test_words_put_in_order_before_they_are_joined() -> None:
    spec = SignatureSpec.parse({
        "alg": "sha1", "parts": ["{secret}", "{ts}", "{nonce}"], "sorted": True, "where": "query:signature",
        "ts": "query:timestamp",
        "nonce": "query:nonce", "tolerance_s": 300,
    })  # fmt: skip
    mark = hashlib.sha1("".join(sorted(["word", "1674087231", "Zufall"])).encode()).hexdigest()
    query = (("signature", mark), ("timestamp", "1674087231"), ("nonce", "Zufall"))

    assert ok(spec, Request(query=query), "word")
    assert not ok(spec, Request(query=query), "other")


def test_a_token_and_a_password_are_compared_as_they_are() -> None:
    token = rule(alg="text", key="none", parts=["{secret}"], prefix="Bearer ", where="header:Authorization")
    basic = rule(
        alg="text",
        key="none",
        parts=["{config:user}", ":", "{secret}"],
        enc="b64",
        prefix="Basic ",
        where="header:Authorization",
    )

    assert ok(token, Request(headers={"authorization": "Bearer abc"}), "abc")
    assert not ok(token, Request(headers={"authorization": "Bearer abd"}), "abc")
    right = base64.b64encode("店:密".encode()).decode()
    assert ok(basic, Request(headers={"authorization": f"Basic {right}"}), "密", user="店")
    assert not ok(basic, Request(headers={"authorization": f"Basic {right}"}), "密", user="别")


def test_a_digest_of_the_body_is_a_part_and_a_header_of_ours_but_no_proof() -> None:
    spec = rule(parts=["{method}", "\n", "{md5b64:body}", "\n", "{hdr:x-date}"], enc="b64")
    text = b"POST\n" + base64.b64encode(hashlib.md5(BODY).digest()) + b"\nnow"
    mark = base64.b64encode(hmac.new(b"s", text, "sha256").digest()).decode()
    assert ok(spec, Request(headers={"x-date": "now", "x-sign": mark}, body=BODY), "s")

    digest = {"alg": "md5", "enc": "b64", "parts": ["{body}"], "where": "header:Content-MD5", "proves": False}
    assert (
        sign(SignatureSpec.parse(digest), Request(body=BODY), "", {})
        == base64.b64encode(hashlib.md5(BODY).digest()).decode()
    )
    with pytest.raises(Faulty) as error:
        Profile.parse({"code": "one", "zh": "一", "en": "One", "role": "channel", "signatures": {"d": digest},
                       "maps": {"m": {"means": "hint", "fields": []}},
                       "door": {"signature": "d", "routes": [{"when": [], "map": "m"}]}})  # fmt: skip
    assert [one.code for one in error.value.flaws] == ["unproven"]


@pytest.mark.parametrize(
    ("key", "secret", "raw"),
    [("base64", "a2V5", b"key"), ("hex", "6b6579", b"key"), ("hex", "no hex", b"no hex")],
)
def test_a_secret_may_stand_for_bytes(key: str, secret: str, raw: bytes) -> None:
    mark = base64.urlsafe_b64encode(hmac.new(raw, BODY, "sha384").digest()).decode().rstrip("=")

    assert ok(
        rule(alg="hmac-sha384", key=key, enc="b64url"), Request(headers={"x-sign": mark}, body=BODY), secret
    )


def _pem(key: Any) -> str:
    return key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    ).decode()  # fmt: skip


@pytest.mark.parametrize("alg", ["ed25519", "rsa-sha256", "rsa-sha1", "ecdsa-sha256"])
def test_what_a_private_key_signed_is_checked_with_the_public_one(alg: str) -> None:
    key: Any = {
        "ed25519": ed25519.Ed25519PrivateKey.generate, "ecdsa-sha256": lambda: ec.generate_private_key(ec.SECP256R1()),
    }.get(alg, lambda: rsa.generate_private_key(65537, 2048))()  # fmt: skip
    if alg == "ed25519":
        raw = key.sign(BODY)
    elif alg == "ecdsa-sha256":
        raw = key.sign(BODY, ec.ECDSA(hashes.SHA256()))
    else:
        raw = key.sign(BODY, padding.PKCS1v15(), hashes.SHA1() if alg.endswith("1") else hashes.SHA256())
    spec = rule(alg=alg, key="none", enc="b64")
    request = Request(headers={"x-sign": base64.b64encode(raw).decode()}, body=BODY)
    public = _pem(key)

    assert ok(spec, request, public)
    assert ok(spec, request, public.replace("\n", " "))
    assert ok(spec, request, "".join(public.splitlines()[1:-1]))
    assert not ok(spec, replace(request, body=BODY + b" "), public)
    for at in range(len(raw)):
        other = raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]
        assert not ok(spec, replace(request, headers={"x-sign": base64.b64encode(other).decode()}), public)
    assert not ok(spec, request, "no key")
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()  # fmt: skip
    made = sign(spec, Request(body=BODY), private, {})
    assert ok(spec, Request(headers={"x-sign": made}, body=BODY), public)


@pytest.mark.parametrize(
    "text", ["20230119081351", "1674087231000001", "1674087231000000001", "Thu, 19 Jan 2023 00:13:51 GMT"]
)
def test_times_are_read_in_more_forms(text: str) -> None:
    spec = rule(parts=["{ts}", "{body}"], ts="header:X-Time", tolerance_s=5)
    mark = hmac.new(b"s", text.encode() + BODY, "sha256").hexdigest()

    assert ok(spec, Request(headers={"x-sign": mark, "x-time": text}, body=BODY), "s")


def test_a_packed_body_is_unpacked_and_no_more_than_it_may_hold() -> None:
    request = Request(headers={"content-encoding": "gzip", "a": "b"}, body=gzip.compress(BODY))

    plain = opened(request, 1000)
    assert plain == Request(headers={"a": "b"}, body=BODY)
    assert opened(replace(request, body=gzip.compress(b"0" * 2000)), 1000) is None
    assert opened(replace(request, body=b"no gzip"), 1000) is None
    assert opened(Request(body=BODY), 1000) is None


# ---- bodies ----------------------------------------------------------------------------------------

_MULTI = (
    b'--XyZ\r\nContent-Disposition: form-data; name="meta"\r\n\r\n{"no":1}\r\n'
    b'--XyZ\r\nContent-Disposition: form-data; name="label"; filename="a.pdf"\r\n'
    b"Content-Type: application/pdf\r\n\r\n%PDF\xff\r\n--XyZ--\r\n"
)


@pytest.mark.parametrize(
    ("form", "body", "tree"),
    [
        ("ndjson", b'{"a":1}\n\n{"a":2}\r\n', [{"a": 1}, {"a": 2}]),
        ("form+nested", b"line[0][sku]=A&line[0][n]=2&line[1][sku]=B&tag[]=x&tag[]=y&no=7",
         {"line": [{"sku": "A", "n": "2"}, {"sku": "B"}], "tag": ["x", "y"], "no": "7"}),
        ("form+nested", b"a[x]=1&a[0]=2", {"a": {"x": "1", "0": "2"}}),
        ("multipart", _MULTI, {"meta": '{"no":1}', "label": ""}),
        ("csv:;", b"sku;n\nA;1\n", [{"sku": "A", "n": "1"}]),
        ("rows:|", b"H|7\nL|A|2\n", [["H", "7"], ["L", "A", "2"]]),
        ("text", b"OK|123", "OK|123"),
        ("xml", b'<s:E xmlns:s="u"><s:B><n:No xmlns:n="v">A&amp;B</n:No>'
         b'<x><![CDATA[<i>]]></x><e xmlns:i="w" i:nil="true"/></s:B></s:E>',
         {"B": {"No": "A&B", "x": "<i>", "e": ""}, "#root": "E"}),
    ],
)  # fmt: skip
def test_bodies_of_every_form_become_trees(form: str, body: bytes, tree: Any) -> None:
    assert trees.read(body, form) == tree


@pytest.mark.parametrize(
    ("form", "body", "code"),
    [
        ("form+nested", b"a=1&a[b]=2", "not_form"), ("form+nested", b"a" + b"[b]" * 20 + b"=1", "too_deep"),
        ("multipart", b"no form", "not_form"), ("ndjson", b"{}\n{", "not_json"), ("rows:|", b'"a|b', "not_rows"),
        ("form+nested", b"a[b]=%00", "control"),
    ],
)  # fmt: skip
def test_bodies_that_cannot_be_read_say_why(form: str, body: bytes, code: str) -> None:
    with pytest.raises(trees.Unreadable) as error:
        trees.read(body, form)
    assert error.value.code == code


def test_bodies_of_ours_may_have_prefixes_and_brackets() -> None:
    soap = trees.write(
        {"@xmlns:soap": "urn:e", "soap:Body": {"w:Ship": {"@xmlns:w": "urn:w", "No": "1"}}},
        "xml",
        root="soap:Envelope",
    )
    assert (
        b'<soap:Envelope xmlns:soap="urn:e"><soap:Body><w:Ship xmlns:w="urn:w"><No>1</No></w:Ship></soap:Body></soap:Envelope>'
        in soap
    )

    assert trees.read(trees.write({"a": [{"b": 1}], "c": None}, "form+nested"), "form+nested") == {
        "a": [{"b": "1"}]
    }
    assert trees.write({"text": "A|1"}, "text") == b"A|1"
    with pytest.raises(trees.Unreadable):
        trees.write({}, "xml", root="<script>")


# ---- paths -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("find(many, {id: '2', kind: 'b'}).n", 3), ("find(many, {id: '9'})", None), ("find(nothing, {id: '1'})", None),
        ("find_all(many, {id: '2'})[].n", [2, 3]), ("split(word, '|')[1]", "123"), ("split(nothing, '|')", None),
        ("lines(rows)[-1]", "B;2"), ("read(rows, 'csv:;')[1].n", "2"), ("read(inner, 'json').a.b", 4711),
        ("read(nothing, 'json')", None), ("link(head, 'next')", "https://x.example/o?cursor=b%2B1&n=2"),
        ("parameter(link(head, 'next'), 'cursor')", "b+1"), ("parameter(link(head, 'last'), 'cursor')", None),
    ],
)  # fmt: skip
def test_paths_have_functions_for_what_systems_do(text: str, expected: Any) -> None:
    tree = {
        "many": [{"id": 1, "kind": "a", "n": 1}, {"id": 2, "kind": "a", "n": 2}, {"id": "2", "kind": "b", "n": 3}],
        "word": "OK|123", "rows": "sku;n\nA;1\n\nB;2", "inner": '{"a":{"b":4711}}',
        "head": '<https://x.example/o?cursor=a>; rel="prev", <https://x.example/o?cursor=b%2B1&n=2>; rel="next"',
    }  # fmt: skip

    assert Path(text).pick(tree) == expected


def test_functions_are_paid_for_by_what_they_look_at() -> None:
    tree = {"many": [{"id": n} for n in range(2000)], "text": "x" * 100_000}
    with pytest.raises(TooMuch):
        Path("many[].find(@, {id: `1`})").pick(tree, Budget(1000))
    with pytest.raises(TooMuch):
        Path("split(text, 'x')").pick(tree, Budget(1000))
    with pytest.raises(TypeError):
        Path("read(text, 'json')").pick(tree)
    with pytest.raises(TypeError):
        Path("read(text, 'exe')").pick(tree)


def test_lines_that_are_told_by_number_are_found_beside_the_order() -> None:
    spec = Map.parse({
        "means": "order", "fields": [{"to": "ext_id", "from": "data.id"},
                                     {"to": "total", "from": "data.attributes.[total.amount, total.scale]", "as": ["shift"]}],
        "each": {"lines": {"from": "data.relationships.lines.data", "fields": [
            {"to": "sku", "from": "find(_up.included, {type: type, id: id}).attributes.sku"},
            {"to": "qty", "from": "find(_up.included, {type: type, id: id}).attributes.[cases, perCase]",
             "as": ["product", "int"]}]}},
    })  # fmt: skip
    tree = {
        "data": {"id": "7", "attributes": {"total": {"amount": "123456", "scale": 4}},
                 "relationships": {"lines": {"data": [{"type": "line", "id": "1"}, {"type": "line", "id": "2"}]}}},
        "included": [{"type": "line", "id": "2", "attributes": {"sku": "B", "cases": 2, "perCase": 12}},
                     {"type": "line", "id": "1", "attributes": {"sku": "A", "cases": 1, "perCase": 6}}],
    }  # fmt: skip

    assert apply(spec, tree, {}).value == {
        "ext_id": "7", "total": "12.3456", "lines": [{"sku": "A", "qty": 6}, {"sku": "B", "qty": 24}],
    }  # fmt: skip


# ---- doors, answers, calls -------------------------------------------------------------------------

_ANSWERED = {"status": 200, "type": "text/xml", "body": "<r><id>{id}</id></r>", "take": {"id": "Head.Id"}}


def door(**changes: Any) -> Profile:
    return Profile.parse({
        "code": "one", "zh": "一", "en": "One", "role": "warehouse",
        "signatures": {"proof": {"alg": "sha256", "parts": ["{q:code}", "{secret}", "{address}"], "where": "header:none"}},
        "maps": {"done": {"means": "hint", "fields": [{"to": "operation", "from": "Job.No"}]}},
        "door": {"form": "xml", "routes": [{"when": [], "map": "done"}], "answers": {"ok": _ANSWERED}, **changes},
    })  # fmt: skip


def test_an_answer_says_a_word_of_the_message_and_nothing_more() -> None:
    request = Request(body=b"<e><Head><Id>7&lt;/id&gt;&lt;x&gt;</Id></Head></e>")

    assert reading.reply(door(), "ok", request).body == "<r><id>7&lt;/id&gt;&lt;x&gt;</id></r>"
    assert reading.reply(door(), "ok", Request(body=b"no xml")).body == "<r><id></id></r>"


def test_a_challenge_is_answered_by_a_proof() -> None:
    profile = door(
        challenge={
            "path": "_query.code",
            "answer": '{"proof":"{sign}"}',
            "type": "application/json",
            "signature": "proof",
        }
    )
    request = Request("GET", "https://hub.example/in/k/?code=abc", query=(("code", "abc"),))

    answer = reading.challenge(profile, request, "word", {})

    mark = hashlib.sha256(b"abcwordhttps://hub.example/in/k/").hexdigest()
    assert answer is not None
    assert json.loads(answer.body) == {"proof": mark}


def test_documents_packed_in_fields_are_read() -> None:
    inner = base64.b64encode(b"<Job><No>J1</No></Job>").decode()
    profile = door(unpack=[{"field": "Head.Data", "form": "xml", "coding": "base64"}],
                   routes=[{"when": [{"path": "Head.Data.No", "equals": "J1"}], "map": "done"}])  # fmt: skip

    (part,) = reading.parts(profile, Request(body=f"<e><Head><Data>{inner}</Data></Head></e>".encode()), {})

    assert part.map == "done"


def test_a_fault_that_comes_with_500_may_be_final_and_a_wait_may_stand_in_the_body() -> None:
    ack = Ack.parse({"form": "xml", "message": "Body.Fault.faultstring", "wait": "Body.Fault.wait", "when": [
        {"path": "Body.Fault.faultcode", "in": ["Client"], "means": "refused", "any_status": True},
        {"path": "Body.Done", "equals": "yes", "means": "acked"}]})  # fmt: skip

    def means(status: int, inner: str) -> tuple[str, int | None]:
        answer = judge(ack, status, {}, f"<E><Body>{inner}</Body></E>".encode())
        return answer.means, answer.retry_after_s

    assert means(500, "<Fault><faultcode>Client</faultcode></Fault>") == ("refused", None)
    assert means(500, "<Fault><faultcode>Server</faultcode><wait>7.5</wait></Fault>") == ("retry", 7)
    assert means(200, "<Done>yes</Done>") == ("acked", None)


def test_an_answer_of_plain_text_is_judged() -> None:
    ack = Ack.parse({"form": "text", "reference": "split(_body, '|')[1]", "message": "split(_body, '|')[2]", "when": [
        {"path": "split(_body, '|')[0]", "equals": "OK", "means": "acked"},
        {"path": "starts_with(_body, 'ERR')", "equals": True, "means": "refused"}]})  # fmt: skip

    assert judge(ack, 200, {}, b"OK|123").reference == "123"
    refused = judge(ack, 200, {}, "ERR|0|没有货".encode())
    assert (refused.means, refused.message) == ("refused", "没有货")


def test_a_token_is_kept_as_long_as_its_answer_says_less_a_minute() -> None:
    document: dict[str, Any] = {
        "code": "one", "zh": "一", "en": "One", "role": "erp",
        "asks": [{"name": "base", "zh": "址", "en": "Base", "kind": "url"},
                 {"name": "refresh", "zh": "令", "en": "Token", "kind": "secret"}],
        "operations": {
            "token": {"url": "{base}/t"},
            "ping": {"url": "{base}/p", "prepare": [{"operation": "token", "take": {"token": "a", "next": "r"},
                                                     "keep_for": "left",
                                                    "keep_s": 40, "rotates": {"refresh": "next"}}]},
        },
    }  # fmt: skip
    (step,) = Profile.parse(document).operations["ping"].prepare

    assert step.kept_s({"left": 3600}, {}) == 3540
    assert step.kept_s({"left": "90"}, {}) == 45
    assert step.kept_s({}, {}) == 20
    document["operations"]["ping"]["prepare"][0]["rotates"] = {"base": "else"}
    with pytest.raises(Faulty) as error:
        Profile.parse(document)
    assert sorted(one.code for one in error.value.flaws) == ["unknown_name", "unknown_setting"]


def test_a_signed_token_says_who_calls() -> None:
    profile = Profile.parse({
        "code": "one", "zh": "一", "en": "One", "role": "erp",
        "asks": [{"name": "base", "zh": "址", "en": "Base", "kind": "url"}],
        "operations": {"ping": {"method": "GET", "url": "{base}/p", "headers": {"fields": [
            {"to": "Authorization", "from": "[{iss: _config.app, iat: _now_s}, _secret]",
             "as": [["jwt", "HS256", 300], ["replace", "ey", "Bearer ey"]]}]}}},
    })  # fmt: skip
    call = calls.build(profile, "ping", {}, {"base": "https://a.example", "app": "hub"}, "word", NOW, "n")

    head, claims, mark = call.headers["authorization"].replace("Bearer ", "").split(".")
    made = hmac.new(b"word", f"{head}.{claims}".encode(), "sha256").digest()
    assert base64.urlsafe_b64encode(made).decode().rstrip("=") == mark
    assert json.loads(base64.urlsafe_b64decode(claims + "==")) == {
        "iss": "hub",
        "iat": 1674087231,
        "exp": 1674087531,
    }

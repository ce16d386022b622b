"""Bodies to trees and back: what ids and money survive, and what hostile bodies cannot do."""

from __future__ import annotations

import contextlib
import json
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orderhub.connectors.speech import trees
from orderhub.connectors.speech.limits import Unreadable

DATA = Path(__file__).parent / "data"
BOMB = b"""<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY a "&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;">
<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]><request><x>&c;</x></request>"""


def refused(body: bytes, form: str, **options: Any) -> str:
    with pytest.raises(Unreadable) as error:
        trees.read(body, form, **options)
    return error.value.code


def test_ids_of_nineteen_digits_and_money_keep_every_digit() -> None:
    tree = trees.read(
        b'{"id":4781320682406083640,"n":123456789012345,"neg":-4781320682406083640,"p":19.90}', "json"
    )

    assert tree == {
        "id": "4781320682406083640", "n": 123456789012345, "neg": "-4781320682406083640", "p": Decimal("19.90"),
    }  # fmt: skip
    assert format(tree["p"], "f") == "19.90"


@pytest.mark.parametrize("number", ["1e999999999", "1E-999999999", "0." + "1" * 40])
def test_a_number_nobody_means_stays_text(number: str) -> None:
    assert trees.read(f'{{"n":{number}}}'.encode(), "json") == {"n": number}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "not_json"),
        (b"{", "not_json"),
        (b'{"a":NaN}', "not_json"),
        (b"[" * 61 + b"]" * 61, "too_deep"),
        (b"[" * 100_000 + b"]" * 100_000, "too_deep"),
        (b'{"a":' * 5000 + b"1" + b"}" * 5000, "too_deep"),
        ('{"a":"中文"}'.encode("gbk"), "charset"),
        (b'{"a":"\\ud800"}', "charset"),
        (b'{"a":"\\u0000"}', "control"),
        (b'{"a":"\x00"}', "control"),
    ],
)
def test_json_that_cannot_be_kept_is_refused(body: bytes, code: str) -> None:
    assert refused(body, "json") == code


def test_the_deepest_json_that_is_read_has_sixty_levels() -> None:
    assert trees.read(b"[" * 60 + b"]" * 60, "json")


def test_a_body_that_is_too_large_is_refused_before_it_is_read() -> None:
    assert refused(b"x" * 2_000_001, "xml") == "too_large"
    assert refused(b"x" * 11, "json", largest=10) == "too_large"


def test_charset_is_what_the_door_says() -> None:
    assert trees.read('{"a":"中文"}'.encode("gb18030"), "json", charset="gb18030") == {"a": "中文"}
    assert trees.read(b"\xef\xbb\xbf{}", "json") == {}
    assert refused(b"{}", "json", charset="utf-7") == "charset"


def test_xml_becomes_objects_texts_and_lists() -> None:
    body = (
        '<?xml version="1.0" encoding="utf-8"?><s:request xmlns:s="urn:x"><no>1</no><none/><line n="1">甲</line>'
        '<line n="2"><qty>2</qty></line><only><item>x</item></only></s:request>'
    ).encode()

    assert trees.read(body, "xml", lists=["item"]) == {
        "#root": "request",
        "no": "1",
        "none": "",
        "line": [{"@n": "1", "#": "甲"}, {"@n": "2", "qty": "2"}],
        "only": {"item": ["x"]},
    }


@pytest.mark.parametrize("charset", ["gbk", "GB2312", "gb18030", "utf-16", "UTF-8"])
def test_xml_is_read_in_the_charset_it_declares(charset: str) -> None:
    body = f'<?xml version="1.0" encoding="{charset}"?><r><a>收货人</a></r>'.encode(charset)

    assert trees.read(body, "xml") == {"#root": "r", "a": "收货人"}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (BOMB, "xml_unsafe"),
        (b'<!DOCTYPE r SYSTEM "http://x/evil.dtd"><r/>', "xml_unsafe"),
        (b'<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><r>&x;</r>', "xml_unsafe"),
        (b'<!DOCTYPE r [<!ENTITY % p SYSTEM "http://x/p">%p;]><r/>', "xml_unsafe"),
        (b"<r/>" + BOMB, "not_xml"),
        (b"<r>&undefined;</r>", "not_xml"),
        (b"<a>" * 61 + b"</a>" * 61, "too_deep"),
        (b"<a>" * 400_000, "too_deep"),
        (b"<r>" + b"<a/>" * 200_001 + b"</r>", "too_many"),
        (b"<r><a></r>", "not_xml"),
        (b"", "not_xml"),
        (b"plain words", "not_xml"),
        (b'<?xml version="1.0" encoding="utf-7"?><r/>', "charset"),
        ('<?xml version="1.0" encoding="utf-8"?><r>中</r>'.encode("gbk"), "charset"),
        (b"<r>\x01</r>", "not_xml"),
    ],
)
def test_hostile_xml_is_refused_quickly(body: bytes, code: str) -> None:
    started = time.process_time()

    assert refused(body, "xml") == code
    assert time.process_time() - started < 2


def test_xml_is_written_by_a_serializer() -> None:
    tree = {
        "order": {
            "@version": "1",
            "name": "A & B <c>",
            "price": Decimal("1.50"),
            "none": None,
            "green": True,
        },
        "line": [{"sku": "甲\x01"}, {"sku": "b"}],
        "note": "]]><x>",
    }
    body = trees.write(tree, "xml", root="request")

    assert body.startswith(b"<?xml version='1.0' encoding='utf-8'?>\n<request>")
    assert trees.read(body, "xml") == {
        "#root": "request",
        "order": {"@version": "1", "name": "A & B <c>", "price": "1.50", "green": "true"},
        "line": [{"sku": "甲"}, {"sku": "b"}],
        "note": "]]><x>",
    }


@pytest.mark.parametrize("name", ["a b", "a><x", "1a", "a\n"])
def test_an_element_name_is_never_text_from_elsewhere(name: str) -> None:
    with pytest.raises(Unreadable) as error:
        trees.write({name: "x"}, "xml")
    assert error.value.code == "bad_name"


def test_json_is_written_digit_by_digit() -> None:
    tree = {"b": Decimal("181.00"), "a": [Decimal("0.1"), 2, None, "中 \ue0000\ue001"]}

    assert trees.write(tree, "json") == '{"b":181.00,"a":[0.1,2,null,"中 0"]}'.encode()
    assert trees.write(tree, "json", sort_keys=True).startswith(b'{"a":')


def test_a_form_keeps_blanks_and_lists_repeated_names() -> None:
    assert trees.read(b"a=1&b=&a=2&c=%E4%B8%AD", "form") == {"a": ["1", "2"], "b": "", "c": "中"}
    assert (
        trees.write({"a": "x y", "b": None, "c": True, "d": {"e": 1}}, "form")
        == b"a=x+y&c=true&d=%7B%22e%22%3A1%7D"
    )
    assert refused(b"a=%ff", "form") == "not_form"
    assert refused(b"&".join(b"a%d=1" % n for n in range(1100)), "form") == "not_form"


def test_a_field_of_a_form_holds_json() -> None:
    body = b"sign=0&param=%7B%22nu%22%3A4781320682406083640%7D"

    assert trees.read(body, "form+json:param") == {"nu": "4781320682406083640"}
    assert refused(body, "form+json:other") == "no_field"
    assert refused(body + b"&param=%7B%7D", "form+json:param") == "no_field", (
        "two fields: which one was signed?"
    )
    assert refused(b"param=no", "form+json:param") == "not_json"


def test_any_body_is_recognized_where_the_door_says_auto() -> None:
    assert trees.read(b' {"a":1}', "auto") == {"a": 1}
    assert trees.read(b"<r><a>1</a></r>", "auto")["a"] == "1"
    assert trees.read(b"a=1", "auto") == {"a": "1"}
    assert trees.read(b"", "auto") == {}
    assert trees.read(b"anything", "none") == {}


def test_separated_values_become_rows_under_the_names_of_the_first_line() -> None:
    assert trees.read(b'a,b ,\n1,"x, y",z\n,,\n2,w\n', "csv") == [
        {"a": "1", "b": "x, y"},
        {"a": "2", "b": "w"},
    ]
    assert trees.read(b'sku\tname\nS1\t5" disk\n', "tsv") == [{"sku": "S1", "name": '5" disk'}]
    assert refused(b'a\n"x', "csv") == "not_rows"


def test_edifact_with_groups_is_read_message_by_message() -> None:
    tree = trees.read((DATA / "iftsta_d07b_with_ung.edi").read_bytes(), "edifact")

    assert [(one["type"], one["release"], one["group"]) for one in tree["messages"]] == [
        ("IFTSTA", "D07B", "00000000000001")
    ] * 2
    first, second = tree["messages"]
    assert {"tag": "STS", "e": [["1", "D2", "21"]]} in first["segments"]
    assert {"tag": "DTM", "e": [["78", "20261112173746", "204"]]} in first["segments"]
    assert second["segments"][-1] == {
        "tag": "FTX", "e": [["AVA"], ["MF"], [""], ["BEING HELD FOR A FUTURE DELIVERY DATE.", "REASON"]],
    }  # fmt: skip
    assert (tree["sender"], tree["receiver"], tree["reference"]) == (
        "CARRIER",
        "SHIPPER-IFTSTA",
        "00000000000001",
    )


def test_edifact_signs_are_those_of_the_una_segment_and_a_released_sign_is_text() -> None:
    body = (
        b"UNA|*.! ~UNB*UNOC|3*A*B*261112|1243*1~UNH*1*IFTSTA|D|07B|UN~FTX*AVA***IT!~S 5!*5!!~UNT*3*1~UNZ*1*1~"
    )

    assert trees.read(body, "edifact")["messages"][0]["segments"] == [
        {"tag": "FTX", "e": [["AVA"], [""], [""], ["IT~S 5*5!"]]}
    ]
    usual = b"UNB+UNOC:3+A+B+261112:1243+1'UNH+1+X:D:96A:UN'FTX+AVA+++What?'s ?+ ??'UNT+3+1'UNZ+1+1'"
    assert trees.read(usual, "edifact")["messages"][0]["segments"][0]["e"][-1] == ["What's + ?"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "not_edifact"),
        (b"hello", "not_edifact"),
        (b"UNB+UNOA:1+A+B+1:1+1'UNH+1+X:D'BGM+1'UNT+9+1'", "edifact_count"),
        (b"UNB+UNOA:1+A+B+1:1+1'UNH+1+X:D'BGM+1'", "edifact_end"),
        (b"UNB+UNOA:1+A+B+1:1+1'UNH+1+X:D'BGM+1", "edifact_end"),
        (b"UNB+UNOA:1+A+B+1:1+1'BGM+1'", "edifact_segment"),
        (b"UNB+UNOA:1+A+B+1:1+1'UNT+2+1'", "edifact_segment"),
        (b"UNB+UNOA:1+A+B+1:1+1'<x>+1'", "edifact_segment"),
        ("UNB+UNOA:1+中".encode("gbk"), "charset"),
    ],
)
def test_a_broken_interchange_is_refused(body: bytes, code: str) -> None:
    assert refused(body, "edifact") == code


@settings(max_examples=60, deadline=None)
@given(
    st.binary(max_size=300),
    st.sampled_from(["json", "xml", "form", "form+json:a", "edifact", "csv", "tsv", "auto"]),
)
def test_any_bytes_become_a_tree_json_can_hold_or_are_unreadable(body: bytes, form: str) -> None:
    with contextlib.suppress(Unreadable):
        json.dumps(trees.plain(trees.read(body, form)))


_TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x00\ue000\ue001"), max_size=20)
_MONEY = st.decimals(-(10**9), 10**9, allow_nan=False, allow_infinity=False, places=2)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**14), 10**14) | _TEXTS | _MONEY,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=40, deadline=None)
@given(_VALUES)
def test_what_is_written_as_json_is_read_as_it_was(tree: Any) -> None:
    body = trees.write(tree, "json")

    json.loads(body)
    assert trees.read(body, "json") == tree

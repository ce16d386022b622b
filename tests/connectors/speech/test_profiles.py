"""Every shipped profile: its own tests pass, its words are in two languages, and its rules are those of the vectors."""

from __future__ import annotations

import base64
import copy
import csv
import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args

import pytest

from orderhub.connectors.applying.making import HOUSE
from orderhub.connectors.speech import shipped, signing, trees, trial, words
from orderhub.connectors.speech.flaws import Faulty
from orderhub.connectors.speech.mapping import MEANS
from orderhub.connectors.speech.profile import Profile
from orderhub.fulfillment.models import Parcel
from orderhub.fulfillment.updates import MakeEvent, UpdateKind
from tests.connectors.speech.signature_cases import VECTORS, signed
from tracking import narrate

CODES = shipped.codes()
WANTED = {
    "shopify", "woocommerce", "douyin", "taobao", "qimen", "kingdee", "kuaidi100", "sf", "pinduoduo", "jd", "amazon",
    "yonyou_u8", "sap_idoc", "easypost", "aftership", "edifact_iftsta", "dcsa", "standard_webhooks", "owntracks",
    "osmand", "traccar", "generic_channel", "generic_carrier", "generic_warehouse", "generic_erp", "generic_mes",
    "sap_idoc_files", "yonyou_u8_files", "amazon_reports", "order_files", "generic_files", "generic_table",
}  # fmt: skip
#: Which rule of which profile signs which vector, and what the profile asks for besides.
SIGNED_BY = {
    "shopify": ("shopify", "webhook"), "woocommerce": ("woocommerce", "webhook"), "easypost": ("easypost", "webhook"),
    "standard-webhooks": ("standard_webhooks", "webhook"), "qimen": ("qimen", "qimen"), "top": ("taobao", "api"),
    "jd": ("jd", "api"), "pdd": ("pinduoduo", "api"), "doudian-api": ("douyin", "api"),
    "doudian-push": ("douyin", "push"), "sf": ("sf", "digest"), "kuaidi100-push": ("kuaidi100", "push"),
}  # fmt: skip
STATUSES = {"created", "paid", "shipped", "completed", "cancelled", "reviewing", "closed"}


def test_all_systems_of_the_list_are_there() -> None:
    assert set(CODES) == WANTED


@pytest.mark.parametrize("code", CODES)
def test_the_profiles_own_tests_pass(code: str) -> None:
    profile = shipped.load(code)

    outcomes = trial.run_all(profile, shipped.samples(code))

    assert [(one.name, one.differences) for one in outcomes if not one.ok] == []
    assert len(outcomes) >= 2
    assert profile.verified


@pytest.mark.parametrize("code", CODES)
def test_a_profile_speaks_both_languages_and_only_our_words(code: str) -> None:
    profile = shipped.load(code)
    chinese = re.compile("[一-鿿]")

    assert profile.code == code
    assert chinese.search(profile.about_zh)
    assert not chinese.search(profile.about_en)
    assert all(ask.en and not chinese.search(ask.en + ask.help_en) for ask in profile.asks)
    known = narrate.milestones()
    for codes in profile.codes.values():
        for rule in codes.rules:
            entry = rule.entry
            assert not entry.milestone or entry.milestone in known, entry
            assert not entry.status or entry.status in Parcel.Status.values, entry
            assert not entry.event or entry.event in (*get_args(UpdateKind), *get_args(MakeEvent), *HOUSE), (
                entry
            )
    if profile.role == "channel":
        assert set(profile.tables.get("status", {}).values()) <= STATUSES
    assert all(one.means in MEANS for one in profile.maps.values())


@pytest.mark.parametrize("code", CODES)
def test_every_sample_has_a_source_and_every_named_file_is_there(code: str) -> None:
    with (shipped.FOLDER / "SOURCES.tsv").open(encoding="utf-8", newline="") as lines:
        listed = {row["file"] for row in csv.DictReader(lines, delimiter="\t")}
    folder = shipped.FOLDER / code
    there = {path.relative_to(shipped.FOLDER).as_posix() for path in folder.glob("samples/*")}

    assert there <= listed
    assert there
    for case in shipped.load(code).tests:
        for given in (case.request, case.answer):
            assert "file" not in given or shipped.samples(code)(str(given["file"]))


@pytest.mark.parametrize(
    "vector", [one for one in VECTORS if one["scheme"] in SIGNED_BY], ids=lambda one: one["scheme"]
)
def test_the_shipped_rules_sign_the_vectors(vector: dict[str, Any]) -> None:
    code, name = SIGNED_BY[vector["scheme"]]
    case = signed(vector)
    spec = shipped.load(code).signatures[name]

    assert signing.sign(spec, case.request(), case.secret, case.config) == vector["expected"]


def test_kingdees_gateway_key_is_taken_out_of_the_application_id() -> None:
    """Worked out by hand: what follows the underscore, decoded, mixed with the gateway's word, encoded again."""
    rule = dict(shipped.load("kingdee").document["signatures"]["api"])
    raw, word = base64.b64decode("ZXhhbXBsZS1nYXRld2F5LWtleS0wMDAx"), b"0054f397c6234378b09ca7d3e5debce7"
    by_hand = base64.b64encode(bytes(byte ^ word[at % len(word)] for at, byte in enumerate(raw))).decode()
    case = signed(next(vector for vector in VECTORS if vector["scheme"] == "kingdee-v2"))
    del rule["seed"], rule["secret_from"]
    direct = signing.SignatureSpec.parse({**rule, "key": "secret"})

    mark = signing.sign(
        shipped.load("kingdee").signatures["api"], case.request(), "unused",
        {"app_id": "100001_ZXhhbXBsZS1nYXRld2F5LWtleS0wMDAx"},
    )  # fmt: skip

    assert mark == signing.sign(direct, case.request(), by_hand, {})
    assert signing.sign(direct, case.request(), case.secret, {}) == case.signature


@pytest.mark.parametrize("name", ["shopify", "woocommerce"])
def test_what_the_issue_calls_canonical_is_what_comes_out(name: str) -> None:
    profile = shipped.load(name)
    case = next(one for one in profile.tests if "order" in str(one.request.get("file", "")))

    value = trial.run(profile, case, shipped.samples(name)).got[0]["value"]

    assert trial.differences(canonical(name), value) == []


def test_what_the_issue_calls_canonical_is_what_comes_out_of_a_page_of_douyin() -> None:
    profile = shipped.load("douyin")
    case = next(one for one in profile.tests if one.name == "a page of orders")

    [part] = trial.run(profile, case, shipped.samples("douyin")).got["parts"]

    assert trial.differences(canonical("douyin"), part["value"]) == []


def canonical(name: str) -> Any:
    return json.loads((Path(__file__).parent / "data" / f"canonical_{name}.json").read_text())


def test_a_mistake_in_a_profile_is_told_with_its_path_and_in_words() -> None:
    document = copy.deepcopy(json.loads((shipped.FOLDER / "qimen" / "profile.json").read_text()))
    document["maps"]["confirm"]["fields"][0]["from"] = "deliveryOrder.["
    document["maps"]["process"]["codes"] = "steps"
    document["door"]["routes"][0]["map"] = "confirmation"
    document["operations"]["release"]["signature"] = "top"
    document["operations"]["cancel"]["url"] = "https://{message.host}/x/{app_keys}"
    document["operations"]["dance"] = {"url": "{app_key}"}
    document["asks"][1]["kind"] = "colour"
    document["zone"] = "Asia/Atlantis"
    document["code"] = "Qi Men"
    document["tests"][0].pop("expected")
    document["pets"] = []

    with pytest.raises(Faulty) as error:
        Profile.parse(document)

    assert {(flaw.path, flaw.code) for flaw in error.value.flaws} == {
        ("maps.confirm.fields[0].from", "path_wrong"),
        ("maps.process.codes", "unknown_name"),
        ("door.routes[0].map", "unknown_name"),
        ("operations.release.signature", "unknown_name"),
        ("operations.cancel.url", "unknown_setting"),
        ("operations.cancel.url", "url_host"),
        ("operations.dance", "not_a_choice"),
        ("operations.dance.url", "url_start"),
        ("asks[1].kind", "not_a_choice"),
        ("zone", "no_zone"),
        ("code", "bad_code"),
        ("tests[0].expected", "missing"),
        ("pets", "unknown_word"),
    }
    said = [words.flaw(flaw, "zh-hans") for flaw in error.value.flaws]
    assert "maps.process.codes: 没有名为 steps 的 codes。" in said


@pytest.mark.parametrize(
    "document", [[], "x", None, {"code": 1, "maps": [], "door": 7, "asks": {}, "tests": [3]}]
)
def test_no_document_makes_the_reader_fail(document: Any) -> None:
    with pytest.raises(Faulty):
        Profile.parse(document)


@pytest.mark.parametrize(
    ("code", "name", "file", "form"),
    [
        ("qimen", "release a fulfillment", "deliveryorder_create.xml", "xml"),
        ("qimen", "cancel", "order_cancel.xml", "xml"),
        ("yonyou_u8", "a sales order", "eai_saleorder.xml", "xml"),
        ("sap_idoc", "an order as an IDoc", "ORDERS05.xml", "xml"),
        ("kingdee", "save an order", "SAL_SaleOrder_Save.json", "json"),
        ("douyin", "agree to another address", "order_addressConfirm_request.json", "query"),
    ],
)
def test_what_we_send_is_the_sample_and_nothing_else(code: str, name: str, file: str, form: str) -> None:
    profile = shipped.load(code)
    case = next(one for one in profile.tests if one.name == name)
    sample = trees.read(shipped.samples(code)(file), "xml" if form == "xml" else "json")

    got = trial.run(profile, case).got
    sent = json.loads(got["query"]["param_json"]) if form == "query" else got["body"]

    if code == "qimen" and "deliveryOrder" in sample:
        # We do not say that an order was split: the sample's flag.
        del sample["deliveryOrder"]["orderFlag"]
    if code == "sap_idoc":
        del sent["IDOC"]["E1EDP01"]["VPREI"]
    assert numbers(sent) == numbers(sample)


def numbers(tree: Any) -> Any:
    """The tree with every number as the shortest text, so that 181 and 181.0 are the same."""
    if isinstance(tree, dict):
        return {name: numbers(value) for name, value in tree.items()}
    if isinstance(tree, list):
        return [numbers(value) for value in tree]
    if isinstance(tree, int | Decimal) and not isinstance(tree, bool):
        return format(Decimal(tree).normalize(), "f")
    return tree

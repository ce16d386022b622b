"""The forms of calls: what a profile says of a call is shown, and kept to the letter when nothing was changed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.http import QueryDict

from orderhub.connectors.console import calling, code_rows, draft_forms
from orderhub.connectors.console.admin_operations import Desk
from orderhub.connectors.speech import shipped, trial
from orderhub.connectors.speech.profile import Profile
from orderhub.fulfillment.models import Parcel

CALLS = [
    (code, name) for code in shipped.codes() for name in shipped.load(code).document.get("operations", {})
]


def posted(call: dict[str, Any], rule: dict[str, Any]) -> QueryDict:
    """What a browser sends for the page as it stands."""
    shown, form = calling.shown(call), QueryDict(mutable=True)

    def lines(prefix: str, found: list[Any]) -> None:
        for line in found:
            for name, value in (
                ("to", line.to),
                ("path", line.path),
                ("how", line.how),
                ("detail", line.detail),
            ):
                form.appendlist(prefix + name, value)
            if prefix == "body_":
                form.appendlist("body_inside", line.inside)
                form.appendlist("body_required", "1" if line.required else "")

    form.update(
        {
            "method": call.get("method", "POST"),
            "url": call["url"],
            "form": shown["call"]["form"],
            "root": call.get("root", ""),
        }
    )
    for place, line in shown["head"]:
        form.appendlist("head_place", place)
        lines("head_", [line])
    lines("body_", shown["body"])
    lines("field_", shown["fields"] if call.get("fields") else [])
    for name, path in shown["lists"]:
        form.appendlist("list_name", name)
        form.appendlist("list_path", path)
    for one in shown["rules"]:
        for name in ("path", "equals", "means"):
            form.appendlist(f"rule_{name}", one[name])
    ack = shown["ack"]
    form.update({"ack_form": ack.get("form", "json"), "otherwise": ack.get("otherwise", "")})
    form.update({f"ack_{name}": ack.get(name, "") for name in ("reference", "message", "wait")})
    form.update({"answer_map": shown["answer_map"], "answer_items": shown["answer_items"]})
    before = shown["before"]
    form.update({
        "before_operation": before.get("operation", ""), "before_take": shown["take"], "before_keep": before.get("keep_for", ""),
        "before_rotates": shown["rotates"],
    })  # fmt: skip
    told = draft_forms.shown_rule(rule)
    form.update(
        {name: rule[name] for name in ("alg", "enc", "prefix", "key", "equals", "between") if rule.get(name)}
    )
    for part in told["parts"]:
        form.appendlist("part", part)
    for name in ("where", "ts", "nonce"):
        form.update({f"{name}_kind": told[name][0], f"{name}_name": told[name][2]})
    form["tolerance_s"] = str(rule.get("tolerance_s", ""))
    form.update({"message": "{}", "answer": "", "status": "200"})
    return form


@pytest.mark.parametrize(("code", "name"), CALLS)
def test_a_shipped_call_works_on_as_it_did_after_its_page_was_kept_unchanged(code: str, name: str) -> None:
    document = json.loads(json.dumps(shipped.load(code).document))
    desk = Desk(document, name)
    rule = desk._rule()

    desk.take(posted(document["operations"][name], rule))

    assert desk.fault == ""
    made = Profile.parse(desk.document)
    failed = [(one.name, one.differences) for one in trial.run_all(made, shipped.samples(code)) if not one.ok]
    assert failed == []
    before = shipped.load(code).operations[name]
    after = made.operations[name]
    assert (after.url, after.method, after.query, after.headers, after.prepare, after.query_first) == (
        before.url, before.method, before.query, before.headers, before.prepare, before.query_first
    )  # fmt: skip
    assert (after.ack.when, after.ack.otherwise) == (before.ack.when, before.ack.otherwise)


def test_a_line_that_is_no_json_is_told_and_nothing_is_lost() -> None:
    desk = Desk({"operations": {}}, "ping")
    form = QueryDict(mutable=True)
    form.update(
        {
            "url": "{base}/",
            "head_place": "header",
            "head_to": "X",
            "head_path": "a",
            "head_how": "own",
            "head_detail": "{",
        }
    )

    desk.take(form)

    assert "JSON" in desk.fault
    assert desk.document == {"operations": {}}


def test_removing_a_call_takes_its_tests_and_turns_along() -> None:
    document = json.loads(json.dumps(shipped.load("woocommerce").document))
    made = Desk(document, "list_orders").dropped()

    assert "list_orders" not in made["operations"]
    assert all(one.get("operation") != "list_orders" for one in [*made["tests"], *made.get("schedules", [])])


LISTED = [
    (code, name)
    for code in shipped.codes()
    for name, one in shipped.load(code).document.get("maps", {}).items()
    if one.get("codes") and one.get("means") == "scan"
]


@pytest.mark.parametrize(("code", "name"), LISTED)
def test_a_shipped_list_of_codes_is_kept_to_the_letter(code: str, name: str) -> None:
    document = json.loads(json.dumps(shipped.load(code).document))
    known = document["maps"][name]
    form = QueryDict(mutable=True)
    offered = {*Parcel.Status.values, "-", ""}
    for row in code_rows.shown(document, known):
        assert row["status"] in offered
        form.appendlist("code", row["code"])
        form.appendlist("code_pattern", row["pattern"])
        form.appendlist("code_status", row["status"])

    made, map_made = code_rows.entered(document, name, known, form)

    assert made["codes"] == document["codes"]
    assert map_made == known

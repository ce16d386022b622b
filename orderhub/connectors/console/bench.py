"""One map on the table: a sample beside our fields, what was entered so far, and what comes out of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest
from django.utils.translation import get_language, gettext

from orderhub.connectors.console import code_rows, draft_forms, drafting, sampling, sealed
from orderhub.connectors.console.admin_inbox import table
from orderhub.connectors.console.our_fields import find
from orderhub.connectors.models import InboxMessage
from orderhub.connectors.speech import reading, trees, trial, words
from orderhub.connectors.speech.flaws import Faulty
from orderhub.connectors.speech.limits import Unreadable
from orderhub.connectors.speech.moments import text_of
from orderhub.connectors.speech.picking import BadPath, Path, TooMuch
from orderhub.connectors.speech.profile import Profile as Spec


class Bench:
    """One map with a sample on the table, and what was entered so far."""

    def __init__(
        self, document: dict[str, Any], name: str, known: dict[str, Any], request: HttpRequest
    ) -> None:
        self.draft, self.name, self.known = document, name, known
        self.means = str(known.get("means") or name)
        self.fault, self.doubts = "", dict[str, str]()
        self.number, test = _test_of(document, name)
        self.test_name = str(test.get("name") or name)
        self.request = dict(test.get("request") or {})
        self.sample = _body(self.request)
        self.form = _form_of(document, self.request)
        message = request.GET.get("message") or request.POST.get("message") or ""
        self.message = message if message.isdigit() else ""
        if self.message and request.method == "GET":
            self.sample = _from_inbox(request, int(self.message)) or self.sample
        self.version, self.items = str(known.get("version") or ""), str(known.get("items") or "")
        self.codes = code_rows.shown(document, known)
        self.rows = drafting.rows(known)
        if request.GET.get("propose") and request.method == "GET":
            self.propose()

    def take(self, post: Any) -> None:
        """What was entered."""
        self.sample = post.get("sample", "").replace("\r\n", "\n")
        self.version, self.items = post.get("version", ""), post.get("items", "")
        self.rows = draft_forms.rows_entered(post)
        if self.has_codes:
            self.draft, self.known = code_rows.entered(self.draft, self.name, self.known, post)
            self.codes = code_rows.shown(self.draft, self.known)
        try:
            self.known = drafting.with_rows(self.known, self.rows, version=self.version, items=self.items)
        except ValueError:
            self.fault = gettext(
                'A line of the sort “own” is not readable as JSON; it is a list like ["str"].'
            )
            return
        self.rows = drafting.rows(self.known)
        if post.get("deed") == "propose":
            self.propose()

    def propose(self) -> None:
        """A path for each line that has none."""
        self.rows, self.doubts = drafting.proposed(
            self.known, self.looked_at, currency=str(self.draft.get("currency") or "")
        )

    @property
    def tree(self) -> Any:
        """The sample as a tree; {} where it cannot be read."""
        try:
            return trees.read(self.sample.encode(), self.form)
        except Unreadable as no:
            if self.sample.strip():
                self.fault = self.fault or words.say(
                    words.UNREADABLE, no.code, no.facts, get_language() or "en"
                )
            return {}

    @property
    def one(self) -> Any:
        """One message of it."""
        tree = self.tree
        split = str((self.draft.get("door") or {}).get("split") or "")
        if split:
            found = pick(split, {**(tree if isinstance(tree, dict) else {}), "_body": tree})
            return found[0] if isinstance(found, list) and found else tree
        return tree if self.items else sampling.message_of(tree)[0]

    @property
    def looked_at(self) -> Any:
        """What paths begin at: the message, or the first of its items."""
        return sampling.item_of(self.one, pick(self.items, self.one)) if self.items else self.one

    @property
    def has_codes(self) -> bool:
        """Whether codes of theirs are read by a list."""
        return self.means == "scan"

    @property
    def paths(self) -> list[sampling.Found]:
        """Every value of the sample."""
        return sampling.paths(self.looked_at)

    def lines(self, zh: bool) -> list[dict[str, Any]]:
        """The lines of the table, each with the value it would pick."""
        one = self.looked_at
        lists = {row.inside: row.path for row in self.rows if row.inside and not row.to}
        items = {name: _first(pick(where, one)) for name, where in lists.items()}
        made, seen = [], set[str]()
        for row in self.rows:
            head = bool(row.inside) and row.inside not in seen
            seen.add(row.inside)
            value = pick(row.path, items.get(row.inside) if row.inside and not head else one)
            ours = find(self.means, row.inside, row.to)
            made.append({
                "row": row, "head": head, "label": drafting.label(self.means, row, zh=zh) if row.to or head else "",
                "value": "" if value is None else trees.json_text(value)[:60] if isinstance(value,
                    dict | list) else text_of(value)[:60],
                "doubt": self.doubts.get(f"{row.inside}.{row.to}", ""), "needed": bool(ours and ours.required),
                "is_free": not row.inside and ours is None, "list": f"paths-{row.inside}" if row.inside and not head else "paths",
            })  # fmt: skip
        return made

    def inner(self) -> dict[str, list[sampling.Found]]:
        """The values inside each list of ours, by the name of the list."""
        found = self.paths
        lists = {row.inside: row.path for row in self.rows if row.inside and not row.to}
        return {
            name: [part for part in found if part.inside == where] for name, where in lists.items() if where
        }

    def tried(self) -> dict[str, Any] | None:
        """What the map makes of the sample: our fields and every fault; None without a sample."""
        if not self.sample.strip():
            return None
        document = self.document()
        try:
            spec = Spec.parse({**document, "tests": []})
        except Faulty as fault:
            language = get_language() or "en"
            return {"flaws": [words.flaw(one, language) for one in fault.flaws], "lines": [], "faults": []}
        part = reading.understand(spec, self.name, self.one, {})
        language = get_language() or "en"
        return {
            "flaws": [], "lines": table(self.means, part.value), "faults": [words.fault(one, language) for one in part.faults],
            "version": part.version, "unknown": part.unknown,
        }  # fmt: skip

    def document(self) -> dict[str, Any]:
        """The draft with this map and this sample."""
        try:
            known = drafting.with_rows(self.known, self.rows, version=self.version, items=self.items)
        except ValueError:
            known = self.known
        made = {**self.draft, "maps": {**(self.draft.get("maps") or {}), self.name: known}}
        tests = list(made.get("tests") or [])
        if self.sample.strip():
            test = tests[self.number] if self.number < len(tests) else {"name": self.name, "kind": "in"}
            request = {name: value for name, value in self.request.items() if name not in ("body", "file")}
            tests[self.number : self.number + 1] = [{**test, "request": {**request, "body": self.sample}}]
            made["tests"] = tests
        return made

    def expecting(self, document: dict[str, Any]) -> dict[str, Any]:
        """The draft whose test wants just what comes out now; a fault where nothing comes out."""
        try:
            tests = [{**one, "expected": one.get("expected") or []} for one in document["tests"]]
            spec = Spec.parse({**document, "tests": [tests[self.number]]})
        except Faulty as fault:
            self.fault = words.flaw(fault.flaws[0], get_language() or "en")
            return document
        got = trial.run(spec, spec.tests[0]).got
        faults = (
            [fault for part in got for fault in part.get("faults", ())] if isinstance(got, list) else [got]
        )
        if faults:
            self.fault = gettext(
                "There are still faults in the result; correct them first, or the test would hold on to them."
            )
            return document
        return drafting.with_expected(document, self.number, drafting.expectation(got))


def _test_of(document: Mapping[str, Any], name: str) -> tuple[int, dict[str, Any]]:
    """The test whose sample is on the table: the map's own, else the first that comes in and is called so; else a new one."""
    tests = list(document.get("tests") or [])
    for number, one in enumerate(tests):
        if one.get("kind", "in") == "in" and name in (one.get("map"), one.get("name")):
            return number, one
    incoming = [number for number, one in enumerate(tests) if one.get("kind", "in") == "in"]
    if incoming and len(document.get("maps") or {}) == 1:
        return incoming[0], tests[incoming[0]]
    return len(tests), {}


def _body(request: Mapping[str, Any]) -> str:
    body = request.get("body", "")
    return body if isinstance(body, str) else json.dumps(body, ensure_ascii=False, indent=2)


def _form_of(document: Mapping[str, Any], request: Mapping[str, Any]) -> str:
    if request.get("fetched"):
        return str(request.get("form") or "json")
    return str((document.get("door") or {}).get("form") or "auto")


def _from_inbox(request: HttpRequest, pk: int) -> str:
    """A message of the inbox as a sample, persons always behind marks: a profile stays readable."""
    rows = InboxMessage.objects.select_related("connection__profile__in_force")
    merchant_id = getattr(request.user, "merchant_id", None)
    rows = rows.filter(merchant_id=merchant_id) if merchant_id is not None else rows
    row = rows.filter(pk=pk).first()
    if row is None or not request.user.has_perm("connectors.view_inboxmessage"):
        return ""
    return sealed.read(row, clear=False).text


def pick(where: str, tree: Any) -> Any:
    """What a path finds in a tree; None also where it is no path."""
    if not where or tree is None:
        return None
    try:
        return Path(where).pick({**tree, "_body": tree} if isinstance(tree, dict) else {"_body": tree})
    except (BadPath, TooMuch, TypeError, ValueError, ArithmeticError):
        return None


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, list) and value else value

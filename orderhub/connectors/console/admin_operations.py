"""The page of one call: what is sent, how it is signed, what the answer means; tried with an example before anything is kept."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from orderhub.connectors.console import calling, draft_forms, hows, our_messages, sampling
from orderhub.connectors.console.admin_editor import ProfileEditor, working
from orderhub.connectors.models import Profile
from orderhub.connectors.speech import calls, digests, trial, words
from orderhub.connectors.speech.flaws import Faulty
from orderhub.connectors.speech.limits import Unreadable
from orderhub.connectors.speech.profile import Profile as Spec
from orderhub.inventory.admin_base import is_chinese, named

METHODS = ("POST", "GET", "PUT", "PATCH", "DELETE")
_ADDRESS = "https://system.example"


class OperationEditor(ProfileEditor):
    """The calls of a draft as forms."""

    def get_urls(self) -> list[Any]:
        """One page for each call."""
        wrap = self.admin_site.admin_view
        own = path(
            "<int:object_id>/call/<slug:operation>/",
            wrap(self.operation),
            name="connectors_profile_operation",
        )
        return [own, *super().get_urls()]

    def operation(self, request: HttpRequest, object_id: int, operation: str) -> HttpResponse:
        """One call: entered, tried with an example, kept, and held on to as a test."""
        row = self._editable(request, object_id)
        if operation not in calls.OPERATIONS:
            raise Http404
        desk = Desk(working(row), operation)
        if request.method == "POST":
            desk.take(request.POST)
        deed = request.POST.get("deed", "")
        if deed in ("save", "expect", "drop") and not desk.fault:
            made = desk.document if deed == "save" else desk.dropped() if deed == "drop" else desk.expecting()
            if not desk.fault:
                self._keep(request, row, made)
                messages.success(request, _SAID[deed])
                to = ("draft", (row.pk,)) if deed == "drop" else ("operation", (row.pk, operation))
                return HttpResponseRedirect(reverse(f"admin:connectors_profile_{to[0]}", args=to[1]))
        return self.page(request, "operation", _("Calls of %(name)s") % {"name": named(row)}, desk.about(row))


_SAID: Mapping[str, Any] = {
    "save": _("The draft is kept; nothing is in force yet."),
    "expect": _("Kept, and the result is held on to as a test."),
    "drop": _("The call is gone from the draft."),
}


class Desk:
    """One call with an example on the table, and what was entered so far."""

    def __init__(self, document: dict[str, Any], name: str) -> None:
        self.document, self.name, self.fault = document, name, ""
        known = (document.get("operations") or {}).get(name)
        self.is_new = not isinstance(known, dict)
        self.call: dict[str, Any] = dict(known) if isinstance(known, dict) else _first(document, name)
        self.message = json.dumps(
            self._case("out").get("message") or our_messages.example(name), ensure_ascii=False, indent=1
        )
        answer = self._case("answer").get("answer") or {}
        body = answer.get("body", "")
        self.answer = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
        self.status = str(answer.get("status", 200))

    def _case(self, kind: str) -> dict[str, Any]:
        tests = self.document.get("tests") or []
        return next(
            (one for one in tests if one.get("kind") == kind and one.get("operation") == self.name), {}
        )

    def take(self, post: Any) -> None:
        """What was entered."""
        self.message, self.answer = post.get("message", ""), post.get("answer", "").replace("\r\n", "\n")
        self.status = post.get("status", "200")
        try:
            self.call = calling.entered(self.call, post)
        except ValueError:
            self.fault = gettext(
                'A line of the sort “own” is not readable as JSON; it is a list like ["str"].'
            )
            return
        before = self._rule()
        rule = draft_forms.rule_entered(post, before)
        self.document = calling.with_call(
            draft_forms.with_secret(self.document, rule), self.name, self.call, rule
        )
        self.call = self.document["operations"][self.name]
        self.document = _with_settings(self.document, self.call)
        self.is_new = False

    def _rule(self) -> dict[str, Any]:
        names = calling.shown(self.call)["is_signed_as"]
        return dict((self.document.get("signatures") or {}).get(names[0]) or {}) if names else {}

    def tried(self) -> dict[str, Any] | None:
        """What is sent for the example, and what the answer means; None for a call nobody described yet."""
        if self.is_new:
            return None
        language = get_language() or "en"
        try:
            message = calling.json_of(self.message)
        except ValueError as no:
            return {"faults": [gettext("This is not readable as JSON: %(why)s") % {"why": no}]}
        try:
            spec = self._spec([])
            sent = calls.build(
                spec, self.name, message, self._config(spec), trial.SECRET, trial.NOW, trial.NONCE
            )
        except Faulty as fault:
            return {"faults": [words.flaw(one, language) for one in fault.flaws]}
        except calls.CannotBuild as no:
            return {"faults": [words.fault(one, language) for one in no.faults]}
        except (digests.BadKey, Unreadable) as no:
            return {"faults": [str(no)]}
        told: dict[str, Any] = {
            "faults": [], "method": sent.method, "url": sent.url, "headers": sorted(sent.headers.items()),
            "body": sent.body.decode("utf-8", "replace"),
        }  # fmt: skip
        if self.answer.strip():
            case = Spec.parse({**self.document, "tests": [self._answer_case([])]}).tests[0]
            got = trial.run(spec, case).got
            told["answer"] = got
            told["parts"] = list(got.get("parts", [])) if isinstance(got, dict) else []
        return told

    def _spec(self, tests: list[Any]) -> Spec:
        return Spec.parse({**self.document, "tests": tests})

    def _config(self, spec: Spec) -> dict[str, Any]:
        made = {one.name: _ADDRESS if one.kind == "url" else one.default or one.name for one in spec.asks}
        return {**made, **spec.defaults}

    def _answer_case(self, expected: Any) -> dict[str, Any]:
        status = int(self.status) if self.status.isdigit() and len(self.status) == 3 else 200
        return {
            "name": f"{self.name} answer", "kind": "answer", "operation": self.name, "expected": expected,
            "answer": {"status": status, "body": self.answer},
        }  # fmt: skip

    def expecting(self) -> dict[str, Any]:
        """The draft whose tests want just this call and this meaning of the answer; a fault where nothing comes out."""
        tried = self.tried()
        if tried is None or tried["faults"]:
            self.fault = gettext(
                "There are still faults in the result; correct them first, or the test would hold on to them."
            )
            return self.document
        spec = self._spec([])
        case = {
            "name": self.name, "kind": "out", "operation": self.name, "message": calling.json_of(self.message),
            "config": self._config(spec), "expected": {},
        }  # fmt: skip
        got = trial.run(spec, self._spec([case]).tests[0]).got
        case["expected"] = {name: got[name] for name in ("method", "url", "query", "text") if got.get(name)}
        tests = [case]
        if self.answer.strip():
            answered = tried["answer"]
            tests.append(
                self._answer_case({name: answered[name] for name in ("means", "reference", "message")})
            )
        others = [
            one for one in self.document.get("tests") or []
            if one.get("kind", "in") == "in" or one.get("operation") != self.name
        ]  # fmt: skip
        # Tests nobody expected anything of yet would keep the profile from coming into force.
        return {**self.document, "tests": [*others, *tests]}

    def dropped(self) -> dict[str, Any]:
        """The draft without this call."""
        operations = {
            name: one for name, one in (self.document.get("operations") or {}).items() if name != self.name
        }
        tests = [one for one in self.document.get("tests") or [] if one.get("operation") != self.name]
        schedules = [one for one in self.document.get("schedules") or [] if one.get("operation") != self.name]
        return {**self.document, "operations": operations, "tests": tests, "schedules": schedules}

    def about(self, row: Profile) -> dict[str, Any]:
        """What the page shows."""
        zh = is_chinese()
        try:
            values = sampling.paths(calling.json_of(self.message))
        except ValueError:
            values = []
        operations = [one for one in self.document.get("operations") or {} if one != self.name]
        return {
            "row": row, "name": named(row), "desk": self, "label": our_messages.label(self.name, zh=zh),
            **calling.shown(self.call), **draft_forms.shown_rule(self._rule()), "methods": METHODS,
            "tried": self.tried(), "values": values, "others": operations, "forms": draft_forms.BODY_FORMS,
            "answer_forms": draft_forms.FORMS, "means": draft_forms.ANSWERED, "fetches": self.name in our_messages.FETCHING,
            "maps": list(self.document.get("maps") or {}), "around": draft_forms.around(self.document),
            "hows": [(how, both[0 if zh else 1]) for how, both in hows.HOWS.items()],
        }  # fmt: skip


def _first(document: Mapping[str, Any], name: str) -> dict[str, Any]:
    """What a call looks like before anybody described it."""
    urls = [str(one.get("name")) for one in document.get("asks") or () if one.get("kind") == "url"]
    fetches = name in our_messages.FETCHING
    return {
        "method": "GET" if fetches else "POST", "url": f"{{{urls[0] if urls else 'base_url'}}}/",
        "form": "none" if fetches or name == "ping" else "json", "ack": {"form": "json"},
    }  # fmt: skip


def _with_settings(document: dict[str, Any], call: Mapping[str, Any]) -> dict[str, Any]:
    """The draft asks for the address its calls begin with."""
    asks = list(document.get("asks") or [])
    start = str(call.get("url", "")).partition("}")[0]
    name = start[1:] if start.startswith("{") else ""
    if name and name.isidentifier() and all(one.get("name") != name for one in asks):
        asks.append({"name": name, "zh": "接口地址", "en": "Address", "kind": "url", "required": True})
    return {**document, "asks": asks}

"""The editor of a profile's draft: identity, questions, signature, door; the assistant for maps; the document as a whole."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from orderhub.connectors.console import draft_forms, drafting, sampling, sealed
from orderhub.connectors.console.admin_inbox import table
from orderhub.connectors.console.our_fields import FIELDS, MEANINGS, STATES, find
from orderhub.connectors.models import InboxMessage, Profile
from orderhub.connectors.speech import reading, trees, trial, words
from orderhub.connectors.speech.flaws import Faulty
from orderhub.connectors.speech.limits import Unreadable
from orderhub.connectors.speech.moments import text_of
from orderhub.connectors.speech.picking import BadPath, Path, TooMuch
from orderhub.connectors.speech.profile import Profile as Spec
from orderhub.inventory.admin_base import HubAdmin, is_chinese, named
from orderhub.kernel import clock


def working(row: Profile) -> dict[str, Any]:
    """What is edited: the draft, else the document in force."""
    return dict(row.draft or (row.in_force.document if row.in_force is not None else {}))


class ProfileEditor(HubAdmin):
    """The pages of the editor for the admin of profiles."""

    def get_urls(self) -> list[Any]:
        """The draft, one map of it, and the document."""
        wrap, name = self.admin_site.admin_view, "connectors_profile_"
        own = [
            path("<int:object_id>/draft/", wrap(self.draft), name=name + "draft"),
            path("<int:object_id>/map/<slug:map_name>/", wrap(self.map), name=name + "map"),
            path("<int:object_id>/json/", wrap(self.json), name=name + "json"),
        ]
        return own + list(super().get_urls())

    # ---- shared ------------------------------------------------------------------------------------

    def row(self, request: HttpRequest, object_id: int) -> Profile:
        """A profile this person may see."""
        row: Profile | None = (
            self.get_queryset(request).select_related("in_force", "merchant").filter(pk=object_id).first()
        )
        if not self.has_view_or_change_permission(request, row):
            raise PermissionDenied
        if row is None:
            raise Http404
        return row

    def must(self, request: HttpRequest, permission: str) -> None:
        """Refuse whoever lacks it."""
        if not request.user.has_perm(permission):
            raise PermissionDenied

    def is_own(self, request: HttpRequest, row: Profile) -> bool:
        """Whether this person may change it: never a shipped one, and staff of a merchant only their own."""
        merchant_id = getattr(request.user, "merchant_id", None)
        return not row.is_shipped and merchant_id in (None, row.merchant_id)

    def may_publish(self, request: HttpRequest) -> bool:
        """Who may put versions in force."""
        return bool(request.user.has_perm("connectors.add_profileversion"))

    def page(self, request: HttpRequest, name: str, title: Any, found: dict[str, Any]) -> TemplateResponse:
        """One of our pages."""
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "media": self.media, "title": title, **found,
        }  # fmt: skip
        return TemplateResponse(request, f"admin/connectors/{name}.html", context)

    def publish(self, request: HttpRequest, row: Profile) -> str:
        """Put the draft in force; where to go then."""
        raise NotImplementedError

    def _editable(self, request: HttpRequest, object_id: int) -> Profile:
        row = self.row(request, object_id)
        self.must(request, "connectors.change_profile")
        if not self.is_own(request, row):
            raise PermissionDenied
        return row

    def _keep(self, request: HttpRequest, row: Profile, document: Mapping[str, Any]) -> None:
        row.draft, row.changed_at = dict(document), clock.now()
        row.save(update_fields=["draft", "changed_at"])
        self.log_change(request, row, [{"changed": {"fields": ["draft"]}}])

    # ---- the draft ---------------------------------------------------------------------------------

    def draft(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Identity, questions, signature and door as forms; what is wrong; the tests as they stand."""
        row = self._editable(request, object_id)
        document = working(row)
        if request.method == "POST":
            document = draft_forms.entered(document, request.POST)
            new = request.POST.get("new_map", "")
            if new in MEANINGS and new not in (document.get("maps") or {}):
                document["maps"] = {**(document.get("maps") or {}), new: {"means": new, "fields": []}}
            self._keep(request, row, document)
            if request.POST.get("go") == "publish" and self.may_publish(request):
                where = self.publish(request, row)
                return HttpResponseRedirect(reverse(f"admin:connectors_profile_{where}", args=(row.pk,)))
            messages.success(request, _("The draft is kept; nothing is in force yet."))
            return HttpResponseRedirect(reverse("admin:connectors_profile_draft", args=(row.pk,)))
        flaws, outcomes = judged(document)
        zh = is_chinese()
        about = {
            "row": row, "name": named(row), "document": document, "flaws": flaws, "outcomes": outcomes,
            **draft_forms.shown(document),
            "map_rows": [_map_row(name, one, zh) for name, one in (document.get("maps") or {}).items()],
            "new_maps": [(name, both[0 if zh else 1]) for name,
                both in MEANINGS.items() if name not in (document.get("maps") or {})],
            "may_publish": self.may_publish(request), "in_force": row.in_force,
        }  # fmt: skip
        return self.page(request, "draft", _("Draft of %(name)s") % {"name": named(row)}, about)

    def json(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """The document as it is, with every flaw and its place."""
        row = self._editable(request, object_id)
        text, fault = json.dumps(working(row), ensure_ascii=False, indent=2), ""
        if request.method == "POST":
            text = request.POST.get("text", "")
            try:
                document = json.loads(text)
                if not isinstance(document, dict):
                    raise ValueError(gettext("the document is an object in braces"))
            except ValueError as no:
                fault = gettext("This is not readable as JSON: %(why)s") % {"why": no}
            else:
                self._keep(request, row, document)
                messages.success(request, _("The draft is kept; nothing is in force yet."))
                return HttpResponseRedirect(reverse("admin:connectors_profile_json", args=(row.pk,)))
        flaws, outcomes = judged(working(row))
        about = {
            "row": row,
            "name": named(row),
            "text": text,
            "fault": fault,
            "flaws": flaws,
            "outcomes": outcomes,
        }
        return self.page(request, "json", _("Draft of %(name)s") % {"name": named(row)}, about)

    # ---- one map -----------------------------------------------------------------------------------

    def map(self, request: HttpRequest, object_id: int, map_name: str) -> HttpResponse:
        """The assistant: a sample beside our fields; propose, try, keep, and hold on to the result as a test."""
        row = self._editable(request, object_id)
        document = working(row)
        known = (document.get("maps") or {}).get(map_name)
        if not isinstance(known, dict):
            raise Http404
        bench = _Bench(document, map_name, known, request)
        if request.method == "POST":
            bench.take(request.POST)
        if request.POST.get("deed") in ("save", "expect") and not bench.fault:
            made = bench.document()
            if request.POST["deed"] == "expect":
                made = bench.expecting(made)
            if not bench.fault:
                self._keep(request, row, made)
                done = (
                    _("Kept, and the result is held on to as a test.")
                    if request.POST["deed"] == "expect"
                    else _("The draft is kept; nothing is in force yet.")
                )
                messages.success(request, done)
                return HttpResponseRedirect(reverse("admin:connectors_profile_map", args=(row.pk, map_name)))
        zh = is_chinese()
        about = {
            "row": row, "name": named(row), "map_name": map_name, "bench": bench, "lines": bench.lines(zh),
            "tried": bench.tried(),
            "hows": [(how, both[0 if zh else 1]) for how, both in drafting.HOWS.items()], "states": STATES.get(bench.means, ()),
            "means": MEANINGS.get(bench.means, (bench.means, bench.means))[0 if zh else 1],
            "to_names": [(one.name, one.label(zh)) for one in FIELDS.get(bench.means, ())],
        }  # fmt: skip
        return self.page(request, "map", _("Fields of %(name)s") % {"name": named(row)}, about)


class _Bench:
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
        self.version = str(known.get("version") or "")
        self.rows = drafting.rows(known)
        if request.GET.get("propose") and request.method == "GET":
            self.propose()

    def take(self, post: Any) -> None:
        """What was entered."""
        self.sample = post.get("sample", "").replace("\r\n", "\n")
        self.version = post.get("version", "")
        self.rows = draft_forms.rows_entered(post)
        try:
            self.known = drafting.with_rows(self.known, self.rows, version=self.version)
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
            self.known, self.one, currency=str(self.draft.get("currency") or "")
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
            found = _pick(split, {**(tree if isinstance(tree, dict) else {}), "_body": tree})
            return found[0] if isinstance(found, list) and found else tree
        return sampling.message_of(tree)[0]

    @property
    def paths(self) -> list[sampling.Found]:
        """Every value of the sample."""
        return sampling.paths(self.one)

    def lines(self, zh: bool) -> list[dict[str, Any]]:
        """The lines of the table, each with the value it would pick."""
        one = self.one
        lists = {row.inside: row.path for row in self.rows if row.inside and not row.to}
        items = {name: _first(_pick(where, one)) for name, where in lists.items()}
        made, seen = [], set[str]()
        for row in self.rows:
            head = bool(row.inside) and row.inside not in seen
            seen.add(row.inside)
            value = _pick(row.path, items.get(row.inside) if row.inside and not head else one)
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
            known = drafting.with_rows(self.known, self.rows, version=self.version)
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


def judged(document: Mapping[str, Any]) -> tuple[list[str], list[trial.Outcome]]:
    """Every flaw of a document in words, and its tests where it has none."""
    try:
        spec = Spec.parse(document)
    except Faulty as fault:
        language = get_language() or "en"
        return [words.flaw(one, language) for one in fault.flaws], []
    return [], list(trial.run_all(spec))


def _map_row(name: str, one: Any, zh: bool) -> dict[str, Any]:
    means = str(one.get("means", "")) if isinstance(one, dict) else ""
    fields = len(one.get("fields") or []) + sum(
        len(part.get("fields") or []) for part in (one.get("each") or {}).values()
    )
    return {"name": name, "means": MEANINGS.get(means, (means, means))[0 if zh else 1], "fields": fields}


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


def _pick(where: str, tree: Any) -> Any:
    if not where or tree is None:
        return None
    try:
        return Path(where).pick(tree if isinstance(tree, dict) else {"_body": tree})
    except (BadPath, TooMuch, TypeError, ValueError, ArithmeticError):
        return None


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, list) and value else value

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

from orderhub.connectors.console import draft_forms, hows, our_messages
from orderhub.connectors.console.bench import Bench
from orderhub.connectors.console.our_fields import FIELDS, MEANINGS, STATES
from orderhub.connectors.models import Profile
from orderhub.connectors.speech import calls, trial, words
from orderhub.connectors.speech.flaws import Faulty
from orderhub.connectors.speech.profile import Profile as Spec
from orderhub.fulfillment.models import Parcel
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
            asked = request.POST.get("new_call", "")
            if asked in calls.OPERATIONS:
                return HttpResponseRedirect(
                    reverse("admin:connectors_profile_operation", args=(row.pk, asked))
                )
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
            "calls": [(name, our_messages.label(name, zh=zh), one) for name, one in (document.get("operations") or {}).items()],
            "new_calls": [(name, our_messages.label(name, zh=zh)) for name in our_messages.ASKED.get(row.role, calls.OPERATIONS)
                          if name not in (document.get("operations") or {})],
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
        bench = Bench(document, map_name, known, request)
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
            "hows": [(how, both[0 if zh else 1]) for how, both in hows.HOWS.items()], "states": STATES.get(bench.means, ()),
            "means": MEANINGS.get(bench.means, (bench.means, bench.means))[0 if zh else 1],
            "status_words": list(Parcel.Status.choices) if bench.has_codes else [],
            "to_names": [(one.name, one.label(zh)) for one in FIELDS.get(bench.means, ())],
        }  # fmt: skip
        return self.page(request, "map", _("Fields of %(name)s") % {"name": named(row)}, about)


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

"""What is done with a drawn flow once it is sound: publish, go back, take back, move running orders, switch off."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from orderhub.inventory.admin_base import actor_of, is_chinese, named
from orderhub.kernel import clock
from orderhub.orders.flows import moving
from orderhub.orders.flows.access import flow_of, staff
from rules.engine import RuleError
from rules.flows import checking, publishing
from rules.models import Flow, FlowVersion


class PublishForm(forms.Form):
    """A remark kept with the version, and when it comes into force."""

    note = forms.CharField(
        label=_("Note"), max_length=200, required=False, widget=forms.TextInput(attrs={"class": "oh-input"})
    )
    effective_at = forms.DateTimeField(
        label=_("In force from"), required=False, help_text=_("Empty: at once."),
        widget=forms.DateTimeInput(attrs={"class": "oh-input", "type": "datetime-local"}),
    )  # fmt: skip
    revision = forms.IntegerField(widget=forms.HiddenInput, min_value=0)

    def clean_effective_at(self) -> datetime | None:
        """A time still to come."""
        given: datetime | None = self.cleaned_data["effective_at"]
        if given is not None and given <= clock.now():
            raise forms.ValidationError(_("Give a time still to come, or none."))
        return given


class NoteForm(forms.Form):
    """A remark kept with what is done."""

    note = forms.CharField(
        label=_("Note"), max_length=200, required=False, widget=forms.TextInput(attrs={"class": "oh-input"})
    )


@staff
def publish(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask for a note and a time, say what it means; then publish the saved draft."""
    flow = flow_of(request, pk)
    now = clock.now()
    form = PublishForm(request.POST or None, initial={"revision": flow.revision})
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            version = publishing.publish(
                flow, request.user, given["note"], revision=given["revision"], now=now,  # type: ignore[arg-type]
                effective_at=given["effective_at"],
            )  # fmt: skip
        except publishing.Stale:
            form.add_error(None, _("Somebody else has saved this flow meanwhile. Look at it again first."))
        except publishing.Faulty as faulty:
            for finding in faulty.findings:
                form.add_error(None, finding.zh if is_chinese() else finding.en)
        except RuleError as fault:
            form.add_error(None, fault.zh if is_chinese() else fault.en)
        else:
            text = (
                _("v%(number)s is published and in force.")
                if version.effective_at is None
                else _("v%(number)s is published and comes into force at its time.")
            )
            messages.success(request, text % {"number": version.number})
            return _back(flow)
    return _ask(
        request, flow, form, title=_now("Publish: %(name)s") % {"name": named(flow)},
        button=_now("Publish"), effect=_effect(flow, now),
    )  # fmt: skip


@staff
def roll_back(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Publish an older version's drawing again, as a new one, and make it the draft."""
    flow = flow_of(request, pk)
    version = _version(flow, number)
    form = NoteForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            new = publishing.roll_back(flow, number, request.user, form.cleaned_data["note"], now=clock.now())  # type: ignore[arg-type]
        except publishing.Faulty as faulty:
            for finding in faulty.findings:
                form.add_error(None, finding.zh if is_chinese() else finding.en)
        else:
            text = _now("v%(number)s says what v%(old)s said, and is in force.")
            messages.success(request, text % {"number": new.number, "old": number})
            return _back(flow)
    effect = _now(
        "New orders walk as v%(number)s says; the draft stays as it is. Running orders finish as they began."
    )
    return _ask(
        request, flow, form, title=_now("Roll back to v%(number)s") % {"number": version.number},
        button=_now("Roll back"), effect=effect % {"number": number},
    )  # fmt: skip


@staff
@require_POST
def withdraw(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Take back a version whose time has not come."""
    flow = flow_of(request, pk)
    if publishing.withdraw(_version(flow, number), now=clock.now()):
        messages.success(request, _("v%(number)s is taken back.") % {"number": number})
    else:
        messages.warning(request, _("v%(number)s is in force already.") % {"number": number})
    return _back(flow)


@staff
@require_POST
def switch(request: HttpRequest, pk: int) -> HttpResponse:
    """Switch a flow off or on: new orders then walk as whatever else counts, at last the built-in journey."""
    flow = flow_of(request, pk)
    flow.is_active = not flow.is_active
    flow.save(update_fields=["is_active"])
    text = _("The flow is on.") if flow.is_active else _("The flow is off; new orders go without it.")
    messages.success(request, text)
    return _back(flow)


@staff
def move(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Show how many running orders would land where; then move them."""
    flow = flow_of(request, pk)
    version = _version(flow, number)
    if request.method == "POST":
        moved = moving.move(version, now=clock.now(), actor=actor_of(request))
        text = ngettext("%(count)s order was moved.", "%(count)s orders were moved.", moved)
        messages.success(request, text % {"count": moved})
        return _back(flow)
    at = 0 if is_chinese() else 1
    found = moving.preview(version)
    rows = [
        {"count": x.count, "version": x.version_number, "source": checking.label(x.source)[at],
         "target": checking.label(x.target)[at], "is_same": x.source.id == x.target.id}
        for x in found
    ]  # fmt: skip
    page = {
        **admin.site.each_context(request), "title": _now("Move running orders to v%(number)s") % {"number": number},
        "flow": flow, "rows": rows, "total": sum(x.count for x in found), "number": number,
        "back": reverse("flows:draw", args=(pk,)),
    }  # fmt: skip
    return TemplateResponse(request, "admin/flows/move.html", page)


def _version(flow: Flow, number: int) -> FlowVersion:
    found = flow.versions.filter(number=number).first()
    if found is None:
        raise Http404
    return found


def _effect(flow: Flow, now: datetime) -> str:
    text = _now("Running orders finish as they began; orders that come in from then on walk the new version.")
    counts = publishing.in_force(flow.scope, now=now)
    if counts is None or counts.flow_id == flow.pk:
        return text
    return f"{text} {_now('It takes the place of “%(name)s”.') % {'name': named(counts.flow)}}"


def _ask(request: HttpRequest, flow: Flow, form: forms.Form, **told: Any) -> HttpResponse:
    page = {
        **admin.site.each_context(request), **told, "form": form, "back": reverse("flows:draw", args=(flow.pk,)),
    }  # fmt: skip
    return TemplateResponse(request, "admin/ask.html", page)


def _back(flow: Flow) -> HttpResponse:
    return HttpResponseRedirect(reverse("flows:draw", args=(flow.pk,)))

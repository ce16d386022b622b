"""Operators' pages of the starter library: look through it, search it, copy something into a draft of one's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from rules.engine import RuleError
from rules.library import shelves
from rules.library.shelves import Copy, Entry, Shelf

_INPUT = {"class": "oh-input"}
View = Callable[..., HttpResponse]


class CopyForm(forms.Form):
    """Where the copy goes, and what stands in its slots."""

    target = forms.ChoiceField(widget=forms.Select(attrs=_INPUT))

    def __init__(self, *args: Any, shelf: Shelf, entry: Entry, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        target: Any = self.fields["target"]
        target.label = shelf.target_label
        target.choices = [(x.value, x.label) for x in shelf.targets(user)]
        self.lists: dict[str, list[str]] = {}
        for number, slot in enumerate(entry.slots):
            attrs = dict(_INPUT)
            if slot.choices:
                attrs["list"] = f"library-{slot.choices}"
                self.lists.setdefault(attrs["list"], list(shelf.choices(user, slot.choices)))
            self.fields[f"slot_{number}"] = forms.CharField(
                label=slot.label.get(_language()), max_length=80, required=False,
                help_text=_("Left empty, “%(key)s” stands there until you change it.") % {"key": slot.key},
                widget=forms.TextInput(attrs=attrs),
            )  # fmt: skip

    def filled(self, entry: Entry) -> dict[str, str]:
        """What was filled in, by the key of the slot."""
        texts = [(slot.key, self.cleaned_data[f"slot_{n}"].strip()) for n, slot in enumerate(entry.slots)]
        return {key: text for key, text in texts if text}


def _staff(view: View) -> View:
    """For logged-in staff only, like every page of the admin."""
    guarded: View = admin.site.admin_view(view)
    return guarded


@_staff
def browse(request: HttpRequest) -> HttpResponse:
    """Every shelf this person may see, or what was searched for."""
    text = request.GET.get("q", "").strip()[:80]
    seen = [shelf for shelf in shelves.all_shelves() if request.user.has_perm(shelf.sees)]
    if not seen:
        raise PermissionDenied
    chosen = request.GET.get("shelf", "")
    found = [
        (shelf, [_shown(shelf, entry) for entry in shelves.find(shelf, text)])
        for shelf in seen
        if not chosen or shelf.code == chosen
    ]
    context = {
        **admin.site.each_context(request), "title": _("Starter library"), "q": text, "chosen": chosen, "all": seen,
        "found": [(shelf, cards, request.user.has_perm(shelf.copies)) for shelf, cards in found if cards],
    }  # fmt: skip
    return TemplateResponse(request, "admin/rules/library.html", context)


@_staff
def copy(request: HttpRequest, shelf: str, code: str) -> HttpResponse:
    """Ask where the copy goes, then make it: a draft, which counts only once somebody publishes it."""
    found = shelves.get(shelf)
    entry = next((x for x in found.entries() if x.code == code), None) if found else None
    if found is None or entry is None or not request.user.has_perm(found.sees):
        raise Http404
    if not request.user.has_perm(found.copies):
        raise PermissionDenied
    form = CopyForm(request.POST or None, shelf=found, entry=entry, user=request.user)
    if request.method == "POST" and form.is_valid():
        asked = Copy(entry, form.cleaned_data["target"], form.filled(entry), request.user)
        try:
            address = found.copy(asked)
        except RuleError as fault:
            form.add_error(None, fault.zh if _language() == "zh" else fault.en)
        except forms.ValidationError as fault:
            form.add_error(None, fault)
        else:
            text = _("“%(name)s” is copied as a draft. Nothing counts before you publish it.")
            messages.success(request, text % {"name": entry.name.get(_language())})
            return HttpResponseRedirect(address)
    context = {
        **admin.site.each_context(request), "title": entry.name.get(_language()), "form": form,
        "card": _shown(found, entry), "has_targets": bool(found.targets(request.user)), "shelf": found,
        "back": reverse("library:browse"),
    }  # fmt: skip
    return TemplateResponse(request, "admin/rules/library_copy.html", context)


def _shown(shelf: Shelf, entry: Entry) -> dict[str, Any]:
    language = _language()
    return {
        "name": entry.name.get(language), "says": entry.says.get(language), "about": entry.about.get(language),
        "example": entry.example.get(language) if entry.example else "",
        "link": reverse("library:copy", args=(shelf.code, entry.code)), "code": entry.code,
        "source": entry.source,
    }  # fmt: skip


def _language() -> str:
    return "zh" if (get_language() or "").startswith("zh") else "en"

"""Profiles for operators: the list, one profile with its versions and tests, a copy of one's own, and a new one from a sample."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import display
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter

from orderhub.access.models import Merchant
from orderhub.connectors import polling, shelf
from orderhub.connectors.console import drafting
from orderhub.connectors.console.admin_connections import card, own_or_shared
from orderhub.connectors.console.admin_editor import working
from orderhub.connectors.console.admin_operations import OperationEditor
from orderhub.connectors.console.draft_forms import FORMS
from orderhub.connectors.console.our_fields import FIRST_MEANING, MEANINGS
from orderhub.connectors.models import Connection, Profile, ProfileVersion
from orderhub.connectors.speech import trial, words
from orderhub.connectors.speech.flaws import Faulty
from orderhub.connectors.speech.profile import Profile as Spec
from orderhub.connectors.ways import turns
from orderhub.inventory.admin_base import actor_of, is_chinese, named
from orderhub.kernel import clock
from orderhub.kernel.errors import Refused
from orderhub.templatetags.ui import pill

_INPUT = {"class": "oh-input"}
MOST_DIFFERENCES = 60


class CopyForm(forms.Form):
    """What the copy is called, and whose it is."""

    name = forms.CharField(label=_("Name"), max_length=80, widget=forms.TextInput(attrs=_INPUT))
    code = forms.RegexField(
        r"^[a-z][a-z0-9_]{1,39}$", label=_("Code"), max_length=40, widget=forms.TextInput(attrs=_INPUT),
        help_text=_("Small letters, digits and _."),
    )  # fmt: skip
    merchant = forms.ModelChoiceField(
        label=_("Merchant"), queryset=Merchant.objects.none(), widget=forms.Select(attrs=_INPUT)
    )

    def __init__(self, *args: Any, user: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        own = {"pk": user.merchant_id} if user.merchant_id is not None else {}
        rows = Merchant.objects.filter(is_active=True, **own).order_by("code")
        choice: Any = self.fields["merchant"]
        choice.queryset, choice.initial, choice.empty_label = rows, rows.first(), None

    def clean(self) -> dict[str, Any]:
        """The code is free."""
        given = super().clean() or {}
        if Profile.objects.filter(merchant=given.get("merchant"), code=given.get("code", "")).exists():
            self.add_error("code", gettext("There is a profile with this code already; choose another."))
        return given


class BeginForm(CopyForm):
    """A new system from one sample of what it sends."""

    name_en = forms.CharField(
        label=_("English name"), max_length=80, required=False, widget=forms.TextInput(attrs=_INPUT)
    )
    role = forms.ChoiceField(
        label=_("Sort of system"), choices=Profile.Role.choices, widget=forms.Select(attrs=_INPUT)
    )
    means = forms.ChoiceField(label=_("The sample is"), widget=forms.Select(attrs=_INPUT))
    form = forms.ChoiceField(label=_("Written as"), widget=forms.Select(attrs=_INPUT), initial="json")
    zone = forms.CharField(
        label=_("Time zone of its clock"),
        max_length=40,
        initial="Asia/Shanghai",
        widget=forms.TextInput(attrs=_INPUT),
    )
    currency = forms.CharField(
        label=_("Currency"), max_length=3, initial="CNY", widget=forms.TextInput(attrs=_INPUT)
    )
    sample = forms.CharField(
        label=_("One message as it sends it"), max_length=200_000, strip=False,
        widget=forms.Textarea(attrs={"class": "oh-input oh-mono", "rows": 12, "spellcheck": "false"}),
        help_text=_("Put invented names, phones and addresses in place of real ones: samples stay readable in the profile."),
    )  # fmt: skip
    field_order = (
        "name",
        "name_en",
        "code",
        "merchant",
        "role",
        "means",
        "form",
        "zone",
        "currency",
        "sample",
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        zh = is_chinese()
        means, form = self.fields["means"], self.fields["form"]
        means.choices = [(name, both[0 if zh else 1]) for name, both in MEANINGS.items()]  # type: ignore[attr-defined]
        form.choices = list(FORMS.items())  # type: ignore[attr-defined]


@admin.register(Profile)
class ProfileAdmin(OperationEditor):
    """What systems speak, as data: shipped ones, copies, and those described here."""

    list_display = ("shown_name", "code", "role", "shown_version", "merchant", "shown_use", "changed_at")
    list_display_links = ("shown_name",)
    list_filter = (("role", ChoicesDropdownFilter), "is_shipped", ("merchant", RelatedDropdownFilter))
    list_select_related = ("merchant", "in_force")
    search_fields = ("code", "name", "name_en")
    ordering = ("role", "name")

    def get_queryset(self, request: HttpRequest) -> Any:
        """Everybody's, and those of the person's merchant."""
        return own_or_shared(Profile.objects.all(), request)

    def get_urls(self) -> list[Any]:
        """Our pages beside the admin's own."""
        wrap, name = self.admin_site.admin_view, "connectors_profile_"
        own = [
            path("begin/", wrap(self.begin), name=name + "begin"),
            path("<int:object_id>/copy/", wrap(self.copy), name=name + "copy"),
            path("<int:object_id>/do/<slug:deed>/", wrap(self.do), name=name + "do"),
        ]
        return own + list(super().get_urls())

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never: messages were read with it."""
        return False

    @display(description=_("name"), ordering="name")
    def shown_name(self, obj: Profile) -> str:
        """In the reader's language."""
        return named(obj)

    @display(description=_("version in force"))
    def shown_version(self, obj: Profile) -> SafeString:
        """The number, or that there is none; and whether a draft differs."""
        text = f"v{obj.in_force.number}" if obj.in_force else gettext("none yet")
        return (
            pill("ok" if obj.in_force else "wait", text)
            if not obj.draft
            else pill("warn", text + " + " + gettext("draft"))
        )

    @display(description=_("comes with OrderHub"), boolean=True)
    def shown_use(self, obj: Profile) -> bool:
        """Whether it is shipped."""
        return obj.is_shipped

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> Any:
        """A new one begins with a sample."""
        return self.begin(request)

    def begin(self, request: HttpRequest) -> HttpResponse:
        """Ask for one sample, make the draft, go to its fields."""
        self.must(request, "connectors.add_profile")
        form = BeginForm(request.POST or None, user=request.user)
        if request.method == "POST" and form.is_valid():
            given = form.cleaned_data
            document = drafting.skeleton(
                code=given["code"], zh=given["name"], en=given["name_en"], role=given["role"], means=given["means"],
                form=given["form"], sample=given["sample"], zone=given["zone"], currency=given["currency"],
            )  # fmt: skip
            row = Profile.objects.create(
                merchant=given["merchant"], code=given["code"], name=given["name"], name_en=given["name_en"], role=given["role"],
                draft=document, changed_at=clock.now(),
            )  # fmt: skip
            self.log_addition(request, row, [{"added": {}}])
            return HttpResponseRedirect(
                reverse("admin:connectors_profile_map", args=(row.pk, given["means"])) + "?propose=1"
            )
        about = {
            "form": form,
            "button": _("Find its fields"),
            "back": reverse("admin:connectors_connection_choose"),
            "first": FIRST_MEANING,
        }
        return self.page(request, "begin", _("Describe another system"), about)

    def copy(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """A copy of one's own, to be changed."""
        self.must(request, "connectors.add_profile")
        row = self.row(request, object_id)
        initial = {"name": f"{row.name} 2", "code": f"{row.code}_2"}
        form = CopyForm(request.POST or None, user=request.user, initial=initial)
        if request.method == "POST" and form.is_valid():
            given = form.cleaned_data
            made = shelf.copy_for(
                row, given["merchant"], code=given["code"], name=given["name"], now=clock.now()
            )
            self.log_addition(request, made, [{"added": {}}])
            messages.success(request, _("The copy is a draft: change it, then put it in force."))
            return HttpResponseRedirect(reverse("admin:connectors_profile_draft", args=(made.pk,)))
        about = {
            "form": form, "button": _("Make the copy"), "back": reverse("admin:connectors_profile_change", args=(row.pk,)),
            "effect": _(
                "The copy begins as this profile is now. Later changes of the shipped one do not reach it; a connection "
                "takes it under Settings."
            ),
        }  # fmt: skip
        return self.page(request, "begin", _("A copy of %(name)s") % {"name": named(row)}, about)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> Any:
        """What it is, its tests now, its versions and who speaks it."""
        row = self.row(request, int(object_id) if object_id.isdecimal() else 0)
        versions = list(row.versions.order_by("-number")[:40])
        outcomes = trial.run_all(shelf.spec(row.in_force)) if row.in_force else ()
        about = {
            "row": row, "card": card(row) if row.in_force else None, "name": named(row), "versions": versions,
            "outcomes": outcomes,
            "users": Connection.objects.filter(profile=row).order_by("code"),
            "has_draft": bool(row.draft) or row.in_force is None,
            "may_change": request.user.has_perm("connectors.change_profile") and self.is_own(request, row),
            "may_publish": self.may_publish(request) and self.is_own(request, row),
            "may_copy": request.user.has_perm("connectors.add_profile"),
            "compared": _compared(row, request.GET.get("old", ""), request.GET.get("new", "")),
        }  # fmt: skip
        return self.page(request, "profile", named(row), about)

    def do(self, request: HttpRequest, object_id: int, deed: str) -> HttpResponse:
        """Put the draft or an earlier version in force, or let the draft go."""
        row, act = self.row(request, object_id), _DEEDS.get(deed)
        if act is None:
            raise Http404
        if request.method != "POST":
            return HttpResponse(status=405)
        if not self.is_own(request, row) or not self.may_publish(request):
            raise PermissionDenied
        return HttpResponseRedirect(
            reverse(f"admin:connectors_profile_{act(self, request, row)}", args=(row.pk,))
        )

    def publish(self, request: HttpRequest, row: Profile) -> str:
        """Put the draft in force; what keeps it from that is told. Where to go."""
        document = working(row)
        try:
            version = shelf.put_in_force(
                row, document, note=request.POST.get("note", ""), actor=actor_of(request), now=clock.now()
            )
        except Faulty as fault:
            language = get_language() or "en"
            for one in fault.flaws[:8]:
                messages.error(request, words.flaw(one, language))
            return "draft"
        except Refused as no:
            messages.error(request, str(no))
            return "draft"
        _take_names(row, version)
        self._prepare(row)
        messages.success(
            request, _("Version %(number)d is in force for all its connections.") % {"number": version.number}
        )
        return "change"

    def again(self, request: HttpRequest, row: Profile) -> str:
        """Put an earlier version in force again. Where to go."""
        number = request.POST.get("number", "")
        try:
            version = shelf.go_back(
                row, int(number) if number.isdigit() else 0, actor=actor_of(request), now=clock.now()
            )
        except ProfileVersion.DoesNotExist as missing:
            raise Http404 from missing
        except Refused as no:
            messages.error(request, str(no))
            return "change"
        self._prepare(row)
        said = {"old": number, "number": version.number}
        messages.success(request, _("Version %(old)s is in force again, as version %(number)d.") % said)
        return "change"

    def drop(self, request: HttpRequest, row: Profile) -> str:
        """Let the draft go. Where to go."""
        if row.in_force is None:
            messages.error(request, _("There is nothing but the draft."))
            return "draft"
        Profile.objects.filter(pk=row.pk).update(draft={})
        messages.success(request, _("The draft is gone; what is in force stays."))
        return "change"

    def _prepare(self, row: Profile) -> None:
        for connection in Connection.objects.filter(profile=row).select_related("profile__in_force"):
            polling.prepare(connection, now=clock.now())
            turns.prepare(connection, now=clock.now())


_DEEDS = {"publish": ProfileAdmin.publish, "again": ProfileAdmin.again, "drop": ProfileAdmin.drop}


@transaction.atomic
def _take_names(row: Profile, version: ProfileVersion) -> None:
    """The list shows the names the document has."""
    spec: Spec = shelf.spec(version)
    Profile.objects.filter(pk=row.pk).update(name=spec.zh[:80], name_en=spec.en[:80])


def _compared(row: Profile, old: str, new: str) -> dict[str, Any] | None:
    """What differs between two versions ("draft" for the draft); None where none are asked for."""
    if not old or not new:
        return None
    documents = {str(one.number): one.document for one in row.versions.all() if str(one.number) in (old, new)}
    documents["draft"] = working(row)
    if old not in documents or new not in documents:
        return None
    found = drafting.differences(documents[old], documents[new])
    return {
        "old": old, "new": new, "more": max(0, len(found) - MOST_DIFFERENCES),
        "rows": [(where, _short(before), _short(after)) for where, before, after in found[:MOST_DIFFERENCES]],
    }  # fmt: skip


def _short(value: Any) -> str:
    return "–" if value is None else trial.show(value)[:300]

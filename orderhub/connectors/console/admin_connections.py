"""The operators' pages of connections: the list, connecting a system, its health, its secrets, its switch."""

from __future__ import annotations

import secrets
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import display
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.dateparse import parse_datetime
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter
from unfold.widgets import UnfoldAdminSelectWidget

from orderhub.connectors import base, secretbox, shelf, switching, wishes
from orderhub.connectors.console import health, trying, way_trying
from orderhub.connectors.console.connect_forms import AliasForm, SystemForm, asks_of
from orderhub.connectors.kinds.webhook import kind as webhook
from orderhub.connectors.models import Alias, Call, Connection, InboxMessage, PollMark, Profile
from orderhub.connectors.speech.profile import Profile as Spec
from orderhub.inventory.admin_base import HubAdmin, button, is_chinese, named
from orderhub.kernel import clock
from orderhub.templatetags.ui import pill

MOST_SHOWN = 8
_CONNECT = "admin:connectors_connection_connect"


class ConnectionForm(forms.ModelForm):  # type: ignore[type-arg]
    """A connection of a kind that is code: the kind is one of those installed."""

    class Meta:
        model = Connection
        fields = ("merchant", "code", "name", "kind", "config", "warehouses", "is_active", "paused_until")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if "kind" in self.fields:
            own = self.instance.kind if self.instance.pk else ""
            choices = [(name, name) for name in base.names() if name != wishes.KIND or own == wishes.KIND]
            self.fields["kind"] = forms.ChoiceField(
                label=_("kind"), choices=choices, widget=UnfoldAdminSelectWidget(choices=choices)
            )


#: What systems without a profile are called.
_KINDS = {"simulator": _("make-believe warehouse and carrier"), "webhook": _("address for messages of flows")}


@admin.register(Connection)
class ConnectionAdmin(HubAdmin):
    """Systems we talk with; one that is not needed any more is switched off."""

    form = ConnectionForm
    list_display = ("name", "shown_state", "shown_profile", "shown_says", "last_message_at", "merchant")
    list_display_links = ("name",)
    list_filter = ("is_active", ("profile__role", ChoicesDropdownFilter), ("merchant", RelatedDropdownFilter))
    list_select_related = ("merchant", "profile")
    search_fields = ("code", "name")
    ordering = ("merchant_id", "code")
    filter_horizontal = ("warehouses",)
    readonly_fields = ("signing_secret",)
    actions_list = ("connect_new",)

    def get_urls(self) -> list[Any]:
        """Our pages beside the admin's own."""
        wrap, name = self.admin_site.admin_view, "connectors_connection_"
        own = [
            path("connect/", wrap(self.choose), name=name + "choose"),
            path("connect/<int:profile_id>/", wrap(self.connect), name=name + "connect"),
            path("<int:object_id>/settings/", wrap(self.settings), name=name + "settings"),
            path("<int:object_id>/do/<slug:deed>/", wrap(self.do), name=name + "do"),
        ]
        return own + list(super().get_urls())

    def has_delete_permission(self, request: HttpRequest, obj: Connection | None = None) -> bool:
        """Never: its messages are kept."""
        return False

    @button(description=_("Connect a system"), url_path="connect-new", icon="add", permissions=["add"])
    def connect_new(self, request: HttpRequest) -> HttpResponse:
        """Choosing what to connect."""
        return HttpResponseRedirect(reverse("admin:connectors_connection_choose"))

    # ---- the list ----------------------------------------------------------------------------------

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """The list, with the state of every connection on it at hand."""
        answer = super().changelist_view(request, extra_context)
        rows = getattr(answer, "context_data", {}).get("cl") if hasattr(answer, "context_data") else None
        if rows is not None:
            found = health.states(list(rows.result_list), now=clock.now())
            for row in rows.result_list:
                row.seen_state = found[row.pk]
        return answer

    @display(description=_("state"))
    def shown_state(self, obj: Connection) -> SafeString:
        """What is true now, as a pill."""
        seen = getattr(obj, "seen_state", None) or health.states([obj], now=clock.now())[obj.pk]
        return pill(seen.tone, str(seen.word))

    @display(description=_("what to do"))
    def shown_says(self, obj: Connection) -> str:
        """The sentence of its page."""
        seen = getattr(obj, "seen_state", None) or health.states([obj], now=clock.now())[obj.pk]
        return seen.text

    @display(description=_("profile"), ordering="profile__role")
    def shown_profile(self, obj: Connection) -> str:
        """What it speaks, and what sort of system that is."""
        return f"{named(obj.profile)} · {obj.profile.get_role_display()}" if obj.profile else obj.kind

    @display(description=_("signing secret"))
    def signing_secret(self, obj: Connection) -> str:
        """What the receiver of a webhook checks signatures with; other kinds have none."""
        return webhook.secret(obj) if obj.kind == webhook.NAME else "–"

    # ---- connecting --------------------------------------------------------------------------------

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> Any:
        """Choosing what to connect; kinds that are code are made by the admin's own form."""
        if request.method == "GET" and not request.GET.get("kind"):
            return self.choose(request)
        return super().add_view(request, form_url, extra_context)

    def choose(self, request: HttpRequest) -> HttpResponse:
        """Every profile by sort of system, with how each part was confirmed."""
        self._must(request, "connectors.add_connection")
        rows = self._profiles(request).select_related("in_force", "merchant").order_by("role", "name")
        cards = [card(row) for row in rows]
        roles = [
            {"label": label, "cards": [card for card in cards if card["role"] == role]}
            for role, label in Profile.Role.choices
        ]
        found = {
            "roles": [role for role in roles if role["cards"]], "may_make": request.user.has_perm("connectors.add_profile"),
            "add": reverse("admin:connectors_connection_add") + "?kind=webhook",
        }  # fmt: skip
        return self._page(request, "choose", _("Connect a system"), found)

    def connect(self, request: HttpRequest, profile_id: int) -> HttpResponse:
        """The form of one profile, and the connection it makes."""
        self._must(request, "connectors.add_connection")
        profile = self._profiles(request).select_related("in_force").filter(pk=profile_id).first()
        if profile is None or profile.in_force is None:
            raise Http404
        spec = shelf.spec(profile.in_force)
        form = SystemForm(request.POST or None, spec=spec, profile=profile, user=request.user)  # type: ignore[arg-type]
        if request.method == "POST" and form.is_valid():
            row = form.keep(now=clock.now())
            self.log_addition(request, row, [{"added": {}}])
            messages.success(
                request,
                _("%(name)s is connected and still switched off: test it, then switch it on.")
                % {"name": row.name},
            )
            return HttpResponseRedirect(_address(row))
        about = {
            "form": form,
            "card": card(profile),
            "button": _("Connect"),
            "back": reverse("admin:connectors_connection_choose"),
        }
        return self._page(request, "system", f"{named(profile)}", about)

    def settings(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """What was entered, to be changed; kinds that are code have the admin's own form."""
        row = self._row(request, object_id)
        self._must(request, "connectors.change_connection")
        if row.profile is None or row.profile.in_force is None:
            answer: HttpResponse = super().change_view(request, str(object_id))
            return answer
        form = SystemForm(
            request.POST or None, spec=shelf.spec_of(row), profile=row.profile, user=request.user, row=row,  # type: ignore[arg-type]
        )  # fmt: skip
        if request.method == "POST" and form.is_valid():
            self.log_change(request, form.keep(now=clock.now()), [{"changed": {"fields": form.changed_data}}])
            messages.success(request, _("Kept."))
            return HttpResponseRedirect(_address(row))
        about = {"form": form, "card": card(row.profile), "button": _("Keep"), "back": _address(row)}
        return self._page(request, "system", row.name, about)

    # ---- the page of one connection ----------------------------------------------------------------

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> Any:
        """Its health; what it is told and tells."""
        if request.method == "POST":
            return super().change_view(request, object_id, form_url, extra_context)
        row = self._row(request, int(object_id) if object_id.isdecimal() else 0)
        now = clock.now()
        found = health.figures(row, now=now)
        spec = _spec(row)
        shown = {
            "row": row, "seen": found, "state": health.state(row, found, now=now), "spec": spec,
            "door": request.build_absolute_uri(reverse("door", args=(row.door_key,))) if row.door_key else "",
            "polls": PollMark.objects.filter(connection=row).order_by("schedule"), "secrets": _secrets(row, spec),
            "ways": way_trying.marks(row), "drop": way_trying.drop_folder(row, spec),
            "aliases": Alias.objects.filter(connection=row).order_by("sort", "theirs")[:200],
            "alias_form": AliasForm(connection=row), "tested": request.session.pop(f"tested-{row.pk}", None),
            "apart": InboxMessage.objects.filter(connection=row, state="quarantined").order_by("-id")[:MOST_SHOWN],
            "calls": Call.objects.filter(connection=row).exclude(state__in=["acked", "skipped"]).order_by("-id")[:MOST_SHOWN],
            "warehouse_names": [place.code for place in row.warehouses.all()],
            "profile_name": named(row.profile) if row.profile else _KINDS.get(row.kind, row.kind),
            "may_change": request.user.has_perm("connectors.change_connection"),
            "may_alias": request.user.has_perm("connectors.add_alias"),
        }  # fmt: skip
        return self._page(request, "connection", row.name, shown)

    def do(self, request: HttpRequest, object_id: int, deed: str) -> HttpResponse:
        """One of the buttons of the page."""
        row, act = self._row(request, object_id), _DEEDS.get(deed)
        if act is None:
            raise Http404
        if request.method != "POST":
            return HttpResponse(status=405)
        self._must(request, "connectors.change_connection")
        act(request, row)
        return HttpResponseRedirect(_address(row))

    # ---- shared ------------------------------------------------------------------------------------

    def _row(self, request: HttpRequest, object_id: int) -> Connection:
        row: Connection | None = (
            self.get_queryset(request)
            .select_related("profile__in_force", "merchant", "channel")
            .filter(pk=object_id)
            .first()
        )
        if not self.has_view_or_change_permission(request, row):
            raise PermissionDenied
        if row is None:
            raise Http404
        return row

    def _profiles(self, request: HttpRequest) -> Any:
        rows = Profile.objects.filter(in_force__isnull=False)
        return own_or_shared(rows, request)

    def _must(self, request: HttpRequest, permission: str) -> None:
        if not request.user.has_perm(permission):
            raise PermissionDenied

    def _page(self, request: HttpRequest, name: str, title: Any, found: dict[str, Any]) -> TemplateResponse:
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "media": self.media, "title": title, **found,
        }  # fmt: skip
        return TemplateResponse(request, f"admin/connectors/{name}.html", context)


def own_or_shared(rows: Any, request: HttpRequest) -> Any:
    """The profiles a person may see: everybody's, and those of their merchant."""
    merchant_id = getattr(request.user, "merchant_id", None)
    if merchant_id is None:
        return rows
    return rows.filter(merchant_id=merchant_id) | rows.filter(merchant=None)


def _address(row: Connection) -> str:
    return reverse("admin:connectors_connection_change", args=(row.pk,))


def _spec(row: Connection) -> Spec | None:
    return shelf.spec_of(row) if row.profile is not None and row.profile.in_force is not None else None


_PROOF_TONES = {
    "vendor library run": "ok", "vendor source re-typed": "go", "documented rule": "go", "from memory": "warn",
}  # fmt: skip
_PROOF_WORDS = {
    "vendor library run": _("checked against their own code"),
    "vendor source re-typed": _("after their source"),
    "documented rule": _("after their documents"),
    "from memory": _("from memory: confirm before relying on it"),
}


def card(profile: Profile) -> dict[str, Any]:
    """What the choice shows of a profile: for whom, and how each part was confirmed."""
    assert profile.in_force is not None
    spec = shelf.spec(profile.in_force)
    zh = is_chinese()
    return {
        "pk": profile.pk, "role": profile.role, "name": named(profile), "about": spec.about_zh if zh else spec.about_en,
        "address": reverse(_CONNECT, args=(profile.pk,)), "own": profile.merchant, "role_name": profile.get_role_display(),
        "version": profile.in_force.number, "tests": profile.in_force.tests_passed,
        "proofs": [
            {"part": proof.part, "tone": _PROOF_TONES[proof.how], "how": _PROOF_WORDS[proof.how], "source": proof.source}
            for proof in spec.verified
        ],
        "sure": sum(proof.how != "from memory" for proof in spec.verified),
        "doubtful": sum(proof.how == "from memory" for proof in spec.verified),
        "pushes": spec.door is not None, "polls": bool(spec.schedules), "ways": bool(spec.ways),
        "calls": sorted(spec.operations),
    }  # fmt: skip


def _secrets(row: Connection, spec: Spec | None) -> list[dict[str, Any]]:
    """The secrets of a connection by name: when entered, and until when the one before is taken; never a value."""
    now, found = clock.now(), []
    for ask in (*asks_of(spec), *way_trying.used_asks(row, spec)) if spec else ():
        if ask.kind != "secret":
            continue
        before = [
            parse_datetime(entry["until"]) for entry in row.sealed_secrets.get(ask.name, [])[1:] if entry["until"]
        ]  # fmt: skip
        until = max((at for at in before if at is not None and at > now), default=None)
        found.append({
            "name": ask.name, "label": ask.zh if is_chinese() else ask.en, "since": secretbox.since(row, ask.name),
            "until": until, "required": ask.required,
        })  # fmt: skip
    return found


# ---- the buttons -----------------------------------------------------------------------------------


def _test(request: HttpRequest, row: Connection) -> None:
    said = trying.test(row, now=clock.now())
    request.session[f"tested-{row.pk}"] = [[one.tone, one.text] for one in said]


def _switch(request: HttpRequest, row: Connection) -> None:
    on = request.POST.get("on") == "1"
    Connection.objects.filter(pk=row.pk).update(is_active=on)
    if on:
        switching.resume(row)
    admin.site._registry[Connection].log_change(request, row, [{"changed": {"fields": ["is_active"]}}])
    words = (
        _("%(name)s is live: its door is open.") if on else _("%(name)s is off; what is owed to it waits.")
    )
    messages.success(request, words % {"name": row.name})


def _end_old(request: HttpRequest, row: Connection) -> None:
    with transaction.atomic():
        locked = Connection.objects.select_for_update().get(pk=row.pk)
        secretbox.drop_before(locked, request.POST.get("name", ""))
        locked.save(update_fields=["sealed_secrets"])
    messages.success(request, _("The old secret is not taken any more."))


def _new_door(request: HttpRequest, row: Connection) -> None:
    Connection.objects.filter(pk=row.pk).update(door_key=secrets.token_urlsafe(18))
    messages.success(
        request, _("The door has a new address; enter it at the other side. The old one is closed.")
    )


def _alias(request: HttpRequest, row: Connection) -> None:
    if not request.user.has_perm("connectors.add_alias"):
        raise PermissionDenied
    form = AliasForm(request.POST, connection=row)
    if form.is_valid():
        kept = form.keep()
        messages.success(
            request, _("From now on “%(theirs)s” is %(ours)s.") % {"theirs": kept.theirs, "ours": kept.ours}
        )
    else:
        for text in [text for texts in form.errors.values() for text in texts]:
            messages.error(request, str(text))


def _forget_alias(request: HttpRequest, row: Connection) -> None:
    if not request.user.has_perm("connectors.delete_alias"):
        raise PermissionDenied
    Alias.objects.filter(connection=row, pk=request.POST.get("alias", "0")).delete()
    messages.success(request, _("Forgotten."))


_DEEDS = {
    "test": _test, "switch": _switch, "end-old": _end_old, "new-door": _new_door, "alias": _alias, "forget": _forget_alias,
}  # fmt: skip

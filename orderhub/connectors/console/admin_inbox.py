"""The inbox for operators: what came beside what it became, every fault in words, and the ways out."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin import display
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter

from orderhub.connectors import inbox
from orderhub.connectors.console import fault_words, sealed, veiling
from orderhub.connectors.console.connect_forms import AliasForm
from orderhub.connectors.console.our_fields import FIELDS, LISTS, MEANINGS
from orderhub.connectors.models import InboxMessage
from orderhub.connectors.speech import trees, words
from orderhub.connectors.speech.limits import Unreadable
from orderhub.inventory.admin_base import ReadOnlyAdmin, actor_of, is_chinese
from orderhub.kernel import clock
from orderhub.templatetags.ui import pill

STATE_TONES = {
    "received": "wait",
    "applied": "ok",
    "ignored": "warn",
    "quarantined": "bad",
    "waiting": "hold",
}
State = InboxMessage.State
MOST_ALIKE = 1000


@admin.register(InboxMessage)
class InboxMessageAdmin(ReadOnlyAdmin):
    """What other systems sent, word for word; quarantined messages can be corrected, replayed or dismissed."""

    list_display = ("shown_about", "connection", "shown_state", "shown_fault", "received_at", "attempts")
    list_display_links = ("shown_about",)
    list_filter = (("state", ChoicesDropdownFilter), ("connection", RelatedDropdownFilter), "means")
    list_select_related = ("connection",)
    search_fields = ("key__exact", "reference__exact")
    ordering = ("-id",)
    actions = ("replay",)

    def get_urls(self) -> list[Any]:
        """One address for the buttons of a message."""
        wrap = self.admin_site.admin_view
        own = path("<int:object_id>/do/<slug:deed>/", wrap(self.do), name="connectors_inboxmessage_do")
        return [own, *super().get_urls()]

    def has_replay_permission(self, request: HttpRequest) -> bool:
        """Who may decide about messages."""
        return bool(request.user.has_perm("connectors.change_inboxmessage"))

    # ---- the list ----------------------------------------------------------------------------------

    @display(description=_("about"), ordering="reference")
    def shown_about(self, row: InboxMessage) -> str:
        """What it means and what it is about."""
        return f"{_means(row)} {row.reference or row.key}".strip()

    @display(description=_("state"), ordering="state")
    def shown_state(self, row: InboxMessage) -> SafeString:
        """The state as a pill."""
        return pill(STATE_TONES[row.state], row.get_state_display())

    @display(description=_("what is wrong"))
    def shown_fault(self, row: InboxMessage) -> str:
        """The first fault in words."""
        if row.state not in inbox.OPEN:
            return row.error[:120]
        said = fault_words.sentences(row.faults[:1], row.error)
        return f"{said[0].place}: {said[0].text}".removeprefix(": ")[:160] if said else ""

    @admin.action(description=_("Replay the selected messages"), permissions=["replay"])
    def replay(self, request: HttpRequest, queryset: QuerySet[InboxMessage]) -> None:
        """Apply quarantined messages again; others are left alone."""
        _tell_replayed(request, inbox.replay(list(queryset.values_list("pk", flat=True)), now=clock.now()))

    # ---- one message -------------------------------------------------------------------------------

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> Any:
        """What came, what it became, what is wrong, and what can be done."""
        return self._shown(request, self._row(request, int(object_id) if object_id.isdecimal() else 0))

    def do(self, request: HttpRequest, object_id: int, deed: str) -> HttpResponse:
        """One of the ways out."""
        row, act = self._row(request, object_id), _DEEDS.get(deed)
        if act is None:
            raise Http404
        if request.method != "POST":
            return HttpResponse(status=405)
        if not self.has_replay_permission(request):
            raise PermissionDenied
        fault = act(request, row)
        if fault:
            return self._shown(request, row, fault=fault, given=request.POST.get("text"))
        return HttpResponseRedirect(reverse("admin:connectors_inboxmessage_change", args=(row.pk,)))

    def _shown(
        self, request: HttpRequest, row: InboxMessage, *, fault: str = "", given: str | None = None
    ) -> HttpResponse:
        clear = sealed.sees_persons(request)
        came = sealed.read(row, clear=clear, as_it_came=True)
        now_is = sealed.read(row, clear=clear)
        said = fault_words.sentences(row.faults, row.error) if row.state in inbox.OPEN else []
        alias = next((one for one in said if one.alias and one.value), None)
        own = {"sort": alias.alias, "theirs": alias.value} if alias else {}
        may_map = request.user.has_perm("connectors.change_profile") and row.connection.profile is not None
        may_map = may_map and any(one.in_map for one in said)
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "media": self.media,
            "title": _("Message %(about)s") % {"about": row.reference or row.pk}, "row": row, "came": came, "said": said,
            "means": _means(row), "mapped": table(now_is.part.means if now_is.part else "", now_is.value),
            "tone": STATE_TONES[row.state], "text": now_is.text if given is None else given, "fault": fault,
            "alias_form": AliasForm(connection=row.connection, initial=own) if own else None, "alias": alias,
            "alike": len(_alike(row)), "may_decide": self.has_replay_permission(request),
            "may_alias": request.user.has_perm("connectors.add_alias"), "is_open": row.state in inbox.OPEN,
            "map_link": _map_link(row, now_is.part.map if now_is.part else "") if may_map else "",
        }  # fmt: skip
        return TemplateResponse(request, "admin/connectors/message.html", context)

    def _row(self, request: HttpRequest, object_id: int) -> InboxMessage:
        rows = self.get_queryset(request).select_related(
            "connection__profile__in_force", "connection__merchant", "version"
        )
        row: InboxMessage | None = rows.filter(pk=object_id).first()
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        if row is None:
            raise Http404
        return row


def table(means: str, value: Any) -> list[dict[str, Any]]:
    """A document of ours as lines of label and value; lists are numbered."""
    found: list[dict[str, Any]] = []
    if not isinstance(value, dict):
        return found
    zh = is_chinese()
    known = {one.name: one.label(zh) for one in FIELDS.get(means, ())}
    for name, inner in value.items():
        if isinstance(inner, list) and inner and isinstance(inner[0], dict):
            part = LISTS.get(means, {}).get(name)
            labels = (
                {one.name: one.label(zh) for one in part[0]} if part else known if name == "items" else {}
            )
            title = (part[2] if zh else part[3]) if part else "" if name == "items" else name
            for number, item in enumerate(inner[:50], 1):
                cells = [
                    f"{labels.get(key, key)}: {text}"
                    for key, text in item.items()
                    if text not in (None, "", [], {})
                ]
                found.append({"label": f"{title} {number}".strip(), "value": " · ".join(cells)})
        elif inner not in (None, "", [], {}):
            found.append({"label": known.get(name, name), "value": inner})
    return found


def _means(row: InboxMessage) -> str:
    zh, en = MEANINGS.get(row.means, ("", ""))
    return zh if is_chinese() else en


def _map_link(row: InboxMessage, name: str) -> str:
    assert row.connection.profile is not None
    profile = row.connection.profile_id
    if row.connection.profile.is_shipped:  # it is copied first
        return reverse("admin:connectors_profile_change", args=(profile,))
    if name:
        return reverse("admin:connectors_profile_map", args=(profile, name)) + f"?message={row.pk}"
    return reverse("admin:connectors_profile_draft", args=(profile,))


def _alike(row: InboxMessage) -> list[int]:
    """The quarantined messages of the same system with the same faults."""
    if row.state not in inbox.OPEN:
        return []
    mine = _reasons(row.faults)
    rows = InboxMessage.objects.filter(connection_id=row.connection_id, state=row.state, error=row.error)
    found = rows.order_by("-id").values_list("pk", "faults")[:MOST_ALIKE]
    return [pk for pk, faults in found if _reasons(faults) == mine]


def _reasons(faults: Any) -> set[tuple[str, str]]:
    return {(str(one.get("code")), str(one.get("value"))) for one in faults}


def _tell_replayed(request: HttpRequest, count: int) -> None:
    if count:
        text = ngettext("%(count)d message was tried again.", "%(count)d messages were tried again.", count)
        messages.success(request, text % {"count": count})
    else:
        messages.warning(request, _("None of them needs a person; nothing was tried again."))


# ---- the ways out: each gives a sentence if it cannot be done ----------------------------------------


def _replay(request: HttpRequest, row: InboxMessage) -> str:
    _tell_replayed(request, inbox.replay([row.pk], now=clock.now()))
    return ""


def _replay_alike(request: HttpRequest, row: InboxMessage) -> str:
    _tell_replayed(request, inbox.replay(_alike(row), now=clock.now()))
    return ""


def _name_it(request: HttpRequest, row: InboxMessage) -> str:
    if not request.user.has_perm("connectors.add_alias"):
        raise PermissionDenied
    form = AliasForm(request.POST, connection=row.connection)
    if not form.is_valid():
        return " ".join(str(text) for texts in form.errors.values() for text in texts)
    kept, alike = form.keep(), _alike(row)
    messages.success(
        request, _("From now on “%(theirs)s” is %(ours)s.") % {"theirs": kept.theirs, "ours": kept.ours}
    )
    _tell_replayed(request, inbox.replay(alike or [row.pk], now=clock.now()))
    return ""


def _correct(request: HttpRequest, row: InboxMessage) -> str:
    now_is = sealed.read(row, clear=sealed.sees_persons(request))
    if request.POST.get("undo"):
        inbox.correct(row, "", actor=actor_of(request), now=clock.now())
        messages.success(request, _("The correction is gone; the message is read as it came."))
        return ""
    try:
        text = veiling.unveil(request.POST.get("text", "").replace("\r\n", "\n"), now_is.marks)
    except KeyError as mark:
        return gettext(
            "There is nothing behind the mark %(mark)s; marks can be kept or replaced, but not made up."
        ) % {"mark": mark.args[0]}
    if not text.strip():
        return gettext("A message cannot be empty. To let it be, dismiss it.")
    try:
        trees.read(text.encode(), now_is.form)
    except Unreadable as no:
        return words.say(words.UNREADABLE, no.code, no.facts, "zh" if is_chinese() else "en")
    inbox.correct(row, text, actor=actor_of(request), now=clock.now())
    row.refresh_from_db()
    if row.state in inbox.OPEN:
        messages.warning(request, _("It was read again, and still something is wrong; see below."))
    else:
        messages.success(request, _("Corrected and applied. What came is kept as it was."))
    return ""


def _dismiss(request: HttpRequest, row: InboxMessage) -> str:
    note = request.POST.get("note", "").strip()
    if not note:
        return gettext("Say in a word why it is dismissed; whoever looks later wants to know.")
    inbox.dismiss([row.pk], note=note, actor=actor_of(request), now=clock.now())
    messages.success(request, _("Dismissed; it stays kept."))
    return ""


_DEEDS = {
    "replay": _replay, "replay-alike": _replay_alike, "name": _name_it, "correct": _correct, "dismiss": _dismiss,
}  # fmt: skip

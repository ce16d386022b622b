"""Operators' pages of what surrounds the tracking page: settings, buyers' requests, notices, boards, media."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminFileFieldWidget,
    UnfoldAdminTextInputWidget,
)

from orderhub.inventory.admin_base import HubAdmin, ReadOnlyAdmin, actor_of, button, is_chinese
from orderhub.kernel import clock
from orderhub.kernel.errors import Refused
from orderhub.templatetags.ui import pill
from tracking.everywhere import asking, boards
from tracking.everywhere.models import (
    Board,
    MediaFile,
    MediaView,
    Notice,
    NoticeRule,
    OptOut,
    PageRequest,
    PageSettings,
)
from tracking.media import services as media
from tracking.narrate import is_visible, milestones

_TONES = {"open": "hold", "accepted": "ok", "refused": "bad"}


@admin.register(PageSettings)
class PageSettingsAdmin(HubAdmin):
    """Where a merchant's pages may be embedded, how they look, what they take."""

    list_display = ("merchant", "theme", "shown_origins", "takes_return", "takes_complaint")
    fields = (
        "merchant", "allowed_origins", ("theme", "accent"),
        ("takes_address", "takes_preference", "takes_return", "takes_complaint"), "shown_tag",
    )  # fmt: skip
    readonly_fields = ("shown_tag",)

    @admin.display(description=_("sites that may embed it"))
    def shown_origins(self, obj: PageSettings) -> str:
        """All of them."""
        return ", ".join(obj.allowed_origins) or "–"

    @admin.display(description=_("the tag for the shop's own site"))
    def shown_tag(self, obj: PageSettings) -> SafeString:
        """To be copied; the token is the last part of a buyer's link."""
        tag = f'<script src="{settings.PUBLIC_URL}/embed.js" data-token="TOKEN" async></script>'
        return format_html("<code>{}</code>", tag)


class _AnswerForm(forms.Form):
    """What the buyer reads."""

    answer = forms.CharField(
        label=_("Answer"), max_length=300, required=False, widget=UnfoldAdminTextInputWidget(),
        help_text=_("The buyer reads it."),
    )  # fmt: skip


@admin.register(PageRequest)
class PageRequestAdmin(ReadOnlyAdmin):
    """What buyers asked for: agree or refuse, with a word to them."""

    list_display = ("asked_at", "order", "shown_kind", "shown_choice", "text", "shown_state", "answered_by")
    list_filter = (
        ("state", ChoicesDropdownFilter), ("kind", ChoicesDropdownFilter), ("merchant", RelatedDropdownFilter)
    )  # fmt: skip
    list_select_related = ("order",)
    search_fields = ("order__external_id__exact",)
    ordering = ("-asked_at",)
    actions_detail = ("accept", "refuse")

    @admin.display(description=_("kind"), ordering="kind")
    def shown_kind(self, obj: PageRequest) -> str:
        """In words."""
        return str(obj.get_kind_display())

    @admin.display(description=_("choice"))
    def shown_choice(self, obj: PageRequest) -> str:
        """In words."""
        both = asking.CHOICES.get(obj.kind, {}).get(obj.choice)
        return both["zh" if is_chinese() else "en"] if both else obj.choice

    @admin.display(description=_("state"), ordering="state")
    def shown_state(self, obj: PageRequest) -> SafeString:
        """In color."""
        return pill(_TONES[obj.state], obj.get_state_display())

    def has_answer_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Whoever may change requests."""
        return bool(request.user.has_perm("tracking.change_pagerequest"))

    @button(description=_("Agree"), url_path="accept", permissions=["answer"])
    def accept(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Agree, after the answer was written."""
        return self._answer(request, object_id, accepted=True)

    @button(description=_("Refuse"), url_path="refuse", permissions=["answer"])
    def refuse(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Refuse, after the answer was written."""
        return self._answer(request, object_id, accepted=False)

    def _answer(self, request: HttpRequest, object_id: int, *, accepted: bool) -> HttpResponse:
        back = reverse("admin:tracking_pagerequest_changelist")
        row = self.get_queryset(request).filter(pk=object_id).first()
        if row is None:
            messages.error(request, _now("There is no such request."))
            return HttpResponseRedirect(back)
        form = _AnswerForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                asking.answer(
                    row.pk, accepted=accepted, text=form.cleaned_data["answer"], actor=actor_of(request),
                    now=clock.now(),
                )  # fmt: skip
                messages.success(request, _now("The buyer's page says so now."))
            except Refused as refusal:
                messages.error(request, str(refusal))
            return HttpResponseRedirect(back)
        title = _now("Agree") if accepted else _now("Refuse")
        context = {
            **self.admin_site.each_context(request), "title": title, "form": form, "button": title, "back": back,
            "effect": f"{row.get_kind_display()}: {self.shown_choice(row)} {row.text}",
        }  # fmt: skip
        return TemplateResponse(request, "admin/ask.html", context)


class _ChosenList(forms.MultipleChoiceField):
    """A list of codes kept as JSON."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=UnfoldAdminCheckboxSelectMultipleWidget(), **kwargs)

    def has_changed(self, initial: Any, data: Any) -> bool:
        """In any order."""
        return list(initial or []) != list(data or [])


def milestone_choices() -> list[tuple[str, str]]:
    """The milestones buyers may be written to about."""
    return [
        (code, one.zh if is_chinese() else one.en)
        for code, one in milestones().items()
        if is_visible(one, warehouse_shown=True)
    ]


class NoticeRuleForm(forms.ModelForm):  # type: ignore[type-arg]
    """Milestones are ticked."""

    milestones = _ChosenList(label=_("milestones"), choices=milestone_choices)

    class Meta:
        model = NoticeRule
        exclude: tuple[str, ...] = ()


@admin.register(NoticeRule)
class NoticeRuleAdmin(HubAdmin):
    """Which milestones buyers are written to about, how, and when not."""

    form = NoticeRuleForm
    list_display = ("name", "way", "language", "quiet_from", "quiet_until", "merge_minutes", "is_active")
    list_filter = (("way", ChoicesDropdownFilter), "is_active", ("merchant", RelatedDropdownFilter))
    fields = (
        "merchant", ("name", "is_active"), ("way", "connection"), "milestones", ("language", "merge_minutes"),
        ("quiet_from", "quiet_until"),
    )  # fmt: skip


@admin.register(Notice)
class NoticeAdmin(ReadOnlyAdmin):
    """What was sent to buyers, and what not and why."""

    list_display = ("at", "order", "way", "shown_state", "to", "rule")
    list_filter = (
        ("way", ChoicesDropdownFilter),
        ("state", ChoicesDropdownFilter),
        ("rule", RelatedDropdownFilter),
    )
    list_select_related = ("order", "rule")
    search_fields = ("order__external_id__exact",)
    ordering = ("-at",)

    @admin.display(description=_("state"), ordering="state")
    def shown_state(self, obj: Notice) -> SafeString:
        """With the reason."""
        text = obj.get_state_display()
        reason = _REASONS.get(obj.reason)
        return pill(
            "ok" if obj.state == Notice.State.SENT else "wait", f"{text} · {reason}" if reason else text
        )


_REASONS = {
    "no_contact": _("no address to write to"),
    "opted_out": _("the buyer wants none"),
    "nothing_to_say": _("nothing the page would say"),
}


@admin.register(OptOut)
class OptOutAdmin(ReadOnlyAdmin):
    """Contacts that want no messages; only their fingerprints are kept."""

    list_display = ("since", "way", "merchant")
    ordering = ("-since",)


class BoardForm(forms.ModelForm):  # type: ignore[type-arg]
    """Blocks are ticked."""

    blocks = _ChosenList(label=_("blocks"), choices=Board.Block.choices, required=False)

    class Meta:
        model = Board
        exclude: tuple[str, ...] = ()


@admin.register(Board)
class BoardAdmin(HubAdmin):
    """Pages of several orders, for customers and partners."""

    form = BoardForm
    list_display = ("name", "kind", "merchant", "expires_at", "is_active", "shown_link")
    list_filter = (("kind", ChoicesDropdownFilter), "is_active", ("merchant", RelatedDropdownFilter))
    search_fields = ("name",)
    autocomplete_fields = ("orders",)
    fields = (
        "merchant", ("name", "kind"), ("phone", "channel"), "orders", "blocks", ("days", "expires_at"), "is_active",
        "shown_link",
    )  # fmt: skip
    readonly_fields = ("shown_link",)
    actions_detail = ("withdraw",)

    @admin.display(description=_("link"))
    def shown_link(self, obj: Any) -> SafeString | str:
        """To be sent to the customer."""
        if obj.pk is None:
            return "–"
        return format_html('<a href="{0}" target="_blank" rel="noopener">{0}</a>', f"/b/{boards.token(obj)}/")

    def save_model(self, request: HttpRequest, obj: Board, form: Any, change: bool) -> None:
        """With its link; the hash needs the id."""
        if not change:
            obj.token_hash = f"new:{clock.now().timestamp()}"
        super().save_model(request, obj, form, change)
        if not change:
            boards.stamp(obj)
            obj.save(update_fields=["token_hash"])

    @button(description=_("Withdraw the link"), url_path="withdraw", permissions=["change"])
    def withdraw(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Ask; then make a new one."""
        back = reverse("admin:tracking_board_change", args=[object_id])
        board = self.get_queryset(request).filter(pk=object_id).first()
        if board is None:
            return HttpResponseRedirect(reverse("admin:tracking_board_changelist"))
        if request.method == "POST":
            boards.withdraw(board)
            messages.success(request, _now("The link before opens nothing any more."))
            return HttpResponseRedirect(back)
        context = {
            **self.admin_site.each_context(request), "title": _now("Withdraw the link"), "form": forms.Form(),
            "effect": _now("Whoever has the present link sees nothing any more; a new one is made."),
            "button": _now("Withdraw the link"), "back": back, "is_final": True,
        }  # fmt: skip
        return TemplateResponse(request, "admin/ask.html", context)


class LookInline(TabularInline):
    """Who looked."""

    model = MediaView
    extra = 0
    can_delete = False
    tab = True
    fields = readonly_fields = ("at", "who", "address")
    ordering = ("-at",)
    max_num = 0

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False


class MediaForm(forms.ModelForm):  # type: ignore[type-arg]
    """With the file, when one is added."""

    file = forms.FileField(
        label=_("file"), required=False, widget=UnfoldAdminFileFieldWidget(),
        help_text=_("JPEG, PNG, WebP, PDF up to 20 MB; MP4, MOV, WebM. Faces and other parcels' labels must not be seen."),
    )  # fmt: skip

    class Meta:
        model = MediaFile
        fields = ("order", "parcel", "step", "audience", "title", "taken_at")

    def clean(self) -> dict[str, Any]:
        """Check and keep the file here, so that what is wrong with it stands beside its field."""
        found: dict[str, Any] = super().clean() or {}
        if self.instance.pk is None and not self.errors:
            file = found.get("file")
            if file is None:
                raise ValidationError({"file": _("Choose a file.")})
            parcel = found.get("parcel")
            if parcel is not None and parcel.fulfillment.order_id != found["order"].pk:
                raise ValidationError({"parcel": _("The parcel belongs to another order.")})
            try:
                self.instance = media.add(
                    found["order"], file, size=file.size, step=found["step"], audience=found["audience"],
                    title=found.get("title") or "", parcel=found.get("parcel"), taken_at=found.get("taken_at"),
                    now=clock.now(), actor="user:admin",
                )  # fmt: skip
            except Refused as refusal:
                raise ValidationError({"file": str(refusal)}) from refusal
        return found


@admin.register(MediaFile)
class MediaFileAdmin(HubAdmin):
    """Photos, packing videos and certificates, with who looked at them."""

    form = MediaForm
    list_display = (
        "added_at",
        "order",
        "step",
        "kind",
        "audience",
        "title",
        "views",
        "keep_until",
        "shown_file",
    )
    list_filter = (
        ("step", ChoicesDropdownFilter), ("kind", ChoicesDropdownFilter), ("audience", ChoicesDropdownFilter),
        ("merchant", RelatedDropdownFilter),
    )  # fmt: skip
    list_select_related = ("order",)
    search_fields = ("order__external_id__exact", "title")
    autocomplete_fields = ("order", "parcel")
    ordering = ("-added_at",)
    inlines = (LookInline,)
    readonly_fields = ("shown_file",)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """The file is chosen once."""
        own = ("order", "parcel", "step", "audience", "title", "taken_at")
        return (*own, "shown_file") if obj else (*own, "file")

    @admin.display(description=_("file"))
    def shown_file(self, obj: Any) -> SafeString | str:
        """A link of now, with the small picture where there is one."""
        if obj.pk is None:
            return "–"
        now = clock.now()
        link = media.link(obj, who="staff", now=now)
        if not obj.thumb_path:
            return format_html('<a href="{}" target="_blank" rel="noopener">↗</a>', link)
        thumb = media.link(obj, who="staff", now=now, thumb=True)
        return format_html(
            '<a href="{}" target="_blank" rel="noopener"><img src="{}" alt="" width="80"></a>', link, thumb
        )

    def save_model(self, request: HttpRequest, obj: MediaFile, form: Any, change: bool) -> None:
        """What was added is kept already; who added it is known only here."""
        if not change:
            obj.added_by = actor_of(request)
        super().save_model(request, obj, form, True)

    def delete_model(self, request: HttpRequest, obj: MediaFile) -> None:
        """With the file."""
        media.delete(obj)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        """With the files."""
        for row in queryset:
            media.delete(row)

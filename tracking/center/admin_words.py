"""Milestones as rows, and the page that words them: per audience, both languages, with versions and a preview."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import display
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from orderhub.access.models import Merchant
from orderhub.inventory.admin_base import HubAdmin, actor_of, button, is_chinese
from orderhub.kernel import clock
from orderhub.kernel.errors import Refused
from orderhub.orders.models import Order
from tracking import narrate
from tracking.center import wording
from tracking.center.book import AUDIENCES
from tracking.center.models import MilestoneKind, Sentence


class MilestoneForm(forms.ModelForm):  # type: ignore[type-arg]
    """One milestone; its sentences are checked like all others."""

    class Meta:
        model = MilestoneKind
        fields = (
            "merchant", "code", "group", "zh", "en", "public", "is_terminal", "position", "status", "is_hidden",
        )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        """Both sentences, each in its language, with values that can be filled in."""
        given: dict[str, Any] = super().clean() or {}
        for flaw in wording.flaws(given.get("zh", ""), given.get("en", "")):
            self.add_error("zh" if "zh" in self.fields else None, str(flaw))
        return given


@admin.register(MilestoneKind)
class MilestoneKindAdmin(HubAdmin):
    """Every step an order may go through; the product's own can be worded and hidden, never removed."""

    form = MilestoneForm
    list_display = (
        "shown_sentence",
        "code",
        "group",
        "public",
        "position",
        "is_hidden",
        "is_shipped",
        "merchant",
    )
    list_filter = (
        ("group", ChoicesDropdownFilter),
        ("public", ChoicesDropdownFilter),
        "is_hidden",
        "is_shipped",
    )
    list_select_related = ("merchant",)
    list_before_template = "admin/center/words_before.html"
    search_fields = ("code", "zh", "en")
    ordering = ("position", "code")
    actions_detail = ("words",)
    actions_row = ("words",)

    def get_queryset(self, request: HttpRequest) -> Any:
        """Staff of one merchant see their own and everybody's."""
        rows: Any = admin.ModelAdmin.get_queryset(self, request)
        merchant_id = getattr(request.user, "merchant_id", None)
        return rows.filter(merchant_id=None) | rows.filter(merchant_id=merchant_id) if merchant_id else rows

    def get_urls(self) -> list[Any]:
        """The page of one audience's sentence."""
        wrap = self.admin_site.admin_view
        own = path("<int:object_id>/words/<slug:audience>/", wrap(self.say), name="center_milestonekind_say")
        return [own, *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """The list under what has no sentence yet."""
        missing = wording.gaps(wording.book_of(_merchant(request)))
        return super().changelist_view(request, {**(extra_context or {}), "gaps": missing})

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """The code and the owner of what comes with the product are its own."""
        return ("merchant", "code", "group") if obj is not None and obj.is_shipped else ()

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What holds for everybody is for staff of no single merchant."""
        return super().has_change_permission(request, obj) and _may_change(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The product's own are hidden instead; a deleted code would leave old pages without a sentence."""
        if obj is not None and obj.is_shipped:
            return False
        return super().has_delete_permission(request, obj) and _may_change(request, obj)

    def get_actions(self, request: HttpRequest) -> Any:
        """Rows are removed one by one, since the product's own are not."""
        found = super().get_actions(request)
        found.pop("delete_selected", None)
        return found

    def save_model(self, request: HttpRequest, obj: MilestoneKind, form: Any, change: bool) -> None:
        """A row that was changed speaks instead of the product's data."""
        obj.is_changed = True
        if (merchant := _merchant(request)) is not None and not change:
            obj.merchant = merchant
        super().save_model(request, obj, form, change)

    @display(description=_("sentence"))
    def shown_sentence(self, row: MilestoneKind) -> str:
        """In the reader's language."""
        return row.zh if is_chinese() else row.en

    @button(description=_("Words"), url_path="words", icon="translate")
    def words(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """What each audience reads, and where to change it."""
        row = self._row(request, object_id)
        book = wording.book_of(_merchant(request) or row.merchant)
        lines = []
        for audience in AUDIENCES:
            zh, en = book.words(row.code, audience) or ("", "")
            number = wording.newest_number(row.code, audience)
            link = reverse("admin:center_milestonekind_say", args=(row.pk, audience))
            lines.append((Sentence.Audience(audience).label, zh, en, number, link))
        return TemplateResponse(request, "admin/center/words.html", self._context(request, row, lines=lines))

    def say(self, request: HttpRequest, object_id: int, audience: str) -> HttpResponse:
        """One audience's sentence: try it with an order, keep it as a version, go back to an older one."""
        row = self._row(request, str(object_id))
        if audience not in AUDIENCES:
            raise Http404
        whom, merchant = audience, _merchant(request) or row.merchant
        book = wording.book_of(merchant)
        zh, en = book.words(row.code, whom) or (row.zh, row.en)
        given = {
            name: request.POST.get(name, value) for name, value in (("zh", zh), ("en", en), ("note", ""))
        }
        fault = ""
        if request.method == "POST" and request.POST.get("deed") in ("keep", "withdraw"):
            if not self.has_change_permission(request):
                raise PermissionDenied
            try:
                if request.POST["deed"] == "withdraw":
                    wording.withdraw(row.code, whom, merchant=merchant)
                else:
                    wording.say(
                        row.code, whom, given["zh"], given["en"], merchant=merchant, note=given["note"],
                        actor=actor_of(request), now=clock.now(),
                    )  # fmt: skip
                messages.success(request, _("Kept; every page speaks so from now on."))
                return HttpResponseRedirect(request.path)
            except Refused as no:
                fault = str(no)
        order = _order(request)
        facts = wording.facts_of(order, row.code, now=clock.now()) if order else {}
        shown = wording.preview(row.code, whom, given["zh"], given["en"], book=book, facts=facts)
        context = self._context(
            request, row, audience=Sentence.Audience(audience).label, given=given, fault=fault, preview=shown, order=order,
            versions=wording.versions(row.code, whom, merchant), flaws=wording.flaws(given["zh"], given["en"]),
            places=sorted(narrate.PLACEHOLDERS), may_change=self.has_change_permission(request),
        )  # fmt: skip
        return TemplateResponse(request, "admin/center/say.html", context)

    def _row(self, request: HttpRequest, object_id: str) -> MilestoneKind:
        row = self.get_queryset(request).filter(pk=object_id).first() if object_id.isdecimal() else None
        if row is None:
            raise Http404
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        return cast("MilestoneKind", row)

    def _context(self, request: HttpRequest, row: MilestoneKind, **more: Any) -> dict[str, Any]:
        return {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": row.code,
            "row": row,
            **more,
        }


def _merchant(request: HttpRequest) -> Merchant | None:
    merchant_id = getattr(request.user, "merchant_id", None)
    return Merchant.objects.filter(pk=merchant_id).first() if merchant_id else None


def _may_change(request: HttpRequest, obj: MilestoneKind | None) -> bool:
    merchant_id = getattr(request.user, "merchant_id", None)
    return obj is None or merchant_id is None or obj.merchant_id == merchant_id


def _order(request: HttpRequest) -> Order | None:
    """The order named, of those this person may see; else the newest one."""
    rows = Order.objects.select_related("merchant")
    merchant_id = getattr(request.user, "merchant_id", None)
    rows = rows.filter(merchant_id=merchant_id) if merchant_id else rows
    number = request.POST.get("order", "").strip()
    chosen = rows.filter(external_id=number).first() if number else None
    return chosen or rows.order_by("-pk").first()

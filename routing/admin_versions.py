"""Operators' pages of strategies' versions: what was in force when, and the way back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin import display
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import RelatedDropdownFilter

from orderhub.inventory.admin import ask
from orderhub.inventory.admin_base import ReadOnlyAdmin, button, named
from orderhub.kernel import clock
from routing import admin_words, restoring, strategies
from routing.admin_parts import Titled
from routing.models import StrategyVersion
from routing.twin import words


def tell_in_force(request: HttpRequest, made: StrategyVersion) -> None:
    """Say on the next page which version is in force now."""
    messages.success(request, _("Version %(number)d is in force from now on.") % {"number": made.number})


def replay_words(replay: Mapping[str, Any]) -> str:
    """What is kept of a replay in a sentence."""
    text = _("Tried on %(orders)s orders of %(days)s days; %(changed)s would have been routed otherwise.")
    told = str(text % {name: replay.get(name, "–") for name in ("orders", "days", "changed")})
    found = replay.get("figures") or {}
    if not all(name in found for name in ("money", "hours", "kgco2e")):
        return told
    gap = "" if told.endswith("。") else " "
    return f"{told}{gap}{words.effect(replay)}{_('.')}"


@admin.register(StrategyVersion)
class StrategyVersionAdmin(Titled, ReadOnlyAdmin):
    """What was in force when; an older one can be put in force again, as a new version."""

    merchant_path = "strategy__merchant"
    list_display = ("shown_strategy", "shown_number", "created_at", "created_by", "origin")
    list_filter = (("strategy", RelatedDropdownFilter),)
    list_select_related = ("strategy", "created_by")
    ordering = ("-pk",)
    fields = (
        "shown_strategy",
        "shown_number",
        "created_at",
        "created_by",
        "origin",
        "note",
        "shown_replay",
        "shown_figures",
        "shown_difference",
    )
    readonly_fields = fields
    actions_detail = ("restore",)

    def has_restore_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Whoever may change strategies."""
        return request.user.has_perm("routing.change_strategy")

    def title_of(self, obj: StrategyVersion) -> str:
        """The strategy and the number."""
        return f"{named(obj.strategy)} v{obj.number}"

    @display(description=_("strategy"), ordering="strategy_id")
    def shown_strategy(self, obj: StrategyVersion) -> str:
        """The strategy in the reader's language."""
        return named(obj.strategy)

    @display(description=_("version"), ordering="number")
    def shown_number(self, obj: StrategyVersion) -> str:
        """v1, v2 …"""
        return f"v{obj.number}"

    @display(description=_("what-if"))
    def shown_replay(self, obj: StrategyVersion) -> str:
        """What stood beside the figures when they were published."""
        if obj.is_unreplayed:
            return str(_("Published without what-if, knowingly."))
        if not obj.replay:
            return "–"
        return replay_words(obj.replay)

    @display(description=_("What the figures mean"))
    def shown_figures(self, obj: StrategyVersion) -> SafeString:
        """Each figure in a sentence."""
        return admin_words.figure_list(obj.values)

    @display(description=_("Against what is in force now"))
    def shown_difference(self, obj: StrategyVersion) -> SafeString:
        """What would change if this version came back."""
        newest = strategies.in_force(obj.strategy)
        if newest is None or newest.pk == obj.pk:
            return format_html("{}", _("this version is in force"))
        return format_html('<span class="oh">{}</span>', admin_words.difference(newest.values, obj.values))

    @button(description=_("Put in force again"), url_path="restore", icon="undo", permissions=["restore"])
    def restore(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask, with what changes, then make a new version with these figures."""
        version = self.get_queryset(request).select_related("strategy").filter(pk=object_id).first()
        if version is None:
            raise Http404
        back = reverse("admin:routing_strategy_change", args=(version.strategy_id,))
        if request.method == "POST":
            tell_in_force(request, restoring.restore(version, actor=request.user, now=clock.now()))  # type: ignore[arg-type]
            return HttpResponseRedirect(back)
        title = f"{named(version.strategy)} v{version.number}"
        effect = format_html(
            "{} {}",
            _("The figures of this version route the very next order, as a new version. Changes:"),
            self.shown_difference(version),
        )
        return ask(self, request, title=title, effect=effect, button=_("Put in force again"), back=back)

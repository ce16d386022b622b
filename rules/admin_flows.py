"""The operators' page of order flows: a list of steps that exist."""

from __future__ import annotations

from django import forms
from django.contrib import admin
from django.contrib.admin import display
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from simple_history.admin import SimpleHistoryAdmin
from unfold.admin import ModelAdmin
from unfold.decorators import action

from rules import flow
from rules.models import Flow


class FlowForm(forms.ModelForm):  # type: ignore[type-arg]
    """Steps must exist; an unknown one would leave orders standing."""

    class Meta:
        model = Flow
        fields = ("code", "name", "name_en", "scope", "is_active", "steps")

    def clean_steps(self) -> list[str]:
        """A list of registered names, each once; says which are unknown and which there are."""
        steps = self.cleaned_data["steps"]
        if not steps and self.instance.draft:  # it is drawn
            return []
        if not isinstance(steps, list) or not steps or not all(isinstance(name, str) for name in steps):
            raise forms.ValidationError(_('A list of step names, e.g. ["order.screen", "routing.route"].'))
        unknown = flow.unknown(steps)
        if unknown:
            known = ", ".join(flow.names())
            raise forms.ValidationError(
                _("Unknown steps: %(unknown)s. There are: %(known)s.")
                % {"unknown": ", ".join(unknown), "known": known}
            )
        if len(set(steps)) != len(steps):
            raise forms.ValidationError(_("Each step may stand in a flow once."))
        return steps


@admin.register(Flow)
class FlowAdmin(SimpleHistoryAdmin, ModelAdmin):
    """The steps orders walk through; merchants without a flow use the built-in one."""

    form = FlowForm
    list_display = ("name", "code", "scope", "shown_steps", "is_active", "drawing")
    actions_list = ("library",)
    list_filter = ("is_active",)
    search_fields = ("code", "name")
    show_full_result_count = False
    ordering = ("scope", "code")
    readonly_fields = ("shown_steps", "drawing")
    fields = ("code", ("name", "name_en"), ("scope", "is_active"), "drawing", "steps", "shown_steps")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Flow]:
        """Flows of all merchants, or for staff of one merchant its own."""
        rows: QuerySet[Flow] = super().get_queryset(request)
        merchant_id = getattr(request.user, "merchant_id", None)
        return rows if merchant_id is None else rows.filter(scope=f"merchant:{merchant_id}")

    @action(  # type: ignore[untyped-decorator]
        description=_("Ready-made flows"), url_path="library", icon="account_tree"
    )
    def library(self, request: HttpRequest) -> HttpResponse:
        """To the library, to copy one."""
        return HttpResponseRedirect(reverse("flows:library"))

    @display(description=_("Drawing"))
    def drawing(self, obj: Flow) -> str:
        """The way to the editor; the page stands in an app above, so it is reached by name."""
        if obj._state.adding:
            return "–"
        return format_html(
            '<a class="oh-link" href="{}">{}</a>', reverse("flows:draw", args=(obj.pk,)), _("Draw")
        )

    @display(description=_("In words"))
    def shown_steps(self, obj: Flow) -> str:
        """The steps by their labels."""
        known = set(flow.names())
        zh = (get_language() or "").startswith("zh")
        steps = [
            (flow.get(name).zh if zh else flow.get(name).en) if name in known else name for name in obj.steps
        ]
        return " → ".join(steps) or (str(_("drawn")) if obj.draft else "–")

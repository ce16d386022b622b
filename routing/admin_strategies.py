"""Operators' pages of strategies: the draft, what publishing it does, and every version with its way back."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import display
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, Subquery
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from simple_history.admin import SimpleHistoryAdmin
from unfold.contrib.filters.admin import RelatedDropdownFilter

from orderhub.inventory.admin_base import HubAdmin, named
from orderhub.kernel import clock
from orderhub.kernel.errors import Refused
from orderhub.templatetags.ui import pill
from routing import admin_words, drafts, figures, restoring, rule_checks, strategies, strategy_forms
from routing.admin_versions import replay_words, tell_in_force
from routing.models import Strategy, StrategyDraft, StrategyRule, StrategyVersion
from routing.twin import service as twin
from routing.twin.admin import WhatIf

MOST_VERSIONS = 20
#: What of a run is kept with the version; the run itself is forgotten after a while.
KEPT_OF_REPLAY = ("orders", "paired", "changed", "figures")


class PublishForm(forms.Form):
    """Why, and the knowing of what was not tried."""

    note = forms.CharField(
        label=_("Why, for the history"),
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"class": "oh-input"}),
    )
    without_replay = forms.BooleanField(
        label=_("Publish without what-if. The version will say so, with my name."), required=False
    )
    token = forms.CharField(widget=forms.HiddenInput)


@admin.register(Strategy)
class StrategyAdmin(WhatIf, SimpleHistoryAdmin, HubAdmin):
    """Exchange rates in yuan: saving keeps a draft, publishing routes the very next order by it."""

    form = strategy_forms.StrategyForm
    change_form_template = "admin/routing/strategy_form.html"
    list_display = (
        "shown_name",
        "code",
        "shown_version",
        "shown_use",
        "shown_hour",
        "shown_carbon",
        "is_active",
    )
    list_filter = ("is_active", ("merchant", RelatedDropdownFilter))
    search_fields = ("code", "name", "name_en")
    ordering = ("merchant_id", "pk")
    autocomplete_fields = ("channels",)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "merchant",
                    "code",
                    "name",
                    "name_en",
                    "is_active",
                    "is_default",
                    "for_green",
                    "channels",
                )
            },
        ),
    )

    class Media:
        css = {"all": ("routing/strategy.css",)}
        js = ("routing/strategy.js",)

    # ---- lists and rights --------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> Any:
        """With the number of the version in force, and whether a draft waits."""
        newest = (
            StrategyVersion.objects.filter(strategy=OuterRef("pk")).order_by("-number").values("number")[:1]
        )
        draft = StrategyDraft.objects.filter(strategy=OuterRef("pk"))
        return super().get_queryset(request).annotate(newest_number=Subquery(newest), has_draft=Exists(draft))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Decisions point to its versions: a strategy is switched off instead."""
        return False

    @display(description=_("name"), ordering="name")
    def shown_name(self, obj: Strategy) -> str:
        """The name in the reader's language."""
        return named(obj)

    @display(description=_("version"))
    def shown_version(self, obj: Any) -> SafeString:
        """The number of the version in force, and whether a draft waits."""
        number = f"v{obj.newest_number}" if obj.newest_number else "–"
        return format_html("{} {}", number, pill("wait", str(_("draft"))) if obj.has_draft else "")

    @display(description=_("used for"))
    def shown_use(self, obj: Strategy) -> SafeString:
        """Default, green orders."""
        pills = []
        if obj.is_default:
            pills.append(pill("go", str(_("default"))))
        if obj.for_green:
            pills.append(pill("leaf", str(_("green orders"))))
        return format_html_join(" ", "{}", ((one,) for one in pills)) or SafeString("–")

    @display(description=_("¥ per hour"), ordering="yuan_per_hour")
    def shown_hour(self, obj: Strategy) -> str:
        """In force, as a person writes it; a sequential strategy has none."""
        return "–" if obj.sequence else admin_words.short(obj.yuan_per_hour)

    @display(description=_("¥ per kg CO2e"), ordering="yuan_per_kgco2e")
    def shown_carbon(self, obj: Strategy) -> str:
        """Likewise."""
        return "–" if obj.sequence else admin_words.short(obj.yuan_per_kgco2e)

    # ---- the page ----------------------------------------------------------------------------------

    def get_urls(self) -> list[Any]:
        """Publishing, throwing a draft away, and going back."""
        wrap = self.admin_site.admin_view
        own = [
            path("<int:pk>/publish/", wrap(self.publish), name="routing_strategy_publish"),
            path("<int:pk>/discard/", wrap(self.discard), name="routing_strategy_discard"),
            path("<int:pk>/rollback/", wrap(self.roll_back), name="routing_strategy_rollback"),
        ]
        return own + super().get_urls()

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """The page; what somebody quicker makes impossible between check and saving is told, not lost."""
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except Refused as refused:
            messages.error(request, str(refused))
            return HttpResponseRedirect(request.get_full_path())

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        """What stands beside the form: the stand, what the draft changes, versions, rules."""
        form = context["adminform"].form
        found: Strategy | None = kwargs.get("obj")
        stand = form.stand
        changed = figures.changed(stand.live_values, stand.values) if stand.live else []
        context |= {
            "stand": stand,
            "can_edit": self.has_change_permission(request, found) if found else True,
            "presets": _presets(stand.values),
            "differences": admin_words.changes(stand.live_values, stand.values) if stand.live else [],
            "unchanged": len(figures.FIGURES) - len(changed),
            "meanings": admin_words.meanings(stand.values),
            "media": context["media"] + self.media,
        }
        if found is not None:
            context |= {
                "shown_name": named(found),
                "versions": version_rows(found),
                "rules": rules_of(found),
                "rules_link": f"{reverse('admin:routing_strategyrule_changelist')}?strategy__id__exact={found.pk}",
            }
        return super().render_change_form(request, context, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: Strategy, form: Any, change: bool) -> None:
        """Name and use count at once; the figures in force are not touched."""
        if not change:
            obj.save()
            return
        own = [name for name in form.Meta.fields if name != "channels"]
        obj.save(update_fields=own)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Keep the figures as the draft; those of a ready-made strategy if its button was pressed."""
        super().save_related(request, form, formsets, change)
        preset = next((one for one in strategies.PRESETS if one.code == request.POST.get("_preset")), None)
        values = preset.values if preset else form.figures
        token = form.cleaned_data.get("token") or None if change else None
        stand = drafts.save(form.instance, values, token=token, actor=request.user, now=clock.now())  # type: ignore[arg-type]
        if stand.draft is not None:
            text = _("Draft kept. Orders are routed as before until you publish it.")
        else:
            text = _("The figures are those in force; there is no draft.")
        messages.success(request, text)

    def response_change(self, request: HttpRequest, obj: Strategy) -> HttpResponse:
        """Back to the page, or on to publishing."""
        step = "publish" if "_publish" in request.POST and drafts.stand(obj).draft else "change"
        return HttpResponseRedirect(reverse(f"admin:routing_strategy_{step}", args=(obj.pk,)))

    def response_add(
        self, request: HttpRequest, obj: Strategy, post_url_continue: Any = None
    ) -> HttpResponse:
        """To its page, where it is tried and published."""
        return HttpResponseRedirect(reverse("admin:routing_strategy_change", args=(obj.pk,)))

    # ---- publishing, throwing away, going back -----------------------------------------------------

    def publish(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Say what changes and what the what-if said, then put the draft in force."""
        found = self._found(request, pk)
        back = reverse("admin:routing_strategy_change", args=(pk,))
        stand = drafts.stand(found)
        if stand.draft is None:
            messages.info(request, _("There is no draft to publish."))
            return HttpResponseRedirect(back)
        run = twin.latest(found, stand.draft.values)
        form = PublishForm(request.POST or None, initial={"token": stand.token})
        if request.method == "POST" and form.is_valid():
            given = form.cleaned_data
            replay = _kept(run) if run else None
            try:
                made = drafts.publish(
                    found,
                    token=given["token"],
                    actor=request.user,  # type: ignore[arg-type]
                    now=clock.now(),
                    replay=replay,
                    without_replay=given["without_replay"],
                    note=given["note"],
                )
            except Refused as refused:
                form.add_error(
                    "without_replay" if refused.code == "strategy_no_replay" else None, str(refused)
                )
            else:
                tell_in_force(request, made)
                return HttpResponseRedirect(back)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "media": self.media,
            "title": _("Publish v%(number)d of %(name)s")
            % {"number": stand.next_number, "name": named(found)},
            "form": form,
            "stand": stand,
            "back": back,
            "run": run,
            "replay_said": replay_words(_kept(run)) if run else "",
            "differences": admin_words.changes(stand.live_values, stand.values) if stand.live else [],
            "meanings": admin_words.meanings(stand.values),
        }
        return TemplateResponse(request, "admin/routing/strategy_publish.html", context)

    def discard(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Throw the draft away."""
        found = self._found(request, pk, method="POST")
        try:
            drafts.discard(found, token=request.POST.get("token"))
            messages.success(request, _("The draft is gone; what is in force stays."))
        except Refused as refused:
            messages.error(request, str(refused))
        return HttpResponseRedirect(reverse("admin:routing_strategy_change", args=(pk,)))

    def roll_back(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Put an older version's figures in force again, as a new version."""
        found = self._found(request, pk, method="POST")
        asked = request.POST.get("version", "")
        version = found.versions.filter(pk=asked).first() if asked.isdecimal() else None
        if version is None:
            raise Http404
        tell_in_force(request, restoring.restore(version, actor=request.user, now=clock.now()))  # type: ignore[arg-type]
        return HttpResponseRedirect(reverse("admin:routing_strategy_change", args=(pk,)))

    def _found(self, request: HttpRequest, pk: int, *, method: str = "") -> Strategy:
        found: Strategy | None = self.get_queryset(request).filter(pk=pk).first()
        if found is None or (method and request.method != method):
            raise Http404
        if not self.has_change_permission(request, found):
            raise PermissionDenied
        return found


def _kept(run: Any) -> dict[str, Any]:
    result = run.result or {}
    return {
        "run": run.pk,
        "days": run.days,
        "starts_at": run.starts_at.isoformat(),
        "ends_at": run.ends_at.isoformat(),
        **{name: result[name] for name in KEPT_OF_REPLAY if name in result},
    }


def _presets(values: dict[str, Any]) -> list[dict[str, Any]]:
    """The ready-made strategies as buttons, each with the fields it fills."""
    rows = []
    for preset in strategies.PRESETS:
        fields = strategy_forms.initial(preset.values)
        filled = {name: "" if value is None else str(value) for name, value in fields.items()}
        is_on = not figures.changed(preset.values, values)
        rows.append(
            {"code": preset.code, "name": named(preset), "fields": json.dumps(filled), "is_on": is_on}
        )
    return rows


def version_rows(strategy: Strategy) -> list[dict[str, Any]]:
    """The newest versions with who, when, and what changed in each."""
    versions = list(strategy.versions.select_related("created_by").order_by("-number")[: MOST_VERSIONS + 1])
    rows = []
    for position, version in enumerate(versions[:MOST_VERSIONS]):
        older = versions[position + 1].values if position + 1 < len(versions) else {}
        rows.append(
            {
                "version": version,
                "by": version.created_by.get_username() if version.created_by else "",
                "changes": admin_words.difference(older, version.values),
                "is_live": position == 0,
            }
        )
    return rows


def rules_of(strategy: Strategy) -> list[StrategyRule]:
    """The rules that give orders this strategy, each with its conditions in words."""
    rules = list(strategy.rules.order_by("priority", "pk"))
    for rule in rules:
        rule.shown = rule_checks.in_words(rule)  # type: ignore[attr-defined]
        rule.shown_name = named(rule)  # type: ignore[attr-defined]
    return rules

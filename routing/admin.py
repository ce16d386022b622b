"""Operators' pages of strategies, their versions, and decisions with why they were made."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import display
from django.db.models import OuterRef, Subquery
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from simple_history.admin import SimpleHistoryAdmin
from unfold.contrib.filters.admin import DropdownFilter, RangeDateTimeFilter, RelatedDropdownFilter

from orderhub.fulfillment.admin import order_link
from orderhub.inventory.admin import ask
from orderhub.inventory.admin_base import HubAdmin, ReadOnlyAdmin, button, is_chinese, named
from orderhub.kernel import clock
from orderhub.templatetags.desk import when
from orderhub.templatetags.ui import pill
from routing import panels, record, restoring, strategies
from routing.admin_words import difference, figure_list
from routing.engine.model import Plan
from routing.models import Decision, Strategy, StrategyVersion
from routing.vocabulary import STATUSES

Text = str | Promise

STATUS_TONES = {"routed": "ok", "partial": "warn", "unroutable": "bad"}
MOST_VERSIONS = 20


class StrategyForm(forms.ModelForm):  # type: ignore[type-arg]
    """Figures below zero would pay for being slow or dirty."""

    class Meta:
        model = Strategy
        fields = (
            "merchant",
            "code",
            "name",
            "name_en",
            "is_active",
            "is_default",
            "for_green",
            "channels",
            *strategies.RATES,
            "max_parcels",
            "allow_partial",
        )

    def clean(self) -> dict[str, Any]:
        """Refuse negative figures and a limit of no parcel."""
        given: dict[str, Any] = super().clean() or {}
        for name in (*strategies.RATES, "max_parcels"):
            value = given.get(name)
            if value is not None and value < 0:
                self.add_error(name, _("Must not be below zero."))
        if given.get("max_parcels") == 0:
            self.add_error("max_parcels", _("At least one parcel, or empty for no limit."))
        return given


@admin.register(Strategy)
class StrategyAdmin(SimpleHistoryAdmin, HubAdmin):
    """Exchange rates in yuan; saving makes a version that routes the very next order."""

    form = StrategyForm
    list_display = (
        "shown_name",
        "code",
        "shown_version",
        "shown_use",
        "yuan_per_hour",
        "yuan_per_kgco2e",
        "is_active",
    )
    list_filter = ("is_active", ("merchant", RelatedDropdownFilter))
    search_fields = ("code", "name", "name_en")
    ordering = ("merchant_id", "pk")
    autocomplete_fields = ("channels",)
    readonly_fields = ("shown_meaning", "shown_versions")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("merchant", "code"),
                    ("name", "name_en"),
                    ("is_active", "is_default", "for_green"),
                    "channels",
                )
            },
        ),
        (
            _("Exchange rates"),
            {
                "description": _("Saving makes a new version; it routes the very next order."),
                "fields": (
                    ("yuan_per_hour", "yuan_per_hour_remote"),
                    ("yuan_per_kgco2e", "stock_price_factor"),
                    ("yuan_per_extra_parcel", "forward_bonus"),
                    "max_parcels",
                    "shown_meaning",
                ),
            },
        ),
        (_("Versions"), {"fields": ("shown_versions",)}),
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        """With the number of the version in force."""
        newest = (
            StrategyVersion.objects.filter(strategy=OuterRef("pk")).order_by("-number").values("number")[:1]
        )
        return super().get_queryset(request).annotate(newest_number=Subquery(newest))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Decisions point to its versions: a strategy is switched off instead."""
        return False

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Write the version with the saved figures; unchanged figures make none."""
        super().save_related(request, form, formsets, change)
        before = strategies.in_force(form.instance)
        version = strategies.save_version(form.instance, actor=request.user, now=clock.now())  # type: ignore[arg-type]
        if before is None or before.pk != version.pk:
            messages.success(
                request, _("Version %(number)d is in force from now on.") % {"number": version.number}
            )

    @display(description=_("name"), ordering="name")
    def shown_name(self, obj: Strategy) -> str:
        """The name in the reader's language."""
        return named(obj)

    @display(description=_("version"))
    def shown_version(self, obj: Any) -> str:
        """The number of the version in force."""
        return f"v{obj.newest_number}" if obj.newest_number else "–"

    @display(description=_("used for"))
    def shown_use(self, obj: Strategy) -> SafeString:
        """Default, green orders."""
        pills = []
        if obj.is_default:
            pills.append(pill("go", str(_("default"))))
        if obj.for_green:
            pills.append(pill("leaf", str(_("green orders"))))
        return format_html_join(" ", "{}", ((one,) for one in pills)) or SafeString("–")

    @display(description=_("What the figures mean"))
    def shown_meaning(self, obj: Strategy) -> SafeString:
        """Each saved figure in a sentence."""
        return figure_list(strategies.figures(obj if obj.pk else Strategy()))

    @display(description=_("Versions"))
    def shown_versions(self, obj: Strategy) -> SafeString:
        """The newest versions with what changed in each."""
        if not obj.pk:
            return SafeString("–")
        versions = list(obj.versions.select_related("created_by").order_by("-number")[: MOST_VERSIONS + 1])
        rows = []
        for position, version in enumerate(versions[:MOST_VERSIONS]):
            older = versions[position + 1].values if position + 1 < len(versions) else {}
            link = reverse("admin:routing_strategyversion_change", args=(version.pk,))
            by = version.created_by.get_username() if version.created_by else "–"
            rows.append(
                (link, version.number, when(version.created_at), by, difference(older, version.values))
            )
        items = format_html_join(
            "",
            '<li><a class="oh-link" href="{}">v{}</a> <span class="oh-muted">{} · {}</span><br>{}</li>',
            rows,
        )
        return format_html('<div class="oh"><ol class="oh-grid oh-s13">{}</ol></div>', items)


@admin.register(StrategyVersion)
class StrategyVersionAdmin(ReadOnlyAdmin):
    """What was in force when; an older one can be put in force again, as a new version."""

    merchant_path = "strategy__merchant"
    list_display = ("shown_strategy", "shown_number", "created_at", "created_by")
    list_filter = (("strategy", RelatedDropdownFilter),)
    list_select_related = ("strategy", "created_by")
    ordering = ("-pk",)
    fields = (
        "shown_strategy",
        "shown_number",
        "created_at",
        "created_by",
        "shown_figures",
        "shown_difference",
    )
    readonly_fields = fields
    actions_detail = ("restore",)

    def has_restore_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Whoever may change strategies."""
        return request.user.has_perm("routing.change_strategy")

    @display(description=_("strategy"), ordering="strategy_id")
    def shown_strategy(self, obj: StrategyVersion) -> str:
        """The strategy in the reader's language."""
        return named(obj.strategy)

    @display(description=_("version"), ordering="number")
    def shown_number(self, obj: StrategyVersion) -> str:
        """v1, v2 …"""
        return f"v{obj.number}"

    @display(description=_("What the figures mean"))
    def shown_figures(self, obj: StrategyVersion) -> SafeString:
        """Each figure in a sentence."""
        return figure_list(obj.values)

    @display(description=_("Against what is in force now"))
    def shown_difference(self, obj: StrategyVersion) -> SafeString:
        """What would change if this version came back."""
        newest = strategies.in_force(obj.strategy)
        if newest is None or newest.pk == obj.pk:
            return format_html("{}", _("this version is in force"))
        return format_html('<span class="oh">{}</span>', difference(newest.values, obj.values))

    @button(description=_("Put in force again"), url_path="restore", icon="undo", permissions=["restore"])
    def restore(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask, with what changes, then make a new version with these figures."""
        version = self.get_queryset(request).select_related("strategy").filter(pk=object_id).first()
        if version is None:
            raise Http404
        back = reverse("admin:routing_strategy_change", args=(version.strategy_id,))
        if request.method == "POST":
            made = restoring.restore(version, actor=request.user, now=clock.now())  # type: ignore[arg-type]
            messages.success(
                request, _("Version %(number)d is in force from now on.") % {"number": made.number}
            )
            return HttpResponseRedirect(back)
        title = f"{named(version.strategy)} v{version.number}"
        effect = format_html(
            "{} {}",
            _("The figures of this version route the very next order, as a new version. Changes:"),
            self.shown_difference(version),
        )
        return ask(self, request, title=title, effect=effect, button=_("Put in force again"), back=back)


def _plan(plan: Plan) -> dict[str, Any]:
    names = dict.fromkeys(parcel.node_name or parcel.node_code for parcel in plan.parcels)
    return {"name": " + ".join(names), "plan": plan}


class OutcomeFilter(DropdownFilter):
    """Routed, partly, or not at all."""

    title = _("outcome")
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The three outcomes in the reader's language."""
        return [(code, pair[0] if is_chinese() else pair[1]) for code, pair in STATUSES.items()]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Decisions with that outcome."""
        return queryset.filter(status=self.value()) if self.value() else queryset


class CurrentFilter(DropdownFilter):
    """In force, or replaced by a later one."""

    title = _("state")
    parameter_name = "current"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Text]]:
        """The two."""
        return [("yes", _("in force")), ("no", _("replaced"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Decisions in that state."""
        if self.value() in ("yes", "no"):
            return queryset.filter(superseded_at__isnull=self.value() == "yes")
        return queryset


@admin.register(Decision)
class DecisionAdmin(ReadOnlyAdmin):
    """Every decision with its explanation; never edited."""

    list_display = (
        "decided_at",
        "shown_order",
        "shown_strategy",
        "shown_status",
        "total",
        "method",
        "elapsed_ms",
        "superseded_at",
    )
    list_filter = (
        OutcomeFilter,
        CurrentFilter,
        ("decided_at", RangeDateTimeFilter),
        ("merchant", RelatedDropdownFilter),
    )
    list_select_related = ("order", "strategy__strategy")
    search_fields = ("order__external_id__exact",)
    ordering = ("-pk",)
    fields = ()
    change_form_template = "admin/routing/decision.html"

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """The list, without the long explanations."""
        request.__dict__["_is_decision_list"] = True
        return super().changelist_view(request, extra_context)

    def get_queryset(self, request: HttpRequest) -> Any:
        """Only what is shown."""
        rows = super().get_queryset(request)
        if request.__dict__.get("_is_decision_list"):
            return rows.defer("plan", "alternatives", "removed", "shortages")
        return rows.select_related("order", "strategy__strategy")

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """The explanation."""
        found = self.get_queryset(request).filter(pk=object_id).first() if object_id.isdecimal() else None
        if found is None:
            return super().change_view(request, object_id, form_url, extra_context)
        part = panels.drawn(found)
        shown = {
            "part": part,
            "order_link": order_link(found.order),
            "title": found.order.number,
            "subtitle": None,
        }
        told = record.engine_decision(found, language="zh" if is_chinese() else "en")
        rows = [_plan(plan) for plan in (told.plan, *told.alternatives) if plan is not None]
        context = {**shown, "decision": found, "plans": rows}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **context})

    @display(description=_("order"), ordering="order_id")
    def shown_order(self, obj: Decision) -> SafeString:
        """The order, linked."""
        return order_link(obj.order)

    @display(description=_("strategy"))
    def shown_strategy(self, obj: Decision) -> str:
        """The strategy and its version."""
        return f"{named(obj.strategy.strategy)} v{obj.strategy.number}"

    @display(description=_("outcome"), ordering="status")
    def shown_status(self, obj: Decision) -> SafeString:
        """The outcome as a pill."""
        pair = STATUSES.get(obj.status, (obj.status, obj.status))
        return pill(STATUS_TONES.get(obj.status, "wait"), pair[0] if is_chinese() else pair[1])

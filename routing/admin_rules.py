"""Operators' pages of strategy rules: which order gets which strategy, what is wrong with them, and a trial."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.contrib.admin import display
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from simple_history.admin import SimpleHistoryAdmin
from unfold.contrib.filters.admin import RelatedDropdownFilter

from orderhub.inventory.admin_base import HubAdmin, named
from orderhub.kernel import clock, regions
from orderhub.orders.models import Channel, Order
from routing import choosing, rule_checks, strategies
from routing.admin_parts import OwnMerchant
from routing.models import StrategyRule
from routing.rule_forms import StrategyRuleForm, TryForm


@dataclass(frozen=True, slots=True)
class Step:
    """A rule as it was asked: what of it holds, whether its time is now, and whether it won."""

    rule: StrategyRule
    name: str
    strategy: str
    checks: list[tuple[str, bool]]
    is_now: bool
    time: str
    won: bool
    asked: bool


@admin.register(StrategyRule)
class StrategyRuleAdmin(OwnMerchant, SimpleHistoryAdmin, HubAdmin):
    """The first active rule that holds gives an order its strategy; without one, the strategy's own use."""

    form = StrategyRuleForm

    class Media:
        css = {"all": ("routing/strategy.css",)}

    list_display = ("shown_name", "priority", "shown_strategy", "shown_conditions", "is_active")
    list_filter = ("is_active", ("strategy", RelatedDropdownFilter), ("merchant", RelatedDropdownFilter))
    list_select_related = ("strategy",)
    search_fields = ("name", "name_en")
    ordering = ("merchant_id", "priority", "pk")
    list_before_template = "admin/routing/strategy_rules_before.html"
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("merchant", "strategy"),
                    ("name", "name_en"),
                    ("priority", "is_active"),
                    "valid_from",
                    "valid_until",
                )
            },
        ),
        (
            _("Only orders for which all of this holds; empty means any"),
            {
                "fields": (
                    ("channels", "provinces"),
                    ("is_remote", "is_green"),
                    ("services", "countries"),
                    ("categories", "customer_levels"),
                )
            },
        ),
    )

    def get_urls(self) -> list[Any]:
        """The trial."""
        wrap = self.admin_site.admin_view
        return [
            path("try/", wrap(self.try_out), name="routing_strategyrule_try"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """The list with what is wrong and the trial above it."""
        rules = list(self.get_queryset(request).select_related("strategy"))
        by_merchant: dict[int, list[StrategyRule]] = {}
        for rule in rules:
            by_merchant.setdefault(rule.merchant_id, []).append(rule)
        now = clock.now()
        found = [one for group in by_merchant.values() for one in rule_checks.warnings(group, now=now)]
        context = {
            "rule_warnings": [
                {"name": named(one.rule), "text": one.text, "link": _link(one.rule)} for one in found
            ],
            "try_link": reverse("admin:routing_strategyrule_try"),
        }
        return super().changelist_view(request, {**(extra_context or {}), **context})

    def try_out(self, request: HttpRequest) -> HttpResponse:
        """Which strategy an order would get, and why; nothing is routed."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        merchant_id = getattr(request.user, "merchant_id", None)
        channels = Channel.objects.select_related("merchant").order_by("merchant_id", "code")
        orders = Order.objects.select_related("channel")
        if merchant_id is not None:
            channels, orders = (
                channels.filter(merchant_id=merchant_id),
                orders.filter(merchant_id=merchant_id),
            )
        form = TryForm(request.GET or None, channels=channels)
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "media": self.media,
            "title": _("Which strategy would this order get?"),
            "form": form,
            "back": reverse("admin:routing_strategyrule_changelist"),
        }
        if form.is_bound and form.is_valid():
            given = form.cleaned_data
            order = _order(given, orders)
            if order is None:
                form.add_error("number", _("There is no order with this number."))
            else:
                context |= _tried(order, given, now=given.get("at") or clock.now())
        return TemplateResponse(request, "admin/routing/strategy_try.html", context)

    @display(description=_("name"), ordering="name")
    def shown_name(self, obj: StrategyRule) -> str:
        """The name in the reader's language."""
        return named(obj)

    @display(description=_("strategy"), ordering="strategy_id")
    def shown_strategy(self, obj: StrategyRule) -> str:
        """The strategy in the reader's language."""
        return named(obj.strategy)

    @display(description=_("Only orders with"))
    def shown_conditions(self, obj: StrategyRule) -> SafeString:
        """The conditions in words."""
        return format_html_join(", ", "{}", ((text,) for text in rule_checks.in_words(obj)))


def _link(rule: StrategyRule) -> str:
    return reverse("admin:routing_strategyrule_change", args=(rule.pk,))


def _order(given: dict[str, Any], orders: Any) -> Order | None:
    """The order of that number, or an unsaved one as described."""
    if given.get("number"):
        number = given["number"].strip()
        found: Order | None = orders.filter(external_id=number).order_by("-pk").first()
        if found is None and number.isdecimal():
            found = orders.filter(pk=number).first()
        return found
    channel: Channel = given["channel"]
    place = regions.find_province("CN", given["province"]) if given.get("province") else None
    return Order(
        pk=0,
        merchant_id=channel.merchant_id,
        channel=channel,
        country="CN",
        province=place.zh if place else "",
        is_remote=bool(place and place.remote),
        service=given.get("service") or "standard",
        green=given.get("is_green", False),
        extra={choosing.LEVEL_FIELD: given["customer_level"]} if given.get("customer_level") else {},
    )


def _tried(order: Order, given: dict[str, Any], *, now: datetime) -> dict[str, Any]:
    category = given.get("category")
    categories = {order.pk: frozenset([category])} if category else None
    picked = strategies.pick([order], now=now, categories=categories)[order.pk]
    rules = StrategyRule.objects.filter(merchant_id=order.merchant_id, is_active=True).select_related(
        "strategy"
    )
    facts = picked.facts
    steps, is_over = [], False
    for rule in rules.order_by("priority", "pk"):
        won = picked.rule is not None and picked.rule.pk == rule.pk
        steps.append(
            Step(
                rule=rule,
                name=named(rule),
                strategy=named(rule.strategy),
                checks=[
                    (rule_checks.condition(one.name, one.wanted), one.holds)
                    for one in choosing.checks(rule, facts)
                ],
                is_now=choosing.is_valid_at(rule, now),
                time=rule_checks.time_words(rule),
                won=won,
                asked=not is_over,
            )
        )
        is_over = is_over or won
    return {
        "picked": picked,
        "picked_name": named(picked.version.strategy),
        "why": _why(picked),
        "steps": steps,
        "order": order if order.pk else None,
        "at": now,
    }


def _why(picked: strategies.Picked) -> str:
    if picked.rule is not None:
        return str(_("The rule “%(rule)s” holds.") % {"rule": named(picked.rule)})
    return str(_WHY[picked.why])


_WHY = {
    "green": _("No rule holds; the buyer chose green delivery, and this strategy is the one for that."),
    "channel": _("No rule holds; this strategy names the order's channel."),
    "default": _("No rule holds; it is the merchant's default."),
    "flow": _("The order's flow assigned it."),
    "only": _("No rule holds and there is no default; it is the first that is active."),
}

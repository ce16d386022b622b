"""Operators' pages of what channels may show: rules with a preview, and what was published with lag and cost."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import display
from django.db.models import Count, DecimalField, ExpressionWrapper, F, Max, Q, QuerySet, Sum
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from simple_history.admin import SimpleHistoryAdmin
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter

from orderhub.connectors.models import ChannelPace, Published, StockRule
from orderhub.connectors.offering import marking, publishing, reading, rulebook
from orderhub.connectors.offering.words import explain
from orderhub.inventory.admin import ask
from orderhub.inventory.admin_base import HubAdmin, ReadOnlyAdmin, button, named
from orderhub.inventory.atp.deciding import decide
from orderhub.inventory.models import Sku
from orderhub.kernel import clock
from orderhub.orders.models import Channel
from orderhub.templatetags.ui import pill

#: SKUs of one page of a preview.
SHOWN = 25


class StockRuleForm(forms.ModelForm):  # type: ignore[type-arg]
    """A rule about things of one merchant."""

    class Meta:
        model = StockRule
        fields = (
            "merchant", "channel", "category", "sku", "priority", "share_percent", "safety_units", "threshold", "cap",
            "presale_units", "presale_until", "warehouses", "buffer", "buffer_units", "is_active", "note",
        )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        """Refuse what belongs to others, and a presale without an end."""
        given: dict[str, Any] = super().clean() or {}
        merchant = given.get("merchant")
        if merchant is None:
            return given
        alien = _("This belongs to another merchant.")
        for name in ("channel", "sku"):
            if given.get(name) and given[name].merchant_id != merchant.pk:
                self.add_error(name, alien)
        if any(house.merchant_id != merchant.pk for house in given.get("warehouses") or ()):
            self.add_error("warehouses", alien)
        if given.get("sku") and given.get("category"):
            self.add_error("category", _("Name a SKU or a category, not both."))
        if given.get("presale_units") and not given.get("presale_until"):
            self.add_error(
                "presale_until", _("Say until when presale units are sold: the goods must be there by then.")
            )
        return given


@admin.register(StockRule)
class StockRuleAdmin(SimpleHistoryAdmin, HubAdmin):
    """How much channels may show; holds within seconds of saving."""

    form = StockRuleForm
    list_display = (
        "shown_scope", "priority", "share_percent", "safety_units", "threshold", "cap", "shown_presale", "buffer",
        "is_active",
    )  # fmt: skip
    list_filter = (
        "is_active", ("channel", RelatedDropdownFilter), ("buffer", ChoicesDropdownFilter),
        ("merchant", RelatedDropdownFilter),
    )  # fmt: skip
    list_select_related = ("channel", "sku", "merchant")
    search_fields = ("sku__code", "category", "note")
    autocomplete_fields = ("sku",)
    filter_horizontal = ("warehouses",)
    ordering = ("merchant_id", "priority", "pk")
    actions_detail = ("preview",)
    fieldsets = (
        (None, {"fields": (("merchant", "priority", "is_active"), ("channel", "category", "sku"), "note")}),
        (_("Quantities"), {"fields": (("share_percent", "safety_units"), ("threshold", "cap"), "warehouses")}),
        (_("Presale"), {"fields": (("presale_units", "presale_until"),)}),
        (_("Buffer for sales not heard of yet"), {"fields": (("buffer", "buffer_units"),)}),
    )  # fmt: skip

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Its history says why channels showed what they did: a rule is switched off instead."""
        return False

    @display(description=_("applies to"))
    def shown_scope(self, obj: StockRule) -> str:
        """Channel and goods in words."""
        where = named(obj.channel) if obj.channel else str(_("every channel"))
        what = obj.sku.code if obj.sku else obj.category or str(_("every SKU"))
        return f"{where} · {what}"

    @display(description=_("presale units"))
    def shown_presale(self, obj: StockRule) -> Any:
        """How many, if any."""
        return obj.presale_units or "–"

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Once its warehouses are saved too, note everything the rule may touch."""
        super().save_related(request, form, formsets, change)
        marking.mark_merchant(form.instance.merchant_id, now=clock.now())

    def has_preview_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Whoever may look at rules."""
        return bool(request.user.has_perm("connectors.view_stockrule"))

    @button(description=_("Preview"), url_path="preview", icon="preview", permissions=["preview"])
    def preview(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """What every channel would be told if this rule were active, and why; nothing is changed."""
        rule = self.get_queryset(request).filter(pk=object_id).first()
        if rule is None:
            raise Http404
        rule.is_active = True
        wanted = request.GET.get("q", "").strip()
        skus = _in_scope(rule, wanted)
        others = StockRule.objects.filter(merchant_id=rule.merchant_id, is_active=True).exclude(pk=rule.pk)
        drafts = sorted([rule, *others.prefetch_related("warehouses")], key=rulebook.rank)
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "media": self.media, "rule": rule,
            "title": _("Preview: %(rule)s") % {"rule": self.shown_scope(rule)}, "wanted": wanted, "most": SHOWN,
            "back": reverse("admin:connectors_stockrule_change", args=(rule.pk,)), **table(skus, drafts),
        }  # fmt: skip
        return TemplateResponse(request, "admin/offers/preview.html", context)


def _in_scope(rule: StockRule, wanted: str) -> list[int]:
    rows = Sku.objects.filter(merchant_id=rule.merchant_id, is_active=True)
    if rule.sku_id:
        rows = rows.filter(pk=rule.sku_id)
    if rule.category:
        rows = rows.filter(category=rule.category)
    if wanted:
        rows = rows.filter(Q(code__icontains=wanted) | Q(name__icontains=wanted))
    return list(rows.order_by("code").values_list("pk", flat=True)[:SHOWN])


def table(sku_ids: Collection[int], rules: Sequence[StockRule] | None = None) -> dict[str, Any]:
    """Channel × SKU: what each shows now, would be told, and why; a constant number of queries."""
    world = reading.world(sku_ids, now=clock.now(), drafts=rules)
    channels = [x for x in world.channels.values() if x.is_active]
    lines = []
    for sku in sorted(world.skus.values(), key=lambda one: one.code):
        offers = {offer.channel: offer for offer in decide(world.goods[sku.pk])}
        cells = []
        for channel in channels:
            offer = offers.get(channel.pk)
            row = world.published.get((sku.pk, channel.pk))
            steps = [(step.code, step.units) for step in offer.steps] if offer else []
            cells.append({
                "channel": named(channel), "now": row.quantity if row else None,
                "quantity": offer.quantity if offer else None, "send": bool(offer and offer.send),
                "why": explain(steps, offer.quantity) if offer else "",
            })  # fmt: skip
        lines.append({"code": sku.code, "name": named(sku), "cells": cells})
    return {"channels": [named(channel) for channel in channels], "lines": lines}


@admin.register(Published)
class PublishedAdmin(ReadOnlyAdmin):
    """What channels were told; above it, each channel with its lag and what the buffer costs."""

    list_display = (
        "shown_sku", "shown_channel", "quantity", "shown_confirmed", "shown_lag", "held_back", "shown_why", "sent_at",
    )  # fmt: skip
    list_filter = (("channel", RelatedDropdownFilter), ("merchant", RelatedDropdownFilter))
    list_select_related = ("sku", "channel")
    search_fields = ("sku__code",)
    ordering = ("-sent_at", "-pk")
    list_before_template = "admin/offers/channels.html"
    fields = (
        ("shown_sku", "shown_channel"), ("quantity", "version", "sent_at"), "shown_why",
        ("acknowledged_quantity", "acknowledged_version", "acknowledged_at"), ("lag_seconds", "held_back"),
    )  # fmt: skip
    readonly_fields = (
        "shown_sku", "shown_channel", "quantity", "version", "sent_at", "shown_why", "acknowledged_quantity",
        "acknowledged_version", "acknowledged_at", "lag_seconds", "held_back",
    )  # fmt: skip
    actions_list = ("publish_all",)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """The list under a line for each channel."""
        return super().changelist_view(
            request, {**(extra_context or {}), "offers": channel_figures(self.get_queryset(request))}
        )

    @display(description=_("SKU"), ordering="sku__code")
    def shown_sku(self, obj: Published) -> str:
        """Code and name."""
        return f"{obj.sku.code} {named(obj.sku)}"

    @display(description=_("channel"), ordering="channel__code")
    def shown_channel(self, obj: Published) -> str:
        """The channel in the reader's language."""
        return named(obj.channel)

    @display(description=_("confirmed"))
    def shown_confirmed(self, obj: Published) -> SafeString:
        """Whether the channel has the last quantity."""
        if obj.acknowledged_version == obj.version:
            return pill("ok", str(_("confirmed")))
        return pill("wait", str(_("under way")))

    @display(description=_("lag in seconds"), ordering="lag_seconds")
    def shown_lag(self, obj: Published) -> str:
        """With one digit."""
        return "–" if obj.lag_seconds is None else f"{obj.lag_seconds:.1f}"

    @display(description=_("why"))
    def shown_why(self, obj: Published) -> SafeString:
        """The quantity in words."""
        total = sum(units for _code, units in obj.steps)
        return format_html('<span class="oh-s12">{}</span>', explain([(c, n) for c, n in obj.steps], total))

    def has_publish_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Those who may change rules."""
        return bool(request.user.has_perm("connectors.change_stockrule"))

    @button(description=_("Publish all again…"), url_path="publish-all", icon="sync", permissions=["publish"])
    def publish_all(self, request: HttpRequest) -> HttpResponse:
        """Ask, then tell every channel everything again."""
        back = reverse("admin:connectors_published_changelist")
        if request.method == "POST":
            merchant_id = getattr(request.user, "merchant_id", None)
            noted = publishing.publish_all(merchant_id, now=clock.now())
            text = ngettext(
                "%(count)d SKU is told again within seconds.",
                "%(count)d SKUs are told again within seconds.",
                noted,
            )
            messages.success(request, text % {"count": noted})
            return HttpResponseRedirect(back)
        effect = _(
            "Every channel is told every quantity again, to heal what drifted apart. It happens by itself once a day."
        )
        title = _("Publish all again")
        return ask(self, request, title=title, effect=effect, button=title, back=back)


def channel_figures(rows: QuerySet[Published]) -> list[dict[str, Any]]:
    """Per channel: SKUs, units, not confirmed, measured lags, units held back and their worth; two queries."""
    worth = ExpressionWrapper(
        F("held_back") * F("sku__price"), output_field=DecimalField(max_digits=16, decimal_places=2)
    )
    found = (
        rows.order_by()
        .values("channel_id")
        .annotate(
            skus=Count("pk"), units=Sum("quantity"), held=Sum("held_back"), cost=Sum(worth), slowest=Max("lag_seconds"),
            open=Count("pk", filter=~Q(acknowledged_version=F("version"))),
        )
    )  # fmt: skip
    figures = {row["channel_id"]: row for row in found}
    channels = Channel.objects.filter(pk__in=figures).select_related("pace").order_by("code")
    lines = []
    for channel in channels:
        row = figures[channel.pk]
        pace: ChannelPace | None = getattr(channel, "pace", None)
        lines.append({
            "name": named(channel), "skus": row["skus"], "units": row["units"], "open": row["open"],
            "reply": pace.reply_seconds if pace else None, "order": pace.order_seconds if pace else None,
            "held": row["held"], "cost": (row["cost"] or Decimal(0)).quantize(Decimal("0.01")),
        })  # fmt: skip
    return lines

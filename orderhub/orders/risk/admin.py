"""Operators' pages of the risk policy: signals, publishing, going back, the report and the points it suggests."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import display
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.admin import StackedInline
from unfold.widgets import UnfoldAdminTextareaWidget

from orderhub.inventory.admin import ask
from orderhub.inventory.admin_base import HubAdmin, ReadOnlyAdmin, actor_of, button, is_chinese
from orderhub.kernel import clock
from orderhub.orders.risk import admin_queue, admin_signals, again, policies, reports
from orderhub.orders.risk.engine import compile_policy
from orderhub.orders.risk.engine.words import GROUPS
from orderhub.orders.risk.models import RiskPolicy, RiskPolicyVersion, RiskSignal
from rules.engine import RuleError, sentence

__all__ = ["RiskPolicyAdmin", "RiskPolicyVersionAdmin", "admin_queue"]

_REPORT_DAYS = 180
_MOST_VERSIONS = 20


class SignalForm(forms.ModelForm):  # type: ignore[type-arg]
    """One signal; the engine itself judges it before it is kept."""

    class Meta:
        model = RiskSignal
        fields = (
            "code", "name", "name_en", "group", "mode", "points", "holds", "window_hours", "condition", "says", "says_en",
            "position",
        )  # fmt: skip
        widgets = {"condition": UnfoldAdminTextareaWidget(attrs={"rows": 2})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(code, zh if is_chinese() else en) for code, (zh, en) in GROUPS.items()]
        self.fields["group"] = forms.ChoiceField(label=_("group"), choices=choices)

    def clean(self) -> dict[str, Any]:
        """The engine's words for what is wrong, at the field it is in."""
        given: dict[str, Any] = super().clean() or {}
        body = {
            **{name: given.get(name) for name in ("code", "group", "mode", "points", "holds", "window_hours", "condition")},
            "zh": given.get("name", ""), "en": given.get("name_en", ""), "says_zh": given.get("says", ""),
            "says_en": given.get("says_en", ""),
        }  # fmt: skip
        if not self.errors:
            owner = self.instance.policy.merchant_id if self.instance.policy_id else 0
            own = {"facts": policies.custom_facts(owner, [body["condition"]])}
            try:
                compile_policy({"review_from": 1, "hold_from": 2, "group_cap": 1, "signals": [body], **own})
            except RuleError as fault:
                self._tell(fault)
        return given

    def save(self, commit: bool = True) -> Any:
        """A signal in another mode counts its time there from now on."""
        if "mode" in self.changed_data or self.instance.mode_since is None:
            self.instance.mode_since = clock.now()
        return super().save(commit)

    def _tell(self, fault: RuleError) -> None:
        place = fault.path.partition(".")[2].partition(".")[0]
        names = {"when": "condition", "says_zh": "says"}
        name = names.get(place, place)
        self.add_error(name if name in self.fields else None, fault.zh if is_chinese() else fault.en)


class SignalInline(StackedInline):
    """The draft's signals."""

    model = RiskSignal
    form = SignalForm
    extra = 0
    show_count = True
    fields = (
        "shown_sentence", ("code", "name", "name_en"), ("group", "mode"), ("points", "holds", "window_hours"),
        "condition", ("says", "says_en"), "position",
    )  # fmt: skip
    readonly_fields = ("shown_sentence",)
    ordering = ("position", "code")

    @display(description=_("In words"))
    def shown_sentence(self, obj: RiskSignal) -> str:
        """Its condition as a sentence in the reader's language."""
        if not obj.pk:
            return "–"
        try:
            return sentence(
                obj.condition,
                policies.words(obj.policy.merchant_id, obj.condition),
                "zh" if is_chinese() else "en",
            )
        except RuleError as fault:
            return fault.zh if is_chinese() else fault.en


@admin.register(RiskPolicy)
class RiskPolicyAdmin(HubAdmin):
    """One policy a merchant: the draft, its versions, how well it works."""

    list_display = ("merchant", "review_from", "hold_from", "shown_version")
    list_select_related = ("merchant",)
    fields = (
        "merchant", ("review_from", "hold_from", "group_cap"), ("review_minutes", "on_timeout"),
        ("on_fault", "fault_amount", "four_eyes_from"), ("holdout_percent", "holdout_below", "label_days"),
        ("promoted_skus", "forwarder_words"), ("disposable_domains", "safe_flags"), "shown_versions",
    )  # fmt: skip
    readonly_fields = ("shown_versions",)
    inlines = (SignalInline,)
    actions_detail = ("signals", "publish", "report", "adopt")
    actions_row = ("signals",)
    ordering = ("merchant_id",)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """A new policy starts with the starter signals in shadow, unless some were entered."""
        super().save_related(request, form, formsets, change)
        if not change and not form.instance.signals.exists():
            policies.fill(form.instance, now=clock.now())

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Orders were judged by it: the check is switched off at the channel instead."""
        return False

    def has_publish_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Publishing writes a version."""
        return bool(request.user.has_perm("risk.add_riskpolicyversion"))

    @display(description=_("in force"))
    def shown_version(self, obj: RiskPolicy) -> str:
        """The newest version."""
        newest = obj.versions.order_by("-number").first()
        return f"v{newest.number}" if newest else str(_("not published"))

    @display(description=_("Versions"))
    def shown_versions(self, obj: RiskPolicy) -> SafeString:
        """The newest versions, each a link to going back to it."""
        if not obj.pk:
            return SafeString("–")
        found = [
            (
                reverse("admin:risk_riskpolicyversion_change", args=(x.pk,)),
                x.number,
                f"{x.published_at:%Y-%m-%d %H:%M}",
                x.note,
            )
            for x in obj.versions.order_by("-number")[:_MOST_VERSIONS]
        ]
        items = format_html_join(
            "", '<li><a class="oh-link" href="{}">v{}</a> <span class="oh-muted">{}</span> {}</li>', found
        )
        return (
            format_html('<div class="oh"><ol class="oh-grid oh-s13">{}</ol></div>', items)
            if found
            else SafeString("–")
        )

    @button(description=_("Signals"), url_path="signals", icon="tune")
    def signals(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The signals with what they caught, to be set from shadow to live."""
        return admin_signals.page(self, request, self._policy(request, object_id))

    @button(description=_("Publish…"), url_path="publish", icon="publish", permissions=["publish"])
    def publish(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask, then let the draft count for every order from now on."""
        policy = self._policy(request, object_id)
        back = reverse("admin:risk_riskpolicy_signals", args=(policy.pk,))
        if request.method == "POST":
            _publish(request, policy)
            return HttpResponseRedirect(back)
        return ask(self, request, title=str(policy), effect=_effect(policy), button=_("Publish"), back=back)

    @button(description=_("Report"), url_path="report", icon="monitoring")
    def report(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Precision and recall of each signal and limit, shadow signals, suggested points."""
        policy, now = self._policy(request, object_id), clock.now()
        since = now - timedelta(days=_REPORT_DAYS)
        found = reports.report(policy, since=since, now=now)
        proposal = reports.suggest(policy, since=since, now=now)
        points = dict(policy.signals.values_list("code", "points"))
        names = {x.code: x.name if is_chinese() else x.name_en or x.name for x in policy.signals.all()}
        lines = [
            (names.get(x.code, x.code), x, points.get(x.code), proposal.points.get(x.code))
            for x in found.signals
        ]
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "media": self.media, "title": _("Risk report"),
            "policy": policy, "report": found, "lines": lines, "proposal": proposal,
            "shadow": [(names.get(x.code, x.code), x) for x in reports.shadow(policy, now=now)],
            "back": reverse("admin:risk_riskpolicy_change", args=(policy.pk,)),
        }  # fmt: skip
        return TemplateResponse(request, "admin/risk/report.html", context)

    @button(
        description=_("Take suggested points…"),
        url_path="adopt",
        icon="auto_fix_high",
        permissions=["change"],
    )
    def adopt(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Put the suggested points into the draft; publishing them is a step of its own."""
        policy, now = self._policy(request, object_id), clock.now()
        back = reverse("admin:risk_riskpolicy_change", args=(policy.pk,))
        proposal = reports.suggest(policy, since=now - timedelta(days=_REPORT_DAYS), now=now)
        if not proposal.points:
            messages.info(request, _("There are not enough labeled orders for a suggestion yet."))
            return HttpResponseRedirect(back)
        if request.method == "POST":
            for signal in policy.signals.filter(code__in=proposal.points):
                signal.points = proposal.points[signal.code]
                signal.save(update_fields=["points"])
            messages.success(request, _("The draft has the suggested points. Publish it to let them count."))
            return HttpResponseRedirect(back)
        effect = _(
            "The draft gets the points that labeled orders suggest; nothing counts before you publish it."
        )
        return ask(self, request, title=str(policy), effect=effect, button=_("Take them"), back=back)

    def _policy(self, request: HttpRequest, object_id: str) -> RiskPolicy:
        found: RiskPolicy | None = self.get_queryset(request).filter(pk=object_id).first()
        if found is None:
            raise Http404
        if not self.has_view_permission(request, found):
            raise PermissionDenied
        return found


def _effect(policy: RiskPolicy) -> str:
    """What publishing does, and what the draft changes."""
    newest = policy.versions.order_by("-number").first()
    changes = admin_signals.differences(newest.content, policies.content(policy)) if newest else []
    said = _(
        "These signals score every order from now on, and those that wait are scored again. The versions before stay, "
        "and you can go back."
    )
    return " ".join([str(said), *changes[:1], *(f"· {change}" for change in changes[1:20])])


def _scored_again(request: HttpRequest, policy: RiskPolicy) -> None:
    """Score what waits by the version that is in force now, and tell how many orders that holds."""
    held = again.catch_up(policy.merchant_id, now=clock.now(), actor=actor_of(request), most=2000)
    if held:
        text = ngettext(
            "%(count)d waiting order is held by it.", "%(count)d waiting orders are held by it.", held
        )
        messages.info(request, text % {"count": held})


def _publish(request: HttpRequest, policy: RiskPolicy) -> None:
    newest = policy.versions.order_by("-number").first()
    try:
        version = policies.publish(policy, request.user, now=clock.now())  # type: ignore[arg-type]
    except RuleError as fault:
        messages.error(request, f"{fault.path}: {fault.zh if is_chinese() else fault.en}")
        return
    if newest is not None and newest.pk == version.pk:
        messages.info(request, _("Version %(number)d says the same already.") % {"number": version.number})
    else:
        messages.success(
            request, _("Version %(number)d is in force from now on.") % {"number": version.number}
        )
        _scored_again(request, policy)


@admin.register(RiskPolicyVersion)
class RiskPolicyVersionAdmin(ReadOnlyAdmin):
    """What was published; going back publishes it again and sets the draft to it."""

    merchant_path = "policy__merchant"
    list_display = ("shown_title", "published_at", "published_by", "note")
    list_select_related = ("policy__merchant", "published_by")
    fields = ("shown_title", "published_at", "published_by", "note", "shown_signals")
    readonly_fields = fields
    ordering = ("-pk",)
    actions_detail = ("restore",)

    def has_restore_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Publishing writes a version."""
        return bool(request.user.has_perm("risk.add_riskpolicyversion"))

    @display(description=_("version of a risk policy"))
    def shown_title(self, obj: RiskPolicyVersion) -> str:
        """Merchant and number."""
        return f"{obj.policy} v{obj.number}"

    @display(description=_("risk signals"))
    def shown_signals(self, obj: RiskPolicyVersion) -> SafeString:
        """Its signals with points and modes."""
        found = [
            (x["zh"] if is_chinese() else x["en"], x["points"], x["mode"]) for x in obj.content["signals"]
        ]
        items = format_html_join("", "<li>{} <b>{}</b> {}</li>", found)
        return format_html('<div class="oh"><ol class="oh-grid oh-s13">{}</ol></div>', items)

    @button(description=_("Put in force again"), url_path="restore", icon="undo", permissions=["restore"])
    def restore(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask, then publish it as the newest version."""
        version = self.get_queryset(request).filter(pk=object_id).first()
        if version is None:
            raise Http404
        back = reverse("admin:risk_riskpolicy_change", args=(version.policy_id,))
        if request.method == "POST":
            made = policies.roll_back(version.policy, version.number, request.user, now=clock.now())  # type: ignore[arg-type]
            messages.success(
                request, _("Version %(number)d is in force from now on.") % {"number": made.number}
            )
            _scored_again(request, version.policy)
            return HttpResponseRedirect(back)
        effect = _(
            "These signals score every order from now on, as a new version; the draft becomes the same."
        )
        return ask(
            self,
            request,
            title=self.shown_title(version),
            effect=effect,
            button=_("Put in force again"),
            back=back,
        )

"""The page where signals are watched and set: what each would have caught, its points and limit, shadow or live."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from orderhub.inventory.admin_base import is_chinese
from orderhub.kernel import clock
from orderhub.orders.risk import policies, reports, trying
from orderhub.orders.risk.engine import compile_policy, words_of
from orderhub.orders.risk.engine.words import GROUPS
from orderhub.orders.risk.models import RiskPolicy, RiskSignal
from rules.engine import RuleError, sentence

_SMALL = {"class": "oh-input oh-rs-n", "inputmode": "decimal"}
_COMPARED = {">=", ">", "<=", "<"}
MODES = (("off", _("off")), ("shadow", _("shadow")), ("live", _("live")))
TONES = {"off": "wait", "shadow": "go", "live": "ok"}


class LimitsForm(forms.ModelForm):  # type: ignore[type-arg]
    """From which score on orders are reviewed and held, and how much one group may add."""

    class Meta:
        model = RiskPolicy
        fields = ("review_from", "hold_from", "group_cap")
        widgets = {name: forms.NumberInput(attrs={"class": "oh-input oh-rs-n"}) for name in fields}


class SignalForm(forms.Form):
    """What is set often: mode, points, and the figure of a condition that is a plain comparison."""

    mode = forms.ChoiceField(
        label=_("mode"),
        choices=RiskSignal.Mode.choices,
        widget=forms.Select(attrs={"class": "oh-input oh-rs-m"}),
    )
    points = forms.IntegerField(
        label=_("points"),
        min_value=-100,
        max_value=100,
        widget=forms.NumberInput(attrs={"class": "oh-input oh-rs-n"}),
    )
    limit = forms.CharField(label=_("limit"), max_length=12, widget=forms.TextInput(attrs=_SMALL))

    def __init__(self, data: Any = None, *, signal: RiskSignal) -> None:
        limit = limit_of(signal.condition)
        super().__init__(
            data,
            prefix=signal.code,
            initial={"mode": signal.mode, "points": signal.points, "limit": limit or ""},
        )
        self.signal = signal
        if limit is None:
            del self.fields["limit"]
        for name, field in self.fields.items():
            field.widget.attrs["aria-label"] = f"{_name(signal)}: {field.label}"
            if data is not None and self[name].errors:
                field.widget.attrs["aria-invalid"] = "true"

    def clean(self) -> dict[str, Any]:
        """The engine's words for what is wrong."""
        given: dict[str, Any] = super().clean() or {}
        if not self.errors:
            row = changed(self.signal, given)
            own = {"facts": policies.custom_facts(self.signal.policy.merchant_id, [row["condition"]])}
            try:
                compile_policy({"review_from": 1, "hold_from": 2, "group_cap": 1, "signals": [row], **own})
            except RuleError as fault:
                self.add_error(
                    "limit"
                    if ("limit" in self.fields and "condition" in fault.path) or "value" in fault.path
                    else None,
                    fault.zh if is_chinese() else fault.en,
                )
        return given


def limit_of(condition: Any) -> str | None:
    """The figure of a plain comparison, as text; None where the condition is more than that."""
    if not isinstance(condition, Mapping) or condition.get("op") not in _COMPARED:
        return None
    value = condition.get("value")
    return str(value) if isinstance(value, int | str) and not isinstance(value, bool) else None


def changed(signal: RiskSignal, given: Mapping[str, Any]) -> dict[str, Any]:
    """The signal as policies have it, with what the form says put in."""
    condition = dict(signal.condition)
    if "limit" in given:
        text = str(given["limit"]).strip()
        was_whole = isinstance(condition["value"], int)
        condition["value"] = int(text) if was_whole and text.lstrip("-").isdigit() else text
    return {
        "code": signal.code, "group": signal.group, "window_hours": signal.window_hours, "condition": condition,
        "points": given["points"], "holds": signal.holds, "mode": given["mode"], "zh": signal.name,
        "en": signal.name_en, "says_zh": signal.says, "says_en": signal.says_en,
    }  # fmt: skip


def page(admin_page: Any, request: HttpRequest, policy: RiskPolicy) -> HttpResponse:
    """Show the signals with what they caught; keep what was changed in the draft."""
    now, may_change = clock.now(), admin_page.has_change_permission(request, policy)
    signals = list(policy.signals.order_by("position", "code"))
    data = request.POST if request.method == "POST" and may_change else None
    limits = LimitsForm(data, instance=policy, prefix="limits")
    rows = [SignalForm(data, signal=signal) for signal in signals]
    if data is not None and all([limits.is_valid(), *(form.is_valid() for form in rows)]):
        kept = _keep(limits, rows, now=now)
        said = (
            _("The draft is kept. Nothing counts before you publish it.") if kept else _("Nothing changed.")
        )
        messages.success(request, said)
        return HttpResponseRedirect(reverse("admin:risk_riskpolicy_signals", args=(policy.pk,)))
    if data is not None:
        messages.error(request, _("Not kept: please mend what is marked."))
    context = {
        **admin_page.admin_site.each_context(request), "opts": admin_page.opts, "media": admin_page.media,
        "title": _("Risk signals"), "policy": policy, "limits": limits, "may_change": may_change,
        "may_publish": admin_page.has_publish_permission(request), "has_errors": data is not None,
        **_seen(policy, rows, now=now), **_state(policy),
    }  # fmt: skip
    return TemplateResponse(request, "admin/risk/signals.html", context)


@transaction.atomic
def _keep(limits: LimitsForm, rows: list[SignalForm], *, now: datetime) -> bool:
    """Write what differs, each with its history; whether anything did."""
    if limits.changed_data:
        limits.save()
    different = [form for form in rows if form.changed_data]
    for form in different:
        signal, said = form.signal, changed(form.signal, form.cleaned_data)
        if signal.mode != said["mode"]:
            signal.mode_since = now
        signal.mode, signal.points, signal.condition = said["mode"], said["points"], said["condition"]
        signal.save()
    return bool(limits.changed_data or different)


def _seen(policy: RiskPolicy, rows: list[SignalForm], *, now: datetime) -> dict[str, Any]:
    """What the draft would have done in the last 30 days, altogether and signal by signal."""
    since = {x.code: x for x in reports.shadow(policy, now=now)}
    newest = policy.versions.order_by("-number").first()
    modes = {x["code"]: x["mode"] for x in newest.content["signals"]} if newest is not None else {}
    try:
        trial = trying.try_draft(policy, now=now)
    except RuleError as fault:
        return {
            "trial": None,
            "fault": fault.zh if is_chinese() else fault.en,
            "lines": _lines(rows, {}, since, modes),
        }
    return {
        "trial": trial,
        "fault": "",
        "lines": _lines(rows, trial.signals, since, modes),
        "days": trying.LOOK_BACK.days,
    }


def _lines(
    rows: list[SignalForm], seen: Mapping[str, Any], since: Mapping[str, Any], modes: Mapping[str, str]
) -> list[dict[str, Any]]:
    """A line a signal: how the draft has it, how the version in force (`modes`) has it, what it caught."""
    labels = dict(MODES)
    found = []
    for form in rows:
        signal, mode = form.signal, modes.get(form.signal.code, "off")
        found.append({
            "form": form, "name": _name(signal), "says": _says(signal), "group": _group(signal), "tone": TONES[mode],
            "mode": labels[mode], "seen": seen.get(signal.code), "signal": signal,
            "is_ready": since[signal.code].is_ready if signal.code in since else None,
        })  # fmt: skip
    return found


def _state(policy: RiskPolicy) -> dict[str, Any]:
    """The version in force, and in words what the draft says otherwise."""
    newest = policy.versions.order_by("-number").first()
    draft = policies.content(policy)
    return {
        "newest": newest,
        "changes": differences(newest.content, draft) if newest is not None else [],
        "is_same": newest is not None and newest.content == draft,
    }


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """What the second content says otherwise than the first, in the reader's language."""
    zh = is_chinese()
    modes = {value: str(label) for value, label in MODES}
    names = {
        "review_from": _("review from"),
        "hold_from": _("hold from"),
        "group_cap": _("most points of one group"),
    }
    found = [f"{names[x]}: {before[x]} → {after[x]}" for x in names if before[x] != after[x]]
    old = {row["code"]: row for row in before["signals"]}
    new = {row["code"]: row for row in after["signals"]}
    for code, row in new.items():
        label = row["zh"] if zh else row["en"]
        if code not in old:
            found.append(f"{label}: {_('new')}")
            continue
        was = old[code]
        if was["mode"] != row["mode"]:
            found.append(f"{label}: {modes[was['mode']]} → {modes[row['mode']]}")
        if was["points"] != row["points"]:
            found.append(f"{label}: {was['points']} → {row['points']} {_('points')}")
        if (was["condition"], was["window_hours"]) != (row["condition"], row["window_hours"]):
            then = sentence(was["condition"], words_of(before), "zh" if zh else "en")
            now = sentence(row["condition"], words_of(after), "zh" if zh else "en")
            found.append(f"{label}: {then} → {now}")
    found += [
        f"{(row['zh'] if zh else row['en'])}: {_('gone')}" for code, row in old.items() if code not in new
    ]
    if before["settings"] != after["settings"]:
        found.append(str(_("Other settings changed.")))
    return found


def _name(signal: RiskSignal) -> str:
    return signal.name if is_chinese() else signal.name_en or signal.name


def _group(signal: RiskSignal) -> str:
    zh, en = GROUPS.get(signal.group, (signal.group, signal.group))
    return zh if is_chinese() else en


def _says(signal: RiskSignal) -> str:
    try:
        words = policies.words(signal.policy.merchant_id, signal.condition)
        return sentence(signal.condition, words, "zh" if is_chinese() else "en")
    except RuleError as fault:
        return fault.zh if is_chinese() else fault.en

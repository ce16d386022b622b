"""Before rules come into force: what they say, what the review finds, what they would have done, and from when."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from rules import queries, services, vocabulary
from rules.engine import RuleError, sentence
from rules.models import RuleSet, RuleVersion

_PLAIN = ("id", "name", "priority", "when", "then", "stop", "group")


def language() -> str:
    """The reader's: zh or en."""
    return "zh" if (get_language() or "").startswith("zh") else "en"


def words_of(fault: Any) -> str:
    """A fault or finding with its place, in the reader's language."""
    text = fault.zh if language() == "zh" else fault.en
    return f"{fault.path}: {text}"


def in_words(purpose: str, body: dict[str, Any], scope: str = "") -> str:
    """A rule of a scope as a sentence; the fault in words if it does not compile."""
    try:
        return sentence(body, vocabulary.words_for(purpose, scope, {"rules": [body]}), language())
    except RuleError as fault:
        return words_of(fault)


def version_lines(version: RuleVersion) -> list[str]:
    """The rules of a version as sentences, in their order."""
    bodies = [{key: body[key] for key in _PLAIN} for body in version.content["rules"]]
    ruleset = version.ruleset
    return [in_words(ruleset.purpose, body, ruleset.scope) for body in bodies]


class NoteForm(forms.Form):
    """A remark kept with the version."""

    note = forms.CharField(
        label=_("Note"), max_length=200, required=False, widget=forms.TextInput(attrs={"class": "oh-input"})
    )


class PublishForm(NoteForm):
    """When it comes into force; at once if left empty."""

    effective_at = forms.DateTimeField(
        label=_("In force from"), required=False, help_text=_("Empty: at once."),
        widget=forms.DateTimeInput(attrs={"class": "oh-input", "type": "datetime-local"}),
    )  # fmt: skip

    def clean_effective_at(self) -> datetime | None:
        """A time still to come."""
        given: datetime | None = self.cleaned_data["effective_at"]
        if given is not None and given <= timezone.now():
            raise forms.ValidationError(_("Give a time still to come, or none."))
        return given


def publish(request: HttpRequest, ruleset: RuleSet) -> PublishForm | None:
    """Publish the draft and say so; the form again where the time is wrong."""
    form = PublishForm(request.POST)
    if not form.is_valid():
        return form
    newest = queries.history(ruleset).first()
    given = form.cleaned_data
    try:
        version = services.publish(
            ruleset,
            request.user,  # type: ignore[arg-type]
            given["note"],
            effective_at=given["effective_at"],
        )
    except RuleError as fault:
        messages.error(request, words_of(fault))
        return None
    is_new = newest is None or newest.pk != version.pk
    (messages.success if is_new else messages.info)(request, published_words(version, is_new=is_new))
    return None


def published_words(version: RuleVersion, *, is_new: bool) -> str:
    """What publishing did: nothing, a version for later, or one that counts from now on."""
    said = {"number": version.number}
    if not is_new:
        return _now("Version %(number)d says the same already.") % said
    if version.effective_at is not None:
        moment = f"{timezone.localtime(version.effective_at):%Y-%m-%d %H:%M}"
        return _now("Version %(number)d comes into force at %(at)s.") % {**said, "at": moment}
    return _now("Version %(number)d is in force from now on.") % said


def named(ruleset: RuleSet) -> str:
    """Its name in the reader's language."""
    return ruleset.name if language() == "zh" else ruleset.name_en or ruleset.name


def restore(request: HttpRequest, version: RuleVersion) -> None:
    """Publish an older version's content again and say so."""
    note = request.POST.get("note", "")[:200] or str(_("as v%(number)d") % {"number": version.number})
    try:
        made = services.roll_back(version.ruleset, version.number, request.user, note)  # type: ignore[arg-type]
    except RuleError as fault:
        messages.error(request, words_of(fault))
        return
    messages.success(request, _("Version %(number)d is in force from now on.") % {"number": made.number})


def withdraw(request: HttpRequest, version: RuleVersion) -> None:
    """Take a version back before its time and say whether it was."""
    said = {"number": version.number}
    if services.withdraw(version):
        messages.success(request, _("Version %(number)d will not come into force.") % said)
    else:
        messages.error(
            request, _("Version %(number)d was in force already; put another in force instead.") % said
        )


def reviewed(ruleset: RuleSet) -> dict[str, Any]:
    """For the page: the review's errors and warnings, and what a replay of the last day gives."""
    found = services.check(ruleset)
    errors = [words_of(one) for one in found if one.level == "error"]
    replayed = services.replay(ruleset) if not errors else None
    return {
        "errors": errors,
        "warnings": [words_of(one) for one in found if one.level == "warning"],
        "replayed": "" if replayed is None else replayed.zh if language() == "zh" else replayed.en,
    }


def state(version: RuleVersion, current: RuleVersion | None, *, now: datetime) -> str:
    """Whether it was taken back, waits for its time, or is in force; nothing for one that was."""
    if version.withdrawn_at is not None:
        return _now("withdrawn")
    if version.effective_at is not None and version.effective_at > now:
        return _now("from %(at)s") % {"at": f"{timezone.localtime(version.effective_at):%Y-%m-%d %H:%M}"}
    return _now("in force") if current is not None and current.pk == version.pk else ""


def changes(version: RuleVersion) -> Iterator[tuple[str, str]]:
    """What a version says otherwise than the one before: + new, − gone, ~ changed (as it is now)."""
    before = version.ruleset.versions.filter(number__lt=version.number).order_by("-number").first()
    old = before.content if before is not None else {"rules": []}
    return differences(version.ruleset, old, version.content)


def differences(ruleset: RuleSet, before: dict[str, Any], after: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """What one content says otherwise than another: + new, − gone, ~ changed (as it is afterwards)."""
    old = {body["id"]: body for body in before["rules"]}
    new = {body["id"]: body for body in after["rules"]}
    for rule_id, body in new.items():
        if old.get(rule_id) != body:
            yield ("~" if rule_id in old else "+"), f"{rule_name(body)}: {told(ruleset, body)}"
    for rule_id, body in old.items():
        if rule_id not in new:
            yield "−", f"{rule_name(body)}: {told(ruleset, body)}"


def rule_name(body: dict[str, Any]) -> str:
    """The name of a version's rule in the reader's language."""
    return str(body["name"] if language() == "zh" else body.get("name_en") or body["name"])


def told(ruleset: RuleSet, body: dict[str, Any]) -> str:
    """A rule as a version keeps it, with its time and what it excludes, in the reader's language."""
    if not body["then"]:
        return _now("It does nothing yet.")
    parts = [in_words(ruleset.purpose, {key: body[key] for key in _PLAIN}, ruleset.scope)]
    since, until = (_shown(body[key]) for key in ("valid_from", "valid_to"))
    if since and until:
        parts.append(_now("From %(since)s until %(until)s.") % {"since": since, "until": until})
    elif since:
        parts.append(_now("From %(since)s on.") % {"since": since})
    elif until:
        parts.append(_now("Until %(until)s.") % {"until": until})
    if body["group"]:
        parts.append(_now("Only the first of group %(group)s counts.") % {"group": body["group"]})
    if body["stop"]:
        parts.append(_now("No later rule counts after it."))
    full_stop = "。" if language() == "zh" else "."
    parts[0] += "" if parts[0].endswith(full_stop) else full_stop
    return ("" if language() == "zh" else " ").join(parts)


def _shown(text: str | None) -> str:
    return f"{timezone.localtime(datetime.fromisoformat(text)):%Y-%m-%d %H:%M}" if text else ""


def ask(
    page: Any, request: HttpRequest, *, title: str, effect: Any, button: Any, back: str, lines: Sequence[str],
    form: forms.Form | None = None, **more: Any,
) -> TemplateResponse:  # fmt: skip
    """The page before rules come into force: what they say, and a note."""
    context = {
        **page.admin_site.each_context(request), "opts": page.opts, "media": page.media, "title": title,
        "effect": effect, "button": button, "back": back, "form": form or NoteForm(), "lines": lines, **more,
    }  # fmt: skip
    return TemplateResponse(request, "admin/rules/ask.html", context)

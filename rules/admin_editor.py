"""The editor of a rule set: one page, and the JSON it asks for while somebody works on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from rules import admin_publishing as publishing
from rules import checking, desks, drafts, editing_words, presence, queries, services, vocabulary
from rules.admin_publishing import language, words_of
from rules.drafts import StaleDraft
from rules.engine import RuleError, Vocabulary, described
from rules.models import RuleSet, RuleVersion

MOST_VERSIONS = 12
_Deed = Callable[["RuleSetEditor", HttpRequest, RuleSet], dict[str, Any]]


class Conflict(Exception):
    """What was asked cannot be done as things stand; answered with 409 and these words."""


class RuleSetEditor(ModelAdmin):  # type: ignore[type-arg]
    """The pages of the editor for the admin of rule sets."""

    def get_urls(self) -> list[Any]:
        """The page, and one address for everything it asks."""
        wrap = self.admin_site.admin_view
        own = [
            path("<int:object_id>/blocks/", wrap(self.blocks), name="rules_ruleset_blocks"),
            path("<int:object_id>/blocks/<slug:kind>/", wrap(self.ask), name="rules_ruleset_blocks_ask"),
        ]
        return own + super().get_urls()

    def blocks(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """The page itself."""
        ruleset = self._ruleset(request, object_id)
        desk = desks.of(ruleset.purpose)
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "media": self.media,
            "title": str(publishing.named(ruleset)), "ruleset": ruleset, "given": self._given(request, ruleset),
            "can_edit": self._may_edit(request), "can_publish": self._may_publish(request),
            "has_trial": desk.trial is not None, "has_effect": desk.effect is not None, "is_zh": language() == "zh",
            "back": reverse("admin:rules_ruleset_change", args=(ruleset.pk,)),
        }  # fmt: skip
        return TemplateResponse(request, "admin/rules/editor.html", context)

    def ask(self, request: HttpRequest, object_id: int, kind: str) -> HttpResponse:
        """One of the deeds by its name; faults of the asker in words."""
        ruleset, deed = self._ruleset(request, object_id), _DEEDS.get(kind)
        if deed is None:
            raise Http404
        if request.method != "POST":
            return HttpResponse(status=405)
        try:
            return JsonResponse(deed(self, request, ruleset))
        except RuleError as fault:
            return JsonResponse({"text": words_of(fault), "path": fault.path}, status=400)
        except ValidationError as fault:
            fields = {name: list(texts) for name, texts in fault.message_dict.items()}
            return JsonResponse(
                {"text": " ".join(text for texts in fields.values() for text in texts), "fields": fields},
                status=400,
            )
        except Conflict as conflict:
            return JsonResponse({"text": str(conflict)}, status=409)
        except StaleDraft:
            return JsonResponse({"text": _stale_words(ruleset), "is_stale": True}, status=409)

    # ---- who may ---------------------------------------------------------------------------------------

    def _ruleset(self, request: HttpRequest, object_id: int) -> RuleSet:
        found: RuleSet | None = self.get_queryset(request).filter(pk=object_id).first()
        if not self.has_view_or_change_permission(request, found):
            raise PermissionDenied
        if found is None:
            raise Http404
        return found

    def _may_edit(self, request: HttpRequest) -> bool:
        names = ("rules.change_ruleset", "rules.add_rule", "rules.change_rule", "rules.delete_rule")
        return request.user.has_perms(names)

    def _may_publish(self, request: HttpRequest) -> bool:
        return request.user.has_perm("rules.add_ruleversion")

    # ---- what the page is given ------------------------------------------------------------------------

    def _given(self, request: HttpRequest, ruleset: RuleSet) -> dict[str, Any]:
        """Everything the scripts draw from, as plain values."""
        rules = drafts.documents(ruleset)
        desk = desks.of(ruleset.purpose)
        known = vocabulary.words(ruleset.purpose, ruleset.scope)
        choices = desk.choices(ruleset.scope) if desk.choices else {}
        return {
            "language": language(), "purpose": ruleset.purpose, "code": ruleset.code, "rules": rules,
            "token": drafts.token(ruleset, rules), "words": _in_order(known), "sources": dict(desk.sources),
            "closed": sorted(desk.closed),
            "choices": {name: [_plain(one) for one in some] for name, some in choices.items()},
            "skus": [_plain(one) for one in _named_skus(ruleset, rules)],
            "texts": editing_words.texts(), "blockly": editing_words.blockly() if language() == "zh" else {},
            "can_edit": self._may_edit(request), "can_publish": self._may_publish(request),
            "ask": reverse("admin:rules_ruleset_blocks_ask", args=(ruleset.pk, "deed")).removesuffix("deed/"),
            "order_url": reverse("admin:index") + "orders/order/{id}/change/", "stand": _stand(ruleset),
            "time_zone": timezone.get_current_timezone_name(),
        }  # fmt: skip

    # ---- the deeds -------------------------------------------------------------------------------------

    def look(self, request: HttpRequest, ruleset: RuleSet) -> dict[str, Any]:
        """Each rule as a sentence, what the review finds in all of them, and what they change; writes nothing."""
        rules = drafts.given(request.POST.getlist("rule"))
        found = checking.findings(
            ruleset.purpose, ruleset.code, ruleset.scope, drafts.content(rules), now=timezone.now()
        )
        return {
            "sentences": {rule["code"]: publishing.told(ruleset, drafts.body(rule)) for rule in rules},
            "findings": [_finding(one) for one in [*found, *_of_those_off(ruleset, rules)]],
            "changes": _changes(ruleset, drafts.content(rules)),
        }

    def save(self, request: HttpRequest, ruleset: RuleSet) -> dict[str, Any]:
        """Keep the draft, unless somebody else has since."""
        if not self._may_edit(request):
            raise PermissionDenied
        rules = drafts.given(request.POST.getlist("rule"))
        made = drafts.keep(ruleset, rules, request.POST.get("token", ""))
        return {"token": made, "at": f"{timezone.localtime():%H:%M:%S}", "rules": drafts.documents(ruleset)}

    def stand(self, request: HttpRequest, ruleset: RuleSet) -> dict[str, Any]:
        """What the draft says by now, who else has the page open, and the versions."""
        known, now_is = request.POST.get("token", ""), drafts.token(ruleset)
        others = presence.seen(ruleset.pk, request.user.get_username(), may_edit=self._may_edit(request))
        changed = _stale_words(ruleset) if known and known != now_is else ""
        return {"token": now_is, "changed": changed, "others": others, "stand": _stand(ruleset)}

    def load(self, request: HttpRequest, ruleset: RuleSet) -> dict[str, Any]:
        """The draft as it is kept."""
        rules = drafts.documents(ruleset)
        return {"rules": rules, "token": drafts.token(ruleset, rules), "stand": _stand(ruleset)}

    def version(self, request: HttpRequest, ruleset: RuleSet) -> dict[str, Any]:
        """The rules of a version, to take them up as the draft."""
        return {"rules": drafts.of_version(_version(request, ruleset).content)}

    def find(self, request: HttpRequest, ruleset: RuleSet) -> dict[str, Any]:
        """SKUs by a part of code or name."""
        look = desks.of(ruleset.purpose).find
        found = look(ruleset.scope, request.POST.get("text", "")[:80], ()) if look else ()
        return {"found": [_plain(one) for one in found]}

    def cart(self, request: HttpRequest, ruleset: RuleSet) -> dict[str, Any]:
        """What the draft as it stands on the page makes of a cart."""
        look = desks.of(ruleset.purpose).trial
        if look is None:
            raise Http404
        rules = drafts.content(drafts.given(request.POST.getlist("rule")))
        try:
            draft = services.drafted(ruleset, rules)
        except RuleError as fault:
            # A draft is half done most of the time: that is no fault of the asker.
            return {"fault": words_of(fault)}
        return dict(look(ruleset.scope, dict(request.POST.lists()), draft))

    def sample(self, request: HttpRequest, ruleset: RuleSet) -> dict[str, Any]:
        """An order as a cart."""
        look = desks.of(ruleset.purpose).sample
        found = look(ruleset.scope, request.POST.get("number", "").strip()) if look else None
        if found is None:
            raise ValidationError({"number": _("There is no order with this number.")})
        return dict(found)

    def effect(self, request: HttpRequest, ruleset: RuleSet) -> dict[str, Any]:
        """What the draft as it stands on the page would have done lately."""
        look = desks.of(ruleset.purpose).effect
        if look is None:
            raise Http404
        rules = drafts.content(drafts.given(request.POST.getlist("rule")))
        drafted = checking.drafted(ruleset.purpose, rules, ruleset.scope)
        return dict(look(ruleset.code, ruleset.scope, drafted, timezone.now()))

    def publish_draft(self, request: HttpRequest, ruleset: RuleSet) -> dict[str, Any]:
        """Publish the draft the asker has seen, at once or from a time to come."""
        self._must_publish(request)
        if drafts.token(ruleset) != request.POST.get("token", ""):
            raise StaleDraft
        form = publishing.PublishForm(request.POST)
        if not form.is_valid():
            raise ValidationError({name: [str(x) for x in texts] for name, texts in form.errors.items()})
        newest = queries.history(ruleset).first()
        before = services.version_in_force(ruleset)
        made = services.publish(
            ruleset, request.user, form.cleaned_data["note"],  # type: ignore[arg-type]
            effective_at=form.cleaned_data["effective_at"],
        )  # fmt: skip
        is_new = newest is None or newest.pk != made.pk
        back = before.number if before is not None and is_new and made.effective_at is None else None
        return {
            "text": publishing.published_words(made, is_new=is_new),
            "back": back,
            "stand": _stand(ruleset),
        }

    def restore(self, request: HttpRequest, ruleset: RuleSet) -> dict[str, Any]:
        """Put an older version in force again."""
        self._must_publish(request)
        version, before = _version(request, ruleset), services.version_in_force(ruleset)
        note = request.POST.get("note", "")[:200] or _("as v%(number)d") % {"number": version.number}
        made = services.roll_back(ruleset, version.number, request.user, note)  # type: ignore[arg-type]
        back = before.number if before is not None and before.pk != made.pk else None
        return {"text": publishing.published_words(made, is_new=True), "back": back, "stand": _stand(ruleset)}

    def withdraw_version(self, request: HttpRequest, ruleset: RuleSet) -> dict[str, Any]:
        """Take a version back that waits for its time."""
        self._must_publish(request)
        version = _version(request, ruleset)
        said = {"number": version.number}
        if not services.withdraw(version):
            raise Conflict(_("Version %(number)d was in force already; put another in force instead.") % said)
        return {
            "text": _("Version %(number)d will not come into force.") % said, "stand": _stand(ruleset),
        }  # fmt: skip

    def _must_publish(self, request: HttpRequest) -> None:
        if not self._may_publish(request):
            raise PermissionDenied


_DEEDS: dict[str, _Deed] = {
    "look": RuleSetEditor.look, "save": RuleSetEditor.save, "stand": RuleSetEditor.stand,
    "load": RuleSetEditor.load, "version": RuleSetEditor.version, "find": RuleSetEditor.find,
    "cart": RuleSetEditor.cart, "sample": RuleSetEditor.sample, "effect": RuleSetEditor.effect,
    "publish": RuleSetEditor.publish_draft, "restore": RuleSetEditor.restore,
    "withdraw": RuleSetEditor.withdraw_version,
}  # fmt: skip


def _in_order(known: Vocabulary) -> dict[str, Any]:
    """The words as they were taught, which is what people look for first, and not by name."""
    said = described(known)
    places = {"facts": list(known.facts), "actions": list(known.actions)}
    return {kind: sorted(said[kind], key=lambda word: places[kind].index(word["name"])) for kind in places}


def _version(request: HttpRequest, ruleset: RuleSet) -> RuleVersion:
    number = request.POST.get("number", "")
    found = (
        ruleset.versions.filter(number=int(number)).first() if number.isdigit() and len(number) < 9 else None
    )
    if found is None:
        raise Http404
    return found


def _stand(ruleset: RuleSet) -> dict[str, Any]:
    """The newest versions, and which of them counts."""
    now, versions = timezone.now(), list(queries.history(ruleset)[:MOST_VERSIONS])
    current = services.version_in_force(ruleset, now=now)
    return {
        "in_force": current.number if current is not None else None,
        "in_force_codes": [rule["id"] for rule in current.content["rules"]] if current is not None else [],
        "next": (versions[0].number if versions else 0) + 1,
        "is_active": ruleset.is_active,
        "versions": [_version_row(version, current) for version in versions],
    }


def _version_row(version: RuleVersion, current: RuleVersion | None) -> dict[str, Any]:
    now = timezone.now()
    return {
        "number": version.number, "at": f"{timezone.localtime(version.published_at):%Y-%m-%d %H:%M}",
        "by": version.published_by.get_username() if version.published_by else "–", "note": version.note,
        "state": publishing.state(version, current, now=now),
        "is_in_force": current is not None and current.pk == version.pk,
        "is_waiting": version.withdrawn_at is None and version.effective_at is not None and version.effective_at > now,
        "rules": [publishing.rule_name(body) for body in version.content["rules"]],
        "url": reverse("admin:rules_ruleversion_change", args=(version.pk,)),
    }  # fmt: skip


def _changes(ruleset: RuleSet, content: dict[str, Any]) -> list[dict[str, str]]:
    current = services.version_in_force(ruleset)
    before = current.content if current is not None else {"rules": []}
    return [{"sign": sign, "text": text} for sign, text in publishing.differences(ruleset, before, content)]


def _of_those_off(ruleset: RuleSet, rules: list[dict[str, Any]]) -> list[vocabulary.Finding]:
    """Rules that are off do not keep a set from being published, but what is wrong with them is said."""
    found = []
    for rule in rules:
        if not rule["is_active"]:
            try:
                checking.compiled(ruleset.purpose, {"rules": [drafts.body(rule)]}, ruleset.scope)
            except RuleError as fault:
                found.append(vocabulary.Finding("warning", fault.path, fault.code, fault.zh, fault.en))
    return found


def _finding(one: vocabulary.Finding) -> dict[str, str]:
    code, _dot, place = one.path.partition(".")
    return {
        "level": one.level, "rule": code, "path": place, "code": one.code,
        "text": one.zh if language() == "zh" else one.en,
    }  # fmt: skip


def _named_skus(ruleset: RuleSet, rules: list[dict[str, Any]]) -> list[desks.Choice]:
    """The SKUs that the draft names already, with their names."""
    look = desks.of(ruleset.purpose).find
    codes = sorted(_texts_of([[rule["when"], rule["then"]] for rule in rules]))[:500]
    return list(look(ruleset.scope, "", codes)) if look and codes else []


def _texts_of(value: Any) -> set[str]:
    """All texts inside lists: SKUs stand in lists."""
    if isinstance(value, dict):
        return {text for inner in value.values() for text in _texts_of(inner)}
    if isinstance(value, list):
        own = {inner for inner in value if isinstance(inner, str)}
        return own.union(*(_texts_of(inner) for inner in value if not isinstance(inner, str)))
    return set()


def _plain(one: desks.Choice) -> list[str]:
    return [one.value, one.label, one.price]


def _stale_words(ruleset: RuleSet) -> str:
    last = drafts.last_change(ruleset)
    if last is None:
        return _("Somebody else changed this draft meanwhile. Nothing of yours is lost.")
    said = {"who": last.by or _("somebody"), "at": f"{timezone.localtime(last.at):%H:%M:%S}"}
    return _("%(who)s changed this draft at %(at)s. Nothing of yours is lost.") % said


__all__ = ["RuleSetEditor"]

"""Operators' pages of rule sets, their versions, and order flows; the engine itself judges every rule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from django import forms
from django.contrib import admin
from django.contrib.admin import display
from django.db.models import Prefetch, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, StackedInline
from unfold.decorators import action
from unfold.widgets import UnfoldAdminTextareaWidget

from rules import admin_flows, queries, services, vocabulary
from rules import admin_publishing as publishing
from rules.admin_editor import RuleSetEditor
from rules.admin_publishing import in_words, language, version_lines, words_of
from rules.engine import RuleError, compile_rule
from rules.models import Rule, RuleSet, RuleVersion

MOST_VERSIONS = 20
Method = TypeVar("Method", bound=Callable[..., Any])


__all__ = ["RuleSetAdmin", "RuleVersionAdmin", "admin_flows"]


def button(**options: Any) -> Callable[[Method], Method]:
    """Unfold's `action` for a button of a page, with types."""
    return cast("Callable[[Method], Method]", action(**options))


def _body(code: str, name: str, when: Any, then: Any) -> dict[str, Any]:
    return {
        "id": code or "rule",
        "name": name or code or "rule",
        "priority": 100,
        "when": when or {"all": []},
        "then": then,
        "stop": False,
        "group": "",
    }


class RuleForm(forms.ModelForm):  # type: ignore[type-arg]
    """One rule as plain fields; condition and actions are compiled by the engine before they are kept."""

    class Meta:
        model = Rule
        fields = (
            "code",
            "name",
            "name_en",
            "priority",
            "condition",
            "actions",
            "group",
            "stops",
            "valid_from",
            "valid_to",
            "is_active",
        )
        widgets = {
            "condition": UnfoldAdminTextareaWidget(attrs={"rows": 4}),
            "actions": UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["condition"].required = False
        self.fields["condition"].help_text = _(
            'e.g. {"fact": "order.total", "op": ">=", "value": "300"}; several under "all", "any" or "not". '
            "Empty means always."
        )
        self.fields["actions"].help_text = _('e.g. [{"do": "hold", "with": {"reason": "risk"}}]')

    def clean_condition(self) -> Any:
        """Nothing means always."""
        return self.cleaned_data["condition"] or {"all": []}

    def clean(self) -> dict[str, Any]:
        """The engine's own words for what is wrong, at the field it is in."""
        given: dict[str, Any] = super().clean() or {}
        since, until = given.get("valid_from"), given.get("valid_to")
        if since and until and until <= since:
            self.add_error("valid_to", _("Must be after its start."))
        purpose = getattr(self.instance.ruleset, "purpose", "") if self.instance.ruleset_id else self._purpose
        if "condition" in given and "actions" in given and purpose:
            self._compile(purpose, given)
        return given

    #: Filled by the inline for rules of a set that is new itself.
    _purpose = ""
    _scope = ""

    def _scope_of_set(self) -> str:
        return self.instance.ruleset.scope if self.instance.ruleset_id else self._scope

    def _compile(self, purpose: str, given: dict[str, Any]) -> None:
        body = _body(given.get("code", ""), given.get("name", ""), given["condition"], given["actions"])
        try:
            words = vocabulary.words_for(purpose, self._scope_of_set(), {"rules": [body]})
            vocabulary.check(purpose, compile_rule(body, words))
        except RuleError as fault:
            self.add_error("actions" if fault.path.startswith("then") else "condition", words_of(fault))


class RuleFormSet(forms.BaseInlineFormSet):  # type: ignore[type-arg]
    """Hands the set's purpose to each rule's form, also before the set is saved."""

    def _construct_form(self, i: int, **kwargs: Any) -> Any:
        form = super()._construct_form(i, **kwargs)  # type: ignore[misc]
        form._purpose = self.instance.purpose or self.data.get("purpose", "")
        form._scope = self.instance.scope or self.data.get("scope", "")
        return form


class RuleInline(StackedInline):
    """The draft's rules."""

    model = Rule
    form = RuleForm
    formset = RuleFormSet
    extra = 0
    show_count = True
    fields = (
        "shown_sentence",
        ("code", "name", "name_en"),
        ("priority", "group"),
        ("stops", "is_active"),
        "condition",
        "actions",
        ("valid_from", "valid_to"),
    )
    readonly_fields = ("shown_sentence",)

    def get_queryset(self, request: HttpRequest) -> Any:
        """In the order they run."""
        return super().get_queryset(request).select_related("ruleset").order_by("priority", "code")

    @display(description=_("In words"))
    def shown_sentence(self, obj: Rule) -> str:
        """The rule as a sentence in the reader's language."""
        if not obj.pk:
            return "–"
        body = _body(obj.code, obj.name, obj.condition, obj.actions)
        return in_words(obj.ruleset.purpose, body, obj.ruleset.scope)


@admin.register(RuleSet)
class RuleSetAdmin(RuleSetEditor, ModelAdmin):
    """A draft of rules, its button to publish, and the versions that were in force."""

    list_display = ("shown_name", "code", "purpose", "scope", "shown_version", "is_active")
    list_filter = ("purpose", "is_active")
    search_fields = ("code", "name", "name_en")
    show_full_result_count = False
    warn_unsaved_form = True
    ordering = ("scope", "code")
    inlines = (RuleInline,)
    readonly_fields = ("shown_versions",)
    fields = (("code", "name", "name_en"), ("purpose", "scope", "is_active"), "shown_versions")
    actions_detail = ("edit_in_blocks", "publish")

    def get_queryset(self, request: HttpRequest) -> QuerySet[RuleSet]:
        """Sets of all merchants, or for staff of one merchant its own."""
        rows: QuerySet[RuleSet] = (
            super()
            .get_queryset(request)
            .prefetch_related(Prefetch("versions", queryset=RuleVersion.objects.defer("content")))
        )
        merchant_id = getattr(request.user, "merchant_id", None)
        return rows if merchant_id is None else rows.filter(scope=f"merchant:{merchant_id}")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Orders note its versions: a set is switched off instead."""
        return False

    def has_publish_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Publishing writes a version."""
        return request.user.has_perm("rules.add_ruleversion")

    @display(description=_("name"), ordering="name")
    def shown_name(self, obj: RuleSet) -> str:
        """The name in the reader's language."""
        return obj.name if language() == "zh" else obj.name_en or obj.name

    @display(description=_("in force"))
    def shown_version(self, obj: RuleSet) -> str:
        """The newest version."""
        version = queries.current(obj.versions.all(), now=timezone.now())
        return f"v{version.number}" if version is not None else str(_("not published"))

    @display(description=_("Versions"))
    def shown_versions(self, obj: RuleSet) -> SafeString:
        """The newest versions, each a link to its rules and to going back."""
        if not obj.pk:
            return SafeString("–")
        now, versions = timezone.now(), obj.versions.all()
        current = queries.current(versions, now=now)
        rows = [
            (
                reverse("admin:rules_ruleversion_change", args=(version.pk,)), version.number,
                f"{timezone.localtime(version.published_at):%Y-%m-%d %H:%M}",
                version.published_by.get_username() if version.published_by else "–",
                publishing.state(version, current, now=now), version.note,
            )
            for version in queries.history(obj)[:MOST_VERSIONS]
        ]  # fmt: skip
        items = format_html_join(
            "",
            '<li><a class="oh-link" href="{}">v{}</a> <span class="oh-muted">{} · {}</span> {} {}</li>',
            rows,
        )
        return (
            format_html('<div class="oh"><ol class="oh-grid oh-s13">{}</ol></div>', items)
            if rows
            else SafeString("–")
        )

    @button(description=_("Edit in blocks"), url_path="edit-in-blocks", icon="extension")
    def edit_in_blocks(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """To the editor."""
        if (ruleset := self.get_object(request, object_id)) is None:
            raise Http404
        return HttpResponseRedirect(reverse("admin:rules_ruleset_blocks", args=(ruleset.pk,)))

    @button(description=_("Publish…"), url_path="publish", icon="publish", permissions=["publish"])
    def publish(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show the draft in words, then publish it as a new version."""
        ruleset = self.get_queryset(request).filter(pk=object_id).first()
        if ruleset is None:
            raise Http404
        back = reverse("admin:rules_ruleset_change", args=(ruleset.pk,))
        if request.method == "POST":
            if (form := publishing.publish(request, ruleset)) is None:
                return HttpResponseRedirect(back)
        else:
            form = publishing.PublishForm()
        rules = queries.draft_rules(ruleset)
        lines = [
            in_words(
                ruleset.purpose, _body(rule.code, rule.name, rule.condition, rule.actions), ruleset.scope
            )
            for rule in rules
        ]
        effect = _(
            "These rules decide about every order from now on. The versions before stay, and you can go back."
        )
        return publishing.ask(
            self,
            request,
            title=str(ruleset),
            effect=effect,
            button=_("Publish"),
            back=back,
            lines=lines,
            form=form,
            **publishing.reviewed(ruleset),
        )


@admin.register(RuleVersion)
class RuleVersionAdmin(ModelAdmin):
    """What was published; immutable. Going back publishes its content again."""

    list_display = ("shown_title", "published_at", "published_by", "note")
    list_select_related = ("ruleset", "published_by")
    show_full_result_count = False
    ordering = ("-pk",)
    fields = (
        "shown_title", "published_at", "published_by", "shown_state", "note", "shown_changes", "shown_rules",
    )  # fmt: skip
    readonly_fields = fields
    actions_detail = ("restore", "withdraw")

    def get_queryset(self, request: HttpRequest) -> QuerySet[RuleVersion]:
        """As for the sets."""
        rows: QuerySet[RuleVersion] = super().get_queryset(request).select_related("ruleset", "published_by")
        merchant_id = getattr(request.user, "merchant_id", None)
        return rows if merchant_id is None else rows.filter(ruleset__scope=f"merchant:{merchant_id}")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Publishing makes versions, nothing else does."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never: orders note which version judged them."""
        return False

    def has_restore_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Publishing writes a version."""
        return request.user.has_perm("rules.add_ruleversion")

    @display(description=_("rule version"))
    def shown_title(self, obj: RuleVersion) -> str:
        """Set and number."""
        return f"{obj.ruleset} v{obj.number}"

    @display(description=_("In words"))
    def shown_rules(self, obj: RuleVersion) -> SafeString:
        """Its rules as sentences."""
        rows = [
            (body["name"], line) for body, line in zip(obj.content["rules"], version_lines(obj), strict=True)
        ]
        items = format_html_join("", "<li><b>{}</b><br>{}</li>", rows)
        return format_html('<div class="oh"><ol class="oh-grid oh-s13">{}</ol></div>', items)

    @display(description=_("state"))
    def shown_state(self, obj: RuleVersion) -> str:
        """Whether it counts, will count, or was taken back."""
        now = timezone.now()
        return publishing.state(obj, services.version_in_force(obj.ruleset, now=now), now=now)

    @display(description=_("Changes"))
    def shown_changes(self, obj: RuleVersion) -> SafeString:
        """What it says otherwise than the version before it, in words."""
        rows = [(sign, line) for sign, line in publishing.changes(obj)]
        items = format_html_join("", "<li><b>{}</b> {}</li>", rows)
        return (
            format_html('<div class="oh"><ul class="oh-grid oh-s13">{}</ul></div>', items)
            if rows
            else SafeString("–")
        )

    @button(description=_("Withdraw"), url_path="withdraw", icon="event_busy", permissions=["restore"])
    def withdraw(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Take it back before its time has come."""
        version = self.get_queryset(request).filter(pk=object_id).first()
        if version is None:
            raise Http404
        back = reverse("admin:rules_ruleset_change", args=(version.ruleset_id,))
        if request.method == "POST":
            publishing.withdraw(request, version)
            return HttpResponseRedirect(back)
        effect = _("It will not come into force; the version before it goes on.")
        return publishing.ask(
            self, request, title=self.shown_title(version), effect=effect, button=_("Withdraw"), back=back,
            lines=version_lines(version),
        )  # fmt: skip

    @button(description=_("Put in force again"), url_path="restore", icon="undo", permissions=["restore"])
    def restore(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show what it says, then publish it again as the newest version."""
        version = self.get_queryset(request).filter(pk=object_id).first()
        if version is None:
            raise Http404
        back = reverse("admin:rules_ruleset_change", args=(version.ruleset_id,))
        if request.method == "POST":
            publishing.restore(request, version)
            return HttpResponseRedirect(back)
        effect = _(
            "These rules decide about every order from now on, as a new version. The draft stays as it is."
        )
        lines = version_lines(version)
        title = self.shown_title(version)
        return publishing.ask(
            self, request, title=title, effect=effect, button=_("Put in force again"), back=back, lines=lines
        )

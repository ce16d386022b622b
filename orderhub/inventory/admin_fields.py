"""The page on which operators add fields to records; it stands here because the pages' base does."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import display
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from simple_history.admin import SimpleHistoryAdmin
from unfold.contrib.filters.admin import ChoicesDropdownFilter, DropdownFilter, RelatedDropdownFilter
from unfold.enums import ActionVariant
from unfold.views import ChangeList
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from orderhub.fields import rights, services, uses
from orderhub.fields.engine import CHOICE_KINDS, Fault, check_definition, from_text, to_text
from orderhub.fields.models import Field
from orderhub.fields.targets import Use
from orderhub.fields.wording import sentence
from orderhub.inventory.admin_base import HubAdmin, actor_of, button
from orderhub.kernel import clock
from orderhub.kernel.errors import Refused
from orderhub.templatetags.ui import pill


class FieldForm(forms.ModelForm):  # type: ignore[type-arg]
    """A field as people write it: choices a line each, roles to tick; a change of type asks before it converts."""

    choices_text = forms.CharField(
        label=_("choices"), required=False, widget=UnfoldAdminTextareaWidget(attrs={"rows": 4, "spellcheck": "false"}),
        help_text=_("A line each: code = Chinese label = English label"),
    )  # fmt: skip
    default_text = forms.CharField(
        label=_("default"), required=False, widget=UnfoldAdminTextInputWidget(),
        help_text=_("What new records get; several choices by ;"),
    )  # fmt: skip
    seen_by = forms.MultipleChoiceField(
        label=_("seen by"), required=False, choices=list(rights.ROLES.items()),
        widget=UnfoldAdminCheckboxSelectMultipleWidget(), help_text=_("None chosen means everybody who sees the record."),
    )  # fmt: skip
    edited_by = forms.MultipleChoiceField(
        label=_("filled by"), required=False, choices=list(rights.ROLES.items()),
        widget=UnfoldAdminCheckboxSelectMultipleWidget(), help_text=_("None chosen means everybody who may change the record."),
    )  # fmt: skip
    confirm = forms.BooleanField(
        label=_("convert the values"), required=False, widget=UnfoldBooleanSwitchWidget(),
        help_text=_("Needed only where another type is chosen and there are values already."),
    )  # fmt: skip
    #: Who edits; set by the page.
    user: Any = None

    class Meta:
        model = Field
        fields = (
            "merchant", "target", "code", "kind", "unit", "position", "name", "name_en", "least", "most", "pattern",
            "is_required", "help", "help_en", "merchant_may", "customer_sees", "is_personal", "in_list", "in_filter",
        )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for one in self.fields.values():
            one.label = capfirst(one.label)
        row: Field = self.instance
        lines = (f"{x.code} = {x.zh} = {x.en}" for x in row.definition().choices)
        self.initial.update({
            "choices_text": "\n".join(lines), "default_text": to_text(row.definition(), row.default),
            "seen_by": row.seen_by, "edited_by": row.edited_by,
        })  # fmt: skip

    def clean(self) -> Any:
        """The engine's words for what contradicts itself, at its place."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if self.user is not None and self.user.merchant_id and "merchant" in self.fields:
            if cleaned.get("merchant") is None:
                self.add_error("merchant", _("Choose your merchant."))
        return cleaned

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        row, given = self.instance, self.cleaned_data
        row.choices = _choices(given.get("choices_text", "")) if row.kind in CHOICE_KINDS else []
        row.seen_by, row.edited_by = list(given.get("seen_by", ())), list(given.get("edited_by", ()))
        row.default = None
        try:
            check_definition(row.definition())
            row.default = from_text(row.definition(), given.get("default_text", ""))
        except Fault as fault:
            self._complain(fault, "default_text")
        if not self.errors and row.pk and "kind" in self.changed_data:
            self._ask_before_converting(row)

    def _complain(self, fault: Fault, otherwise: str) -> None:
        name = str(fault.facts.get("field", otherwise))
        name = {"choices": "choices_text", "default": "default_text"}.get(name, name)
        if fault.code == "field_required":  # a required field needs no default
            return
        self.add_error(name if name in self.fields else None, sentence(fault))

    def _ask_before_converting(self, row: Field) -> None:
        found = services.preview(row)
        for _pk, value, why in found.examples:
            self.add_error("kind", f"{value}: {why}")
        if found.bad:
            text = ngettext("%(count)d value does not fit.", "%(count)d values do not fit.", found.bad)
            self.add_error("kind", text % {"count": found.bad})
        elif found.values and not self.cleaned_data.get("confirm"):
            text = ngettext(
                "%(count)d value will be converted; tick “convert the values” to do so.",
                "%(count)d values will be converted; tick “convert the values” to do so.", found.values,
            )  # fmt: skip
            self.add_error("confirm", text % {"count": found.values})


def _choices(text: str) -> list[dict[str, str]]:
    """`code = name = English name` a line; what is left out is the part before it."""
    found = []
    for line in filter(None, (line.strip() for line in text.splitlines())):
        code, zh, en = (*(part.strip() for part in line.split("=", 2)), "", "")[:3]
        found.append({"code": code, "name": zh or code, "name_en": en or zh or code})
    return found


class UsedList(ChangeList):
    """A page of fields, each with its uses: a few queries for the whole page."""

    result_list: Any

    def get_results(self, request: HttpRequest) -> None:
        """The page's rows."""
        super().get_results(request)
        rows = list(self.result_list)
        found = uses.of_many(rows)
        for row in rows:
            vars(row)["uses"] = found[row.pk]
        self.result_list = rows


class StateFilter(DropdownFilter):
    """In use or removed."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Removed ones only on request."""
        return [("removed", _("removed")), ("every", _("all of them"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Field]) -> QuerySet[Field]:
        """Those in use unless asked."""
        if self.value() == "every":
            return queryset
        return queryset.filter(archived_at__isnull=self.value() != "removed")


@admin.register(Field)
class FieldAdmin(SimpleHistoryAdmin, HubAdmin):
    """Fields that operators add; every process knows them with its next order."""

    form = FieldForm
    list_display = ("shown_label", "code", "target", "shown_kind", "shown_where", "shown_uses", "merchant")
    list_filter = (
        ("target", ChoicesDropdownFilter), ("kind", ChoicesDropdownFilter), StateFilter,
        ("merchant", RelatedDropdownFilter),
    )  # fmt: skip
    list_select_related = ("merchant",)
    search_fields = ("code", "name", "name_en")
    ordering = ("target", "position", "pk")
    actions_detail = ("remove_one", "restore_one")
    fieldsets = (
        (None, {"fields": (("merchant", "target"), ("code", "kind"), ("name", "name_en"), ("unit", "position"))}),
        (_("What may be entered"), {
            "fields": ("choices_text", ("least", "most", "pattern"), ("default_text", "is_required"), "confirm"),
        }),
        (_("Help"), {"fields": (("help", "help_en"),)}),
        (_("Who sees and fills it"), {"fields": (("seen_by", "edited_by"), ("merchant_may", "customer_sees", "is_personal"))}),
        (_("Where it is shown"), {"fields": (("in_list", "in_filter"),)}),
        (_("Where it is used"), {"fields": ("shown_all_uses",)}),
    )  # fmt: skip
    readonly_fields = ("shown_all_uses",)

    class Media:
        js = ("inventory/fields.js",)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """The form, which knows who edits."""
        form = super().get_form(request, obj, change, **kwargs)
        form.user = request.user
        return form

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """What rules and files call it by stays."""
        fixed = ("merchant", "target", "code") if obj is not None else ()
        return (*fixed, *super().get_readonly_fields(request, obj))

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Uses are shown of a field that exists."""
        parts = super().get_fieldsets(request, obj)
        return parts if obj is not None else parts[:-1]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """A list that knows the uses."""
        return UsedList

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A field is removed by its button; its values and its history stay."""
        return False

    def save_model(self, request: HttpRequest, obj: Field, form: Any, change: bool) -> None:
        """Write it, and let every process know."""
        services.save(obj, actor=actor_of(request), user=request.user)

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:  # fmt: skip
        """The form; what the service refuses is told on top of it."""
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except Refused as why:
            messages.error(request, str(why))
            return HttpResponseRedirect(request.get_full_path())

    # ---- columns -------------------------------------------------------------------------------

    @display(description=_("field"), ordering="name")
    def shown_label(self, obj: Field) -> str:
        """Its label."""
        return str(obj)

    @display(description=_("type"), ordering="kind")
    def shown_kind(self, obj: Field) -> str:
        """Type and unit."""
        kind = obj.get_kind_display()
        return f"{kind} ({obj.unit})" if obj.unit else kind

    @display(description=_("where shown"))
    def shown_where(self, obj: Field) -> SafeString:
        """Pages that show it, as pills."""
        if obj.archived_at is not None:
            return pill("wait", str(_("removed")))
        shown = [
            (obj.in_list, _("list")), (obj.in_filter, _("filter")),
            (obj.merchant_may != Field.MerchantMay.NOTHING, _("API")), (obj.customer_sees, _("customers")),
        ]  # fmt: skip
        found = [pill("go", str(text)) for is_on, text in shown if is_on]
        return format_html(
            '<span class="oh-row">{}</span>', format_html_join(" ", "{}", ((one,) for one in found))
        )

    @display(description=_("where used"))
    def shown_uses(self, obj: Field) -> Any:
        """The rules and flows that name it."""
        found = [use for use in vars(obj).get("uses", ()) if use.link]
        names = [f"{use.kind}: {use.title}" for use in found]
        return "; ".join(dict.fromkeys(names[:3])) + (" …" if len(names) > 3 else "") if names else "–"

    @display(description=_("used by"))
    def shown_all_uses(self, obj: Field) -> Any:
        """Every use with a link to it."""
        return listed(uses.of(obj)) or "–"

    # ---- verbs ---------------------------------------------------------------------------------

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """The one of the two that makes sense."""
        row = self.get_queryset(request).filter(pk=object_id).first()
        unwanted = "remove_one" if row is None or row.archived_at is not None else "restore_one"
        found = super().get_actions_detail(request, object_id)
        return [one for one in found if not one.action_name.endswith(unwanted)]

    @button(
        description=_("Remove"), url_path="remove", icon="delete", permissions=["change"],
        variant=ActionVariant.DANGER,
    )  # fmt: skip
    def remove_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """List the uses, then take the field out of use."""
        row = self._row(request, object_id)
        found = uses.of(row)
        blocked = any(use.blocks for use in found)
        if request.method == "POST" and not blocked:
            return self._done(request, row, lambda: services.archive(
                row, now=clock.now(), actor=actor_of(request), user=request.user
            ), _("%(name)s was removed; its values stay."))  # fmt: skip
        effect = (
            _("A rule in force names this field. Publish these without it first, then it can be removed.")
            if blocked
            else _(
                "It disappears from forms, lists, files and the API at once. Its values stay and come back with it."
            )
        )
        return self._ask(request, row, _("Remove"), effect, found, is_final=True, blocked=blocked)

    @button(description=_("Bring back"), url_path="restore", icon="undo", permissions=["change"])
    def restore_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask, then bring the field back."""
        row = self._row(request, object_id)
        if request.method == "POST":
            return self._done(
                request, row, lambda: services.restore(row, actor=actor_of(request), user=request.user),
                _("%(name)s is back, with the values it had."),
            )  # fmt: skip
        return self._ask(
            request, row, _("Bring back"), _("It is shown everywhere again."), [], is_final=False
        )

    def _row(self, request: HttpRequest, object_id: str) -> Field:
        row = self.get_queryset(request).filter(pk=object_id).first() if object_id.isdecimal() else None
        if row is None or not self.has_change_permission(request, row):
            raise Http404
        return row  # type: ignore[no-any-return]

    def _done(self, request: HttpRequest, row: Field, run: Any, said: Any) -> HttpResponse:
        try:
            run()
            messages.success(request, said % {"name": str(row)})
        except Refused as why:
            messages.error(request, str(why))
        return HttpResponseRedirect(reverse("admin:fields_field_changelist"))

    def _ask(
        self, request: HttpRequest, row: Field, verb: Any, effect: Any, found: list[Use], *, is_final: bool,
        blocked: bool = False,
    ) -> TemplateResponse:  # fmt: skip
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "media": self.media,
            "title": f"{verb}: {row}", "effect": effect, "button": verb, "form": forms.Form(), "uses": found,
            "back": reverse("admin:fields_field_change", args=(row.pk,)), "is_final": is_final, "blocked": blocked,
        }  # fmt: skip
        return TemplateResponse(request, "admin/fields/remove.html", context)


def listed(found: list[Use]) -> SafeString | str:
    """Uses as a list, those that block first."""
    rows = []
    for use in found:
        title = (
            format_html('<a class="oh-link" href="{}">{}</a>', use.link, use.title) if use.link else use.title
        )
        rows.append((use.kind, title, f" · {use.detail}" if use.detail else ""))
    if not rows:
        return ""
    return format_html("<ul>{}</ul>", format_html_join("", "<li>{}: {}{}</li>", rows))

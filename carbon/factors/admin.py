"""Operators' pages of factor sets: import with every fault by row, what an edition changes, activation, preferences."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Count, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from import_export.admin import ExportMixin
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.contrib.import_export.forms import ExportForm

from carbon import kinds
from carbon.core.bundle import bundled_factors
from carbon.defaults import FACTOR_IDS
from carbon.factors import loading, services
from carbon.factors.words import REASONS, sentence
from carbon.models import Factor, FactorAlias, FactorSet, ResolverPolicy
from orderhub.events import log
from orderhub.inventory.admin_base import HubAdmin, ReadOnlyAdmin, SafeResource, actor_of, button
from orderhub.kernel import clock
from orderhub.kernel.errors import Refused
from orderhub.templatetags.ui import pill

TONES = {"draft": "wait", "active": "ok", "retired": "hold"}
MOST_FAULTS = 200
MOST_CHANGES = 200
INPUT = {"class": "oh-input"}


class SheetForm(forms.Form):
    """A book of factors and what a person says of it."""

    file = forms.FileField(
        label=_("file"), help_text=_("CSV in UTF-8 or XLSX, with the columns of our own tables.")
    )
    code = forms.SlugField(
        label=_("code"),
        max_length=80,
        help_text=_("Stands before the names of its factors, e.g. desnz-2026."),
    )
    publisher = forms.CharField(label=_("publisher"), max_length=120)
    version = forms.CharField(label=_("version"), max_length=40)
    licence = forms.CharField(label=_("licence"), max_length=240)
    attribution = forms.CharField(
        label=_("attribution"),
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("As reports must print it."),
    )
    region = forms.CharField(label=_("region"), max_length=60, required=False)
    gwp_basis = forms.CharField(label=_("GWP basis"), max_length=60, required=False)
    source = forms.CharField(label=_("source"), max_length=200, required=False)
    redistributable = forms.BooleanField(
        label=_("may be passed on"),
        required=False,
        help_text=_("Licensed books (GLEC, IEA, ecoinvent …) may not."),
    )
    accepts_vanished = forms.BooleanField(
        label=_("regions may be missing"), required=False,
        help_text=_("The publisher no longer has regions that the edition before had."),
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            if not isinstance(field, forms.BooleanField):
                field.widget.attrs.update(INPUT)

    def clean_file(self) -> Any:
        """Not larger than is read at once."""
        file = self.cleaned_data["file"]
        if file.size > services.MOST_BYTES:
            raise forms.ValidationError(_("This file is too large."))
        return file

    def about(self) -> services.About:
        """What was said of the book."""
        names = services.About.__dataclass_fields__
        return services.About(**{name: self.cleaned_data[name] for name in names})


@admin.register(FactorSet)
class FactorSetAdmin(ReadOnlyAdmin):
    """Editions of factors with licence and attribution; drafts are checked by a person before they are used."""

    merchant_path = ""
    list_display = (
        "code", "publisher", "version", "licence", "gwp_basis", "shown_status", "shown_factors", "imported_at",
    )  # fmt: skip
    list_filter = (("status", ChoicesDropdownFilter),)
    search_fields = ("code", "publisher", "version", "licence")
    ordering = ("publisher", "version", "code")
    actions_list = ("bring_in", "choices")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With the number of factors."""
        rows: QuerySet[Any] = super().get_queryset(request).annotate(factor_count=Count("factors"))
        return rows

    def get_urls(self) -> list[Any]:
        """The pages of a set's life beside the list."""
        view, name = self.admin_site.admin_view, "carbon_factorset"
        own = [
            path("<int:pk>/activate/", view(self.activate), name=f"{name}_activate"),
            path("<int:pk>/retire/", view(self.retire), name=f"{name}_retire"),
            path("<int:pk>/discard/", view(self.discard), name=f"{name}_discard"),
        ]
        return own + list(super().get_urls())

    def has_activate_permission(self, request: HttpRequest) -> bool:
        """People who may change factor sets and belong to no single merchant."""
        is_central = getattr(request.user, "merchant_id", None) is None
        return is_central and request.user.has_perm("carbon.change_factorset")

    @admin.display(description=_("status"), ordering="status")
    def shown_status(self, obj: FactorSet) -> SafeString:
        """Draft, active or retired."""
        return pill(TONES[obj.status], str(obj.get_status_display()))

    @admin.display(description=_("factors"), ordering="factor_count")
    def shown_factors(self, obj: Any) -> int:
        """How many."""
        return int(obj.factor_count)

    @button(
        description=_("Import a factor set"),
        url_path="bring-in",
        icon="upload_file",
        permissions=["activate"],
    )
    def bring_in(self, request: HttpRequest) -> HttpResponse:
        """Check a file; a sound one becomes a draft that shows what it changes."""
        form = SheetForm(request.POST or None, request.FILES or None)
        faults: list[Any] = []
        if request.method == "POST" and form.is_valid():
            try:
                made, faults = self._stored(form, request)
            except Refused as refused:
                form.add_error(refused.field or None, str(refused))
            else:
                if made is not None:
                    messages.success(
                        request, _("The draft is stored. Nothing uses it until it is activated.")
                    )
                    return HttpResponseRedirect(reverse("admin:carbon_factorset_change", args=[made.pk]))
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "title": _("Import a factor set"),
            "form": form, "faults": faults[:MOST_FAULTS], "more": max(0, len(faults) - MOST_FAULTS),
            "back": reverse("admin:carbon_factorset_changelist"),
        }  # fmt: skip
        status = 400 if request.method == "POST" else 200
        return TemplateResponse(request, "admin/carbon/import.html", context, status=status)

    def _stored(self, form: SheetForm, request: HttpRequest) -> tuple[FactorSet | None, list[Any]]:
        file = form.cleaned_data["file"]
        content = file.read()
        rows = services.rows_of(content, file.name)
        if len(rows) > services.MOST_ROWS:
            raise Refused("factor_sheet_large", _("This sheet has too many rows."), field="file")
        found, faults = services.check(
            rows, form.about(), accepts_vanished=form.cleaned_data["accepts_vanished"]
        )
        if faults:
            return None, [(fault, sentence(fault)) for fault in faults]
        return services.store(found, form.about(), content, actor=actor_of(request), now=clock.now()), []

    @button(description=_("Which factors are chosen"), url_path="choices", icon="rule", permissions=["view"])
    def choices(self, request: HttpRequest) -> HttpResponse:
        """For each default of the engine the ranked candidates and why."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        day = clock.now().date()
        rows = []
        for factor_id in FACTOR_IDS.values():
            verdicts = loading.ranked(factor_id, day=day)
            rows.append((bundled_factors()[factor_id], [(one, REASONS[one.reason]) for one in verdicts]))
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "title": _("Which factors are chosen"),
            "rows": rows, "policy": loading.policy(), "back": reverse("admin:carbon_factorset_changelist"),
            "criteria": [ResolverPolicy.Criterion(name).label for name in loading.policy().order],
        }  # fmt: skip
        return TemplateResponse(request, "admin/carbon/choices.html", context)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """What the set is and what it changes against the edition in force."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        obj = self.get_object(request, object_id)
        if obj is None:
            raise Http404
        found = services.difference(obj)
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "title": str(obj), "set": obj,
            "tone": TONES[obj.status], "difference": found, "changed": found.changed[:MOST_CHANGES],
            "added": found.added[:MOST_CHANGES], "gone": found.gone[:MOST_CHANGES],
            "may_activate": self.has_activate_permission(request),
            "factors": f"{reverse('admin:carbon_factor_changelist')}?factor_set__id__exact={obj.pk}",
            "recompute": f"{reverse('admin:carbon_recompute_ask')}?factor_set={obj.pk}",
            "may_recompute": request.user.has_perm("carbon.add_recompute"),
            "back": reverse("admin:carbon_factorset_changelist"),
        }  # fmt: skip
        return TemplateResponse(request, "admin/carbon/set.html", context)

    def activate(self, request: HttpRequest, pk: int) -> HttpResponse:
        """From now on these figures never change."""
        obj = self._posted(request, pk)
        try:
            with transaction.atomic():
                services.activate(obj, actor=actor_of(request), now=clock.now())
                fact = log.Fact(f"carbon:set:{obj.pk}", kinds.FACTORS_ACTIVATED.name, {"set": obj.code})
                log.record([fact], now=clock.now(), actor=actor_of(request))
        except Refused as refused:
            messages.error(request, str(refused))
        else:
            messages.success(request, _("The set is active. New calculations choose among its factors."))
        return HttpResponseRedirect(reverse("admin:carbon_factorset_change", args=[pk]))

    def retire(self, request: HttpRequest, pk: int) -> HttpResponse:
        """No longer offered; calculations made with it stay as they are."""
        services.retire(self._posted(request, pk))
        messages.success(request, _("The set is retired. Calculations made with it stay as they are."))
        return HttpResponseRedirect(reverse("admin:carbon_factorset_change", args=[pk]))

    def discard(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Throw a draft away that no recalculation has used."""
        obj = self._posted(request, pk)
        if obj.status != FactorSet.Status.DRAFT or obj.recomputes.exists():
            messages.error(request, _("Only a draft that nothing was compared with can be thrown away."))
            return HttpResponseRedirect(reverse("admin:carbon_factorset_change", args=[pk]))
        Factor.objects.filter(factor_set=obj).delete()
        obj.delete()
        messages.success(request, _("The draft is gone."))
        return HttpResponseRedirect(reverse("admin:carbon_factorset_changelist"))

    def _posted(self, request: HttpRequest, pk: int) -> FactorSet:
        if request.method != "POST" or not self.has_activate_permission(request):
            raise PermissionDenied
        found = FactorSet.objects.filter(pk=pk).first()
        if found is None:
            raise Http404
        return found


class FactorResource(SafeResource):
    """Factors as a table; books that may not be passed on stay here."""

    class Meta:
        model = Factor
        fields = (
            "factor_id", "kind", "mode", "item", "unit", "ttw", "wtt", "total", "distance_kind", "boundary", "region",
            "valid_from", "valid_to", "note",
        )  # fmt: skip

    def filter_export(self, queryset: QuerySet[Factor], **kwargs: Any) -> QuerySet[Factor]:
        """Without licensed books."""
        return queryset.filter(factor_set__redistributable=True)


@admin.register(Factor)
class FactorAdmin(ExportMixin, ReadOnlyAdmin):
    """kg CO2e per unit, with source, validity and boundary."""

    merchant_path = ""
    resource_classes = [FactorResource]
    export_form_class = ExportForm
    list_display = (
        "factor_id", "kind", "mode", "item", "unit", "ttw", "wtt", "total", "region", "valid_from", "shown_set",
    )  # fmt: skip
    list_filter = ("kind", "mode", ("factor_set__status", ChoicesDropdownFilter))
    list_select_related = ("factor_set",)
    search_fields = ("factor_id", "item", "region", "factor_set__publisher")
    ordering = ("factor_id",)

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        """The factors of one set."""
        return lookup == "factor_set__id__exact" or super().lookup_allowed(lookup, value, request)

    @admin.display(description=_("factor set"), ordering="factor_set__code")
    def shown_set(self, obj: Factor) -> SafeString:
        """The set it belongs to."""
        link = reverse("admin:carbon_factorset_change", args=[obj.factor_set_id])
        return format_html('<a class="oh-link" href="{}">{}</a>', link, obj.factor_set)


class _Central(HubAdmin):
    """What belongs to no merchant is looked after by people of none."""

    merchant_path = ""

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody of a single merchant."""
        return getattr(request.user, "merchant_id", None) is None and super().has_change_permission(
            request, obj
        )

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody of a single merchant."""
        return getattr(request.user, "merchant_id", None) is None and super().has_add_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody of a single merchant."""
        return getattr(request.user, "merchant_id", None) is None and super().has_delete_permission(
            request, obj
        )


@admin.register(FactorAlias)
class FactorAliasAdmin(_Central):
    """Rows that publishers renamed between editions."""

    list_display = ("old_key", "new_key", "note")
    search_fields = ("old_key", "new_key")
    ordering = ("old_key",)


class NamesField(forms.CharField):
    """Names, one a line, kept as a list."""

    widget = forms.Textarea

    def prepare_value(self, value: Any) -> Any:
        """A line each."""
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        """The lines that say something."""
        return [line.strip() for line in str(value or "").splitlines() if line.strip()]


class PolicyForm(forms.ModelForm):  # type: ignore[type-arg]
    """Each criterion once."""

    publishers = NamesField(
        label=_("preferred publishers"), required=False, help_text=_("One a line, in this order.")
    )
    regions = NamesField(
        label=_("preferred regions"), required=False, help_text=_("One a line, in this order.")
    )

    class Meta:
        model = ResolverPolicy
        fields = ("first", "second", "third", "fourth", "publishers", "regions", "takes_expired")

    def clean(self) -> dict[str, Any]:
        """Refuse an order that names one criterion twice."""
        given: dict[str, Any] = super().clean() or {}
        order = [given.get(name) for name in ("first", "second", "third", "fourth")]
        if len(set(order)) < len(order):
            raise forms.ValidationError(_("Name each criterion once."))
        return given


@admin.register(ResolverPolicy)
class ResolverPolicyAdmin(_Central):
    """The order of preference among editions; saving writes a new version, which holds from the next calculation on."""

    form = PolicyForm
    list_display = ("__str__", "first", "second", "third", "fourth", "takes_expired", "made_by", "made_at")
    ordering = ("-pk",)
    fields = (("first", "second", "third", "fourth"), "publishers", "regions", "takes_expired")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never: calculations name the version they were made by."""
        return False

    def save_model(self, request: HttpRequest, obj: ResolverPolicy, form: Any, change: bool) -> None:
        """A version of its own, whatever was opened."""
        obj.pk, obj._state.adding = None, True
        obj.made_by = actor_of(request)[:80]
        obj.save(force_insert=True)
        loading.refresh()

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """A change is the making of a new version."""
        return self.log_addition(request, obj, message)

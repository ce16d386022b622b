"""Codes nobody has mapped yet, and the rows that say what codes and texts mean."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import display
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter

from orderhub.inventory.admin import ask
from orderhub.inventory.admin_base import HubAdmin, ReadOnlyAdmin, actor_of, button, is_chinese
from orderhub.kernel import clock
from orderhub.kernel.errors import Refused
from orderhub.templatetags.ui import pill
from tracking.center import book as books
from tracking.center import reading, reviewing
from tracking.center.models import Meaning, UnknownCode
from tracking.center.reviewing import Said
from tracking.models import TimelineEntry

_TONES = {"open": "warn", "mapped": "ok", "ignored": "wait"}
#: Families of reasons as carriers' maps name them.
REASONS = (
    "carrier_damaged_parcel", "carrier_sorting_error", "carrier_address_not_found", "carrier_parcel_lost",
    "carrier_not_enough_time", "carrier_vehicle_issue", "carrier_capacity_exceeded", "carrier_mechanical_delay",
    "retailer_cancelled", "retailer_incorrect_data", "retailer_not_ready", "retailer_incorrect_parcel",
    "retailer_incorrect_dimensions", "retailer_packaging_issue", "consignee_refused", "consignee_business_closed",
    "consignee_not_available", "consignee_not_home", "consignee_cancelled", "consignee_verification_failed",
    "consignee_incorrect_address", "consignee_access_restricted", "consignee_safe_place_unavailable", "customs_delay",
    "customs_documentation", "customs_duties_unpaid", "customs_prohibited", "customs_inspection", "weather_delay",
    "natural_disaster", "force_majeure", "parcel_being_researched", "security_issue", "regulatory_hold", "unknown",
)  # fmt: skip


def milestone_choices(merchant_id: int | None) -> list[tuple[str, str]]:
    """Every milestone with its sentence in the reader's language, in the order of an order's life."""
    book = books.book(merchant_id or 0)
    found = []
    for code in book.codes():
        pair = book.words(code, "operator") or ("", "")
        found.append((code, f"{pair[0] if is_chinese() else pair[1]} · {code}"))
    return found


class MappingForm(forms.Form):
    """What an unknown code means."""

    milestone = forms.ChoiceField(label=_("milestone"), widget=forms.Select(attrs={"class": "oh-input"}))
    pattern = forms.CharField(
        label=_("their text"), max_length=200, required=False, widget=forms.TextInput(attrs={"class": "oh-input"}),
        help_text=_("Words that must stand in the text; several are parted by |. Empty: the code alone decides."),
    )  # fmt: skip
    reason = forms.ChoiceField(
        label=_("reason code"), required=False, choices=[("", "–"), *((one, one) for one in REASONS)],
        widget=forms.Select(attrs={"class": "oh-input"}),
    )  # fmt: skip
    classifier = forms.ChoiceField(
        label=_("classifier"), choices=TimelineEntry.Classifier.choices, initial="ACTUAL",
        widget=forms.Select(attrs={"class": "oh-input"}),
    )  # fmt: skip
    everywhere = forms.BooleanField(label=_("for every source"), required=False)

    def __init__(self, *args: Any, row: UnknownCode, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        nothing = ("", _("says nothing new"))
        self.fields["milestone"] = forms.ChoiceField(
            label=_("milestone"), required=False, choices=[nothing, *milestone_choices(row.merchant_id)],
            initial=row.suggestion, widget=forms.Select(attrs={"class": "oh-input"}),
        )  # fmt: skip
        if not row.code:
            self.initial["pattern"] = reviewing.pattern_of(row)


@admin.register(UnknownCode)
class UnknownCodeAdmin(ReadOnlyAdmin):
    """The review list: what no list of codes knows, most events first, each with what it may mean."""

    list_display = (
        "shown_said", "connection", "carrier", "events", "shown_suggestion", "shown_state", "last_at",
    )  # fmt: skip
    list_display_links = ("shown_said",)
    list_filter = (("state", ChoicesDropdownFilter), ("connection", RelatedDropdownFilter))
    list_select_related = ("connection",)
    list_before_template = "admin/center/review_before.html"
    search_fields = ("code__exact", "text")
    ordering = ("state", "-events", "-last_at")
    fields = (
        "code", "text", "connection", "carrier", "events", "first_at", "last_at", "shown_suggestion", "seen_by",
        "shown_state", "meaning", "shown_messages",
    )  # fmt: skip
    readonly_fields = fields
    actions = ("accept", "ignore")
    actions_detail = ("map_it", "read_again")
    actions_row = ("map_it",)

    def get_ordering(self, request: HttpRequest) -> Any:
        """What is open first, then what came most."""
        return ("-state", "-events", "-last_at")  # open, mapped, ignored: reversed by the alphabet

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """The list under how much is open."""
        count = self.get_queryset(request).filter(state=UnknownCode.State.OPEN).count()
        return super().changelist_view(request, {**(extra_context or {}), "open_codes": count})

    def has_map_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Those who may say what codes mean."""
        return bool(request.user.has_perm("center.add_meaning"))

    @display(description=_("what they say"))
    def shown_said(self, row: UnknownCode) -> str:
        """Code and text."""
        return str(row)

    @display(description=_("suggestion"))
    def shown_suggestion(self, row: UnknownCode) -> str:
        """What it may mean, and how sure."""
        if not row.suggestion:
            return "–"
        pair = books.glance(row.merchant_id).words(row.suggestion, "operator") or (
            row.suggestion,
            row.suggestion,
        )
        return f"{pair[0] if is_chinese() else pair[1]} ({row.score:.0%})"

    @display(description=_("state"), ordering="state")
    def shown_state(self, row: UnknownCode) -> SafeString:
        """As a pill."""
        return pill(_TONES[row.state], row.get_state_display())

    @display(description=_("kept messages"))
    def shown_messages(self, row: UnknownCode) -> SafeString | str:
        """The newest messages with it, in the inbox."""
        numbers = list(row.uses.order_by("-message").values_list("message", flat=True)[:5])
        link = reverse("admin:connectors_inboxmessage_changelist")
        return format_html('<a class="oh-link" href="{}?connection__id__exact={}">{}</a>', link, row.connection_id,
                           ", ".join(map(str, numbers)) or "–")  # fmt: skip

    @button(description=_("Map…"), url_path="map", icon="label", permissions=["map"])
    def map_it(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask what it means, keep that, and read every kept message with it again."""
        row = self.get_queryset(request).filter(pk=object_id).first()
        if row is None:
            raise Http404
        back = reverse("admin:center_unknowncode_changelist")
        form = MappingForm(request.POST or None, row=row)
        if request.method == "POST" and form.is_valid():
            given = form.cleaned_data
            said = Said(
                given["milestone"],
                given["reason"],
                given["classifier"],
                given["pattern"] or None,
                given["everywhere"],
            )
            if self._kept(request, [row], said):
                return HttpResponseRedirect(back)
        effect = _(
            "Every kept message that holds it is read again at once; what was told before is not told twice."
        )
        return ask(self, request, title=str(row), effect=effect, button=_("Map"), back=back, form=form)

    @button(description=_("Read again"), url_path="again", icon="redo", permissions=["map"])
    def read_again(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Read the kept messages once more, after a profile or a meaning was changed elsewhere."""
        row = self.get_queryset(request).filter(pk=object_id).first()
        if row is None:
            raise Http404
        _tell(request, reviewing.replay([row], now=clock.now()))
        return HttpResponseRedirect(reverse("admin:center_unknowncode_change", args=(object_id,)))

    @admin.action(description=_("Take the suggestion"), permissions=["map"])
    def accept(self, request: HttpRequest, queryset: QuerySet[UnknownCode]) -> None:
        """Each chosen code means what is suggested; those without a suggestion stay open."""
        for row in queryset.filter(state=UnknownCode.State.OPEN).exclude(suggestion=""):
            self._kept(request, [row], Said(row.suggestion))

    @admin.action(description=_("They say nothing new"), permissions=["map"])
    def ignore(self, request: HttpRequest, queryset: QuerySet[UnknownCode]) -> None:
        """Known from now on, and told to nobody."""
        self._kept(request, list(queryset), Said(""))

    def _kept(self, request: HttpRequest, rows: list[UnknownCode], said: Said) -> bool:
        if not self.has_map_permission(request):
            raise PermissionDenied
        try:
            _tell(request, reviewing.map_codes(rows, said, actor=actor_of(request), now=clock.now()))
        except Refused as no:
            messages.error(request, str(no))
            return False
        return True


def _tell(request: HttpRequest, count: int) -> None:
    text = ngettext("%(count)d message was read again.", "%(count)d messages were read again.", count)
    messages.success(request, text % {"count": count})


class MeaningForm(forms.ModelForm):  # type: ignore[type-arg]
    """One row; its pattern is tried before it is kept."""

    class Meta:
        model = Meaning
        fields = (
            "merchant", "connection", "carrier", "code", "pattern", "milestone", "reason", "classifier", "is_ignored",
            "priority", "is_active",
        )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        owner = self.instance.merchant_id
        self.fields["milestone"] = forms.ChoiceField(
            label=_("milestone"), required=False, choices=[("", "–"), *milestone_choices(owner)]
        )
        self.fields["reason"] = forms.ChoiceField(
            label=_("reason code"), required=False, choices=[("", "–"), *((one, one) for one in REASONS)]
        )

    def clean(self) -> dict[str, Any]:
        """Something to know it by, something it means, and a pattern that can be read."""
        given: dict[str, Any] = super().clean() or {}
        if not given.get("code") and not given.get("pattern"):
            self.add_error("code", _("Give their code, words of their text, or both."))
        elif reading.compiled(Meaning(code=given.get("code", ""), pattern=given.get("pattern", ""))) is None:
            self.add_error("pattern", _("These words of the text cannot be read as a pattern."))
        if not given.get("milestone") and not given.get("is_ignored"):
            self.add_error("milestone", _("Choose a milestone, or say that it says nothing new."))
        return given


@admin.register(Meaning)
class MeaningAdmin(HubAdmin):
    """Codes and texts of sources, and what they mean; these go before the lists of the profiles."""

    form = MeaningForm
    list_display = (
        "__str__",
        "connection",
        "carrier",
        "milestone",
        "reason",
        "classifier",
        "is_active",
        "created_by",
    )
    list_filter = (("connection", RelatedDropdownFilter), "is_active")
    list_select_related = ("connection",)
    search_fields = ("code", "pattern", "milestone")
    ordering = ("-pk",)

    def save_model(self, request: HttpRequest, obj: Meaning, form: Any, change: bool) -> None:
        """Keep it, and read again what waited for it."""
        obj.created_by, obj.created_at = actor_of(request)[:80], clock.now()
        super().save_model(request, obj, form, change)
        waiting = UnknownCode.objects.filter(state=UnknownCode.State.OPEN)
        chosen = waiting.filter(merchant_id=obj.merchant_id) if obj.merchant_id else waiting
        table = reading.compiled(obj)
        fit = [row for row in chosen.select_related("connection") if _fits(obj, row, table)]
        UnknownCode.objects.filter(pk__in=[row.pk for row in fit]).update(
            state=UnknownCode.State.MAPPED, meaning=obj
        )
        if fit:
            _tell(request, reviewing.replay(fit, now=clock.now()))


def _fits(meaning: Meaning, row: UnknownCode, table: Any) -> bool:
    if not meaning.is_active or meaning.connection_id not in (None, row.connection_id):
        return False
    if meaning.carrier and meaning.carrier != row.carrier:
        return False
    return table is not None and table.lookup(row.code, row.text) is not None

"""Operators' pages of vehicles, devices, trips and geofences, and of positions that were set apart."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter
from unfold.widgets import UnfoldAdminSelectWidget

from orderhub.inventory.admin_base import HubAdmin, ReadOnlyAdmin, button, is_chinese, named
from orderhub.inventory.models import Warehouse
from orderhub.kernel import clock
from orderhub.templatetags.ui import pill
from tracking import narrate
from tracking.live_position import devices, fencing
from tracking.live_position.models import (
    Device,
    Fence,
    FenceVisit,
    Fitting,
    StrayPosition,
    Trip,
    TripParcel,
    Vehicle,
)

#: A device that said nothing for so long is shown as silent.
SILENT_MINUTES = 30
_MOST_PLACES = 100


class FittingInline(TabularInline):
    """Which devices were in the vehicle, when."""

    model = Fitting
    extra = 0
    tab = True
    autocomplete_fields = ("device",)


@admin.register(Vehicle)
class VehicleAdmin(HubAdmin):
    """Trucks, vans, ships and planes."""

    list_display = ("code", "name", "kind", "is_active", "shown_devices")
    list_filter = (("kind", ChoicesDropdownFilter), "is_active", ("merchant", RelatedDropdownFilter))
    search_fields = ("code", "name")
    ordering = ("code",)
    inlines = (FittingInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Vehicle]:
        """With the number of devices."""
        rows: QuerySet[Vehicle] = super().get_queryset(request)
        return rows.annotate(device_count=Count("fittings"))

    @admin.display(description=_("devices"))
    def shown_devices(self, obj: Any) -> int:
        """How many were ever in it."""
        return int(obj.device_count)


@admin.register(Device)
class DeviceAdmin(HubAdmin):
    """Trackers, phones and gateways; a key is shown once, when it is made."""

    list_display = ("code", "name", "kind", "shown_heard", "shown_place", "is_active", "shown_key")
    list_filter = (("kind", ChoicesDropdownFilter), "is_active", ("merchant", RelatedDropdownFilter))
    list_select_related = ("place",)
    search_fields = ("code", "name")
    ordering = ("code",)
    fields = ("merchant", "code", "name", "kind", "datum", "is_active", "key_set_at", "previous_until")
    readonly_fields = ("key_set_at", "previous_until")
    actions_detail = ("new_key",)

    @admin.display(description=_("last heard"), ordering="place__heard_at")
    def shown_heard(self, obj: Device) -> SafeString:
        """How long ago."""
        heard = getattr(getattr(obj, "place", None), "heard_at", None)
        if heard is None:
            return pill("wait", _now("never"))
        minutes = int((clock.now() - heard).total_seconds() // 60)
        if minutes < SILENT_MINUTES:
            return pill("ok", _now("%(n)s min ago") % {"n": minutes})
        return pill("warn", _now("%(n)s h ago") % {"n": round(minutes / 60, 1)})

    @admin.display(description=_("place"))
    def shown_place(self, obj: Device) -> str:
        """Where it is, WGS-84."""
        place = getattr(obj, "place", None)
        if place is None or place.latitude is None or place.longitude is None:
            return "–"
        return f"{place.latitude:.5f}, {place.longitude:.5f}"

    @admin.display(description=_("key"))
    def shown_key(self, obj: Device) -> SafeString:
        """Whether it has one."""
        return pill("ok", _now("set")) if obj.key_hash else pill("wait", _now("none"))

    @button(description=_("Make a new key"), url_path="new-key", permissions=["change"])
    def new_key(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Ask; then show the key, once. It is not put into a message, which would be stored."""
        device = self.get_queryset(request).filter(pk=object_id).select_related("merchant").first()
        back = reverse("admin:tracking_device_changelist")
        if device is None:
            messages.error(request, _now("There is no such device."))
            return HttpResponse(status=302, headers={"Location": back})
        context = {**self.admin_site.each_context(request), "title": _now("New key"), "device": device}
        if request.method != "POST":
            said = {
                "effect": _now("The key of now works for a week more."), "button": _now("Make a new key"),
                "form": forms.Form(), "back": reverse("admin:tracking_device_change", args=[device.pk]),
            }  # fmt: skip
            return TemplateResponse(request, "admin/ask.html", {**context, **said})
        clear = devices.rotate_key(device, now=clock.now())
        shown = {"clear": clear, "address": f"{settings.PUBLIC_URL}/positions/{clear}/", "back": back}
        return TemplateResponse(request, "admin/live_position/key_shown.html", {**context, **shown})


class AboardInline(TabularInline):
    """The parcels of a trip."""

    model = TripParcel
    extra = 0
    tab = True
    autocomplete_fields = ("parcel",)


@admin.register(Trip)
class TripAdmin(HubAdmin):
    """Drives, with what is aboard."""

    list_display = ("code", "vehicle", "starts_at", "ends_at", "shown_parcels")
    list_filter = (("vehicle", RelatedDropdownFilter), ("merchant", RelatedDropdownFilter))
    list_select_related = ("vehicle",)
    search_fields = ("code", "aboard__parcel__tracking_number__exact")
    autocomplete_fields = ("vehicle",)
    ordering = ("-starts_at",)
    inlines = (AboardInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Trip]:
        """With the number of parcels."""
        rows: QuerySet[Trip] = super().get_queryset(request)
        return rows.annotate(parcel_count=Count("aboard"))

    @admin.display(description=_("parcels"))
    def shown_parcels(self, obj: Any) -> int:
        """How many are aboard."""
        return int(obj.parcel_count)


def milestone_choices() -> list[tuple[str, str]]:
    """The milestones a fence may set, in the reader's language."""
    language = "zh-hans" if is_chinese() else "en"
    # Without a place its clause is dropped: nobody is to read braces.
    return [("", "–")] + [
        (code, narrate.sentence(code, facts={}, language=language)) for code in fencing.MILESTONES
    ]


class FenceForm(forms.ModelForm):  # type: ignore[type-arg]
    """Milestones are chosen, not typed."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("enter_milestone", "leave_milestone"):
            if name in self.fields:
                field = self.fields[name]
                self.fields[name] = forms.ChoiceField(
                    label=field.label, choices=milestone_choices(), required=False,
                    widget=UnfoldAdminSelectWidget(),
                )  # fmt: skip

    class Meta:
        model = Fence
        exclude: tuple[str, ...] = ()


@admin.register(Fence)
class FenceAdmin(HubAdmin):
    """Areas drawn on a map; coming and going of a vehicle may be milestones."""

    form = FenceForm
    change_form_after_template = "admin/live_position/fence_map.html"
    list_display = ("code", "name", "shape", "enter_milestone", "leave_milestone", "is_active")
    list_filter = (("shape", ChoicesDropdownFilter), "is_active", ("merchant", RelatedDropdownFilter))
    search_fields = ("code", "name")
    ordering = ("code",)
    fields = (
        "merchant", ("code", "name"), ("shape", "radius_m"), ("latitude", "longitude"), "corners",
        ("enter_milestone", "leave_milestone"), "warehouse", "is_active",
    )  # fmt: skip

    class Media:
        js = ("tracking/fence.js",)
        css = {"all": ("tracking/fence.css",)}

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: Any = None,
    ) -> Any:
        """With the warehouses, by which people find their way on a map without roads."""
        rows = Warehouse.objects.filter(is_active=True)
        merchant_id = getattr(request.user, "merchant_id", None)
        rows = rows.filter(merchant_id=merchant_id) if merchant_id is not None else rows
        places = [
            {"name": named(row), "lat": float(row.latitude), "lng": float(row.longitude)}
            for row in rows.order_by("pk")[:_MOST_PLACES]
        ]
        context = {**(extra_context or {}), "fence_places": places}
        return super().changeform_view(request, object_id, form_url, context)


@admin.register(FenceVisit)
class FenceVisitAdmin(ReadOnlyAdmin):
    """Which vehicle came and went where."""

    list_display = ("at", "shown_fence", "kind", "device", "parcels", "is_told")
    list_filter = (
        ("fence", RelatedDropdownFilter), ("kind", ChoicesDropdownFilter), ("merchant", RelatedDropdownFilter)
    )  # fmt: skip
    list_select_related = ("fence", "device")
    ordering = ("-at",)

    @admin.display(description=_("geofence"), ordering="fence__name")
    def shown_fence(self, obj: FenceVisit) -> str:
        """Its name, as customers read it."""
        return obj.fence.name or obj.fence.code


@admin.register(StrayPosition)
class StrayPositionAdmin(ReadOnlyAdmin):
    """Positions that count nowhere, and why: a device that is not registered, a clock that is wrong."""

    list_display = ("heard_at", "device_code", "shown_reason", "count", "at", "shown_where", "detail")
    list_filter = (("reason", ChoicesDropdownFilter), ("merchant", RelatedDropdownFilter))
    search_fields = ("device_code__exact",)
    ordering = ("-heard_at",)

    @admin.display(description=_("reason"), ordering="reason")
    def shown_reason(self, obj: StrayPosition) -> SafeString:
        """Why it was set apart."""
        return pill("warn", obj.get_reason_display())

    @admin.display(description=_("place"))
    def shown_where(self, obj: StrayPosition) -> SafeString | str:
        """Where it claims to be."""
        if obj.latitude is None or obj.longitude is None:
            return "–"
        return format_html("{}, {}", f"{obj.latitude:.4f}", f"{obj.longitude:.4f}")

"""Vehicles, the devices in them, the trips they make with which parcels, fences, and where everything was (WGS-84)."""

from __future__ import annotations

from datetime import datetime

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from orderhub.access.models import Merchant
from orderhub.fulfillment.models import Parcel
from orderhub.inventory.models import Warehouse

#: What may stand in a topic or an address.
NAME = RegexValidator(r"^[A-Za-z0-9_.:-]+$", _("Only letters, digits, and the signs _ . : -"))
MOST_CORNERS = 100


class Vehicle(models.Model):
    """A truck, van, ship or plane; its devices change, its trips carry parcels."""

    class Kind(models.TextChoices):
        ROAD = "road", _("road")
        RAIL = "rail", _("rail")
        SEA = "sea", _("sea")
        AIR = "air", _("air")

    merchant = models.ForeignKey(Merchant, verbose_name=_("merchant"), on_delete=models.PROTECT)
    code = models.CharField(_("code"), max_length=40, help_text=_("Number plate or another name of yours."))
    name = models.CharField(_("name"), max_length=120, blank=True)
    kind = models.CharField(_("kind"), max_length=4, choices=Kind.choices, default=Kind.ROAD)
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("vehicle")
        verbose_name_plural = _("vehicles")
        constraints = [models.UniqueConstraint(fields=["merchant", "code"], name="tracking_vehicle_code")]

    def __str__(self) -> str:
        return self.name or self.code


class Device(models.Model):
    """A tracker, a phone, or a gateway that speaks for many; its key is kept as a hash only.

    While a key is rotated the one before stays valid until `previous_until`.
    """

    class Kind(models.TextChoices):
        TRACKER = "tracker", _("tracker")
        PHONE = "phone", _("phone")
        GATEWAY = "gateway", _("gateway (speaks for this merchant's other devices)")

    class Datum(models.TextChoices):
        WGS84 = "WGS-84", _("WGS-84 (GPS)")
        GCJ02 = "GCJ-02", _("GCJ-02 (Chinese maps)")

    merchant = models.ForeignKey(Merchant, verbose_name=_("merchant"), on_delete=models.PROTECT)
    code = models.CharField(
        _("device number"), max_length=64, validators=[NAME],
        help_text=_("As the device names itself in its messages."),
    )  # fmt: skip
    name = models.CharField(_("name"), max_length=120, blank=True)
    kind = models.CharField(_("kind"), max_length=8, choices=Kind.choices, default=Kind.TRACKER)
    datum = models.CharField(
        _("coordinates"), max_length=6, choices=Datum.choices, default=Datum.WGS84,
        help_text=_("What the device sends; WGS-84 is stored in any case."),
    )  # fmt: skip
    is_active = models.BooleanField(_("active"), default=True)
    key_hash = models.CharField(max_length=64, blank=True, db_index=True, editable=False)
    key_set_at = models.DateTimeField(_("key set at"), null=True, editable=False)
    previous_hash = models.CharField(max_length=64, blank=True, db_index=True, editable=False)
    previous_until = models.DateTimeField(_("previous key valid until"), null=True, editable=False)

    class Meta:
        verbose_name = _("device")
        verbose_name_plural = _("devices")
        constraints = [models.UniqueConstraint(fields=["merchant", "code"], name="tracking_device_code")]

    def __str__(self) -> str:
        return self.name or self.code


class Fitting(models.Model):
    """Which vehicle a device is in, from when to when."""

    device = models.ForeignKey(
        Device, verbose_name=_("device"), on_delete=models.CASCADE, related_name="fittings"
    )
    vehicle = models.ForeignKey(
        Vehicle, verbose_name=_("vehicle"), on_delete=models.CASCADE, related_name="fittings"
    )
    from_at = models.DateTimeField(_("from"))
    until_at = models.DateTimeField(_("until"), null=True, blank=True)

    class Meta:
        verbose_name = _("fitting")
        verbose_name_plural = _("fittings")
        indexes = [models.Index(fields=["vehicle", "from_at"], name="tracking_fitting_vehicle")]

    def __str__(self) -> str:
        return f"{self.device_id} → {self.vehicle_id}"

    def clean(self) -> None:
        """A span that does not end before it begins, both of one merchant, no second vehicle at a time."""
        if not self.device_id or self.from_at is None:
            return  # their own fields say so
        if self.until_at is not None and self.until_at <= self.from_at:
            raise ValidationError({"until_at": _("It ends before it begins.")})
        if self.device.merchant_id != self.vehicle.merchant_id:
            raise ValidationError(_("Device and vehicle belong to different merchants."))
        others = Fitting.objects.filter(device=self.device).exclude(pk=self.pk)
        others = others.filter(models.Q(until_at__isnull=True) | models.Q(until_at__gt=self.from_at))
        if self.until_at is not None:
            others = others.filter(from_at__lt=self.until_at)
        if others.exists():
            raise ValidationError(_("The device is in another vehicle at that time."))


class Trip(models.Model):
    """One drive of a vehicle with parcels aboard; several buyers' parcels may share it."""

    merchant = models.ForeignKey(Merchant, verbose_name=_("merchant"), on_delete=models.PROTECT)
    vehicle = models.ForeignKey(
        Vehicle, verbose_name=_("vehicle"), on_delete=models.PROTECT, related_name="trips"
    )
    code = models.CharField(_("trip number"), max_length=60)
    starts_at = models.DateTimeField(_("starts at"))
    ends_at = models.DateTimeField(_("ends at"), null=True, blank=True)

    class Meta:
        verbose_name = _("trip")
        verbose_name_plural = _("trips")
        constraints = [models.UniqueConstraint(fields=["merchant", "code"], name="tracking_trip_code")]
        indexes = [models.Index(fields=["vehicle", "starts_at"], name="tracking_trip_vehicle")]

    def __str__(self) -> str:
        return self.code

    def clean(self) -> None:
        """A span that does not end before it begins, with a vehicle of the same merchant."""
        begins: datetime | None = self.starts_at
        if self.ends_at is not None and begins is not None and self.ends_at <= begins:
            raise ValidationError({"ends_at": _("It ends before it begins.")})
        if self.vehicle_id and self.vehicle.merchant_id != self.merchant_id:
            raise ValidationError({"vehicle": _("The vehicle belongs to another merchant.")})


class TripParcel(models.Model):
    """A parcel aboard a trip; `stop` counts the stops of the drive, from 1."""

    trip = models.ForeignKey(Trip, verbose_name=_("trip"), on_delete=models.CASCADE, related_name="aboard")
    parcel = models.ForeignKey(
        Parcel, verbose_name=_("parcel"), on_delete=models.CASCADE, related_name="trips"
    )
    stop = models.PositiveSmallIntegerField(_("stop"), null=True, blank=True)
    loaded_at = models.DateTimeField(_("loaded at"), null=True, blank=True)
    unloaded_at = models.DateTimeField(_("unloaded at"), null=True, blank=True)

    class Meta:
        verbose_name = _("parcel aboard")
        verbose_name_plural = _("parcels aboard")
        constraints = [models.UniqueConstraint(fields=["trip", "parcel"], name="tracking_aboard_once")]

    def __str__(self) -> str:
        return f"{self.trip_id}/{self.parcel_id}"

    def clean(self) -> None:
        """Of the trip's merchant."""
        if self.parcel_id and self.parcel.merchant_id != self.trip.merchant_id:
            raise ValidationError({"parcel": _("The parcel belongs to another merchant.")})


class VehicleFix(models.Model):
    """Where a device was: split by month on PostgreSQL, thinned after a week, forgotten after a month."""

    device = models.ForeignKey(
        Device, verbose_name=_("device"), on_delete=models.CASCADE, related_name="fixes", db_index=False
    )
    at = models.DateTimeField(_("at"))
    latitude = models.FloatField(_("latitude"))
    longitude = models.FloatField(_("longitude"))
    accuracy_m = models.FloatField(_("accuracy in metres"), null=True)
    speed_kmh = models.FloatField(_("km/h"), null=True)
    bearing_deg = models.FloatField(_("bearing"), null=True)

    class Meta:
        verbose_name = _("vehicle position")
        verbose_name_plural = _("vehicle positions")
        constraints = [models.UniqueConstraint(fields=["device", "at"], name="tracking_fix_once")]

    def __str__(self) -> str:
        return f"{self.device_id} {self.latitude:.5f},{self.longitude:.5f}"


class DevicePlace(models.Model):
    """Where a device is now: one row, overwritten; `told_at` keeps pages from being told more often than every 5 s."""

    device = models.OneToOneField(
        Device, verbose_name=_("device"), on_delete=models.CASCADE, related_name="place", primary_key=True
    )
    at = models.DateTimeField(_("at"), null=True)
    latitude = models.FloatField(_("latitude"), null=True)
    longitude = models.FloatField(_("longitude"), null=True)
    speed_kmh = models.FloatField(_("km/h"), null=True)
    bearing_deg = models.FloatField(_("bearing"), null=True)
    battery_pct = models.FloatField(_("battery in %"), null=True)
    heard_at = models.DateTimeField(_("last heard"), null=True)
    told_at = models.DateTimeField(null=True)
    doubt_at = models.DateTimeField(null=True)
    doubt_latitude = models.FloatField(null=True)
    doubt_longitude = models.FloatField(null=True)

    class Meta:
        verbose_name = _("present place")
        verbose_name_plural = _("present places")

    def __str__(self) -> str:
        return f"{self.device_id} @ {self.at}"


class StrayPosition(models.Model):
    """Positions that were set apart, counted by device, reason and day, with the newest one as an example."""

    class Reason(models.TextChoices):
        UNKNOWN_DEVICE = "unknown_device", _("unknown device")
        WRONG_KEY = "wrong_key", _("key of another device")
        CLOCK = "clock", _("clock is wrong")
        SEA = "sea", _("in the sea")
        JUMP = "jump", _("impossible jump")
        UNREADABLE = "unreadable", _("unreadable")

    merchant = models.ForeignKey(Merchant, verbose_name=_("merchant"), on_delete=models.CASCADE)
    device_code = models.CharField(_("device number"), max_length=64)
    reason = models.CharField(_("reason"), max_length=14, choices=Reason.choices)
    day = models.DateField(_("day"))
    count = models.PositiveIntegerField(_("number"), default=0)
    at = models.DateTimeField(_("its moment"), null=True)
    latitude = models.FloatField(_("latitude"), null=True)
    longitude = models.FloatField(_("longitude"), null=True)
    detail = models.CharField(_("detail"), max_length=200, blank=True)
    heard_at = models.DateTimeField(_("last heard"))

    class Meta:
        verbose_name = _("stray position")
        verbose_name_plural = _("stray positions")
        constraints = [
            models.UniqueConstraint(
                fields=["merchant", "device_code", "reason", "day"], name="tracking_stray_day"
            )
        ]

    def __str__(self) -> str:
        return f"{self.device_code}: {self.reason} × {self.count}"


class Fence(models.Model):
    """An area on the map; coming and going of a vehicle there may be milestones of the parcels aboard."""

    class Shape(models.TextChoices):
        CIRCLE = "circle", _("circle")
        POLYGON = "polygon", _("polygon")

    merchant = models.ForeignKey(Merchant, verbose_name=_("merchant"), on_delete=models.PROTECT)
    code = models.CharField(_("code"), max_length=40, validators=[NAME])
    name = models.CharField(_("name"), max_length=120, help_text=_("Customers read it as the place."))
    shape = models.CharField(_("shape"), max_length=7, choices=Shape.choices, default=Shape.CIRCLE)
    latitude = models.FloatField(
        _("latitude"), null=True, blank=True, validators=[MinValueValidator(-90), MaxValueValidator(90)]
    )
    longitude = models.FloatField(
        _("longitude"), null=True, blank=True, validators=[MinValueValidator(-180), MaxValueValidator(180)]
    )
    radius_m = models.PositiveIntegerField(
        _("radius in metres"), null=True, blank=True,
        validators=[MinValueValidator(30), MaxValueValidator(200_000)],
    )  # fmt: skip
    corners = models.JSONField(
        _("corners"), default=list, blank=True, help_text=_("Latitude and longitude of each, WGS-84.")
    )
    warehouse = models.ForeignKey(
        Warehouse, verbose_name=_("warehouse"), on_delete=models.SET_NULL, null=True, blank=True
    )
    enter_milestone = models.CharField(_("milestone on arrival"), max_length=40, blank=True)
    leave_milestone = models.CharField(_("milestone on departure"), max_length=40, blank=True)
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("geofence")
        verbose_name_plural = _("geofences")
        constraints = [models.UniqueConstraint(fields=["merchant", "code"], name="tracking_fence_code")]

    def __str__(self) -> str:
        return self.code  # the same in every language; the name is in one

    def clean(self) -> None:
        """Either a middle and a radius, or three to a hundred corners on Earth."""
        if self.shape == self.Shape.CIRCLE:
            if None in (self.latitude, self.longitude, self.radius_m):
                raise ValidationError(_("A circle needs its middle and its radius: click on the map."))
            self.corners = []
        elif not is_outline(self.corners):
            raise ValidationError({"corners": _("A polygon needs 3 to 100 corners: click them on the map.")})


class FenceStay(models.Model):
    """What a fence knows of one device: inside or not, and fixes that speak against it."""

    fence = models.ForeignKey(Fence, verbose_name=_("geofence"), on_delete=models.CASCADE)
    device = models.ForeignKey(Device, verbose_name=_("device"), on_delete=models.CASCADE)
    inside = models.BooleanField(_("inside"), default=False)
    doubt_since = models.DateTimeField(null=True)
    doubts = models.PositiveSmallIntegerField(default=0)
    last_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("stay in a geofence")
        verbose_name_plural = _("stays in geofences")
        constraints = [models.UniqueConstraint(fields=["fence", "device"], name="tracking_stay_once")]

    def __str__(self) -> str:
        return f"{self.fence_id}/{self.device_id}: {'inside' if self.inside else 'outside'}"


class FenceVisit(models.Model):
    """A vehicle came or went: when the first fix showed it, and how many parcels were told."""

    class Kind(models.TextChoices):
        ENTER = "enter", _("arrived")
        LEAVE = "leave", _("left")

    merchant = models.ForeignKey(Merchant, verbose_name=_("merchant"), on_delete=models.PROTECT)
    fence = models.ForeignKey(Fence, verbose_name=_("geofence"), on_delete=models.CASCADE)
    device = models.ForeignKey(Device, verbose_name=_("device"), on_delete=models.CASCADE)
    kind = models.CharField(_("event"), max_length=5, choices=Kind.choices)
    at = models.DateTimeField(_("at"))
    parcels = models.PositiveIntegerField(_("parcels told"), default=0)
    is_told = models.BooleanField(_("told"), default=False)

    class Meta:
        verbose_name = _("geofence event")
        verbose_name_plural = _("geofence events")
        constraints = [
            models.UniqueConstraint(fields=["fence", "device", "kind", "at"], name="tracking_visit_once")
        ]
        indexes = [
            models.Index(fields=["id"], name="tracking_visit_waiting", condition=models.Q(is_told=False))
        ]

    def __str__(self) -> str:
        return f"{self.fence_id} {self.kind} {self.at:%Y-%m-%d %H:%M}"

    @property
    def milestone(self) -> str:
        """What it means for the parcels aboard; "" if nothing."""
        return self.fence.enter_milestone if self.kind == self.Kind.ENTER else self.fence.leave_milestone


def is_outline(corners: object) -> bool:
    """Whether this is a list of 3 to 100 corners, each latitude and longitude."""
    if not isinstance(corners, list) or not 3 <= len(corners) <= MOST_CORNERS:
        return False
    return all(
        isinstance(corner, list)
        and len(corner) == 2
        and all(isinstance(value, int | float) and not isinstance(value, bool) for value in corner)
        and abs(corner[0]) <= 90
        and abs(corner[1]) <= 180
        for corner in corners
    )

"""The Today page: what needs a person first, then how full warehouses are and what the last day brought."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Count, F, Min, Q, QuerySet
from django.db.models.functions import TruncHour
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from orderhub.events.models import Delivery, ParkedEvent
from orderhub.fulfillment import panels
from orderhub.fulfillment.models import FulfillmentOrder, Parcel
from orderhub.fulfillment.models.fulfillment import State
from orderhub.fulfillment.panels import Concern, Figure, concern, figures
from orderhub.inventory.admin_base import named
from orderhub.inventory.models import Warehouse, WarehouseDay
from orderhub.kernel import clock
from orderhub.orders import admin_words
from orderhub.orders.admin_filters import STALE_HOURS
from orderhub.orders.models import Hold, Order
from orderhub.orders.models.order import Stage

DAY = timedelta(hours=24)
#: A change against fewer orders than these says nothing.
FEWEST_COMPARED = 30
#: Stages shown as the way of the orders, first to last.
WAY = (
    Stage.RECEIVED, Stage.REVIEWING, Stage.BACKORDERED, Stage.ROUTED, Stage.RELEASED, Stage.PARTIALLY_SHIPPED,
    Stage.SHIPPED, Stage.PARTIALLY_DELIVERED,
)  # fmt: skip
CHART_HEIGHT, CHART_BAR, CHART_HOUR = 110, 6, 17


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Fill the context of the admin's first page; about twenty queries, whatever the number of orders."""
    now = clock.now()
    concerns = panels.all_concerns(request, now)
    may_see_orders = request.user.has_perm("orders.view_order")
    wide, narrow = panels.of_home(request, now)
    context["title"] = _("Today")
    context["today"] = {
        "now": localtime(now),
        "concerns": concerns,
        "figures": panels.all_figures(request, now),
        "loads": loads(request, now) if request.user.has_perm("inventory.view_warehouse") else [],
        "way": way(request) if may_see_orders else [],
        "hours": hours(request, now) if may_see_orders else None,
        "wide": wide,
        "narrow": narrow,
    }
    return context


def page_of(name: str, query: str = "") -> str:
    """The address of an admin page with its filter; empty where there is no such page."""
    try:
        return reverse(f"admin:{name}") + (f"?{query}" if query else "")
    except NoReverseMatch:
        return ""


# ---- what needs a person -----------------------------------------------------------------------


@concern("deliveries", permission="events.view_delivery")
def dead_deliveries(request: HttpRequest, now: datetime) -> list[Concern]:
    """Deliveries that stopped, by subscriber; one query."""
    rows = Delivery.objects.filter(state=Delivery.State.DEAD).values("subscriber")
    found = rows.annotate(count=Count("pk"), oldest=Min("created_at")).order_by("oldest")
    return [
        Concern(
            "bad",
            ngettext(
                "%(count)d delivery to %(name)s stopped",
                "%(count)d deliveries to %(name)s stopped",
                row["count"],
            )
            % {"count": row["count"], "name": row["subscriber"]},
            _("Nothing is lost: correct the cause, then replay them."),
            _since(row["oldest"], now),
            page_of("events_delivery_changelist", f"state__exact=dead&subscriber={row['subscriber']}"),
            _("replay"),
            1,
        )
        for row in found
    ]


@concern("parked", permission="events.view_parkedevent")
def parked_events(request: HttpRequest, now: datetime) -> list[Concern]:
    """Events that a projection could not apply; one query."""
    found = ParkedEvent.objects.values("cursor_id").annotate(count=Count("pk"), oldest=Min("parked_at"))
    return [
        Concern(
            "bad",
            ngettext(
                "%(count)d event is parked by %(name)s",
                "%(count)d events are parked by %(name)s",
                row["count"],
            )
            % {"count": row["count"], "name": row["cursor_id"]},
            _("The pages it feeds are behind for these orders."),
            _since(row["oldest"], now),
            page_of("events_parkedevent_changelist"),
            _("look"),
            2,
        )
        for row in found.order_by("oldest")
    ]


@concern("holds", permission="orders.view_order")
def held_orders(request: HttpRequest, now: datetime) -> list[Concern]:
    """Orders that only a person can let go on, by reason; one query."""
    rows = Hold.objects.filter(released_at__isnull=True, reason__in=admin_words.PERSON_REASONS)
    merchant_id = getattr(request.user, "merchant_id", None)
    rows = rows.filter(order__merchant_id=merchant_id) if merchant_id else rows
    found = rows.values("reason").annotate(count=Count("order", distinct=True), oldest=Min("placed_at"))
    return [
        Concern(
            "hold",
            ngettext(
                "%(count)d order on hold: %(reason)s", "%(count)d orders on hold: %(reason)s", row["count"]
            )
            % {"count": row["count"], "reason": Hold.Reason(row["reason"]).label},
            _("They stand still until somebody decides."),
            _since(row["oldest"], now),
            page_of("orders_order_changelist", f"hold={row['reason']}"),
            _("review"),
            (row["oldest"] - now).total_seconds(),
        )
        for row in found.order_by("oldest")
    ]


@concern("backordered", permission="orders.view_order")
def stale_backorders(request: HttpRequest, now: datetime) -> list[Concern]:
    """Orders that have waited for stock for more than a day; one query."""
    rows = _orders(request).filter(waiting_for="stock")
    stale = Q(received_at__lt=now - timedelta(hours=STALE_HOURS))
    found = rows.aggregate(count=Count("pk"), stale=Count("pk", filter=stale), oldest=Min("received_at"))
    if not found["count"]:
        return []
    text = ngettext("%(count)d order waits for stock", "%(count)d orders wait for stock", found["count"])
    detail = ngettext(
        "%(count)d of them for more than a day; it goes on by itself when stock arrives.",
        "%(count)d of them for more than a day; they go on by themselves when stock arrives.", found["stale"],
    )  # fmt: skip
    link = page_of("orders_order_changelist", "view=stock")
    tone = "bad" if found["stale"] else "warn"
    counted = {"count": found["count"]}
    said = detail % {"count": found["stale"]}
    return [Concern(tone, text % counted, said, _since(found["oldest"], now), link, _("see orders"), 3)]


@concern("refused", permission="fulfillment.view_fulfillmentorder")
def refused_by_warehouses(request: HttpRequest, now: datetime) -> list[Concern]:
    """Fulfillment orders that warehouses refused within a day; one query."""
    rows = _works(request).filter(state=State.REJECTED, updated_at__gt=now - DAY)
    found = rows.aggregate(count=Count("pk"), oldest=Min("updated_at"))
    if not found["count"]:
        return []
    text = ngettext(
        "Warehouses refused %(count)d fulfillment order in 24 h",
        "Warehouses refused %(count)d fulfillment orders in 24 h", found["count"],
    )  # fmt: skip
    link = page_of("fulfillment_fulfillmentorder_changelist", "state__exact=rejected")
    detail = _("Re-routed by themselves. If it goes on, freeze the warehouse.")
    return [
        Concern(
            "warn", text % {"count": found["count"]}, detail, _since(found["oldest"], now), link, _("look"), 4
        )
    ]


def _since(moment: datetime | None, now: datetime) -> str:
    if moment is None:
        return ""
    minutes = max(0, int((now - moment).total_seconds() // 60))
    if minutes < 60:
        return ngettext("for %(count)d minute", "for %(count)d minutes", minutes) % {"count": minutes}
    if minutes < 2880:
        return ngettext("for %(count)d hour", "for %(count)d hours", minutes // 60) % {"count": minutes // 60}
    return ngettext("for %(count)d day", "for %(count)d days", minutes // 1440) % {"count": minutes // 1440}


# ---- load, way, figures ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Loaded:
    """A warehouse's day: parcels promised, its limit (None: none), the share in percent."""

    name: str
    cutoff: str
    link: str
    parcels: int
    limit: int | None
    percent: int | None
    is_frozen: bool


def loads(request: HttpRequest, now: datetime) -> list[Loaded]:
    """Parcels per warehouse for its working day (tomorrow after the cut-off), fullest first; two queries."""
    rows = Warehouse.objects.filter(is_active=True).order_by("pk")
    merchant_id = getattr(request.user, "merchant_id", None)
    warehouses = list(rows.filter(merchant_id=merchant_id) if merchant_id else rows)
    days = {warehouse.pk: _working_day(warehouse, now) for warehouse in warehouses}
    used = {
        (day.warehouse_id, day.date): day.parcels
        for day in WarehouseDay.objects.filter(warehouse_id__in=days, date__in=set(days.values()))
    }
    found = [_loaded(warehouse, used.get((warehouse.pk, days[warehouse.pk]), 0)) for warehouse in warehouses]
    return sorted(found, key=lambda one: -(one.percent or 0))


def _working_day(warehouse: Warehouse, now: datetime) -> date:
    local = now.astimezone(ZoneInfo(warehouse.time_zone))
    return local.date() if local.time() <= warehouse.cutoff_at else local.date() + timedelta(days=1)


def _loaded(warehouse: Warehouse, parcels: int) -> Loaded:
    limit = warehouse.capacity_per_day
    return Loaded(
        named(warehouse), f"{warehouse.cutoff_at:%H:%M}",
        reverse("admin:inventory_warehouse_change", args=(warehouse.pk,)), parcels, limit,
        round(100 * parcels / limit) if limit else None, warehouse.is_frozen,
    )  # fmt: skip


def way(request: HttpRequest) -> list[dict[str, Any]]:
    """How many orders stand at each stage of the way; one query."""
    rows = _orders(request).filter(stage__in=WAY).values_list("stage").annotate(count=Count("pk")).order_by()
    counts = dict(rows)
    link = reverse("admin:orders_order_changelist")
    return [
        {
            "title": stage.label,
            "count": counts.get(stage.value, 0),
            "link": f"{link}?stage__exact={stage.value}",
        }
        for stage in WAY
    ]


@figures("orders", order=10, permission="orders.view_order")
def last_day(request: HttpRequest, now: datetime) -> list[Figure]:
    """Orders in, shipped out, arrived on time within 24 h; three queries."""
    since, before = now - DAY, now - 2 * DAY
    orders = _orders(request).filter(received_at__gt=before).aggregate(
        now=Count("pk", filter=Q(received_at__gt=since)), before=Count("pk", filter=Q(received_at__lte=since))
    )  # fmt: skip
    shipped = _works(request).filter(shipped_at__gt=since).count()
    arrived = _parcels(request).filter(delivered_at__gt=since).aggregate(
        count=Count("pk"), on_time=Count("pk", filter=Q(delivered_at__lte=F("eta_to_at"))),
        promised=Count("pk", filter=Q(eta_to_at__isnull=False)),
    )  # fmt: skip
    found = [
        Figure(_("Orders received"), f"{orders['now']:,}", "", _change(orders["now"], orders["before"])),
        Figure(_("Fulfillment orders shipped"), f"{shipped:,}"),
        Figure(_("Parcels delivered"), f"{arrived['count']:,}"),
    ]
    if arrived["promised"]:
        share = 100 * arrived["on_time"] / arrived["promised"]
        found.append(Figure(_("Arrived in the promised window"), f"{share:.1f}", "%"))
    return found


def _change(count: int, before: int) -> str:
    if before < FEWEST_COMPARED:
        return ""
    return str(_("%(change)s against the day before")) % {
        "change": f"{100 * (count - before) / before:+.0f} %"
    }


def hours(request: HttpRequest, now: datetime) -> dict[str, Any]:
    """Orders received and shipped in each of the last 24 hours, as bars of a small drawing; two queries."""
    first = localtime(now).replace(minute=0, second=0, microsecond=0) - timedelta(hours=23)
    received = _per_hour(_orders(request), "received_at", first)
    shipped = _per_hour(_works(request), "shipped_at", first)
    moments = [first + timedelta(hours=n) for n in range(24)]
    most = max([*received.values(), *shipped.values(), 1])
    top = most + most % 2  # even, so that the middle line has a whole number
    bars = [
        {
            "x": 34 + n * CHART_HOUR,
            "x2": 34 + n * CHART_HOUR + CHART_BAR + 1,
            "hour": moment.hour,
            "is_named": moment.hour % 3 == 0,
            "received": received.get(moment, 0),
            "shipped": shipped.get(moment, 0),
            "height": round(CHART_HEIGHT * received.get(moment, 0) / top, 1),
            "height2": round(CHART_HEIGHT * shipped.get(moment, 0) / top, 1),
        }
        for n, moment in enumerate(moments)
    ]
    for bar in bars:
        bar["y"], bar["y2"] = CHART_HEIGHT + 8 - bar["height"], CHART_HEIGHT + 8 - bar["height2"]
    return {
        "bars": bars,
        "top": top,
        "half": top // 2,
        "is_empty": not received and not shipped,
    }


def _per_hour(rows: QuerySet[Any], field: str, first: datetime) -> dict[datetime, int]:
    found = rows.filter(**{f"{field}__gte": first}).annotate(hour=TruncHour(field)).values_list("hour")
    return {localtime(hour): count for hour, count in found.annotate(count=Count("pk")).order_by()}


def _mine(rows: QuerySet[Any], request: HttpRequest) -> QuerySet[Any]:
    merchant_id = getattr(request.user, "merchant_id", None)
    return rows.filter(merchant_id=merchant_id) if merchant_id else rows


def _orders(request: HttpRequest) -> QuerySet[Order]:
    return _mine(Order.objects.all(), request)


def _works(request: HttpRequest) -> QuerySet[FulfillmentOrder]:
    return _mine(FulfillmentOrder.objects.all(), request)


def _parcels(request: HttpRequest) -> QuerySet[Parcel]:
    return _mine(Parcel.objects.all(), request)

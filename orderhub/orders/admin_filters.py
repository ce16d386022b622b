"""How the order pool is cut: saved views, ageing, place, hold reason, source."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter

from orderhub.inventory.admin_base import is_chinese
from orderhub.kernel import clock, regions
from orderhub.orders import admin_words
from orderhub.orders.models import Hold, Order
from orderhub.orders.queries import OPEN_STAGES

Text = str | Promise

#: An order that has waited for stock this long is no longer a matter of patience.
STALE_HOURS = 24
VIEWS: dict[str, Text] = {
    "person": _("Needs a person"),
    "stock": _("Waiting for stock"),
    "unpaid": _("Unpaid"),
    "all": _("All orders"),
}
AGES: dict[str, tuple[Text, int, int | None]] = {
    "1h": (_("less than 1 hour"), 0, 1),
    "4h": (_("1 to 4 hours"), 1, 4),
    "24h": (_("4 to 24 hours"), 4, 24),
    "old": (_("more than a day"), 24, None),
}


def of_view(view: str) -> Q:
    """The condition of a saved view; everything for an unknown one."""
    held = Hold.objects.filter(
        order=OuterRef("pk"), released_at__isnull=True, reason__in=admin_words.PERSON_REASONS
    )
    stale = Q(waiting_for="stock", received_at__lt=clock.now() - timedelta(hours=STALE_HOURS))
    conditions = {
        "person": (Q(Exists(held)) | stale) & Q(stage__in=OPEN_STAGES),
        "stock": Q(waiting_for="stock"),
        "unpaid": Q(payment=Order.Payment.UNPAID, stage__in=OPEN_STAGES),
    }
    return conditions.get(view, Q())


def view_counts(rows: QuerySet[Order]) -> dict[str, int]:
    """How many open orders each view holds, but for the one with all of them; one query."""
    names = [name for name in VIEWS if name != "all"]
    found: dict[str, int] = rows.filter(stage__in=OPEN_STAGES).aggregate(
        **{name: Count("pk", filter=of_view(name)) for name in names}
    )
    return found


class ViewFilter(DropdownFilter):
    """A saved view; the tabs above the list set it."""

    title = _("view")
    parameter_name = "view"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Text]]:
        """The views but the one that shows all."""
        return [(name, title) for name, title in VIEWS.items() if name != "all"]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Order]) -> QuerySet[Order]:
        """Its orders."""
        return queryset.filter(of_view(self.value() or ""))


class AgeFilter(DropdownFilter):
    """Hours since the order came in."""

    title = _("age")
    parameter_name = "age"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Text]]:
        """The four buckets."""
        return [(name, bucket[0]) for name, bucket in AGES.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Order]) -> QuerySet[Order]:
        """Orders received in that bucket."""
        bucket = AGES.get(self.value() or "")
        if bucket is None:
            return queryset
        now = clock.now()
        rows = queryset.filter(received_at__lte=now - timedelta(hours=bucket[1])) if bucket[1] else queryset
        return rows if bucket[2] is None else rows.filter(received_at__gt=now - timedelta(hours=bucket[2]))


class WaitingFilter(DropdownFilter):
    """What orders wait for."""

    title = _("waiting for")
    parameter_name = "waiting_for"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Text]]:
        """Stock, the release of a hold, or the pick wave."""
        return [(name, admin_words.WAITS[name]) for name in ("stock", "hold", "wave")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Order]) -> QuerySet[Order]:
        """Orders that wait for it."""
        return queryset.filter(waiting_for=self.value()) if self.value() else queryset


class HoldFilter(DropdownFilter):
    """Orders with an active hold of one reason."""

    title = _("hold")
    parameter_name = "hold"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Text]]:
        """All reasons."""
        return [(reason.value, reason.label) for reason in Hold.Reason]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Order]) -> QuerySet[Order]:
        """Orders that it holds right now."""
        if not self.value():
            return queryset
        held = Hold.objects.filter(order=OuterRef("pk"), reason=self.value(), released_at__isnull=True)
        return queryset.filter(Exists(held))


class ProvinceFilter(DropdownFilter):
    """The province in China, in whichever spelling the channel sent it, or any other country."""

    title = _("province")
    parameter_name = "province"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Text]]:
        """The provinces from the region table, and abroad."""
        zh = is_chinese()
        rows = [(code, found.zh if zh else found.en) for code, found in regions.provinces("CN").items()]
        return [*rows, ("abroad", _("outside China"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Order]) -> QuerySet[Order]:
        """Orders that go there."""
        if self.value() == "abroad":
            return queryset.exclude(country="CN")
        found = regions.provinces("CN").get(self.value() or "")
        if found is None:
            return queryset
        return queryset.filter(
            Q(province__startswith=found.zh) | Q(province__istartswith=found.en) | Q(province=found.code),
            country="CN",
        )


class SourceFilter(DropdownFilter):
    """How the order came in."""

    title = _("source")
    parameter_name = "source"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Text]]:
        """By API, or out of a file."""
        return [("api", _("API")), ("import", _("file import")), ("other", _("other"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Order]) -> QuerySet[Order]:
        """Orders of that source."""
        imported = Q(source__startswith="import:")
        cuts = {
            "api": Q(source__startswith="api"),
            "import": imported,
            "other": ~imported & ~Q(source__startswith="api"),
        }
        return queryset.filter(cuts[self.value()]) if self.value() in cuts else queryset

"""The load board: what every warehouse has to do, on a map and as bars, and the levers that relieve it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from orderhub.inventory.admin_base import actor_of, is_chinese, named
from orderhub.kernel import clock
from orderhub.kernel.errors import Refused
from routing.board import chart, reading, words
from routing.board.forms import FORMS
from routing.board.reading import House
from routing.pricing import levers
from routing.pricing.models import WarehouseLever

SEES, PULLS = "inventory.view_warehouse", "inventory.change_warehouse"
View = Callable[..., HttpResponse]
#: The largest mark on the map, and the least, in pixels.
WIDEST, NARROWEST = 16.0, 6.0


def _staff(view: View) -> View:
    """For logged-in staff only, like every page of the admin."""
    guarded: View = admin.site.admin_view(view)
    return guarded


@_staff
def board(request: HttpRequest) -> HttpResponse:
    """The whole page, or, asked by htmx, only what changes."""
    _require(request, SEES)
    now = clock.now()
    context = _shown(request, now)
    if request.headers.get("HX-Request"):
        return TemplateResponse(request, "admin/routing/board_live.html", context)
    page = {**admin.site.each_context(request), "title": _("Warehouse load"), **context}
    return TemplateResponse(request, "admin/routing/board.html", page)


@_staff
def pull(request: HttpRequest, pk: int, kind: str) -> HttpResponse:
    """Ask how much, how long and why; then pull the lever."""
    _require(request, PULLS)
    if kind not in FORMS:
        raise Http404
    now = clock.now()
    house = _house(request, pk, now)
    form = FORMS[kind](request.POST or None, initial=_suggested(house, kind))
    if request.method == "POST" and form.is_valid():
        try:
            _pull(request, house, kind, form, now)
        except Refused as refusal:
            form.add_error(refusal.field if refusal.field in form.fields else None, str(refusal))
        else:
            text = _("%(name)s: done. The next decision obeys.") % {"name": named(house.warehouse)}
            messages.success(request, text)
            return HttpResponseRedirect(f"{reverse('routing:board')}#w{pk}")
    context = {
        **admin.site.each_context(request),
        "title": _("%(verb)s: %(name)s") % {"verb": words.BUTTONS[kind], "name": named(house.warehouse)},
        "effect": words.effect(house, kind),
        "button": words.BUTTONS[kind],
        "form": form,
        "back": reverse("routing:board"),
    }
    return TemplateResponse(request, "admin/ask.html", context)


@_staff
@require_POST
def lift(request: HttpRequest, pk: int) -> HttpResponse:
    """End a lever before its time."""
    _require(request, PULLS)
    now = clock.now()
    lever = levers.levers_in_force(now=now, merchant_id=_merchant_id(request)).filter(pk=pk).first()
    if lever is None:
        messages.warning(request, _("This lever has ended already."))
    elif levers.lift(lever, actor=actor_of(request), now=now):
        messages.success(request, _("%(name)s: the lever is lifted.") % {"name": named(lever.warehouse)})
    return HttpResponseRedirect(reverse("routing:board"))


def _require(request: HttpRequest, permission: str) -> None:
    if not request.user.has_perm(permission):
        raise PermissionDenied


def _merchant_id(request: HttpRequest) -> int | None:
    found: int | None = getattr(request.user, "merchant_id", None)
    return found


def _house(request: HttpRequest, pk: int, now: datetime) -> House:
    for house in reading.houses(merchant_id=_merchant_id(request), now=now):
        if house.warehouse.pk == pk:
            return house
    raise Http404


def _suggested(house: House, kind: str) -> dict[str, Any]:
    """What relieves it without taking back what it was given: no more than it has, or a few yuan."""
    if kind == "capacity":
        return {"value": house.used}
    return {"value": 2} if kind == "price" else {}


def _pull(request: HttpRequest, house: House, kind: str, form: Any, now: datetime) -> WarehouseLever:
    told: dict[str, Any] = {
        "until": form.until_at(house, now), "actor": actor_of(request), "why": form.cleaned_data["why"], "now": now,
    }  # fmt: skip
    if kind == "capacity":
        return levers.set_capacity(house.warehouse, form.cleaned_data["value"], **told)
    if kind == "price":
        return levers.raise_price(house.warehouse, form.cleaned_data["value"], **told)
    return levers.freeze(house.warehouse, **told)


# ---- what the templates are filled with ----------------------------------------------------------


def _shown(request: HttpRequest, now: datetime) -> dict[str, Any]:
    found = reading.houses(merchant_id=_merchant_id(request), now=now)
    box = chart.box_of((float(h.warehouse.latitude), float(h.warehouse.longitude)) for h in found)
    busiest = max((house.limit or house.at_end for house in found), default=0)
    marks, taken = _marks(found, box, busiest)
    places = chart.provinces(box, (house.warehouse.country for house in found), is_chinese=is_chinese())
    return {
        "now": now,
        "rows": [_row(house, now) for house in found],
        "map": {
            "box": box,
            "width": chart.WIDTH,
            "coast": chart.coast(box),
            "provinces": chart.free_places(places, taken),
            "marks": marks,
        },
        "may_pull": request.user.has_perm(PULLS),
        "bad": sum(house.tone == "bad" for house in found),
    }


def _row(house: House, now: datetime) -> dict[str, Any]:
    return {
        "house": house,
        "name": named(house.warehouse),
        "tone": house.tone,
        "state": words.state(house),
        "countdown": words.countdown(house, now),
        "cutoff": words.clock_of(house, house.cutoff_at),
        "percent": None if house.share is None else round(100 * house.share),
        "used": f"{house.used:,}" if house.limit is None else f"{house.used:,} / {house.limit:,}",
        "coming": f"{house.coming:,.0f}",
        "next_used": f"{house.next_used:,}",
        "reserved": f"{house.reserved:,}",
        "at_work": f"{house.at_work:,}",
        "cover": words.cover(house),
        "levers": [{"pk": lever.pk, "text": words.lever(lever)} for lever in house.levers],
        "link": reverse("admin:inventory_warehouse_change", args=(house.warehouse.pk,)),
    }


def _marks(found: list[House], box: chart.Box, busiest: int) -> tuple[list[dict[str, Any]], list[chart.Area]]:
    """A circle per warehouse as large as its day, filled as far as it is used, with its name; and what they cover."""
    circles = []
    for house in found:
        x, y = box.at(float(house.warehouse.latitude), float(house.warehouse.longitude))
        size = (house.limit or house.at_end) / busiest if busiest else 0.0
        circles.append((house, x, y, round(max(NARROWEST, WIDEST * size**0.5), 1)))
    taken = [chart.circle(x, y, radius) for _house, x, y, radius in circles]
    marks = []
    for house, x, y, radius in circles:
        own = chart.circle(x, y, radius)
        label = chart.label(named(house.warehouse), x, y, radius, [area for area in taken if area != own])
        if label is not None:
            taken.append(label.area)
        marks.append({
            "pk": house.warehouse.pk, "x": x, "y": y, "radius": radius, "tone": house.tone, "label": label,
            "filled": round(radius * min(1.0, house.used / house.limit) ** 0.5, 1) if house.limit else 0,
            "name": named(house.warehouse),
            "title": f"{named(house.warehouse)}: {house.used}/{house.limit or '∞'} · {words.state(house)}",
        })  # fmt: skip
    return marks, taken

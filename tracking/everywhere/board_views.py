"""Boards behind their links, and the page where a buyer says which messages they want."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.utils import timezone, translation
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from orderhub.access import limits
from orderhub.access.limits import address_of
from orderhub.kernel import canonical, clock
from orderhub.orders.models import Order
from tracking import links
from tracking.everywhere import boards, sending
from tracking.views import HEADERS, language_of

#: A board costs as much as its orders' pages together.
READ_A_MINUTE = 60


@require_safe
def board(request: HttpRequest, token: str) -> HttpResponse:
    """The board; with `format=json` as data with an ETag. 404 for an unknown link, 429 after too many guesses."""
    language = language_of(request)
    now = clock.now()
    with translation.override(language):
        request.LANGUAGE_CODE = language
        found = boards.find(token[:64], now=now)
        if found is None:
            too_many = limits.too_many(f"tracking:{address_of(request)}", limit=links.TRIES_PER_MINUTE)
            return _done(render(request, "tracking/missing.html", status=429 if too_many else 404), language)
        if limits.too_many(f"board:{found.pk}:{address_of(request)}", limit=READ_A_MINUTE):
            return _done(HttpResponse(status=429, headers={"Retry-After": "60"}), language)
        page = boards.page(found, language=language, now=now)
        if request.GET.get("format") == "json":
            return _done(_json(request, page), language)
        with timezone.override(ZoneInfo(found.merchant.time_zone)):
            context = {"board": page, "token": token, "track": None}
            return _done(render(request, "tracking/boards/board.html", context), language)


def _json(request: HttpRequest, page: dict[str, Any]) -> HttpResponse:
    told = {name: value for name, value in page.items() if name != "updated_at"}
    tag = f'"{canonical.digest(told)[:32]}"'
    if request.headers.get("If-None-Match", "").removeprefix("W/") == tag:
        return HttpResponse(status=304, headers={"ETag": tag})
    return JsonResponse(page, headers={"ETag": tag})


@csrf_exempt  # the link is the right to choose; no session is asked
@require_http_methods(["GET", "HEAD", "POST"])
def notices(request: HttpRequest, token: str) -> HttpResponse:
    """Which messages the buyer gets: shown, and set by POST (also the one-click way of mail programs)."""
    language = language_of(request)
    now = clock.now()
    with translation.override(language):
        request.LANGUAGE_CODE = language
        found = links.find_page(token, now=now, address=address_of(request))
        if isinstance(found, links.Missing):
            status = 429 if found.too_many else 404
            return _done(render(request, "tracking/missing.html", status=status), language)
        order = Order.objects.select_related("person", "merchant").get(pk=found.order.pk)
        if request.method == "POST":
            _choose(request, order, now)
            return _done(HttpResponseRedirect(f"/t/{token}/notices/?lang={language}&saved=1"), language)
        ways = [
            {"way": way, "title": title, "is_on": not sending.has_opted_out(order, way)}
            for way, title in sending.Way.choices
            if way != sending.Way.WEBHOOK and sending.contact_of(order, way)
        ]
        context = {"ways": ways, "track": None, "token": token, "is_saved": request.GET.get("saved") == "1"}
        return _done(render(request, "tracking/asking/notices.html", context), language)


def _choose(request: HttpRequest, order: Order, now: Any) -> None:
    if request.POST.get("List-Unsubscribe") == "One-Click":
        sending.set_opt_out(order, "email", wants=False, now=now)
        return
    for way in ("email", "sms"):
        if f"has_{way}" in request.POST:
            sending.set_opt_out(order, way, wants=request.POST.get(way) == "on", now=now)


def _done(response: HttpResponse, language: str) -> HttpResponse:
    response["Content-Language"] = language
    for name, value in HEADERS.items():
        response[name] = value
    return response

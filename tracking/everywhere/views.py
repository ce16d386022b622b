"""Pages around the tracking page: the embedded one, what is asked on it, finding an order by number, its QR code."""

from __future__ import annotations

import io
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import segno
from django.conf import settings
from django.contrib.staticfiles import finders
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from orderhub.access import limits
from orderhub.access.limits import address_of
from orderhub.kernel import clock
from orderhub.kernel.errors import Refused
from orderhub.orders import sharing
from orderhub.orders.addresses import Address
from orderhub.orders.models import Order
from tracking import links, queries
from tracking.everywhere import asking
from tracking.everywhere.models import PageSettings
from tracking.views import HEADERS, language_of

FOUND_A_MINUTE, FOUND_AN_HOUR = 10, 10
_THEMES = frozenset(PageSettings.Theme.values)


@require_safe
def embedded(request: HttpRequest, token: str) -> HttpResponse:
    """The page within the merchant's own site: the same words, framed only by the origins that the merchant named."""
    language = language_of(request)
    now = clock.now()
    with translation.override(language):
        request.LANGUAGE_CODE = language
        found = links.find_page(token, now=now, address=address_of(request))
        if isinstance(found, links.Missing):
            return _missing(request, found, language)
        given = _given(found.order)
        asked = request.GET.get("theme", "")
        track = queries.page(found.order, language=language, now=now)
        context = {
            "track": track, "token": token, "is_embedded": True, "accent": given.accent,
            "theme": asked if asked in _THEMES else given.theme, "merchant_code": found.order.merchant.code,
        }  # fmt: skip
        with timezone.override(ZoneInfo(found.order.merchant.time_zone)):
            response = _finished(request, render(request, "tracking/page.html", context), language)
    return _framed(response, given)


def _missing(request: HttpRequest, found: links.Missing, language: str) -> HttpResponse:
    page = render(request, "tracking/missing.html", status=429 if found.too_many else 404)
    return _finished(request, page, language)


def _framed(response: HttpResponse, given: PageSettings) -> HttpResponse:
    """The answer as the merchant's sites may frame it."""
    if given.allowed_origins:
        response.xframe_options_exempt = True  # read by Django's middleware
        replaced = {"frame-ancestors": ["'self'", *given.allowed_origins]}
        response._csp_replace = replaced  # type: ignore[attr-defined]  # the attribute django-csp documents
    return response


def _given(order: Order) -> PageSettings:
    return PageSettings.objects.filter(merchant_id=order.merchant_id).first() or PageSettings()


@require_safe
def theme(request: HttpRequest, code: str) -> HttpResponse:
    """The merchant's accent as a style sheet: our policy allows no style within the page."""
    given = PageSettings.objects.filter(merchant__code=code).first()
    rule = (
        f":root {{ --primary: {given.accent}; --link: {given.accent}; }}\n" if given and given.accent else ""
    )
    response = HttpResponse(rule, content_type="text/css; charset=utf-8")
    response["Cache-Control"] = "public, max-age=300"
    return response


@require_safe
def tag(request: HttpRequest) -> HttpResponse:
    """The one tag of merchants' sites, at an address that never changes."""
    response = HttpResponse(_tag(), content_type="text/javascript; charset=utf-8")
    response["Cache-Control"] = "public, max-age=3600"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


@cache
def _tag() -> bytes:
    path = finders.find("tracking/embed.js") or str(settings.STATIC_ROOT / "tracking" / "embed.js")
    with open(str(path), "rb") as source:
        return source.read()


# No session and no cookie is asked here: the link and the digits are the right to ask, and another site has neither.
@csrf_exempt
@require_POST
def ask(request: HttpRequest, token: str, kind: str) -> HttpResponse:
    """Take a buyer's wish and go back to the page, which tells its outcome; 400, 409 or 429 with the reason."""
    language = language_of(request)
    now = clock.now()
    with translation.override(language):
        request.LANGUAGE_CODE = language
        found = links.find_page(token, now=now, address=address_of(request))
        if isinstance(found, links.Missing):
            return _missing(request, found, language)
        where = "e" if request.POST.get("embedded") == "1" else "t"
        back = f"/{where}/{token}/?lang={language}"
        try:
            _ask(request, found.order, kind, now)
        except Refused as refusal:
            context = {"refusal": refusal, "back": f"{back}#wishes", "track": None}
            answer = render(request, "tracking/asking/refused.html", context, status=refusal.status)
            answer = _finished(request, answer, language)
            return _framed(answer, _given(found.order)) if where == "e" else answer
    return _finished(request, HttpResponseRedirect(f"{back}#wishes"), language)


def _ask(request: HttpRequest, order: Order, kind: str, now: Any) -> None:
    given = {name: request.POST.get(name, "").strip() for name in ("choice", "text", "digits")}
    order = Order.objects.select_related("person", "merchant").get(pk=order.pk)
    who = address_of(request)
    if kind == asking.ADDRESS:
        place = {
            name: request.POST.get(name, "").strip()[:500]
            for name in ("province", "city", "district", "address")
        }
        if not (place["province"] and place["city"] and place["address"]):
            raise Refused("address_incomplete", _("Province, city and street are needed."), status=400)
        wanted = Address(order.country, place["province"], place["city"], place["address"], place["district"])
        asking.ask_address(order, wanted, digits=given["digits"], address=who, now=now)
    elif kind in asking.CHOICES:
        asking.ask(order, kind, address=who, now=now, **given)
    else:
        raise Http404


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def find(request: HttpRequest) -> HttpResponse:
    """The second way in: the order's number and the last four digits of the receiver's phone. Wrong ones look alike."""
    language = language_of(request)
    with translation.override(language):
        request.LANGUAGE_CODE = language
        context: dict[str, Any] = {"track": None, "number": "", "failed": "", "too_many": False}
        status = 200
        if request.method == "POST":
            number = request.POST.get("number", "").strip()[:100]
            tries = [
                limits.too_many(f"find:{address_of(request)}", limit=FOUND_A_MINUTE),
                limits.too_many(f"find:{number}", limit=FOUND_AN_HOUR, seconds=3600),
            ]
            order = None if any(tries) else _find(number, request.POST.get("digits", ""))
            if order is not None:
                path = f"{sharing.tracking_path(order)}?lang={language}"
                return _finished(request, HttpResponseRedirect(path), language)
            status = 429 if any(tries) else 404
            context |= {"number": number, "failed": True, "too_many": any(tries)}
        return _finished(
            request, render(request, "tracking/asking/find.html", context, status=status), language
        )


def _find(number: str, digits: str) -> Order | None:
    """The order of that number of ours or of its channel, if the digits fit; the newest where several do."""
    chosen = Q(external_id=number)
    _head, _dash, last = number.rpartition("-")
    if number.startswith("OH") and last.isascii() and last.isdigit() and len(last) < 18:
        chosen |= Q(pk=int(last))
    rows = Order.objects.filter(chosen).select_related("person", "merchant").order_by("-pk")[:20]
    found = [order for order in rows if number in (order.external_id, order.number)]
    now = clock.now()
    fitting = [
        order for order in found if asking.fits(order, digits) and not links.is_expired(order, now=now)
    ]
    return fitting[0] if number and fitting else None


@require_safe
def code(request: HttpRequest, token: str) -> HttpResponse:
    """The page's address as a QR code (SVG), for slips and parcels."""
    found = links.find_page(token, now=clock.now(), address=address_of(request))
    if isinstance(found, links.Missing):
        return _finished(request, HttpResponse(status=429 if found.too_many else 404), "")
    drawn = io.BytesIO()
    segno.make(f"{settings.PUBLIC_URL}/t/{token}/", error="m").save(
        drawn, kind="svg", scale=6, border=4, xmldecl=False, title="OrderHub"
    )
    return _finished(request, HttpResponse(drawn.getvalue(), content_type="image/svg+xml"), "")


def _finished(request: HttpRequest, response: HttpResponse, language: str) -> HttpResponse:
    if language:
        response["Content-Language"] = language
    for name, value in HEADERS.items():
        response[name] = value
    return response

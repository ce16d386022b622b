"""The public page behind a buyer's link."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone, translation
from django.views.decorators.http import require_safe

from carbon.green import services as green
from orderhub.access.limits import address_of
from orderhub.kernel import clock
from tracking import links, queries

HEADERS = {
    "X-Robots-Tag": "noindex, nofollow",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "private, no-store",
}


@require_safe
def page(request: HttpRequest, token: str) -> HttpResponse:
    """200 with the page; 404 for an unknown or expired link alike; 429 after too many guesses in a minute."""
    language = language_of(request)
    now = clock.now()
    with translation.override(language):
        request.LANGUAGE_CODE = language
        found = links.find_page(token, now=now, address=address_of(request))
        if isinstance(found, links.Missing):
            response = render(request, "tracking/missing.html", status=429 if found.too_many else 404)
            if found.too_many:
                response["Retry-After"] = "60"
        else:
            track = queries.page(found.order, language=language, now=now)
            with timezone.override(ZoneInfo(found.order.merchant.time_zone)):
                context = {
                    "track": track, "token": token, "green": green.told(found.order, language=language, now=now),
                    "green_refused": "green" in request.GET, "green_lang": language,
                }  # fmt: skip
                response = render(request, "tracking/page.html", context)
    response["Content-Language"] = language
    for name, value in HEADERS.items():
        response[name] = value
    return response


def language_of(request: HttpRequest) -> str:
    """The `lang` of the query, else what cookie and browser say: "zh-hans" or "en"."""
    asked = (
        request.GET.get("lang") or getattr(request, "LANGUAGE_CODE", "") or translation.get_language() or ""
    )
    return "en" if asked.lower().startswith("en") else "zh-hans"

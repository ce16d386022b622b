"""A customer's choice on the tracking page: let the order wait for others that go the same way."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from carbon.green import services as green
from orderhub.access.limits import address_of
from orderhub.kernel import clock
from orderhub.kernel.errors import Refused
from tracking import links
from tracking.views import language_of


# The page sends no referrer, so browsers name no origin either; the link itself is the secret, no cookie counts.
@csrf_exempt
@never_cache
@require_POST
def choose(request: HttpRequest, token: str) -> HttpResponse:
    """Choose, then back to the page, which says what came of it; an unknown link leads to its usual answer."""
    now = clock.now()
    found = links.find_page(token, now=now, address=address_of(request))
    back = f"/t/{token}/?lang={language_of(request)}"
    if isinstance(found, links.Page):
        try:
            green.choose(found.order_id, source="tracking", actor="customer", now=now)
        except Refused as refusal:
            back += f"&green={refusal.code}"
    return HttpResponseRedirect(f"{back}#green")

"""Where devices report over HTTP: OsmAnd's query and JSON, OwnTracks, Traccar's forward; the key says which device.

The key stands in the address (`/positions/<key>/`), for apps that know nothing else, or in Authorization: Bearer, or as the
password of Basic (OwnTracks). A gateway's key speaks for all devices of its merchant.
"""

from __future__ import annotations

import base64
import binascii
from datetime import datetime

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from orderhub.access import limits
from orderhub.access.limits import address_of
from orderhub.kernel import clock
from tracking.live_position import devices, formats, ingest, strays
from tracking.live_position.models import Device

MOST_BYTES = 1024 * 1024
#: A device tells so many messages a second, and so many at once after a pause; a gateway fifty times as many.
PER_SECOND, BURST, GATEWAY_TIMES = 10, 100, 50
WRONG_KEYS_A_MINUTE = 30


@csrf_exempt
@require_http_methods(["GET", "POST"])
def report(request: HttpRequest, key: str = "") -> HttpResponse:
    """200 with what was kept; 404 for an unknown key; 400 for what cannot be read; 413 and 429 for too much."""
    now = clock.now()
    device = devices.find(key or _key_of(request), now=now)
    if device is None:
        if limits.too_many(f"positions:{address_of(request)}", limit=WRONG_KEYS_A_MINUTE):
            return _answer(429, error="too_many_tries")
        return _answer(404, error="unknown_key")
    times = GATEWAY_TIMES if device.kind == Device.Kind.GATEWAY else 1
    if not limits.take(f"device:{device.pk}", rate=PER_SECOND * times, burst=BURST * times).passes:
        return _answer(429, error="too_many")
    try:
        readings = _readings(request, device)
    except (RequestDataTooBig, UnreadablePostError):
        return _answer(413, error="too_large")
    except formats.Unreadable as fault:
        strays.unreadable(device.code, str(fault), merchant=device.merchant, now=now)
        return _answer(400, error="unreadable", detail=str(fault))
    return _taken(readings, device, now=now)


def _taken(readings: list[formats.Reading], device: Device, *, now: datetime) -> HttpResponse:
    only = None if device.kind == Device.Kind.GATEWAY else device.code
    taken = ingest.take(readings, merchant=device.merchant, now=now, only=only)
    # OwnTracks reads an array of commands as the answer; an empty object does no harm to the others.
    return _answer(200, kept=taken.kept, stray=taken.stray, repeated=taken.repeated)


def _readings(request: HttpRequest, device: Device) -> list[formats.Reading]:
    own = "" if device.kind == Device.Kind.GATEWAY else device.code
    query = {name: str(value) for name, value in request.GET.items()}
    length = str(request.META.get("CONTENT_LENGTH") or "0")
    if length.isdigit() and int(length) > MOST_BYTES:
        raise RequestDataTooBig
    body = request.body if request.method == "POST" else b""
    if len(body) > MOST_BYTES:
        raise RequestDataTooBig
    if body.lstrip()[:1] in (b"{", b"["):
        return formats.from_body(body, device=own)
    if body and not query:
        query = {name: str(value) for name, value in request.POST.items()}
    return formats.from_query(query, device=own)


def _key_of(request: HttpRequest) -> str:
    scheme, _space, rest = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(rest, validate=True).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    return ""


def _answer(status: int, **said: object) -> HttpResponse:
    answer = JsonResponse(said, status=status)
    answer["Cache-Control"] = "no-store"
    if status == 429:
        answer["Retry-After"] = "10"
    return answer

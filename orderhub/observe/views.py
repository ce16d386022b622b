"""`/metrics`, and who may see the insides of the hub."""

from __future__ import annotations

import secrets

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.multiprocess import MultiProcessCollector

from orderhub.observe import meters
from orderhub.observe.collector import Hub


def is_monitor(request: HttpRequest) -> bool:
    """Whether the caller brings `Authorization: Bearer <HUB_METRICS_TOKEN>`."""
    given = request.headers.get("Authorization", "")
    wanted = settings.METRICS_TOKEN
    return bool(wanted) and secrets.compare_digest(given.encode(), f"Bearer {wanted}".encode())


def is_insider(request: HttpRequest) -> bool:
    """A monitor, or staff in a browser."""
    if is_monitor(request):
        return True
    user = getattr(request, "user", None)
    return bool(user is not None and user.is_authenticated and user.is_staff and user.is_active)


def metrics(request: HttpRequest) -> HttpResponse:
    """Everything for Prometheus; to strangers there is nothing at this address."""
    if not is_insider(request):
        raise Http404
    registry = CollectorRegistry()
    registry.register(Hub())  # first, for it may count a failure of its own
    MultiProcessCollector(registry, path=str(meters.storage()))  # type: ignore[no-untyped-call]
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)

"""/in/<key>/: where other systems push. Verified, kept and answered in their own form; nothing is read here but the key."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.utils.cache import patch_cache_control
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from orderhub.access import limits
from orderhub.connectors import doorkeys, envelopes, inbox, secretbox, shelf, speaking, traffic
from orderhub.connectors.base import Incoming
from orderhub.connectors.models import Connection
from orderhub.connectors.speech import reading
from orderhub.connectors.speech.doors import Reply
from orderhub.connectors.speech.profile import Profile as Spec
from orderhub.connectors.speech.requests import Request, lower_names
from orderhub.kernel import clock

MOST_BYTES = 2 * 1024 * 1024
#: A door takes so many messages a second, and so many at once after a pause; more wait for the sender's own retry.
MOST_PER_SECOND = 300
BURST = 1500


@csrf_exempt
@require_http_methods(["GET", "POST", "PUT"])
def enter(request: HttpRequest, key: str) -> HttpResponse:
    """One push: 404 for a door that is not there, 401 for a wrong signature, else the system's own word for "taken"."""
    connection = doorkeys.find(key)
    if connection is None or connection.profile is None or connection.profile.in_force is None:
        return _told(Reply(404, "text/plain", "There is no such door."))
    spec = shelf.spec_of(connection)
    if spec.door is None:
        return _told(Reply(404, "text/plain", "This system does not push."))
    verdict = limits.take(f"door:{connection.pk}", rate=MOST_PER_SECOND, burst=BURST)
    if not verdict.passes:
        answer = _told(Reply(429, "text/plain", "Too many messages at once; send this one again."))
        answer["Retry-After"] = str(max(1, round(verdict.wait_seconds)))
        return answer
    try:
        said = _request(request)
    except (RequestDataTooBig, UnreadablePostError, ValueError):
        return _told(Reply(413, "text/plain", "A message may have 2 MB and 200 fields in its address."))
    return _told(_taken(connection, spec, said))


def _taken(connection: Connection, spec: Spec, said: Request) -> Reply:
    now = clock.now()
    known = secretbox.valid(connection, speaking.SECRET_NAME, now=now)
    verdict = reading.verify(spec, said, known, speaking.config_of(connection), now)
    if not verdict.ok:
        # Counted, not kept: anybody can knock.
        traffic.count(connection.pk, now=now, forged=1)
        return reading.reply(spec, "bad_signature")
    challenge = reading.challenge(spec, said)
    if challenge is not None:
        return challenge
    message = Incoming(reading.key(spec, said), {}, said.body, envelopes.envelope_of(said))
    if not inbox.receive(connection, [message], now=now):
        traffic.count(connection.pk, now=now, repeated=1)
    return reading.reply(spec, "ok")


def _request(request: HttpRequest) -> Request:
    """The request as data; the body is read only up to what a message may have."""
    length = str(request.META.get("CONTENT_LENGTH") or "0")
    if length.isdigit() and int(length) > MOST_BYTES:
        raise ValueError("too large")
    body = request.body
    if len(body) > MOST_BYTES:
        raise ValueError("too large")
    text = str(request.META.get("QUERY_STRING", ""))
    return Request(
        method=str(request.method), url=request.build_absolute_uri(), path=request.path,
        query=envelopes.query_of(text), headers=lower_names(dict(request.headers.items())), body=body,
    )  # fmt: skip


def _told(reply: Reply) -> HttpResponse:
    answer = HttpResponse(reply.body.encode(), status=reply.status, content_type=_type(reply.type))
    # Whatever it says is never shown as a page of ours.
    answer["X-Content-Type-Options"] = "nosniff"
    patch_cache_control(answer, no_store=True)
    return answer


def _type(kind: str) -> Any:
    return kind if "charset" in kind else f"{kind}; charset=utf-8"

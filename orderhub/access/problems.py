"""Every refusal of the API in one form (RFC 9457): a machine code, a sentence and a remedy in the caller's language."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.http import Http404, HttpResponse
from django.utils.translation import gettext_lazy as _
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler

from orderhub.access import request_id
from orderhub.kernel import canonical
from orderhub.kernel.errors import Refused

CONTENT_TYPE = "application/problem+json"
#: Where the codes are explained, one anchor each; a problem's `type` is this page with its code.
PAGE = "/api/problems/"
_KEPT = ("WWW-Authenticate", "Retry-After", "Allow")
_MOST_ERRORS = 200

#: Refusals of the frame around the calls: status, sentence, remedy. Services declare theirs where they refuse.
FRAME: dict[str, tuple[int, Any, Any]] = {
    "parse_error": (400, _("The body is not valid JSON."), _("Send one JSON object in UTF-8.")),
    "bad_request": (
        400,
        _("The request cannot be understood."),
        _("Compare it with the documentation of this call."),
    ),
    "invalid": (
        400,
        _("The request has errors."),
        _("Correct the named fields and send the request again."),
    ),
    "not_authenticated": (
        401,
        _("This call needs an API key."),
        _("Send the header Authorization: Api-Key <key>."),
    ),
    "bad_key": (
        401,
        _("This API key is not valid. Check it, or ask for a new one."),
        _("A key may have expired or been revoked; the merchant's administrator issues new ones."),
    ),
    "authentication_failed": (401, _("The log-in did not succeed."), _("Check the key or log in again.")),
    "permission_denied": (
        403,
        _("This key or person may not do that."),
        _("Ask for a key with the scope that the documentation names for this call."),
    ),
    "csrf_failed": (
        403,
        _("The CSRF token is missing or wrong."),
        _("Send X-CSRFToken with the value of the cookie, or use an API key."),
    ),
    "not_found": (
        404,
        _("There is nothing at this address."),
        _("Check the address and the id; what belongs to others is not found either."),
    ),
    "method_not_allowed": (
        405,
        _("This method is not possible here."),
        _("The header Allow names the methods of this address."),
    ),
    "not_acceptable": (406, _("Answers are JSON only."), _("Send Accept: application/json.")),
    "precondition_failed": (
        412,
        _("It has changed since you read it."),
        _("Read it again and repeat the call with the new ETag in If-Match."),
    ),
    "body_too_large": (413, _("The request is too large."), _("Send it in smaller parts.")),
    "unsupported_media_type": (
        415,
        _("The body's content type is not supported."),
        _("Send Content-Type: application/json, or multipart/form-data for files."),
    ),
    "throttled": (
        429,
        _("Too many requests with this key."),
        _("Wait as many seconds as Retry-After says, then repeat the call."),
    ),
    "too_many_tries": (
        429,
        _("Too many tries. Wait a minute."),
        _("Open the link again from the message you received."),
    ),
    "server_error": (
        500,
        _("Something went wrong here; nothing of yours is lost."),
        _("Repeat the call with the same Idempotency-Key; if it stays, tell us the request_id."),
    ),
    "unavailable": (503, _("The hub cannot answer now."), _("Repeat the call in a few seconds.")),
}
_BY_STATUS = {
    400: "bad_request", 401: "not_authenticated", 403: "permission_denied", 404: "not_found",
    405: "method_not_allowed", 406: "not_acceptable", 412: "precondition_failed", 413: "body_too_large",
    415: "unsupported_media_type", 429: "throttled", 503: "unavailable",
}  # fmt: skip


def code_of(status: int) -> str:
    """The code of a refusal of which only the HTTP status is known."""
    return _BY_STATUS.get(status, "server_error" if status >= 500 else "bad_request")


def type_url(code: str) -> str:
    """The address that explains the code."""
    return f"{settings.PUBLIC_URL}{PAGE}#{code}"


def document(
    code: str,
    *,
    status: int,
    title: object,
    detail: object = "",
    remedy: object = "",
    more: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The problem document; `more` holds members such as `errors`, `field` and `facts`."""
    body: dict[str, Any] = {
        "type": type_url(code),
        "title": str(title),
        "status": status,
        "code": code,
        "detail": str(detail or title),
        "remedy": str(remedy),
        **(more or {}),
    }
    if request_id.current():
        body["request_id"] = request_id.current()
    return body


def of_refused(fault: Refused) -> dict[str, Any]:
    """The problem document of a service's refusal."""
    more: dict[str, Any] = {}
    if fault.field:
        more["field"] = fault.field
        more["errors"] = [_error(fault.field, fault.code, str(fault.message))]
    if fault.facts:
        more["facts"] = {name: str(value) for name, value in fault.facts.items()}
    return document(
        fault.code,
        status=fault.status,
        title=fault.message,
        detail=fault,
        remedy=fault.remedy,
        more=more,
    )


def refused(fault: Refused) -> Response:
    """The answer to a service's refusal."""
    answer = Response(of_refused(fault), status=fault.status, content_type=CONTENT_TYPE)
    for name, value in getattr(fault, "headers", {}).items():
        answer[name] = value
    return answer


def handle(fault: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler: Refused and DRF's own exceptions become problem documents; anything else is a 500."""
    if isinstance(fault, Refused):
        return refused(fault)
    response = exception_handler(fault, context)
    if response is None:
        return None
    body = _of_drf(fault, response.status_code)
    answer = Response(body, status=response.status_code, content_type=CONTENT_TYPE)
    for name in _KEPT:
        if name in response:
            answer[name] = response[name]
    return answer


def of_django(fault: Exception) -> HttpResponse | None:
    """The answer to a refusal raised outside DRF's views; None for anything that is a fault of ours."""
    if isinstance(fault, Refused):
        return _written(of_refused(fault), fault.status)
    for kind, code in (
        (Http404, "not_found"),
        (PermissionDenied, "permission_denied"),
        (RequestDataTooBig, "body_too_large"),
        (SuspiciousOperation, "bad_request"),
    ):
        if isinstance(fault, kind):
            return bare(code, FRAME[code][0])
    return None


def bare(code: str, status: int) -> HttpResponse:
    """The answer of a refusal that has nothing to add to its code."""
    _status, title, remedy = FRAME[code]
    return _written(document(code, status=status, title=title, remedy=remedy), status)


def _written(body: dict[str, Any], status: int) -> HttpResponse:
    return HttpResponse(canonical.dumps(body), status=status, content_type=CONTENT_TYPE)


def _of_drf(fault: Exception, status: int) -> dict[str, Any]:
    if isinstance(fault, exceptions.ValidationError):
        return _invalid(fault, status)
    detail = getattr(fault, "detail", None)
    code = str(getattr(detail, "code", None) or code_of(status))
    if code == "permission_denied" and str(detail).startswith("CSRF"):
        code, detail = "csrf_failed", None
    _status, title, remedy = FRAME.get(code) or FRAME[code_of(status)]
    text = None if isinstance(fault, Http404 | exceptions.NotFound) else detail
    return document(code, status=status, title=title, detail=text or title, remedy=remedy)


def _invalid(fault: exceptions.ValidationError, status: int) -> dict[str, Any]:
    errors = list(_flat(fault.detail))
    _status, title, remedy = FRAME["invalid"]
    only = errors[0] if len(errors) == 1 else None
    more: dict[str, Any] = {"errors": errors[:_MOST_ERRORS]}
    if only and only["field"]:
        more["field"] = only["field"]
    if len(errors) > _MOST_ERRORS:
        more["errors_left_out"] = len(errors) - _MOST_ERRORS
    said = (f"{e['field']}: {e['message']}" if e["field"] else e["message"] for e in errors[:20])
    body = document(
        "invalid", status=status, title=title, detail="; ".join(said), remedy=remedy, more=more
    )  # fmt: skip
    return {**body, "code": only["code"] if only else "invalid"}


def _error(field: str, code: str, message: str) -> dict[str, str]:
    """One wrong field: `field` as a path for people (`lines[0].sku`), `pointer` for machines (`#/lines/0/sku`)."""
    pointer = "#/" + field.replace("[", "/").replace("]", "").replace(".", "/") if field else "#"
    return {"field": field, "pointer": pointer, "code": code, "message": message}


def _flat(detail: Any, path: str = "") -> Iterator[dict[str, str]]:
    if isinstance(detail, dict):
        for name, inner in detail.items():
            if isinstance(name, int):
                yield from _flat(inner, f"{path}[{name}]")
                continue
            step = "" if name == "non_field_errors" else str(name)
            yield from _flat(inner, ".".join(part for part in (path, step) if part))
    elif isinstance(detail, list):
        for position, inner in enumerate(detail):
            nested = isinstance(inner, dict | list)
            yield from _flat(inner, f"{path}[{position}]" if nested else path)
    else:
        yield _error(path, getattr(detail, "code", "invalid") or "invalid", str(detail))

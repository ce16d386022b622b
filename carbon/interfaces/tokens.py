"""OAuth2 client credentials for partners: the client is a merchant, its secret one of the hub's API keys."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from django.core import signing
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from orderhub.access import keys, limits
from orderhub.access.authentication import KeyHolder
from orderhub.access.limits import address_of
from orderhub.access.models import ApiKey
from orderhub.kernel import clock

LIVES_SECONDS = 3600
TRIES_PER_MINUTE = 30
_SALT = "carbon.interfaces.tokens"


@csrf_exempt
@never_cache
@require_POST
def token(request: HttpRequest) -> HttpResponse:
    """`POST /auth/token`: HTTP Basic with the merchant's code and an API key, `grant_type=client_credentials`."""
    if request.POST.get("grant_type") != "client_credentials":
        return JsonResponse({"error": "unsupported_grant_type"}, status=400)
    row = _client(request.headers.get("Authorization", ""))
    if row is None:
        too_many = limits.too_many(f"token:{address_of(request)}", limit=TRIES_PER_MINUTE)
        answer = JsonResponse({"error": "invalid_client"}, status=429 if too_many else 401)
        answer["WWW-Authenticate"] = "Basic"
        return answer
    access = signing.dumps({"key": row.pk, "digest": row.digest[:16]}, salt=_SALT)
    return JsonResponse({"access_token": access, "token_type": "bearer", "expires_in": LIVES_SECONDS})


class BearerAuthentication(BaseAuthentication):
    """`Authorization: Bearer <token of /auth/token>`; a revoked key ends its tokens at once."""

    def authenticate(self, request: Request) -> tuple[KeyHolder, ApiKey] | None:
        """The holder of the key behind the token; None without the header, 401 for a bad or old one."""
        word, _blank, text = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if word.lower() != "bearer":
            return None
        try:
            told: dict[str, Any] = signing.loads(text.strip(), salt=_SALT, max_age=LIVES_SECONDS)
        except signing.SignatureExpired:
            raise AuthenticationFailed("The access token has expired.", code="TokenExpired") from None
        except signing.BadSignature:
            raise AuthenticationFailed("The access token is not valid.", code="AccessDenied") from None
        row = ApiKey.objects.select_related("merchant").filter(pk=int(told.get("key") or 0)).first()
        if row is None or row.digest[:16] != told.get("digest") or not keys.counts(row, now=clock.now()):
            raise AuthenticationFailed("The access token is not valid.", code="AccessDenied")
        return KeyHolder(row), row

    def authenticate_header(self, request: Request) -> str:
        """What a 401 asks for."""
        return "Bearer"


def _client(header: str) -> ApiKey | None:
    """The key behind `Basic code:key`, of an active merchant of that code."""
    word, _blank, encoded = header.partition(" ")
    if word.lower() != "basic":
        return None
    try:
        code, _colon, key = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    now = clock.now()
    row = keys.find(keys.digest(key), now=now)
    return row if row is not None and keys.counts(row, now=now) and row.merchant.code == code else None

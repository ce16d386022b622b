"""Who calls: a merchant's API key, or a merchant's person in a browser session."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from orderhub.access import keys
from orderhub.access.keys import digest
from orderhub.access.models import ApiKey, Merchant
from orderhub.kernel import clock


def answer_headers(request: Any) -> list[tuple[str, str]]:
    """Headers that the answer to this request will carry, whatever the answer is."""
    plain = getattr(request, "_request", request)
    found: list[tuple[str, str]] | None = getattr(plain, "hub_headers", None)
    if found is None:
        found = plain.hub_headers = []
    return found


class KeyHolder:
    """The caller behind an API key: not a person, but it has a merchant, scopes and a name for the audit."""

    is_authenticated = True
    is_anonymous = False
    is_staff = False

    def __init__(self, key: ApiKey) -> None:
        self.key = key
        self.merchant: Merchant = key.merchant
        self.actor = f"api:{key.name}"[:80]
        self.pk = None

    def may(self, scope: str) -> bool:
        """Whether the key carries the scope; a key without scopes carries all."""
        return not self.key.scopes or scope in self.key.scopes


class ApiKeyAuthentication(BaseAuthentication):
    """`Authorization: Api-Key <key>`."""

    keyword = "Api-Key"

    def authenticate(self, request: Request) -> tuple[KeyHolder, ApiKey] | None:
        """The key's holder; None without the header, 401 for a wrong, expired or revoked key."""
        word, _blank, key = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if word.lower() != "api-key":
            return None
        now = clock.now()
        row = keys.find(digest(key.strip()), now=now)
        if row is None or not keys.counts(row, now=now):
            raise AuthenticationFailed(
                _("This API key is not valid. Check it, or ask for a new one."), code="bad_key"
            )
        if row.expires_at:
            answer_headers(request).append(("X-Api-Key-Expires", row.expires_at.isoformat()))
        return KeyHolder(row), row

    def authenticate_header(self, request: Request) -> str:
        """What a 401 asks for."""
        return self.keyword


class MerchantSessionAuthentication(SessionAuthentication):
    """A logged-in person of a merchant; writes need the CSRF token."""


def merchant_of(request: Any) -> Merchant:
    """The caller's merchant; permissions have made sure there is one."""
    merchant: Merchant = request.user.merchant
    return merchant


def actor_of(request: Any) -> str:
    """The caller's name in the log."""
    user = request.user
    return user.actor if isinstance(user, KeyHolder) else f"user:{user.get_username()}"


class SessionScheme(OpenApiAuthenticationExtension):
    """How the browser session is drawn in the OpenAPI document."""

    target_class = MerchantSessionAuthentication
    name = "Session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """The session cookie."""
        return {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME}


class ApiKeyScheme(OpenApiAuthenticationExtension):
    """How the key is drawn in the OpenAPI document."""

    target_class = ApiKeyAuthentication
    name = "ApiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """The header `Authorization: Api-Key …`."""
        return {"type": "apiKey", "in": "header", "name": "Authorization", "description": "Api-Key <key>"}

"""Who looks at the operators' pages, and a small pool for them to look at."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group
from django.core.management import call_command
from django.test import Client

from orderhub.access.models import User
from orderhub.orders.models import Order
from tests.orders import builders as orders

PASSWORD = "not-so-secret"


def boss(language: str = "zh-hans") -> Client:
    """A superuser's browser."""
    found, made = User.objects.get_or_create(
        username="boss", defaults={"is_staff": True, "is_superuser": True}
    )
    if made:
        found.set_password(PASSWORD)
        found.save()
    return browser(found, language)


def member(role: str, language: str = "zh-hans", **fields: Any) -> Client:
    """The browser of somebody in one of the groups."""
    call_command("setup_roles", verbosity=0)
    found = User.objects.create(username=role, is_staff=True, **fields)
    found.groups.set(Group.objects.filter(name__endswith=f" {role}"))
    return browser(found, language)


def browser(user: User, language: str = "zh-hans") -> Client:
    """A logged-in browser that asks for a language."""
    client = Client(headers={"Accept-Language": language})
    client.force_login(user)
    return client


def pool(count: int = 3, **fields: Any) -> list[Order]:
    """Orders that have just come in."""
    first = Order.objects.count()
    return orders.placed(*[orders.draft(f"P{first + n}", **fields) for n in range(count)])


def messages_of(response: Any) -> list[str]:
    """What the page told after a redirect was followed."""
    return [str(message) for message in response.context["messages"]]

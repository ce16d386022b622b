"""System checks of the house: what is missing is said at the start, with the remedy."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from orderhub.celery import QUEUES
from orderhub.events import kinds, registry
from orderhub.journey import JOURNEY
from rules import flow


@register()
def browser_libraries(**_options: Any) -> list[CheckMessage]:
    """The browser libraries are fetched by set-up; where static files were collected they are no longer
    needed.
    """
    if settings.NODE_MODULES.is_dir() or (settings.STATIC_ROOT / "staticfiles.json").exists():
        return []
    remedy = "Run `make setup`; it fetches them from the lock file in frontend/."
    return [
        Error("The browser libraries (frontend/node_modules) are missing.", hint=remedy, id="orderhub.E001")
    ]


@register()
def journey(**_options: Any) -> list[CheckMessage]:
    """Every step an order walks through is registered by some app."""
    remedy = (
        f"Registered: {', '.join(flow.names()) or 'none'}. Mend orderhub/journey.py or the app's steps.py."
    )
    return [
        Error(f"The journey names the unknown step {name}.", hint=remedy, id="orderhub.E002")
        for name in flow.unknown(JOURNEY)
    ]


@register()
def event_words(**_options: Any) -> list[CheckMessage]:
    """Every kind of event can be said in both languages."""
    return [
        Error(
            f"The event kind {kind.name} has no words in {language}.",
            hint="Give `kinds.declare` both zh and en.",
            id="orderhub.E003",
        )
        for kind in kinds.catalog()
        for language, words in (("Chinese", kind.zh), ("English", kind.en))
        if not words.strip()
    ]


@register()
def listeners(**_options: Any) -> list[CheckMessage]:
    """Everybody listens to declared kinds, in queues that exist."""
    declared = {kind.name for kind in kinds.catalog()}
    found: list[CheckMessage] = []
    for listener in registry.listeners():
        for kind in sorted(listener.kinds - declared):
            remedy = "Declare it in the kinds.py of the app it belongs to."
            found.append(
                Error(
                    f"{listener.name} listens to the undeclared kind {kind}.", hint=remedy, id="orderhub.E004"
                )
            )
    queues = {each.name: each.queue for each in (*registry.listeners(), *registry.periodics.values())}
    return found + [
        Error(
            f"{name} runs in the unknown queue {queue}.",
            hint=f"Queues: {', '.join(QUEUES)}.",
            id="orderhub.E005",
        )
        for name, queue in sorted(queues.items())
        if queue not in QUEUES
    ]

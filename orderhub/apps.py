"""The hub's own app: it names the apps and loads their registries (kinds, subscribers, steps …)."""

from __future__ import annotations

from django.apps import AppConfig, apps
from django.utils.module_loading import autodiscover_modules
from django.utils.translation import gettext_lazy as _

#: What people call the apps, in breadcrumbs and permissions.
NAMES = {
    "access": _("Access"),
    "events": _("Event log"),
    "fields": _("Custom fields"),
    "inventory": _("Stock"),
    "orders": _("Orders"),
    "risk": _("Risk"),
    "compliance": _("Cross-border"),
    "fulfillment": _("Fulfillment"),
    "connectors": _("Connections"),
    "carbon": _("Carbon"),
    "routing": _("Routing"),
    "tracking": _("Tracking"),
    "center": _("Control tower"),
    "rules": _("Rules"),
}


class HubConfig(AppConfig):
    """Management commands, checks and the loading of every app's registrations."""

    name = "orderhub"
    label = "orderhub"
    verbose_name = "OrderHub"

    def ready(self) -> None:
        """Import each app's kinds before its subscribers, steps and words; then the checks."""
        for label, name in NAMES.items():
            apps.get_app_config(label).verbose_name = name
        for module in (
            "kinds",
            "facts",
            "custom",
            "vocabulary",
            "steps",
            "subscribers",
            "invariants",
            "checks",
            "panels",
            "library",
        ):
            autodiscover_modules(module)

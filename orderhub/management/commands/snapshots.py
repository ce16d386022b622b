"""`manage.py snapshots`: write what is a contract into the repository, so that its changes are seen in review."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import models
from django.utils import translation
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiYamlRenderer

from orderhub.events import kinds
from orderhub.fulfillment.models import FulfillmentOrder
from orderhub.management import problem_codes
from orderhub.management.openapi import breaking, client_code, postman
from orderhub.orders.models import Order

OPENAPI = "docs/openapi.yaml"


def machine_drawing() -> str:
    """Both machines as Mermaid state diagrams, from the transitions declared on the models."""
    parts = ["# State machines\n\nDrawn from the code by `python manage.py snapshots`; a test compares.\n"]
    for title, model, field in (
        ("Order.stage", Order, "stage"),
        ("FulfillmentOrder.state", FulfillmentOrder, "state"),
    ):
        parts.append(f"\n## {title}\n\n```mermaid\nstateDiagram-v2\n{_transitions(model, field)}\n```\n")
    return "".join(parts)


def _transitions(model: type[models.Model], field: str) -> str:
    machine: Any = model._meta.get_field(field)
    rows = {
        f"    {transition.source} --> {transition.target}: {transition.name}"
        for transition in machine.get_all_transitions(model)
    }
    return "\n".join(sorted(rows))


def openapi_document() -> str:
    """The OpenAPI document as YAML, in English."""
    with translation.override("en"):
        schema = SchemaGenerator().get_schema(request=None, public=True)
        text: bytes = OpenApiYamlRenderer().render(schema, renderer_context={})
        return text.decode()


def kind_table() -> dict[str, dict[str, object]]:
    """The declared event kinds by name."""
    return {
        kind.name: {"zh": kind.zh, "en": kind.en, "milestone": kind.milestone, "visibility": kind.visibility,
                    "fields": list(kind.fields), "personal": list(kind.personal)}
        for kind in kinds.catalog()
    }  # fmt: skip


def kind_catalog() -> str:
    """The event kinds as JSON."""
    return json.dumps(kind_table(), ensure_ascii=False, indent=1, sort_keys=True) + "\n"


class Command(BaseCommand):
    """Writes the snapshots."""

    help = "Write the contracts (OpenAPI, event kinds, state machines) into the repository."

    def handle(self, *args: Any, **options: Any) -> None:
        """Overwrite the recorded files with what the code says now."""
        root = Path(settings.BASE_DIR)
        text = openapi_document()
        self._refuse_silent_breaks(yaml.safe_load((root / OPENAPI).read_text("utf-8")), yaml.safe_load(text))
        document = yaml.safe_load(text)
        for name, content in (
            ("docs/machines.md", machine_drawing()),
            (OPENAPI, text),
            ("tests/contracts/kinds.json", kind_catalog()),
            (problem_codes.PAGE, problem_codes.page()),
            (problem_codes.CATALOG, problem_codes.catalog()),
            (postman.PATH, postman.text(document)),
            (client_code.MODELS, client_code.models(document)),
            (client_code.CALLS, client_code.calls(document)),
        ):
            (root / name).write_text(content, "utf-8")
            self.stdout.write(f"  wrote {name}")

    def _refuse_silent_breaks(self, old: dict[str, Any], new: dict[str, Any]) -> None:
        """A change that breaks callers needs its line in the changelog first."""
        changes = (Path(settings.BASE_DIR) / breaking.CHANGES).read_text("utf-8")
        missing = breaking.unlisted(breaking.breaks(old, new), changes)
        if missing:
            lines = "\n".join(f"- Breaking: {line}" for line in missing)
            raise CommandError(f"This breaks callers. If it is meant, put into {breaking.CHANGES}:\n{lines}")

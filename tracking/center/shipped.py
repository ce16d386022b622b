"""What comes with OrderHub: milestones, calendars with China's days, templates, alert rules; rows people may change."""

from __future__ import annotations

import csv
import json
from datetime import date, time
from decimal import Decimal
from pathlib import Path
from typing import Any

from tracking import narrate

DATA = Path(__file__).resolve().parent / "data"


def load(apps: Any) -> None:
    """Add what is missing; what people changed stays. `apps` gives the models (those of a migration, or the present)."""
    documents = json.loads((DATA / "templates.json").read_text("utf-8"))
    _milestones(apps)
    _days(apps)
    calendars = _calendars(apps, documents["calendars"])
    _templates(apps, documents["templates"], calendars)
    _rules(apps, documents["rules"], calendars)


def _milestones(apps: Any) -> None:
    model = apps.get_model("center", "MilestoneKind")
    known = set(model.objects.filter(merchant__isnull=True).values_list("code", flat=True))
    model.objects.bulk_create(
        model(
            code=one.code, group=one.group, zh=one.zh, en=one.en, public=one.public, is_terminal=one.terminal,
            position=10 * number, is_shipped=True,
        )
        for number, one in enumerate(narrate.milestones().values(), 1)
        if one.code not in known
    )  # fmt: skip


def _days(apps: Any) -> None:
    model = apps.get_model("center", "CalendarDay")
    with (DATA / "calendar_cn.csv").open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            said = {"is_open": row["open"] == "yes", "name": row["zh"], "name_en": row["en"]}
            model.objects.get_or_create(country="CN", date=date.fromisoformat(row["date"]), defaults=said)


def _calendars(apps: Any, documents: list[dict[str, Any]]) -> dict[str, Any]:
    model = apps.get_model("center", "Calendar")
    found = {}
    for one in documents:
        said = {
            "name": one["name"], "name_en": one["name_en"], "weekdays": one["weekdays"], "country": one["country"],
            "opens_at": time.fromisoformat(one["opens"]), "closes_at": time.fromisoformat(one["closes"]),
            "is_shipped": True,
        }  # fmt: skip
        found[one["code"]] = model.objects.get_or_create(code=one["code"], defaults=said)[0]
    return found


def _templates(apps: Any, documents: list[dict[str, Any]], calendars: dict[str, Any]) -> None:
    """They wait switched off: an operator says which orders each is for."""
    model, step = apps.get_model("center", "JourneyTemplate"), apps.get_model("center", "TemplateStep")
    for one in documents:
        said = {
            "name": one["name"], "name_en": one["name_en"], "calendar": calendars[one["calendar"]],
            "priority": one["priority"], "is_active": False, "is_shipped": True,
        }  # fmt: skip
        row, is_new = model.objects.get_or_create(code=one["code"], defaults=said)
        if is_new:
            step.objects.bulk_create(
                _step(step, row, number, *line) for number, line in enumerate(one["steps"], 1)
            )


def _step(
    model: Any,
    template: Any,
    number: int,
    milestone: str,
    hours: float,
    works: bool,
    shown: str = "staff",
    *names: str,
) -> Any:
    zh, en = (*names, "", "")[:2]
    return model(
        template=template, position=10 * number, milestone=milestone, hours=Decimal(str(hours)), works=works,
        shown_to=shown, name=zh, name_en=en,
    )  # fmt: skip


def _rules(apps: Any, documents: list[dict[str, Any]], calendars: dict[str, Any]) -> None:
    model = apps.get_model("center", "StallRule")
    for one in documents:
        said = {
            "name": one["name"], "name_en": one["name_en"], "sort": one.get("sort", "stall"),
            "milestones": one["milestones"], "times": one.get("times", 1), "hours": Decimal(str(one.get("hours", 0))),
            "is_learned": one.get("learned", False), "calendar": calendars.get(one.get("calendar", "")),
            "severity": one["severity"], "deed": one["deed"], "is_shipped": True,
            "escalate_hours": Decimal(str(one["escalate"])) if "escalate" in one else None,
        }  # fmt: skip
        model.objects.get_or_create(code=one["code"], defaults=said)

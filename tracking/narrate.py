"""Plain sentences for milestones, order stages and times, in Chinese and English; no code ever reaches a
page.

The sentences here are data of the product (milestones.csv and the tables below), not gettext messages: both
languages of one sentence are edited, versioned and tested side by side.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Literal, NamedTuple

from tracking import wording
from tracking.times import eta_band, eta_text, relative_time

__all__ = [
    "Audience",
    "Headline",
    "Milestone",
    "eta_band",
    "eta_text",
    "headline",
    "is_visible",
    "milestones",
    "relative_time",
    "sentence",
]

DATA = Path(__file__).resolve().parent / "data"
PLACEHOLDERS = frozenset({"warehouse", "place", "eta", "step", "n", "carrier"})

Audience = Literal["customer", "partner", "staff"]

_FIELD = re.compile(r"\{(\w+)\}")
_CLAUSES = {"zh": re.compile(r"(?<=[，。；])"), "en": re.compile(r"(?<=[.,;]) ")}
# A machine's word, not a person's: E203, WMS_REJECTED, a template or markup left over.
_CODE = re.compile(r"[{}<>]|^[A-Z]+[-_ ]?\d{2,}\w*$|^[A-Za-z]+_\w+$|^(None|null|nan)$")


@dataclass(frozen=True, slots=True)
class Milestone:
    """One step of an order's life: its sentences, who may see it, and its names in other systems."""

    code: str
    group: str
    zh: str
    en: str
    public: str
    terminal: bool = False
    names: Mapping[str, str] = field(default_factory=dict)


class Headline(NamedTuple):
    """What a customer reads first: the state or time, then what it means and whether anything is to be
    done.
    """

    title: str
    detail: str


@cache
def milestones() -> Mapping[str, Milestone]:
    """The product's milestones by code, in the order of an order's life."""
    with (DATA / "milestones.csv").open(encoding="utf-8", newline="") as lines:
        return MappingProxyType({row["code"]: _milestone(row) for row in csv.DictReader(lines)})


def _milestone(row: Mapping[str, str]) -> Milestone:
    own = {"code", "group", "zh_nlg", "en_nlg", "public", "terminal"}
    return Milestone(
        code=row["code"],
        group=row["group"],
        zh=row["zh_nlg"],
        en=row["en_nlg"],
        public=row["public"],
        terminal=row["terminal"] == "yes",
        names=MappingProxyType({key: value for key, value in row.items() if key not in own and value}),
    )


def is_visible(
    milestone: Milestone,
    *,
    audience: Audience = "customer",
    warehouse_shown: bool = False,
    on_board: bool = False,
) -> bool:
    """Whether an audience may see a milestone at all; masked ones are seen without their reason."""
    if audience == "staff" or milestone.public in ("yes", "masked"):
        return True
    if milestone.public == "by_setting":
        return warehouse_shown
    return milestone.public == "by_board" and on_board


def sentence(
    code: str,
    *,
    facts: Mapping[str, object] | None = None,
    language: str = "zh-hans",
    audience: Audience = "customer",
    own: Mapping[str, Milestone] | None = None,
) -> str:
    """One readable sentence for a milestone; "" if it is internal and the audience is not staff.

    `facts` may hold warehouse, place, eta, step, n, carrier (or place_en … for one language) and reason. A
    missing
    value drops its clause. `own` are a merchant's milestones. An unknown code gives a general sentence.
    """
    tongue, known = _tongue(language), facts or {}
    milestone = (own or {}).get(code) or milestones().get(code)
    if milestone is None:
        return wording.NEWS[tongue]
    if milestone.public == "internal" and audience != "staff":
        return ""
    template = milestone.zh if tongue == "zh" else milestone.en
    text = _filled(template, known, tongue) or wording.WITHOUT_VALUES.get(code, wording.NEWS)[tongue]
    text = text[0].upper() + text[1:]
    return _with_reason(text, milestone, known, tongue, audience)


def _with_reason(
    text: str, milestone: Milestone, facts: Mapping[str, object], tongue: str, audience: Audience
) -> str:
    reason = str(facts.get("reason") or "")
    if milestone.public == "masked":
        hold = wording.HOLD_REASONS.get(reason)
        if audience != "staff" or hold is None:
            return text
        return f"{text}（{hold[tongue]}）" if tongue == "zh" else f"{text} ({hold[tongue]})"
    cause = wording.CAUSES.get(milestone.code, {}).get(reason)
    if cause is None:
        return text
    _, *rest = _CLAUSES[tongue].split(text)
    if tongue == "zh":
        return "，".join([cause[tongue], *(part.rstrip("，。；") for part in rest if part)])
    return " ".join([f"{cause[tongue]}." if rest else cause[tongue], *rest])


def _filled(template: str, facts: Mapping[str, object], tongue: str) -> str:
    """The template without the clauses whose values are missing; "" if nothing is left."""
    kept = []
    for clause in _CLAUSES[tongue].split(template):
        values = {name: _value(facts, name, tongue) for name in _FIELD.findall(clause)}
        if all(values.values()):
            kept.append(_FIELD.sub(lambda match, values=values: values[match[1]], clause))
    joined = ("" if tongue == "zh" else " ").join(kept)
    return joined if len(kept) == len(_CLAUSES[tongue].split(template)) else joined.rstrip("，。；.,; ")


def _value(facts: Mapping[str, object], name: str, tongue: str) -> str:
    if name not in PLACEHOLDERS:
        return ""
    value = facts.get(f"{name}_{tongue}")
    text = str(facts.get(name, "") if value is None else value).strip()
    return "" if _CODE.search(text) else text


def headline(
    stage: str,
    *,
    language: str = "zh-hans",
    eta: str = "",
    awaiting_payment: bool = False,
    held: bool = False,
    parcels: int = 0,
    parcels_done: int = 0,
) -> Headline:
    """The first words of a customer's page for an order stage.

    `eta` is a text of `eta_text`, shown while the order moves; `parcels_done` counts those shipped (or, when
    partially delivered, delivered). Waiting for payment and reviewing win over the stage until it has left.
    """
    tongue = _tongue(language)
    if stage in wording.BEFORE_SHIPPING:
        stage = "awaiting_payment" if awaiting_payment else "reviewing" if held else stage
    title, detail = wording.STAGES.get(stage, wording.STAGES["unknown"])[tongue]
    if eta and stage in wording.MOVING:
        title, detail = eta, title
    if parcels > 1 and stage in wording.COUNTED:
        count = wording.COUNTED[stage][tongue].format(done=parcels_done, all=parcels)
        detail = f"{detail}，{count}" if tongue == "zh" else f"{detail}: {count}"
    return Headline(title, detail)


def _tongue(language: str) -> str:
    """Chinese for any zh, English for everything else."""
    return "zh" if language.lower().startswith("zh") else "en"

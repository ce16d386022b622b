"""Sentences as operators write them: checked, kept as versions, tried with a real order; what is missing is found."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Max
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from orderhub.access.models import Merchant
from orderhub.fulfillment.models import FulfillmentOrder
from orderhub.kernel.errors import Refused
from orderhub.orders.models import Order
from tracking import narrate
from tracking.center import book as books
from tracking.center.book import AUDIENCES, Audience, Book
from tracking.center.models import Sentence
from tracking.models import TimelineEntry
from tracking.times import eta_band

_FIELD = re.compile(r"\{(\w+)\}")
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_LETTERS = re.compile(r"[A-Za-z]{3}")
Text = str | Promise


@dataclass(frozen=True, slots=True)
class Preview:
    """What readers would see: both languages, with the order's values and with none at all."""

    zh: str
    en: str
    zh_bare: str
    en_bare: str


@dataclass(frozen=True, slots=True)
class Gap:
    """A sentence that somebody must still write: no text, or a text in the other language."""

    milestone: str
    audience: str
    language: str


def flaws(zh: str, en: str) -> list[Text]:
    """What is wrong with two templates, in words; empty where nothing is."""
    found: list[Text] = []
    for text in (zh, en):
        if not text.strip():
            found.append(_("Both languages are needed."))
        if set(_FIELD.findall(text)) - narrate.PLACEHOLDERS or re.search(r"[{}]", _FIELD.sub("", text)):
            names = " ".join(f"{{{name}}}" for name in sorted(narrate.PLACEHOLDERS))
            found.append(_("These values can be filled in: %(names)s") % {"names": names})
        if "<" in text or ">" in text:
            found.append(_("A sentence holds no markup."))
    if zh.strip() and not _CHINESE.search(_FIELD.sub("", zh)):
        found.append(_("The Chinese sentence is not in Chinese."))
    if _CHINESE.search(en):
        found.append(_("The English sentence is not in English."))
    return list(dict.fromkeys(found))


def say(
    milestone: str,
    audience: Audience,
    zh: str,
    en: str,
    *,
    merchant: Merchant | None,
    note: str,
    actor: str,
    now: datetime,
) -> Sentence:
    """Put a new version in force; the one before stays for going back. Raises Refused("bad_sentence")."""
    wrong = flaws(zh, en)
    if wrong:
        raise Refused(
            "bad_sentence", _("This sentence cannot be kept: %(why)s") % {"why": wrong[0]},
            remedy=_("Correct the sentence."),
        )  # fmt: skip
    with transaction.atomic():
        own = Sentence.objects.select_for_update().filter(
            milestone=milestone, audience=audience, merchant=merchant
        )
        last = max(own.values_list("number", flat=True), default=0)
        own.update(is_in_force=False)
        return Sentence.objects.create(
            merchant=merchant, milestone=milestone, audience=audience, number=last + 1, zh=zh.strip(), en=en.strip(),
            note=note[:200], created_by=actor[:80], created_at=now,
        )  # fmt: skip


def withdraw(milestone: str, audience: Audience, *, merchant: Merchant | None) -> None:
    """Speak with the product's words again; the versions stay."""
    Sentence.objects.filter(milestone=milestone, audience=audience, merchant=merchant).update(
        is_in_force=False
    )


def versions(milestone: str, audience: Audience, merchant: Merchant | None) -> Sequence[Sentence]:
    """What was in force, the newest first."""
    rows = Sentence.objects.filter(milestone=milestone, audience=audience, merchant=merchant)
    return list(rows.order_by("-number")[:20])


def newest_number(milestone: str, audience: str) -> int:
    """The highest version of a sentence, 0 where there is none."""
    rows = Sentence.objects.filter(milestone=milestone, audience=audience)
    return rows.aggregate(last=Max("number"))["last"] or 0


def gaps(book: Book) -> list[Gap]:
    """Every milestone × audience × language that has no sentence of its own language."""
    found = []
    for code in book.codes():
        for audience in AUDIENCES:
            zh, en = book.words(code, audience) or ("", "")
            if not _CHINESE.search(_FIELD.sub("", zh)):
                found.append(Gap(code, audience, "zh"))
            if not _LETTERS.search(_FIELD.sub("", en)) or _CHINESE.search(en):
                found.append(Gap(code, audience, "en"))
    return found


def preview(
    milestone: str, audience: Audience, zh: str, en: str, *, book: Book, facts: Mapping[str, object]
) -> Preview:
    """The sentences as an audience would read them."""
    tried = Book(
        book.own, book.hidden, book.ranks, book.statuses, {**book.sentences, (milestone, audience): (zh, en)}
    )

    def said(values: Mapping[str, object], language: str) -> str:
        return tried.sentence(milestone, facts=values, language=language, audience=audience)

    return Preview(said(facts, "zh-hans"), said(facts, "en"), said({}, "zh-hans"), said({}, "en"))


def facts_of(order: Order, milestone: str, *, now: datetime) -> dict[str, object]:
    """The values a milestone's sentence has for this order: those it was told with, else what the order knows."""
    work = (
        FulfillmentOrder.objects.filter(order=order)
        .select_related("warehouse", "rate_card")
        .order_by("-pk")
        .first()
    )
    found: dict[str, object] = {
        "place_zh": order.city,
        "place_en": order.city,
        "n": 2,
        "step": milestone.title(),
    }
    if work is not None:
        found |= {
            "warehouse_zh": work.warehouse.name, "warehouse_en": work.warehouse.name_en or work.warehouse.name,
            "carrier_zh": work.rate_card.name, "carrier_en": work.rate_card.name_en or work.rate_card.name,
        }  # fmt: skip
        if work.eta_from_at and work.eta_to_at:
            zone = ZoneInfo(order.merchant.time_zone)
            for tongue, language in (("zh", "zh-hans"), ("en", "en")):
                found[f"eta_{tongue}"] = eta_band(
                    work.eta_from_at, work.eta_to_at, now=now, language=language, zone=zone
                )
    entry = (
        TimelineEntry.objects.filter(journey__order=order, milestone=milestone)
        .order_by("-occurred_at")
        .first()
    )
    if entry is not None:
        found |= {name: value for name, value in entry.facts.items() if name in ("step", "n", "reason")}
        if entry.place:
            found |= {"place_zh": entry.place, "place_en": entry.place}
    return found


def book_of(merchant: Merchant | None) -> Book:
    """The book of a merchant, or of nobody in particular: what holds for everybody."""
    return books.book(merchant.pk if merchant else 0)

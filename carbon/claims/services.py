"""Checking texts before they are published, and publishing merchants' own; every check is kept with its outcome."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from carbon.claims import linter, starters
from carbon.claims.linter import Finding, Word
from carbon.claims.models import ClaimCheck, ClaimText, ClaimWord
from carbon.wording import say
from orderhub.kernel.errors import Refused
from orderhub.orders.models import Order

V = ClaimCheck.Verdict
#: What may stand in a text in braces.
FILLED = ("kg", "low", "high", "year", "share", "method")


def ensure_words() -> int:
    """Write the words of a fresh hub where there are none; how many were written. One query otherwise."""
    if ClaimWord.objects.exists():
        return 0
    rows = [
        ClaimWord(
            text=one.text, market=one.market, language=one.language, why_zh=one.why_zh, why_en=one.why_en,
            instead_zh=one.instead_zh, instead_en=one.instead_en,
        )
        for one in starters.words()
    ]  # fmt: skip
    return len(ClaimWord.objects.bulk_create(rows, ignore_conflicts=True))


def words_in_force() -> list[Word]:
    """The active words of the lists, or those of a fresh hub where no list was ever written; one query."""
    rows = ClaimWord.objects.order_by("pk").values_list(
        "text", "market", "language", "why_zh", "why_en", "instead_zh", "instead_en", "is_active"
    )
    found = list(rows)
    if not found:
        return starters.words()
    return [Word(*row[:-1]) for row in found if row[-1]]


def look(text: str, *, market: str, language: str) -> list[Finding]:
    """What is wrong with a text in a market; nothing is kept."""
    return linter.lint(text, market=market, language=language, words=words_in_force())


def check(
    text: str,
    *,
    place: str,
    market: str,
    language: str,
    merchant_id: int | None,
    actor: str,
    now: datetime,
    override: str = "",
) -> ClaimCheck:
    """Check a text that is about to be published and keep the outcome; the caller obeys `blocked`.

    `override` is the reason of somebody who may publish it all the same.
    """  # fmt: skip
    found = look(text, market=market, language=language)
    if not found:
        verdict = V.PASSED
    elif market not in linter.BLOCKING:
        verdict = V.WARNED
    else:
        verdict = V.OVERRIDDEN if override else V.BLOCKED
    return ClaimCheck.objects.create(
        merchant_id=merchant_id, place=place[:120], market=market, language=language[:8], text=text[:4000],
        verdict=verdict, findings=[_json(one) for one in found], checked_by=actor[:80], checked_at=now,
        reason=override[:300] if verdict == V.OVERRIDDEN else "",
    )  # fmt: skip


def publish(row: ClaimText, *, actor: str, now: datetime, may_override: bool) -> ClaimCheck:
    """Publish a merchant's text; raises Refused where the check blocks it, and the check is kept all the same."""
    made = check(
        row.text, place=f"text:{row.place}", market=row.market, language=row.language,
        merchant_id=row.merchant_id, actor=actor, now=now, override=row.override_reason if may_override else "",
    )  # fmt: skip
    if made.verdict == V.BLOCKED:
        raise Refused(
            "claim_blocked",
            _("This text may not be published there: %(why)s") % {"why": "; ".join(told(made.findings))},
            remedy=_("Change it, or give a reason and have it published by somebody who may."),
            facts={"findings": [one["code"] for one in made.findings]},
        )
    with transaction.atomic():
        row.published_text, row.published_at, row.published_by = row.text, now, actor[:80]
        row.save()
    return made


def told(findings: Sequence[Mapping[str, Any]]) -> list[str]:
    """Kept findings as sentences in the reader's language."""
    return [f"「{one['text']}」 {say(one['zh'], one['en'])}".replace("「」 ", "") for one in findings]


def note_for(order: Order, figure: Mapping[str, Any] | None, *, place: str, language: str) -> str:
    """The published text of the order's merchant for its market, filled in; else the neutral one; "" without a figure."""
    if figure is None:
        return ""
    market = linter.market_of(order.country)
    rows = ClaimText.objects.filter(
        merchant_id=order.merchant_id, place=place, market__in=(market, "*"), language=language[:2],
        published_at__isnull=False,
    )  # fmt: skip
    row = min(rows, key=lambda one: one.market == "*", default=None)
    text = row.published_text if row is not None else neutral(language)
    return filled(text, figure)


def neutral(language: str) -> str:
    """The sentence that says the figure and claims nothing."""
    return say(
        "本次履约估算排放 {kg} kg CO2e（{low}–{high}；{method}，数据年份 {year}，主要数据占比 {share} %）。",
        "Estimated {kg} kg CO2e for this order ({low}–{high}; {method}, data of {year}, {share} % primary data).",
        language,
    )


def filled(text: str, figure: Mapping[str, Any]) -> str:
    """A text with the figure in its braces; other braces stay as they are."""
    values = {**figure, "share": f"{float(figure['primary_share']) * 100:.0f}"}
    for name in FILLED:
        text = text.replace(f"{{{name}}}", str(values.get(name, "")))
    return text


def templates(language: str) -> Iterator[tuple[str, str]]:
    """The sentences of ours that customers read beside carbon figures: place and text."""
    yield "neutral note", neutral(language)
    for name, (zh, en) in OURS.items():
        yield name, say(zh, en, language)


#: Where our own pages say something about climate; the linter reads them in the tests and in `carbon_claims`.
OURS: dict[str, tuple[str, str]] = {
    "promise: label": ("合并配送", "Consolidated delivery"),
    "promise: saving": (
        "与立即单独发货相比，估算少排 {saving} kg CO2e（方法对齐 ISO 14083，数据年份 {year}）",
        "An estimated {saving} kg CO2e less than shipping at once (aligned with ISO 14083, data of {year})",
    ),
    "offsets": (
        "另行支持 {kg} kg 项目，不构成对本商品或配送的抵消声明。",
        "We also support projects. This is no offset of this product or delivery.",
    ),
}


def _json(one: Finding) -> dict[str, str]:
    return {
        "code": one.code, "text": one.text, "zh": one.zh, "en": one.en, "instead_zh": one.instead_zh,
        "instead_en": one.instead_en,
    }  # fmt: skip

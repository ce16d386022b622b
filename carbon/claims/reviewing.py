"""Rule texts before they are published: names and labels that customers may read, in the markets a merchant sells to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from carbon.claims import linter, services
from carbon.reports.models import ReportProfile
from rules import vocabulary
from rules.vocabulary import Drafted, Finding

#: Keys of a rule's body that hold texts for people.
_TEXTS = (
    "name",
    "name_en",
    "label",
    "label_en",
    "title",
    "title_en",
    "text",
    "text_en",
    "message",
    "detail",
    "note",
)
PURPOSES = ("price", "screen")


def teach() -> None:
    """Have drafts of promotions and of screening rules read by the linter."""
    for purpose in PURPOSES:
        vocabulary.teach_review(purpose, review)


def review(set_code: str, scope: str, rules: Sequence[Drafted], now: datetime) -> Iterator[Finding]:
    """Errors for a market that blocks, warnings elsewhere; no query where no rule says anything of climate."""
    texts = [(path, text) for one in rules for path, text in _texts(one.body, str(one.rule.id))]
    if not texts:
        return
    words = services.words_in_force()
    for market in markets_of(scope):
        level: Any = "error" if market in linter.BLOCKING else "warning"
        for path, text in texts:
            language = "en" if text.isascii() else "zh"
            for found in linter.lint(text, market=market, language=language, words=words):
                yield Finding(
                    level, path, f"claim_{found.code}", f"{market}: {found.zh}", f"{market}: {found.en}"
                )


def markets_of(scope: str) -> list[str]:
    """The markets of a merchant's scope as its reporting profile names them; any market (a warning) without one."""
    number = scope.removeprefix("merchant:")
    row = ReportProfile.objects.filter(pk=int(number)).first() if number.isdigit() else None
    named = [part.strip().upper() for part in row.markets.split(",")] if row is not None else []
    return [part for part in named if part] or ["*"]


def _texts(body: object, path: str) -> Iterator[tuple[str, str]]:
    """The texts of a body, wherever they stand in it."""
    if isinstance(body, dict):
        for key, value in body.items():
            if key in _TEXTS and isinstance(value, str) and value:
                yield f"{path}.{key}", value
            else:
                yield from _texts(value, f"{path}.{key}")
    elif isinstance(body, list):
        for place, value in enumerate(body):
            yield from _texts(value, f"{path}[{place}]")

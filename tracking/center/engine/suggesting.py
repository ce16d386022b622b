"""What an unknown code or remark may mean: phrases of carriers in Chinese and English, then what looks alike; pure."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cache
from pathlib import Path

DATA = Path(__file__).resolve().parent.parent / "data"
#: Less alike than this is no suggestion.
ALIKE = 0.72


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A milestone, how sure (0 to 1), and what it was seen by: the phrase, or the known text that is alike."""

    milestone: str
    score: float
    seen: str


@dataclass(frozen=True, slots=True)
class Known:
    """A code or text somebody mapped before."""

    text: str
    milestone: str


@cache
def phrases() -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Milestones with the words that tell of them, those that decide first."""
    with (DATA / "phrases.csv").open(encoding="utf-8", newline="") as lines:
        return tuple((row["milestone"], tuple(row["pattern"].split("|"))) for row in csv.DictReader(lines))


def suggest(code: str, text: str, known: Iterable[Known] = ()) -> Suggestion | None:
    """The likeliest milestone; None where nothing is alike.

    The longest phrase in the text decides, since it says the most (派送不成功 is no 派送); then equal or similar texts.
    """
    said = f"{code} {text}".strip().lower()
    if not said:
        return None
    found = [
        (len(word), -number, milestone, word)
        for number, (milestone, words) in enumerate(phrases())
        for word in words
        if word in said
    ]
    if found:
        length, _first, milestone, word = max(found)
        return Suggestion(milestone, min(0.95, 0.6 + 0.05 * length), word)
    best: Suggestion | None = None
    for one in known:
        score = SequenceMatcher(None, said, one.text.lower(), autojunk=False).ratio()
        if score >= ALIKE and (best is None or score > best.score):
            best = Suggestion(one.milestone, round(score, 2), one.text)
    return best

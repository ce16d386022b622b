"""Rounds through pages that answer alike in every theme and width: each is loaded once a language and worn in all of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Page
from xdist.scheduler import LoadScopeScheduling

from tests.browser import survey
from tests.browser.scene import SKIPPED
from tests.browser.visiting import Guise, wear

#: What sticks out by width, which texts are in the wrong language, and what axe finds.
Faults = tuple[Any, Any, Any]
_NOT_OURS = (".object-tools",)
#: Below it is a phone.
NARROW = 800


class Shares(LoadScopeScheduling):
    """Hands tests to processes one by one, in their order, but those that share a look or a round together."""

    def _split_scope(self, nodeid: str) -> str:
        return sharing(nodeid)


def sharing(nodeid: str) -> str:
    """The same name for all tests that share work. (xdist's own groups do nothing under pytest 9.2.)"""
    test, _, parameters = nodeid.partition("[")
    if test.startswith("tests/browser/test_pages.py"):
        return parameters or test
    if "_fit_and_are_in_one_language" in test:
        return f"{test}-{'zh-hans' if 'zh-hans' in parameters else 'en'}"
    return nodeid


def guises(
    language: str, *, widths: Sequence[int] = (390, 1440), themes: Sequence[str] = ("light", "dark")
) -> list[Guise]:
    """An operator's guises in this language, narrow ones first."""
    return [
        Guise("admin", language=language, theme=theme, width=width) for width in widths for theme in themes
    ]


def worn(page: Page, guises: Sequence[Guise]) -> Iterator[Guise]:
    """The loaded page in one guise after the other."""
    for guise in guises:
        wear(page, guise)
        yield guise


@dataclass(slots=True)
class Round:
    """The faults of every page in every guise; `skipped` texts are data."""

    known: re.Pattern[str]
    skipped: Sequence[str] = ("tbody", "select")
    seen: dict[Guise, dict[str, Faults]] = field(default_factory=dict)

    def look(self, page: Page, name: str, guise: Guise) -> None:
        """Look at what the page wears now."""
        wide = survey.sticking_out(page, (guise.width,))
        words = survey.words(page, skipped=(*SKIPPED, *self.skipped))
        strange = survey.untranslated(words, guise.language, known=self.known)
        # Axe takes most of a look, and its rules see language, theme and width each for itself: every pair is enough.
        broken = survey.violations(page, skipped=_NOT_OURS) if _is_paired(guise) else []
        self.seen.setdefault(guise, {})[name] = wide, strange, broken

    def faults(self, guise: Guise) -> dict[str, Faults]:
        """What was found in this guise, by page; fails where nobody looked."""
        return {name: found for name, found in self.seen[guise].items() if any(found)}


def _is_paired(guise: Guise) -> bool:
    """Half of the guises, in which every language, theme and width meets every other once."""
    return (guise.language == "en") ^ (guise.theme == "dark") ^ (guise.width < NARROW)

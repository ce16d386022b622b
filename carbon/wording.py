"""Chinese and English side by side, for texts that are chosen by the reader of a document and not of the page."""

from __future__ import annotations

from django.utils.translation import get_language


def tongue(language: str = "") -> str:
    """The column of a pair of texts: "zh" or "en", of this language or else of the page's."""
    return "zh" if (language or get_language() or "zh").lower().startswith("zh") else "en"


def say(zh: str, en: str, language: str = "") -> str:
    """The text in this language, or else in the page's."""
    return zh if tongue(language) == "zh" else en

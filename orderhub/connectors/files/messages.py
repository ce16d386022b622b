"""Every wording about merchants' files, in Chinese and English: a closed table by kind.

Kept apart from the translation files because error lists are written in the language the merchant picked for
the download, by code that knows no web request.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from orderhub.connectors.files.faults import FileRefused, RowError
from orderhub.connectors.files.wording_fields import FIELD_WORDS
from orderhub.connectors.files.wording_files import FILE_WORDS
from orderhub.connectors.files.wording_rows import ROW_WORDS

Language = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = ("zh", "en")


class Wording(NamedTuple):
    """A short title, the reason with its facts, and what to do about it."""

    title: str
    reason: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Message:
    """The templates of one kind; `{name}` is filled from the facts of the case."""

    zh: Wording
    en: Wording


MESSAGES: Mapping[str, Message] = {
    kind: Message(zh=Wording(*zh), en=Wording(*en))
    for kind, (zh, en) in {**FILE_WORDS, **ROW_WORDS, **FIELD_WORDS}.items()
}
ROW_KINDS = frozenset(ROW_WORDS) | frozenset(FIELD_WORDS)
FILE_KINDS = frozenset(FILE_WORDS)


def language_of(code: str) -> Language:
    """The table's language for a language code such as zh-hans or en-us; anything not Chinese is English."""
    return "zh" if code.lower().startswith("zh") else "en"


def worded(kind: str, facts: Mapping[str, object], *, language: str) -> Wording:
    """The filled-in wording of a kind; KeyError for a kind that is not in the table."""
    message = MESSAGES[kind]
    wording = message.zh if language_of(language) == "zh" else message.en
    shown = defaultdict(lambda: "?", {name: _shown(value) for name, value in facts.items()})
    return Wording(*(part.format_map(shown) for part in wording))


def _shown(value: object) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value)) or "–"
    return f"{value:,}" if isinstance(value, int) else str(value)


def about_file(refused: FileRefused, *, language: str) -> Wording:
    """The wording of a refused file; sizes are shown in MB as well as in bytes."""
    sizes = {
        f"{name.removesuffix('_bytes')}_mb": f"{value / 2**20:.1f}"
        for name, value in refused.facts.items()
        if name.endswith("_bytes") and isinstance(value, int)
    }
    return worded(refused.kind, {**refused.facts, **sizes}, language=language)


def about_row(error: RowError, *, language: str) -> Wording:
    """The wording of a refused row."""
    facts = {
        "column": error.column or "?",
        "order_no": error.order_no,
        "value": error.value[:80],
        **error.facts,
    }
    return worded(error.kind, facts, language=language)

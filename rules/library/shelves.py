"""What stands in the starter library: shelves of entries, put up by the apps; pure but for what a shelf's own functions do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Words:
    """A text in Chinese and in English."""

    zh: str
    en: str

    def get(self, language: str) -> str:
        """The text in that language (``zh`` or ``en``)."""
        return self.zh if language == "zh" else self.en


@dataclass(frozen=True, slots=True)
class Slot:
    """A place of an entry that a person fills with something of their own: an SKU, a category."""

    key: str
    label: Words
    choices: str = ""
    """What kind of thing goes there, for the shelf's `choices`; empty for free text."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One ready-made thing: its sentence, when to use it, a worked example in words, and what to fill in."""

    code: str
    name: Words
    says: Words
    about: Words
    tags: tuple[str, ...] = ()
    example: Words | None = None
    slots: tuple[Slot, ...] = ()
    source: str = ""
    """Where it comes from, in the words of the source."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a copy may go: the value of the choice and what people read."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Copy:
    """What somebody asked for: entry, target, the filled slots, and who asks."""

    entry: Entry
    target: str
    filled: Mapping[str, str]
    user: Any


@dataclass(frozen=True, slots=True)
class Shelf:
    """Entries of one kind. `copy` makes a draft and returns the address of its page; it raises Refused.

    `sees` and `copies` are the rights needed; `targets` lists where this person's copies may go.
    """

    code: str
    name: Any
    icon: str
    sees: str
    copies: str
    target_label: Any
    entries: Callable[[], Sequence[Entry]]
    targets: Callable[[Any], Sequence[Target]]
    copy: Callable[[Copy], str]
    choices: Callable[[Any, str], Sequence[str]] = field(default=lambda user, kind: ())
    position: int = 100


_shelves: dict[str, Shelf] = {}


def register(shelf: Shelf) -> None:
    """Put a shelf up; the same code again replaces the older one."""
    _shelves[shelf.code] = shelf


def all_shelves() -> list[Shelf]:
    """Every shelf, in the order they stand."""
    return sorted(_shelves.values(), key=lambda shelf: (shelf.position, shelf.code))


def get(code: str) -> Shelf | None:
    """The shelf of that code."""
    return _shelves.get(code)


def find(shelf: Shelf, text: str) -> list[Entry]:
    """The entries in which every word of the text stands, in either language; all without a text."""
    words = text.casefold().split()
    return [entry for entry in shelf.entries() if all(word in _searched(entry) for word in words)]


def _searched(entry: Entry) -> str:
    texts = [entry.code, *entry.tags]
    for words in (entry.name, entry.says, entry.about):
        texts += [words.zh, words.en]
    return " ".join(texts).casefold()

"""What is wrong with a document somebody wrote: every flaw at once, each with the path of the place in the document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Flaw:
    """One mistake in a document: the dotted path (`maps.order.fields[3].from`), a code of `words.FLAWS`, its facts."""

    path: str
    code: str
    facts: Mapping[str, Any] = field(default_factory=dict)

    def under(self, path: str) -> Flaw:
        """The same flaw, seen from the document that holds this one at `path`."""
        return Flaw(_joined(path, self.path), self.code, self.facts)


class Faulty(ValueError):
    """A document with flaws; `flaws` has all of them."""

    def __init__(self, flaws: Sequence[Flaw]) -> None:
        super().__init__("; ".join(f"{flaw.path}: {flaw.code}" for flaw in flaws))
        self.flaws = tuple(flaws)


def _joined(first: str, second: str) -> str:
    if not first or not second or second.startswith("["):
        return first + second
    return f"{first}.{second}"


class Doc:
    """A part of a document while it is read: getters that note a flaw and go on, so that all are found in one pass."""

    __slots__ = ("data", "flaws", "path")

    def __init__(self, data: Any, flaws: list[Flaw], path: str = "") -> None:
        self.flaws, self.path = flaws, path
        if not isinstance(data, Mapping):
            self.note("", "not_object", found=type(data).__name__)
            data = {}
        self.data: Mapping[str, Any] = data

    def note(self, name: str, code: str, /, **facts: Any) -> None:
        """Note a flaw of the part called `name` ("" for this one)."""
        self.flaws.append(Flaw(_joined(self.path, name), code, facts))

    def only(self, *names: str) -> None:
        """Note every name that is not one of `names`: a mistyped word must not be ignored in silence."""
        for name in self.data:
            if name not in names:
                self.note(str(name), "unknown_word", word=str(name), allowed=", ".join(names))

    def text(
        self, name: str, default: str = "", *, required: bool = False, choices: Sequence[str] = ()
    ) -> str:
        """A text; the default where it is missing."""
        value = self.data.get(name)
        if value is None or value == "":
            if required:
                self.note(name, "missing")
            return default
        if not isinstance(value, str):
            self.note(name, "not_text", found=type(value).__name__)
            return default
        if choices and value not in choices:
            self.note(name, "not_a_choice", value=value[:60], choices=", ".join(choices))
            return default
        return value

    def number(self, name: str, default: int, *, least: int = 0, most: int = 10**9) -> int:
        """A whole number between the bounds; the default where it is missing."""
        value = self.data.get(name)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int):
            self.note(name, "not_whole", found=type(value).__name__)
            return default
        if not least <= value <= most:
            self.note(name, "out_of_range", value=value, least=least, most=most)
            return default
        return value

    def flag(self, name: str, default: bool = False) -> bool:
        """True or false; the default where it is missing."""
        value = self.data.get(name)
        if value is None:
            return default
        if not isinstance(value, bool):
            self.note(name, "not_bool", found=type(value).__name__)
            return default
        return value

    def items(self, name: str) -> tuple[Any, ...]:
        """A list as it stands; empty where it is missing."""
        value = self.data.get(name)
        if value is None:
            return ()
        if not isinstance(value, list | tuple):
            self.note(name, "not_list", found=type(value).__name__)
            return ()
        return tuple(value)

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of texts."""
        found = []
        for at, value in enumerate(self.items(name)):
            if isinstance(value, str) and value:
                found.append(value)
            else:
                self.note(f"{name}[{at}]", "not_text", found=type(value).__name__)
        return tuple(found)

    def child(self, name: str) -> Doc | None:
        """The object called `name`, None where it is missing."""
        value = self.data.get(name)
        return None if value is None else Doc(value, self.flaws, _joined(self.path, name))

    def children(self, name: str) -> Iterator[Doc]:
        """The objects of the list called `name`."""
        for at, value in enumerate(self.items(name)):
            yield Doc(value, self.flaws, _joined(self.path, f"{name}[{at}]"))

    def named(self, name: str) -> Iterator[tuple[str, Doc]]:
        """The objects of the object called `name`, each with its own name."""
        part = self.child(name)
        if part is not None:
            for key, value in part.data.items():
                yield str(key), Doc(value, self.flaws, _joined(part.path, str(key)))

r"""A small dialect of patterns that is matched in one pass over the text, whatever the pattern and the text.

A pattern is a row of signs, each of which may be followed by `?`, `*`, `+`, `{3}`, `{2,5}` or `{2,}`. A sign is a plain
character, `.` for any, `\d` for a digit, `\w` for a letter, digit or `_`, a class like `[A-Z0-9-]` or `[^ ]`, or any
other character behind `\`. The whole text must match. There are no groups, alternatives or references, so nothing can
be nested and no text makes it slow: the state is one integer with a bit per sign.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

MOST_SIGNS = 256
LONGEST = 200
_REPEATS = {"?": (0, 1), "*": (0, None), "+": (1, None)}
_SHORTHANDS: dict[str, Callable[[str], bool]] = {
    "d": lambda sign: sign in "0123456789",
    "w": lambda sign: sign == "_" or sign.isalnum(),
}
_SPECIAL = frozenset("()|^$]}")

Test = Callable[[str], bool]


class PatternError(ValueError):
    """A text that is no pattern: a code and the place in it, counted from 1."""

    def __init__(self, code: str, at: int) -> None:
        super().__init__(f"{code} at {at}")
        self.code, self.at = code, at


@dataclass(frozen=True, slots=True)
class _Sign:
    test: Test
    is_optional: bool
    repeats: bool


class Pattern:
    """A pattern ready to match; PatternError where the text is none."""

    def __init__(self, text: str) -> None:
        if len(text) > LONGEST:
            raise PatternError("pattern_long", LONGEST)
        self.text = text
        self._signs = _Reader(text).signs()
        self._known: dict[str, int] = {}
        self._optional = [at for at, sign in enumerate(self._signs) if sign.is_optional]
        self._loops = sum(1 << (at + 1) for at, sign in enumerate(self._signs) if sign.repeats)

    def matches(self, value: str) -> bool:
        """Whether the whole text follows the pattern."""
        state = self._skipped(1)
        for sign in value:
            fitting = self._fitting(sign)
            # Bit n says that the first n signs are done: one more is done, or the last one is repeated.
            state = self._skipped(((state & fitting) << 1) | (state & self._loops & (fitting << 1)))
            if not state:
                return False
        return bool(state >> len(self._signs) & 1)

    def _skipped(self, state: int) -> int:
        for at in self._optional:
            if state >> at & 1:
                state |= 1 << (at + 1)
        return state

    def _fitting(self, sign: str) -> int:
        found = self._known.get(sign)
        if found is None:
            found = sum(1 << at for at, one in enumerate(self._signs) if one.test(sign))
            if len(self._known) < 1024:
                self._known[sign] = found
        return found


class _Reader:
    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0

    def signs(self) -> list[_Sign]:
        found: list[_Sign] = []
        while self._at < len(self._text):
            test = self._test()
            least, most = self._repeat()
            if len(found) + max(least, most or 0, 1) > MOST_SIGNS:
                raise PatternError("pattern_big", self._at)
            found += [_Sign(test, False, False)] * least
            if most is None:
                # `x+` is its last needed sign repeated, `x*` an optional one.
                last = found.pop() if least else _Sign(test, True, False)
                found.append(_Sign(test, last.is_optional, True))
            else:
                found += [_Sign(test, True, False)] * (most - least)
        return found

    def _next(self) -> str:
        if self._at >= len(self._text):
            raise PatternError("pattern_end", self._at + 1)
        self._at += 1
        return self._text[self._at - 1]

    def _test(self) -> Test:
        sign = self._next()
        if sign == ".":
            return lambda _sign: True
        if sign == "\\":
            return self._escaped()
        if sign == "[":
            return self._class()
        if sign in _SPECIAL or sign in "?*+{":
            raise PatternError("pattern_sign", self._at)
        return _equal(sign)

    def _escaped(self) -> Test:
        sign = self._next()
        if sign in _SHORTHANDS:
            return _SHORTHANDS[sign]
        if sign.isalnum():
            raise PatternError("pattern_escape", self._at)
        return _equal(sign)

    def _class(self) -> Test:
        start, tests = self._at, list[Test]()
        negated = self._text[self._at : self._at + 1] == "^"
        self._at += negated
        while (sign := self._next()) != "]":
            if sign == "\\":
                tests.append(self._escaped())
                continue
            if self._text[self._at : self._at + 1] == "-" and self._text[self._at + 1 : self._at + 2] not in (
                "",
                "]",
            ):
                self._at += 1
                end = self._next()
                if end == "\\" or end < sign:
                    raise PatternError("pattern_range", self._at)
                tests.append(_between(sign, end))
            else:
                tests.append(_equal(sign))
        if not tests:
            raise PatternError("pattern_class", start)
        return lambda sign: any(test(sign) for test in tests) is not negated

    def _repeat(self) -> tuple[int, int | None]:
        sign = self._text[self._at : self._at + 1]
        if sign in _REPEATS and sign:
            self._at += 1
            return _REPEATS[sign]
        if sign != "{":
            return 1, 1
        end = self._text.find("}", self._at)
        first, comma, last = self._text[self._at + 1 : end].partition(",") if end > 0 else ("", "", "")
        self._at += 1
        least = _count(first, self._at)
        most = least if not comma else _count(last, self._at) if last else None
        if most is not None and (most < least or most == 0):
            raise PatternError("pattern_count", self._at)
        self._at = end + 1
        return least, most


def _count(text: str, at: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 3):
        raise PatternError("pattern_count", at)
    return int(text)


def _equal(wanted: str) -> Test:
    return lambda sign: sign == wanted


def _between(first: str, last: str) -> Test:
    return lambda sign: first <= sign <= last

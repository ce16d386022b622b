"""What another system's codes and remarks mean, as data: carriers that send only text are read by patterns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from orderhub.connectors.speech.flaws import Doc, Faulty, Flaw
from orderhub.fields.engine.patterns import Pattern, PatternError

MOST_ENTRIES = 2000
#: Remarks are short; of a longer one only the beginning is looked at.
LONGEST_REMARK = 500
_PLAIN = frozenset("?*+{}[]().\\^$")


@dataclass(frozen=True, slots=True)
class Entry:
    """One meaning. `code` must be equal, `pattern` (alternatives parted by |) must be found in the remark; both where both
    are given. Higher `priority` wins, then the one that says more, then the first.
    """

    code: str = ""
    pattern: str = ""
    #: Our word: a parcel's status, a step of a warehouse, or both.
    status: str = ""
    milestone: str = ""
    event: str = ""
    reason: str = ""
    priority: int = 0
    #: Known to say nothing new: neither applied nor counted as unknown.
    ignored: bool = False


@dataclass(frozen=True, slots=True)
class _Rule:
    entry: Entry
    words: tuple[str, ...]
    patterns: tuple[Pattern, ...]

    def fits(self, code: str, remark: str) -> bool:
        if self.entry.code and self.entry.code != code:
            return False
        if not self.entry.pattern:
            return True
        low = remark.lower()
        return any(word in low for word in self.words) or any(one.matches(remark) for one in self.patterns)


@dataclass(frozen=True, slots=True)
class CodeMap:
    """A list of meanings, the most telling first."""

    rules: tuple[_Rule, ...]

    @classmethod
    def parse(cls, data: Sequence[Any]) -> Self:
        """The list a document describes; raises Faulty with everything that is wrong."""
        flaws: list[Flaw] = []
        found = cls.read(Doc({"codes": data}, flaws), "codes")
        if flaws:
            raise Faulty(flaws)
        return found

    @classmethod
    def read(cls, doc: Doc, name: str) -> Self:
        """The list called `name` in a part of a document; flaws are noted there."""
        rules = [_rule(part) for part in doc.children(name)]
        if len(rules) > MOST_ENTRIES:
            doc.note(name, "too_many", most=MOST_ENTRIES)
        return cls(tuple(sorted(rules, key=_rank)))

    def lookup(self, code: str | None, remark: str | None) -> Entry | None:
        """What a code and a remark mean, None where nobody said; the caller counts these."""
        wanted, text = str(code or "").strip(), str(remark or "")[:LONGEST_REMARK]
        return next((rule.entry for rule in self.rules if rule.fits(wanted, text)), None)


def _rank(rule: _Rule) -> tuple[int, int]:
    entry = rule.entry
    return -entry.priority, 0 if entry.code and entry.pattern else 1 if entry.code else 2


def _rule(doc: Doc) -> _Rule:
    doc.only("code", "pattern", "status", "milestone", "event", "reason", "priority", "ignored", "about")
    entry = Entry(
        code=doc.text("code"),
        pattern=doc.text("pattern"),
        status=doc.text("status"),
        milestone=doc.text("milestone"),
        event=doc.text("event"),
        reason=doc.text("reason"),
        priority=doc.number("priority", 0, least=-100, most=100),
        ignored=doc.flag("ignored"),
    )
    if not entry.code and not entry.pattern:
        doc.note("", "code_or_pattern")
    if not (entry.status or entry.milestone or entry.event or entry.ignored):
        doc.note("", "means_nothing")
    alternatives = [one for one in entry.pattern.split("|") if one]
    simple = [one for one in alternatives if not _PLAIN & set(one)]
    found: list[Pattern] = []
    for one in alternatives:
        if one in simple:
            continue
        try:
            # Anywhere in the remark; this dialect is matched in one pass, so no remark makes it slow.
            found.append(Pattern(f".*{one}.*"))
        except PatternError as error:
            doc.note("pattern", error.code, at=max(1, error.at - 2))
    return _Rule(entry, tuple(one.lower() for one in simple), tuple(found))

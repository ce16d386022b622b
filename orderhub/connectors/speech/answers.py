"""What another system's answer to our call means. An HTTP 200 with a failure flag in its body is no acknowledgment."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Literal, Self

from orderhub.connectors.speech import trees
from orderhub.connectors.speech.flaws import Doc, Faulty, Flaw
from orderhub.connectors.speech.limits import Unreadable
from orderhub.connectors.speech.mapping import path
from orderhub.connectors.speech.moments import text_of
from orderhub.connectors.speech.picking import Path, TooMuch, same

#: `gone`: whoever was there wants nothing more, so the connection is switched off. `later`: taken in; the real answer comes
#: as a message of its own (`answer`).
Means = Literal["acked", "refused", "retry", "unknown", "gone", "later"]
MEANS: tuple[Means, ...] = ("acked", "refused", "retry", "unknown", "gone", "later")
LONGEST_MESSAGE = 300
LONGEST_WAIT_S = 86_400
#: Not now, but perhaps later: no token yet, time-out, conflict with itself, too early, too many.
_LATER = frozenset({401, 403, 408, 425, 429})


@dataclass(frozen=True, slots=True)
class Condition:
    """One place in a tree that must be equal to one of the values, or only be there (`exists`), or not be there."""

    path: Path
    values: tuple[Any, ...] = ()
    exists: bool | None = None

    @classmethod
    def read(cls, doc: Doc) -> Self:
        """The condition in a part of a document; flaws are noted there."""
        values = (doc.data["equals"],) if "equals" in doc.data else doc.items("in")
        exists = doc.flag("exists") if "exists" in doc.data else None
        if not values and exists is None:
            doc.note("equals", "missing")
        return cls(path(doc, "path", required=True) or Path("_none"), tuple(values), exists)

    def holds(self, scope: Any) -> bool:
        """Whether it holds in a scope; a path that cannot work on it does not."""
        found = pick(self.path, scope)
        if self.exists is not None:
            return (found not in (None, "", [], {})) is self.exists
        return any(same(found, value) for value in self.values)


@dataclass(frozen=True, slots=True)
class Rule:
    """Conditions that must all hold, and what the answer means then."""

    conditions: tuple[Condition, ...]
    means: Means
    #: Whether it is asked even where the HTTP status alone says "later" (a SOAP fault comes with 500).
    any_status: bool = False


@dataclass(frozen=True, slots=True)
class Ack:
    """How answers are judged. Without rules every readable 2xx is an acknowledgment."""

    when: tuple[Rule, ...] = ()
    otherwise: Means = "acked"
    form: str = "none"
    reference: Path | None = None
    message: Path | None = None
    lists: frozenset[str] = frozenset()
    #: Seconds to wait before the next try, where they say so elsewhere than in Retry-After.
    wait: Path | None = None
    #: Fields of the answer that hold JSON as text.
    unpack: tuple[str, ...] = ()

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> Self:
        """The rule a document describes; raises Faulty with everything that is wrong."""
        flaws: list[Flaw] = []
        found = cls.read(Doc(data, flaws))
        if flaws:
            raise Faulty(flaws)
        return found

    @classmethod
    def read(cls, doc: Doc) -> Self:
        """The rule in a part of a document; flaws are noted there."""
        doc.only("when", "otherwise", "form", "reference", "message", "lists", "wait", "unpack", "about")
        rules = tuple(_rule(part) for part in doc.children("when"))
        form = doc.text("form", "json")
        if not trees.is_form(form):
            doc.note("form", "unknown_form", value=form, forms=", ".join(trees.FORMS))
            form = "json"
        return cls(
            when=rules,
            otherwise=_means(doc, "otherwise", "retry" if rules else "acked"),
            form=form,
            reference=path(doc, "reference"),
            message=path(doc, "message"),
            lists=frozenset(doc.texts("lists")),
            wait=path(doc, "wait"),
            unpack=doc.texts("unpack"),
        )


def _means(doc: Doc, name: str, default: Means) -> Means:
    found = doc.text(name, default, choices=MEANS)
    return next((one for one in MEANS if one == found), "unknown")


def _rule(doc: Doc) -> Rule:
    doc.only("path", "equals", "in", "exists", "all", "means", "any_status", "about")
    several = tuple(doc.children("all"))
    for part in several:
        part.only("path", "equals", "in", "exists")
    conditions = tuple(Condition.read(part) for part in several or (doc,))
    if "means" not in doc.data:
        doc.note("means", "missing")
    return Rule(conditions, _means(doc, "means", "unknown"), doc.flag("any_status"))


@dataclass(frozen=True, slots=True)
class Answer:
    """What an answer means: `reference` is their number, `message` their words, `retry_after_s` how long to wait at
    least (None: they did not say), `tree` their body where it could be read.
    """

    means: Means
    reference: str = ""
    message: str = ""
    retry_after_s: int | None = None
    tree: Any = None


def judge(
    ack: Ack, status: int, headers: Mapping[str, str], body: bytes, *, now: datetime | None = None
) -> Answer:
    """What an answer means. 5xx, 429 and missing rights are tried again; a 2xx nobody can read is unknown; another 4xx or
    a redirect is refused unless the rule says otherwise. `headers` have lower-case names.
    """
    wait = retry_after_s(headers.get("retry-after", ""), now)
    tree, readable = _tree(ack, body)
    scope = {**tree, "_body": tree} if isinstance(tree, dict) else {"_body": tree}
    scope |= {"_status": status, "_headers": dict(headers)}
    if wait is None and ack.wait is not None:
        wait = retry_after_s(said(ack.wait, scope).partition(".")[0], now)
    reference, message = said(ack.reference, scope), _words(ack.message, scope)
    first = (rule for rule in ack.when if rule.any_status)
    sure = next((rule for rule in first if all(c.holds(scope) for c in rule.conditions)), None)
    if sure is not None:
        return Answer(sure.means, reference, message, wait, tree)
    if status >= 500 or status in _LATER:
        return Answer("retry", reference, message or f"HTTP {status}", wait, tree)
    if 200 <= status < 300 and not readable:
        return Answer("unknown", message="unreadable", retry_after_s=wait)
    hit = next((rule for rule in ack.when if all(c.holds(scope) for c in rule.conditions)), None)
    if hit is not None:
        return Answer(hit.means, reference, message, wait, tree)
    if 200 <= status < 300:
        return Answer(ack.otherwise, reference, message, wait, tree)
    return Answer("refused", reference, message or f"HTTP {status}", wait, tree)


def pick(path: Path, scope: Any) -> Any:
    """What a path finds, None also where it cannot work."""
    try:
        return path.pick(scope)
    except (TooMuch, TypeError, ValueError, RecursionError, ArithmeticError):
        return None


def said(path: Path | None, scope: Any) -> str:
    """The text a path finds, "" for nothing and for lists and objects."""
    found = pick(path, scope) if path else None
    if isinstance(found, list) and len(found) == 1:
        found = found[0]
    return "" if found is None or isinstance(found, list | dict) else text_of(found)


def _words(path: Path | None, scope: Any) -> str:
    found = pick(path, scope) if path else None
    if isinstance(found, dict) or (isinstance(found, list) and len(found) > 1):
        return trees.json_text(found)[:LONGEST_MESSAGE]
    return said(path, scope)[:LONGEST_MESSAGE]


def _tree(ack: Ack, body: bytes) -> tuple[Any, bool]:
    if ack.form == "none" or (not body.strip() and not ack.when):
        return None, True
    try:
        return _unpacked(ack, trees.read(body, ack.form, lists=ack.lists)), True
    except Unreadable:
        return None, False


def _unpacked(ack: Ack, tree: Any) -> Any:
    """The answer with its packed fields read; a text that is no document stays a text."""
    for name in ack.unpack if isinstance(tree, dict) else ():
        text = tree.get(name)
        if isinstance(text, str) and text.strip():
            with contextlib.suppress(Unreadable):
                tree = {**tree, name: trees.read(text.encode("utf-8", "surrogatepass"), "json")}
    return tree


def retry_after_s(text: str, now: datetime | None = None) -> int | None:
    """The seconds a Retry-After header asks for, a number or a date, at most a day; None where it says nothing."""
    text = text.strip()
    if text.isascii() and text.isdigit() and len(text) < 10:
        return min(int(text), LONGEST_WAIT_S)
    if now is None or not text:
        return None
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0, min(int((at - now).total_seconds()), LONGEST_WAIT_S))

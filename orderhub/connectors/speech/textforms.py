"""Bodies made of plain text: separated values, lines of JSON, forms with brackets in their names, and multipart forms."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from orderhub.connectors.speech.limits import MOST_NODES, Unreadable
from orderhub.connectors.speech.requests import MOST_FIELDS, multipart

_STEP = re.compile(r"\[([^\[\]]{0,80})\]")
DEEPEST = 12
#: A list is filled one after the other; a number far beyond is no place in it.
MOST_PLACES = 5000
Tree = Any


def table(text: str, separator: str) -> list[list[str]]:
    """Rows of cells; rows without any content are left out."""
    options: dict[str, Any] = {"quoting": csv.QUOTE_NONE} if separator == "\t" else {}
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True, **options))
    except csv.Error as error:
        raise Unreadable("not_rows", reason=str(error)[:60]) from None
    return [row for row in rows if any(cell.strip() for cell in row)]


def rows(text: str, separator: str) -> list[dict[str, str]]:
    """Rows as objects under the names of the first line, those without a name left out."""
    names, *filled = table(text, separator) or [[]]
    names = [name.strip() for name in names]
    return [{name: cell for name, cell in zip(names, row, strict=False) if name} for row in filled]


def lines(text: str, read: Callable[[str], Tree]) -> list[Tree]:
    """A document on each line."""
    filled = [line for line in text.splitlines() if line.strip()]
    if len(filled) > MOST_NODES:
        raise Unreadable("too_many", most=MOST_NODES)
    return [read(line) for line in filled]


def fields(pairs: Iterable[tuple[str, str]]) -> dict[str, Tree]:
    """Names with their values; a name that comes again makes a list."""
    made: dict[str, Tree] = {}
    for name, value in pairs:
        if name in made:
            before = made[name]
            made[name] = [*before, value] if isinstance(before, list) else [before, value]
        else:
            made[name] = value
    return made


def nested(pairs: Iterable[tuple[str, str]]) -> dict[str, Tree]:
    """`line[0][sku]=A&tags[]=b` as objects and lists: numbers from nought on are places of a list."""
    made: dict[str, Tree] = {}
    for name, value in pairs:
        base = name.partition("[")[0]
        steps = [base, *_STEP.findall(name[len(base) :])]
        if len(steps) > DEEPEST:
            raise Unreadable("too_deep", most=DEEPEST)
        _put(made, steps, value)
    return {name: _listed(value) for name, value in made.items()}


def _put(made: dict[str, Tree], steps: list[str], value: str) -> None:
    inner = made
    for step in steps[:-1]:
        found = inner.setdefault(step, {})
        if not isinstance(found, dict):
            raise Unreadable("not_form")
        inner = found
    last = steps[-1] or str(len(inner))
    if isinstance(inner.get(last), dict):
        raise Unreadable("not_form")
    inner[last] = value


def _listed(value: Tree) -> Tree:
    """Objects whose names are numbers become lists, in the order of the numbers."""
    if not isinstance(value, dict):
        return value
    inner = {name: _listed(one) for name, one in value.items()}
    if inner and all(name.isascii() and name.isdigit() and int(name) < MOST_PLACES for name in inner):
        return [inner[name] for name in sorted(inner, key=int)]
    return inner


def flat(tree: Mapping[str, Tree], said: Callable[[Tree], str]) -> list[tuple[str, str]]:
    """Objects and lists as the names and values of a form with brackets."""
    made: list[tuple[str, str]] = []

    def walk(name: str, value: Tree) -> None:
        if isinstance(value, Mapping):
            for key, inner in value.items():
                walk(f"{name}[{key}]" if name else str(key), inner)
        elif isinstance(value, list | tuple):
            for at, inner in enumerate(value):
                walk(f"{name}[{at}]", inner)
        elif value is not None:
            made.append((name, said(value)))

    walk("", tree)
    return made


def parts(body: bytes, charset: str) -> list[tuple[str, str]]:
    """The fields of a multipart form; files that are no text are empty."""
    found = multipart(body, charset)
    if found is None or len(found) > MOST_FIELDS:
        raise Unreadable("not_form")
    return found

"""JMESPath for picking, bounded: an expression is short, shallow, cannot multiply what it is given and makes no floats."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

from jmespath import exceptions, functions, visitor
from jmespath.parser import Parser

from orderhub.connectors.speech import trees
from orderhub.connectors.speech.limits import Unreadable

LONGEST = 600
DEEPEST = 40
MOST_NODES = 160
#: Every [a, b] or {x: a, y: b} gives its input that many times; nested ones multiply, and this is the most.
MOST_TIMES = 20_000
MOST_VALUES = 50_000
LONGEST_TEXT = 200_000
_LINK = re.compile(r'<([^<>\s]{1,2000})>[^,<]*?;\s*rel=("?)([\w -]{1,60})\2')
_NAMES = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,80}(?:\.[A-Za-z_][A-Za-z0-9_]{0,80}){0,9}")


class BadPath(ValueError):
    """An expression that is none, or that may cost too much: a code of `words.FLAWS` and its facts."""

    def __init__(self, code: str, /, **facts: Any) -> None:
        super().__init__(code)
        self.code, self.facts = code, facts


class TooMuch(Exception):
    """An expression gave more values or a longer text than anybody means."""


class Budget:
    """How many steps evaluations may still take together: a filter inside a list inside a list is work without an end."""

    __slots__ = ("left",)

    def __init__(self, steps: int = 1_000_000) -> None:
        self.left = steps


class _Interpreter(visitor.TreeInterpreter):
    """JMESPath's interpreter, counting its steps."""

    def __init__(self, budget: Budget) -> None:
        super().__init__(visitor.Options(custom_functions=_Functions(budget)))
        self._budget = budget

    def visit(self, node: Any, *args: Any, **options: Any) -> Any:
        """One step; raises TooMuch where the budget is spent."""
        self._budget.left -= 1
        if self._budget.left < 0:
            raise TooMuch
        return super().visit(node, *args, **options)


class _Functions(functions.Functions):
    """JMESPath's own functions, three of them replaced that would make floats or texts without an end, and ours."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget

    @functions.signature({"types": []})  # type: ignore[untyped-decorator]
    def _func_to_string(self, value: Any) -> str | None:
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, Decimal):
            return format(value, "f")
        return None if value is None or isinstance(value, dict | list) else str(value)

    @functions.signature({"types": []})  # type: ignore[untyped-decorator]
    def _func_to_number(self, value: Any) -> int | Decimal | None:
        if isinstance(value, int | Decimal) and not isinstance(value, bool):
            return value
        try:
            number = Decimal(value) if isinstance(value, str) and len(value) <= 32 else Decimal("NaN")
        except InvalidOperation:
            return None
        if not number.is_finite() or abs(number.adjusted()) > 30:
            return None
        return int(number) if number == number.to_integral_value() and abs(number) < 10**15 else number

    @functions.signature({"types": ["string"]}, {"types": ["array-string"]})  # type: ignore[untyped-decorator]
    def _func_join(self, glue: str, parts: list[str]) -> str:
        if sum(map(len, parts)) + len(glue) * len(parts) > LONGEST_TEXT:
            raise TooMuch
        return glue.join(parts)

    # Our own: what systems do that JMESPath cannot say. Nothing is found in nothing.

    @functions.signature({"types": []}, {"types": ["object"]})  # type: ignore[untyped-decorator]
    def _func_find(self, many: Any, like: dict[str, Any]) -> Any:
        return next(iter(self._like(many, like)), None)

    @functions.signature({"types": []}, {"types": ["object"]})  # type: ignore[untyped-decorator]
    def _func_find_all(self, many: Any, like: dict[str, Any]) -> list[Any]:
        return list(self._like(many, like))

    def _like(self, many: Any, like: dict[str, Any]) -> Iterator[Any]:
        """The objects of a list whose values of these names are the same."""
        for one in many if isinstance(many, list) else []:
            self._spend(1)
            if isinstance(one, dict) and all(same(one.get(name), value) for name, value in like.items()):
                yield one

    @functions.signature({"types": []}, {"types": ["string"]})  # type: ignore[untyped-decorator]
    def _func_split(self, text: Any, sign: str) -> list[str] | None:
        return self._text(text).split(sign) if text is not None and sign else None

    @functions.signature({"types": []})  # type: ignore[untyped-decorator]
    def _func_lines(self, text: Any) -> list[str] | None:
        return None if text is None else [line for line in self._text(text).splitlines() if line.strip()]

    @functions.signature({"types": []}, {"types": ["string"]})  # type: ignore[untyped-decorator]
    def _func_read(self, text: Any, form: str) -> Any:
        if text is None or text == "":
            return None
        if not trees.is_form(form):
            raise TypeError(f"no form {form[:20]}")
        try:
            return trees.read(self._text(text).encode("utf-8", "surrogatepass"), form)
        except Unreadable as error:
            raise TypeError(error.code) from None

    @functions.signature({"types": []}, {"types": ["string"]})  # type: ignore[untyped-decorator]
    def _func_link(self, text: Any, rel: str) -> str | None:
        found = _LINK.findall(self._text(text)) if text else []
        return next((url for url, _quote, names in found if rel in names.split()), None)

    @functions.signature({"types": []}, {"types": ["string"]})  # type: ignore[untyped-decorator]
    def _func_parameter(self, url: Any, name: str) -> str | None:
        if not url:
            return None
        query = self._text(url).partition("?")[2].partition("#")[0]
        return next((value for key, value in parse_qsl(query, keep_blank_values=True) if key == name), None)

    def _text(self, value: Any) -> str:
        """A value as text, paid for by its length."""
        text = self._func_to_string(value)
        if text is None:
            raise TypeError("not one value")
        self._spend(len(text) // 40)
        return str(text)

    def _spend(self, steps: int) -> None:
        self._budget.left -= steps
        if self._budget.left < 0:
            raise TooMuch


class Path:
    """An expression ready to pick; two of the same text are equal."""

    __slots__ = ("_names", "_parsed", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        # Most paths are names and dots, which need no interpreter.
        self._names = tuple(text.split(".")) if len(text) <= LONGEST and _NAMES.fullmatch(text) else ()
        self._parsed = None if self._names else _compiled(text)

    def pick(self, tree: Any, budget: Budget | None = None) -> Any:
        """What the expression finds in a tree, None for nothing. Raises TooMuch, also where the budget is spent; TypeError
        where a function cannot work.
        """
        if self._names:
            for name in self._names:
                tree = tree.get(name) if isinstance(tree, dict) else None
            return tree
        assert self._parsed is not None
        try:
            found = _Interpreter(budget or Budget()).visit(self._parsed, tree)
        except exceptions.JMESPathError as error:
            raise TypeError(str(error)[:120]) from None
        if isinstance(found, list) and len(found) > MOST_VALUES:
            raise TooMuch
        return found

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Path) and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __repr__(self) -> str:
        return f"Path({self.text!r})"


def same(first: Any, second: Any) -> bool:
    """Whether two values are the same as text: 0 and "0" are, true and "true" are."""
    return bool(_text(first) == _text(second))


def _text(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f")
    return str(value) if isinstance(value, int) else value


@lru_cache(maxsize=4096)
def _compiled(text: str) -> Any:
    if len(text) > LONGEST:
        raise BadPath("path_long", most=LONGEST)
    try:
        parsed = Parser().parse(text)
    except exceptions.JMESPathError as error:
        raise BadPath("path_wrong", reason=str(error).splitlines()[0][:120]) from None
    except RecursionError:
        raise BadPath("path_deep", most=DEEPEST) from None
    _check(parsed.parsed)
    return parsed.parsed


def _check(tree: dict[str, Any]) -> None:
    nodes, times = 0, 1
    left = [(tree, 1)]
    while left:
        node, depth = left.pop()
        nodes += 1
        if depth > DEEPEST:
            raise BadPath("path_deep", most=DEEPEST)
        kind, children = node["type"], node.get("children", [])
        if kind in ("multi_select_list", "multi_select_dict"):
            times *= max(1, len(children))
        if kind == "literal" and _has_float(node.get("value")):
            raise BadPath("path_float")
        if kind == "function_expression" and node["value"] not in _Functions.FUNCTION_TABLE:
            raise BadPath("path_function", function=node["value"])
        left.extend((child, depth + 1) for child in children if isinstance(child, dict))
    if nodes > MOST_NODES or times > MOST_TIMES:
        raise BadPath("path_big", most=MOST_NODES)


def _has_float(value: Any) -> bool:
    if isinstance(value, list):
        return any(map(_has_float, value))
    if isinstance(value, dict):
        return any(map(_has_float, value.values()))
    return isinstance(value, float)

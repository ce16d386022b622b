"""Remembers what a cell meant: in a file of orders the same few cells come again and again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

MAX_VALUES = 8192
#: Longer cells are rarely met twice, and a hostile file would fill the memory with them.
MAX_CHARS = 200

K = TypeVar("K", bound=str | tuple[str, ...])
V = TypeVar("V")


class Memo(dict[K, V], Generic[K, V]):
    """The values of a pure function by its argument, at most 8,192 of them; what raises is not kept."""

    __slots__ = ("_function",)

    def __init__(self, function: Callable[[K], V]) -> None:
        super().__init__()
        self._function: Callable[[K], V] = function

    def __missing__(self, key: K) -> V:
        value = self._function(key)
        size = len(key) if isinstance(key, str) else sum(map(len, key))
        if size <= MAX_CHARS:
            if len(self) >= MAX_VALUES:
                self.clear()
            self[key] = value
        return value

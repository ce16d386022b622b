"""How much of another system's body is looked at, and what a body nobody can read is called."""

from __future__ import annotations

from typing import Any

#: Bytes of a body, levels of its nesting, and values in it.
LARGEST = 2_000_000
DEEPEST = 60
MOST_NODES = 200_000


class Unreadable(Exception):
    """A body that is no tree: a code of `words.UNREADABLE` and its facts. Nothing of the body is in the message."""

    def __init__(self, code: str, /, **facts: Any) -> None:
        super().__init__(code)
        self.code, self.facts = code, facts


def check_depth(tree: Any) -> None:
    """Raise Unreadable for a tree nested more than DEEPEST levels or with more than MOST_NODES values."""
    level, depth, count = [tree] if isinstance(tree, dict | list) else [], 0, 0
    while level:
        depth += 1
        if depth > DEEPEST:
            raise Unreadable("too_deep", most=DEEPEST)
        following: list[Any] = []
        for node in level:
            values = node.values() if isinstance(node, dict) else node
            count += len(node)
            following.extend(value for value in values if isinstance(value, dict | list))
        if count > MOST_NODES:
            raise Unreadable("too_many", most=MOST_NODES)
        level = following


def check_texts(tree: Any) -> None:
    """Raise Unreadable for texts no database can keep: half characters and NUL."""
    left = [tree]
    while left:
        node = left.pop()
        if isinstance(node, dict):
            left.extend(node)
            left.extend(node.values())
        elif isinstance(node, list | tuple):
            left.extend(node)
        elif isinstance(node, str):
            if "\x00" in node:
                raise Unreadable("control")
            if not node.isascii():
                try:
                    node.encode()
                except UnicodeEncodeError:
                    raise Unreadable("charset") from None

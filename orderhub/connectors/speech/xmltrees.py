"""XML to a tree and back: no document types, no entities, no depth without end; written by a serializer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from xml.etree.ElementTree import Element, ParseError, SubElement, tostring

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from orderhub.connectors.speech.limits import DEEPEST, MOST_NODES, Unreadable

_DECLARED = re.compile(rb'^\s*<\?xml[^>]{0,100}?encoding\s*=\s*["\']([A-Za-z0-9._-]{1,40})["\']')
_HEAD = re.compile(r"^\s*<\?xml[^>]{0,200}\?>")
_ENCODINGS = {
    "utf-8": "utf-8-sig", "utf8": "utf-8-sig", "gbk": "gb18030", "gb2312": "gb18030", "gb18030": "gb18030",
    "us-ascii": "ascii", "ascii": "ascii", "iso-8859-1": "iso-8859-1", "latin1": "iso-8859-1",
    "windows-1252": "cp1252", "utf-16": "utf-16", "shift_jis": "shift_jis",
}  # fmt: skip
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_NAME = re.compile(r"(?:[A-Za-z_][\w.-]*:)?[A-Za-z_][\w.-]*")


def read(body: bytes, *, lists: frozenset[str] = frozenset(), charset: str = "utf-8") -> dict[str, Any]:
    """The content of the root element, with its name at "#root". Raises Unreadable.

    An element with only text is that text, others are objects; a repeated element, and each named in `lists`, is a list;
    attributes are "@name", text beside them "#". Prefixes of names are dropped when read; written, they are names like others.
    """
    builder = _Builder(lists)
    parser = DefusedXMLParser(target=builder, forbid_dtd=True, forbid_entities=True, forbid_external=True)
    try:
        parser.feed(_HEAD.sub("", _decoded(body, charset), count=1))
        parser.close()
    except DefusedXmlException:
        raise Unreadable("xml_unsafe") from None
    except ParseError as error:
        raise Unreadable("not_xml", line=error.position[0], column=error.position[1]) from None
    return builder.result()


def _decoded(body: bytes, charset: str) -> str:
    declared = _DECLARED.match(body.removeprefix(b"\xef\xbb\xbf"))
    name = declared[1].decode().lower() if declared else charset
    if body[:2] in (b"\xff\xfe", b"\xfe\xff"):
        name = "utf-16"
    if name not in _ENCODINGS:
        raise Unreadable("charset", charset=name)
    try:
        return body.decode(_ENCODINGS[name])
    except UnicodeDecodeError as error:
        raise Unreadable("charset", charset=name, at=error.start) from None


class _Builder:
    """Builds the tree while the parser reads, so that depth and size are refused before they cost anything."""

    def __init__(self, lists: frozenset[str]) -> None:
        self._lists = lists
        self._nodes = 0
        # The element's own values, and the pieces of its text.
        self._open: list[tuple[str, dict[str, Any], list[str]]] = []
        self._root: dict[str, Any] | None = None

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        """An element begins."""
        self._nodes += 1 + len(attributes)
        if len(self._open) >= DEEPEST:
            raise Unreadable("too_deep", most=DEEPEST)
        if self._nodes > MOST_NODES:
            raise Unreadable("too_many", most=MOST_NODES)
        self._open.append((_local(tag), {"@" + _local(k): v for k, v in attributes.items()}, []))

    def data(self, text: str) -> None:
        """Text inside the innermost element."""
        if self._open:
            self._open[-1][2].append(text)

    def end(self, _tag: str) -> None:
        """The innermost element ends."""
        name, values, pieces = self._open.pop()
        text = "".join(pieces)
        if values and text.strip():
            values["#"] = text.strip()
        # xsi:nil says that there is nothing, which an empty text is.
        value: Any = text if values == {"@nil": "true"} else values or text
        if not self._open:
            self._root = {**(values or ({"#": text} if text.strip() else {})), "#root": name}
            return
        outer = self._open[-1][1]
        if name in outer:
            before = outer[name]
            if isinstance(before, list):
                before.append(value)
            else:
                outer[name] = [before, value]
        else:
            outer[name] = [value] if name in self._lists else value

    def close(self) -> None:
        """The document ends."""

    def result(self) -> dict[str, Any]:
        """The root's content."""
        if self._root is None:
            raise Unreadable("not_xml", line=1, column=0)
        return self._root


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def write(tree: Any, root: str) -> bytes:
    """A tree as an XML document under a root element; what has no value is left out, a list repeats its element."""
    top = Element(_checked(root))
    _fill(top, tree)
    body: bytes = tostring(top, encoding="utf-8", xml_declaration=True)
    return body


def _fill(element: Element, value: Any) -> None:
    if not isinstance(value, Mapping):
        element.text = _text(value)
        return
    for name, inner in value.items():
        if inner is None or name == "#root":
            continue
        if name == "#":
            element.text = _text(inner)
        elif name.startswith("@"):
            element.set(_checked(name[1:]), _text(inner))
        else:
            for one in inner if isinstance(inner, list | tuple) else (inner,):
                _fill(SubElement(element, _checked(name)), one)


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise Unreadable("bad_name", name=name[:40])
    return name


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return ""
    # Characters XML cannot hold are dropped: nobody types them, and one must not stop an order.
    return _FORBIDDEN.sub("", format(value, "f") if isinstance(value, Decimal) else str(value))

"""What goes over the wire: a request as it came in, an answer as it goes out, and the few body forms vendors speak."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl
from xml.etree.ElementTree import Element, ParseError, SubElement, tostring

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

JSON_TYPE = "application/json;charset=utf-8"
XML_TYPE = "application/xml;charset=utf-8"
FORM_TYPE = "application/x-www-form-urlencoded;charset=utf-8"

#: What a JSON document is made of; vendors' documents are read defensively, so no closer type would hold.
Tree = dict[str, Any]


class Garbled(Exception):
    """A body is not in the form its vendor expects; the text says how."""


@dataclass
class Request:
    """One request: `path` begins with the vendor's prefix, header names are lower case."""

    method: str
    path: str
    query_string: str
    headers: Mapping[str, str]
    body: bytes = b""

    @cached_property
    def query(self) -> dict[str, str]:
        """The query's fields; of repeated ones the last."""
        return dict(parse_qsl(self.query_string, keep_blank_values=True))

    @cached_property
    def form(self) -> dict[str, str]:
        """The body's fields if it is a form; of repeated ones the last."""
        if "x-www-form-urlencoded" not in self.headers.get("content-type", ""):
            return {}
        try:
            return dict(parse_qsl(self.body.decode(), keep_blank_values=True))
        except UnicodeDecodeError as fault:
            raise Garbled("the form is not UTF-8") from fault

    @cached_property
    def json(self) -> Tree:
        """The body's JSON object."""
        return read_json(self.body)


@dataclass
class Answer:
    """One answer; `once` is awaited before it is sent (a push that shall arrive first)."""

    body: bytes
    status: int = 200
    content_type: str = JSON_TYPE
    headers: dict[str, str] = field(default_factory=dict)
    once: Awaitable[object] | None = None
    #: What the vendor did with it, in a word, for the record: accepted, repeated, refused.
    outcome: str = "accepted"

    def with_status(self, status: int) -> Answer:
        """The same answer with another HTTP status."""
        self.status = status
        return self


def dump(value: object) -> bytes:
    """JSON as vendors write it: compact, UTF-8 kept."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def answer_json(value: object, status: int = 200, outcome: str = "accepted") -> Answer:
    """An answer with a JSON body."""
    return Answer(dump(value), status, outcome=outcome)


def read_json(body: bytes | str) -> Tree:
    """A JSON object; raises Garbled for anything else."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as fault:
        raise Garbled("the body is not JSON") from fault
    if not isinstance(value, dict):
        raise Garbled("the JSON is not an object")
    return value


def read_xml(body: bytes) -> Element:
    """The root of an XML document without DTD and entities; raises Garbled."""
    try:
        root: Element = fromstring(body, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError) as fault:
        raise Garbled("the body is not XML") from fault
    return root


def text_of(element: Element | None, path: str) -> str:
    """The trimmed text at a path below an element, or nothing."""
    if element is None:
        return ""
    return (element.findtext(path) or "").strip()


def write_xml(root: str, tree: Mapping[str, object]) -> bytes:
    """XML from nested mappings; a list repeats its element, nothing at all leaves it out."""
    element = Element(root)
    _fill(element, tree)
    body: bytes = tostring(element, encoding="utf-8", xml_declaration=True)
    return body


def _fill(element: Element, tree: Mapping[str, object]) -> None:
    for name, value in tree.items():
        for one in value if isinstance(value, list) else [value]:
            if one is None:
                continue
            child = SubElement(element, name)
            if isinstance(one, Mapping):
                _fill(child, one)
            else:
                child.text = one if isinstance(one, str) else str(one)

"""EDIFACT to a tree: messages with their segments, whether or not they are in functional groups (UNG)."""

from __future__ import annotations

import re
from typing import Any

from orderhub.connectors.speech.limits import MOST_NODES, Unreadable

_USUAL = ":+.? '"
#: Segments that only enclose others.
_ENVELOPE = frozenset({"UNA", "UNB", "UNG", "UNE", "UNZ"})


def read(text: str) -> dict[str, Any]:
    """{"reference", "sender", "receiver", "messages": [{"type", "reference", "group", "segments"}]}. Raises Unreadable.

    A segment is {"tag": "RFF", "e": [["CW", "1Z…"]]}: elements, each a list of its components.
    """
    text = text.lstrip("\ufeff \t\r\n")
    signs = text[3:9] if text.startswith("UNA") else _USUAL
    if len(signs) != 6 or not text.startswith(("UNA", "UNB")):
        raise Unreadable("not_edifact")
    return _interchange(_segments(text[9:] if text.startswith("UNA") else text, signs))


def _segments(text: str, signs: str) -> list[dict[str, Any]]:
    component, element, release, end = signs[0], signs[1], signs[3], signs[5]
    releases = release != " "
    special = re.escape(component + element + end + (release if releases else ""))
    released = rf"{re.escape(release)}[\s\S]|" if releases else ""
    # Runs of plain text in one piece: a body of 2 MB is no reason to look at each character.
    pieces = re.compile(rf"[^{special}\r\n]+|{released}[{special}]")
    found: list[dict[str, Any]] = []
    elements: list[list[str]] = [[""]]
    for hit in pieces.finditer(text):
        piece = hit[0]
        if piece == component:
            elements[-1].append("")
        elif piece == element:
            elements.append([""])
        elif piece == end:
            found.append(_segment(elements))
            elements = [[""]]
            if len(found) > MOST_NODES:
                raise Unreadable("too_many", most=MOST_NODES)
        else:
            is_released = releases and len(piece) == 2 and piece[0] == release
            elements[-1][-1] += piece[1:] if is_released else piece
    if any(any(part.strip() for part in one) for one in elements):
        raise Unreadable("edifact_end")
    return found


def _segment(elements: list[list[str]]) -> dict[str, Any]:
    tag = elements[0][0].strip()
    if not (len(tag) == 3 and tag.isascii() and tag.isalnum() and tag.isupper()):
        raise Unreadable("edifact_segment", tag=tag[:10])
    return {"tag": tag, "e": elements[1:]}


def _part(segment: dict[str, Any], element: int, component: int = 0) -> str:
    parts = segment["e"]
    if element < len(parts) and component < len(parts[element]):
        return str(parts[element][component])
    return ""


def _interchange(segments: list[dict[str, Any]]) -> dict[str, Any]:
    whole: dict[str, Any] = {"reference": "", "sender": "", "receiver": "", "messages": []}
    group, message = "", None
    for segment in segments:
        tag = segment["tag"]
        if tag == "UNB":
            whole |= {
                "sender": _part(segment, 1),
                "receiver": _part(segment, 2),
                "reference": _part(segment, 4),
            }
        elif tag in ("UNG", "UNE"):
            group = _part(segment, 4) if tag == "UNG" else ""
        elif tag == "UNH":
            if message is not None:
                raise Unreadable("edifact_segment", tag="UNH")
            message = _message(segment, group)
        elif tag == "UNT":
            if message is None:
                raise Unreadable("edifact_segment", tag="UNT")
            _close(message, segment)
            whole["messages"].append(message)
            message = None
        elif message is not None:
            message["segments"].append(segment)
        elif tag not in _ENVELOPE:
            raise Unreadable("edifact_segment", tag=tag)
    if message is not None:
        raise Unreadable("edifact_end")
    return whole


def _message(segment: dict[str, Any], group: str) -> dict[str, Any]:
    return {
        "type": _part(segment, 1, 0),
        "release": _part(segment, 1, 1) + _part(segment, 1, 2),
        "reference": _part(segment, 0),
        "group": group,
        "segments": [],
    }


def _close(message: dict[str, Any], segment: dict[str, Any]) -> None:
    """UNT counts the segments with itself and UNH: a message cut on its way is refused."""
    counted = _part(segment, 0)
    if counted.isascii() and counted.isdigit() and int(counted) != len(message["segments"]) + 2:
        raise Unreadable("edifact_count", counted=counted, found=len(message["segments"]) + 2)

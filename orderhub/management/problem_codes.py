"""Every code the hub refuses with, found in its own source: where `Refused(...)` is raised, and the frame's."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.utils import translation

from orderhub.access import problems

PACKAGES = ("orderhub", "rules", "routing", "tracking", "carbon")
CATALOG = "orderhub/access/problem_catalog.json"
PAGE = "docs/problems.md"
#: Codes of single fields, from the serializers; they stand in `errors[]` and, when alone, in `code`.
FIELD_CODES = (
    "required", "null", "blank", "invalid", "invalid_choice", "max_length", "min_length", "max_value", "min_value",
    "max_digits", "max_decimal_places", "max_whole_digits", "empty", "not_a_list", "unknown_field", "does_not_exist",
)  # fmt: skip
_STATUS = 409


@dataclass(frozen=True, slots=True)
class Declared:
    """A code with its HTTP status, and its English sentence and remedy (translated where they are shown)."""

    code: str
    status: int
    title: str
    remedy: str


def declared() -> list[Declared]:
    """All codes in the order of the alphabet; of several places that refuse with one code, the fullest."""
    found: dict[str, Declared] = {}
    for one in (*_of_frame(), *_of_source()):
        before = found.get(one.code)
        if before is None or (bool(one.remedy), bool(one.title)) > (bool(before.remedy), bool(before.title)):
            found[one.code] = one
    return [found[code] for code in sorted(found)]


def catalog() -> str:
    """The catalog as JSON, from which the hub's own page is drawn."""
    rows = [
        {"code": one.code, "status": one.status, "title": one.title, "remedy": one.remedy}
        for one in declared()
    ]
    return json.dumps(rows, ensure_ascii=False, indent=1) + "\n"


def page() -> str:
    """The catalog as Markdown."""
    lines = [
        "# Problems",
        "",
        "Every refusal of the API is a problem document (RFC 9457, `application/problem+json`) with `type`, `title`, "
        "`status`,",
        "`code`, `detail`, `remedy` and `request_id`; wrong fields stand in `errors[]` with `field` "
        "(`lines[0].sku`), `pointer`",
        "(`#/lines/0/sku`), `code` and `message`. Texts follow `Accept-Language` or `?lang=`; codes never change. "
        "`type` is the",
        "address of this list on the hub itself, `/api/problems/#<code>`.",
        "",
        "Written from the code by `python manage.py snapshots`; a test compares.",
        "",
        "| code | status | says | remedy |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| `{one.code}` | {one.status} | {_cell(one.title)} | {_cell(one.remedy)} |" for one in declared()
    ]
    lines += ["", "Codes of single fields: " + ", ".join(f"`{code}`" for code in FIELD_CODES) + ".", ""]
    return "\n".join(lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _of_frame() -> Iterator[Declared]:
    with translation.override("en"):
        for code, (status, title, remedy) in problems.FRAME.items():
            yield Declared(code, status, str(title), str(remedy))


def _of_source() -> Iterator[Declared]:
    for package in PACKAGES:
        for path in sorted((Path(settings.BASE_DIR) / package).rglob("*.py")):
            if "migrations" in path.parts:
                continue
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Call) and _name(node.func) == "Refused":
                    yield from _of_call(node)


def _of_call(call: ast.Call) -> Iterator[Declared]:
    named = {keyword.arg: keyword.value for keyword in call.keywords}
    code = call.args[0] if call.args else named.get("code")
    status = named.get("status")
    message = call.args[1] if len(call.args) > 1 else named.get("message")
    for text in _codes(code):
        yield Declared(
            text,
            status.value if isinstance(status, ast.Constant) and isinstance(status.value, int) else _STATUS,
            _words(message),
            _words(named.get("remedy")),
        )


def _codes(node: ast.expr | None) -> Iterator[str]:
    """A code in so many words, or both of a choice; codes from a table are declared by the table's calls."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from _codes(node.body)
        yield from _codes(node.orelse)


def _words(node: ast.expr | None) -> str:
    """The first translated text within an expression."""
    for part in ast.walk(node) if node is not None else ():
        if isinstance(part, ast.Call) and _name(part.func) in ("_", "gettext", "gettext_lazy", "ngettext"):
            first = part.args[0] if part.args else None
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                return first.value
    return ""


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""

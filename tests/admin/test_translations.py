"""Every text of our own code has its Chinese: nothing English is left on a Chinese page."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import read_po
from django.apps import apps
from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import override
from django.utils.translation.template import templatize

ROOT = Path(settings.BASE_DIR)
PACKAGES = ("orderhub", "rules", "routing", "carbon", "tracking", "templates")
OWN_APPS = {
    "access",
    "events",
    "inventory",
    "orders",
    "risk",
    "compliance",
    "fulfillment",
    "connectors",
    "rules",
    "routing",
    "carbon",
    "tracking",
    "center",
}
KEYWORDS = {
    "_": None, "gettext": None, "gettext_lazy": None, "ngettext": (1, 2), "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2), "pgettext_lazy": ((1, "c"), 2), "npgettext": ((1, "c"), 2, 3),
}  # fmt: skip
#: Words that are the same in Chinese: SKU, TTW, WTT, kg CO2e.
KEPT = (".sku", ".Sku", "_kgco2e")
Key = tuple[str | None, str]


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    """Our Chinese."""
    with (ROOT / "orderhub/locale/zh_Hans/LC_MESSAGES/django.po").open("rb") as file:
        return read_po(file)


def _sources() -> Iterator[Path]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*")):
            is_template = path.suffix in {".html", ".txt"} and "templates" in path.parts
            if "migrations" not in path.parts and (path.suffix == ".py" or is_template):
                yield path


def _said_in(path: Path) -> Iterator[Key]:
    code = path.read_text("utf-8")
    if path.suffix != ".py":
        lines = templatize(code, origin=str(path)).splitlines()
        code = "\n".join(line.strip() for line in lines if "gettext" in line)
    found = extract("python", io.BytesIO(code.encode()), keywords=KEYWORDS, options={"encoding": "utf-8"})
    for _line, message, _comments, context in found:
        text = message if isinstance(message, str) else message[0]
        if text:
            yield context, text


def _translated(catalog: Catalog) -> set[Key]:
    return {
        (entry.context, entry.id if isinstance(entry.id, str) else entry.id[0])
        for entry in catalog
        if entry.id
        and (entry.string if isinstance(entry.string, str) else all(entry.string))
        and not entry.fuzzy
    }


def test_the_search_sees_python_plural_context_and_templates(tmp_path: Path) -> None:
    code, page = tmp_path / "a.py", tmp_path / "b.html"
    code.write_text('_("one"); ngettext("%(n)d a", "%(n)d as", 2); pgettext("who", "x"); _("joined " "text")')
    page.write_text(
        "{% load i18n %}{% translate 'two' %}"
        "{% blocktranslate count n=n %}{{ n }} b{% plural %}{{ n }} bs{% endblocktranslate %}"
    )

    assert set(_said_in(code)) == {(None, "one"), (None, "%(n)d a"), ("who", "x"), (None, "joined text")}
    assert set(_said_in(page)) == {(None, "two"), (None, "%(n)s b")}


def test_no_text_of_ours_lacks_chinese(catalog: Catalog) -> None:
    have = _translated(catalog)

    missing = [
        f"{path.relative_to(ROOT)}: {key}" for path in _sources() for key in _said_in(path) if key not in have
    ]

    assert missing == []


def test_chinese_keeps_every_placeholder(catalog: Catalog) -> None:
    faults = [str(fault) for entry in catalog for fault in entry.check(catalog)]

    assert faults == []


def test_nothing_is_translated_twice(catalog: Catalog) -> None:
    text = (ROOT / "orderhub/locale/zh_Hans/LC_MESSAGES/django.po").read_text("utf-8")
    entries = sum(1 for line in text.splitlines() if line.startswith("msgid ")) - 1

    assert entries == len(catalog)


def test_every_model_and_field_people_may_see_has_a_chinese_name() -> None:
    english: list[str] = []
    with override("zh-hans"):
        for model in apps.get_models():
            meta = model._meta
            if meta.app_label not in OWN_APPS or meta.model_name.startswith("historical"):
                continue
            names = [(f"{meta.label}", meta.verbose_name)]
            names += [
                (f"{meta.label}.{field.name}", field.verbose_name)
                for field in meta.fields
                if isinstance(field.verbose_name, Promise)
            ]
            english += [where for where, name in names if isinstance(name, Promise) and str(name).isascii()]

    assert [where for where in english if not where.endswith(KEPT)] == []

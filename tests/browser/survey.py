"""What one page is like: how it fits, what axe says, which words it shows. Measured inside the page."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page

AXE = Path(__file__).resolve().parents[2] / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
WIDTHS = (320, 390, 820, 1280)
SMALLEST_TEXT_PX = 12.0
_WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]

_AXE = """
async ({ tags, skipped }) => {
  const found = await axe.run({ include: [["html"]], exclude: skipped.map((one) => [one]) },
    { runOnly: { type: "tag", values: tags }, resultTypes: ["violations"] });
  const grave = found.violations.filter(({ impact }) => impact === "serious" || impact === "critical");
  const remedy = (text) => (text || "").split("\\n")[1] || "";
  return grave.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id}: ${target.join(" ")} (${remedy(failureSummary)})`));
}
"""
#: What sticks out of the page to the right, where the page is wider than the window.
_STICKING_OUT = """
() => {
  const width = document.documentElement.clientWidth;
  if (document.scrollingElement.scrollWidth <= width) return [];
  const sticksOut = (node) => node.getBoundingClientRect().right > width + 0.5;
  const out = [...document.body.querySelectorAll("*")].filter(sticksOut);
  const first = out.filter((node) => !out.includes(node.parentElement));
  const name = (node) => [node.tagName.toLowerCase(), ...node.classList].join(".");
  return (first.length ? first : [document.body]).map(name);
}
"""
#: Visible texts with their size as drawn, and the words of attributes that readers meet; what is marked as another
#: language is left out.
_TEXTS = """
({ skipped }) => {
  const lang = document.documentElement.lang, texts = [];
  const away = ["script", "style", "template", "noscript", ...skipped].join(",");
  const isSeen = (node) => node.checkVisibility({ visibilityProperty: true }) && !node.closest(away);
  const isHere = (node) => isSeen(node) && (node.closest("[lang]") || node).lang === lang;
  const drawn = (node) => parseFloat(getComputedStyle(node).fontSize) * (node.getScreenCTM ? node.getScreenCTM().a : 1);
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim(), node = walker.currentNode.parentElement;
    if (text && isHere(node)) texts.push([text, drawn(node)]);
  }
  for (const name of ["placeholder", "title", "aria-label", "alt"]) {
    const named = [...document.body.querySelectorAll(`[${name}]`)].filter(isHere);
    texts.push(...named.map((node) => [node.getAttribute(name), 99]));
  }
  texts.push([document.title, 99]);
  return texts;
}
"""
_HAN = re.compile(r"[\u3400-\u9fff]")
#: Three English words in a row, or a lower-case word alone, which no code, brand or unit is.
_ENGLISH = re.compile(r"\b[A-Za-z][a-z'’]+(?:[ ,]+[A-Za-z][a-z'’]*){2,}\b|^[A-Z]?[a-z]{3,}(?: [a-z]+)*[.…]?$")


@dataclass(frozen=True, slots=True)
class Words:
    """A visible text and its size in pixels (99: an attribute)."""

    text: str
    size_px: float


def violations(page: Page, *, skipped: Sequence[str] = ()) -> list[str]:
    """What axe calls serious or critical by WCAG 2.2 A and AA: rule, node, and what to mend."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE.read_text())
    found: list[str] = page.evaluate(_AXE, {"tags": _WCAG, "skipped": list(skipped)})
    return found


def sticking_out(page: Page, widths: Sequence[int] = WIDTHS) -> dict[int, list[str]]:
    """What makes the page scroll sideways, by window width; empty where nothing does."""
    size, found = page.viewport_size, {}
    assert size is not None
    for width in widths:
        page.set_viewport_size({"width": width, "height": size["height"]})
        if out := page.evaluate(_STICKING_OUT):
            found[width] = out[:6]
    page.set_viewport_size(size)
    return found


def words(page: Page, *, skipped: Sequence[str] = ()) -> list[Words]:
    """Everything there is to read in the page's own language."""
    return [Words(text, size) for text, size in page.evaluate(_TEXTS, {"skipped": list(skipped)})]


def too_small(found: Sequence[Words]) -> list[str]:
    """Texts below the smallest size."""
    return sorted({word.text for word in found if word.size_px < SMALLEST_TEXT_PX})


def untranslated(found: Sequence[Words], language: str, *, known: re.Pattern[str]) -> list[str]:
    """Texts that are in the other language; `known` matches what stays as it is in both."""
    texts = {re.sub(r"\s+", " ", known.sub(" ", word.text)).strip() for word in found}
    wrong = _HAN if language == "en" else _ENGLISH
    return sorted(text for text in texts if wrong.search(text))


def settle(page: Page) -> None:
    """Wait until web fonts are there, and the map where the page has one."""
    if page.locator("[data-map]").count():
        page.wait_for_load_state("networkidle")
    page.evaluate("() => document.fonts.ready.then(() => true)")


def pixels(shot: bytes) -> tuple[int, int]:
    """Width and height of a PNG."""
    return int.from_bytes(shot[16:20]), int.from_bytes(shot[20:24])

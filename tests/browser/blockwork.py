"""Hands for the block editor: taking blocks out of the real toolbox by mouse, and typing into their fields."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page, expect
from playwright.sync_api import TimeoutError as Late

#: Where something of the workspace is on the screen: {x, y} of its middle, or of its top left corner.
_FIELD = """async ([type, name]) => {
  await Blockly.renderManagement.finishQueuedRenders();
  const blocks = ohRules.workspace.getAllBlocks(true).filter((one) => one.type === type), block = blocks[blocks.length - 1];
  const box = block.getField(name).getSvgRoot().getBoundingClientRect();
  return { x: box.left + box.width / 2, y: box.top + box.height / 2 };
}"""
_IN_FLYOUT = """(type) => {
  const block = ohRules.workspace.getFlyout().getWorkspace().getTopBlocks(true).find((one) => one.type === type);
  const box = block.getSvgRoot().getBoundingClientRect();
  const view = document.querySelector("[data-part=blocks]").getBoundingClientRect();
  return { x: box.left, y: box.top, below: box.bottom - view.bottom };
}"""
_END_OF = """(input) => {
  const ws = ohRules.workspace, root = ws.getTopBlocks(false).find((one) => one.type === "rule");
  let at = root.getInput(input).connection;
  while (at.targetBlock()) at = at.targetBlock().nextConnection;
  const place = Blockly.utils.svgMath.wsToScreenCoordinates(ws, new Blockly.utils.Coordinate(at.x, at.y));
  return { x: place.x, y: place.y };
}"""


def settled(page: Page) -> None:
    """Wait until what is on the page was looked at and kept."""
    page.wait_for_function("() => document.getElementById('rules-editor').dataset.state === 'kept'")


def take(page: Page, category: str, kind: str, into: str) -> None:
    """Drag a block of this type out of the toolbox to the end of an input of the rule (WHEN or THEN)."""
    count = len(blocks(page, kind))
    page.locator(".blocklyToolboxCategory").filter(has_text=category).first.click()
    page.wait_for_function("() => ohRules.workspace.getFlyout().isVisible()")
    place = page.evaluate(_IN_FLYOUT, kind)
    for _turn in range(30):
        if place["below"] < -8:
            break
        page.mouse.move(place["x"] + 12, 300)
        page.mouse.wheel(0, 120)
        page.wait_for_timeout(60)
        place = page.evaluate(_IN_FLYOUT, kind)
    end = page.evaluate(_END_OF, into)
    page.mouse.move(place["x"] + 10, place["y"] + 10)
    page.mouse.down()
    page.mouse.move(place["x"] + 60, place["y"] + 20, steps=4)
    page.mouse.move(end["x"] + 14, end["y"] + 16, steps=8)
    page.mouse.up()
    assert len(blocks(page, kind)) == count + 1, f"{kind} was not taken out"


def type_into(page: Page, kind: str, field: str, text: str) -> None:
    """Click a text field of the last block of this type and type."""
    open_editor(page, kind, field, ".blocklyHtmlInput")
    page.keyboard.press("ControlOrMeta+A")
    page.keyboard.type(text)
    page.keyboard.press("Enter")


def choose(page: Page, kind: str, field: str, label: str) -> None:
    """Open a menu on the last block of this type and choose by its words."""
    open_editor(page, kind, field, ".blocklyDropDownDiv .blocklyMenuItem")
    page.locator(".blocklyDropDownDiv .blocklyMenuItem").filter(has_text=label).first.click()
    page.wait_for_timeout(100)


def pick(page: Page, kind: str, field: str, text: str, done: str) -> None:
    """Open the box of a list of SKUs, search, and take the first that is found."""
    open_editor(page, kind, field, ".oh-re-ask input")
    page.locator(".oh-re-ask input").fill(text)
    page.locator(".oh-re-ask .oh-re-found button").filter(has_text=text).first.click()
    page.locator(".oh-re-ask").get_by_role("button", name=done, exact=True).click()
    expect(page.locator(".oh-re-ask")).to_have_count(0)


def open_editor(page: Page, kind: str, field: str, editor: str) -> None:
    """Click a field until its editor is there: a block that grows moves between being looked up and being clicked."""
    for _turn in range(5):
        place = page.evaluate(_FIELD, [kind, field])
        page.mouse.click(place["x"], place["y"])
        try:
            page.wait_for_selector(editor, timeout=3_000)
        except Late:
            page.keyboard.press("Escape")
        else:
            return
    raise AssertionError(f"{field} of {kind} did not open")


def blocks(page: Page, kind: str) -> list[str]:
    """The ids of the blocks of a type."""
    found: list[str] = page.evaluate(
        "(type) => ohRules.workspace.getAllBlocks(false).filter((one) => one.type === type).map((one) => one.id)",
        kind,
    )
    return found


def round_trips(page: Page, rules: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each rule drawn as blocks and read again, and once more after the blocks were copied."""
    found: list[dict[str, Any]] = page.evaluate("(rules) => ohRules.roundTrips(rules)", rules)
    return found

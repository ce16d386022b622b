"""Every main page in Chinese and English, light and dark, phone and desk: readable, whole, quiet, in one language."""

from __future__ import annotations

import pytest

from tests.browser import survey
from tests.browser.scene import PLACES, Scene
from tests.browser.visiting import DESK, PHONE, Guise

pytestmark = pytest.mark.browser

_ZH_PHONE = Guise(width=PHONE["width"])
_ZH_DESK = Guise(width=DESK["width"])
_GUISES = {
    "tracking-moving": (
        _ZH_PHONE, _ZH_PHONE.as_(theme="dark"), _ZH_PHONE.as_(language="en"),
        _ZH_DESK.as_(language="en", theme="dark"),
    ),
    "tracking": (_ZH_PHONE, _ZH_PHONE.as_(language="en", theme="dark")),
    "login": (_ZH_PHONE, _ZH_PHONE.as_(language="en", theme="dark")),
    "merchant": (_ZH_DESK, _ZH_PHONE.as_(language="en", theme="dark")),
    "admin": (_ZH_DESK, _ZH_DESK.as_(language="en", theme="dark")),
}  # fmt: skip
LOOKS = [
    pytest.param(name, guise, id=f"{name}-{guise}")
    for name in PLACES
    for guise in _GUISES.get(name) or _GUISES[name.partition("-")[0]]
]
each_look = pytest.mark.parametrize(("name", "guise"), LOOKS)


@each_look
def test_nothing_is_hard_to_reach_or_to_read(scene: Scene, name: str, guise: Guise) -> None:
    look = scene.look(name, guise)

    assert look.violations == []
    assert survey.too_small(look.words) == []


@each_look
def test_nothing_scrolls_sideways(scene: Scene, name: str, guise: Guise) -> None:
    look = scene.look(name, guise)

    assert look.sticking_out == {}


@each_look
def test_all_texts_are_in_the_readers_language(scene: Scene, name: str, guise: Guise) -> None:
    look = scene.look(name, guise)

    assert len(look.words) > 8
    assert survey.untranslated(look.words, guise.language, known=scene.known()) == []


@each_look
def test_it_is_quiet_and_asks_no_other_host(scene: Scene, name: str, guise: Guise) -> None:
    look = scene.look(name, guise)

    assert look.watch.loads == 1
    look.watch.assert_clean(except_status=(404,) if PLACES[name].status == 404 else ())


@each_look
def test_its_picture_is_as_wide_as_the_window(scene: Scene, name: str, guise: Guise) -> None:
    look = scene.look(name, guise)

    width, height = survey.pixels(look.shot.read_bytes())
    assert width == guise.width
    assert height >= (PHONE if guise.width == PHONE["width"] else DESK)["height"]


def test_axe_finds_what_is_wrong(scene: Scene) -> None:
    context, _watch = scene.visits.context(Guise())
    page = context.new_page()
    page.goto("/login/")

    page.evaluate(
        "() => { document.querySelector('h1').style.color = '#999'; document.documentElement.lang = ''; }"
    )

    rules = {line.partition(":")[0] for line in survey.violations(page)}
    assert rules == {"color-contrast", "html-has-lang"}

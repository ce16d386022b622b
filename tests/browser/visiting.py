"""A page under observation: who looks at it, in which language and theme, and what must not happen meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    Response,
    ViewportSize,
)

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}
_LOCALES = {"zh-hans": "zh-CN", "en": "en-US"}
#: The admin reads the system's theme only while it loads, or when somebody chooses "auto": so choose it anew. Answers,
#: once colors no longer move, whether the page wears the system's theme.
_WEAR = """async () => {
  const root = document.documentElement, dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const isAdmin = "Alpine" in window && root.hasAttribute("x-data");
  if (isAdmin) for (const theme of ["light", "auto"]) { Alpine.$data(root).adminTheme = theme; await Alpine.nextTick(); }
  for (let frame = 0; frame < 2; frame++) await new Promise(requestAnimationFrame);
  const moving = document.getAnimations().filter((one) => one instanceof CSSTransition);
  await Promise.allSettled(moving.map((one) => one.finished));
  return !isAdmin || root.classList.contains("dark") === dark;
}"""


@dataclass(frozen=True, slots=True)
class Guise:
    """How somebody looks at a page: "" is a stranger, else a user name of the demo."""

    who: str = ""
    language: str = "zh-hans"
    theme: str = "light"
    width: int = DESK["width"]

    def as_(self, **changes: Any) -> Guise:
        """The same but for these."""
        return replace(self, **changes)

    def viewport(self) -> ViewportSize:
        """The window's size: as high as a phone where it is narrow."""
        return {"width": self.width, "height": (PHONE if self.width < 600 else DESK)["height"]}

    def __str__(self) -> str:
        return f"{self.language}-{self.theme}-{self.width}"


@dataclass
class Watch:
    """What a page did that a reader must never meet. (No slots: Playwright notes its handlers on their owner.)"""

    host: str
    complaints: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    loads: int = 0

    def over(self, context: BrowserContext) -> None:
        """Watch every page of the context."""
        context.on("console", self._heard)
        context.on("weberror", lambda error: self.complaints.append(f"{error.error}"))
        context.on("request", self._asked)
        context.on("response", self._answered)
        context.on("page", lambda page: page.on("framenavigated", self._navigated))

    def assert_clean(self, *, except_status: tuple[int, ...] = ()) -> None:
        """Nothing was said on the console, nothing broke, and nobody else was asked."""
        expected = tuple(f"status of {status}" for status in except_status)
        said = [text for text in self.complaints if not (expected and any(part in text for part in expected))]
        broken = [
            text for text in self.broken if not text.startswith(tuple(map(str, except_status)) or ("-",))
        ]

        assert (said, broken, self.elsewhere) == ([], [], [])

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.type}: {message.text} ({message.location.get('url', '')})")

    def _asked(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme not in ("data", "blob") and address.netloc != self.host:
            self.elsewhere.append(request.url)

    def _answered(self, response: Response) -> None:
        if response.status >= 400:
            self.broken.append(f"{response.status} {response.url}")

    def _navigated(self, frame: object) -> None:
        self.loads += 1


@dataclass(slots=True)
class Visits:
    """Opens pages of the hub in contexts of their own."""

    browser: Browser
    url: str
    sessions: Mapping[str, Any]
    opened: list[BrowserContext] = field(default_factory=list)

    def context(self, guise: Guise, **options: Any) -> tuple[BrowserContext, Watch]:
        """A fresh context in this guise, watched."""
        if guise.who:
            options["storage_state"] = self.sessions[guise.who]
        context = self.browser.new_context(
            base_url=self.url, locale=_LOCALES[guise.language], color_scheme=guise.theme,
            viewport=guise.viewport(), timezone_id="Asia/Shanghai",
            reduced_motion="reduce", **options,
        )  # fmt: skip
        context.add_cookies([{"name": "django_language", "value": guise.language, "url": self.url}])
        context.set_default_timeout(15_000)
        self.opened.append(context)
        watch = Watch(urlsplit(self.url).netloc)
        watch.over(context)
        return context, watch

    def page(self, path: str, guise: Guise | None = None, **options: Any) -> tuple[Page, Watch]:
        """A page in a fresh context, opened and settled."""
        context, watch = self.context(guise or Guise(), **options)
        page = context.new_page()
        open_(page, path)
        return page, watch

    def close(self) -> None:
        """Close what was opened since."""
        while self.opened:
            self.opened.pop().close()


def open_(page: Page, path: str) -> Response:
    """Go there and wait until its scripts and images have come; the answer."""
    answer = page.goto(path, wait_until="load")
    assert answer is not None
    return answer


def wear(page: Page, guise: Guise) -> None:
    """Give the loaded page this theme and width; who looks and in which language stays as the server answered."""
    page.set_viewport_size(guise.viewport())
    page.emulate_media(color_scheme=guise.theme)
    assert page.evaluate(_WEAR), f"the page does not turn {guise.theme}"

"""The pages that are looked at, by name, and what stands on them; and what a look at one of them found."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from orderhub.connectors.demo import PLACES as PLACES_OF_THE_DEMO
from tests.browser import survey
from tests.browser.living import Hub, Json, path_of
from tests.browser.survey import Words
from tests.browser.visiting import Guise, Visits, Watch, open_

T = TypeVar("T")
#: Regions, people and shops of the demo: data, which stays as the channel wrote it.
_DATA = (
    # What other stories of the same shop type as names of their shops and systems.
    r"巷口杂货|挑剔的 ERP|"
    r"[\u4e00-\u9fff]\*+|演示\S*|青禾家居|模拟仓配|SKU-未知|成本最优|[\u4e00-\u9fff]{2,9}(?:省|市|自治区)|江苏|浙江|上海|"
    + "|".join({district for _province, _city, district, _share in PLACES_OF_THE_DEMO})
)
#: What is the same in both languages: names, codes, units, file names, and the users' log-ins.
_NAMES = (
    r"OrderHub|Shopify|Natural Earth|ExportOrder\w+|[\w-]+\.csv|\b[A-Z]+-[A-Z0-9-]+\b|\bkg\b|\bkm\b|"
    r"placed_at|quantity|sku|admin|merchant"
)
#: Unfold's icons are words in a font of pictures; what SimpleBar (inside Unfold) tells screen readers is its own.
SKIPPED = (".material-symbols-outlined", ".simplebar-content-wrapper[aria-label]")
#: The list around "add" is import-export's, of Unfold's own making: it holds a div where only items may stand.
_NOT_OURS = (".object-tools",)


@dataclass(frozen=True, slots=True)
class Look:
    """What one page was like in one guise."""

    violations: list[str]
    sticking_out: dict[int, list[str]]
    words: list[Words]
    watch: Watch
    shot: Path


@dataclass(frozen=True, slots=True)
class Place:
    """A page: who opens it, where it is, and at which widths it has to fit."""

    who: str
    path: Callable[[Scene], str]
    widths: tuple[int, ...] = survey.WIDTHS
    status: int = 200


@dataclass(slots=True)
class Scene:
    """The demo with one example of everything, and the looks taken so far."""

    hub: Hub
    visits: Visits
    folder: Path
    preview: str
    done: str
    looks: dict[tuple[str, Guise], Look] = field(default_factory=dict)
    _kept: dict[str, Any] = field(default_factory=dict)

    def once(self, name: str, make: Callable[[], T]) -> T:
        """What `make` gives, made at the first call of this name."""
        if name not in self._kept:
            self._kept[name] = make()
        found: T = self._kept[name]
        return found

    def moving(self) -> Json:
        """An order whose parcel is on its way; a new one where all have arrived."""
        found = self.hub.orders(stage="shipped")
        return found[0] if found else self.hub.when(self.hub.place()["id"], _has_left)

    def look(self, name: str, guise: Guise) -> Look:
        """Look at the page once; later calls give the same answer."""
        if (name, guise) not in self.looks:
            self.looks[name, guise] = self._look(name, guise)
        return self.looks[name, guise]

    def known(self) -> re.Pattern[str]:
        """Texts that are right in either language."""
        # Asked each time: other stories in the same shop add goods.
        rows = self.hub.client.get("skus/", params={"page_size": "200"}).raise_for_status().json()["results"]
        goods = sorted((re.escape(sku["name"]) for sku in rows), key=len, reverse=True)
        return re.compile(f"{'|'.join(goods)}|{_DATA}|{_NAMES}")

    def _look(self, name: str, guise: Guise) -> Look:
        place = PLACES[name]
        context, watch = self.visits.context(guise.as_(who=place.who))
        page = context.new_page()
        answer = open_(page, place.path(self))
        survey.settle(page)
        shot = self.folder / f"{name}-{guise}.png"
        page.screenshot(path=shot, full_page=True)
        found = Look(
            violations=survey.violations(page, skipped=_NOT_OURS), words=survey.words(page, skipped=SKIPPED),
            sticking_out=survey.sticking_out(page, place.widths), watch=watch, shot=shot,
        )  # fmt: skip
        assert answer.status == place.status
        context.close()
        return found


def _has_left(order: Json) -> bool:
    return order["stage"] in ("shipped", "delivered")


def _order(stage: str) -> Callable[[Scene], str]:
    return lambda scene: path_of(scene.hub.orders(stage=stage)[0])


def _desk(stage: str) -> Callable[[Scene], str]:
    # The oldest is the demo's own, whatever the stories of other tests did before.
    return lambda scene: f"/admin/orders/order/{scene.hub.orders(stage=stage)[-1]['id']}/change/"


_WIDE = (1280,)
PLACES: Mapping[str, Place] = {
    "tracking-moving": Place("", lambda scene: path_of(scene.moving())),
    "tracking-delivered": Place("", _order("delivered")),
    "tracking-held": Place("", _order("reviewing")),
    "tracking-missing": Place("", lambda scene: "/t/nobody-has-this-link/", status=404),
    "login": Place("", lambda scene: "/login/"),
    "merchant-import": Place("merchant", lambda scene: "/merchant/import/"),
    "merchant-preview": Place("merchant", lambda scene: scene.preview),
    "merchant-done": Place("merchant", lambda scene: scene.done),
    "merchant-orders": Place("merchant", lambda scene: "/merchant/orders/"),
    "merchant-nothing-found": Place("merchant", lambda scene: "/merchant/orders/?q=nobody-has-this-number"),
    "merchant-stock": Place("merchant", lambda scene: "/merchant/stock/"),
    "admin-login": Place("", lambda scene: "/admin/login/", _WIDE),
    "admin-today": Place("admin", lambda scene: "/admin/", _WIDE),
    "admin-orders": Place("admin", lambda scene: "/admin/orders/order/", _WIDE),
    "admin-order": Place("admin", _desk("delivered"), _WIDE),
    "admin-order-held": Place("admin", _desk("reviewing"), _WIDE),
    "admin-strategy": Place("admin", lambda scene: "/admin/routing/strategy/1/change/", _WIDE),
    "admin-geofence": Place("admin", lambda scene: "/admin/tracking/fence/1/change/", _WIDE),
    "admin-warehouses": Place("admin", lambda scene: "/admin/inventory/warehouse/", _WIDE),
}

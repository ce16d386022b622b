"""One fake world: its clock, faults, journal, market, parcels and vendors. Lives in the loop of its server."""

from __future__ import annotations

from typing import Any

from orderhub.connectors.fakes.automatic import Automatic
from orderhub.connectors.fakes.courier import Courier
from orderhub.connectors.fakes.faults import Unknown
from orderhub.connectors.fakes.vendor import Surroundings, Vendor
from orderhub.connectors.fakes.vendors.aftership import AfterShip
from orderhub.connectors.fakes.vendors.douyin import Douyin
from orderhub.connectors.fakes.vendors.easypost import EasyPost
from orderhub.connectors.fakes.vendors.jd import Jd
from orderhub.connectors.fakes.vendors.kingdee import Kingdee
from orderhub.connectors.fakes.vendors.kuaidi100 import Kuaidi100
from orderhub.connectors.fakes.vendors.mes import Mes
from orderhub.connectors.fakes.vendors.partner import Partner
from orderhub.connectors.fakes.vendors.pinduoduo import Pinduoduo
from orderhub.connectors.fakes.vendors.qimen import Qimen
from orderhub.connectors.fakes.vendors.sf import Sf
from orderhub.connectors.fakes.vendors.shopify import Shopify
from orderhub.connectors.fakes.vendors.taobao import Taobao
from orderhub.connectors.fakes.vendors.woocommerce import WooCommerce

VENDORS: tuple[type[Vendor], ...] = (
    Qimen, Kingdee, Taobao, Douyin, Shopify, WooCommerce, Pinduoduo, Jd, Kuaidi100, Sf, EasyPost, AfterShip, Partner,
    Mes,
)  # fmt: skip


class Universe:
    """Everything that one fake vendor server plays."""

    def __init__(self, seed: int = 1, factor: float = 1.0, stamps: str = "virtual") -> None:
        self.around = around = Surroundings(seed, factor, stamps)
        self.clock, self.faults, self.journal = around.clock, around.faults, around.journal
        self.parcels, self.market, self.callbacks = around.parcels, around.market, around.callbacks
        self.courier = Courier(around)
        self.vendors: dict[str, Vendor] = {kind.code: kind(around) for kind in VENDORS}
        self.automatic = Automatic(around, self.vendors)

    def vendor(self, code: str) -> Vendor:
        """The vendor with this code; raises Unknown."""
        found = self.vendors.get(code)
        if found is None:
            raise Unknown(f"There is no vendor {code!r}; there are: {', '.join(self.vendors)}.")
        return found

    def set_callback(self, url: str, vendor: str = "") -> None:
        """Push to this address: of one vendor, or of all, `{vendor}` in it standing for the vendor's code."""
        if url and not url.startswith(("http://", "https://")):
            raise Unknown(f"{url!r} is no address to push to. Begin with http:// or https://.")
        for code in [self.vendor(vendor).code] if vendor else self.vendors:
            self.callbacks[code] = url.replace("{vendor}", code)

    def reset(self) -> None:
        """Back to the beginning: no documents, no faults, no record; addresses and settings stay."""
        self.automatic.stop()
        self.clock.restart()
        self.courier.clear()
        self.faults.clear()
        self.journal.clear()
        self.parcels.clear()
        for vendor in self.vendors.values():
            vendor.reset()

    def tell(self) -> dict[str, Any]:
        """Figures of the world in short."""
        return {
            "seed": self.around.seed, "factor": self.clock.factor, "now": self.clock.now().isoformat(),
            "waiting": self.clock.waiting, "pushing": self.courier.busy, "pushes_dropped": self.courier.dropped,
            "received": dict(self.journal.totals), "faults": dict(self.faults.counts),
            "automatic": self.automatic.tell(),
            "vendors": {
                code: {
                    "title": vendor.title, "path": f"/{code}{vendor.base_path}", "keys": vendor.keys,
                    "callback": self.callbacks.get(code, ""), "actions": list(vendor.actions),
                    "settings": vendor.settings,
                }
                for code, vendor in self.vendors.items()
            },
        }  # fmt: skip

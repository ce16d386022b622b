"""What carbon adds to the operators' pages: the figure of an order with its band and what it is made of."""

from __future__ import annotations

from decimal import Decimal

from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from carbon import queries
from orderhub.fulfillment.panels import Drawn, panel
from orderhub.inventory.admin_base import is_chinese
from orderhub.orders.models import Order

STAGES: dict[str, str | Promise] = {
    "transport": _("transport"),
    "warehouse": _("storage"),
    "packaging": _("packaging"),
    "return": _("returns"),
}
GRAM = Decimal("0.001")


@panel("carbon", order=20, aside=True, permission="carbon.view_ledgerentry")
def of_order(order: Order, request: HttpRequest) -> Drawn | None:
    """The order's kg CO2e: band, parts, basis, method, year, primary share; None before any figure."""
    found = queries.of_order(order, language="zh-hans" if is_chinese() else "en")
    if found is None:
        return None
    stages = (found["actual"] if found["basis"] == "actual" else found["estimate"])["by_stage"]
    widest = max((abs(Decimal(kg)) for kg in stages.values()), default=Decimal(0)) or Decimal(1)
    rows = [
        {"label": STAGES.get(stage, stage), "kg": _short(kg), "share": round(100 * Decimal(kg) / widest, 1)}
        for stage, kg in stages.items()
    ]
    figures = {name: _short(found[name]) for name in ("kg", "low", "high")}
    return Drawn("admin/panels/carbon.html", {**found, **figures, "rows": rows, "green": order.green})


def _short(kg: str) -> Decimal:
    return Decimal(kg).quantize(GRAM)

"""The life of an order on one screen: the steps it walks through, by name; each app registers the steps it owns."""

from __future__ import annotations

JOURNEY: tuple[str, ...] = (
    "order.screen",  # orderhub.orders.steps      risk, payment and compliance: may place holds
    "order.price",  # orderhub.orders.steps      promotions, discounts allocated to lines
    "routing.route",  # routing.steps              candidates, carbon, exact split; the decision is kept
    "fulfillment.reserve",  # orderhub.fulfillment.steps stock is taken, never oversold
    "routing.wave",  # routing.steps               the next pick wave, if the merchant has them
    "fulfillment.release",  # orderhub.fulfillment.steps handed to warehouses, through the delivery log
)

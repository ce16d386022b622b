"""The order's own tables; imported here so that Django finds them in one place."""

from orderhub.orders.models.address import AddressChange
from orderhub.orders.models.channel import Channel
from orderhub.orders.models.hold import Hold
from orderhub.orders.models.order import Order, OrderLine, Original
from orderhub.orders.models.person import Person
from orderhub.orders.models.promotion import Pricing, PromotionCounter, PromotionUse, SkuCost

__all__ = [
    "AddressChange", "Channel", "Hold", "Order", "OrderLine", "Original", "Person", "Pricing", "PromotionCounter",
    "PromotionUse", "SkuCost",
]  # fmt: skip

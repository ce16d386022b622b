"""The order's own tables; imported here so that Django finds them in one place."""

from orderhub.orders.models.address import AddressChange
from orderhub.orders.models.aftercare import Cancellation, FollowUp, LineCredit
from orderhub.orders.models.channel import Channel
from orderhub.orders.models.hold import Hold
from orderhub.orders.models.order import Order, OrderLine, Original
from orderhub.orders.models.person import Person
from orderhub.orders.models.promotion import Pricing, PromotionCounter, PromotionUse, SkuCost
from orderhub.orders.models.receiver import SealedReceiver

__all__ = [
    "AddressChange", "Cancellation", "Channel", "FollowUp", "Hold", "LineCredit", "Order", "OrderLine", "Original",
    "Person", "Pricing", "PromotionCounter", "PromotionUse", "SealedReceiver", "SkuCost",
]  # fmt: skip

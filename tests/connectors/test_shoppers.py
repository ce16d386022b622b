"""The demo's customers order only in the demo."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from orderhub.connectors import demo, shoppers, subscribers
from orderhub.inventory import demo as goods
from orderhub.kernel import clock
from orderhub.orders.models import Order
from tests import make

pytestmark = pytest.mark.django_db


def test_a_customer_orders_in_the_demo_shop_and_two_of_them_make_two_orders() -> None:
    now = clock.now()
    shop = make.merchant()
    shop.code = "demo"
    shop.save()
    goods.seed(shop, now=now)
    demo.seed(shop, now=now)

    placed = [shoppers.shop(now=now + timedelta(seconds=seconds)) for seconds in (0, 30)]

    assert placed == [1, 1]
    assert Order.objects.filter(merchant=shop, external_id__startswith="LIVE-").count() == 2


def test_nobody_shops_without_a_demo(settings: Any) -> None:
    make.merchant()
    settings.DEMO_SHOPPERS = False

    assert shoppers.shop(now=clock.now()) == 0
    assert subscribers.let_customers_shop() == 0
    assert not Order.objects.exists()

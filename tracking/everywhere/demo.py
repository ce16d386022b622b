"""The demo shop's page settings, a notice rule, a board, and vehicles with fences around its warehouses."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from orderhub.access.models import Merchant
from orderhub.inventory.models import Warehouse
from orderhub.orders.models import Channel
from tracking.everywhere import boards
from tracking.everywhere.models import Board, NoticeRule, PageSettings
from tracking.live_position.models import Device, DevicePlace, Fence, Fitting, Vehicle

_VANS = (("浙A·D0001", "杭州 1 号配送车"), ("粤A·D0002", "广州 1 号配送车"))


def seed(merchant: Merchant, *, now: datetime) -> None:
    """Make what is missing; what people edited stays."""
    PageSettings.objects.get_or_create(
        merchant=merchant, defaults={"allowed_origins": ["http://localhost:8080"]}
    )
    NoticeRule.objects.get_or_create(
        merchant=merchant, name="发货与签收邮件",
        defaults={
            "milestones": ["SHIPPED", "OUT_FOR_DELIVERY", "DELIVERED", "DELAYED"], "quiet_from": time(22),
            "quiet_until": time(8),
        },
    )  # fmt: skip
    _board(merchant)
    for warehouse in Warehouse.objects.filter(merchant=merchant).order_by("pk")[:4]:
        Fence.objects.get_or_create(
            merchant=merchant, code=warehouse.code[:40],
            defaults={
                "name": warehouse.name, "latitude": float(warehouse.latitude), "radius_m": 800,
                "longitude": float(warehouse.longitude), "warehouse": warehouse, "leave_milestone": "DEPARTED",
            },
        )  # fmt: skip
    for number, (plate, name) in enumerate(_VANS, 1):
        vehicle, _new = Vehicle.objects.get_or_create(merchant=merchant, code=plate, defaults={"name": name})
        device, is_new = Device.objects.get_or_create(
            merchant=merchant, code=f"demo-van-{number}", defaults={"name": f"{name} GPS"}
        )
        if is_new:
            DevicePlace.objects.get_or_create(device=device)
            Fitting.objects.create(device=device, vehicle=vehicle, from_at=now - timedelta(days=1))


def _board(merchant: Merchant) -> None:
    channel = Channel.objects.filter(merchant=merchant).order_by("pk").first()
    board, is_new = Board.objects.get_or_create(
        merchant=merchant,
        name="VIP 客户看板",
        defaults={"channel": channel, "token_hash": f"new:{merchant.pk}"},
    )
    if is_new:
        boards.stamp(board)
        board.save(update_fields=["token_hash"])

"""Split, merge and change of address from the order page: asked first, done once, told in words."""

from __future__ import annotations

from typing import Any

import pytest

from orderhub.events.models import Event
from orderhub.orders.models import AddressChange, Order
from tests.admin import desk
from tests.fulfillment import builders as make
from tests.orders import builders as orders

pytestmark = pytest.mark.django_db
TO_CANTON = {
    "country": "CN", "province": "广东省", "city": "广州市", "district": "天河区", "address": "体育西路 12 号",
    "requested_by": "customer", "reason": "搬家",
}  # fmt: skip


def path(order: Order, verb: str = "change") -> str:
    return f"/admin/orders/order/{order.pk}/{verb}/"


def text_of(page: Any) -> str:
    found: str = page.content.decode()
    return found


def test_units_are_chosen_and_become_an_order_of_their_own() -> None:
    [order] = desk.pool(1, lines=[orders.line("TEA", quantity=3), orders.line("POT")])
    client = desk.boss()
    before = Event.objects.count()

    asked = client.get(path(order, "split"))
    nothing = client.post(path(order, "split"), {"units_1": "0", "units_2": "0", "reason": "x"})
    everything = client.post(path(order, "split"), {"units_1": "3", "units_2": "1", "reason": "x"})

    assert "移出件数，共 3 件" in text_of(asked)
    assert "请至少选择一件。" in text_of(nothing)
    assert "请至少保留一件。" in text_of(everything)
    assert (Event.objects.count(), Order.objects.count()) == (before, 1)

    done = client.post(
        path(order, "split"), {"units_1": "2", "units_2": "0", "reason": "分开送"}, follow=True
    )

    part = Order.objects.get(split_from=order)
    assert desk.messages_of(done) == [f"已拆分，生成订单 {part.number}。"]
    assert part.lines.get().ordered == 2
    assert "拆出" in text_of(done)
    assert part.number in text_of(done)
    assert "拆自" in text_of(client.get(path(part)))


def test_orders_to_one_address_are_offered_merged_and_parted_again() -> None:
    first, other = desk.pool(2, lines=[orders.line("TEA")])
    [elsewhere] = desk.pool(1, address="别处 1 号")
    client = desk.boss()

    page = text_of(client.get(path(other)))

    assert "同一地址的其他未发订单" in page
    assert first.number in page
    assert elsewhere.number not in page

    done = client.post(path(other, "merge"), {"orders": [str(first.pk)], "reason": "合单"}, follow=True)

    assert desk.messages_of(done) == [f"已将 1 单并入 {first.number}。"]
    assert done.context["page"]["order"].pk == first.pk
    assert f"/admin/orders/order/{first.pk}/undo/" in text_of(done)
    assert "已并入其他订单，由其一并发货。" in text_of(client.get(path(other)))

    undo = client.get(path(first, "split") + f"?origin={other.pk}")

    form = undo.context["form"]
    assert [form.fields[name].initial for name in ("units_1", "units_2")] == [0, 1]


def test_alike_orders_of_the_pool_are_merged_and_the_others_stay() -> None:
    first, other = desk.pool(2)
    [elsewhere] = desk.pool(1, address="别处 1 号")
    ids = [first.pk, other.pk, elsewhere.pk]
    given = {"action": "merge_selected", "confirmed": "1", "_selected_action": ids, "reason": "合单"}

    done = desk.boss().post("/admin/orders/order/", given, follow=True)

    assert desk.messages_of(done) == ["已合并 2 单。", "没有同址的其他订单（1 单）"]
    assert Order.objects.get(pk=other.pk).merged_into_id == first.pk
    assert Order.objects.get(pk=elsewhere.pk).stage == "received"


def test_a_new_address_is_applied_at_once_and_shown_masked() -> None:
    [order] = desk.pool(1, phone="13800138021")
    client = desk.boss()

    done = client.post(path(order, "change-address"), TO_CANTON, follow=True)

    found = Order.objects.get(pk=order.pk)
    assert desk.messages_of(done) == ["订单将送往新地址。"]
    assert (found.province, found.person.name, found.person.address) == ("广东省", "王芳", "体育西路 12 号")
    assert "体育西路" not in text_of(done)
    assert "浙江 杭州" in text_of(done)

    again = client.post(path(order, "change-address"), {**TO_CANTON, "province": "火星"}, follow=True)

    assert "火星" in text_of(again)
    assert AddressChange.objects.count() == 1


def test_after_release_the_warehouse_is_asked() -> None:
    make.network()
    [order] = make.released(1)

    done = desk.boss().post(path(order, "change-address"), TO_CANTON, follow=True)

    assert desk.messages_of(done) == ["已请仓库退回订单，答复会显示在这里。"]
    assert make.row(order).number in text_of(done)
    assert make.row(order).state == "cancel_requested"


@pytest.mark.parametrize("verb", ["split", "merge", "change-address"])
def test_readers_may_not(verb: str) -> None:
    [order] = desk.pool(1, lines=[orders.line("TEA", quantity=2)])
    before = Event.objects.count()

    answer = desk.member("support").post(path(order, verb), {**TO_CANTON, "units_1": "1"})

    assert answer.status_code in (302, 403)
    assert Event.objects.count() == before

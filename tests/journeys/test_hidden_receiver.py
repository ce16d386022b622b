"""Platforms that hide the receiver: token and ciphers go from the push to the warehouse byte by byte, and nowhere else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import StringIO
from itertools import count
from typing import Any
from xml.etree import ElementTree

import pytest
from django.core import serializers
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orderhub.connectors import wishes
from orderhub.connectors.applying import orders as applying
from orderhub.connectors.meant import Told
from orderhub.connectors.models import Connection
from orderhub.connectors.speech import calls, shipped
from orderhub.events.models import Delivery, Event
from orderhub.fulfillment import parting
from orderhub.orders import addresses, erasing, receivers
from orderhub.orders.addresses import Address
from orderhub.orders.advance import advance
from orderhub.orders.models import Order, Original, SealedReceiver
from tests import make
from tests.connectors import wired
from tests.connectors.wired import Wired

pytestmark = pytest.mark.django_db
HOME = {
    "province": "浙江省", "city": "杭州市", "district": "滨江区", "address": "江南大道 1 号", "name": "王芳",
    "phone": "13800000001",
}  # fmt: skip


@pytest.fixture
def hub_clock() -> None:
    """Signatures are made at the machine's time, so the hub keeps it too."""


@pytest.fixture
def wires() -> Iterator[Wired]:
    """A Qimen warehouse; the test connects the shop."""
    make.network()
    make.Connection.objects.update(is_active=False)
    make.Warehouse.objects.update(phone="0571-10000000")
    with wired.wired() as found:
        keys = found.world.keys("qimen")
        found.connect(
            "qimen", config={
                "app_key": keys["app_key"], "customer_id": keys["customer_id"], "owner_code": "OWNER01",
                "base_url": f"{found.world.base_url}/qimen/router",
            },
        )  # fmt: skip
        yield found


def test_a_taobao_token_reaches_the_warehouse_and_changes_with_the_address(wires: Wired) -> None:
    keys = wires.world.keys("taobao")
    wires.connect(
        "taobao", channel=make.channel("taobao"), session=keys["session"],
        config={"base_url": f"{wires.world.base_url}/taobao", "app_key": keys["app_key"]},
    )  # fmt: skip
    wires.world.place("taobao", lines=[{"sku": "LAMP", "quantity": 1}], receiver=HOME)
    wires.pump()
    order = Order.objects.get()
    first = SealedReceiver.objects.get()
    token = receivers.of_order(order)["oaid"]

    assert token.startswith("1oaidFAKE")
    assert not {"oaid", "cipher"} & set(order.extra)
    assert token not in json.dumps(Original.objects.get().payload) + first.sealed
    assert _at_qimen(wires)[-1]["oaid"] == token

    wires.world.change_address(
        "taobao", order.external_id, province="广东省", city="广州市", district="天河区"
    )
    wires.pump()

    order = make.fresh(order)
    new_token = receivers.of_order(order)["oaid"]
    assert new_token != token
    assert _at_qimen(wires)[-1]["oaid"] == new_token
    assert token not in _everything_logged()


def _at_qimen(wires: Wired) -> list[dict[str, str]]:
    """The receiver of every delivery order that the warehouse was sent, as it stands in the bytes it got."""
    found = []
    for got in wires.world.received("qimen"):
        text = got.get("body") or ""
        if "<deliveryOrderCode>" in text and "<receiverInfo>" in text:
            info = ElementTree.fromstring(text.encode()).find("deliveryOrder/receiverInfo")
            found.append({child.tag: child.text or "" for child in (info if info is not None else ())})
    return found


def _everything_logged() -> str:
    out = StringIO()
    serializers.serialize("json", Event.objects.all(), stream=out)
    return out.getvalue()


_SIGNS = st.characters(codec="utf-8", exclude_characters="\x00", exclude_categories=["Cc", "Cs"])
CIPHER = st.text(_SIGNS, min_size=1, max_size=400).map(lambda text: f"~{text}~")
_NUMBERS = count(1)
SAMPLES: dict[str, dict[str, Any]] = {
    "taobao": {"name": "王**", "phone": "100****0001", "address": "示例路**"},
    "douyin": {},
    "pinduoduo": {"name": "收**", "phone": "186****0001", "address": "示例路**"},
}


@settings(max_examples=9, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    platform=st.sampled_from(sorted(SAMPLES)),
    oaid=CIPHER,
    name=CIPHER,
    phone=CIPHER,
    address=CIPHER,
)
def test_whatever_the_platform_sends_arrives_unchanged(
    platform: str, oaid: str, name: str, phone: str, address: str
) -> None:
    make.network(units=1000)
    number = f"N{next(_NUMBERS)}"
    connection, _made = Connection.objects.get_or_create(
        merchant=make.merchant(), code=platform, defaults={"name": platform, "kind": "profile", "channel": make.channel(platform)}
    )  # fmt: skip
    cipher = {"name": name, "phone": phone, "address": address}
    shown = SAMPLES[platform] or {"name": name, "phone": phone, "address": address}
    document = {
        "ext_id": number, "status": "paid", "currency": "CNY", "country": "CN", "province": "浙江省",
        "city": "杭州市", "district": "滨江区", "town": "示例街道", **shown, "oaid": oaid, "cipher": cipher,
        "lines": [{"ext_id": "1", "sku": "LAMP", "qty": 1, "price": "159.00"}],
    }  # fmt: skip

    [result] = applying.apply(connection, [Told("order", document)], now=make.NOW)

    assert result.status == "applied"
    order = Order.objects.get(external_id=number)
    advance([order.pk], now=make.NOW, actor="system")
    order = Order.objects.select_related("person__sealed").get(pk=order.pk)
    assert receivers.of_order(order) == {"oaid": oaid, "cipher": cipher, "town": "示例街道"}
    said = _document(order)
    spec = shipped.load("qimen")
    config = {"app_key": "a", "customer_id": "c", "owner_code": "o", "base_url": "http://127.0.0.1:1"}
    body = calls.build(spec, "release", said, config, "secret", make.NOW, "n1").body
    info = ElementTree.fromstring(body).find("deliveryOrder/receiverInfo")
    assert info is not None
    told = {child.tag: child.text for child in info}
    assert (told["oaid"], told["name"], told["mobile"], told["detailAddress"]) == (oaid, name, phone, address)
    for text in (oaid, *cipher.values()):
        assert text not in json.dumps(order.extra, ensure_ascii=False)
        assert text not in order.person.name + order.person.phone + order.person.address


def _document(order: Order) -> dict[str, Any]:
    event = Event.objects.get(stream=order.stream, kind="fulfillment.released")
    delivery = Delivery(pk=1, event=event, stream=event.stream, destination="0")
    profile = wired.shipped_profile("qimen")
    asked, _made = Connection.objects.get_or_create(
        merchant=order.merchant, code="w", defaults={"kind": "profile", "profile": profile}
    )
    return dict(wishes.pushes(asked, [delivery])[1].body)


def _hidden(number: str, *, oaid: str, name: str = "王**") -> Order:
    """An order of a shop whose platform hides the receiver, still inside its merge window."""
    shop = make.channel("tmall", merge_window_seconds=600)
    extra = {"oaid": oaid, "buyer_id": "B1", "cipher": {"name": name}}
    shown = {"name": name, "phone": "138****0001", "address": "文三路**"}
    (order,) = make.place(make.draft(number, channel=shop, extra=extra, **shown))
    make.run_until_idle()
    return Order.objects.select_related("person__sealed").get(pk=order.pk)


def test_equal_masks_are_not_the_same_person_but_equal_tokens_are() -> None:
    make.network()
    one, same, other = (
        _hidden("A1", oaid="1oaidX"),
        _hidden("A2", oaid="1oaidX"),
        _hidden("A3", oaid="1oaidY"),
    )

    assert parting.candidates(one) == [same]
    answer = make.client(one.merchant).post(
        f"/api/v1/orders/{one.pk}/merge/", {"orders": [other.pk]}, format="json"
    )
    assert answer.json()["code"] == "different_receivers"


def test_staff_give_name_and_telephone_with_a_new_address_of_a_hidden_receiver() -> None:
    make.network()
    order = _hidden("A1", oaid="1oaidX")
    where = {"province": "广东省", "city": "广州市", "address": "体育西路 12 号"}
    wanted = Address("CN", **where)

    refused = addresses.refusal(order, wanted)

    assert refused is not None
    assert (refused.code, refused.field) == ("receiver_hidden", "name")
    assert addresses.refusal(order, Address("CN", **where, name="李雷", phone="13800000002")) is None


def test_erasing_the_person_erases_token_and_ciphers() -> None:
    make.network()
    order = _hidden("A1", oaid="1oaidX")
    Order.objects.filter(pk=order.pk).update(stage="delivered")

    erasing.erase(order.person_id, reason="x", now=make.NOW, actor="user:li")

    assert not SealedReceiver.objects.exists()


def test_rows_of_before_are_read() -> None:
    make.network()
    order = _hidden("A1", oaid="1oaidX")
    hidden = dict(receivers.of_order(order))
    SealedReceiver.objects.all().delete()
    Order.objects.filter(pk=order.pk).update(extra={**order.extra, **hidden})
    order = Order.objects.select_related("person__sealed").get(pk=order.pk)
    assert receivers.of_order(order) == hidden

"""The operators' pages of prices and bans: what they show, who may steer, and files."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from orderhub.access.models import Merchant
from orderhub.inventory.models import ExpectedReceipt, Stock
from routing.pricing import books
from routing.pricing.models import DailyDemand, PriceBook, PriceSettings, SkuBan
from tests.admin import desk
from tests.fulfillment import builders as make
from tests.orders import builders as orders

pytestmark = pytest.mark.django_db
LIST = "admin:routing_pricerow_changelist"


@pytest.fixture(autouse=True)
def shop() -> None:
    books.forget()
    make.stock(20, at="SHA")
    make.card()
    now = timezone.now()
    DailyDemand.objects.bulk_create(
        DailyDemand(
            merchant=orders.merchant(), sku=orders.sku("TEA"), region="CN-ZJ",
            day=(now - timedelta(days=n)).date(), units=10, lines=5,
        )
        for n in range(1, 29)
    )  # fmt: skip
    Stock.objects.update(updated_at=now)


def press(client: Client, name: str, merchant: Merchant | None = None) -> list[str]:
    """Press a button of the list and confirm; what the page says then."""
    house = merchant or orders.merchant()
    response = client.post(reverse(f"admin:routing_pricerow_{name}"), {"merchant": house.pk}, follow=True)
    return desk.messages_of(response)


def test_a_book_made_by_hand_is_listed_with_its_sentence() -> None:
    client = desk.boss("en")

    told = press(client, "calculate")
    page = client.get(reverse(LIST)).content.decode()

    assert told == ["Book 1 is in force: 1 SKUs, 1 priced cells."]
    assert "Kept in Shanghai this unit is worth ¥" in page
    assert "by hand" in page


def test_the_sentence_is_chinese_for_chinese_readers() -> None:
    client = desk.boss()
    press(client, "calculate")

    page = client.get(reverse(LIST)).content.decode()

    assert "这件货留在上海仓值 ¥" in page


def test_prices_are_switched_off_and_on_with_who_did_it() -> None:
    client = desk.boss("en")
    press(client, "calculate")

    assert press(client, "switch_off") == ["Prices are off."]
    assert "switched off by hand (user:boss)" in client.get(reverse(LIST)).content.decode()
    assert press(client, "switch_off") == ["They were so already."]
    assert press(client, "switch_on") == ["Prices are on."]
    assert not PriceBook.objects.get(status="in_force").is_off


def test_a_book_and_a_row_can_be_read() -> None:
    client = desk.boss("en")
    press(client, "calculate")
    book = PriceBook.objects.get()

    shown = [
        client.get(reverse(f"admin:routing_{name}_change", args=(pk,)))
        for name, pk in (("pricebook", book.pk), ("pricerow", book.rows.get().pk))
    ]

    assert [page.status_code for page in shown] == [200, 200]
    assert "In the whole network" in shown[1].content.decode() or "–" in shown[1].content.decode()


def test_an_operator_sees_prices_but_does_not_steer_them() -> None:
    operator = desk.member("operator")

    assert operator.get(reverse(LIST)).status_code == 200
    assert operator.post(
        reverse("admin:routing_pricerow_switch_off"), {"merchant": orders.merchant().pk}
    ).status_code in (302, 403)
    assert not PriceSettings.objects.filter(is_on=False).exists()


def test_staff_of_one_merchant_neither_see_nor_steer_the_prices_of_another() -> None:
    press(desk.boss("en"), "calculate")
    other = orders.merchant("other")
    client = desk.member("strategist", "en", merchant=other)

    page = client.get(reverse(LIST)).content.decode()
    press(client, "switch_off", orders.merchant())

    assert "Shanghai" not in page
    assert not PriceSettings.objects.filter(merchant=orders.merchant(), is_on=False).exists()


def load(client: Client, url: str, text: str) -> str:
    """Upload a CSV file; the page that shows what it would do."""
    file = SimpleUploadedFile("rows.csv", text.encode(), content_type="text/csv")
    return client.post(reverse(url), {"import_file": file, "format": "0"}).content.decode()


def test_bans_come_from_a_file_and_lines_about_others_are_refused() -> None:
    client = desk.boss("en")
    head = "merchant,warehouse,sku,reason,valid_from,valid_until\n"

    good = load(client, "admin:routing_skuban_import", head + "acme,SHA,TEA,recall,,\n")
    bad = load(client, "admin:routing_skuban_import", head + "acme,NOWHERE,TEA,recall,,\n")

    assert "recall" in good
    assert "confirm" in good.lower()
    assert "does not exist" in bad or "NOWHERE" in bad
    assert not SkuBan.objects.exists()


def test_a_ban_that_ends_before_it_begins_is_refused() -> None:
    client = desk.boss("en")
    given = {
        "merchant": orders.merchant().pk, "warehouse": make.warehouse("SHA").pk, "sku": orders.sku("TEA").pk,
        "reason": "recall", "valid_from_0": "2026-11-23", "valid_from_1": "10:00",
        "valid_until_0": "2026-11-22", "valid_until_1": "10:00",
    }  # fmt: skip

    page = client.post(reverse("admin:routing_skuban_add"), given)

    assert "The end lies before the beginning." in page.content.decode()
    assert not SkuBan.objects.exists()


def test_expected_receipts_have_a_page() -> None:
    ExpectedReceipt.objects.create(
        merchant=orders.merchant(), warehouse=make.warehouse("SHA"), sku=orders.sku("TEA"), units=50,
        expected_at=timezone.now() + timedelta(days=3), reference="PO-7",
    )  # fmt: skip

    page = desk.boss("en").get(reverse("admin:inventory_expectedreceipt_changelist")).content.decode()

    assert "PO-7" in page

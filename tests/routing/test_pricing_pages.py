"""The operators' pages of prices and bans: what they show, who may steer, and files."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from orderhub.access.models import Merchant
from orderhub.inventory.models import ExpectedReceipt, Stock
from routing.pricing import books, calculating, services
from routing.pricing.models import DailyDemand, PriceBook, PriceRun, PriceSettings, SkuBan
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
    calculating.work()
    return desk.messages_of(response)


def test_a_book_made_by_hand_is_listed_with_its_sentence() -> None:
    client = desk.boss("en")

    told = press(client, "calculate")
    page = client.get(reverse(LIST)).content.decode()

    assert told == ["Prices are being calculated; you can leave this page."]
    assert "Book 1 is in force: 1 SKUs, 1 priced cells." in page
    assert "Kept in Shanghai this unit is worth ¥" in page
    assert "by hand" in page


def test_a_book_by_hand_is_made_by_a_worker_and_watched_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    client, runs = desk.boss("en"), reverse("admin:routing_pricerow_runs")
    seen = []

    client.post(reverse("admin:routing_pricerow_calculate"), {"merchant": orders.merchant().pk})
    client.post(reverse("admin:routing_pricerow_calculate"), {"merchant": orders.merchant().pk})
    waiting = client.get(runs).content.decode()
    assert not PriceBook.objects.exists()
    assert PriceRun.objects.count() == 1
    monkeypatch.setattr(calculating, "TELL_SECONDS", 0.0)
    monkeypatch.setattr(services, "_put_in_force", _looking(services._put_in_force, client, runs, seen))
    assert calculating.work() == 1
    done = client.get(runs).content.decode()

    assert "Waiting for a worker" in waiting
    assert 'hx-trigger="every 1s"' in waiting
    assert "0 of 1 SKUs" in seen[0]
    assert "Book 1 is in force" in done
    assert "hx-trigger" not in done
    assert PriceRun.objects.get().state == "done"
    assert calculating.work() == 0


def _looking(
    put: Callable[..., PriceBook], client: Client, path: str, seen: list[str]
) -> Callable[..., PriceBook]:
    def look(*args: Any, **kwargs: Any) -> PriceBook:
        seen.append(client.get(path).content.decode())
        return put(*args, **kwargs)

    return look


def test_a_calculation_that_fails_says_so_and_leaves_the_prices(monkeypatch: pytest.MonkeyPatch) -> None:
    client = desk.boss("en")
    press(client, "calculate")

    def broken(*args: object, **kwargs: object) -> None:
        raise RuntimeError("no luck")

    monkeypatch.setattr(services, "gather", broken)
    press(client, "calculate")

    page = client.get(reverse(LIST)).content.decode()
    assert "The prices could not be calculated; those in force go on." in page
    assert PriceBook.objects.get().status == "in_force"


def test_a_run_whose_workers_die_is_taken_up_three_times_and_then_given_up() -> None:
    now = timezone.now()
    run = calculating.ask(orders.merchant().pk, actor="user:ann", now=now)

    taken = [calculating._take(now + timedelta(minutes=2 * n)) for n in range(4)]

    run.refresh_from_db()
    assert [one is not None for one in taken] == [True, True, True, False]
    assert (run.state, run.attempts) == ("failed", 3)


def test_a_book_by_hand_waits_while_the_clock_makes_one(monkeypatch: pytest.MonkeyPatch) -> None:
    calculating.ask(orders.merchant().pk, actor="user:ann", now=timezone.now())
    monkeypatch.setattr(services, "refresh", lambda *args, **kwargs: None)

    assert calculating.work() == 0

    run = PriceRun.objects.get()
    assert (run.state, run.attempts) == ("queued", 0)


def test_how_far_it_is_is_seen_by_those_who_may_see_prices_and_of_their_merchant_only() -> None:
    runs = reverse("admin:routing_pricerow_runs")
    press(desk.boss("en"), "calculate")

    assert desk.member("support").get(runs).status_code in (302, 403)
    assert (
        "Book 1"
        not in desk.member("strategist", "en", merchant=orders.merchant("other")).get(runs).content.decode()
    )


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
    assert press(client, "switch_on") == ["Prices are on; they hold as soon as the new book is done."]
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

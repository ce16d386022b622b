"""Embedded pages, the second way in, buyers' wishes: who may frame, find, ask, and what they never learn."""

from __future__ import annotations

import random
import re
import string
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from orderhub.events.models import Event
from orderhub.kernel import clock
from orderhub.kernel.errors import Refused
from orderhub.orders import sharing
from orderhub.orders.models import AddressChange, Order
from tests import cast, make
from tracking import links, queries
from tracking.everywhere import asking
from tracking.everywhere.models import PageRequest, PageSettings, contrast_to_white, validate_origins

pytestmark = pytest.mark.django_db
SHOP = "https://shop.example"


@pytest.fixture
def order(hub_clock: make.Clock) -> Order:
    make.network()
    (placed,) = make.place(make.draft(to=cast.LEI))
    make.run_until_idle()
    return make.fresh(placed)


def digits(order: Order) -> str:
    return re.sub(r"\D", "", order.person.phone)[-4:]


# ---- embedding -----------------------------------------------------------------------------------


def test_only_named_origins_may_frame_the_page(order: Order) -> None:
    path = f"/e/{sharing.token(order)}/"
    closed = Client().get(path)
    assert "frame-ancestors 'none'" in closed["Content-Security-Policy"]
    assert closed["X-Frame-Options"] == "DENY"

    PageSettings.objects.create(
        merchant=order.merchant, allowed_origins=[SHOP], accent="#1a5e20", theme="dark"
    )
    opened = Client().get(path)

    assert f"frame-ancestors 'self' {SHOP}" in opened["Content-Security-Policy"]
    assert "X-Frame-Options" not in opened
    body = opened.content.decode()
    assert 'class="dark"' in body
    assert f"/e/theme/{order.merchant.code}.css" in body
    assert "--primary: #1a5e20" in Client().get(f"/e/theme/{order.merchant.code}.css").content.decode()
    assert "frame-ancestors 'none'" in Client().get(f"/t/{sharing.token(order)}/")["Content-Security-Policy"]


def test_the_tag_is_small_and_cached() -> None:
    answer = Client().get("/embed.js")
    assert len(answer.content) < 15_000
    assert "max-age" in answer["Cache-Control"]
    assert b"orderhub:height" in answer.content


@pytest.mark.parametrize(
    "origins",
    [
        "x", ["http://shop.example"], ["https://shop.example/a"], ["*"], ["https://a b"], [SHOP] * 21,
        ["https://shop.example; script-src *"], ["https://user@shop.example"],
    ],
)  # fmt: skip
def test_what_is_no_origin_is_refused(origins: Any) -> None:
    with pytest.raises(ValidationError):
        validate_origins(origins)


def test_a_pale_accent_is_refused(order: Order) -> None:
    assert contrast_to_white("#000000") == pytest.approx(21)
    with pytest.raises(ValidationError):
        PageSettings(merchant=order.merchant, accent="#ffee00").clean()


# ---- size, privacy, guessing ---------------------------------------------------------------------


def test_the_page_is_small_and_names_nobody(order: Order) -> None:
    answer = Client().get(f"/t/{sharing.token(order)}/")
    body = answer.content.decode()
    person = order.person

    assert len(answer.content) < 60_000
    assert order.number in body
    for secret in (person.name, person.phone, person.address):
        assert secret not in body
    assert re.sub(r"\D", "", person.phone) not in re.sub(r"\D", "", body)


@pytest.mark.slow
def test_a_hundred_thousand_guesses_hit_nothing(order: Order) -> None:
    """The real look-up, without what slows an address down; half of them are near the real link: one character of it is
    another. Every hundredth asks for the page as well, each from an address of its own.
    """
    link, chance, now = sharing.token(order), random.Random(7), clock.now()
    letters = string.ascii_letters + string.digits + "-_"
    hits = 0
    for number in range(100_000):
        if number % 2:
            place = chance.randrange(len(link))
            guess = link[:place] + chance.choice(letters.replace(link[place], "")) + link[place + 1 :]
        else:
            guess = "".join(chance.choices(letters, k=len(link)))
        hits += sharing.find(guess) is not None
        if number % 100 == 0:
            found = links.find_page(
                guess, now=now, address=f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"
            )
            hits += not isinstance(found, links.Missing)

    assert hits == 0
    assert isinstance(links.find_page(link, now=now, address="10.0.0.9"), links.Page)


def test_guesses_are_slowed_after_thirty_a_minute(order: Order) -> None:
    codes = [Client().get(f"/t/guess-{n}/").status_code for n in range(35)]
    assert codes == [404] * 30 + [429] * 5
    assert Client().get(f"/t/{sharing.token(order)}/").status_code == 200


# ---- the second way in ---------------------------------------------------------------------------


def test_number_and_digits_open_the_page_and_nothing_else_does(order: Order) -> None:
    client = Client()
    wrong = f"{(int(digits(order)) + 1) % 10_000:04d}"
    assert client.get("/t/").status_code == 200
    assert client.post("/t/", {"number": order.external_id, "digits": wrong}).status_code == 404
    assert client.post("/t/", {"number": "nobody", "digits": digits(order)}).status_code == 404

    for number in (order.external_id, order.number):
        found = client.post("/t/", {"number": number, "digits": digits(order)})
        assert found.status_code == 302
        assert found["Location"].startswith(f"/t/{sharing.token(order)}/")


def test_all_digits_cannot_be_tried(order: Order) -> None:
    codes = [
        Client(REMOTE_ADDR=f"10.1.0.{n}")
        .post("/t/", {"number": order.external_id, "digits": "0000"})
        .status_code
        for n in range(12)
    ]
    assert codes[:10] == [404] * 10
    assert codes[-1] == 429


# ---- wishes --------------------------------------------------------------------------------------


def ask(order: Order, kind: str = "preference", **fields: str) -> Any:
    given = {"choice": "door", "text": "", "digits": digits(order), **fields}
    return Client().post(f"/t/{sharing.token(order)}/ask/{kind}/?lang=en", given)


def test_a_wish_is_kept_told_and_answered_on_the_page(order: Order, hub_clock: make.Clock) -> None:
    answer = ask(order, text=f"ring {order.person.phone}")
    assert answer.status_code == 302
    ask(order)
    row = PageRequest.objects.get()
    assert order.person.phone not in row.text
    assert Event.objects.filter(kind="order.preference_asked", stream=order.stream).count() == 1

    asking.answer(row.pk, accepted=True, text="好的，放门口", actor="user:ann", now=hub_clock.now())

    page = queries.page(make.fresh(order), language="zh-hans", now=hub_clock.now())
    (made,) = page["wishes"]["made"]
    assert (made["tone"], made["answer"]) == ("ok", "好的，放门口")
    with pytest.raises(Refused):
        asking.answer(row.pk, accepted=False, text="", actor="user:ann", now=hub_clock.now())
    body = Client().get(f"/t/{sharing.token(order)}/").content.decode()
    assert "好的，放门口" in body


def test_the_link_alone_is_not_enough_to_ask(order: Order) -> None:
    codes = [ask(order, digits=f"{(int(digits(order)) + 1 + n) % 10_000:04d}").status_code for n in range(12)]
    assert codes[0] == 400
    assert codes[-1] == 429
    assert ask(order).status_code == 429, "the right digits do not help whoever tried too often"
    assert not PageRequest.objects.exists()


def test_what_makes_no_sense_is_not_offered(order: Order) -> None:
    assert set(asking.open_kinds(order)) == {"preference", "address", "complaint"}
    assert ask(order, "return", choice="late").status_code == 409
    assert ask(order, "preference", choice="nonsense").status_code == 400
    assert ask(order, "coffee").status_code == 404
    PageSettings.objects.create(merchant=order.merchant, takes_preference=False)
    assert ask(order).status_code == 409


def test_a_return_is_asked_for_after_delivery_and_is_a_milestone(order: Order, hub_clock: make.Clock) -> None:
    make.play(hub_clock)
    delivered = make.fresh(order)
    assert ask(delivered, "return", choice="broken").status_code == 302
    make.run_until_idle()

    page = queries.page(delivered, language="zh-hans", now=hub_clock.now())
    assert any("退货" in step["text"] for step in page["timeline"])
    assert page["wishes"]["made"][0]["kind"] == "return"


def test_an_address_is_changed_from_the_page(order: Order) -> None:
    place = {"province": "浙江省", "city": "杭州市", "district": "余杭区", "address": "新路 1 号"}
    assert ask(order, "address", **{**place, "city": ""}).status_code == 400
    answer = ask(order, "address", **place)

    change = AddressChange.objects.get()
    assert (answer.status_code, change.requested_by) == (302, "customer")
    page = queries.page(make.fresh(order), language="en", now=clock.now())
    assert page["wishes"]["made"][0]["kind"] == "address"
    assert "新路" not in str(page)


# ---- QR, JSON in Chinese coordinates ---------------------------------------------------------------


def test_the_code_holds_the_link_and_unknown_links_have_none(order: Order) -> None:
    answer = Client().get(f"/t/{sharing.token(order)}/qr.svg")
    assert answer["Content-Type"] == "image/svg+xml"
    assert b"<svg" in answer.content
    assert Client().get("/t/unknown/qr.svg").status_code == 404


def test_places_are_given_as_chinese_maps_draw_them_and_say_so(order: Order) -> None:
    path = f"/api/v1/tracking/{sharing.token(order)}/"
    plain, shown = Client().get(path).json(), Client().get(path, {"datum": "gcj02"}).json()
    assert (plain["datum"], shown["datum"]) == ("WGS-84", "GCJ-02")
    apart = abs(plain["destination"]["lng"] - shown["destination"]["lng"])
    assert 0.001 < apart < 0.02

"""The quick reader says what the serializer says; the quick document is the slow one; bad bodies are named."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orderhub.events.models import Event
from orderhub.fulfillment import documents, intake, wire, wire_catalog, wire_orders
from orderhub.inventory.models import Sku
from orderhub.kernel import clock
from orderhub.kernel.errors import Refused
from orderhub.orders import kinds
from orderhub.orders.models import Order
from tests import make

ORDERS = "/api/v1/orders/"


def plain(**changes: Any) -> dict[str, Any]:
    """A good body."""
    return {**make.order_json(), **changes}


ODD: list[Any] = [
    None, True, False, 0, 1, -1, 7.5, 1e30, 10**30, "", " ", " x ", "7", "7.50", "0.00001", "1e3", "-1", "NaN", "CN",
    "cny", "CNY", "express", "x" * 501, [], ["a"], {}, {"a": 1}, "2026-11-22T10:00:00Z", "2026-11-22T10:00:00",
    "2026-11-22", "1999-12-31T23:59:59Z", "2099-01-01T00:00:00+08:00", "\x00", "\ud800", "上海市",
]  # fmt: skip
PLACES = [("top", name) for name in documents.OrderIn().fields]
PLACES += [("destination", name) for name in documents.DestinationIn().fields]
PLACES += [("line", name) for name in documents.LineIn().fields]
PLACES += [(part, "surprise") for part in ("top", "destination", "line")]


def changed(where: tuple[str, str], value: Any) -> dict[str, Any]:
    """A good body with one other value."""
    body = json.loads(json.dumps(plain()))
    part = {"top": body, "destination": body["destination"], "line": body["lines"][0]}[where[0]]
    part[where[1]] = value
    return body


@pytest.mark.parametrize("where", PLACES, ids=".".join)
def test_the_quick_reader_agrees_with_the_serializer_for_every_field_and_odd_value(
    where: tuple[str, str],
) -> None:
    for value in ODD:
        body = changed(where, value)
        found = wire_orders.read(body)
        form = documents.OrderIn(data=body)

        assert found is None or (form.is_valid() and form.validated_data == found), (where, value)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.tuples(st.sampled_from(PLACES), st.one_of(st.sampled_from(ODD), st.text(), st.floats())), max_size=4),
    st.booleans(),
)  # fmt: skip
def test_the_quick_reader_never_says_more_than_the_serializer(
    changes: list[tuple[tuple[str, str], Any]], leave_out: bool
) -> None:
    body = json.loads(json.dumps(plain()))
    for (part, name), value in changes:
        lines = body["lines"] if isinstance(body.get("lines"), list) else []
        target = {"top": body, "destination": body.get("destination"), "line": next(iter(lines), None)}
        holder = target[part]
        if isinstance(holder, dict):
            holder[name] = value
            if leave_out:
                del holder[name]

    found = wire_orders.read(body)

    form = documents.OrderIn(data=body)
    assert found is None or (form.is_valid() and form.validated_data == found)


def test_the_plain_order_takes_the_quick_way() -> None:
    full = plain(
        placed_at=clock.now().isoformat(),
        currency="EUR",
        service="express",
        green=True,
        note="请轻放",
        extra={"a": [1]},
    )

    assert wire_orders.read(plain()) is not None
    assert wire_orders.read(full) is not None


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b'{"a": 1, "a": 2}', "duplicate_name"),
        (b'{"a": NaN}', "bad_number"),
        (b'{"a": -Infinity}', "bad_number"),
        (b'{"a": 1e400}', "bad_number"),
        (b'{"a": ' + b"9" * 5000 + b"}", "bad_number"),
        (b'{"a": "\xff"}', "bad_encoding"),
        (b'{"a": "\\u0000"}', "null_characters_not_allowed"),
        (b'{"\\u0000": 1}', "null_characters_not_allowed"),
        (b'{"a": ["\\ud800"]}', "half_character"),
        (b'{"a": ', "bad_json"),
        (b'{"a": "\x00"}', "bad_json"),
        (b"[" * 100_000, "too_deep"),
        (b"[" * 40 + b"]" * 40, "too_deep"),
    ],
)
def test_what_two_readers_could_read_differently_is_refused(raw: bytes, code: str) -> None:
    with pytest.raises(Refused) as caught:
        wire.loads(raw)

    assert (caught.value.code, caught.value.status) == (code, 400)
    assert str(caught.value.remedy)


def test_a_byte_order_mark_and_whole_escaped_characters_are_fine() -> None:
    assert wire.loads(b'\xef\xbb\xbf{"a": "\\ud83d\\ude00"}') == {"a": "😀"}


@pytest.mark.django_db
def test_the_document_from_memory_is_the_serializers_document() -> None:
    house = make.network()
    caller = make.client(house)
    for number, change in enumerate([
        {}, {"paid": False}, {"note": "x", "green": True, "extra": {"k": [1, None, {"é": "中"}]}},
        {"lines": [{"sku": code, "quantity": 3, "unit_price": "0.3333"} for code in ("LAMP", "CUP", "QUILT", "LAMP")]},
        {"placed_at": "2026-11-21T23:59:59.123456-03:00", "currency": "USD", "service": "express"},
        {"placed_at": "2026-11-21T00:00:00Z"},
    ]):  # fmt: skip
        answer = caller.post(ORDERS, plain(external_id=f"D-{number}", **change))
        assert answer.status_code == 201, answer.json()
        order = Order.objects.get(external_id=f"D-{number}")

        whole = caller.get(f"{ORDERS}{order.pk}/").json()

        assert answer.json() == json.loads(json.dumps(whole))
        assert list(answer.json()) == list(whole) or set(answer.json()) == set(whole)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"colour": "red"}, "unknown_field", "colour"),
        ({"destination": {**make.order_json()["destination"], "planet": "Mars"}}, "unknown_field", "destination.planet"),
        ({"placed_at": "1999-01-01T00:00:00Z"}, "clock_far_off", "placed_at"),
        ({"lines": [{"sku": "LAMP", "quantity": {}, "unit_price": "1"}]}, "invalid", "lines[0].quantity"),
        ({"lines": [{"sku": "LAMP", "quantity": 1, "unit_price": "1"}] * 10_000}, "max_length", "lines"),
        ({"lines": "LAMP"}, "not_a_list", "lines"),
        ({"destination": []}, "invalid", "destination"),
        ({"paid": None}, "null", "paid"),
        ({"extra": {"a": "x" * 9000}}, "invalid", "extra"),
    ],
)  # fmt: skip
def test_bad_parts_are_named_with_their_path_and_nothing_happens(
    change: dict[str, Any], code: str, field: str
) -> None:
    answer = make.client(make.network()).post(ORDERS, plain(**change))

    assert (answer.status_code, answer.json()["code"]) == (400, code), answer.json()
    assert answer.json()["errors"][0]["field"] == field
    assert answer.json()["remedy"]
    assert Order.objects.count() == 0
    assert not Event.objects.filter(stream__startswith="order:").exists()


@pytest.mark.django_db
def test_a_clock_a_day_ahead_is_told() -> None:
    ahead = (clock.now() + timedelta(days=1, minutes=5)).isoformat()

    answer = make.client(make.network()).post(ORDERS, plain(placed_at=ahead))

    assert (answer.status_code, answer.json()["code"]) == (400, "clock_far_off")


@pytest.mark.django_db
def test_a_body_above_the_limit_is_413_and_another_content_type_415(settings: Any) -> None:
    settings.API_BODY_LIMIT_BYTES = 1024 * 1024
    caller = make.client(make.network())

    large = caller.post(ORDERS, b'{"note": "' + b"x" * 1024 * 1024 + b'"}', content_type="application/json")
    form = caller.post(ORDERS, {"external_id": "A"}, format="multipart")

    assert (large.status_code, large.json()["code"]) == (413, "body_too_large")
    assert large.json()["remedy"]
    assert form.status_code == 415


@pytest.mark.django_db
def test_a_deactivated_sku_is_refused_after_a_second_and_a_new_one_known_at_once(monkeypatch: Any) -> None:
    house, seconds = make.network(), [100.0]
    monkeypatch.setattr(wire_catalog, "monotonic", lambda: seconds[0])
    assert set(wire_catalog.skus(house, {"LAMP", "NEW"})) == {"LAMP"}
    Sku.objects.filter(code="LAMP").update(is_active=False)
    Sku.objects.create(merchant=house, code="NEW", name="新", grams=1, price=1)

    seconds[0] += wire_catalog.SECONDS

    assert set(wire_catalog.skus(house, {"LAMP", "NEW"})) == {"NEW"}


@pytest.mark.django_db
def test_a_refused_repeat_is_kept_in_the_orders_log() -> None:
    caller = make.client(make.network())
    caller.post(ORDERS, plain())

    answer = caller.post(ORDERS, plain(note="other"))

    assert answer.status_code == 409
    assert Event.objects.filter(kind=kinds.REFUSED_REPEAT.name).count() == 1


@pytest.mark.django_db
def test_placing_one_by_service_is_placing_one_by_api() -> None:
    house = make.network()
    body = wire_orders.validated(plain())

    order, created = intake.place_one(body, original=plain(), merchant=house, actor="t", now=clock.now())

    assert (created, make.client(house).post(ORDERS, plain()).status_code) == (True, 200)
    assert Order.objects.get() == order

"""Operators' pages: fields are added, filled, shown as columns and filters, changed, removed and brought back."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.test import Client

from orderhub.fields.models import Field
from orderhub.fulfillment.models import Parcel
from orderhub.inventory.models import Sku, Warehouse
from orderhub.orders.models import Order
from tests import cast, make
from tests.fields.conftest import WRAPS, Add

pytestmark = pytest.mark.django_db
FIELDS = "/admin/fields/field/"


def signed_in(role: str = "", *, owner: Any = None, language: str = "en") -> Client:
    """A browser of a superuser, or of somebody with a role."""
    call_command("setup_roles", stdout=io.StringIO())
    people = get_user_model().objects
    who = people.create_user(f"{role or 'root'}", is_staff=True, is_superuser=not role, merchant=owner)
    if role:
        who.groups.add(Group.objects.get(name__endswith=f" {role}"))
    client = Client(headers={"Accept-Language": language})
    client.force_login(who)
    return client


def form(**given: Any) -> dict[str, Any]:
    """What the form of a new field sends."""
    return {
        "target": "order", "code": "gift_wrap", "kind": "text", "name": "礼品包装", "name_en": "Gift wrap", "position": 10,
        "merchant_may": "write", "in_filter": "on", **given,
    }  # fmt: skip


def test_a_choice_field_is_added_and_stands_in_the_order_form_list_and_filter() -> None:
    make.network()
    order = make.place(make.draft("A-1"))[0]
    browser = signed_in()

    sent = form(kind="choice", choices_text="red = 红色 = Red\ngold = 金色 = Gold", in_list="on")
    answer = browser.post(f"{FIELDS}add/", sent)

    assert answer.status_code == 302, answer.context["errors"]
    field = Field.objects.get()
    assert field.choices == [
        {"code": "red", "name": "红色", "name_en": "Red"}, {"code": "gold", "name": "金色", "name_en": "Gold"},
    ]  # fmt: skip
    page = browser.get(f"/admin/orders/order/{order.pk}/fields/").content.decode()
    assert "Gift wrap" in page
    assert '<option value="red">Red</option>' in page
    done = browser.post(f"/admin/orders/order/{order.pk}/fields/", {"custom_gift_wrap": "red"})
    assert done.status_code == 302
    assert Order.objects.get().custom == {"gift_wrap": "red"}
    assert "Red" in browser.get(f"/admin/orders/order/{order.pk}/change/").content.decode()
    make.place(make.draft("A-2"))
    pool = browser.get("/admin/orders/order/?custom_gift_wrap=red").content.decode()
    assert ("A-1" in pool, "A-2" in pool) == (True, False)
    assert "Gift wrap" in pool
    chinese = signed_in("strategist", language="zh-hans").get("/admin/orders/order/").content.decode()
    assert "礼品包装" in chinese
    assert "红色" in chinese


@pytest.mark.parametrize(
    ("sent", "place", "words"),
    [
        ({"code": "Gift Wrap"}, "code", "small letters"),
        ({"kind": "choice"}, "choices_text", "Give 1 to 200 choices"),
        ({"kind": "choice", "choices_text": "a=A\na=B"}, "choices_text", "stands twice"),
        ({"kind": "choice", "choices_text": "Ä=A"}, "choices_text", "needs a code"),
        ({"pattern": "(a+)+"}, "pattern", "not part of patterns here, at place 1"),
        ({"kind": "integer", "least": "5", "most": "3"}, "most", "below the lower limit"),
        ({"kind": "integer", "least": "x"}, "least", "Must be a number"),
        ({"kind": "integer", "default_text": "x"}, "default_text", "whole number"),
        ({"kind": "date", "pattern": "x"}, "pattern", "Only texts"),
    ],
)
def test_what_contradicts_itself_is_told_at_its_place(sent: dict[str, str], place: str, words: str) -> None:
    answer = signed_in().post(f"{FIELDS}add/", form(**sent))

    assert answer.status_code == 200
    assert words in str(answer.context["adminform"].form.errors[place])
    assert not Field.objects.exists()


def test_skus_and_warehouses_are_filled_in_their_forms(add: Add) -> None:
    make.network()
    add("sku", "length_cm", "integer", least="1", in_list=True)
    add("sku", "tags", "choices", choices=WRAPS)
    add("warehouse", "doors", "integer", default=2)
    sku = Sku.objects.get(code="LAMP")
    browser = signed_in()
    page = browser.get(f"/admin/inventory/sku/{sku.pk}/change/")
    shown = page.context["adminform"].form
    given = {name: shown[name].value() for name in shown.fields if shown[name].value() is not None}
    given |= {"traits": "[]", "is_active": "on", "custom_tags": ["gold", "red"]}

    bad = browser.post(f"/admin/inventory/sku/{sku.pk}/change/", {**given, "custom_length_cm": "0"})
    good = browser.post(f"/admin/inventory/sku/{sku.pk}/change/", {**given, "custom_length_cm": "12"})

    assert "Must be at least 1." in str(bad.context["adminform"].form.errors["custom_length_cm"])
    assert good.status_code == 302, good.context["adminform"].form.errors
    sku.refresh_from_db()
    assert sku.custom == {"length_cm": 12, "tags": ["red", "gold"]}
    assert ">12<" in browser.get("/admin/inventory/sku/?custom_length_cm=10..15").content.decode().replace(
        "\n", ""
    )
    assert "LAMP" not in browser.get("/admin/inventory/sku/?custom_length_cm=13..").content.decode()
    house = Warehouse.objects.get(code="HGH")
    assert (
        'name="custom_doors"'
        in browser.get(f"/admin/inventory/warehouse/{house.pk}/change/").content.decode()
    )


def test_values_are_escaped_everywhere(add: Add) -> None:
    make.network()
    add("order", "remark", in_list=True)
    add("order", "page", "link", in_list=True)
    order = make.place(
        make.draft("A-1", custom={"remark": "<script>alert(1)</script>", "page": "javascript:alert(1)"})
    )[0]
    browser = signed_in()

    for address in (
        "/admin/orders/order/",
        f"/admin/orders/order/{order.pk}/change/",
        f"/admin/orders/order/{order.pk}/fields/",
    ):
        page = browser.get(address).content.decode()
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
        assert "<script>alert(1)" not in page
        assert 'href="javascript:' not in page


def test_roles_see_and_fill_what_is_theirs(add: Add) -> None:
    make.network()
    add("order", "for_all")
    add("order", "margin", seen_by=["strategist"])
    add("order", "routed_by", edited_by=["strategist"])
    order = make.place(make.draft("A-1", custom={"margin": "12 %", "routed_by": "Li"}))[0]
    operator = signed_in("operator")

    page = operator.get(f"/admin/orders/order/{order.pk}/change/").content.decode()
    filled = operator.get(f"/admin/orders/order/{order.pk}/fields/").content.decode()

    assert ("margin" in page, "routed by" in page) == (False, True)
    assert [f'name="custom_{code}"' in filled for code in ("for_all", "margin", "routed_by")] == [
        True,
        False,
        False,
    ]
    operator.post(f"/admin/orders/order/{order.pk}/fields/", {"custom_margin": "1 %", "custom_for_all": "x"})
    assert Order.objects.get().custom == {"margin": "12 %", "routed_by": "Li", "for_all": "x"}


def test_parcels_are_filled_too(add: Add, hub_clock: make.Clock) -> None:
    make.network()
    add("parcel", "seal", in_list=True)
    make.place(make.draft("P-1"))
    make.play(hub_clock)
    parcel = Parcel.objects.get()
    browser = signed_in()

    browser.post(f"/admin/fulfillment/parcel/{parcel.pk}/fields/", {"custom_seal": "S 1"})

    assert Parcel.objects.get().custom == {"seal": "S 1"}
    assert "S 1" in browser.get("/admin/fulfillment/parcel/").content.decode()
    assert "S 1" in browser.get(f"/admin/fulfillment/parcel/{parcel.pk}/change/").content.decode()


def test_a_type_changes_only_where_every_value_fits(add: Add) -> None:
    make.network()
    field = add("order", "floor")
    make.place(make.draft("A-1", custom={"floor": "3"}), make.draft("A-2", custom={"floor": "ground"}))
    browser = signed_in()
    sent = form(kind="integer")

    refused = browser.post(f"{FIELDS}{field.pk}/change/", sent)
    Order.objects.filter(external_id="A-2").update(custom={"floor": "0"})
    asked = browser.post(f"{FIELDS}{field.pk}/change/", sent)
    done = browser.post(f"{FIELDS}{field.pk}/change/", {**sent, "confirm": "on"})

    assert "ground: Must be a whole number." in str(refused.context["adminform"].form.errors["kind"])
    assert "2 values will be converted" in str(asked.context["adminform"].form.errors["confirm"])
    assert done.status_code == 302
    assert sorted(Order.objects.values_list("custom__floor", flat=True)) == [0, 3]


def test_a_field_is_removed_and_comes_back_with_its_values(add: Add) -> None:
    make.network()
    field = add("order", "floor")
    order = make.place(make.draft("A-1", custom={"floor": "3"}))[0]
    browser = signed_in()

    asked = browser.get(f"{FIELDS}{field.pk}/remove/").content.decode()
    browser.post(f"{FIELDS}{field.pk}/remove/")

    assert "Where it is used" in asked
    field.refresh_from_db()
    assert field.archived_at is not None
    assert field.history.count() == 2
    assert Order.objects.get().custom == {"floor": "3"}
    browser.get(FIELDS)  # takes the message away
    assert "floor" not in browser.get(f"/admin/orders/order/{order.pk}/change/").content.decode()
    assert "floor" in browser.get(f"{FIELDS}?state=removed").content.decode()
    browser.post(f"{FIELDS}{field.pk}/restore/")
    assert "floor" in browser.get(f"/admin/orders/order/{order.pk}/change/").content.decode()


def test_staff_of_a_merchant_keep_to_their_own(add: Add) -> None:
    make.network()
    bob = make.merchant(cast.BOB)
    mine, theirs, shared = (
        add("order", "mine"),
        add("order", "theirs", owner=bob),
        add("order", "shared", owner=None),
    )
    browser = signed_in("strategist", owner=make.merchant())

    listed = browser.get(FIELDS).content.decode()

    assert f"/admin/fields/field/{mine.pk}/change/" in listed
    assert f"/admin/fields/field/{theirs.pk}/change/" not in listed
    for other in (theirs, shared):
        assert browser.post(f"{FIELDS}{other.pk}/remove/").status_code == 404
        assert browser.get(f"{FIELDS}{other.pk}/change/").status_code == 302
    refused = browser.post(f"{FIELDS}add/", form(code="new"))
    assert "Choose your merchant." in str(refused.context["adminform"].form.errors["merchant"])


def test_two_hundred_fields_fit_on_the_pages(add: Add, django_assert_max_num_queries: Any) -> None:
    make.network()
    for number in range(200):
        add("order", f"f{number}", in_list=True)
    order = make.place(make.draft("A-1"))[0]
    browser = signed_in()

    refused = browser.post(f"{FIELDS}add/", form(code="one_more", merchant=make.merchant().pk), follow=True)
    with django_assert_max_num_queries(40):
        assert browser.get("/admin/orders/order/").status_code == 200
    with django_assert_max_num_queries(60):
        assert browser.get(FIELDS).status_code == 200
    values = {f"custom_f{number}": "x" * 100 for number in range(200)}
    assert browser.post(f"/admin/orders/order/{order.pk}/fields/", values).status_code == 302

    assert "There are 200 fields already." in refused.content.decode()
    assert len(Order.objects.get().custom) == 200


def test_tables_are_uploaded_with_exact_errors(add: Add) -> None:
    make.network()
    add("sku", "length_cm", "integer", least="1")
    add("sku", "wrap", "choice", choices=WRAPS)
    browser = signed_in()
    sku = Sku.objects.get(code="LAMP")
    sku.custom = {"length_cm": 7}
    sku.save()
    table = browser.post("/admin/inventory/sku/export/", {"format": "0", **_chosen(browser)}).content.decode()
    header, *lines = table.splitlines()
    assert "custom.length_cm" in header
    row = dict(zip(header.split(","), next(x for x in lines if "LAMP" in x).split(","), strict=True))
    assert row["custom.length_cm"] == "7"

    wrong = _upload(browser, header, {**row, "custom.length_cm": "0"})
    good = _upload(browser, header, {**row, "custom.length_cm": "9", "custom.wrap": "金色"})

    assert "custom.length_cm: Must be at least 1." in wrong
    assert "gold" in good
    confirm = good.split('name="import_file_name" value="')[1].split('"')[0]
    browser.post(
        "/admin/inventory/sku/process_import/",
        {"import_file_name": confirm, "original_file_name": "skus.csv", "format": "0", "resource": ""},
    )
    sku.refresh_from_db()
    assert sku.custom == {"length_cm": 9, "wrap": "gold"}


def _chosen(browser: Client) -> dict[str, str]:
    page = browser.get("/admin/inventory/sku/export/")
    return {name: "on" for name in page.context["form"].fields if name.startswith("skuresource_")}


def _upload(browser: Client, header: str, row: dict[str, str]) -> str:
    content = f"{header}\n{','.join(row[name] for name in header.split(','))}\n"
    file = io.BytesIO(content.encode())
    file.name = "skus.csv"
    answer = browser.post(
        "/admin/inventory/sku/import/", {"format": "0", "import_file": file, "resource": ""}
    )
    return str(answer.content.decode())

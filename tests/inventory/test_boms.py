"""Bills of materials: taken apart exactly, by day and version; circles refused; written by hand, from a file, read by API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from io import BytesIO
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from hypothesis import given, settings
from hypothesis import strategies as st

from orderhub.access.models import User
from orderhub.inventory import boms
from orderhub.inventory.bom import explosion
from orderhub.inventory.bom.explosion import DEEPEST, Circular, Part, TooDeep
from orderhub.inventory.models import Bom, BomAlternative, BomLine, Sku
from orderhub.kernel.errors import Refused
from tests import make
from tests.admin import desk

TODAY = date(2026, 11, 22)
Bills = dict[str, list[Part[str]]]


def part(name: str, quantity: str = "1", scrap: str = "0") -> Part[str]:
    return Part(name, Decimal(quantity), Decimal(scrap))


def needed(bills: Mapping[str, Sequence[Part[str]]], **wanted: int) -> dict[str, str]:
    return {one.article: str(one.quantity) for one in explosion.explode(bills, wanted)}


# ---- taken apart ----------------------------------------------------------------------------------


def test_a_chair_of_three_levels_is_taken_apart_to_the_last_digit() -> None:
    bills = {
        "chair": [part("seat"), part("leg", "4"), part("screw", "8", "2.5")],
        "seat": [part("cloth", "0.75", "10"), part("foam"), part("screw", "4")],
        "leg": [part("beech", "0.035", "12.5")],
    }
    assert needed(bills, chair=3) == {
        "cloth": "2.475", "foam": "3", "screw": "36.6", "beech": "0.4725",
    }  # fmt: skip


def test_nothing_is_rounded_where_binary_fractions_would_be() -> None:
    bills = {"a": [part("b", "0.1")], "b": [part("c", "0.1")]}
    assert needed(bills, a=3) == {"c": "0.03"}
    (need,) = explosion.explode(bills, {"a": 101})
    assert (need.quantity, need.units) == (Decimal("1.01"), 2)


def test_what_has_no_bill_of_its_own_needs_nothing_and_several_articles_add_up() -> None:
    bills = {"a": [part("x", "2")], "b": [part("x", "3"), part("y")]}
    assert needed(bills, a=1, b=2, plain=9) == {"x": "8", "y": "2"}


@pytest.mark.parametrize(
    ("bills", "path"),
    [
        ({"a": [part("a")]}, ("a", "a")),
        ({"a": [part("b")], "b": [part("c")], "c": [part("a")]}, ("a", "b", "c", "a")),
        ({"a": [part("b")], "b": [part("c")], "c": [part("b")]}, ("b", "c", "b")),
    ],
    ids=["itself", "three", "below"],
)
def test_what_would_be_needed_to_make_itself_is_refused_with_the_way(
    bills: Bills, path: tuple[str, ...]
) -> None:
    with pytest.raises(Circular) as no:
        explosion.explode(bills, {"a": 1})
    assert no.value.path == path


def test_deeper_than_a_dozen_levels_is_refused_and_a_dozen_is_not() -> None:
    def tower(levels: int) -> Bills:
        return {f"n{n}": [part(f"n{n + 1}")] for n in range(levels)}

    assert needed(tower(DEEPEST + 1), n0=1) == {f"n{DEEPEST + 1}": "1"}
    with pytest.raises(TooDeep):
        explosion.explode(tower(DEEPEST + 2), {"n0": 1})


def test_a_lattice_with_a_billion_ways_is_taken_apart_at_once() -> None:
    bills = {
        f"{row}{level}": [part(f"{below}{level + 1}") for below in "abcdef"]
        for level in range(12)
        for row in "abcdef"
    }
    assert sum(one.quantity for one in explosion.explode(bills, {"a0": 1})) == 6**12


@st.composite
def trees(draw: st.DrawFn) -> Bills:
    """Articles 0..n, each made of later ones only."""
    count = draw(st.integers(2, 9))
    quantities = st.decimals("0.0001", "99", places=4)
    scraps = st.decimals("0", "60", places=2)
    bills: Bills = {}
    for number in range(count - 1):
        below = draw(st.lists(st.integers(number + 1, count - 1), unique=True, max_size=4))
        bills[str(number)] = [Part(str(one), draw(quantities), draw(scraps)) for one in below]
    return bills


@given(trees(), st.integers(1, 10_000))
@settings(max_examples=120, deadline=None)
def test_the_sums_are_those_of_walking_every_way_in_fractions(bills: Bills, units: int) -> None:
    found: dict[str, Fraction] = {}

    def walk(article: str, amount: Fraction) -> None:
        for one in bills.get(article, ()):
            more = amount * Fraction(one.quantity) * (1 + Fraction(one.scrap_percent) / 100)
            if bills.get(one.article):
                walk(one.article, more)
            else:
                found[one.article] = found.get(one.article, Fraction(0)) + more

    walk("0", Fraction(units))
    assert {one.article: Fraction(one.quantity) for one in explosion.explode(bills, {"0": units})} == found


# ---- kept -----------------------------------------------------------------------------------------


def sku(code: str) -> Sku:
    found, _made = Sku.objects.get_or_create(merchant=make.merchant(), code=code, defaults={"name": code})
    return found


def bill(article: str, version: str = "1", **parts: str) -> Bom:
    days = {name: parts.pop(name) for name in ("valid_from", "valid_to") if name in parts}
    found = Bom.objects.create(merchant=make.merchant(), sku=sku(article), version=version, **days)
    for code, quantity in parts.items():
        BomLine.objects.create(bom=found, component=sku(code), quantity=Decimal(quantity))
    return Bom.objects.get(pk=found.pk)


def needs(article: str, units: int = 1, on: date = TODAY) -> dict[str, str]:
    names = dict(Sku.objects.values_list("pk", "code"))
    found = boms.needs(make.merchant().pk, {sku(article).pk: units}, on=on)
    return {names[one.article]: str(one.quantity) for one in found}


@pytest.mark.django_db
def test_of_several_versions_the_one_that_began_last_counts_on_its_days() -> None:
    bill("CHAIR", "1", LEG="4")
    bill("CHAIR", "2", LEG="3", valid_from="2026-11-01", valid_to="2026-11-30")
    off = bill("CHAIR", "3", LEG="9")
    Bom.objects.filter(pk=off.pk).update(is_active=False)

    assert needs("CHAIR", on=date(2026, 10, 31)) == {"LEG": "4"}
    assert needs("CHAIR", 2, on=date(2026, 11, 30)) == {"LEG": "6"}
    assert needs("CHAIR", on=date(2026, 12, 1)) == {"LEG": "4"}


@pytest.mark.django_db
def test_a_circle_that_closes_only_when_another_version_comes_into_force_is_refused() -> None:
    bill("LEG", "1", WOOD="1")
    bill("LEG", "2", CHAIR="1", valid_from="2027-01-01")
    chair = sku("CHAIR")

    with pytest.raises(Refused) as no:
        boms.check(chair.merchant_id, chair.pk, [Part(sku("LEG").pk, Decimal(4))])
    assert (no.value.code, no.value.facts["way"]) == ("bom_circular", "CHAIR → LEG → CHAIR")


def _operator() -> Client:
    """The browser of an operator of the merchant, in English."""
    known = User.objects.filter(username="operator").first()
    return desk.browser(known, "en") if known else desk.member("operator", "en", merchant=make.merchant())


def _form(article: Sku, *lines: tuple[Sku, str], **more: Any) -> dict[str, Any]:
    form = {
        "merchant": article.merchant_id, "sku": article.pk, "version": "1", "is_active": "on", "valid_from": "",
        "valid_to": "", "note": "", "lines-TOTAL_FORMS": len(lines), "lines-INITIAL_FORMS": 0, **more,
    }  # fmt: skip
    for number, (component, quantity) in enumerate(lines):
        form |= {
            f"lines-{number}-component": component.pk, f"lines-{number}-quantity": quantity,
            f"lines-{number}-scrap_percent": "5", f"lines-{number}-unit": "m",
        }  # fmt: skip
    return form


@pytest.mark.django_db
def test_an_operator_writes_a_bill_and_is_told_why_a_circle_is_none() -> None:
    page = _operator()
    bill("SEAT", CHAIR="1")
    address = reverse("admin:inventory_bom_add")

    answer = page.post(address, _form(sku("CHAIR"), (sku("SEAT"), "1")))
    assert answer.status_code == 200
    assert "CHAIR → SEAT → CHAIR" in answer.content.decode()
    assert not Bom.objects.filter(sku__code="CHAIR").exists()

    answer = page.post(address, _form(sku("CHAIR"), (sku("CLOTH"), "0.75")))
    assert answer.status_code == 302
    assert needs("CHAIR", 2) == {"CLOTH": "1.575"}


FILE = """merchant,sku,version,valid_from,valid_to,component,quantity,unit,scrap_percent,instead
{m},CHAIR,1,,,LEG,4,pcs,0,
{m},CHAIR,1,,,CLOTH,0.75,m,10,VELVET:1.2; LINEN
{m},SOFA,7,2026-12-01,,CLOTH,4.5,m,10,
"""


def _import(text: str) -> str:
    """What the import page says; the file is confirmed where it may be."""
    page = _operator()
    address = reverse("admin:inventory_bomline_import")
    sent: dict[str, Any] = {"format": "0", "import_file": _upload(text)}
    answer = page.post(address, sent)
    form = answer.context.get("confirm_form")
    if form is None:
        return str(answer.content.decode())
    done = page.post(reverse("admin:inventory_bomline_process_import"), form.initial, follow=True)
    return str(done.content.decode())


def _upload(text: str) -> BytesIO:
    handle = BytesIO(text.encode())
    handle.name = "boms.csv"
    return handle


@pytest.mark.django_db
def test_a_file_makes_bills_and_importing_it_again_changes_nothing() -> None:
    for code in ("CHAIR", "SOFA", "LEG", "CLOTH", "VELVET", "LINEN"):
        sku(code)
    text = FILE.format(m=make.merchant().code)
    for _time in range(2):
        _import(text)
        assert (Bom.objects.count(), BomLine.objects.count(), BomAlternative.objects.count()) == (2, 3, 2)

    assert needs("CHAIR", 2) == {"LEG": "8", "CLOTH": "1.65"}
    assert needs("SOFA") == {}
    assert needs("SOFA", on=date(2026, 12, 1)) == {"CLOTH": "4.95"}
    others = BomAlternative.objects.order_by("priority").values_list("component__code", "ratio")
    assert list(others) == [("VELVET", Decimal("1.2000")), ("LINEN", Decimal("1.0000"))]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("{m},CHAIR,1,,,NOPE,1,,0,", "There is no SKU “NOPE”."),
        ("{m},CHAIR,1,,,LEG,four,,0,", "“four” is not a number."),
        ("{m},CHAIR,1,,,LEG,-1,,0,", "greater than or equal to 0.0001"),
        ("{m},LEG,1,,,CHAIR,1,,0,", "LEG → CHAIR → LEG"),
        ("{m},CHAIR,1,2026-12-01,2026-11-01,LEG,4,,0,", "The last day lies before the first one."),
        ("other,CHAIR,1,,,LEG,4,,0,", "another merchant"),
    ],
    ids=["component", "number", "negative", "circle", "days", "merchant"],
)
def test_a_bad_line_is_told_and_nothing_of_the_file_is_kept(row: str, said: str) -> None:
    for code in ("CHAIR", "LEG", "CLOTH"):
        sku(code)
    head, good = FILE.splitlines()[:2]
    answer = _import("\n".join([head, good, row]).format(m=make.merchant().code))

    assert said in answer.replace("&#x27;", "'")
    assert not Bom.objects.exists()


@pytest.mark.django_db
def test_bills_by_api_are_the_merchants_own_and_say_what_some_units_need() -> None:
    chair = bill("CHAIR", LEG="4", CLOTH="0.75")
    BomAlternative.objects.create(
        line=chair.lines.get(component__code="CLOTH"), component=sku("LINEN"), ratio="1.5"
    )
    api = make.client()

    (row,) = api.get("/api/v1/boms/?sku=CHAIR").json()["results"]
    assert row["lines"][1] == {
        "sku": "CLOTH", "quantity": "0.7500", "unit": "", "scrap_percent": "0.00",
        "alternatives": [{"sku": "LINEN", "ratio": "1.5000", "priority": 1}],
    }  # fmt: skip
    said = api.get(f"/api/v1/boms/{chair.pk}/needs/?units=3").json()
    assert [(one["sku"], one["quantity"], one["units"]) for one in said["needs"]] == [
        ("LEG", "12", 12), ("CLOTH", "2.25", 3),
    ]  # fmt: skip
    assert api.get(f"/api/v1/boms/{chair.pk}/needs/?units=0").json()["code"] == "bad_units"

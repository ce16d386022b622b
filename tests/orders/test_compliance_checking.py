"""Cross-border checks inside `order.screen`: what is held, supplied, accepted, counted, and what it costs."""

from __future__ import annotations

import io
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from orderhub.events import registry
from orderhub.events.models import Delivery, Event
from orderhub.inventory.models import Sku
from orderhub.kernel.errors import Refused
from orderhub.orders import parting, services
from orderhub.orders.advance import advance
from orderhub.orders.compliance import checking, desk, parties, rulebook, shipments
from orderhub.orders.compliance.engine import lists
from orderhub.orders.compliance.models import (
    BuyerIdentity,
    Clearance,
    ComplianceCheck,
    ComplianceRule,
    CustomsGoods,
    ExchangeRate,
    Paper,
    Party,
    PartyList,
    YearUsage,
)
from orderhub.orders.models import Channel, Hold, Order
from orderhub.orders.risk.models import Assessment
from tests import make
from tests.admin import desk as pages
from tests.orders import risk_shop
from tests.orders.test_compliance_names import DATA

pytestmark = pytest.mark.django_db
NOW = make.NOW
GOOD_ID = "11010519491231002X"
GERMANY = {
    "country": "DE",
    "province": "Berlin",
    "city": "Berlin",
    "district": "",
    "address": "Allee 7",
    "name": "Max Muster",
}


@pytest.fixture(autouse=True)
def _shop() -> None:
    make.network(units=1000)
    rulebook.start(now=NOW)
    ExchangeRate.objects.create(currency="EUR", on=date(2026, 11, 1), in_cny=Decimal("8.2"))
    Sku.objects.update(hs_code="9405210000")
    CustomsGoods.objects.bulk_create(CustomsGoods(sku=sku, made_in="CN") for sku in Sku.objects.all())


def placed(*drafts: Any, now: Any = NOW) -> list[Order]:
    found = services.place(drafts, merchant=make.merchant(), actor="api:test", now=now, source="api")
    orders = [x.order for x in found if x.order is not None]
    advance([x.pk for x in orders], now=now, actor="system")
    return orders


def abroad(number: str = "X1", **fields: Any) -> Order:
    """An order to Germany."""
    [order] = placed(make.draft(number, **{**GERMANY, "currency": "EUR", "lines": {"CUP": 1}, **fields}))
    return order


def check_of(order: Order) -> ComplianceCheck:
    return ComplianceCheck.objects.get(pk=order.pk)


def codes(order: Order, outcome: str = "hold") -> list[str]:
    return [x["code"] for x in check_of(order).findings if x["outcome"] == outcome]


def held_for(order: Order) -> set[str]:
    return set(Hold.objects.filter(order=order, released_at=None).values_list("reason", flat=True))


def test_an_order_inside_the_country_costs_no_statement_and_keeps_nothing() -> None:
    orders = make.place(make.draft("D1"), make.draft("D2"))
    locked = list(
        Order.objects.filter(pk__in=[x.pk for x in orders]).prefetch_related("merchant", "channel", "person")
    )

    with CaptureQueriesContext(connection) as captured:
        assert checking.assess(locked, {}, now=NOW).holds == []

    assert len(captured) == 0
    assert not ComplianceCheck.objects.exists()


def test_hong_kong_is_abroad_however_the_channel_writes_it() -> None:
    [order] = make.place(make.draft("HK", province="香港", city="香港"))

    assert shipments.is_cross_border(Order.objects.select_related("channel").get(pk=order.pk))
    assert shipments.destination(order) == "HK"


def test_a_complete_order_goes_on_with_notes_and_names_rules_and_versions() -> None:
    order = abroad()

    assert held_for(order) == set()
    row = check_of(order)
    assert (row.lane, row.outcome) == ("CN>DE", "note")
    assert {"eu-flat-duty", "eu-ioss", "xx-papers"} <= {x["rule"] for x in row.findings}
    assert all(x["version"] == 1 and x["source"] for x in row.findings if x["rule"])
    assert row.rates == {"EUR": ["8.200000", "2026-11-01"]}


def test_what_is_missing_holds_until_it_is_there_and_no_release_by_hand_leads_around_it() -> None:
    Sku.objects.filter(code="CUP").update(hs_code="")
    CustomsGoods.objects.filter(sku__code="CUP").update(traits=["UN3481"])
    order = abroad(extra={"terms": "DDP", "eori": "DE123456789012345"})

    assert held_for(order) == {"compliance"}
    assert codes(order) == ["hs_missing", "certificate", "number_missing"]
    assert "HS 编码" in Hold.objects.get(order=order).detail

    services.release_holds([order.pk], actor="user:li", now=NOW)
    advance([order.pk], now=NOW, actor="system")
    assert held_for(order) == {"compliance"}

    sku = Sku.objects.get(code="CUP")
    Sku.objects.filter(pk=sku.pk).update(hs_code="9405210000")
    for kind in ("test summary", "label", "carrier accepts"):
        Paper.objects.create(merchant=make.merchant(), sku=sku, kind=kind)
    Order.objects.filter(pk=order.pk).update(
        extra={"terms": "DDP", "eori": "DE123456789012345", "ioss": "IM2760000000"}
    )
    checking.recheck([order.pk], now=NOW, actor="system")
    advance([order.pk], now=NOW, actor="system")
    assert held_for(order) == set()
    assert (
        Order.objects.get(pk=order.pk).step == "routing.route"
    )  # no card of the test's shop reaches Germany


def test_accepting_needs_a_reason_and_a_block_is_never_accepted() -> None:
    Sku.objects.filter(code="CUP").update(hs_code="")
    order = abroad()
    [key] = [x["key"] for x in check_of(order).findings if x["outcome"] == "hold"]
    with pytest.raises(Refused) as unreasoned:
        desk.accept(order.pk, [key], reason=" ", actor="user:li", now=NOW)
    assert unreasoned.value.code == "reason_missing"

    desk.accept(order.pk, [key], reason="customs agreed", actor="user:li", now=NOW)
    advance([order.pk], now=NOW, actor="system")

    assert held_for(order) == set()
    assert check_of(order).accepted[key]["reason"] == "customs agreed"
    assert Event.objects.get(stream=order.stream, kind="compliance.reviewed").actor == "user:li"

    Sku.objects.filter(code="CUP").update(hs_code="9405210000")
    CustomsGoods.objects.filter(sku__code="CUP").update(traits=["weapon"])
    blocked = abroad("W1")
    [bad] = [x["key"] for x in check_of(blocked).findings if x["outcome"] == "block"]
    with pytest.raises(Refused) as no:
        desk.accept(blocked.pk, [bad], reason="please", actor="user:li", now=NOW)
    assert no.value.code == "not_acceptable"
    assert held_for(blocked) == {"compliance"}


@pytest.mark.parametrize("size", [3, 30])
def test_a_batch_costs_the_same_statements_whatever_its_size(size: int) -> None:
    parties.load(
        "OFAC SDN", [lists.ListedParty("1", names=["MUSTERMANN TRADING LTD"])], of=NOW.date(), actor="x"
    )
    orders = make.place(*[
        make.draft(f"B{n}", **{**GERMANY, "currency": "EUR", "name": f"Muster {n}", "phone": f"49{n:07}"}) for n in range(size)
    ])  # fmt: skip
    locked = list(
        Order.objects.filter(pk__in=[x.pk for x in orders]).prefetch_related("merchant", "channel", "person")
    )
    lines = {order.pk: list(order.lines.select_related("sku")) for order in locked}

    with CaptureQueriesContext(connection) as captured:
        checking.assess(locked, lines, now=NOW)

    said = [row["sql"][:110] for row in captured.captured_queries if "SAVEPOINT" not in row["sql"]]
    assert len(said) == 11, "\n".join(said)


# ---- China ----------------------------------------------------------------------------------------------


@pytest.fixture
def importing() -> None:
    """The shop ships from Germany into China."""
    Channel.objects.update(ships_from="DE")


def imported(number: str, **fields: Any) -> Order:
    told = {"id_number": GOOD_ID, "id_name": "王芳", "payer_name": "王芳"}
    [order] = placed(make.draft(number, extra=told, **fields))
    return order


@pytest.mark.usefixtures("importing")
def test_an_identity_number_is_locked_away_masked_and_revealed_with_a_reason() -> None:
    order = imported("C1")

    order.refresh_from_db(fields=["extra"])
    assert order.extra["id_number"] == "110105********002X"
    held = BuyerIdentity.objects.get()
    assert GOOD_ID not in held.sealed
    assert held.masked == "110105********002X"
    with pytest.raises(Refused):
        desk.reveal(order.pk, reason="", actor="user:li", now=NOW)
    assert desk.reveal(order.pk, reason="customs asks", actor="user:li", now=NOW) == GOOD_ID
    told = Event.objects.get(stream=order.stream, kind="compliance.reviewed")
    assert (told.payload["action"], told.payload["reason"]) == ("reveal", "customs asks")
    assert GOOD_ID not in str(list(Event.objects.values_list("payload", flat=True)))


@pytest.mark.usefixtures("importing")
def test_a_missing_number_holds_and_supplying_a_right_one_lets_the_order_go() -> None:
    [order] = placed(make.draft("C2"))
    assert codes(order) == ["id_missing"]
    with pytest.raises(Refused) as wrong:
        desk.supply_identity(order.pk, "110105194912310021", "王芳", actor="user:li", now=NOW)
    assert wrong.value.code == "identity_wrong"

    desk.supply_identity(order.pk, GOOD_ID, "王芳", actor="user:li", now=NOW)
    advance([order.pk], now=NOW, actor="system")

    assert held_for(order) == set()


@pytest.mark.usefixtures("importing")
def test_the_year_of_a_person_is_summed_over_orders_given_back_on_cancelling_and_begins_anew() -> None:
    lines = {"QUILT": 7}  # 4,893 CNY
    orders = [imported(f"Y{n}", lines=lines) for n in range(5)]
    assert [check_of(x).outcome for x in orders] == ["note"] * 5
    assert YearUsage.objects.get().amount == 5 * 489_300

    sixth = imported("Y6", lines=lines)  # 29,358 in all
    assert codes(sixth, "block") == ["over_year"]
    assert held_for(sixth) == {"compliance"}
    assert YearUsage.objects.get().amount == 5 * 489_300

    checking.give_back([orders[0].pk])
    checking.give_back([orders[0].pk])
    assert YearUsage.objects.get().amount == 4 * 489_300
    checking.recheck([sixth.pk], now=NOW, actor="system")
    assert held_for(sixth) == set()

    next_year = NOW + timedelta(days=60)
    [fresh] = placed(
        make.draft("Z1", lines=lines, placed_at=next_year, extra={"id_number": GOOD_ID, "id_name": "王芳"}),
        now=next_year,
    )
    assert held_for(fresh) == set()
    assert YearUsage.objects.count() == 2


@pytest.mark.usefixtures("importing")
def test_orders_of_one_batch_cannot_exceed_the_year_together_and_screening_again_counts_once() -> None:
    told = {"id_number": GOOD_ID, "id_name": "王芳", "payer_name": "王芳"}
    orders = placed(*[make.draft(f"B{n}", lines={"QUILT": 7}, extra=told) for n in range(8)])

    blocked = [x for x in orders if check_of(x).outcome == "block"]
    assert len(blocked) == 3
    assert YearUsage.objects.get().amount == 5 * 489_300
    assert YearUsage.objects.get().amount <= 2_600_000
    checking.recheck([x.pk for x in blocked], now=NOW, actor="system")
    assert YearUsage.objects.get().amount == 5 * 489_300


@pytest.mark.usefixtures("importing")
def test_the_parts_of_a_split_order_use_together_what_the_whole_used() -> None:
    told = {"id_number": GOOD_ID, "id_name": "王芳", "payer_name": "王芳"}
    [whole] = make.place(make.draft("S1", lines={"QUILT": 4}, extra=told))
    checking.recheck([whole.pk], now=NOW, actor="system")
    assert YearUsage.objects.get().amount == 4 * 69_900
    with transaction.atomic():
        locked = Order.objects.select_for_update(no_key=True).get(pk=whole.pk)
        part = parting.split(locked, {1: 1}, reason="gift", now=NOW, actor="user:li")

    owed = Delivery.objects.filter(subscriber="compliance.recheck").select_related("event")
    assert {x.stream for x in owed} == {whole.stream, part.stream}
    registry.subscribers["compliance.recheck"].handle(list(owed))

    assert YearUsage.objects.get().amount == 4 * 69_900
    amounts = [sum(check_of(x).counted.values()) for x in (whole, part)]
    assert amounts == [3 * 69_900, 69_900]


# ---- parties ------------------------------------------------------------------------------------------------


def load_extract() -> PartyList:
    entries = lists.ofac(
        *[(DATA / f"ofac_{name}_extract.csv").read_bytes() for name in ("sdn", "alt", "add")]
    )
    return parties.load("OFAC SDN", entries, of=NOW.date(), actor="user:li")


def test_a_listed_name_holds_for_review_is_told_to_risk_and_is_cleared_for_that_name_only() -> None:
    risk_shop.shop()
    load_extract()
    order = abroad("P1", name="Jaraco SA")

    assert held_for(order) == {"compliance", "risk"}
    [said] = [x for x in check_of(order).findings if x["code"] == "party_near"]
    assert (said["outcome"], said["inputs"]["party"], said["version"]) == ("hold", "8377", 1)
    assert [x["code"] for x in Assessment.objects.get(pk=order.pk).fired] == ["denied_party_near"]

    desk.clear_name(order.pk, "8377", "Jaraco SA", reason="a bakery", actor="user:li", now=NOW)
    assert held_for(order) == {"risk"}
    again = abroad("P2", name="JARACO S.A.")
    assert "party_near" not in codes(again)
    other = abroad("P3", name="Jaraco Ltd", country="FR", province="Paris", city="Paris")
    assert "party_near" in codes(other)

    Party.objects.filter(number="8377").update(fingerprint="changed")
    assert "party_near" in codes(abroad("P4", name="Jaraco SA"))
    assert Clearance.objects.count() == 1


def test_a_chinese_name_is_found_by_its_pinyin_and_a_translated_one_by_an_own_alias() -> None:
    load_extract()
    assert "party_near" in codes(abroad("A1", name="大连正华贸易有限公司"))
    assert "party_near" not in codes(abroad("A2", name="大连海博国际货运有限公司"))

    parties.add_alias(
        Party.objects.get(number="26243"), "大连海博国际货运有限公司", merchant_id=make.merchant().pk
    )

    assert "party_near" in codes(abroad("A3", name="大连海博国际货运有限公司"))


def test_loading_again_changes_only_what_changed_and_keeps_own_aliases() -> None:
    first = load_extract()
    assert (first.entries, first.added, first.changed, first.removed) == (300, 300, 0, 0)
    party = Party.objects.get(number="26243")
    parties.add_alias(party, "海博", merchant_id=make.merchant().pk)

    again = load_extract()
    assert (again.entries, again.added, again.changed, again.removed) == (300, 0, 0, 0)
    entry = lists.ListedParty("26243", names=["OTHER NAME"])
    last = parties.load("OFAC SDN", [entry], of=NOW.date(), actor="user:li")

    assert (last.entries, last.added, last.changed, last.removed) == (1, 0, 1, 299)
    assert set(Party.objects.get(number="26243").names.values_list("text", flat=True)) == {
        "OTHER NAME",
        "海博",
    }


def test_a_new_list_holds_open_orders_that_were_fine_before(
    tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    make.stock({"HGH": {"CUP": 0}, "CAN": {"CUP": 0}, "CTU": {"CUP": 0}})
    order = abroad("N1", name="Jaraco SA")
    assert held_for(order) == set()

    files = [str(DATA / f"ofac_{name}_extract.csv") for name in ("sdn", "alt", "add")]
    call_command("load_parties", "ofac", *files)

    assert held_for(order) == {"compliance"}
    assert "300 entries, 300 new" in capsys.readouterr().out
    with pytest.raises(CommandError, match="takes 3 files, 1 given"):
        call_command("load_parties", "ofac", files[0])
    wrong = tmp_path / "wrong.xml"
    wrong.write_text("<a")
    with pytest.raises(CommandError, match="no XML"):
        call_command("load_parties", "un", str(wrong))


# ---- rules -----------------------------------------------------------------------------------------------------


def test_starting_again_adds_nothing_and_keeps_what_was_ended() -> None:
    ComplianceRule.objects.filter(rule="uk-135").update(valid_to=date(2027, 1, 1))

    assert rulebook.start(now=NOW) == 0
    assert ComplianceRule.objects.get(rule="uk-135").valid_to == date(2027, 1, 1)
    assert ComplianceRule.objects.count() == 26


def test_a_confirmation_counts_for_ninety_days() -> None:
    rule = ComplianceRule.objects.get(rule="eu-flat-duty")
    with pytest.raises(Refused):
        rulebook.confirm(rule.pk, source="", actor="user:li", now=NOW)
    rulebook.confirm(rule.pk, source="EUR-Lex", actor="user:li", now=NOW)
    rule.refresh_from_db()

    assert rulebook.row_of(rule, now=NOW + timedelta(days=90)).is_confirmed
    assert not rulebook.row_of(rule, now=NOW + timedelta(days=91)).is_confirmed


def new_version(**fields: Any) -> ComplianceRule:
    return ComplianceRule.objects.create(**{
        "rule": "xx-hs-code", "version": 2, "kind": "hs_code", "params": {"digits": [6]}, "valid_from": date(2026, 11, 1),
        "status": "in_force", "source": "test", "created_by": "user:li", **fields,
    })  # fmt: skip


def test_a_second_person_activates_and_the_version_before_ends_where_the_new_one_begins() -> None:
    make.stock({"HGH": {"CUP": 0}, "CAN": {"CUP": 0}, "CTU": {"CUP": 0}})
    order = abroad("V1")
    assert held_for(order) == set()
    rule = new_version()
    assert [(x.pk, old, new) for x, old, new in checking.preview(rule, now=NOW)] == [
        (order.pk, "note", "hold")
    ]
    assert held_for(order) == set()
    with pytest.raises(Refused) as own:
        rulebook.activate(rule.pk, actor="user:li", now=NOW)
    assert own.value.code == "own_rule"

    rulebook.activate(rule.pk, actor="user:mei", now=NOW)
    checking.recheck_open(now=NOW, actor="user:mei")

    assert ComplianceRule.objects.get(rule="xx-hs-code", version=1).valid_to == date(2026, 11, 1)
    assert held_for(order) == {"compliance"}
    assert check_of(order).findings[0]["version"] == 2
    old = abroad("V2", placed_at=NOW - timedelta(days=40), paid_at=NOW - timedelta(days=40))
    assert "hs_malformed" not in codes(old)


def test_an_older_first_day_or_a_faulty_row_is_not_activated() -> None:
    for fields, code in (
        ({"valid_from": date(2015, 1, 1)}, "not_newer"),
        ({"params": {"digits": "x"}}, "bad_rule"),
    ):
        rule = new_version(**fields)
        with pytest.raises(Refused) as no:
            rulebook.activate(rule.pk, actor="user:mei", now=NOW)
        assert no.value.code == code
        rule.delete()


def test_split_duty_is_told_for_routing_without_a_query_once_rules_are_read() -> None:
    ComplianceRule.objects.filter(rule="eu-flat-duty").update(confirmed_at=NOW)
    [order] = make.place(make.draft("S1", **{**GERMANY, "currency": "EUR", "lines": None}))
    order = Order.objects.prefetch_related("merchant", "channel", "person").get(pk=order.pk)
    lines = list(order.lines.select_related("sku"))
    Order.objects.filter(pk=order.pk).update(currency="EUR")
    for line in lines:
        line.line_total = Decimal("40")
        line.ordered = 2
    book, known = rulebook.load(now=NOW), shipments.read([order], {order.pk: lines}, now=NOW)

    with CaptureQueriesContext(connection) as captured:
        delta, zh, en = desk.split_duty(
            order, lines, [{lines[0].pk: 1}, {lines[0].pk: 1}], now=NOW, book=book, known=known
        )

    assert (len(captured), delta, zh) == (0, Decimal("24.60"), "拆成 2 包多付 3 EUR关税")
    assert en == "2 parcels cost 3 EUR more in duty"


# ---- pages -----------------------------------------------------------------------------------------------------


def test_importing_rules_makes_new_versions_of_what_differs_and_skips_the_rest() -> None:
    client = pages.boss("en")
    table = (
        "rule,origin,destination,kind,params,valid_from,valid_to,status,source,source_url,confidence,doubt\n"
        'xx-hs-code,*,*,hs_code,"{""digits"": [6, 8]}",2026-12-01,,in_force,test,,,\n'
        'de-new,*,DE,hs_code,"{""digits"": [10]}",2026-12-01,,verify,test,,,\n'
    )
    preview = client.post(
        reverse("admin:compliance_compliancerule_import"),
        {"import_file": io.BytesIO(table.encode()), "format": "0", "resource": "0"},
    )
    assert preview.status_code == 200
    form = preview.context.get("confirm_form")
    assert form is not None, preview.context["result"].row_errors()
    client.post(
        reverse("admin:compliance_compliancerule_process_import"),
        {**form.initial, "format": "0", "resource": "0"},
    )

    made = ComplianceRule.objects.filter(activated_at=None)
    assert sorted((x.rule, x.version, x.created_by) for x in made) == [
        ("de-new", 1, "user:boss"), ("xx-hs-code", 2, "user:boss"),
    ]  # fmt: skip


def test_every_page_opens_and_accepting_is_done_on_it() -> None:
    Sku.objects.filter(code="CUP").update(hs_code="")
    order = abroad()
    client = pages.boss()
    for model in (
        "compliancerule",
        "compliancecheck",
        "exchangerate",
        "goodslist",
        "paper",
        "partylist",
        "party",
        "clearance",
    ):
        assert client.get(reverse(f"admin:compliance_{model}_changelist")).status_code == 200, model
    path = reverse("admin:compliance_compliancecheck_change", args=(order.pk,))
    assert "没有 HS 编码" in client.get(path).content.decode()

    [key] = [x["key"] for x in check_of(order).findings if x["outcome"] == "hold"]
    answer = client.post(
        reverse("admin:compliance_compliancecheck_accept", args=(order.pk,)),
        {"keys": [key], "reason": "海关已确认"},
        follow=True,
    )

    assert answer.status_code == 200
    assert held_for(order) == set()
    assert Permission.objects.filter(codename="activate_compliancerule").exists()

"""A market, a warehouse and a carrier that nobody has seen are connected by forms alone, in minutes, and one order goes through
all three: pushed, packed, carried, delivered.
"""

from __future__ import annotations

import json
import os
import re
import xml.etree.ElementTree as Xml
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser import strangers
from tests.browser.living import Hub, Json, until
from tests.browser.strangers import Strangers
from tests.browser.visiting import Guise, Visits, open_

pytestmark = pytest.mark.browser

_DESK = Guise("admin", width=1440)
_PROFILES = "/admin/connectors/profile/"
_WAIT = 30
Line = tuple[str, ...]


@pytest.fixture
def others() -> Iterator[Strangers]:
    """The three strangers, listening."""
    with Strangers() as found:
        yield found


@pytest.mark.slow
@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_three_strangers_are_connected_by_forms_and_one_order_goes_through_them_all(
    hub: Hub, visits: Visits, others: Strangers, language: str
) -> None:
    page, watch = visits.page("/admin/", _DESK.as_(language=language))
    mark = language[:2]
    market = _market(page, others, mark)
    depot = _depot(page, others, mark)
    courier = _courier(page, others, mark)

    # The market pushes one order, signed; another is fetched by the page that the first page names.
    number, fetched = f"FJ-{mark}-1", f"FJ-{mark}-2"
    others.pages["two"] = [strangers.event(fetched)]
    assert strangers.push_orders(market, [strangers.event(number)], spoil=True).status_code == 401
    assert strangers.push_orders(market, [strangers.event(number)]).status_code == 200
    order = hub.order(_order(hub, number)["id"])
    assert (order["total"], order["currency"], order["lines"][0]["ordered"]) == ("20.00", "CNY", 2)

    # The warehouse is told in its envelope, and tells what it packed in a form.
    told = until_found(lambda: others.find("/depot", order["number"]), "the warehouse is told")
    work = Xml.fromstring(told.body).find(".//{urn:depot}No")
    assert work is not None
    assert work.text
    waybill = f"WB{mark}{order['id']}"
    assert strangers.push_job(depot, work.text, waybill, token="other").status_code == 401
    answer = strangers.push_job(depot, work.text, waybill)
    assert (answer.status_code, answer.text) == (200, f"OK|{work.text}")

    # The market hears of the parcel, the carrier watches it and tells its whole history, twice.
    until_found(lambda: others.find(f"/market/orders/{number}", waybill), "the market hears of the parcel")
    until_found(lambda: others.find("/courier", waybill), "the carrier watches")
    for _time in range(2):
        assert strangers.push_track(courier, waybill).status_code == 200
    assert strangers.push_track(courier, waybill, secret="other").status_code == 401
    hub.when(order["id"], lambda one: one["stage"] == "delivered")
    _order(hub, fetched)
    market_asked = [one for one in others.asked if one.path.startswith("/market/orders")]
    assert {one.headers["authorization"] for one in market_asked} == {f"Bearer {strangers.TOKEN}"}
    tokens = [one for one in others.asked if one.path == "/market/oauth"]
    assert len(tokens) <= 2, (
        "a token serves all calls of its hour: one for the page's button, one for the worker"
    )

    for word in ("fjord", "depot", "courier"):
        _switch(page, f"{word}_{mark}", on=False)
    watch.assert_clean()


# ---- the market ------------------------------------------------------------------------------------


def _market(page: Page, others: Strangers, mark: str) -> str:
    sample = json.dumps({"events": [strangers.event("FJ-0")]}, ensure_ascii=False, indent=1)
    _begin(page, f"fjord_{mark}", "Fjord market", "channel", "order", sample, form="json")
    draft = re.sub(r"/map/.*", "/draft/", page.url)
    map_url = page.url

    open_(page, draft)
    page.fill("[name=door_split]", "events")
    page.fill("[name=door_key]", "id")
    _sign(page, alg="hmac-sha512", text="{ts}.{body}", where="X-Market#v1", ts="X-Market#t")
    _ask(
        page,
        [
            ("base", "接口地址", "Address", "url"),
            ("client_id", "应用", "Client", "text"),
            ("client_secret", "应用密钥", "Client secret", "secret"),
        ],
    )
    _keep(page)

    open_(page, map_url + "?propose=1")
    attributes = "data.attributes"
    _fields(page, "", [
        ("ext_id", "data.id", "text"), ("status", f"{attributes}.state", "table", "PAID=paid"),
        ("currency", f"{attributes}.total.currency", "text"), ("total", f"{attributes}.[total.amount, total.scale]", "shift"),
        ("placed_at", f"{attributes}.placedAtNs", "epoch_ns"), ("paid_at", "", "text"),
        ("name", f"{attributes}.shipTo.fullName", "text"), ("phone", f"{attributes}.shipTo.mobile", "phone"),
        ("province", f"{attributes}.shipTo.province", "text"), ("city", f"{attributes}.shipTo.city", "text"),
        ("district", f"{attributes}.shipTo.county", "text"), ("address", f"{attributes}.shipTo.street", "text"),
    ])  # fmt: skip
    beside = "find(_up.included, {type: type, id: id}).attributes"
    _list(page, "lines", "data.relationships.lines.data")
    _fields(page, "lines", [
        ("sku", f"{beside}.sku", "text"), ("qty", f"{beside}.[packs, perPack]", "product"),
        ("price", f"{beside}.[unit.amount, unit.scale]", "shift"), ("ext_id", "id", "text"), ("name", "", "text"),
        ("grams", "", "whole"),
    ])  # fmt: skip
    _expect(page, f"market-map-{mark}")

    _call(page, draft, "token")
    page.fill("[name=url]", "{base}/oauth")
    page.select_option("[name=form]", "form")
    _body(page, [("grant_type", "", "fixed", "client_credentials"), ("client_id", "_config.client_id", "text"),
                 ("client_secret", "_config.client_secret", "text")])  # fmt: skip
    page.fill("[name=answer]", '{"access_token":"a","expires_in":3600}')
    _expect(page)

    _call(page, draft, "list_orders")
    page.fill("[name=url]", "{base}/orders")
    _head(
        page,
        [
            ("query", "limit", "", "fixed", "50"),
            ("query", "cursor", "after", "text"),
            ("header", "Authorization", "token", "before", "Bearer "),
        ],
    )
    page.select_option("[name=answer_map]", "order")
    page.fill("[name=answer_items]", "events")
    _before(page)
    _expect(page)

    _call(page, draft, "ship_notice")
    page.select_option("[name=method]", "PATCH")
    page.fill("[name=url]", "{base}/orders/{message.ext_id}")
    _head(page, [("header", "Authorization", "token", "before", "Bearer ")])
    _body(
        page,
        [
            ("data.type", "", "fixed", "order"),
            ("data.id", "ext_id", "text"),
            ("data.attributes.waybill", "tracking_number", "text", "", "1"),
        ],
    )
    _before(page)
    page.fill("[name=answer]", '{"data":{"id":"A-1001"}}')
    _rules(
        page,
        [("data.id", "?", "acked"), ("errors", "?", "refused")],
        reference="data.id",
        message="errors[0].detail",
    )
    _expect(page, f"market-call-{mark}")

    open_(page, draft)
    page.select_option("[name=poll_operation] >> nth=0", "list_orders")
    page.fill("[name=poll_every] >> nth=0", "10")
    page.fill("[name=poll_next] >> nth=0", "parameter(links.next, 'cursor')")
    _shoot(page, f"market-draft-{mark}")
    _publish(page)
    return _connect(
        page,
        {
            "ask_base": f"{others.url}/market",
            "ask_client_id": "hub",
            "ask_client_secret": "shh",
            "ask_secret": strangers.SECRET,
        },
    )


# ---- the warehouse ---------------------------------------------------------------------------------


def _depot(page: Page, others: Strangers, mark: str) -> str:
    _begin(
        page,
        f"depot_{mark}",
        "Old depot",
        "warehouse",
        "warehouse",
        strangers.job("F1-1", "WB1"),
        form="form+nested",
    )
    draft = re.sub(r"/map/.*", "/draft/", page.url)
    _fields(page, "", [("reference", "job", "text"), ("event", "state", "table", "GONE=ship; SHORT=short"),
                       ("at", "when", "packed", "yyyyMMddHHmmss"), ("reason", "", "text")])  # fmt: skip
    _list(page, "parcels", "ship")
    _fields(
        page,
        "parcels",
        [("carrier", "carrier", "text"), ("tracking_number", "waybill", "text"), ("grams", "", "whole")],
    )
    _list(page, "lines", "row")
    _fields(page, "lines", [("sku", "sku", "text"), ("qty", "[packs, perPack]", "product")])
    _expect(page, f"depot-map-{mark}")

    open_(page, draft)
    _sign(page, alg="text", text="{secret}", where="token", kind="form")
    page.locator("details:has([name=ok_body]) summary").click()
    page.fill("[name=ok_type]", "text/plain")
    page.fill("[name=ok_body]", "OK|{id}")
    page.fill("[name=ok_take]", "id=job")
    _keep(page)

    _call(page, draft, "release")
    page.fill("[name=url]", "{base}/jobs")
    page.select_option("[name=form]", "xml")
    page.fill("[name=root]", "soap:Envelope")
    _head(page, [("header", "SOAPAction", "", "fixed", "urn:depot#NewJob")])
    inside = "soap:Body.w:NewJob"
    _body(page, [
        ("@xmlns:soap", "", "fixed", "http://schemas.xmlsoap.org/soap/envelope/"),
        (f"{inside}.@xmlns:w", "", "fixed", "urn:depot"),
        (f"{inside}.w:No", "number", "text", "", "1"), (f"{inside}.w:When", "created_at", "wall", "yyyyMMddHHmmss"),
        (f"{inside}.w:Order", "order_number", "text"), ("w:Sku", "sku", "text", "", "", f"{inside}.w:Row"),
        ("w:Units", "qty", "text", "", "", f"{inside}.w:Row"),
    ])  # fmt: skip
    page.fill("[name=list_name] >> nth=0", f"{inside}.w:Row")
    page.fill("[name=list_path] >> nth=0", "lines")
    page.fill("[name=status]", "500")
    page.fill(
        "[name=answer]",
        "<E><Body><Fault><faultcode>s:Client</faultcode><faultstring>no number</faultstring></Fault></Body></E>",
    )
    page.select_option("[name=ack_form]", "xml")
    _rules(page, [("Body.NewJobResult.Code", "OK", "acked"), ("Body.Fault.faultcode", "s:Client", "refused!")],
           reference="Body.NewJobResult.Job", message="Body.Fault.faultstring")  # fmt: skip
    _expect(page, f"depot-call-{mark}")
    _publish_at(page, draft)
    return _connect(
        page, {"ask_base": f"{others.url}/depot", "ask_secret": strangers.SECRET}, warehouses=True
    )


# ---- the carrier -----------------------------------------------------------------------------------


def _courier(page: Page, others: Strangers, mark: str) -> str:
    _begin(page, f"courier_{mark}", "Nordic courier", "carrier", "scan", strangers.track("WB1"), form="xml")
    draft = re.sub(r"/map/.*", "/draft/", page.url)
    expect(page.locator("[name=items]")).to_have_value("Step")
    _fields(page, "", [("tracking_number", "_up.Waybill", "text"), ("at", "Clock", "packed", "dd.MM.yyyy hh:mm:ss a"),
                       ("code", "", "text"),
                       ("remark", "Says", "text"), ("status", "", "table"), ("place", "", "text"),
                       ("carrier", "", "text")])  # fmt: skip
    for at, (words, status) in enumerate(
        [("collected", "picked_up"), ("depot|terminal", "in_transit"), ("Handed over", "delivered")]
    ):
        page.fill(f"[name=code_pattern] >> nth={at}", words)
        page.select_option(f"[name=code_status] >> nth={at}", status)
    _expect(page, f"courier-map-{mark}")

    open_(page, draft)
    _sign(page, alg="hmac-sha256", text="{body}", where="sig", kind="query")
    _ask(
        page,
        [
            ("base", "接口地址", "Address", "url"),
            ("user", "用户", "User", "text"),
            ("word", "密码", "Password", "secret"),
        ],
    )
    _keep(page)
    _call(page, draft, "subscribe")
    page.fill("[name=url]", "{base}/watch")
    _head(page, [("header", "Authorization", "[_config.user, _config.word]", "basic")])
    _body(page, [("waybill", "tracking_number", "text", "", "1")])
    page.fill("[name=answer]", "OK|W-77")
    page.select_option("[name=ack_form]", "text")
    _rules(page, [("split(_body, '|')[0]", "OK", "acked"), ("starts_with(_body, 'ERR')", "true", "refused")],
           reference="split(_body, '|')[1]", message="split(_body, '|')[1]")  # fmt: skip
    _expect(page, f"courier-call-{mark}")
    _publish_at(page, draft)
    return _connect(
        page,
        {
            "ask_base": f"{others.url}/courier",
            "ask_user": "hub",
            "ask_word": "pass",
            "ask_secret": strangers.SECRET,
        },
    )


# ---- what a person does ----------------------------------------------------------------------------


def _begin(page: Page, code: str, name: str, role: str, means: str, sample: str, *, form: str) -> None:
    open_(page, f"{_PROFILES}begin/")
    for field, value in (("name", name), ("name_en", name), ("code", code), ("sample", sample)):
        page.fill(f"[name={field}]", value)
    for field, value in (("role", role), ("means", means), ("form", form)):
        page.select_option(f"[name={field}]", value)
    page.click(".oh-cn-begin button[type=submit]")
    expect(page.locator("form[data-map]")).to_be_visible()


def _sign(page: Page, *, alg: str, text: str, where: str, kind: str = "header", ts: str = "") -> None:
    page.select_option("[name=alg]", alg)
    page.fill("[name=part_more]", text)
    page.select_option("[name=where_kind]", kind)
    page.fill("[name=where_name]", where)
    if ts:
        page.fill("[name=ts_name]", ts)


def _ask(page: Page, asks: list[Line]) -> None:
    first = page.locator("[name=ask_name]").evaluate_all("all => all.filter(one => one.value).length")
    for at, (name, zh, en, kind) in enumerate(asks, first):
        if page.locator("[name=ask_name]").count() <= at:
            _keep(page)
        for field, value in (("name", name), ("zh", zh), ("en", en)):
            page.fill(f"[name=ask_{field}] >> nth={at}", value)
        page.select_option(f"[name=ask_kind] >> nth={at}", kind)
        page.select_option(f"[name=ask_required] >> nth={at}", "1")


def _fields(page: Page, inside: str, lines: list[Line]) -> None:
    for line in lines:
        name, path, how, detail = (*line, "")[:4]
        row = page.locator(
            f"tr:has(input[name=to][value='{name}']):has(input[name=inside][value='{inside}'])"
        )
        row.locator("[name=path]").fill(path)
        row.locator("[name=how]").select_option(how)
        row.locator("[name=detail]").fill(detail)


def _list(page: Page, inside: str, path: str) -> None:
    page.locator(f"tr.is-sum:has(input[name=inside][value='{inside}'])").locator("[name=path]").fill(path)


def _call(page: Page, draft: str, operation: str) -> None:
    open_(page, draft)
    page.select_option("[name=new_call]", operation)
    _keep(page)
    expect(page.locator("form[data-call]")).to_be_visible()


def _head(page: Page, lines: list[Line]) -> None:
    for at, line in enumerate(lines):
        place, to, path, how, detail = (*line, "")[:5]
        page.select_option(f"[name=head_place] >> nth={at}", place)
        page.fill(f"[name=head_to] >> nth={at}", to)
        page.fill(f"[name=head_path] >> nth={at}", path)
        page.select_option(f"[name=head_how] >> nth={at}", how)
        page.fill(f"[name=head_detail] >> nth={at}", detail)


def _body(page: Page, lines: list[Line]) -> None:
    for at, line in enumerate(lines):
        to, path, how, detail, needed, inside = (*line, "", "", "")[:6]
        for field, value in (("to", to), ("path", path), ("detail", detail), ("inside", inside)):
            page.fill(f"[name=body_{field}] >> nth={at}", value)
        page.select_option(f"[name=body_how] >> nth={at}", how)
        page.select_option(f"[name=body_required] >> nth={at}", needed)


def _before(page: Page) -> None:
    page.select_option("[name=before_operation]", "token")
    page.fill("[name=before_take]", "token=access_token")
    page.fill("[name=before_keep]", "expires_in")
    message = page.locator("[name=message]")
    page.locator("details:has([name=message]) summary").click()
    message.fill(message.input_value().rstrip().removesuffix("}") + ',\n "token": "tok"}')


def _rules(page: Page, rules: list[tuple[str, str, str]], *, reference: str, message: str) -> None:
    for at, (path, words, means) in enumerate(rules):
        page.fill(f"[name=rule_path] >> nth={at}", path)
        page.fill(f"[name=rule_equals] >> nth={at}", words)
        page.select_option(f"[name=rule_means] >> nth={at}", means)
    page.fill("[name=ack_reference]", reference)
    page.fill("[name=ack_message]", message)


def _expect(page: Page, name: str = "") -> None:
    """Try it, look, and hold on to the result."""
    with page.expect_navigation():
        page.click("button[value=try]")
    assert page.locator("#tried .t-ok").count() == 1, page.locator("#tried").inner_text()
    if name:
        _shoot(page, name)
    with page.expect_navigation():
        page.locator("button[value=expect]").first.click()
    expect(page.locator("[role=alert].oh-err")).to_have_count(0)


def _keep(page: Page) -> None:
    with page.expect_navigation():
        page.locator("form.oh-cn > .oh-row:last-child button").first.click()


def _publish_at(page: Page, draft: str) -> None:
    open_(page, draft)
    _publish(page)


def _publish(page: Page) -> None:
    page.locator("button[value=publish]").last.click()
    page.wait_for_url("**/change/")


def _connect(page: Page, entered: dict[str, str], *, warehouses: bool = False) -> str:
    """Connect, test, switch on; the address of its door."""
    page.click("a[href*='/connect/']")
    for name, value in entered.items():
        page.fill(f"[name={name}]", value)
    if warehouses:
        for one in page.locator("[name=warehouses]").all():
            one.check()
    page.click("details summary")
    page.check("[name=allows_private]")
    page.click("form[data-once] button[type=submit]")
    page.wait_for_url("**/change/")
    page.click("form[action$='/do/test/'] button")
    expect(page.locator("ul[role=status] .t-bad")).to_have_count(0)
    page.click("form[action$='/do/switch/'] button")
    expect(page.locator("form[action$='/do/switch/'] input[name=on]")).to_have_value("0")
    return page.locator("#door").input_value()


def _switch(page: Page, code: str, *, on: bool) -> None:
    open_(page, f"/admin/connectors/connection/?q={code.replace('_', '-')}")
    page.locator("#result_list a[href*='/change/']").first.click()
    button = page.locator("form[action$='/do/switch/'] button")
    if page.locator("form[action$='/do/switch/'] input[name=on]").input_value() != ("0" if on else "1"):
        button.click()


def _order(hub: Hub, number: str) -> Json:
    return until_found(
        lambda: next((one for one in hub.orders() if number in (one["external_id"], one["number"])), None),
        f"{number} is an order",
    )


def until_found(look: Any, what: str) -> Any:
    """What is found in the end."""
    until(lambda: look() is not None, seconds=_WAIT, what=what, every=0.3)
    return look()


def _shoot(page: Page, name: str) -> None:
    """A picture for whoever wants to look, in the folder HUB_SHOTS."""
    folder = os.environ.get("HUB_SHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=f"{folder}/strangers-{name}.png", full_page=True)

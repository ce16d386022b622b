"""Operators' pages of connections: connecting by forms, health, secrets, inbox, calls, profiles; both languages, and who may."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import httpx
import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext

from orderhub.connectors import envelopes, secretbox, shelf, silence
from orderhub.connectors.models import Alias, Call, Connection, InboxMessage, PollMark, Profile, Traffic
from orderhub.events.models import Event
from orderhub.fulfillment.models import FulfillmentOrder
from orderhub.kernel import clock
from orderhub.orders.models import Channel, Order
from tests import cast, make
from tests.admin import desk
from tests.connectors import systems
from tests.connectors.systems import Store
from tests.make import Clock

pytestmark = pytest.mark.django_db
LANGUAGES = pytest.mark.parametrize("language", ["zh-hans", "en"])
_PAGE = "/admin/connectors/connection/"
_INBOX = "/admin/connectors/inboxmessage/"
_CALLS = "/admin/connectors/call/"
_PROFILES = "/admin/connectors/profile/"


@pytest.fixture(autouse=True)
def _network(hub_clock: Clock) -> None:
    make.network()


def _text(answer: Any) -> str:
    assert answer.status_code == 200, answer
    return str(answer.content.decode())


def _quarantined(**changes: Any) -> InboxMessage:
    """A message with an article nobody knows."""
    systems.shop()
    goods = [{"id": 7, "code": "THEIR-CUP", "n": 2, "fen": 900}]
    systems.push(systems.order(**{"goods": goods, **changes}))
    make.run_until_idle()
    return InboxMessage.objects.get()


# ---- connecting ------------------------------------------------------------------------------------


def _connect(client: Client, **changes: Any) -> Any:
    profile = systems.profile(systems.SHOP)
    form = {
        "name": "Corner", "code": "corner", "merchant": make.merchant().pk, "channel": "new",
        "ask_secret": "s3cret-word", **changes,
    }  # fmt: skip
    return client.post(f"{_PAGE}connect/{profile.pk}/", form)


@LANGUAGES
def test_a_shop_is_connected_by_a_form_with_a_channel_of_its_own_and_goes_live(language: str) -> None:
    client = desk.boss(language)
    systems.profile(systems.SHOP)
    assert "Corner shop" in _text(client.get(f"{_PAGE}add/")) or "街角小店" in _text(
        client.get(f"{_PAGE}add/")
    )

    answer = _connect(client)

    row = Connection.objects.get(code="corner")
    assert answer["Location"].endswith(f"{_PAGE}{row.pk}/change/")
    assert (row.kind, row.is_active, row.channel.code if row.channel else "") == ("profile", False, "corner")
    assert Channel.objects.get(code="corner").name == "Corner"
    assert row.door_key
    assert len(row.door_key) >= 20
    assert secretbox.current(row, "secret") == "s3cret-word"
    page = _text(client.get(f"{_PAGE}{row.pk}/change/"))
    assert f"/in/{row.door_key}/" in page
    assert "s3cret-word" not in page
    assert "s3cret-word" not in _text(client.get(f"{_PAGE}{row.pk}/settings/"))
    assert systems.push(systems.order(), door=row.door_key, secret="s3cret-word").status_code == 404
    client.post(f"{_PAGE}{row.pk}/do/test/")
    client.post(f"{_PAGE}{row.pk}/do/switch/", {"on": "1"})
    assert systems.push(systems.order(), door=row.door_key, secret="s3cret-word").content == b"got it"
    make.run_until_idle()
    assert Order.objects.get().channel.code == "corner"


def test_what_is_missing_or_taken_is_told_at_its_field_and_nothing_is_written() -> None:
    client = desk.boss("en")
    _connect(client)

    again = _text(_connect(client))
    empty = _text(_connect(client, code="other", ask_secret=""))

    assert "already" in again
    assert empty.count("oh-err") >= 2
    assert Connection.objects.filter(kind="profile").count() == 1


def test_a_new_secret_overlaps_and_a_button_ends_the_old_one(hub_clock: Clock) -> None:
    client = desk.boss()
    row = systems.shop()
    hub_clock.advance(hours=1)
    form = {"name": row.name, "channel": row.channel_id, "ask_secret": "new-word", "profile": row.profile_id}

    client.post(f"{_PAGE}{row.pk}/settings/", form)

    row.refresh_from_db()
    now = clock.now()
    assert secretbox.valid(row, "secret", now=now) == ["new-word", systems.SECRET]
    client.post(f"{_PAGE}{row.pk}/do/end-old/", {"name": "secret"})
    row.refresh_from_db()
    assert secretbox.valid(row, "secret", now=now) == ["new-word"]


def test_an_empty_secret_keeps_the_one_in_use() -> None:
    row = systems.shop()

    desk.boss().post(
        f"{_PAGE}{row.pk}/settings/",
        {"name": "Renamed", "channel": row.channel_id, "profile": row.profile_id},
    )

    row.refresh_from_db()
    assert (row.name, secretbox.current(row, "secret")) == ("Renamed", systems.SECRET)


def test_the_test_button_asks_the_real_system_and_tells_in_words(monkeypatch: Any) -> None:
    document = {**systems.STORE, "operations": {**systems.STORE["operations"], "ping": {
        "method": "GET", "url": "{base}/ping", "ack": {"form": "json", "when": [
            {"path": "ok", "equals": True, "means": "acked"}], "otherwise": "refused", "message": "why"}}}}  # fmt: skip
    row = systems.connect(document, config={"base": "https://store.example"})
    store = systems.stand_in(monkeypatch, Store())
    client = desk.boss("en")

    store.answers.append(lambda request: httpx.Response(200, json={"ok": True}))
    client.post(f"{_PAGE}{row.pk}/do/test/")
    well = _text(client.get(f"{_PAGE}{row.pk}/change/"))
    store.answers.append(lambda request: httpx.Response(200, json={"ok": False, "why": "bad key"}))
    client.post(f"{_PAGE}{row.pk}/do/test/")
    bad = _text(client.get(f"{_PAGE}{row.pk}/change/"))

    assert "says yes" in well
    assert "bad key" in bad
    row.refresh_from_db()
    assert row.tested_at is not None


def test_polls_are_prepared_when_a_system_is_connected() -> None:
    listing = {"method": "GET", "url": "{base}/orders", "map": "order", "ack": {"form": "json"}}
    document = {
        **systems.SHOP, "code": "asked_shop", "operations": {"list_orders": listing},
        "asks": [*systems.SHOP["asks"], {"name": "base", "zh": "地址", "en": "Address", "kind": "url", "required": True}],
        "schedules": [{"name": "orders", "operation": "list_orders", "every_s": 300, "map": "order"}],
    }  # fmt: skip
    profile = systems.profile(document)
    form = {
        "name": "Asked", "code": "asked", "merchant": make.merchant().pk, "channel": "new", "ask_secret": "x",
        "ask_base": "https://shop.example",
    }  # fmt: skip

    desk.boss().post(f"{_PAGE}connect/{profile.pk}/", form)

    assert PollMark.objects.get().schedule == "orders"
    assert Connection.objects.get(code="asked").config["base"] == "https://shop.example"


# ---- health ----------------------------------------------------------------------------------------


def _hours(row: Connection, received: int, *, days: int = 5) -> None:
    hour = clock.now().replace(minute=0, second=0, microsecond=0)
    for day in range(1, days + 1):
        Traffic.objects.create(connection=row, hour=hour - timedelta(days=day), received=received)


def test_silence_is_measured_by_the_usual_gap_of_the_hour_and_told_once(hub_clock: Clock) -> None:
    row = systems.shop()
    _hours(row, 4)  # a message each 15 minutes
    row.last_message_at = clock.now() - timedelta(minutes=44)
    row.save()
    assert silence.tell(now=clock.now()) == 0

    hub_clock.advance(minutes=2)

    assert (silence.tell(now=clock.now()), silence.tell(now=clock.now())) == (1, 0)
    event = Event.objects.get(kind="connection.silent")
    assert event.payload == {"connection": row.pk, "minutes": 46, "usual": 15.0}
    assert row.name in _text(desk.boss().get("/admin/"))
    Connection.objects.filter(pk=row.pk).update(last_message_at=clock.now())
    assert silence.quiet(now=clock.now()) == []


def test_without_a_habit_nothing_is_silent_unless_minutes_are_set() -> None:
    row = systems.shop()
    row.last_message_at = clock.now() - timedelta(hours=9)
    row.save()
    assert silence.quiet(now=clock.now()) == []

    Connection.objects.update(silent_minutes=60)

    assert [one.connection.pk for one in silence.quiet(now=clock.now())] == [row.pk]


@LANGUAGES
def test_the_health_page_tells_figures_and_the_worst_first(language: str) -> None:
    row = _quarantined().connection
    Traffic.objects.update(failed=3, sent=10, acked=7, slowest_ms=912)

    page = _text(desk.boss(language).get(f"{_PAGE}{row.pk}/change/"))

    assert page.count("<rect") == 24
    assert "912" in page
    assert ("需要人处理" in page) if language == "zh-hans" else ("needs a person" in page)


def test_the_list_costs_the_same_for_any_number_of_connections() -> None:
    client = desk.boss()
    systems.shop()

    def queries() -> int:
        with CaptureQueriesContext(database) as seen:
            _text(client.get(_PAGE))
        return len(seen)

    queries()
    before = queries()
    for number in range(4):
        systems.connect(systems.STORE, code=f"store-{number}")

    assert queries() == before <= 25


# ---- the inbox -------------------------------------------------------------------------------------


@LANGUAGES
def test_a_quarantined_message_is_told_in_words_and_persons_are_behind_marks(language: str) -> None:
    row = _quarantined()
    client = desk.member("operator", language)

    page = _text(client.get(f"{_INBOX}{row.pk}/change/"))

    assert (
        ("没有人认识" in page or "THEIR-CUP" in page)
        if language == "zh-hans"
        else "Nobody knows the article" in page
    )
    assert "13800000001" not in page
    assert "文三路" not in page
    assert "‹" in page
    assert "13800000001" in _text(desk.boss(language).get(f"{_INBOX}{row.pk}/change/"))


def test_naming_the_article_replays_all_messages_with_the_same_fault() -> None:
    row = _quarantined()
    goods = [{"id": 7, "code": "THEIR-CUP", "n": 1, "fen": 900}]
    systems.push(systems.order(id=1002, goods=goods), key="2")
    make.run_until_idle()
    client = desk.member("operator")

    wrong = client.post(
        f"{_INBOX}{row.pk}/do/name/", {"sort": "sku", "theirs": "THEIR-CUP", "ours": "NO-SUCH"}
    )
    assert "NO-SUCH" in _text(wrong)
    client.post(f"{_INBOX}{row.pk}/do/name/", {"sort": "sku", "theirs": "THEIR-CUP", "ours": "CUP"})

    assert Order.objects.count() == 2
    assert Alias.objects.get().ours == "CUP"
    assert set(InboxMessage.objects.values_list("state", flat=True)) == {"applied"}


def test_an_operator_corrects_a_message_without_seeing_the_person_and_the_bytes_stay() -> None:
    row = _quarantined()
    raw = envelopes.unseal(bytes(row.raw or b""))
    client = desk.member("operator")
    shown = client.get(f"{_INBOX}{row.pk}/change/").context["text"]

    client.post(f"{_INBOX}{row.pk}/do/correct/", {"text": shown.replace("THEIR-CUP", "CUP")})

    order = Order.objects.get()
    assert (order.person.name, order.person.phone, order.external_id) == ("王芳", "13800000001", "1001")
    row.refresh_from_db()
    assert (row.state, row.edited_by) == ("applied", "user:operator")
    assert envelopes.unseal(bytes(row.raw or b"")) == raw


@pytest.mark.parametrize("text", ["{", "", '{"to": "‹A***·99›"}'])
def test_a_correction_that_cannot_be_read_is_refused_with_the_text_kept(text: str) -> None:
    row = _quarantined()

    page = desk.member("operator").post(f"{_INBOX}{row.pk}/do/correct/", {"text": text})

    assert 'role="alert"' in _text(page)
    row.refresh_from_db()
    assert (row.state, row.sealed_edit) == ("quarantined", "")


def test_a_message_is_dismissed_only_with_a_note() -> None:
    row = _quarantined()
    client = desk.member("operator")

    client.post(f"{_INBOX}{row.pk}/do/dismiss/", {"note": " "})
    row.refresh_from_db()
    assert row.state == "quarantined"
    client.post(f"{_INBOX}{row.pk}/do/dismiss/", {"note": "a test of theirs"})

    row.refresh_from_db()
    assert (row.state, row.error) == ("ignored", "a test of theirs")


def test_numbers_in_a_message_are_shown_digit_by_digit() -> None:
    row = _quarantined(id=4781320682406083640)

    assert '"id": 4781320682406083640' in desk.boss().get(f"{_INBOX}{row.pk}/change/").context["text"]


# ---- calls -----------------------------------------------------------------------------------------


def _refused(monkeypatch: Any) -> tuple[Call, Store]:
    systems.connect(systems.STORE, config={"base": "https://store.example"})
    store = systems.stand_in(monkeypatch, Store())
    store.answers.append(lambda request: httpx.Response(200, json={"code": "BAD", "why": "no such place"}))
    make.place(make.draft("A1"))
    make.run_until_idle()
    return Call.objects.get(operation="release"), store


@LANGUAGES
def test_a_refused_call_is_found_from_today_and_corrected_without_seeing_the_person(
    monkeypatch: Any, language: str
) -> None:
    call, store = _refused(monkeypatch)
    client = desk.member("operator", language)
    assert "state__exact=dead" in _text(client.get("/admin/"))
    page = client.get(f"{_CALLS}{call.pk}/change/")
    said = json.loads(page.context["text"])
    assert "no such place" in _text(page)
    assert "‹" in said["receiver"]["phone"]
    said["lines"][0]["sku"] = "THEIR-LAMP"

    answer = client.post(f"{_CALLS}{call.pk}/do/correct/", {"text": json.dumps(said, ensure_ascii=False)})
    make.run_until_idle()

    assert answer.status_code == 302
    sent = json.loads(store.sent[-1].content)
    assert sent["rows"][0]["sku"] == "THEIR-LAMP"
    assert "‹" not in sent["to"]
    call.refresh_from_db()
    assert (call.state, call.edited_by) == ("acked", "user:operator")


def test_a_call_is_sent_again_or_skipped_with_a_note(monkeypatch: Any) -> None:
    call, store = _refused(monkeypatch)
    client = desk.member("operator")

    without = client.post(f"{_CALLS}{call.pk}/do/skip/", {"note": ""})
    assert 'role="alert"' in _text(without)
    client.post(f"{_CALLS}{call.pk}/do/again/")
    make.run_until_idle()

    call.refresh_from_db()
    assert call.state == "acked"
    assert len(store.sent) == 2
    late = client.post(f"{_CALLS}{call.pk}/do/again/")
    assert 'role="alert"' in _text(late)


# ---- profiles --------------------------------------------------------------------------------------

_SAMPLE = {
    "订单编号": "A-1", "订单状态": "待发货", "实付金额": "18.00", "收货人": "李明", "手机": "13900000002",
    "省": "浙江省", "市": "杭州市",
    "区": "西湖区", "详细地址": "天目山路 1 号", "商品": [{"商家编码": "CUP", "数量": 2, "单价": "9.00"}],
}  # fmt: skip


def _form_of(page: Any) -> dict[str, Any]:
    """What the browser would post of a map's page."""
    bench = page.context["bench"]
    return {
        "sample": bench.sample, "version": bench.version, "to": [row.to for row in bench.rows],
        "inside": [row.inside for row in bench.rows],
        "path": [row.path for row in bench.rows], "how": [row.how for row in bench.rows],
        "detail": [row.detail for row in bench.rows],
        "required": ["1" if row.required else "" for row in bench.rows],
    }  # fmt: skip


def _begin(client: Client) -> Profile:
    form = {
        "name": "巷口小店", "name_en": "Lane shop", "code": "lane_shop", "merchant": make.merchant().pk, "role": "channel",
        "means": "order", "form": "json", "zone": "Asia/Shanghai", "currency": "CNY",
        "sample": json.dumps(_SAMPLE, ensure_ascii=False),
    }  # fmt: skip
    answer = client.post(f"{_PROFILES}begin/", form)
    assert answer.status_code == 302, answer.context["form"].errors
    return Profile.objects.get(code="lane_shop")


@LANGUAGES
def test_a_system_nobody_has_seen_is_described_by_forms_alone_and_sells(language: str) -> None:
    client = desk.member("integrator", language)
    profile = _begin(client)
    page = client.get(f"{_PROFILES}{profile.pk}/map/order/?propose=1")
    assert page.context["tried"]["faults"] == []
    client.post(f"{_PROFILES}{profile.pk}/map/order/", {**_form_of(page), "deed": "expect"})
    profile.refresh_from_db()
    assert profile.draft["tests"][0]["expected"][0]["value"]["lines"][0]["sku"] == "CUP"

    draft = client.get(f"{_PROFILES}{profile.pk}/draft/")
    assert (draft.context["flaws"], [one.ok for one in draft.context["outcomes"]]) == ([], [True])
    entered = {
        "zh": "巷口小店", "en": "Lane shop", "zone": "Asia/Shanghai", "currency": "CNY", "has_door": "1", "door_form": "json",
        "route_path": [""], "route_equals": [""], "route_map": ["order"], "door_key": '"订单编号"',
        "alg": "hmac-sha256", "enc": "b64", "part": ["{body}"], "where_kind": "header",
        "where_name": "X-Shop-Signature", "go": "publish",
    }  # fmt: skip
    client.post(f"{_PROFILES}{profile.pk}/draft/", entered)
    profile.refresh_from_db()
    assert profile.in_force is not None
    assert profile.in_force.number == 1

    form = {
        "name": "Lane",
        "code": "lane",
        "merchant": make.merchant().pk,
        "channel": "new",
        "ask_secret": systems.SECRET,
    }
    client.post(f"{_PAGE}connect/{profile.pk}/", form)
    row = Connection.objects.get(code="lane")
    client.post(f"{_PAGE}{row.pk}/do/switch/", {"on": "1"})
    assert systems.push({**_SAMPLE, "订单编号": "A-2"}, door=str(row.door_key)).status_code == 200
    make.run_until_idle()

    order = Order.objects.get()
    assert (order.external_id, order.person.name, order.channel.code) == ("A-2", "李明", "lane")
    assert FulfillmentOrder.objects.exists()


def test_a_draft_whose_test_fails_does_not_come_into_force_and_shows_the_difference() -> None:
    client = desk.member("integrator")
    profile = _begin(client)
    page = client.get(f"{_PROFILES}{profile.pk}/map/order/?propose=1")
    client.post(f"{_PROFILES}{profile.pk}/map/order/", {**_form_of(page), "deed": "expect"})
    profile.refresh_from_db()
    draft = profile.draft
    draft["tests"][0]["expected"][0]["value"]["total"] = "1.00"
    Profile.objects.filter(pk=profile.pk).update(draft=draft)

    client.post(f"{_PROFILES}{profile.pk}/do/publish/")

    profile.refresh_from_db()
    assert profile.in_force is None
    shown = _text(client.get(f"{_PROFILES}{profile.pk}/draft/"))
    assert "18.00" in shown
    assert "1.00" in shown


def test_a_copy_is_changed_published_compared_and_the_earlier_version_comes_back() -> None:
    client = desk.member("integrator", "en")
    shipped = systems.profile(systems.SHOP)
    Profile.objects.filter(pk=shipped.pk).update(is_shipped=True)
    assert client.get(f"{_PROFILES}{shipped.pk}/draft/").status_code == 403
    form = {"name": "Mine", "code": "mine", "merchant": make.merchant().pk}
    client.post(f"{_PROFILES}{shipped.pk}/copy/", form)
    mine = Profile.objects.get(code="mine")
    client.post(f"{_PROFILES}{mine.pk}/do/publish/")

    changed = {**systems.SHOP, "code": "mine", "about_en": "second"}
    client.post(f"{_PROFILES}{mine.pk}/json/", {"text": json.dumps(changed)})
    client.post(f"{_PROFILES}{mine.pk}/do/publish/")

    compared = _text(client.get(f"{_PROFILES}{mine.pk}/change/?old=1&new=2"))
    assert "about_en" in compared
    client.post(f"{_PROFILES}{mine.pk}/do/again/", {"number": "1"})
    mine.refresh_from_db()
    assert mine.in_force is not None
    assert (mine.in_force.number, mine.in_force.note) == (3, "= v1")
    assert "about_en" not in mine.in_force.document


def test_the_expert_view_lists_every_flaw_with_its_place() -> None:
    client = desk.member("integrator", "en")
    profile = _begin(client)
    client.post(f"{_PROFILES}{profile.pk}/json/", {"text": '{"code": "Lane Shop", "role": "shop"}'})

    page = _text(client.get(f"{_PROFILES}{profile.pk}/json/"))

    assert "code:" in page
    assert "role:" in page
    assert 'role="alert"' in _text(client.post(f"{_PROFILES}{profile.pk}/json/", {"text": "{"}))


def test_a_message_of_the_inbox_is_the_sample_with_persons_behind_marks() -> None:
    client = desk.boss("en")
    row = _quarantined()

    assert row.connection.profile_id is not None
    page = client.get(f"{_PROFILES}{row.connection.profile_id}/map/order/?message={row.pk}")

    assert "THEIR-CUP" in page.context["bench"].sample
    assert "13800000001" not in _text(page)


# ---- who may ---------------------------------------------------------------------------------------


def test_each_role_does_only_its_work() -> None:
    row = _quarantined()
    profile = systems.profile(systems.SHOP)
    operator, integrator, support = desk.member("operator"), desk.member("integrator"), desk.member("support")
    pages = [
        f"{_PAGE}connect/",
        f"{_PAGE}connect/{profile.pk}/",
        f"{_PROFILES}begin/",
        f"{_PROFILES}{profile.pk}/draft/",
        f"{_PROFILES}{profile.pk}/call/ship_notice/",
    ]

    assert [operator.get(page).status_code for page in pages] == [403] * 5
    assert [integrator.get(page).status_code for page in pages] == [200] * 5
    assert integrator.get(f"{_PROFILES}{profile.pk}/call/formatting/").status_code == 404
    for page in (_PAGE, _INBOX, _CALLS, _PROFILES, "/admin/connectors/alias/"):
        assert support.get(page).status_code == 403
        assert operator.get(page).status_code == 200
        assert integrator.get(page).status_code == 200
    deed = f"{_PAGE}{row.connection_id}/do/switch/"
    assert support.post(deed, {"on": "0"}).status_code == 403
    assert operator.get(deed).status_code == 405


def test_staff_of_another_merchant_see_none_of_it(monkeypatch: Any) -> None:
    call, _store = _refused(monkeypatch)
    row = _quarantined()
    bob = desk.member("integrator", merchant=make.merchant(cast.BOB))
    Profile.objects.filter(code="corner_shop").update(merchant=make.merchant())
    owned = Profile.objects.get(code="corner_shop")

    for page in (
        f"{_PAGE}{row.connection_id}/change/", f"{_PAGE}{row.connection_id}/settings/", f"{_INBOX}{row.pk}/change/",
        f"{_CALLS}{call.pk}/change/", f"{_PROFILES}{owned.pk}/change/", f"{_PROFILES}{owned.pk}/draft/",
        f"{_PROFILES}{owned.pk}/call/ship_notice/",
        f"{_PAGE}connect/{owned.pk}/",
    ):  # fmt: skip
        assert bob.get(page).status_code in (403, 404), page
    for page in (_PAGE, _INBOX, _CALLS):
        assert "1001" not in _text(bob.get(page))
    assert bob.post(f"{_INBOX}{row.pk}/do/replay/").status_code in (403, 404)
    assert bob.post(f"{_PAGE}{row.connection_id}/do/test/").status_code in (403, 404)


def test_every_shipped_profile_opens_has_a_form_and_asks_for_its_secret() -> None:
    shelf.load_shipped(now=clock.now())
    client = desk.boss("en")

    for profile in Profile.objects.filter(is_shipped=True).select_related("in_force"):
        assert profile.in_force is not None
        spec = shelf.spec(profile.in_force)
        page = client.get(f"{_PAGE}connect/{profile.pk}/")
        asked = {name.removeprefix("ask_") for name in page.context["form"].fields}
        assert {ask.name for ask in spec.asks} <= asked, profile.code
        assert not (spec.door and spec.door.signature) or "secret" in asked, profile.code


def test_staff_of_a_merchant_read_a_shared_profile_and_do_not_change_it() -> None:
    shared = systems.profile(systems.SHOP)
    bob = desk.member("integrator", merchant=make.merchant(cast.BOB))

    assert bob.get(f"{_PROFILES}{shared.pk}/change/").status_code == 200
    assert bob.get(f"{_PROFILES}{shared.pk}/draft/").status_code == 403
    assert bob.post(f"{_PROFILES}{shared.pk}/json/", {"text": "{}"}).status_code == 403
    assert bob.post(f"{_PROFILES}{shared.pk}/do/publish/").status_code == 403
    shared.refresh_from_db()
    assert shared.draft == {}


def test_a_connection_that_takes_a_profile_with_a_door_gets_one() -> None:
    deaf = {**systems.SHOP, "code": "deaf_shop"}
    del deaf["door"], deaf["tests"]
    deaf["tests"] = [{"name": "order", "kind": "in", "map": "order", "request": {"body": systems.order()},
                      "expected": [{"means": "order"}]}]  # fmt: skip
    row = systems.connect(deaf, channel=make.channel("deaf"))
    Connection.objects.filter(pk=row.pk).update(door_key=None)
    hears = systems.profile(systems.SHOP)

    desk.boss().post(
        f"{_PAGE}{row.pk}/settings/", {"name": "Hears", "channel": row.channel_id, "profile": hears.pk}
    )

    row.refresh_from_db()
    assert row.profile == hears
    assert row.door_key

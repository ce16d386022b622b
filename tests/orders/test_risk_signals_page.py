"""The page of signals: what each caught, setting mode, points and limit in the draft, trying it, publishing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from orderhub.kernel import clock
from orderhub.orders.risk import history, policies, trying
from orderhub.orders.risk.models import RiskPolicy
from tests import cast, make
from tests.admin import desk as pages
from tests.orders import risk_shop as shop

pytestmark = pytest.mark.django_db
NOW = shop.NOW
FLAG = {"risk_flag": "high"}


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)


def page_of(policy: RiskPolicy) -> str:
    return reverse("admin:risk_riskpolicy_signals", args=(policy.pk,))


def given(client: Client, policy: RiskPolicy, **changes: str) -> dict[str, str]:
    """The page's form as it stands, with these changes; `code__field` names a field of a signal."""
    context = client.get(page_of(policy)).context
    data = {f"limits-{x}": str(getattr(policy, x)) for x in ("review_from", "hold_from", "group_cap")}
    for line in context["lines"]:
        form = line["form"]
        data |= {form.add_prefix(name): str(form[name].value()) for name in form.fields}
    return {**data, **{name.replace("__", "-"): value for name, value in changes.items()}}


def line(client: Client, policy: RiskPolicy, code: str) -> Any:
    return next(x for x in client.get(page_of(policy)).context["lines"] if x["signal"].code == code)


def test_from_shadow_to_live_with_what_it_would_have_stopped_seen_before() -> None:
    policy, client = shop.shop(live=False), pages.boss()
    flagged = shop.placed(*[
        shop.draft(f"F{n}", phone=f"1390000000{n}", address=f"某路 {n} 号", extra=FLAG) for n in range(3)
    ])  # fmt: skip
    history.label([flagged[0].pk], "fraud", source="bank", now=NOW)
    seen = line(client, policy, "platform_flag")
    assert (seen["seen"].fired, seen["seen"].stops, seen["seen"].bad, seen["mode"]) == (3, 3, 1, "影子")

    answer = client.post(
        page_of(policy),
        given(client, policy, platform_flag__mode="live", platform_flag__points="44"),
        follow=True,
    )
    assert pages.messages_of(answer) == ["草稿已保存，发布前不生效。"]
    assert answer.context["changes"] == ["平台风险提示: 影子 → 生效", "平台风险提示: 40 → 44 分值"]
    trial = answer.context["trial"]
    assert (trial.orders, trial.stopped_then, trial.stopped_now, trial.added_count, trial.added_bad) == (
        3,
        0,
        3,
        3,
        1,
    )
    [quiet] = shop.placed(shop.draft("Q", phone="13811111111", address="别处", extra=FLAG))
    assert shop.held_for(quiet) == set()

    published = client.post(reverse("admin:risk_riskpolicy_publish", args=(policy.pk,)), follow=True)
    assert published.redirect_chain[0][0] == page_of(policy)
    [loud] = shop.placed(shop.draft("L", phone="13822222222", address="另处", extra=FLAG))
    assert shop.held_for(loud) == {"risk"}
    assert shop.risk_of(loud).points == 44
    assert policy.signals.get(code="platform_flag").history.count() >= 1


def test_a_tighter_limit_is_tried_on_the_values_that_were_recorded_and_a_looser_one_says_at_least() -> None:
    policy, client = shop.shop(), pages.boss("en")
    for n in range(7):
        shop.placed(
            shop.draft(f"D{n}", phone=f"1390000000{n}", address=f"某路 {n} 号", extra={"device_id": "tablet"})
        )
    assert (
        line(client, policy, "accounts_per_device")["seen"].fired == 3
    )  # the fifth, sixth and seventh account

    client.post(page_of(policy), given(client, policy, accounts_per_device__limit="7"))
    tighter = line(client, policy, "accounts_per_device")
    client.post(page_of(policy), given(client, policy, accounts_per_device__limit="2"))
    looser = line(client, policy, "accounts_per_device")

    assert (tighter["seen"].fired, tighter["says"]) == (1, "accounts on this device is at least 7")
    assert (looser["seen"].fired, looser["seen"].is_least) == (3, True)
    assert policy.signals.get(code="accounts_per_device").condition["value"] == 2


def test_lower_limits_of_the_whole_policy_are_tried_too() -> None:
    policy, client = shop.shop(), pages.boss()
    shop.placed(shop.draft("B", extra={"device_id": "d"}, address="解放路 1 号 集运仓"))

    data = {**given(client, policy), "limits-review_from": "10"}
    trial = client.post(page_of(policy), data, follow=True).context["trial"]

    assert (trial.stopped_then, trial.stopped_now, [x.order.external_id for x in trial.added]) == (
        0,
        1,
        ["B"],
    )


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"accounts_per_device__limit": "many"}, "limit"), ({"accounts_per_device__limit": ""}, "limit"),
        ({"accounts_per_device__points": "101"}, "points"), ({"accounts_per_device__mode": "on"}, "mode"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_marked_and_nothing_is_kept(change: dict[str, str], field: str) -> None:
    policy, client = shop.shop(), pages.boss("en")

    answer = client.post(page_of(policy), given(client, policy, forwarder__points="33", **change))

    form = next(x["form"] for x in answer.context["lines"] if x["signal"].code == "accounts_per_device")
    assert list(form.errors) == [field]
    assert policy.signals.get(code="forwarder").points == 10
    refused = client.post(page_of(policy), {**given(client, policy), "limits-review_from": "0"})
    assert refused.context["limits"].errors


def test_a_review_line_at_or_above_the_hold_line_says_so_and_cannot_be_published() -> None:
    policy, client = shop.shop(), pages.boss("en")

    answer = client.post(page_of(policy), {**given(client, policy), "limits-review_from": "80"}, follow=True)

    assert answer.context["fault"] == "must be below the limit for holding"
    client.post(reverse("admin:risk_riskpolicy_publish", args=(policy.pk,)))
    assert policy.versions.count() == 1


def test_who_may_only_look_cannot_keep_and_others_see_nothing() -> None:
    policy = shop.shop()
    operator = pages.member("operator")
    page = operator.get(page_of(policy))
    assert page.status_code == 200
    assert not page.context["may_change"]
    operator.post(page_of(policy), given(operator, policy, forwarder__points="33"))
    assert policy.signals.get(code="forwarder").points == 10

    assert pages.member("support").get(page_of(policy)).status_code == 403
    assert (
        pages.member("strategist", merchant=make.merchant(cast.BOB)).get(page_of(policy)).status_code == 404
    )


def test_what_is_older_than_a_month_or_of_another_merchant_is_not_looked_at() -> None:
    policy = shop.shop()
    old = NOW - timedelta(days=31)
    shop.placed(shop.draft("OLD", at=old, extra=FLAG), now=old)
    other = policies.start(make.merchant(cast.BOB), now=NOW)
    shop.placed(shop.draft("NEW"))

    assert trying.try_draft(policy, now=NOW).orders == 1
    assert trying.try_draft(other, now=NOW).orders == 0

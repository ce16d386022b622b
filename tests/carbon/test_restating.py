"""Closing, reopening and restating: what was reported stays, and every difference has its cause."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from decimal import Decimal as D
from typing import Any

import pytest
from django.core.management import call_command
from django.db.models import Sum
from django.urls import reverse

from carbon import invariants, posting
from carbon import services as carbon
from carbon.factors import services as factors
from carbon.factors.sheet import read
from carbon.models import CalculationRun, CarbonHead, FactorSet, LedgerEntry, Period, Recompute, Restated
from carbon.restating import checking, periods, work
from orderhub.events import guard
from orderhub.kernel.errors import Refused
from orderhub.orders.models import Order
from tests import cast, make
from tests.admin import desk as pages

pytestmark = pytest.mark.django_db


@contextmanager
def refused(code: str) -> Iterator[None]:
    with pytest.raises(Refused) as told:
        yield
    assert told.value.code == code


MONTH = date(2026, 11, 1)
END = date(2026, 11, 30)
QUANTUM = D("0.000001")


def edition(share: str = "0.9", *, status: str = "active", code: str = "uk-2026") -> FactorSet:
    """The rows of 2025 with every figure times `share`."""
    carbon.ensure_factors(now=make.NOW)
    rows = []
    for old in FactorSet.objects.get(code="uk-desnz-2025-freight_desnz").factors.all():
        if old.ttw is None or old.wtt is None:
            continue
        ttw, wtt = (old.ttw * D(share)).quantize(D("1e-9")), (old.wtt * D(share)).quantize(D("1e-9"))
        rows.append(
            {
                "factor_id": old.factor_id, "kind": old.kind, "mode": old.mode, "activity_unit": old.unit,
                "ttw_kgco2e": ttw, "wtt_kgco2e": wtt, "distance_kind": old.distance_kind, "region": old.region,
                "valid_from": "2026-01-01",
            }
        )  # fmt: skip
    about = factors.About(code, "UK DESNZ/Defra", "2026", "OGL", "(c) Crown", redistributable=True)
    found, faults = read(rows)
    assert faults == []
    # The file tells a set from another test's that had the same number.
    made = factors.store(found, about, repr(rows).encode(), actor="user:test", now=make.NOW)
    if status == "active":
        factors.activate(made, actor="user:test", now=make.NOW)
    return made


@pytest.fixture
def shop(hub_clock: make.Clock) -> list[Order]:
    """Two delivered orders of November, seen from the third of December."""
    make.network()
    orders = make.place(
        make.draft("A1", to=cast.LEI, lines={"QUILT": 1, "CUP": 2}), make.draft("A2", lines={"LAMP": 1})
    )
    make.play(hub_clock)
    hub_clock.moment = make.NOW + timedelta(days=11)
    return orders


def ask(factor_set: FactorSet, *, is_adopted: bool = False, cause: str = "FACTOR_UPDATE") -> Recompute:
    return work.ask(
        make.merchant(), factor_set, since=MONTH, until=END, is_adopted=is_adopted, cause=cause, actor="user:test",
        now=make.NOW,
    )  # fmt: skip


def kg(basis: str) -> D:
    return D(LedgerEntry.objects.filter(basis=basis).aggregate(kg=Sum("total_kgco2e"))["kg"]).quantize(
        QUANTUM
    )


def close() -> Period:
    return periods.close(make.merchant(), MONTH, actor="user:test", now=make.NOW + timedelta(days=11))


def assert_sound() -> None:
    for check in (invariants.entries_add_up, invariants.chains_are_whole, invariants.runs_repeat):
        assert list(check()) == []
    assert checking.faults(make.merchant().pk)[1] == []


@pytest.mark.usefixtures("shop")
def test_comparing_leaves_the_ledger_alone_and_adds_up() -> None:
    made = edition()
    entries = LedgerEntry.objects.count()
    before = {basis: kg(basis) for basis in ("estimate", "actual")}

    asked = ask(made)
    make.run_until_idle()

    asked.refresh_from_db()
    assert (asked.state, asked.done, asked.total) == ("done", asked.total, CalculationRun.objects.count())
    assert LedgerEntry.objects.count() == entries
    for basis in before:
        rows = list(Restated.objects.filter(recompute=asked, basis=basis))
        assert sum(row.before_kgco2e for row in rows) == before[basis]
        assert sum(row.after_kgco2e for row in rows) < before[basis]
    row = Restated.objects.filter(recompute=asked, basis="estimate").first()
    assert row is not None
    assert all(new.startswith("uk-2026/") for new in row.swapped.values())


@pytest.mark.usefixtures("shop")
def test_adopting_takes_back_and_posts_anew_and_the_report_names_the_cause() -> None:
    period = close()
    reported = {basis: D(sum(map(D, stages.values()))) for basis, stages in period.figures.items()}
    made = edition()
    with refused("period_closed"):
        ask(made, is_adopted=True)
    periods.reopen(period, reason="new edition", actor="user:test", now=make.NOW)

    asked = ask(made, is_adopted=True)
    make.run_until_idle()

    asked.refresh_from_db()
    assert asked.state == "done"
    for basis in ("estimate", "actual"):
        told = periods.restatement(period, basis)
        after = sum(row.after_kgco2e for row in Restated.objects.filter(recompute=asked, basis=basis))
        assert told.published_kg == reported[basis]
        assert told.now_kg == kg(basis) == after
        assert told.by_cause["factor"] == after - told.published_kg < 0
        assert [told.by_cause[name] for name in ("activity", "method", "boundary")] == [0, 0, 0]
    assert CalculationRun.objects.filter(reason="REVERSAL", cause="FACTOR_UPDATE").exists()
    assert Period.objects.get(pk=period.pk).figures == period.figures
    assert_sound()


@pytest.mark.usefixtures("shop")
def test_two_causes_after_each_other_add_up_exactly() -> None:
    period = close()
    periods.reopen(period, reason="two editions", actor="user:test", now=make.NOW)
    for code, share, cause in (("e1", "0.9", "FACTOR_UPDATE"), ("e2", "1.2", "METHOD_CHANGE")):
        ask(edition(share, code=code), is_adopted=True, cause=cause)
        make.run_until_idle()

    told = periods.restatement(period, "actual")

    assert told.by_cause["factor"] < 0 < told.by_cause["method"]
    assert told.published_kg + sum(told.by_cause.values()) == told.now_kg == kg("actual")
    again = close()
    assert (again.number, again.root_hash != period.root_hash) == (2, True)
    assert periods.restatement(again, "actual").percent == 0
    assert_sound()


@pytest.mark.usefixtures("shop")
def test_it_pauses_resumes_and_stops() -> None:
    asked = ask(edition())
    assert work.steer(asked, to="paused")
    make.run_until_idle()
    assert Restated.objects.count() == 0
    assert work.steer(asked, to="running")
    make.run_until_idle()
    asked.refresh_from_db()
    assert asked.state == "done"
    assert not work.steer(asked, to="stopped")


@pytest.mark.usefixtures("shop")
def test_a_part_whose_worker_died_is_taken_again_and_written_once(hub_clock: make.Clock) -> None:
    asked = ask(edition())
    assert work.work()
    part = asked.parts.get()
    asked.parts.update(token="dead", lease_until=hub_clock.now() + timedelta(minutes=1))
    assert not work.work()

    hub_clock.advance(minutes=2)
    assert work.work()
    work._calculate(part, now=hub_clock.now())

    asked.refresh_from_db()
    assert (asked.done, asked.state) == (asked.total, "done")
    assert Restated.objects.count() == asked.total


@pytest.mark.usefixtures("shop")
def test_what_may_not_be_asked_is_refused() -> None:
    draft = edition(status="draft")
    with refused("recompute_draft"):
        ask(draft, is_adopted=True)
    with refused("recompute_span"):
        work.ask(
            make.merchant(), draft, since=END, until=MONTH, is_adopted=False, cause="FACTOR_UPDATE", actor="x",
            now=make.NOW,
        )  # fmt: skip
    assert ask(draft).state == "queued"


@pytest.mark.usefixtures("shop")
def test_a_month_is_closed_once_when_it_is_over_and_reopened_with_a_reason() -> None:
    with refused("period_not_over"):
        periods.close(make.merchant(), MONTH, actor="x", now=make.NOW)
    period = close()
    assert period.entries == LedgerEntry.objects.count()
    with refused("period_closed"):
        close()
    with refused("reason_missing"):
        periods.reopen(period, reason="  ", actor="x", now=make.NOW)
    periods.reopen(period, reason="late meter", actor="x", now=make.NOW)
    with refused("period_open"):
        periods.reopen(period, reason="again", actor="x", now=make.NOW)


# ---- tampering -----------------------------------------------------------------------------------


@pytest.mark.usefixtures("shop")
def test_a_changed_entry_breaks_the_chain_and_the_closing(capsys: pytest.CaptureFixture[str]) -> None:
    period = close()
    call_command("verify_carbon")
    assert "as they were written" in capsys.readouterr().out
    with guard.opened("test"):
        LedgerEntry.objects.filter(seq=2).update(hash="0" * 64)

    assert any(
        "before entry 3" in fault or "entry 2" in fault for fault in checking.faults(period.merchant_id)[1]
    )
    assert periods.faults(period)
    with pytest.raises(SystemExit):
        call_command("verify_carbon")


ENTRY_FIELDS = (
    "seq", "order_id", "order_line_id", "basis", "stage", "element", "factor_id", "ttw_kgco2e", "wtt_kgco2e",
    "non_transport_kgco2e", "total_kgco2e", "data_type", "prev_hash", "hash",
)  # fmt: skip
RUN_FIELDS = ("basis", "subject", "event_id", "engine_version", "reason", "input_hash", "output_hash", "seal")


def flipped(value: Any, dice: random.Random) -> Any:
    """The value with one byte of its text changed to another one that the column would still take."""
    if isinstance(value, (dict, list)):
        text = repr(value)
        place = dice.choice([n for n, sign in enumerate(text) if sign.isalnum()])
        old = text[place]
        new = dice.choice([sign for sign in ("0123456789" if old.isdigit() else "abcdefxyz") if sign != old])
        changed = text[:place] + new + text[place + 1 :]
        try:
            return eval(changed, {"__builtins__": {}}, {})
        except (SyntaxError, NameError, TypeError):
            return {"broken": changed}
    text = f"{value:f}" if isinstance(value, D) else str(value)
    place = dice.choice([n for n, sign in enumerate(text) if sign.isalnum()])
    signs = "123456789" if text[place].isdigit() else "abcdefghijklmnopqrstuvwxyz"
    new = dice.choice([sign for sign in signs if sign != text[place]])
    text = text[:place] + new + text[place + 1 :]
    return type(value)(text) if isinstance(value, (int, D)) else text


@pytest.mark.usefixtures("shop")
def test_a_thousand_random_one_byte_changes_and_a_thousand_found() -> None:
    """Pass figure: 1,000 changes of entries, calculations and heads, 1,000 found."""
    entries = list(LedgerEntry.objects.select_related("run").order_by("seq"))
    runs = list(CalculationRun.objects.order_by("pk"))
    head = CarbonHead.objects.get()
    dice = random.Random(20261123)

    def find(row: Any) -> bool:
        if isinstance(row, CalculationRun):
            return bool(list(checking.run_faults([row])))
        return bool(list(checking.entry_faults(entries, head)))

    assert not find(entries[0])
    assert not list(checking.run_faults(runs))
    found = 0
    for _n in range(1000):
        kind = dice.random()
        row: Any = dice.choice(entries) if kind < 0.6 else dice.choice(runs) if kind < 0.97 else head
        names = {
            LedgerEntry: ENTRY_FIELDS,
            CalculationRun: (*RUN_FIELDS, "case", "result"),
            CarbonHead: ("seq", "hash"),
        }
        name = dice.choice([one for one in names[type(row)] if getattr(row, one) not in (None, "")])
        kept = getattr(row, name)
        setattr(row, name, flipped(kept, dice))
        assert getattr(row, name) != kept
        found += find(row)
        setattr(row, name, kept)

    assert found == 1000


# ---- pages ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "cause", "now"), [("en", "other factors", "now"), ("zh-hans", "因子", "现")]
)
@pytest.mark.usefixtures("shop")
def test_the_pages_tell_the_story(hub_clock: make.Clock, language: str, cause: str, now: str) -> None:
    desk = pages.boss(language)
    house = make.merchant()
    made = edition()

    closed = desk.post(
        reverse("admin:carbon_period_close"), {"merchant": house.pk, "month": MONTH}, follow=True
    )
    period = Period.objects.get()
    assert period.root_hash in closed.content.decode()
    desk.post(reverse("admin:carbon_period_reopen", args=[period.pk]), {"reason": "edition 2026"})
    form = {
        "merchant": house.pk, "factor_set": made.pk, "since": MONTH, "until": END, "cause": "FACTOR_UPDATE",
        "is_adopted": "on",
    }  # fmt: skip
    asked = desk.post(reverse("admin:carbon_recompute_ask"), form, follow=True)
    assert 'hx-trigger="every 1s"' in asked.content.decode()
    one = Recompute.objects.get()
    desk.post(reverse("admin:carbon_recompute_steer", args=[one.pk, "paused"]))
    desk.post(reverse("admin:carbon_recompute_steer", args=[one.pk, "running"]))
    make.run_until_idle()
    live = desk.get(reverse("admin:carbon_recompute_live", args=[one.pk])).content.decode()
    assert "hx-trigger" not in live
    assert Restated.objects.first().order.number in live  # type: ignore[union-attr]
    told = desk.get(reverse("admin:carbon_period_change", args=[period.pk])).content.decode()
    assert cause in told
    assert now in told
    assert f"{periods.restatement(period, 'actual').now_kg}" in told
    assert desk.get(reverse("admin:carbon_period_examine")).status_code == 200


def test_empty_pages_and_people_without_the_right(hub_clock: make.Clock) -> None:
    desk = pages.boss("en")
    for name in (
        "carbon_period_changelist",
        "carbon_recompute_changelist",
        "carbon_gaps",
        "carbon_period_examine",
    ):
        assert desk.get(reverse(f"admin:{name}")).status_code == 200
    support = pages.member("support")
    for name in ("carbon_period_changelist", "carbon_recompute_ask", "carbon_gaps", "carbon_period_close"):
        assert support.get(reverse(f"admin:{name}")).status_code == 403


@pytest.mark.usefixtures("shop")
def test_others_periods_and_recalculations_do_not_exist() -> None:
    period, asked = close(), ask(edition())
    make.merchant(cast.BOB)
    stranger = pages.member("carbon", merchant=make.merchant(cast.BOB))

    for name, pk in (("carbon_period_change", period.pk), ("carbon_recompute_change", asked.pk),
                     ("carbon_recompute_live", asked.pk), ("carbon_period_reopen", period.pk)):  # fmt: skip
        assert stranger.get(reverse(f"admin:{name}", args=[pk])).status_code in (302, 404)
    steer = reverse("admin:carbon_recompute_steer", args=[asked.pk, "stopped"])
    assert stranger.post(steer).status_code == 404
    assert posting.GENESIS

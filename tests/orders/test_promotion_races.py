"""50 orders at once, on PostgreSQL: a limit of ten is used ten times, whoever comes first."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from threading import Barrier
from typing import Any

import pytest
from django.db import OperationalError, connection, connections, transaction

from orderhub.orders import services, steps
from orderhub.orders.models import Order, PromotionCounter, PromotionUse
from rules import services as rules
from rules.flow import Context
from rules.models import Rule, RuleSet
from tests.orders import builders as make
from tests.orders.promotion_cases import do

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]
CLIENTS = 50


@pytest.fixture(autouse=True)
def _only_postgresql() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite lets one writer in at a time")


def _published(*then: dict[str, Any], code: str = "sale") -> RuleSet:
    made = RuleSet.objects.create(code=code, name=code, purpose="price")
    Rule.objects.create(ruleset=made, code="r", name="r", actions=list(then))
    rules.publish(made, None, now=make.NOW)
    return made


def _at_once(jobs: list[Callable[[], Any]]) -> list[Any]:
    """Each job in a thread and connection of its own, all started together."""
    start = Barrier(len(jobs), timeout=60)

    def client(job: Callable[[], Any]) -> Any:
        try:
            connection.ensure_connection()
            start.wait()
            return job()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(client, jobs))


def _price(order_id: int) -> None:
    """As the journey does: the order's row is locked, and the whole pass is one transaction."""
    with transaction.atomic():
        rows = Order.objects.select_for_update(no_key=True).filter(pk=order_id)
        steps.price(list(rows.prefetch_related("merchant", "channel", "person")), Context(make.NOW, "system"))


def test_50_concurrent_orders_never_pass_a_limit_in_total_or_per_customer() -> None:
    _published(do("amount_off", value="5"), do("limit_uses", total=10, each=2))
    # Four customers, of whom each may use it twice: eight uses of the ten; and 18 strangers to fight for the rest.
    phones = [f"138{n % 4}" if n < 32 else f"139{n}" for n in range(CLIENTS)]
    orders = make.placed(*[make.draft(f"T{n}", phone=phone) for n, phone in enumerate(phones)])

    _at_once([lambda pk=order.pk: _price(pk) for order in orders])  # type: ignore[misc]

    winners = Order.objects.filter(discount_total=Decimal(5)).select_related("person")
    assert winners.count() == 10
    assert PromotionCounter.objects.get(customer="").used == 10
    by_phone = [order.person.phone for order in winners]
    assert max(by_phone.count(phone) for phone in by_phone) <= 2
    assert PromotionUse.objects.filter(counter__customer="").count() == 10


def test_uses_given_back_while_others_are_priced_add_up() -> None:
    _published(do("amount_off", value="5"), do("limit_uses", total=20))
    first = make.placed(*[make.draft(f"A{n}") for n in range(20)])
    for order in first:
        _price(order.pk)
    second = make.placed(*[make.draft(f"B{n}") for n in range(25)])

    def cancel(pk: int) -> None:
        for _try in range(5):
            try:
                services.cancel([pk], reason="", actor="user:li", now=make.NOW)
                return
            except OperationalError:  # two met crosswise; the journey tries again too
                continue

    jobs: list[Callable[[], Any]] = [lambda pk=order.pk: cancel(pk) for order in first]  # type: ignore[misc]
    jobs += [lambda pk=order.pk: _price(pk) for order in second]  # type: ignore[misc]
    _at_once(jobs)

    used = PromotionCounter.objects.get().used
    assert used == PromotionUse.objects.count() <= 20
    assert used == Order.objects.exclude(stage="cancelled").filter(discount_total=Decimal(5)).count()


def test_a_new_version_counts_in_every_connection_in_under_a_second() -> None:
    made = _published(do("amount_off", value="5"))
    orders = make.placed(*[make.draft(f"T{n}") for n in range(8)])
    for order in orders:
        _price(order.pk)  # every thread below has this version in its process's memory already
    made.rules.update(actions=[do("amount_off", value="7")])

    rules.publish(made, None, now=make.NOW + timedelta(minutes=1))
    started = time.monotonic()
    _at_once([lambda pk=order.pk: _price(pk) for order in orders])  # type: ignore[misc]

    assert set(Order.objects.values_list("discount_total", flat=True)) == {Decimal(7)}
    assert time.monotonic() - started < 1.0


_WATCHER = """
import sys, time, django
django.setup()
from rules import services
def version():
    found = services.in_force("price")
    return found[0].number if found else 0
seen = version()
print(seen, flush=True)
until = time.time() + 60
while time.time() < until:
    now = version()
    if now != seen:
        print(now, time.time(), flush=True)
        break
    time.sleep(0.02)
"""


def test_another_process_counts_by_a_new_version_in_under_a_second() -> None:
    made = _published(do("amount_off", value="5"))
    database = connection.settings_dict
    address = f"postgresql://{database['USER']}:{database['PASSWORD']}@{database['HOST']}:{database['PORT']}/{database['NAME']}"
    environment = {
        **os.environ,
        "DATABASE_URL": address.replace(":@", "@"),
        "DJANGO_SETTINGS_MODULE": "orderhub.settings",
        "HUB_DEBUG": "1",
    }
    with subprocess.Popen(
        [sys.executable, "-c", _WATCHER], env=environment, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline().strip() == "1"
        made.rules.update(actions=[do("amount_off", value="7")])
        published_at = time.time()
        rules.publish(made, None, now=make.NOW + timedelta(minutes=1))
        number, seen_at = other.stdout.readline().split()

    assert (number, other.returncode) == ("2", 0)
    assert float(seen_at) - published_at < 1.0

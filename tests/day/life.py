"""A day of the town: buyers buy, pay, move and cancel, warehouses and carriers work, everything misbehaves now and then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.db.models import Q

from orderhub.celery import QUEUES
from orderhub.connectors import inbox, mending
from orderhub.connectors.fakes.faults import PUSH_KINDS, REQUEST_KINDS
from orderhub.connectors.models import Call, Connection, Difference, InboxMessage
from orderhub.connectors.reconciling import deeds, running
from orderhub.events import registry, relay
from orderhub.events.models import Delivery
from orderhub.kernel import clock
from tests.day.town import SHOPS, Town

STEP_SECONDS = 240.0
REST_SECONDS = 1800.0
HOUR = 3600.0
_OFTEN = 60.0
#: Who lies about these cannot be brought to agree afterwards: the goods have left, the buyer's wish has expired. The
#: comparison tells of it (see `test_planted.py`), a person has to mend it.
SPARED: Mapping[str, Sequence[str]] = {"ack_lie": ("order.cancel", "order.addressConfirm")}
HASTE = 60.0
#: Calls that an operator skips by what was answered, and why.
SKIPPED = {
    "line_items_by_fulfillment_order": "the shop closed the order with its first parcel",
    "cancelled 不能发货": "it was called off after it had been picked",
    "没有待确认的地址变更": "it had been answered, only their word was lost",
    "Order is cancelled": "it was called off after it had been picked",
}
#: What an operator lets be, and why.
LET_BE = {
    "already_shipped": "it has left; the buyer is told",
    "bad_values": "an answer that was none; the order was asked for again",
    "unreadable": "an answer that was none; the order was asked for again",
}


@dataclass
class Day:
    """One day with so many orders; `share` of all requests and pushes go wrong."""

    town: Town
    orders: int
    share: float = 0.05
    seed: int = 1
    step_seconds: float = STEP_SECONDS
    _due: dict[str, float] = field(default_factory=dict)

    @property
    def sold(self) -> int:
        """Orders that buyers have placed."""
        return self.town.universe.automatic.sold

    def live(self, *, hours: float = 24.0) -> None:
        """Sell so many orders in so many virtual hours, then let everything come to its end."""
        world = self.town.world
        world.chance(
            self.share, seed=self.seed, kinds=(*REQUEST_KINDS, *PUSH_KINDS), spare=SPARED, haste=HASTE
        )
        world.automatic(
            channels=list(SHOPS), orders_per_minute=self.orders / (hours * 60), address_share=0.06, cancel_share=0.04,
            review_share=0.03, split_share=0.1, unpaid_share=0.05, carrier_step_seconds=1200.0,
        )  # fmt: skip
        hour = 0.0
        while self.sold < self.orders:
            self.step(self.step_seconds)
            hour += self.step_seconds
            if hour >= 2 * HOUR:
                hour = 0.0
                self.look_after()
        world.automatic(channels=[])

    def step(self, seconds: float) -> None:
        """Let time pass for both, and both work."""
        self.town.world.advance(seconds)
        self.work()

    def work(self) -> int:
        """Let the hub and the world work until neither has anything left to do just now; how much was done."""
        total = 0
        for _round in range(100):
            self.town.world.settle()
            done = self._work_hub()
            total += done
            if not done and not self.town.universe.courier.busy:
                return total
        raise AssertionError("the hub and the world never come to rest")

    def _work_hub(self) -> int:
        done, passed = 0, self.town.universe.clock.passed_seconds
        for _round in range(200):
            now = sum(relay.run_queue(queue) for queue in QUEUES)
            for job in registry.periodics.values():
                if job.seconds < _OFTEN:
                    now += job.run()
                elif self._due.setdefault(job.name, passed + job.seconds) <= passed:
                    self._due[job.name] = passed + job.seconds
                    job.run()
            if not now:
                return done
            done += now
        raise AssertionError("the hub never comes to rest")

    def look_after(self) -> int:
        """What an operator does every other hour: try again what was refused or set apart; how much that was."""
        now = clock.now()
        tried = 0
        for delivery in Delivery.objects.filter(state="dead", subscriber="connectors.push"):
            tried += 1
            calls = Call.objects.filter(connection_id=int(delivery.destination))
            call = calls.filter(key=f"event:{delivery.event_id}/connectors.push").first()
            if call is not None and (
                why := next((why for text, why in SKIPPED.items() if text in delivery.dead_reason), "")
            ):
                mending.skip(call, note=why, actor="user:operator")
            else:
                relay.replay(delivery, actor="user:operator")
        apart = InboxMessage.objects.filter(state="quarantined")
        tried += inbox.replay(list(apart.values_list("pk", flat=True)), now=now)
        for message in apart.filter(error__in=LET_BE):
            inbox.dismiss([message.pk], note=LET_BE[message.error], actor="user:operator", now=now)
        self.work()
        return tried

    def come_to_rest(self, *, hours: int = 72) -> None:
        """Nothing misbehaves any more: everything that waits for its time gets it."""
        self.town.world.chance(0.0)
        self.town.world.clear_faults()
        for step in range(int(hours * HOUR / REST_SECONDS)):
            self.step(REST_SECONDS)
            if step % 6 == 5:
                self.look_after()
            if not self.town.universe.clock.waiting and not self._is_waiting():
                return

    def _is_waiting(self) -> bool:
        return Delivery.objects.filter(Q(state="ready") | Q(state="leased")).exists()

    @property
    def misbehaved(self) -> int:
        """How often anything went wrong."""
        return sum(self.town.universe.faults.counts.values())

    def reconcile(self, *, rounds: int = 4) -> None:
        """Compare all systems, do what the page offers about each difference, and compare again, until there is none."""
        for _round in range(rounds):
            for row in Connection.objects.filter(kind="profile").select_related(
                "profile__in_force", "merchant"
            ):
                run = running.begin(row, now=clock.now())
                for _turn in range(5):
                    if run.ended_at is None:
                        running.go_on(run, now=clock.now())
                assert run.is_complete, (row.code, run.error)
            self.work()
            left = list(
                Difference.objects.filter(state="open").select_related("connection__profile__in_force")
            )
            for one in left:
                if deeds.can_send(one) and one.sort != "unanswered":
                    deeds.send_again(one, actor="user:operator")
            self.look_after()
            self.step(3600.0)
            if not Difference.objects.filter(state__in=["open", "fetching"]).exists():
                return

"""Uses of limited promotions, counted in the transaction that prices the order: the limits are never exceeded.

The counters are locked in one fixed order before the carts are worked out, and changed by an update that asks for the
limit once more. What an order used before is free to it when it is priced again.
"""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Case, F, IntegerField, Value, When

from orderhub.events import rows
from orderhub.orders.models import Order, PromotionCounter, PromotionUse
from orderhub.orders.models.order import Stage
from orderhub.orders.promotions.engine.apply import counters_of
from orderhub.orders.promotions.engine.model import Cart, Counter, Promotion, Result

_ENDLESS = 2_000_000_000


class OverLimit(RuntimeError):
    """A counter moved although it was locked: the transaction must be undone."""


@dataclass(slots=True)
class Counting:
    """The locked counters of a batch, how often each may still be used, and what its orders used before."""

    rows: dict[Counter, PromotionCounter]
    limits: dict[Counter, int]
    left: dict[Counter, int]
    before: dict[int, set[Counter]]

    def open_to(self, order: Order, cart: Cart) -> None:
        """Let a cart draw on the counters; what its order used before is free to it."""
        for counter in self.before.get(order.pk, ()):
            self.left[counter] = self.left.get(counter, 0) + 1
        cart.left = self.left


def wanted(promotions: Iterable[Promotion], cart: Cart) -> dict[Counter, int]:
    """The counters, with their limits, of the limited promotions whose condition holds."""
    found: dict[Counter, int] = {}
    for promotion in promotions:
        if promotion.is_limited and promotion.rule.condition.test(cart.facts):
            for counter in counters_of(promotion, cart.customer):
                limit = promotion.limit_each if counter[1] else promotion.limit_total
                if limit is not None:
                    found[counter] = limit
    return found


def lock(limits: Mapping[Counter, int], order_ids: Collection[int]) -> Counting:
    """Lock these counters, made where missing, and those that the orders used before. Inside a transaction; no query
    for nothing, else three.
    """
    if not limits and not order_ids:
        return Counting({}, {}, {}, {})
    before: dict[int, set[Counter]] = {}
    uses = PromotionUse.objects.filter(order_id__in=order_ids) if order_ids else PromotionUse.objects.none()
    for order_id, promotion, customer in uses.values_list(
        "order_id", "counter__promotion", "counter__customer"
    ):
        before.setdefault(order_id, set()).add((promotion, customer))
    needed = limits.keys() | {counter for used in before.values() for counter in used}
    found = _locked(needed, make=sorted(limits))
    left = {key: limits.get(key, _ENDLESS) - row.used for key, row in found.items()}
    return Counting(found, dict(limits), left, before)


def count(counting: Counting, results: Mapping[int, Result]) -> None:
    """Write what the orders use now; raises OverLimit where an update would pass a limit. Three queries at most."""
    now_used = {
        order_id: {counter for applied in result.applied for counter in applied.counters}
        for order_id, result in results.items()
    }
    added = [(pk, x) for pk, used in now_used.items() for x in used - counting.before.get(pk, set())]
    dropped = [(pk, x) for pk, used in now_used.items() for x in counting.before.get(pk, set()) - used]
    if dropped:
        ids = {counting.rows[counter].pk for _pk, counter in dropped}
        gone = PromotionUse.objects.filter(order_id__in={pk for pk, _counter in dropped}, counter_id__in=ids)
        pairs = {(pk, counting.rows[counter].pk) for pk, counter in dropped}
        PromotionUse.objects.filter(
            pk__in=[use.pk for use in gone if (use.order_id, use.counter_id) in pairs]
        ).delete()
    rows.insert(PromotionUse(order_id=pk, counter=counting.rows[counter]) for pk, counter in sorted(added))
    changes = Tally(counter for _pk, counter in added)
    changes.subtract(counter for _pk, counter in dropped)
    _change(counting, {counter: by for counter, by in changes.items() if by})


def give_back(orders: Sequence[Order]) -> None:
    """Free what cancelled orders used, unless a part split off them lives on with their price. Inside a transaction;
    one query where they used nothing.
    """
    uses = list(PromotionUse.objects.filter(order__in=orders).select_related("counter"))
    if not uses:
        return
    living = Order.objects.filter(split_from_id__in={use.order_id for use in uses}).exclude(
        stage=Stage.CANCELLED
    )
    keep = set(living.values_list("split_from_id", flat=True))
    freed = [use for use in uses if use.order_id not in keep]
    keys = Tally((use.counter.promotion, use.counter.customer) for use in freed)
    found = _locked(keys.keys(), make=())
    PromotionUse.objects.filter(pk__in=[use.pk for use in freed]).delete()
    _change(Counting(found, {}, {}, {}), {key: -times for key, times in keys.items()})


def _locked(keys: Collection[Counter], *, make: Sequence[Counter]) -> dict[Counter, PromotionCounter]:
    if not keys:
        return {}
    made = [PromotionCounter(promotion=promotion, customer=customer) for promotion, customer in make]
    rows.insert(made, skip_known=True)
    known = PromotionCounter.objects.filter(
        promotion__in={key[0] for key in keys}, customer__in={key[1] for key in keys}
    )
    wanted_ids = [row.pk for row in known if (row.promotion, row.customer) in keys]
    locked = PromotionCounter.objects.select_for_update(no_key=True).filter(pk__in=wanted_ids)
    return {(row.promotion, row.customer): row for row in locked.order_by("promotion", "customer")}


def _change(counting: Counting, changes: Mapping[Counter, int]) -> None:
    """One conditional update: each counter moves only if it stays within its limit."""
    if not changes:
        return
    by = {counting.rows[key].pk: delta for key, delta in changes.items()}
    most = {
        counting.rows[key].pk: counting.limits.get(key, _ENDLESS) - delta
        for key, delta in changes.items()
        if delta > 0
    }
    moving = PromotionCounter.objects.filter(pk__in=by)
    if most:
        moving = moving.filter(used__lte=_by_pk(most, default=_ENDLESS))
    if moving.update(used=F("used") + _by_pk(by, default=0)) != len(by):
        raise OverLimit("a promotion's counter moved while it was locked")


def _by_pk(values: Mapping[int, int], *, default: int) -> Case:
    cases = [When(pk=pk, then=Value(value)) for pk, value in values.items()]
    return Case(*cases, default=Value(default), output_field=IntegerField())

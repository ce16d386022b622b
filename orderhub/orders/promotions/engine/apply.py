"""Applying promotions to a cart, one after the other; the same cart and promotions always give the same."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from orderhub.orders.promotions.engine.goods import shared
from orderhub.orders.promotions.engine.model import (
    Applied,
    Cart,
    Counter,
    Given,
    Promotion,
    Refusal,
    Result,
    Skipped,
    Work,
)
from rules.engine.evaluate import order_of

_NOTHING_LEFT = Refusal("nothing_left")


def ordered(promotions: Iterable[Promotion]) -> tuple[Promotion, ...]:
    """In the order they count, whatever set they are from: by priority, then rule, then set."""
    return tuple(sorted(promotions, key=lambda x: (order_of(x.rule), x.key)))


def apply(promotions: Sequence[Promotion], cart: Cart, *, reasons: int = 1000) -> Result:
    """Apply promotions in the order given. Each works on what the ones before it left to pay.

    A promotion uses up its group, or stops those after it, only by giving something. Of those whose condition fails,
    so many (`reasons`) are told with the comparisons that failed; the others are counted.
    """
    run = _Run(cart, Work(cart.lines, [line.cents for line in cart.lines]))
    facts, unmatched = cart.facts, 0
    for promotion in promotions:
        if not promotion.rule.condition.test(facts):
            unmatched += 1
            if unmatched <= reasons:
                failures = promotion.rule.condition.why(facts)
                run.skipped.append(Skipped(promotion, "not_matched", failures=failures))
            continue
        outcome = run.tried(promotion)
        if isinstance(outcome, Applied):
            run.take(outcome)
        else:
            run.skipped.append(Skipped(promotion, outcome.code, outcome.facts))
    off = tuple(line.cents - left for line, left in zip(cart.lines, run.work.left, strict=True))
    return Result(off, tuple(run.applied), tuple(run.skipped), max(0, unmatched - reasons))


def counters_of(promotion: Promotion, customer: str) -> tuple[Counter, ...]:
    """The counters one use draws on, the customer's own first."""
    found: list[Counter] = []
    if promotion.limit_each is not None:
        found.append((promotion.counter, customer))
    if promotion.limit_total is not None:
        found.append((promotion.counter, ""))
    return tuple(found)


@dataclass(slots=True)
class _Run:
    """One cart on its way through the promotions."""

    cart: Cart
    work: Work
    applied: list[Applied] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    groups: dict[str, str] = field(default_factory=dict)
    ended_by: tuple[str, str] = ("", "")

    def tried(self, promotion: Promotion) -> Applied | Refusal:
        """What the promotion would give now; nothing changes."""
        if (refusal := self._barred(promotion)) is not None:
            return refusal
        given, missing = self._gifts(promotion)
        if missing and any(gift.required and gift.skus[0] in missing for gift in promotion.gifts):
            return Refusal("no_gift", {"skus": missing})
        off, reason = self._offs(promotion)
        total = sum(off)
        is_capped = promotion.cap is not None and total > promotion.cap
        if is_capped and promotion.cap is not None:
            off = shared(promotion.cap, off)
        if not total and not given and not promotion.free_shipping:
            return Refusal("no_gift", {"skus": missing}) if missing else reason
        counters = counters_of(promotion, self.cart.customer)
        return Applied(promotion, tuple(off), given, missing, is_capped, counters)

    def take(self, outcome: Applied) -> None:
        """Let the promotion count."""
        promotion, left = outcome.promotion, self.work.left
        self.applied.append(outcome)
        for at, cents in enumerate(outcome.shares):
            left[at] -= cents
        for gift in outcome.gifts:
            self.cart.stock[gift.sku] -= gift.units
        for counter in outcome.counters:
            self.cart.left[counter] -= 1
        if promotion.rule.group:
            self.groups[promotion.rule.group] = promotion.key
        if promotion.alone:
            self.ended_by = "after_alone", promotion.key
        elif promotion.rule.stop:
            self.ended_by = "stopped", promotion.key

    def _barred(self, promotion: Promotion) -> Refusal | None:
        now = self.cart.now
        if promotion.since is not None and now < promotion.since:
            return Refusal("not_yet", {"since": promotion.since})
        if promotion.until is not None and promotion.until <= now:
            return Refusal("expired", {"until": promotion.until})
        if self.ended_by[0]:
            return Refusal(self.ended_by[0], {"by": self.ended_by[1]})
        if promotion.rule.group in self.groups:
            return Refusal("group", {"by": self.groups[promotion.rule.group], "group": promotion.rule.group})
        if promotion.alone and self.applied:
            return Refusal("alone", {"by": self.applied[0].promotion.key})
        if promotion.currency and promotion.currency != self.cart.currency:
            return Refusal("currency", {"needs": promotion.currency, "has": self.cart.currency})
        return self._used_up(promotion)

    def _used_up(self, promotion: Promotion) -> Refusal | None:
        if promotion.limit_each is not None and not self.cart.customer:
            return Refusal("unknown_customer")
        for counter in counters_of(promotion, self.cart.customer):
            if self.cart.left.get(counter, 0) <= 0:
                limit = promotion.limit_each if counter[1] else promotion.limit_total
                return Refusal("customer_used_up" if counter[1] else "used_up", {"limit": limit})
        return None

    def _offs(self, promotion: Promotion) -> tuple[list[int], Refusal]:
        """All deeds together, each on what the ones before it left; the first reason where none gives anything."""
        if len(promotion.deeds) == 1:
            found = promotion.deeds[0](self.work)
            return (
                ([0] * len(self.work.left), found) if isinstance(found, Refusal) else (found, _NOTHING_LEFT)
            )
        work = Work(self.work.lines, list(self.work.left))
        reason: Refusal | None = None
        for deed in promotion.deeds:
            found = deed(work)
            if isinstance(found, Refusal):
                reason = reason or found
            else:
                work.left = [left - off for left, off in zip(work.left, found, strict=True)]
        off = [before - after for before, after in zip(self.work.left, work.left, strict=True)]
        return off, reason or _NOTHING_LEFT

    def _gifts(self, promotion: Promotion) -> tuple[tuple[Given, ...], tuple[str, ...]]:
        """The gifts in stock, and those for which neither they nor their substitutes are."""
        given: list[Given] = []
        missing: list[str] = []
        spoken_for: dict[str, int] = {}
        for gift in promotion.gifts:
            for sku in gift.skus:
                if self.cart.stock.get(sku, 0) - spoken_for.get(sku, 0) >= gift.units:
                    given.append(Given(sku, gift.units, "" if sku == gift.skus[0] else gift.skus[0]))
                    spoken_for[sku] = spoken_for.get(sku, 0) + gift.units
                    break
            else:
                missing.append(gift.skus[0])
        return tuple(given), tuple(missing)

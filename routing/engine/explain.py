"""Decisions in words: the winner against the runner-up term by term, and why nodes were left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal

from routing.engine import criteria
from routing.engine.model import TERMS, ZERO, Decision, Plan, Removal

CENT = Decimal("0.01")
#: The method of decisions made with others before a pick wave; their one alternative is the plan given up.
WAVE = "wave"
_LABELS = {
    "zh": {
        "freight": "运费",
        "handling": "操作费",
        "time": "时效",
        "carbon": "碳",
        "capacity_price": "产能",
        "split": "拆单",
        "forward_bonus": "前置仓奖励",
        "return_risk": "退货风险",
        "duty": "关税",
    },
    "en": {
        "freight": "freight",
        "handling": "handling",
        "time": "time",
        "carbon": "carbon",
        "capacity_price": "capacity",
        "split": "split",
        "forward_bonus": "forward bonus",
        "return_risk": "return risk",
        "duty": "duty",
    },
}
_REASONS = {
    "zh": {
        "frozen": "已冻结",
        "no_capacity": "今日包裹产能已满",
        "no_lane": "没有到目的地的线路",
        "misses_promise": "最快 {hours} 小时，晚于承诺的 {promise_hours} 小时",
        "sku_banned": "{sku_code} 不得从此仓发出",
        "trait_not_accepted": "{sku_code} 需要 {traits}，此仓不具备",
        "out_of_stock": "{sku_code} 库存不足，缺 {short_by} 件",
        "too_heavy": "{sku_code} 重 {grams} 克，超过单包裹上限 {max_grams} 克",
        "no_customs_lane": "无法清关到 {country}",
        "bad_tariff": "运价 {carrier} 不完整，无法计费",
        "no_weight": "{sku_code} 没有重量，无法计费",
        "bad_quantity": "{sku_code} 的件数或重量无效",
        "bad_strategy": "策略的参数 {figure} 无效，无法比较",
        "beyond_range": "金额或重量超出可计算的范围",
        "parcel_limit": "{sku_code} 排不进策略允许的 {max_parcels} 个包裹",
    },
    "en": {
        "frozen": "frozen",
        "no_capacity": "no parcel capacity left today",
        "no_lane": "no lane to the destination",
        "misses_promise": "fastest is {hours} h, later than the promised {promise_hours} h",
        "sku_banned": "{sku_code} must not ship from here",
        "trait_not_accepted": "{sku_code} needs {traits}, not handled here",
        "out_of_stock": "{sku_code} is short by {short_by}",
        "too_heavy": "{sku_code} weighs {grams} g, above the parcel limit of {max_grams} g",
        "no_customs_lane": "cannot be cleared into {country}",
        "bad_tariff": "the tariff {carrier} is incomplete, nothing can be priced",
        "no_weight": "{sku_code} has no weight, so it cannot be priced",
        "bad_quantity": "the units or the weight of {sku_code} make no sense",
        "bad_strategy": "the strategy's figure {figure} makes no sense, nothing can be compared",
        "beyond_range": "amounts or weights are beyond what can be reckoned",
        "parcel_limit": "{sku_code} does not fit into the {max_parcels} parcels of the strategy",
    },
}


@dataclass(frozen=True, slots=True)
class TermDiff:
    """One term of the winner minus that of the runner-up, in yuan; negative where the winner is cheaper."""

    term: str
    yuan: Decimal


def compare(winner: Plan, runner_up: Plan) -> list[TermDiff]:
    """Differences of all terms that differ; they sum exactly to the difference of the totals."""
    diffs = [TermDiff(term, winner.terms.get(term, ZERO) - runner_up.terms.get(term, ZERO)) for term in TERMS]
    return [diff for diff in diffs if diff.yuan]


def sentence(decision: Decision, language: str) -> str:
    """One line in ``zh`` or ``en`` on why this plan; figures in cents that still add up."""
    zh = language == "zh"
    if decision.plan is None:
        return "没有可行的发货方案" if zh else "No feasible plan"
    units = sum(shortage.quantity for shortage in decision.shortages)
    tail = "" if not units else f"；缺 {units} 件" if zh else f"; {units} short"
    if not decision.alternatives:
        total = f"{_cents(decision.plan.total)}"
        text = (
            f"{_names(decision.plan, zh)}：唯一可行方案，¥{total}"
            if zh
            else (f"{_names(decision.plan, zh)}: the only feasible plan, ¥{total}")
        )
        return text + tail
    if decision.order:
        return _in_order(decision.plan, decision.alternatives[0], decision.order, language) + tail
    if decision.method == WAVE:
        return _in_wave(decision.plan, decision.alternatives[0], language) + tail
    return _versus(decision.plan, decision.alternatives[0], language) + tail


def removal_sentence(removal: Removal, language: str) -> str:
    """Why a node was left out, in ``zh`` or ``en``."""
    facts = {
        name: ", ".join(map(str, value)) if isinstance(value, list) else value
        for name, value in removal.facts.items()
    }
    reason = _REASONS[language][removal.code].format_map(facts)
    name = removal.node_name or removal.node_code
    return f"{name}：{reason}" if language == "zh" else f"{name}: {reason}"


def _versus(winner: Plan, runner_up: Plan, language: str) -> str:
    zh = language == "zh"
    one, two = _both_names(winner, runner_up, zh)
    gap = _cents(runner_up.total - winner.total)
    parts = _differences(winner, runner_up, language)
    if zh:
        head = f"{one}优于{two} ¥{gap}" if gap else f"{one}与{two}同价"
        tail = "；不计关税则次优方案更省" if _is_flipped_by_duty(winner, runner_up) else ""
        return head + ("：" + "，".join(parts) if parts else "") + tail
    head = f"{one} beats {two} by ¥{gap}" if gap else f"{one} ties with {two}"
    tail = "; without duty the runner-up would be cheaper" if _is_flipped_by_duty(winner, runner_up) else ""
    return head + (": " + ", ".join(parts) if parts else "") + tail


def _is_flipped_by_duty(winner: Plan, runner_up: Plan) -> bool:
    """Whether the runner-up would come before the winner if customs asked for nothing."""
    duty = runner_up.terms.get("duty", ZERO) - winner.terms.get("duty", ZERO)
    return bool(duty) and runner_up.total - winner.total < duty


def _in_order(winner: Plan, runner_up: Plan, order: Sequence[str], language: str) -> str:
    """The first criterion that differs, and the difference in yuan that did not count before it."""
    zh = language == "zh"
    one, two = _both_names(winner, runner_up, zh)
    rows = criteria.compared(winner, runner_up, order)
    why = criteria.reason(rows, language)
    text = f"{one}先于{two}：{why}" if zh else f"{one} comes before {two}: {why}"
    place, gap = criteria.deciding(rows), _cents(winner.total - runner_up.total)
    if place is None or rows[place].code == "money" or not gap:
        return text
    if zh:
        return f"{text}；{f'贵 ¥{gap}，但花费排在后面' if gap > 0 else f'也便宜 ¥{-gap}'}"
    return f"{text}; {f'¥{gap} dearer, but cost ranks after that' if gap > 0 else f'¥{-gap} cheaper as well'}"


def _in_wave(winner: Plan, before: Plan, language: str) -> str:
    """From where the order was moved and what that did to its own price."""
    zh = language == "zh"
    one, two = _names(winner, zh), _names(before, zh)
    gap = _cents(winner.total - before.total)
    parts = _differences(winner, before, language)
    if zh:
        head = (
            f"波次规划后由{two}改到{one}发货"
            if one != two
            else f"波次规划后仍由{one}发货，换了包裹或承运服务"
        )
        price = f"贵 ¥{gap}，整个波次合计更省" if gap > 0 else f"省 ¥{-gap}" if gap else "价格不变"
        return f"{head}，{price}" + ("：" + "，".join(parts) if parts else "")
    head = (
        f"Planned with the whole wave: moved from {two} to {one}"
        if one != two
        else f"Planned with the whole wave: still from {one}, in other parcels or by another service"
    )
    price = (
        f"¥{gap} dearer by itself while the wave as a whole is cheaper"
        if gap > 0
        else f"¥{-gap} cheaper"
        if gap
        else "at the same price"
    )
    return f"{head}, {price}" + (": " + ", ".join(parts) if parts else "")


def _both_names(winner: Plan, runner_up: Plan, zh: bool) -> tuple[str, str]:
    one, two = _names(winner, zh), _names(runner_up, zh)
    if one == two:
        return ("首选方案", "次优方案") if zh else ("The chosen plan", "the runner-up")
    return one, two


def _differences(winner: Plan, runner_up: Plan, language: str) -> list[str]:
    """The terms that differ with their cents."""
    shown = in_cents(winner, runner_up)
    return [
        f"{_label(diff, winner, runner_up, language)} {_signed(shown[diff.term])}"
        for diff in compare(winner, runner_up)
        if shown[diff.term]
    ]


def in_cents(winner: Plan, runner_up: Plan) -> dict[str, Decimal]:
    """What the terms that differ differ by, in cents that sum to the difference of the totals in cents."""
    diffs = compare(winner, runner_up)
    shown = _in_cents(diffs, _cents(winner.total - runner_up.total))
    return {diff.term: cents for diff, cents in zip(diffs, shown, strict=True)}


def _in_cents(diffs: list[TermDiff], total: Decimal) -> list[Decimal]:
    """Terms in cents that sum to the total in cents: the largest remainders are rounded up."""
    floors = [diff.yuan.quantize(CENT, ROUND_FLOOR) for diff in diffs]
    missing = int((total - sum(floors, ZERO)) / CENT)
    by_remainder = sorted(range(len(diffs)), key=lambda n: (floors[n] - diffs[n].yuan, n))
    for n in by_remainder[:missing]:
        floors[n] += CENT
    return floors


def _label(diff: TermDiff, winner: Plan, runner_up: Plan, language: str) -> str:
    """The name of a term; hours and stock say which way."""
    zh, more = language == "zh", diff.yuan > 0
    hours = winner.hours - runner_up.hours
    if diff.term == "time" and hours and (hours > 0) is more:
        figure = f"{abs(hours).quantize(Decimal('0.1'), ROUND_HALF_UP).normalize():f}"
        if zh:
            return f"{'慢' if more else '快'} {figure} 小时"
        return f"{figure} h {'slower' if more else 'faster'}"
    if diff.term == "stock_price":
        return (
            ("库存更紧张" if more else "库存更宽裕") if zh else ("scarcer stock" if more else "ampler stock")
        )
    return _LABELS[language][diff.term]


def _names(plan: Plan, zh: bool) -> str:
    """Each node once, in the order of the parcels."""
    names = dict.fromkeys(parcel.node_name or parcel.node_code for parcel in plan.parcels)
    return "＋".join(names) if zh else " + ".join(names)


def _cents(yuan: Decimal) -> Decimal:
    return yuan.quantize(CENT, ROUND_HALF_UP)


def _signed(yuan: Decimal) -> str:
    return f"{'+' if yuan > 0 else '−'}{abs(yuan)}"


# ---- for the customer ----------------------------------------------------------------------------

#: Differences below these are none worth telling a customer.
_HOUR, _CARBON_SHARE = Decimal(1), Decimal("0.05")


def customer_sentence(decision: Decision, language: str) -> str:
    """What customer service may say of a decision in ``zh`` or ``en``: no amounts, no names of places."""
    zh = language == "zh"
    plan = decision.plan
    if plan is None:
        return (
            "目前没有仓库能发出这个订单，我们正在安排"
            if zh
            else "No warehouse can ship this order at the moment; we are arranging it"
        )
    count = len(plan.parcels)
    places = len({parcel.node_id for parcel in plan.parcels})
    if zh:
        head = f"您的订单分 {count} 个包裹从 {places} 处发出" if count > 1 else "您的订单以一个包裹发出"
    else:
        head = (
            f"Your order ships in {count} parcels from {places} place{'s' if places > 1 else ''}"
            if count > 1
            else "Your order ships in one parcel"
        )
    why = _advantage(plan, decision.alternatives, zh)
    units = sum(shortage.quantity for shortage in decision.shortages)
    tail = (
        ""
        if not units
        else f"；另有 {units} 件等到货后发出"
        if zh
        else f"; {units} more follow once in stock"
    )
    return f"{head}{'，' if zh else ': '}{why}{tail}"


def _advantage(plan: Plan, others: tuple[Plan, ...], zh: bool) -> str:
    """In what the plan is better than the next best one, without its price."""
    if not others:
        return "这是目前唯一可行的方式" if zh else "it is the only way there is at the moment"
    other = others[0]
    if len(plan.parcels) < len(other.parcels):
        return "这样包裹最少" if zh else "this way there are fewer parcels"
    if other.hours - plan.hours >= _HOUR:
        return "这样到得更快" if zh else "this way it arrives sooner"
    if other.kgco2e > 0 and plan.kgco2e <= other.kgco2e * (1 - _CARBON_SHARE):
        return "这样碳排放更低" if zh else "this way it emits less"
    return "这是综合最合适的方式" if zh else "all in all this is the best way"

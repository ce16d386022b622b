"""The words of promotions: facts of a cart, the kinds of promotions, and what a senseless one is told."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from itertools import pairwise
from typing import Any

from orderhub.orders.promotions.engine.deeds import KINDS
from rules.engine import Action, CompiledRule, Fact, FiredAction, RuleError

#: Beside the facts every rule about an order may use.
FACTS = (
    Fact("order.merchant", "text", "商家", "merchant", example="acme"),
    Fact("order.categories", "list[text]", "包含的品类", "its categories", example=["茶"]),
    Fact("order.coupons", "list[text]", "使用的优惠码", "coupon codes used", example=["DOUBLE11"]),
    Fact("customer.level", "text", "会员等级", "member level", example="gold"),
    Fact("customer.is_known", "boolean", "已识别的顾客", "known customer", example=True),
)
_CHOICE = {"skus": "list[text]?", "categories": "list[text]?", "except_skus": "list[text]?"}
_LABELS = {
    "skus": ("商品", "SKUs"), "categories": ("品类", "categories"), "except_skus": ("除外商品", "except SKUs"),
    "value": ("数值", "value"), "full": ("满", "from"), "off": ("减", "off"), "repeat": ("每满", "for each"),
    "times": ("最多次数", "at most times"), "units": ("件数", "units"), "percent": ("百分比", "percent"),
    "nth": ("第几件", "which unit"), "price": ("价格", "price"), "across": ("跨商品", "across SKUs"),
    "buy": ("买", "buy"), "get": ("送", "get"), "required": ("无赠品则不参加", "only with the gift"),
    "total": ("总次数", "in total"), "each": ("每位顾客次数", "per customer"), "code": ("币种", "currency"),
}  # fmt: skip
_ZH_CHOICE = "[（{skus}）][（品类{categories}）][（{except_skus}除外）]"
_EN_CHOICE = "[ on {skus}][ in {categories}][ except {except_skus}]"
_ZH_TIMES, _EN_TIMES = "[，最多{times}次]", "[, at most {times} times]"


def _action(name: str, params: Mapping[str, str], zh: str, en: str, say: tuple[str, str]) -> Action:
    labels = {param: _LABELS[param] for param in params}
    return Action(name, dict(params), zh, en, labels, say)


def _on_goods(name: str, params: Mapping[str, str], zh: str, en: str, say: tuple[str, str]) -> Action:
    return _action(name, {**params, **_CHOICE}, zh, en, (say[0] + _ZH_CHOICE, say[1] + _EN_CHOICE))


ACTIONS = (
    _on_goods(
        "percent_off", {"value": "number"}, "打折（减百分比）", "percentage off", ("减{value}%", "{value}% off")
    ),
    _on_goods("amount_off", {"value": "money"}, "立减金额", "amount off, once per order", ("立减{value}", "{value} off")),
    _on_goods(
        "threshold_off", {"full": "money", "off": "money", "repeat": "boolean?", "times": "integer?"},
        "满减", "amount off from a sum",
        ("[{repeat}每]满{full}减{off}" + _ZH_TIMES, "{off} off[{repeat} each] from {full}" + _EN_TIMES),
    ),
    _on_goods(
        "tiered_off", {"full": "list[money]", "off": "list[money]"}, "阶梯满减", "amount off by tiers",
        ("阶梯：满{full}减{off}", "tiers from {full}: {off} off"),
    ),
    _on_goods(
        "tiered_percent", {"full": "list[money]", "percent": "list[number]"}, "阶梯满折", "percentage by tiers",
        ("阶梯：满{full}减{percent}%", "tiers from {full}: {percent}% off"),
    ),
    _on_goods(
        "units_percent", {"units": "list[integer]", "percent": "list[number]"}, "多件多折", "percentage by units",
        ("满{units}件减{percent}%", "{percent}% off from {units} units"),
    ),
    _on_goods(
        "nth_price",
        {"nth": "integer", "percent": "number?", "price": "money?", "times": "integer?", "across": "boolean?"},
        "第N件优惠", "price of the n-th unit",
        (
            "第{nth}件[付{percent}%][只要{price}][{across}（跨商品）]" + _ZH_TIMES,
            "unit {nth}[ at {percent}%][ for {price}][{across} across SKUs]" + _EN_TIMES,
        ),
    ),
    _on_goods(
        "buy_get", {"buy": "integer", "get": "integer", "percent": "number?", "times": "integer?"},
        "买X送Y", "buy some, get some",
        ("买{buy}件送{get}件[（付{percent}%）]" + _ZH_TIMES, "buy {buy}, get {get} free[ at {percent}%]" + _EN_TIMES),
    ),
    _on_goods(
        "item_price", {"price": "money", "times": "integer?"}, "一口价", "fixed unit price",
        ("每件{price}[，最多{times}件]", "{price} a unit[, at most {times} units]"),
    ),
    _action(
        "bundle_price", {"skus": "list[text]", "price": "money", "times": "integer?"}, "套装价", "bundle price",
        ("套装（{skus}）共{price}" + _ZH_TIMES, "{skus} together for {price}" + _EN_TIMES),
    ),
    _action(
        "gift", {"skus": "list[text]", "units": "integer?", "required": "boolean?"},
        "赠品（缺货依次替换）", "gift, the next one if out of stock",
        ("送赠品{skus}[×{units}][{required}（无赠品不参加）]", "gift {skus}[ ×{units}][{required} or nothing]"),
    ),
    _action("free_shipping", {}, "包邮", "free shipping", ("包邮", "free shipping")),
    _action("cap", {"value": "money"}, "最多优惠", "at most", ("最多优惠{value}", "at most {value} off")),
    _action(
        "limit_uses", {"total": "integer?", "each": "integer?"}, "限制次数", "limit the uses",
        ("限用[共{total}次][每人{each}次]", "limited to[ {total} in total][ {each} per customer]"),
    ),
    _action("alone", {}, "不与其他优惠同享", "not with other promotions", ("不与其他优惠同享", "with no other promotion")),
    _action("in_currency", {"code": "text"}, "适用币种", "in the currency", ("仅限{code}", "in {code} only")),
)  # fmt: skip

#: Say nothing by themselves.
MODIFIERS = frozenset({"cap", "limit_uses", "alone", "in_currency"})
_ONCE = MODIFIERS | {"free_shipping"}
_MOST_UNITS = 100_000


def check(rule: CompiledRule) -> None:
    """Refuse what types cannot: nothing promised, a share above 100 %, tiers out of order, half cents."""
    names = [action.do for action in rule.actions]
    if not set(names) - MODIFIERS:
        raise RuleError(
            "then", "empty", zh="没有任何优惠", en="gives nothing: add a discount, a gift or free shipping"
        )
    for at, action in enumerate(rule.actions):
        if action.do in _ONCE and names.index(action.do) != at:
            raise RuleError(f"then[{at}].do", "twice", zh="只能出现一次", en="may be given once only")
        _check_params(action, f"then[{at}].with")
        if look := _LOOKS.get(action.do):
            look(action.params, f"then[{at}].with")


def _check_params(action: FiredAction, path: str) -> None:
    """The rules common to all kinds: above zero, whole cents, sensible counts, no empty lists."""
    for name, value in action.params.items():
        at = f"{path}.{name}"
        values = value if isinstance(value, tuple) else (value,)
        if not values:
            raise RuleError(at, "empty", zh="不能为空", en="must not be empty")
        for figure in values:
            if isinstance(figure, Decimal):
                _check_figure(action.do, name, figure, at)


def _check_figure(do: str, name: str, value: Decimal, path: str) -> None:
    is_share = name == "percent" or (do, name) == ("percent_off", "value")
    may_be_zero = name == "price" or (name == "percent" and do in {"nth_price", "buy_get"})
    if value < 0 or (value == 0 and not may_be_zero):
        raise RuleError(path, "range", zh="必须大于 0", en="must be above 0")
    if is_share and value > 100:
        raise RuleError(path, "range", zh="百分比不超过 100", en="a percentage is at most 100")
    if value != value.quantize(Decimal("0.01")):
        raise RuleError(path, "range", zh="最多两位小数", en="has two decimals at most")
    if name in {"times", "units", "nth", "buy", "get"} and value > _MOST_UNITS:
        raise RuleError(path, "range", zh=f"不超过 {_MOST_UNITS}", en=f"is at most {_MOST_UNITS}")


def _threshold(params: Mapping[str, Any], path: str) -> None:
    if params["off"] > params["full"]:
        raise RuleError(
            f"{path}.off", "range", zh="减的比满的还多", en="takes off more than the sum it asks for"
        )


def _tiers(steps: str, given: str) -> Callable[[Mapping[str, Any], str], None]:
    def look(params: Mapping[str, Any], path: str) -> None:
        low, gains = params[steps], params[given]
        if len(low) != len(gains):
            raise RuleError(
                f"{path}.{given}", "shape", zh="两列长度不同", en="needs as many figures as tiers"
            )
        if any(b <= a for a, b in pairwise(low)):
            raise RuleError(f"{path}.{steps}", "range", zh="阶梯必须递增", en="tiers must rise")
        if any(b <= a for a, b in pairwise(gains)):
            raise RuleError(f"{path}.{given}", "range", zh="优惠必须递增", en="a higher tier must give more")
        if (
            steps == "full"
            and given == "off"
            and any(off > full for full, off in zip(low, gains, strict=True))
        ):
            raise RuleError(
                f"{path}.off", "range", zh="减的比满的还多", en="takes off more than the sum it asks for"
            )

    return look


def _nth(params: Mapping[str, Any], path: str) -> None:
    if params["nth"] < 2:
        raise RuleError(f"{path}.nth", "range", zh="至少是第 2 件", en="is the second unit at least")
    if ("percent" in params) == ("price" in params):
        raise RuleError(path, "shape", zh="百分比与价格二选一", en="needs either a percentage or a price")
    if params.get("percent") == 100:
        raise RuleError(
            f"{path}.percent", "range", zh="付 100% 等于没有优惠", en="paying 100 percent is no discount"
        )


def _buy_get(params: Mapping[str, Any], path: str) -> None:
    if params.get("percent") == 100:
        raise RuleError(
            f"{path}.percent", "range", zh="付 100% 等于没有优惠", en="paying 100 percent is no discount"
        )


def _limits(params: Mapping[str, Any], path: str) -> None:
    if not params:
        raise RuleError(
            path, "shape", zh="需要总次数或每人次数", en="needs a number in total or per customer"
        )


def _currency(params: Mapping[str, Any], path: str) -> None:
    if not re.fullmatch(r"[A-Z]{3}", str(params["code"])):
        raise RuleError(
            f"{path}.code", "choice", zh="三个大写字母，如 CNY", en="is three capital letters, as CNY"
        )


def _gift(params: Mapping[str, Any], path: str) -> None:
    if len(set(params["skus"])) != len(params["skus"]):
        raise RuleError(f"{path}.skus", "twice", zh="赠品重复", en="names a SKU twice")


_LOOKS: dict[str, Callable[[Mapping[str, Any], str], None]] = {
    "threshold_off": _threshold, "tiered_off": _tiers("full", "off"), "tiered_percent": _tiers("full", "percent"),
    "units_percent": _tiers("units", "percent"), "nth_price": _nth, "buy_get": _buy_get, "limit_uses": _limits,
    "in_currency": _currency, "gift": _gift,
}  # fmt: skip
assert set(KINDS) <= {action.name for action in ACTIONS}, "every kind has its word"

"""The words of decisions in both languages that the engine does not know: outcomes, term names, notes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Language = Literal["zh", "en"]
Words = Mapping[str, tuple[str, str]]

TERMS: Words = {
    "freight": ("运费", "freight"),
    "handling": ("操作费", "handling"),
    "time": ("时效", "time"),
    "carbon": ("碳", "carbon"),
    "stock_price": ("库存价格", "stock price"),
    "capacity_price": ("产能", "capacity"),
    "split": ("拆单", "split"),
    "forward_bonus": ("前置仓奖励", "forward bonus"),
    "return_risk": ("退货风险", "return risk"),
    "duty": ("关税和税款", "duty and taxes"),
}
METHODS: Words = {
    "subset_dp": ("精确求解", "solved exactly"),
    "pulp": ("长订单求解", "solved as a long order"),
    "sequential": ("按判据顺序，精确求解", "by ordered criteria, exactly"),
    "seq_groups": ("按判据顺序，长订单", "by ordered criteria, long order"),
    "wave": ("拣货波次合并规划", "planned with a pick wave"),
}
STATUSES: Words = {
    "routed": ("已选定发货仓", "Routed"),
    "partial": ("部分选定，其余等货", "Partly routed, the rest waits for stock"),
    "unroutable": ("暂无可发货的仓库", "No warehouse can ship it"),
}
REFUSED_BEFORE = ("{name}：此前拒绝或缺拣过本订单", "{name}: refused this order before or could not pick it")
MORE_REMOVED = ("另有 {count} 条同类排除", "{count} more of this kind")
NOTES: Words = {
    "wave": (
        "拣货波次前与其他等待订单一起重新规划，承诺时间不变",
        "Planned anew together with the other waiting orders before the pick wave; the promise stays",
    ),
    "wave_dearer": (
        "本单单独看更贵，整个波次合计更省",
        "Dearer for this order alone; the wave as a whole is cheaper",
    ),
    "made_to_order": (
        "含按单生产的商品：不占用库存，时效已计入生产时间",
        "Part of it is made to order: it takes no stock, and the hours count the making",
    ),
    "stock_price_off": (
        "近 28 天需求不足，部分 SKU 的库存价格按 0 计",
        "Too few units were asked for in 28 days: some SKUs have a stock price of 0",
    ),
    "prices_missing": (
        "还没有库存价格表，库存价格按 0 计",
        "There is no price book yet: stock prices are 0",
    ),
    "prices_switched_off": (
        "库存价格已由人工关闭，按 0 计",
        "Stock prices were switched off by hand: they are 0",
    ),
    "prices_forecast_missing": (
        "没有需求预测或运价，库存价格按 0 计",
        "There is no demand forecast or no tariff: stock prices are 0",
    ),
    "prices_forecast_wrong": (
        "上一周期的预测误差超限，库存价格按 0 计",
        "The forecast of the last cycle was too wrong: stock prices are 0",
    ),
    "prices_old": (
        "库存价格表超过 24 小时未更新，按 0 计",
        "The price book is older than 24 hours: stock prices are 0",
    ),
    "moved_by_hand": (
        "有人指定了发货仓，只比较该仓",
        "Somebody moved the order to one warehouse; only that one was compared",
    ),
    "service_not_offered": (
        "没有仓库提供所选服务，按其他服务比较",
        "No warehouse offers the service asked for; the others were compared",
    ),
    "carbon_unknown": (
        "部分仓库缺少电网因子，碳项按 0 计",
        "A warehouse has no grid factor: its carbon term is 0",
    ),
    "promise_dropped": (
        "原承诺时间已无法满足，重新承诺",
        "The time promised before cannot be kept; a new one was given",
    ),
    "duty_by": ("关税和税款按 {name}", "Duty and taxes by {name}"),
    "duty_unconfirmed": (
        "关税规则 {name} 待确认，未计入比较",
        "The duty rule {name} waits to be confirmed and was not counted",
    ),
    "duty_no_rate": (
        "关税规则 {name} 没有填写税率，未计入比较",
        "The duty rule {name} has no rate yet and was not counted",
    ),
    "duty_no_exchange": (
        "缺少 {name} 的汇率，以其计价的关税未计入比较",
        "There is no exchange rate for {name}: duty in it was not counted",
    ),
    "strategy_rule": ("策略由规则「{name}」选定", "The rule “{name}” chose the strategy"),
}


def word(table: Words, code: str, language: Language) -> str:
    """The words of a code; an unknown code stands for itself.

    A code may carry the name it speaks of in both languages: `code:名称|name`.
    """
    code, _colon, names = code.partition(":")
    if code not in table:
        return code
    zh, _bar, en = names.partition("|")
    text = pick(table[code], language)
    return text.replace("{name}", pick((zh, en or zh), language)) if names else text


def pick(pair: tuple[str, str], language: Language) -> str:
    """The Chinese or the English half."""
    return pair[0 if language == "zh" else 1]

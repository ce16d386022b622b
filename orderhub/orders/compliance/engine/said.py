"""A rule as a sentence in both languages: what it asks for, on which lane, in which time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from orderhub.orders.compliance.engine.language import Row
from orderhub.orders.compliance.engine.words import DOCUMENTS, PARTIES, TRAITS, Pair

_COUNTRIES: Mapping[str, Pair] = {
    "*": ("任何国家", "any country"), "CN": ("中国", "China"), "EU": ("欧盟", "the EU"), "US": ("美国", "the USA"),
    "GB": ("英国", "the UK"),
}  # fmt: skip
_LISTS: Mapping[str, Pair] = {
    "CBEC retail import list": ("跨境电子商务零售进口商品清单", "CBEC retail import list"),
}
_NEEDS: Mapping[str, Pair] = {
    "hs10": ("10 位税号", "a code of 10 digits"), "country_of_origin": ("原产国", "the country of origin"),
    "id": ("证件", "ID"),
}  # fmt: skip
_STATES: Mapping[str, Pair] = {
    "verify": ("待确认", "to be confirmed"), "ended": ("已结束", "ended"), "future": ("未生效", "not yet in force"),
    "in_force": ("有效", "in force"),
}  # fmt: skip


def says(row: Row) -> Pair:
    """What the rule asks for, in Chinese and English; its lane and days are told by `lane` and `days`."""
    return _SAYS[row.kind](row.params)


def lane(row: Row) -> Pair:
    """From where to where, e.g. "any country → the EU"."""
    start, end = (_COUNTRIES.get(x, (x, x)) for x in (row.origin, row.destination))
    return f"{start[0]} → {end[0]}", f"{start[1]} → {end[1]}"


def days(row: Row) -> Pair:
    """In which time it counts, and whether somebody still has to confirm it."""
    state = _STATES.get(row.status, (row.status, row.status))
    last = f" – {row.valid_to}" if row.valid_to else ""
    return (
        f"{row.valid_from}{last or ' 起'} · {state[0]}",
        f"{'' if last else 'from '}{row.valid_from}{last} · {state[1]}",
    )


def _listed(names: Any, known: Mapping[str, Pair]) -> Pair:
    pairs = [known.get(str(name), (str(name), str(name))) for name in names]
    return "、".join(zh for zh, _en in pairs), ", ".join(en for _zh, en in pairs)


def _money(params: Mapping[str, Any], name: str) -> str:
    return f"{params[name]} {params.get('currency', 'CNY')}"


def _needs(params: Mapping[str, Any]) -> Pair:
    zh, en = _listed(params.get("need", ()), {**DOCUMENTS, **PARTIES, **_NEEDS})
    return (f"，需要{zh}", f"; needs {en}") if zh else ("", "")


def _goods(params: Mapping[str, Any]) -> Pair:
    return _listed(params.get("goods") or params.get("un") or (), TRAITS)


def _contents(params: Mapping[str, Any]) -> Pair:
    zh, en = _listed(params.get("need", ()), PARTIES)
    return f"品名、数量与价值齐全，且有{zh}", f"Goods, quantities and values must be complete, with {en}"


def _hs_code(params: Mapping[str, Any]) -> Pair:
    digits = params.get("digits", ())
    return (
        f"税号须为 {'、'.join(map(str, digits))} 位数字",
        f"The HS code has {', '.join(map(str, digits))} digits",
    )


def _prohibited(params: Mapping[str, Any]) -> Pair:
    zh, en = _goods(params)
    return f"{zh}禁止寄送", f"May not be sent: {en}"


def _restricted(params: Mapping[str, Any]) -> Pair:
    (zh, en), (need_zh, need_en) = _goods(params), _needs(params)
    return f"{zh}受限{need_zh}", f"Restricted: {en}{need_en}"


def _allow_list(params: Mapping[str, Any]) -> Pair:
    name = str(params.get("list", ""))
    zh, en = _LISTS.get(name, (name, name))
    return f"税号须在清单“{zh}”上", f"The HS code must stand on the list “{en}”"


def _value_limit(params: Mapping[str, Any]) -> Pair:
    most = _money(params, "single_max")
    return f"单笔不超过 {most}", f"At most {most} an order"


def _value_limit_year(params: Mapping[str, Any]) -> Pair:
    most = _money(params, "year_max")
    return f"每人每年不超过 {most}", f"At most {most} a year and person"


def _value_exception(params: Mapping[str, Any]) -> Pair:
    return (
        "超过单笔限额：限单件商品且年度额度内，全额征税；超过年度额度按一般贸易",
        "Above the limit of an order: a single piece within the year's allowance, at full duty; above the year's: general trade",
    )


def _quantity(params: Mapping[str, Any]) -> Pair:
    names = {"sugar_kg": ("食糖", "sugar"), "rice_kg": ("大米", "rice")}
    found = [(*names[name], params[name]) for name in names if name in params]
    return (
        "每人每年：" + "、".join(f"{zh} {kg} 公斤" for zh, _en, kg in found),
        "A year and person: " + ", ".join(f"{kg} kg of {en}" for _zh, en, kg in found),
    )


def _value_regime(params: Mapping[str, Any]) -> Pair:
    need_zh, need_en = _needs(params)
    if "intrinsic_max" in params:
        most = _money(params, "intrinsic_max")
        zh, en = f"货值不超过 {most} 由卖方缴纳增值税", f"Up to {most} the seller pays VAT"
    elif str(params.get("de_minimis")) in ("0", "None"):
        zh, en = "没有免税额", "Nothing is free of duty"
    else:
        most = _money(params, "de_minimis")
        zh, en = f"货值不超过 {most} 免税", f"Free of duty up to {most}"
    if "gift_max" in params:
        most = _money(params, "gift_max")
        zh, en = f"{zh}，礼品不超过 {most} 除外", f"{en}; gifts up to {most} are"
        en = en if "Nothing" in en else en.replace("; gifts", "; also gifts").removesuffix(" are")
    if params.get("duty") is not None:
        share = f"{Decimal(params['duty']) * 100:f}".rstrip("0").rstrip(".") or "0"
        zh, en = f"{zh}，此外按货值的 {share}% 征收关税", f"{en}; else duty of {share} % of the value"
    return zh + need_zh, en + need_en


def _identity(params: Mapping[str, Any]) -> Pair:
    return (
        "需要收件人身份证号（校验码正确），订单、支付、物流三单同一人",
        "Needs the receiver's ID number with a right check digit; one person in order, payment and logistics",
    )


def _screening(params: Mapping[str, Any]) -> Pair:
    lists = params.get("lists", ())
    return (
        f"与{'、'.join(lists)}名单比对，相似度 {params.get('review_from')} 起待人工复核，不因姓名直接拦截",
        f"Names are compared with {', '.join(lists)}; from {params.get('review_from')} of 100 on a person decides, "
        "a name alone never blocks",
    )


def _tax_number(params: Mapping[str, Any]) -> Pair:
    if params.get("kind") == "eori":
        return "完税寄送需要 EORI 号", "Sold duty paid: needs an EORI number"
    most = _money(params, "intrinsic_max")
    return (
        f"货值不超过 {most} 需要 IOSS 号（IM 加 10 位数字）",
        f"Up to {most}: needs an IOSS number (IM and 10 digits)",
    )


def _tax(params: Mapping[str, Any]) -> Pair:
    if params.get("goods") == "cosmetics":
        return (
            f"化妆品 {params['from_cny_per_ml_or_g']} 元/毫升（克）或 {params['from_cny_per_piece']} 元/片起征收 15% 消费税",
            f"15 % consumption tax on cosmetics from {params['from_cny_per_ml_or_g']} CNY a ml or g, "
            f"or {params['from_cny_per_piece']} CNY a piece",
        )
    return (
        "关税 0，增值税与消费税按 70% 征收：(消费税率 + 增值税率) ÷ (1 − 消费税率) × 70%",
        "Duty 0; VAT and consumption tax at 70 %: (CT + VAT) / (1 − CT) × 70 %",
    )


def _flat_duty(params: Mapping[str, Any]) -> Pair:
    amount, most = _money(params, "amount"), _money(params, "intrinsic_max")
    return (
        f"货值不超过 {most}：每个不同的 6 位税号 {amount}",
        f"Up to {most}: {amount} for each different HS6",
    )


def _surcharge(params: Mapping[str, Any]) -> Pair:
    rate = str(params.get("rate", ""))
    known = rate.replace(".", "").isdigit()
    return (
        f"附加税 {rate}" if known else "附加税，税率待填写",
        f"A surcharge of {rate}" if known else "A surcharge; its rate is to be entered",
    )


def _documents(params: Mapping[str, Any]) -> Pair:
    (goods_zh, goods_en), (zh, en) = _goods(params), _listed(params.get("need", ()), DOCUMENTS)
    return (
        f"{goods_zh}需要{zh}" if goods_zh else f"需要{zh}",
        f"{goods_en}: {en}" if goods_en else f"Needs {en}",
    )


_SAYS: Mapping[str, Callable[[Mapping[str, Any]], Pair]] = {
    "contents": _contents, "hs_code": _hs_code, "prohibited_goods": _prohibited, "restricted_goods": _restricted,
    "allow_list": _allow_list, "value_limit": _value_limit, "value_limit_year": _value_limit_year,
    "value_exception": _value_exception, "quantity_limit_year": _quantity, "value_regime": _value_regime,
    "identity": _identity, "screening": _screening, "tax_number": _tax_number, "tax": _tax,
    "duty_per_item_kind": _flat_duty, "surcharge": _surcharge, "documents": _documents,
}  # fmt: skip

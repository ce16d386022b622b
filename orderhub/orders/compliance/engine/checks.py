"""The checks in their order: stop at the first block, collect every hold, so that all is mended at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal

from orderhub.orders.compliance.engine import regimes, words
from orderhub.orders.compliance.engine.language import (
    BLOCK,
    HOLD,
    KINDS,
    NOTE,
    PASS,
    Finding,
    Row,
    Shipment,
    Verdict,
)
from orderhub.orders.compliance.engine.numbers import is_chinese_id, is_eori, is_hs, is_vat
from orderhub.orders.compliance.engine.rows import Rulebook
from orderhub.orders.compliance.engine.words import finding

Check = Callable[[Row, Shipment], Iterator[Finding]]


def check(book: Rulebook, shipment: Shipment) -> Verdict:
    """Judge a shipment by the rows in force on its lane and day; a lane without any row is told, never silent.

    A row that still waits for confirmation (`verify`) says so in a note and judges nothing.
    """
    found: list[Finding] = []
    spoke = False
    for kind in KINDS:
        for row in book.in_force(kind, shipment):
            spoke = True
            if row.is_doubtful:
                found.append(words.doubt(row))
                continue
            found += _CHECKS[kind](row, shipment)
            if any(x.outcome == BLOCK for x in found):
                return Verdict(tuple(found))
    if not spoke:
        found.append(words.no_rules(shipment))
    return Verdict(tuple(found))


# ---- lane and parties, goods ----------------------------------------------------------------------


def _contents(row: Row, shipment: Shipment) -> Iterator[Finding]:
    missing = [
        name for name in row.params.get("need", ("recipient",)) if not getattr(shipment, str(name), "")
    ]
    if missing:
        named = "、".join(words.PARTIES.get(x, (x, x))[0] for x in missing)
        en = ", ".join(words.PARTIES.get(x, (x, x))[1] for x in missing)
        yield finding(
            row,
            HOLD,
            "party_missing",
            zh=f"缺少{named}",
            en=f"missing: {en}",
            supply=",".join(missing),
            by="merchant",
        )
    for goods in shipment.goods:
        if not goods.name.strip() or goods.value <= 0:
            yield finding(
                row, HOLD, "contents", zh=f"{goods.sku} 缺少品名或价值", en=f"{goods.sku} has no name or no value",
                supply="name,value", by="merchant", inputs={"sku": goods.sku},
            )  # fmt: skip


def _hs_code(row: Row, shipment: Shipment) -> Iterator[Finding]:
    digits = tuple(row.params["digits"])
    lengths = "/".join(str(x) for x in digits)
    for goods in shipment.goods:
        if not goods.hs_code:
            yield finding(
                row, HOLD, "hs_missing", zh=f"{goods.sku} 没有 HS 编码（{lengths} 位）",
                en=f"{goods.sku} has no HS code ({lengths} digits)", supply="hs_code", by="merchant",
                inputs={"sku": goods.sku},
            )  # fmt: skip
        elif not is_hs(goods.hs_code, digits):
            yield finding(
                row, HOLD, "hs_malformed", zh=f"{goods.sku} 的 HS 编码 {goods.hs_code} 不是 {lengths} 位",
                en=f"the HS code {goods.hs_code} of {goods.sku} is not one of {lengths} digits", supply="hs_code",
                by="merchant", inputs={"sku": goods.sku, "hs_code": goods.hs_code},
            )  # fmt: skip


def _prohibited(row: Row, shipment: Shipment) -> Iterator[Finding]:
    banned = frozenset(row.params["goods"])
    for goods in shipment.goods:
        for trait in sorted(goods.traits & banned):
            zh, en = words.TRAITS.get(trait, (trait, trait))
            yield finding(
                row, BLOCK, "prohibited", zh=f"{goods.sku}：{zh}禁止寄往该地", en=f"{goods.sku}: {en} may not be sent there",
                inputs={"sku": goods.sku, "goods": trait},
            )  # fmt: skip


def _restricted(row: Row, shipment: Shipment) -> Iterator[Finding]:
    about = frozenset(row.params.get("un", ())) | frozenset(row.params.get("goods", ()))
    yield from _needed(row, shipment, about)


def _documents(row: Row, shipment: Shipment) -> Iterator[Finding]:
    about = frozenset(row.params.get("goods", ()))
    if about:
        yield from _needed(row, shipment, about)
        return
    missing = [x for x in row.params["need"] if x not in shipment.documents]
    if missing and row.params.get("made_by_us"):
        zh, en = words.documents(missing)
        yield finding(row, NOTE, "documents", zh=f"随货附：{zh}", en=f"to go with the goods: {en}")
    elif missing:
        zh, en = words.documents(missing)
        yield finding(
            row, HOLD, "documents", zh=f"缺少文件：{zh}", en=f"documents missing: {en}", supply=",".join(missing),
            by="merchant",
        )  # fmt: skip


def _needed(row: Row, shipment: Shipment, about: frozenset[str]) -> Iterator[Finding]:
    for goods in shipment.goods:
        concerned = sorted(goods.traits & about)
        missing = [x for x in row.params["need"] if x not in goods.certificates | shipment.documents]
        if concerned and missing:
            zh, en = words.documents(missing)
            kind_zh, kind_en = words.TRAITS.get(concerned[0], (concerned[0], concerned[0]))
            yield finding(
                row, HOLD, "certificate", zh=f"{goods.sku}（{kind_zh}）需要：{zh}",
                en=f"{goods.sku} ({kind_en}) needs: {en}", supply=",".join(missing), by="merchant",
                inputs={"sku": goods.sku, "goods": ",".join(concerned)},
            )  # fmt: skip


def _allow_list(row: Row, shipment: Shipment) -> Iterator[Finding]:
    if not regimes.is_of(row, shipment):
        return
    name, width = str(row.params["list"]), int(re.sub(r"\D", "", str(row.params["key"])) or 8)
    listed = shipment.lists.get(name)
    if listed is None:
        yield finding(
            row,
            NOTE,
            "list_missing",
            zh=f"清单「{name}」尚未导入，未核对",
            en=f"the list “{name}” is not loaded, not checked",
        )
        return
    for goods in shipment.goods:
        code = re.sub(r"[.\s]", "", goods.hs_code)[:width]
        if code not in listed:
            yield finding(
                row, HOLD, "not_listed", zh=f"{goods.sku}（{code or '无编码'}）不在清单「{name}」中",
                en=f"{goods.sku} ({code or 'no code'}) is not on the list “{name}”", supply="hs_code,regime",
                by="merchant", inputs={"sku": goods.sku, "hs": code},
            )  # fmt: skip


# ---- identity, parties, numbers -------------------------------------------------------------------


def _identity(row: Row, shipment: Shipment) -> Iterator[Finding]:
    if not regimes.is_of(row, shipment):
        return
    if not shipment.id_number:
        yield finding(
            row, HOLD, "id_missing", zh="缺少订购人身份证号", en="the buyer's identity number is missing",
            supply="id_number,id_name", by="customer",
        )  # fmt: skip
        return
    if not is_chinese_id(shipment.id_number, on=shipment.ordered_on):
        yield finding(
            row, HOLD, "id_wrong", zh="身份证号校验不通过", en="the identity number fails its check digit",
            supply="id_number", by="customer",
        )  # fmt: skip
    names = {"order": shipment.id_name, "payment": shipment.payer_name, "logistics": shipment.recipient}
    given = {
        where: names[where].replace(" ", "") for where in row.params.get("match", ()) if names.get(where)
    }
    if len(set(given.values())) > 1:
        zh = "、".join(words.NAMES[where][0] for where in given)
        en = ", ".join(words.NAMES[where][1] for where in given)
        yield finding(
            row, HOLD, "names_differ", zh=f"三单信息不一致：{zh}的姓名不同",
            en=f"the names differ between {en}", supply="id_name,payer_name,recipient", by="customer",
        )  # fmt: skip


def _screening(row: Row, shipment: Shipment) -> Iterator[Finding]:
    limit = Decimal(row.params["review_from"])
    for near in sorted(shipment.near, key=lambda x: (-x.score, x.party)):
        who = words.PARTIES.get(near.who, (near.who, near.who))
        if near.score >= limit:
            yield finding(
                row, HOLD, "party_near",
                zh=f"{who[0]}与{near.list_name}名单「{near.listed_as}」相似 {near.score}，请人工核对",
                en=f"the {who[1]} is like “{near.listed_as}” ({near.list_name}), "
                f"{near.score} of 100: compare by hand",
                supply="decision", by="compliance",
                inputs={"party": near.party, "name": near.name, "score": str(near.score), "facts": near.facts},
            )  # fmt: skip
    for name in row.params.get("lists", ()):
        loaded = shipment.screened_lists.get(str(name))
        if loaded is None:
            yield finding(
                row, NOTE, "list_missing", zh=f"名单 {name} 尚未导入，未核对", en=f"the list {name} is not loaded, not checked",
                inputs={"list": str(name)},
            )  # fmt: skip
        elif (age := (shipment.ordered_on - loaded).days) > int(row.params.get("old_after_days", 7)):
            yield finding(
                row, NOTE, "list_old", zh=f"名单 {name} 已 {age} 天未更新", en=f"the list {name} is {age} days old",
                inputs={"list": str(name)},
            )  # fmt: skip


def _tax_number(row: Row, shipment: Shipment) -> Iterator[Finding]:
    kind = str(row.params.get("kind", "ioss"))
    given = shipment.tax_numbers.get(kind, "").replace(" ", "").upper()
    if "intrinsic_max" in row.params:
        value, missing = regimes.in_currency(row, shipment, shipment.value)
        if missing is not None:
            yield missing
            return
        limit = f"{row.params['intrinsic_max']} {row.params['currency']}"
        if value is not None and value > Decimal(row.params["intrinsic_max"]):
            if given:
                yield finding(
                    row, HOLD, "number_not_for_value", zh=f"货值超过 {limit}，不能使用 {kind.upper()}",
                    en=f"above {limit} {kind.upper()} may not be used",
                    supply="regime", by="merchant",
                )  # fmt: skip
            return
    name = kind.upper()
    if not given:
        if shipment.terms == "DDP" or row.params.get("required"):
            yield finding(
                row,
                HOLD,
                "number_missing",
                zh=f"需要 {name} 号",
                en=f"needs the {name} number",
                supply=kind,
                by="merchant",
            )
        else:
            who = ("税费在进口时由收件人缴纳", "the recipient pays taxes on import") if kind == "ioss" else (
                "由进口方申报", "the importer declares the goods"
            )  # fmt: skip
            yield finding(
                row, NOTE, "number_absent", zh=f"没有 {name} 号：{who[0]}", en=f"no {name} number: {who[1]}"
            )
    elif not re.fullmatch(str(row.params["number"])[1:-1], given) or not _VALID.get(kind, _any)(given):
        yield finding(
            row, HOLD, "number_wrong", zh=f"{name} 号 {given} 格式或校验位不对",
            en=f"the {name} number {given} has a wrong form or check digit", supply=kind, by="merchant",
            inputs={"number": given},
        )  # fmt: skip
    else:
        yield finding(row, PASS, "number_right", zh=f"{name} 号有效", en=f"the {name} number is well-formed")


def _any(_number: str) -> bool:
    return True


_VALID: Mapping[str, Callable[[str], bool]] = {"vat": is_vat, "eori": is_eori}


_CHECKS: Mapping[str, Check] = {
    "contents": _contents,
    "hs_code": _hs_code,
    "prohibited_goods": _prohibited,
    "restricted_goods": _restricted,
    "allow_list": _allow_list,
    "value_limit": regimes.value_limit,
    "value_exception": regimes.value_exception,
    "value_limit_year": regimes.value_limit_year,
    "quantity_limit_year": regimes.quantity_limit_year,
    "value_regime": regimes.value_regime,
    "identity": _identity,
    "screening": _screening,
    "tax_number": _tax_number,
    "tax": regimes.tax,
    "duty_per_item_kind": regimes.flat_duty,
    "surcharge": regimes.surcharge,
    "documents": _documents,
}

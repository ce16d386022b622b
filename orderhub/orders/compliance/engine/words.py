"""The words of findings: what a document, a trait, a party is called in both languages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from orderhub.orders.compliance.engine.language import NOTE, Finding, Outcome, Row, Shipment

Pair = tuple[str, str]
PARTIES: Mapping[str, Pair] = {
    "sender": ("发件人", "sender"), "recipient": ("收件人", "recipient"), "importer": ("进口商", "importer"),
    "buyer": ("订购人", "buyer"), "payer": ("付款人", "payer"), "origin": ("发货地", "origin"),
}  # fmt: skip
NAMES: Mapping[str, Pair] = {
    "order": ("订单", "order"),
    "payment": ("支付单", "payment"),
    "logistics": ("物流单", "logistics"),
}
TRAITS: Mapping[str, Pair] = {
    "UN3480": ("锂电池 UN3480", "lithium batteries UN3480"), "UN3481": ("内含锂电池 UN3481", "lithium batteries UN3481"),
    "battery": ("电池", "battery"), "liquid": ("液体", "liquid"), "food": ("食品", "food"), "medicine": ("药品", "medicine"),
    "cites": ("濒危物种制品", "CITES species"), "dual_use": ("两用物项", "dual-use goods"), "weapon": ("武器", "weapons"),
    "narcotic": ("毒品", "narcotics"), "cosmetics": ("化妆品", "cosmetics"),
}  # fmt: skip
DOCUMENTS: Mapping[str, Pair] = {
    "test summary": ("UN38.3 试验概要", "test summary"), "label": ("锂电池标签", "label"),
    "carrier accepts": ("承运商同意承运", "carrier's acceptance"), "invoice": ("商业发票", "commercial invoice"),
    "packing list": ("装箱单", "packing list"), "health certificate": ("卫生证书", "health certificate"),
    "import license": ("进口许可", "import license"), "export license": ("出口许可", "export license"),
    "CITES permit": ("CITES 许可证", "CITES permit"),
}  # fmt: skip


def finding(
    row: Row, outcome: Outcome, code: str, *, zh: str, en: str, supply: str = "", by: str = "",
    inputs: Mapping[str, str] | None = None,
) -> Finding:  # fmt: skip
    """A finding by this row."""
    return Finding(outcome, code, row.rule, row.version, zh, en, supply, by, dict(inputs or {}), row.source)


def documents(names: Sequence[str]) -> Pair:
    """Documents in both languages, as a list."""
    pairs = [DOCUMENTS.get(name, (name, name)) for name in names]
    return "、".join(zh for zh, _en in pairs), ", ".join(en for _zh, en in pairs)


def doubt(row: Row) -> Finding:
    """That a row waits for somebody to confirm it, and why, in the language the doubt was written in."""
    is_zh = any("\u3400" <= sign <= "\u9fff" for sign in row.doubt)
    why_zh, why_en = (
        (f"（{row.doubt}）" if is_zh else ""),
        (f" ({row.doubt})" if row.doubt and not is_zh else ""),
    )
    return finding(
        row, NOTE, "verify", zh=f"规则 {row.name} 待确认，本单未按其判断{why_zh}",
        en=f"rule {row.name} waits for confirmation and judged nothing here{why_en}",
    )  # fmt: skip


def no_rules(shipment: Shipment) -> Finding:
    """That nothing is known about this lane."""
    lane = f"{shipment.origin}>{shipment.destination}"
    return Finding(
        NOTE,
        "no_rules",
        "",
        0,
        f"{lane} 没有生效的规则，未做检查",
        f"no rule is in force for {lane}: nothing was checked",
    )

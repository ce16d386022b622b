"""The statement of an order or of a period in the manner of ISO 14083: what was counted, how, and what was not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from carbon import importer, queries
from carbon.models import CalculationRun
from carbon.reports import reading, scope, terms
from carbon.reports.models import ReportProfile
from carbon.reports.scope import Scope
from carbon.wording import say
from orderhub.orders.models import Order

ZERO = Decimal(0)
STAGES = {
    "transport": ("运输", "Transport"), "warehouse": ("仓储", "Storage"), "packaging": ("包装", "Packaging"),
    "return": ("退货", "Returns"),
}  # fmt: skip
MODES = {
    "road": ("公路", "Road"), "rail": ("铁路", "Rail"), "sea": ("海运", "Sea"), "air": ("航空", "Air"),
    "iww": ("内河", "Inland waterway"), "pipeline": ("管道", "Pipeline"), "hub": ("仓库", "Hub"),
    "packaging": ("包装材料", "Packaging material"), "goods": ("商品", "Goods"),
}  # fmt: skip
DATA = {
    "primary": ("实测", "primary"), "modelled": ("模型", "modelled"), "default": ("缺省", "default"),
}  # fmt: skip
DISTANCES = {
    "sfd": ("最短可行距离", "shortest feasible"), "gcd": ("大圆距离", "great circle"), "actual": ("实际里程", "driven"),
}  # fmt: skip
FLAGS = {
    "DAF_APPLIED": ("距离已按方法换算", "distance adjusted by the method"),
    "DISTANCE_KIND_UNKNOWN": ("距离口径未知，未换算", "kind of distance unknown, not adjusted"),
    "MIXED_DISTANCE_KINDS": ("一条链中混用了距离口径", "kinds of distance are mixed in one chain"),
    "TEMPORAL_GAP": ("因子早于活动日期", "a factor ended before the activity"),
    "DRAFT_FACTOR": ("使用了草稿因子", "a draft factor was used"),
    "GWP_NOT_REBASED": ("部分数字未换算到 AR6", "a part could not be put on AR6"),
    "SPLIT_UNKNOWN": ("无法区分 TTW 与 WTT", "TTW and WTT are not known apart"),
    "DEFAULT_GRID": (
        "仓库所在地没有公开的电网因子，按各国中位数计",
        "no grid factor is known for a warehouse: the median country stands in",
    ),
    "BOUNDARY_GENERATION_ONLY": ("电力因子只含发电环节", "electricity counts generation only"),
    "EOL_TRANSPORT_ONLY": ("废弃处理只含运输", "end of life counts transport only"),
    "EOL_INCOMPLETE": ("包装废弃处理未知，未计入", "end of life of packaging unknown, not counted"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Leg:
    """One element, or the sum of all elements of a kind: kg CO2e, None where it is not known."""

    name: str
    mode: str
    activity: str
    tkm: Decimal | None
    ttw: Decimal | None
    wtt: Decimal | None
    wtw: Decimal
    total: Decimal
    data: str
    factor: str
    formula: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Statement:
    """Everything the page, the PDF and a reader need; texts are in `language`."""

    language: str
    title: str
    subject: str
    made_at: datetime
    facts: Sequence[tuple[str, str]]
    legs: Sequence[Leg]
    kg: Decimal
    low: Decimal
    high: Decimal
    market_kg: Decimal
    ttw: Decimal | None
    wtw: Decimal
    tkm: Decimal
    primary_share: Decimal
    notes: Sequence[str]
    sources: Sequence[tuple[str, str, str]]


def of_order(order: Order, *, language: str, now: datetime) -> Statement | None:
    """The statement of one order, an element a row; None before the ledger says anything of it."""
    document = queries.of_order(order, language=language)
    if document is None:
        return None
    runs = CalculationRun.objects.filter(
        order=order, basis=document["basis"], reverses__isnull=True, reversal__isnull=True
    ).order_by("pk")
    legs = [_leg(run, part, language) for run in runs for part in terms.parts(run)]
    head = document["actual"] if document["basis"] == "actual" else document["estimate"]
    facts = [
        (say("订单", "Order", language), order.number),
        (say("渠道单号", "Channel's number", language), order.external_id),
        (say("下单日期", "Placed on", language), f"{order.placed_at:%Y-%m-%d}"),
        (say("送往", "Going to", language), f"{order.country} {order.province} {order.city}"),
        (say("口径", "Basis", language), _basis(document["basis"], language)),
    ]
    return Statement(
        language=language,
        title=say("单笔订单运输链排放说明", "Transport chain emission statement of an order", language),
        subject=order.number, made_at=now, facts=facts, legs=legs,
        kg=Decimal(head["kg"]), low=Decimal(head["low"]), high=Decimal(head["high"]),
        market_kg=Decimal(head["market_kg"]), primary_share=Decimal(head["primary_share"]),
        notes=_notes(order.merchant_id, legs, language), sources=importer.attribution(),
        **_sums(legs),
    )  # fmt: skip


def of_period(wanted: Scope, *, name: str, language: str, now: datetime) -> Statement:
    """The statement of a scope: elements of one stage and mode are a row, with their intensity per t·km."""
    found: dict[tuple[str, str], list[Leg]] = {}
    for run in scope.runs(wanted).iterator(chunk_size=500):
        for item in run.result["elements"]:
            leg = _plain(run, item, language)
            found.setdefault((item["stage"], leg.mode), []).append(leg)
    legs = [_joined(stage, group, language) for (stage, _mode), group in sorted(found.items())]
    figures = reading.report(wanted, "merchant").total
    around = figures.around
    facts = [
        (say("报告主体", "Reporting party", language), name),
        (say("期间", "Period", language), f"{wanted.since} – {wanted.until} ({wanted.zone})"),
        (say("订单数", "Orders", language), f"{figures.orders:,}"),
        (say("口径", "Basis", language),
         say("已全部签收的订单用实际数据，其余用估算", "facts where everything has arrived, estimates elsewhere", language)),
    ]  # fmt: skip
    return Statement(
        language=language,
        title=say("运输与仓储排放说明", "Emission statement of transport and storage", language),
        subject=name, made_at=now, facts=facts, legs=legs, kg=figures.kg, low=around.p5_kg, high=around.p95_kg,
        market_kg=figures.market_kg, primary_share=figures.primary_share,
        notes=_notes(wanted.merchant_id, legs, language), sources=importer.attribution(),
        **_sums(legs),
    )  # fmt: skip


def _leg(run: CalculationRun, part: terms.Part, language: str) -> Leg:
    item = part.figures
    plain = _plain(run, item, language, mode=part.mode)
    first = next(iter(part.terms), None)
    activity = ""
    if first is not None and first.km is not None:
        mass = f"{terms.short(first.mass_kg)} kg · " if first.mass_kg is not None else ""
        kind = say(*DISTANCES[part.distance_kind], language) if part.distance_kind in DISTANCES else ""
        activity = f"{mass}{terms.short(first.km)} km {kind}".strip()
    elif first is not None and first.quantity is not None:
        activity = f"{terms.short(first.quantity)} {first.factor.unit}"
    return Leg(
        name=f"{run.subject} · {item['id']}", mode=plain.mode, activity=activity, tkm=plain.tkm, ttw=plain.ttw,
        wtt=plain.wtt, wtw=plain.wtw, total=plain.total, data=plain.data, factor=plain.factor,
        formula=tuple(terms.formula(part)), flags=plain.flags,
    )  # fmt: skip


def _plain(run: CalculationRun, item: Any, language: str, *, mode: str = "") -> Leg:
    """An element as its result says it."""
    name = str(mode or _mode_of(run, item["id"]) or item["kind"])
    zh, en = MODES.get(name, (name, name))
    return Leg(
        name=item["id"], mode=say(zh, en, language), activity="", tkm=_number(item["tkm"]),
        ttw=_number(item["ttw_kg"]), wtt=_number(item["wtt_kg"]), wtw=Decimal(item["wtw_kg"]),
        total=Decimal(item["total_kg"]), data=item["data_type"],
        factor=", ".join(item["factors"]), flags=tuple(item["flags"]),
    )  # fmt: skip


def _mode_of(run: CalculationRun, element: str) -> str:
    return next((str(item.get("mode", "")) for item in run.case["elements"] if item["id"] == element), "")


def _joined(stage: str, group: Sequence[Leg], language: str) -> Leg:
    tkm = sum((leg.tkm for leg in group if leg.tkm is not None), ZERO) or None
    wtw = sum((leg.wtw for leg in group), ZERO)
    activity = ""
    if tkm:
        activity = f"{terms.short(tkm)} t·km · {terms.short(wtw / tkm * 1000)} g/t·km"
    kinds = {kind: sum((leg.total for leg in group if leg.data == kind), ZERO) for kind in DATA}
    whole = sum(kinds.values(), ZERO)
    data = " · ".join(
        f"{say(*DATA[kind], language)} {kg / whole * 100:.0f} %" for kind, kg in kinds.items() if whole and kg
    )
    return Leg(
        name=say(*STAGES.get(stage, (stage, stage)), language), mode=group[0].mode, activity=activity, tkm=tkm,
        ttw=_all(leg.ttw for leg in group), wtt=_all(leg.wtt for leg in group), wtw=wtw,
        total=sum((leg.total for leg in group), ZERO), data=data,
        factor=", ".join(sorted({leg.factor for leg in group})),
        flags=tuple(sorted({flag for leg in group for flag in leg.flags})),
    )  # fmt: skip


def _sums(legs: Sequence[Leg]) -> dict[str, Any]:
    moved = [leg for leg in legs if leg.wtw or leg.ttw is not None]
    return {
        "ttw": _all(leg.ttw for leg in moved),
        "wtw": sum((leg.wtw for leg in legs), ZERO),
        "tkm": sum((leg.tkm for leg in legs if leg.tkm is not None), ZERO),
    }


def _all(values: Iterable[Decimal | None]) -> Decimal | None:
    """The sum, None as soon as one is not known."""
    total = ZERO
    for value in values:
        if value is None:
            return None
        total += value
    return total


def _notes(merchant_id: int | None, legs: Sequence[Leg], language: str) -> list[str]:
    """Method, boundary, exclusions and what is to be known of the data; a claim of certification is none of them."""
    profile = ReportProfile.objects.filter(pk=merchant_id).first() if merchant_id else None
    notes = [
        say("方法：参照 ISO 14083:2023 计算，未经认证。", "Method: aligned with ISO 14083:2023; not certified.", language),
        say("运输活动按实际质量（含托运人包装）与距离计算；包裹末端按件分摊。",
            "Transport activity by actual mass with the shipper's packaging and distance; the last mile of parcels by item.",
            language),
        say("边界：仓库出库、干线、末端、包装与退货；不含车辆与建筑的制造、办公室。",
            "Boundary: warehouse, main legs, last mile, packaging, returns. Building of vehicles and sites, offices are out.",
            language),
        say("抵消不计入，也不从任何数字中扣除。", "Offsets are not counted and taken from no figure.", language),
    ]  # fmt: skip
    if profile is not None:
        notes += [text for text in (profile.boundary, profile.exclusions) if text]
    flags = sorted({flag for leg in legs for flag in leg.flags})
    return notes + [say(*FLAGS.get(flag, (flag, flag)), language) for flag in flags]


def _basis(basis: str, language: str) -> str:
    return say("实际", "actual", language) if basis == "actual" else say("估算", "estimate", language)


def _number(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)

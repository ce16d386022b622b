"""Why an order's estimate and its actual figure differ, in a sentence; Chinese and English side by side."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Protocol

_STAGES = {
    "zh": {"warehouse": "仓储", "transport": "运输", "packaging": "包装", "return": "退货"},
    "en": {"warehouse": "storage", "transport": "transport", "packaging": "packaging", "return": "returns"},
}
_WORDS = {
    "zh": {
        "none": "尚无数据。",
        "estimate": "这是按计划路线、商品资料重量和默认系数做的估算；包裹称重、签收后会换成实际数据。",
        "part": "已有部分实际数据；全部签收后会以实际数据为准。",
        "same": "实际与估算一致。",
        "more": "实际比估算多 {kg} 千克",
        "less": "实际比估算少 {kg} 千克",
        "stage": "{stage}{sign}{kg} 千克",
        "mass": "包裹实际重 {actual} 千克，估算时为 {planned} 千克",
        "way": "实际干线 {actual} 公里，计划 {planned} 公里",
        "joint": "；",
        "colon": "：",
        "end": "。",
    },
    "en": {
        "none": "No figures yet.",
        "estimate": "An estimate from the planned route, catalog weights and default factors. "
        "It is replaced by facts once parcels are weighed and delivered.",
        "part": "Some facts are in. They replace the estimate once everything has arrived.",
        "same": "The actual figure equals the estimate.",
        "more": "{kg} kg more than estimated",
        "less": "{kg} kg less than estimated",
        "stage": "{stage} {sign}{kg} kg",
        "mass": "the parcels weigh {actual} kg, {planned} kg were planned",
        "way": "the main leg took {actual} km, {planned} km were planned",
        "joint": "; ",
        "colon": ": ",
        "end": ".",
    },
}
_SUMMARY = {
    "zh": {
        "estimate": "运输、仓储和包装的估算，签收后更新为实际数据",
        "actual": "按实际称重、实际路程和包装计算",
    },
    "en": {
        "estimate": "Estimated for transport, storage and packaging. Updated with facts after delivery",
        "actual": "From the weighed parcels, their way and their packaging",
    },
}
_SMALLEST_KG = Decimal("0.0005")


class Figure(Protocol):
    """What a comparison needs of a figure."""

    @property
    def kg(self) -> Decimal:
        """kg CO2e."""

    @property
    def gross_kg(self) -> Decimal:
        """Mass on the main legs."""

    @property
    def way_km(self) -> Decimal:
        """km of the main legs."""

    @property
    def by_stage(self) -> dict[str, Decimal]:
        """kg CO2e by stage."""

    @property
    def is_whole(self) -> bool:
        """Whether nothing is missing."""


def summary(basis: str, figures: Mapping[str, Figure], *, language: str) -> str:
    """One line for the customer: what the figure rests on and, for facts, how it compares with the
    estimate.
    """
    tongue = _tongue(language)
    text = _SUMMARY[tongue][basis]
    if basis == "actual" and "estimate" in figures:
        difference = figures["actual"].kg - figures["estimate"].kg
        if abs(difference) >= _SMALLEST_KG:
            word = _compared(difference, tongue)
            return f"{text}，{word}" if tongue == "zh" else f"{text}, {word}"
    return text


def explanation(figures: Mapping[str, Figure], *, language: str) -> str:
    """Why estimate and actual differ: by stage, and which facts changed."""
    tongue = _tongue(language)
    words = _WORDS[tongue]
    estimate, actual = figures.get("estimate"), figures.get("actual")
    if estimate is None and actual is None:
        return words["none"]
    if actual is None:
        return words["estimate"]
    if estimate is None or not actual.is_whole:
        return words["part"]
    difference = actual.kg - estimate.kg
    if abs(difference) < _SMALLEST_KG:
        return words["same"]
    parts = [*_by_stage(estimate, actual, tongue), *_by_fact(estimate, actual, tongue)]
    colon = words["colon"] if parts else ""
    return f"{_compared(difference, tongue)}{colon}{words['joint'].join(parts)}{words['end']}"


def _compared(difference: Decimal, tongue: str) -> str:
    return _WORDS[tongue]["more" if difference > 0 else "less"].format(kg=_short(abs(difference)))


def _by_stage(estimate: Figure, actual: Figure, tongue: str) -> list[str]:
    """The stages that moved, the widest first."""
    moved = {stage: kg - estimate.by_stage[stage] for stage, kg in actual.by_stage.items()}
    wide = sorted(
        (stage for stage in moved if abs(moved[stage]) >= _SMALLEST_KG), key=lambda stage: -abs(moved[stage])
    )
    return [
        _WORDS[tongue]["stage"].format(
            stage=_STAGES[tongue][stage], sign="+" if moved[stage] > 0 else "−", kg=_short(abs(moved[stage]))
        )
        for stage in wide
    ]


def _by_fact(estimate: Figure, actual: Figure, tongue: str) -> list[str]:
    words, found = _WORDS[tongue], []
    if abs(actual.gross_kg - estimate.gross_kg) >= Decimal("0.01"):
        found.append(
            words["mass"].format(actual=f"{actual.gross_kg:.2f}", planned=f"{estimate.gross_kg:.2f}")
        )
    if abs(actual.way_km - estimate.way_km) >= 1:
        found.append(words["way"].format(actual=f"{actual.way_km:.0f}", planned=f"{estimate.way_km:.0f}"))
    return found


def _short(kg: Decimal) -> str:
    """Two significant digits below 1 kg, three above, never in powers of ten."""
    return f"{Decimal(f'{kg:.{2 if kg < 1 else 3}g}'):f}"


def _tongue(language: str) -> str:
    return "zh" if language.lower().startswith("zh") else "en"

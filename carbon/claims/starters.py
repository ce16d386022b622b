"""The words a fresh hub knows. Second-hand reading of the rules named; counsel reads the originals before selling there."""

from __future__ import annotations

from carbon.claims.linter import Word

_OFFSET_ZH = "欧盟自 2026 年 9 月 27 日起不得以抵消宣称产品或配送「碳中和」（指令 (EU) 2024/825）"
_OFFSET_EN = (
    "From 27 September 2026 the EU bans neutrality claims that rest on offsets (Directive (EU) 2024/825)"
)
_VAGUE_ZH = "没有公认证明的笼统环保用语（指令 (EU) 2024/825）"
_VAGUE_EN = "A generic environmental claim without recognized proof (Directive (EU) 2024/825)"
_CERT_ZH = "方法对齐不等于认证，不得写「认证」"
_CERT_EN = "Aligned with a method is not certified by it"
_FIGURE_ZH = "本次履约估算排放 {kg} kg CO2e（方法对齐 ISO 14083，数据年份 {year}，主要数据 {share} %）"
_FIGURE_EN = (
    "Estimated {kg} kg CO2e for this order (aligned with ISO 14083, data of {year}, {share} % primary data)"
)
_LABEL_ZH, _LABEL_EN = "合并配送", "consolidated delivery"

_NEUTRAL = {
    "en": ("carbon neutral", "climate neutral", "CO2 neutral", "climate positive", "carbon negative", "zero emission",
           "emission free", "net zero delivery", "carbon free", "climate compensated"),
    "de": ("klimaneutral", "CO2 neutral", "klimapositiv", "emissionsfrei"),
    "fr": ("neutre en carbone", "neutralité carbone", "zéro émission"),
    "zh": ("碳中和", "零碳", "零排放", "气候中和", "碳中性", "负碳"),
}  # fmt: skip
_VAGUE = {
    "en": ("eco friendly", "environmentally friendly", "climate friendly", "green delivery", "sustainable delivery",
           "good for the planet", "planet friendly"),
    "de": ("umweltfreundlich", "klimafreundlich", "grüne Lieferung"),
    "fr": ("écologique", "respectueux de l'environnement", "livraison verte"),
    "zh": ("环保配送", "绿色配送", "对环境友好", "生态友好"),
}  # fmt: skip
_CERTIFIED = {
    "en": ("ISO 14083 certified", "certified to ISO 14083", "certified ISO 14083"),
    "zh": ("ISO 14083 认证", "通过 ISO 14083"),
}  # fmt: skip


def words() -> list[Word]:
    """All of them: neutrality in any market, vague words in the EU, certification in any."""
    found = [
        Word(text, "*", language, _OFFSET_ZH, _OFFSET_EN, _FIGURE_ZH, _FIGURE_EN)
        for language, texts in _NEUTRAL.items()
        for text in texts
    ]
    found += [
        Word(text, "EU", language, _VAGUE_ZH, _VAGUE_EN, _LABEL_ZH, _LABEL_EN)
        for language, texts in _VAGUE.items()
        for text in texts
    ]
    return found + [
        Word(text, "*", language, _CERT_ZH, _CERT_EN, "方法对齐 ISO 14083", "aligned with ISO 14083")
        for language, texts in _CERTIFIED.items()
        for text in texts
    ]

"""The claim linter: what a text may not say about climate in a market. Pure: words come in, findings go out.

Besides the words of the lists it looks for four things in any text: a saving that names no baseline, an offset taken
off a footprint, a figure more exact than it can be, and a footprint without method or year.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

ANY = "*"
#: Market where a finding keeps a text from being published; elsewhere people are warned.
BLOCKING = frozenset({"EU"})
EU = frozenset(
    ("AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT", "LU", "LV", "MT",
     "NL", "PL", "PT", "RO", "SE", "SI", "SK")
)  # fmt: skip
_FIGURE = re.compile(
    r"(?P<number>\d[\d.,]*)\s*(?:k?g|t|千克|公斤|克|吨)\s*(?:of\s+)?(?:co\s*2e?|co₂e?|碳|二氧化碳)",
    re.IGNORECASE,
)
_SAVING = re.compile(
    r"\b(?:sav(?:e|es|ed|ing|ings)|less|lower|reduc(?:e|es|ed|ing|tion)|avoid(?:s|ed|ing)?|cuts?)\b"
    r"|节省|少排|减排|减少|降低|避免|减碳",
    re.IGNORECASE,
)
_CLIMATE = re.compile(r"co\s*2|co₂|carbon|emission|climate|greenhouse|碳|排放|气候|温室", re.IGNORECASE)
_BASELINE = re.compile(
    r"\b(?:than|compared|versus|vs\.?|instead of|relative to|baseline|against)\b|相比|对比|较|比.{1,20}(?:少|低)|对照|基准|相对",
    re.IGNORECASE,
)
_NETTED = re.compile(
    r"\b(?:after offset\w*|net of offset\w*|offset to (?:zero|0)|net[- ]?zero|minus offset\w*|less offset\w*)\b"
    r"|抵消后|扣除抵消|净零|抵扣后",
    re.IGNORECASE,
)
_METHOD = re.compile(r"\{method\}|iso\s*14083|en\s*17837|ghg protocol|glec", re.IGNORECASE)
_YEAR = re.compile(r"\b20\d\d\b|20\d\d\s*年|\{year\}|\{year", re.IGNORECASE)
_PLACEHOLDER = re.compile(r"\{kg\}|\{low\}|\{high\}|\{saving\}")
MOST_DIGITS = 3


@dataclass(frozen=True, slots=True)
class Word:
    """A phrase that a market does not allow in a language (`*`: any), why, and what may be said instead."""

    text: str
    market: str
    language: str
    why_zh: str
    why_en: str
    instead_zh: str = ""
    instead_en: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: a code, the words it is about, why, and what may be said instead; two languages."""

    code: str
    text: str
    zh: str
    en: str
    instead_zh: str = ""
    instead_en: str = ""


def market_of(country: str) -> str:
    """The market of a country: EU for its members, else the country itself."""
    return "EU" if country.upper() in EU else country.upper()


def lint(text: str, *, market: str, language: str, words: Iterable[Word]) -> list[Finding]:
    """Everything a text may not say in a market; the words of the lists first, in their order."""
    plain = normal(text)
    found = [
        Finding("forbidden_word", word.text, word.why_zh, word.why_en, word.instead_zh, word.instead_en)
        for word in words
        if word.market in (ANY, market) and _fits(word.language, language) and says(plain, word.text)
    ]
    return found + [finding for look in _LOOKS for finding in look(plain)]


def normal(text: str) -> str:
    """One spelling: full and half width alike, one blank, no invisible characters, and no markup in between."""
    folded = unicodedata.normalize("NFKC", re.sub(r"<[^>]{0,200}>", "", text))
    visible = "".join(letter for letter in folded if unicodedata.category(letter) != "Cf")
    return re.sub(r"[\s\-_‐-―·]+", " ", visible).strip()


def says(plain: str, phrase: str) -> bool:
    """Whether a normal text has a phrase: whole words in Latin letters, anywhere in Chinese."""
    wanted = re.escape(normal(phrase))
    if normal(phrase).isascii():
        return re.search(rf"(?<![a-z0-9]){wanted}(?![a-z0-9])", plain, re.IGNORECASE) is not None
    return re.search(wanted.replace(r"\ ", r"\s?"), plain) is not None


def _fits(wanted: str, language: str) -> bool:
    return wanted == ANY or language.lower()[:2] == wanted.lower()[:2]


def _savings(plain: str) -> list[Finding]:
    """Sentence by sentence: a saving of emissions has to say against what."""
    return [
        Finding(
            "saving_without_baseline",
            sentence[:80],
            "说了减少，却没有说与什么相比",
            "a saving that names no baseline",
        )
        for sentence in _sentences(plain)
        if _SAVING.search(sentence)
        and _CLIMATE.search(sentence)
        and not _BASELINE.search(sentence)
        and not _NETTED.search(sentence)
    ]


def _netted(plain: str) -> list[Finding]:
    return [
        Finding(
            "offset_in_footprint",
            match.group(0),
            "把抵消算进了排放数字",
            "an offset is taken off a footprint",
        )
        for match in _NETTED.finditer(plain)
    ]


def _exact(plain: str) -> list[Finding]:
    return [
        Finding("false_precision", match.group(0), "有效数字多于三位", "over three digits: more exact than the data")
        for match in _FIGURE.finditer(plain)
        if _digits(match["number"]) > MOST_DIGITS
    ]  # fmt: skip


def _digits(number: str) -> int:
    """Significant digits; blanks and separators of thousands do not count, zeros at the end of a whole number neither."""
    value = number.replace(",", "").rstrip(".")
    whole = value.replace(".", "").lstrip("0")
    return len(whole) if "." in value else len(whole.rstrip("0"))


def _sourced(plain: str) -> list[Finding]:
    if not (_FIGURE.search(plain) or (_PLACEHOLDER.search(plain) and _CLIMATE.search(plain))):
        return []
    found = []
    if not _METHOD.search(plain):
        found.append(
            Finding("no_method", "", "有排放数字，却没有写方法", "a figure of emissions without its method")
        )
    if not _YEAR.search(plain):
        found.append(
            Finding(
                "no_year",
                "",
                "有排放数字，却没有写数据年份",
                "a figure of emissions without the year of its data",
            )
        )
    return found  # fmt: skip


_LOOKS = (_savings, _netted, _exact, _sourced)


def _sentences(plain: str) -> Sequence[str]:
    return [part for part in re.split(r"[。!?;\n]|\.(?=\s|$)", plain) if part.strip()]

"""Names made comparable: one spelling, Latin letters for other scripts, no legal suffixes, words sorted.

Each name has a few *forms*; two names are as alike as their most alike forms (token-sort similarity, 0 to 100). *Keys* let a
database find the few listed names worth comparing: the first letters of each telling word.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from anyascii import anyascii
from rapidfuzz import fuzz

_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
#: Legal forms and titles of companies: they tell nobody from anybody. Longest first among those of one script.
_HAN_SUFFIXES = ("股份有限公司", "有限责任公司", "集团有限公司", "有限公司", "集团公司", "公司", "集团")
_LEGAL_WORDS = """
AB AG AS BV BVBA CIA CO COMP COMPANY CORP CORPORATION CV DE DOO EIRL ENTERPRISE ENTERPRISES EOOD ET
FZCO FZE GMBH GROUP INC INCORPORATED INTL JSC KG LIMITED LIMITADA LLC LLP LTD LTDA NV OAO OJSC OOO
OY PAO PJSC PLC PTE PTY PVT RL SA SAE SAL SARL SAS SC SCS SL SPA SRL THE TOO ZAO AND Y E GONGSI
YOUXIAN
"""
_SUFFIXES = frozenset(_LEGAL_WORDS.split())
#: Too frequent to find anything by, unless a name has nothing else.
_FREQUENT_WORDS = """
BANK COMMERCIAL COMPANHIA COMERCIALIZADORA COMERCIAL DEL DEVELOPMENT ENGINEERING EXPORT EXPORTS FOOD
FOODS FOR FREIGHT GENERAL GLOBAL HOLDING HOLDINGS HONG HOTEL IMPORT IMPORTS INDUSTRIAL INDUSTRIES
INDUSTRY INMOBILIARIA INTERNATIONAL INVERSIONES INVESTMENT INVESTMENTS KONG LA LAS LOGISTICS LOS
MANUFACTURING MARITIME NATIONAL NEW OF OIL PETROLEUM SERVICES SERVICIOS SHANGHAI SHIPPING STATE
TECHNOLOGY TRADE TRADING TRANSPORT UNION WORLD BEIJING SHENZHEN DALIAN GUANGZHOU MAOYI
"""
_FREQUENT = frozenset(_FREQUENT_WORDS.split())
_KEY_LETTERS = 4
_LONGEST = 200
_LEAST_LETTERS = 3


@lru_cache(maxsize=20_000)
def forms(name: str) -> tuple[str, ...]:
    """The comparable forms of a name: as written in Latin letters, without legal suffixes, pinyin run together."""
    text = unicodedata.normalize("NFKC", name)[:_LONGEST]
    found = [_spelled(text)]
    if _HAN.search(text):
        bare = text
        for suffix in _HAN_SUFFIXES:
            bare = bare.removesuffix(suffix)
        found = [_spelled(_pinyin(part)) for part in (text, bare)]
    bare_forms = [_without_suffixes(form) for form in found]
    return tuple(dict.fromkeys(form for form in (*found, *bare_forms) if form))


def _pinyin(text: str) -> str:
    """Each character's sound, blanks between."""
    from pypinyin import Style, lazy_pinyin  # here: its dictionaries are 55 MB that most processes never need

    return " ".join(lazy_pinyin(text, style=Style.NORMAL))


def joined(form: str) -> str:
    """The letters of a form without blanks: pinyin is split one way by us and another way by a list."""
    return form.replace(" ", "")


def keys(name: str) -> frozenset[str]:
    """What the name is found by: the first letters of its telling words, and of its pinyin run together."""
    found: set[str] = set()
    for form in forms(name):
        words = form.split()
        telling = [
            word for word in words if word not in _SUFFIXES | _FREQUENT and len(word) >= _LEAST_LETTERS
        ]
        found.update(word[:_KEY_LETTERS] for word in telling or words)
        if (run := joined(form)) and len(run) >= _KEY_LETTERS:
            found.add(f"={run[:6]}")
    return frozenset(found)


def similarity(left: str, right: str) -> int:
    """How alike two names are, 0 to 100: the best of all pairs of forms, words sorted, or run together."""
    best = 0.0
    for one in forms(left):
        for other in forms(right):
            best = max(best, fuzz.token_sort_ratio(one, other))
            if min(len(one), len(other)) >= _KEY_LETTERS:
                best = max(best, fuzz.ratio(joined(one), joined(other)))
    return round(best)


def adjusted(score: int, *, same_country: bool | None) -> int:
    """A similarity after what else is known: a shared country raises it a little, another one lowers it."""
    if same_country is None:
        return score
    return min(100, score + 2) if same_country else max(0, score - 3)


def _spelled(text: str) -> str:
    """Capital Latin letters, digits and blanks; points and apostrophes go without a gap (S.A. → SA)."""
    latin = anyascii(text).upper()
    tight = re.sub(r"['’`´.]", "", latin)
    return _together(re.sub(r"[^A-Z0-9]+", " ", tight).split())


def _together(words: Iterable[str]) -> str:
    """Single letters that follow each other are one word: S C S → SCS."""
    found: list[str] = []
    run = ""
    for word in words:
        if len(word) == 1 and word.isalpha():
            run += word
            continue
        found += [run] if run else []
        run = ""
        found.append(word)
    return " ".join([*found, run] if run else found)


def _without_suffixes(form: str) -> str:
    """The form without legal words, if enough of a name is left."""
    left = [word for word in form.split() if word not in _SUFFIXES]
    return " ".join(left) if sum(len(word) for word in left) >= _KEY_LETTERS else ""

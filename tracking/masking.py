"""What strangers may see of a person: first character, a few digits, the district; free text without
contacts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

Audience = Literal["public", "partner", "staff"]

HIDDEN = "***"
HIDDEN_DIGITS = 6

_WIDE = [*range(0xFF10, 0xFF1A), *range(0xFF21, 0xFF3B), *range(0xFF41, 0xFF5B), 0xFF0B, 0xFF0D]
_FULL_WIDTH = {wide: wide - 0xFEE0 for wide in _WIDE}
_COUNTRY_CODE = re.compile(r"^(\+|00)86")
_PHONES = (
    # +86 138 0013 8000, 0086-13800138000, +1 (415) 555-2671: a plus or 00 and at least eight digits.
    re.compile(r"(?<![\w+])(?:\+|00)\d(?:[ ().\-]{0,2}\d){7,14}(?!\d)"),
    # 13800138000, 138-0013-8000, 138 0013 8000 and numbers with hidden middles such as 138****8000.
    re.compile(r"(?<![0-9A-Za-z])1[ \-]?\d[ \-]?\d[ \-]?[\d*]{4}[ \-]?\d{4}(?![0-9])"),
    # 0571-88888888, (010) 8888 8888, 021 6666666, with an extension.
    re.compile(r"(?<![0-9A-Za-z])\(?0\d{2,3}\)?[ \-]?\d{3,4}[ \-]?\d{4}(?:[ \-转]{1,2}\d{1,5})?(?![0-9])"),
    # 400-888-8888, 415-555-2671, (415) 555-2671.
    re.compile(r"(?<![0-9A-Za-z])\(?[2-9]\d{2}\)?[ \-.]\d{3}[ \-.]?\d{4}(?![0-9])"),
    re.compile(r"(?<![0-9A-Za-z])[48]00\d{7}(?![0-9])"),
)
_CODE_WORDS = (
    "取件码|取货码|提货码|自提码|开箱码|验证码|取件密码|密码"
    r"|pick-?up code|collection code|access code|\bPIN\b"
)
_PICKUP_CODE = re.compile(
    rf"((?:{_CODE_WORDS})\s*(?:是|为|is)?\s*[:：]?\s*)"
    r"[【\[「“\"]?[A-Za-z0-9]{1,6}(?:-[A-Za-z0-9]{1,6}){0,3}[】\]」”\"]?",
    re.IGNORECASE,
)
_ROLE = r"快递员|派件员|派送员|配送员|揽收员|揽投员|业务员|收件员|投递员|骑手|小哥"
# A name is two to four characters after the role, unless a verb stands there: 快递员正在派送.
_NOT_A_NAME = "(?!正在|已|将|会|即将|马上|尽快|为您|电话|手机|联系|派送|派件|揽收|上门|未能|无法|因)"
_NAME_ENDS = r"(?=[】\]）)（(，,。；;、\s]|电话|手机|联系|正在|已|将|为您|派送|派件|$)"
_COURIER = re.compile(
    rf"((?:{_ROLE})\s*[:：]?\s*[【\[（(]?){_NOT_A_NAME}([\u4e00-\u9fff·]{{2,4}}?){_NAME_ENDS}"
)
_PERSON = re.compile(
    r"((?:签收人|代收人|收件人|联系人|寄件人|收货人|(?i:signed by|received by))\s*[:：是为]?\s*[【\[（(]?)"
    r"(?<=[:：是为【\[（(y ])([\u4e00-\u9fff·]{2,4}|[A-Z][a-z]+(?: [A-Z][a-z]+)*)",
)
_STREET_END = re.compile(r"^.*?(?:大道|路|街|道|巷|弄|胡同)")
_FLAT = re.compile(r",?\s*(?:\b(?:apt|unit|suite|room|rm|flat|floor|no)\b\.?|#)\s*#?\s*[\w-]+", re.IGNORECASE)
_HOUSE = re.compile(r"^\d+[A-Za-z]?(?:[-/]\d+)?,?\s+")


def mask_name(name: str) -> str:
    """The first character and three stars, whatever the length: 欧阳某某 → 欧***; "" stays ""."""
    plain = name.strip()
    return f"{plain[0]}{HIDDEN}" if plain else ""


def mask_phone(phone: str, *, audience: Audience = "public") -> str:
    """At least six digits hidden: 10012345678 → 100******78; "" for partners and for texts without digits."""
    digits = re.sub(r"\D", "", _COUNTRY_CODE.sub("", _narrow(phone).strip()))
    if audience == "partner" or not digits:
        return ""
    shown = max(0, len(digits) - HIDDEN_DIGITS)
    tail = min(2, shown)
    head = min(3, shown - tail)
    return digits[:head] + "*" * (len(digits) - head - tail) + digits[len(digits) - tail :]


def mask_address(
    *, province: str = "", city: str = "", district: str = "", street: str = "", audience: Audience = "public"
) -> str:
    """Public: province, city, district; partner: city; staff: up to the street, never house or room."""
    if audience == "partner":
        return city.strip()
    parts = [province, city, district]
    if audience == "staff":
        parts.append(_street_only(street))
    kept: list[str] = []
    for part in (part.strip() for part in parts):
        # 上海 / 上海市: a municipality is its own province.
        if part and not (kept and (part.startswith(kept[-1]) or kept[-1].startswith(part))):
            kept.append(part)
    joint = "" if any("\u4e00" <= char <= "\u9fff" for char in "".join(kept)) else ", "
    return joint.join(kept)


def public_text(text: str, *, secrets: Iterable[str] = ()) -> str:
    """A carrier's remark without phones, pickup codes, couriers' and recipients' names, and the given
    `secrets`.

    Tracking numbers stay. Digits in full width are read as digits. Run it before a remark is stored for the
    public.
    """
    clean = _narrow(text)
    for secret in sorted(
        {secret.strip() for secret in secrets if len(secret.strip()) > 1}, key=len, reverse=True
    ):
        clean = re.sub(re.escape(_narrow(secret)), HIDDEN, clean, flags=re.IGNORECASE)
    clean = _PICKUP_CODE.sub(rf"\1{HIDDEN}", clean)
    for pattern in _PHONES:
        clean = pattern.sub(HIDDEN, clean)
    clean = _COURIER.sub(rf"\1{HIDDEN}", clean)
    return _PERSON.sub(rf"\1{HIDDEN}", clean)


def _narrow(text: str) -> str:
    """Full-width digits, letters, plus and hyphen as their plain forms; Chinese punctuation stays."""
    return text.translate(_FULL_WIDTH)


def _street_only(street: str) -> str:
    plain = street.strip()
    if found := _STREET_END.match(plain):
        return re.sub(r"\d.*$", "", found[0])
    without_flat = _FLAT.sub("", plain).strip(" ,，")
    return re.sub(r"\d.*$", "", _HOUSE.sub("", without_flat)).strip(" ,，")

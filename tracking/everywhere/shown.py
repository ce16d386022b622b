"""What the page says of its buyer's wishes: what may be asked for, what was, and what became of it."""

from __future__ import annotations

from typing import Any

from orderhub.orders.models import AddressChange, Order
from tracking.everywhere import asking
from tracking.everywhere.models import PageRequest
from tracking.parcels import Reader

Json = dict[str, Any]
_S, _A = PageRequest.State, AddressChange.State
_TITLES = {
    "preference": {"zh": "配送偏好", "en": "Delivery preference"},
    "address": {"zh": "修改收货地址", "en": "Change the address"},
    "return": {"zh": "申请退货", "en": "Return something"},
    "complaint": {"zh": "投诉与反馈", "en": "Make a complaint"},
}
_OUTCOMES = {
    _S.OPEN: ("wait", {"zh": "已收到，商家正在处理", "en": "Received. The shop is looking into it"}),
    _S.ACCEPTED: ("ok", {"zh": "商家已同意", "en": "The shop agreed"}),
    _S.REFUSED: ("bad", {"zh": "商家未能同意", "en": "The shop could not agree"}),
}
_WAITS = ("wait", {"zh": "正在与仓库和快递确认", "en": "Being checked with warehouse and carrier"})
_ADDRESS_OUTCOMES = {
    _A.APPLIED: ("ok", {"zh": "地址已修改", "en": "The address was changed"}),
    _A.PARTLY: ("warn", {"zh": "部分包裹已改到新地址", "en": "Some parcels go to the new address"}),
    _A.REFUSED: ("bad", {"zh": "未能修改，仍送往原地址", "en": "Not changed; it goes to the old address"}),
    _A.TOO_LATE: ("bad", {"zh": "已来不及修改，仍送往原地址", "en": "Too late; it goes to the old address"}),
}


def wishes(order: Order, reader: Reader) -> Json:
    """`offered`: what may be asked for now, with its choices; `made`: what was, newest first. Three queries."""
    rows = PageRequest.objects.filter(order=order).order_by("-pk")[:10]
    made = [_made(row, reader) for row in rows]
    change = AddressChange.objects.filter(order=order).order_by("-pk").first()
    if change is not None:
        tone, words = _ADDRESS_OUTCOMES.get(_A(change.state), _WAITS)
        made.append({
            "kind": "address", "title": _TITLES["address"][reader.tongue], "text": "", "tone": tone,
            "outcome": words[reader.tongue], "answer": "", "at": reader.iso(change.requested_at),
        })  # fmt: skip
    pending = {row.kind for row in rows if row.state == _S.OPEN}
    return {
        "offered": [_offered(kind, reader) for kind in asking.open_kinds(order) if kind not in pending],
        "made": sorted(made, key=lambda one: str(one["at"]), reverse=True),
    }


def _offered(kind: str, reader: Reader) -> Json:
    choices = asking.CHOICES.get(kind, {})
    return {
        "kind": kind,
        "title": _TITLES[kind][reader.tongue],
        "choices": [{"code": code, "text": both[reader.tongue]} for code, both in choices.items()],
    }


def _made(row: PageRequest, reader: Reader) -> Json:
    tone, words = _OUTCOMES[_S(row.state)]
    choice = asking.CHOICES.get(row.kind, {}).get(row.choice)
    return {
        "kind": row.kind,
        "title": _TITLES[row.kind][reader.tongue],
        "text": choice[reader.tongue] if choice else "",
        "tone": tone,
        "outcome": words[reader.tongue],
        "answer": row.answer,
        "at": reader.iso(row.asked_at),
    }

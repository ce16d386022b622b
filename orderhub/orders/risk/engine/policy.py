"""A merchant's policy compiled from plain data: limits, and signals whose conditions were checked word by word."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal, cast, get_args

from orderhub.orders.risk.engine.words import GROUPS, VOCABULARY, WINDOWED
from rules.engine import Compiled, Fact, RuleError, Vocabulary, compile_condition

Mode = Literal["off", "shadow", "live"]
MODES = frozenset(get_args(Mode))
MAX_SIGNALS = 200
MAX_WINDOW_HOURS = 180 * 24
#: A fact put into a sentence: {phone.accounts}. Nothing else in braces is read.
PLACEHOLDER = re.compile(r"\{([a-z0-9_.]{1,40})\}")
_CODE = re.compile(r"[a-z][a-z0-9_]{0,39}\Z")


@dataclass(frozen=True, slots=True)
class Signal:
    """One sign of trouble (or of trust): its condition over facts, its window, and what it adds when it fires.

    `window_hours` 0 is for facts of the order itself. `holds` stops the order whatever the score.
    """

    code: str
    group: str
    window_hours: int
    condition: Compiled
    words: frozenset[str]
    points: int
    holds: bool
    mode: Mode
    zh: str
    en: str
    says_zh: str
    says_en: str


@dataclass(frozen=True, slots=True)
class Policy:
    """Signals and limits: below `review_from` passes, from `hold_from` on is held, between is reviewed."""

    review_from: int
    hold_from: int
    group_cap: int
    signals: tuple[Signal, ...]
    settings: Mapping[str, Any]

    @property
    def windows(self) -> tuple[int, ...]:
        """The different windows, in hours, that signals in use count over."""
        found = {x.window_hours for x in self.signals if x.mode != "off" and x.words & WINDOWED}
        return tuple(sorted(found))


def compile_policy(content: Mapping[str, Any]) -> Policy:
    """Check and compile a policy; RuleError names the signal's code and what is wrong with it."""
    review, hold, cap = (
        _whole(content, name, low=1, high=100) for name in ("review_from", "hold_from", "group_cap")
    )
    if review >= hold:
        raise RuleError(
            "review_from", "range", zh="审核线须低于拦截线", en="must be below the limit for holding"
        )
    rows = content.get("signals", ())
    if not isinstance(rows, Sequence) or len(rows) > MAX_SIGNALS:
        raise RuleError(
            "signals", "size", zh=f"最多 {MAX_SIGNALS} 个信号", en=f"at most {MAX_SIGNALS} signals"
        )
    words = words_of(content)
    signals = tuple(_signal(row, words) for row in rows)
    codes = [signal.code for signal in signals]
    if twice := sorted({code for code in codes if codes.count(code) > 1}):
        raise RuleError(twice[0], "twice", zh="信号重复", en="is there twice")
    return Policy(review, hold, cap, signals, dict(content.get("settings", {})))


def words_of(content: Mapping[str, Any]) -> Vocabulary:
    """The words of signals: ours, and the custom fields that the policy was written with (`facts`)."""
    own = [Fact(**{**row, "choices": tuple(row.get("choices", ()))}) for row in content.get("facts", ())]
    return Vocabulary.of([*VOCABULARY.facts.values(), *own]) if own else VOCABULARY


def _signal(row: Mapping[str, Any], known: Vocabulary) -> Signal:
    code = str(row.get("code", ""))
    if not _CODE.match(code):
        raise RuleError(code[:40] or "code", "code", zh="代码只能用小写字母、数字和下划线", en="is no code")
    try:
        return _compiled(code, row, known)
    except RuleError as fault:
        raise RuleError(f"{code}.{fault.path}", fault.code, zh=fault.zh, en=fault.en) from fault


def _compiled(code: str, row: Mapping[str, Any], known: Vocabulary) -> Signal:
    condition = compile_condition(row.get("condition"), known)
    words = frozenset(_words(row["condition"]))
    window = _whole(row, "window_hours", low=0, high=MAX_WINDOW_HOURS)
    if bool(window) != bool(words & WINDOWED):
        if window:
            raise RuleError(
                "window_hours", "window", zh="条件不用计数，不能有窗口", en="nothing is counted, so no window"
            )
        raise RuleError(
            "window_hours", "window", zh="计数的条件需要窗口", en="what is counted needs a window"
        )
    if row.get("group") not in GROUPS:
        raise RuleError("group", "choice", zh="没有这个分组", en="is no group")
    if row.get("mode") not in MODES:
        raise RuleError("mode", "choice", zh="模式须为 off、shadow 或 live", en="must be off, shadow or live")
    says = {name: str(row.get(name, "")) for name in ("zh", "en", "says_zh", "says_en")}
    for name in ("says_zh", "says_en"):
        for word in PLACEHOLDER.findall(says[name]):
            if word not in VOCABULARY.facts:
                raise RuleError(name, "unknown_fact", zh=f"未知的字段 {word}", en=f"unknown fact {word}")
    return Signal(
        code, str(row["group"]), window, condition, words, _whole(row, "points", low=-100, high=100),
        bool(row.get("holds", False)), cast("Mode", row["mode"]), says["zh"], says["en"], says["says_zh"],
        says["says_en"],
    )  # fmt: skip


def _whole(row: Mapping[str, Any], name: str, *, low: int, high: int) -> int:
    value = row.get(name)
    if isinstance(value, Decimal) and value == value.to_integral_value():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise RuleError(
            name,
            "range",
            zh=f"须为 {low} 到 {high} 的整数",
            en=f"must be a whole number from {low} to {high}",
        )
    return value


def _words(tree: Any) -> list[str]:
    """The facts a checked condition names."""
    if "fact" in tree:
        return [tree["fact"]]
    inner = tree.get("not")
    parts = [inner] if inner is not None else [*tree.get("all", ()), *tree.get("any", ())]
    return [word for part in parts for word in _words(part)]

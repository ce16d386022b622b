"""The shelf of ready-made risk signals: copied into a merchant's draft they count in shadow, and stop nothing."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from orderhub.kernel import clock
from orderhub.orders.risk import policies
from orderhub.orders.risk.engine import VOCABULARY
from orderhub.orders.risk.engine.words import GROUPS
from orderhub.orders.risk.models import RiskPolicy, RiskSignal
from rules.engine import sentence
from rules.library import shelves
from rules.library.shelves import Copy, Entry, Shelf, Target, Words


def entries() -> list[Entry]:
    """Each starter signal with its condition as a sentence."""
    return [_entry(row) for row in policies.starter_signals()]


def targets(user: Any) -> list[Target]:
    """The policies this person may write to."""
    found = RiskPolicy.objects.select_related("merchant").order_by("merchant_id")
    merchant_id = getattr(user, "merchant_id", None)
    if merchant_id is not None:
        found = found.filter(merchant=merchant_id)
    return [Target(str(row.pk), str(row)) for row in found]


@transaction.atomic
def copy(asked: Copy) -> str:
    """Add the signal to the policy's draft, in shadow; the address of the policy. Raises ValidationError."""
    if asked.target not in {target.value for target in targets(asked.user)}:
        raise ValidationError(_("This policy is not yours to change."))
    policy = RiskPolicy.objects.select_for_update().get(pk=asked.target)
    if policy.signals.filter(code=asked.entry.code).exists():
        raise ValidationError(_("The policy has this signal already."))
    row = next(x for x in policies.starter_signals() if x["code"] == asked.entry.code)
    last = policy.signals.order_by("-position").first()
    signal = policies.signal(policy, row, position=last.position + 1 if last else 1, now=clock.now())
    signal.mode = RiskSignal.Mode.SHADOW
    signal.save()
    return reverse("admin:risk_riskpolicy_signals", args=(policy.pk,))


def _entry(row: dict[str, Any]) -> Entry:
    zh, en = GROUPS[row["group"]]
    hours = row["window_hours"]
    about = Words(
        f"{row['points']} 分 · {zh}" + (f" · 统计 {hours} 小时" if hours else "") + ("，立即挂起" if row["holds"] else ""),
        f"{row['points']} points · {en}" + (f" · counted over {hours} hours" if hours else "")
        + (", holds at once" if row["holds"] else ""),
    )  # fmt: skip
    condition = row["condition"]
    return Entry(
        row["code"], Words(row["zh"], row["en"]),
        Words(sentence(condition, VOCABULARY, "zh"), sentence(condition, VOCABULARY, "en")), about, (zh, en),
        Words(row["says_zh"], row["says_en"]) if "{" not in row["says_zh"] else None,
    )  # fmt: skip


shelves.register(
    Shelf(
        code="signals", name=_("Risk signals"), icon="shield", sees="risk.view_riskpolicy", copies="risk.add_risksignal",
        target_label=_("risk policy"), entries=entries, targets=targets, copy=copy, position=20,
    )
)  # fmt: skip

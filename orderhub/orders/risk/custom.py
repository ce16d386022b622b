"""Which fields the signals of a policy ask for."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _

from orderhub.fields import uses
from orderhub.fields.models import Field
from orderhub.fields.targets import Use, register_uses
from orderhub.fields.vocabulary import names_of
from orderhub.orders.risk.models import RiskPolicy


def find(field: Field) -> Iterator[Use]:
    """Policies in force, which keep a field, and drafts; three queries."""
    names = names_of(field)
    policies = RiskPolicy.objects.select_related("merchant").prefetch_related("signals")
    if not names:
        return
    if field.merchant_id is not None:
        policies = policies.filter(merchant=field.merchant_id)
    for policy in policies:
        page, title = uses.link("risk_riskpolicy_change", policy.pk), str(policy)
        newest = policy.versions.order_by("-number").first()
        found = (
            [x["code"] for x in newest.content["signals"] if uses.mentioned(x["condition"], names)]
            if newest
            else []
        )
        if found:
            yield Use(_("risk policy in force"), title, ", ".join(found[:10]), page, blocks=True)
        drafts = [x.code for x in policy.signals.all() if uses.mentioned(x.condition, names)]
        if drafts:
            yield Use(_("draft of a risk policy"), title, ", ".join(drafts[:10]), page)


register_uses(find)

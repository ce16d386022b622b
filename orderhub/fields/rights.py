"""Which of the hub's staff see and fill a field."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from orderhub.fields.engine import Definition
from orderhub.fields.filling import May, merchant_may_read, merchant_may_write

#: The roles that a field may be limited to, as `setup_roles` makes them: the word that ends a group's name.
ROLES: dict[str, Any] = {
    "operator": _("Operator"), "strategist": _("Strategist"), "carbon": _("Carbon"), "support": _("Support"),
}  # fmt: skip


def roles_of(user: Any) -> frozenset[str]:
    """The person's roles; one query per person and request."""
    found: frozenset[str] | None = getattr(user, "_hub_roles", None)
    if found is None:
        names = user.groups.values_list("name", flat=True)
        found = frozenset(name.rpartition(" ")[2] for name in names)
        user._hub_roles = found
    return found


def seen_by(user: Any) -> May:
    """Whether this person sees a field of the records it may see."""

    def may(field: Definition) -> bool:
        if user.is_superuser:
            return True
        if user.merchant_id is not None and not merchant_may_read(field):
            return False
        return not field.seen_by or bool(field.seen_by & roles_of(user))

    return may


def filled_by(user: Any) -> May:
    """Whether this person fills a field of the records it may change; nobody fills what it does not see."""
    sees = seen_by(user)

    def may(field: Definition) -> bool:
        if user.is_superuser:
            return True
        if user.merchant_id is not None and not merchant_may_write(field):
            return False
        return sees(field) and (not field.edited_by or bool(field.edited_by & roles_of(user)))

    return may

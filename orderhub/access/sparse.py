"""`fields=`: an answer with only the fields the caller wants."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from orderhub.kernel.errors import Refused


class SparseFields:
    """Mixed into a view set before its generic base: lists and details take `fields=id,stage`."""

    request: Any
    action: str

    def get_serializer(self, *args: Any, **kwargs: Any) -> Any:
        """The serializer without the fields that were not asked for; raises Refused (400) for unknown ones."""
        serializer = super().get_serializer(*args, **kwargs)  # type: ignore[misc]  # of the generic view
        asked = self.request.query_params.get("fields") if self.request is not None else None
        if not asked or self.action not in ("list", "retrieve"):
            return serializer
        target = getattr(serializer, "child", serializer)
        wanted = {name.strip() for name in asked.split(",") if name.strip()}
        unknown = sorted(wanted - set(target.fields))
        if unknown:
            raise Refused(
                "unknown_field", _("There is no field %(name)s.") % {"name": unknown[0][:60]},
                remedy=_("Fields: %(names)s.") % {"names": ", ".join(target.fields)}, status=400, field="fields",
            )  # fmt: skip
        for name in set(target.fields) - wanted:
            target.fields.pop(name)
        return serializer

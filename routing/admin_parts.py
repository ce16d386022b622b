"""What pages of the admin here have in common: what a new form starts with, and what a row is called."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse

from orderhub.access.models import Merchant


class OwnMerchant:
    """Chooses the merchant in a new form where the person looks after only one."""

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """What the address says, and the one merchant there is; one query."""
        given: dict[str, Any] = super().get_changeform_initial_data(request)  # type: ignore[misc]
        own = getattr(request.user, "merchant_id", None)
        ids = [own] if own else list(Merchant.objects.order_by("pk").values_list("pk", flat=True)[:2])
        return {"merchant": ids[0], **given} if len(ids) == 1 else given


class Titled:
    """Calls a row in the head of its page as readers do, in their language."""

    def title_of(self, obj: Any) -> str:
        """What the row is called."""
        raise NotImplementedError

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """The page, its row under that name."""
        obj = kwargs.get("obj")
        if obj is not None:
            title = self.title_of(obj)
            context["original"] = _Called(obj, title)
            context["subtitle"] = title if context.get("subtitle") else None
        page: HttpResponse = super().render_change_form(request, context, *args, **kwargs)  # type: ignore[misc]
        return page


class _Called:
    """A row under another name; all else is the row's own."""

    def __init__(self, row: Any, title: str) -> None:
        self._row, self._title = row, title

    def __getattr__(self, name: str) -> Any:
        return getattr(self._row, name)

    def __str__(self) -> str:
        return self._title

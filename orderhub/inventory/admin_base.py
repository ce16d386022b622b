"""What the operators' pages of every app share: who acts, in which language, and tables that nobody edits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import get_language
from import_export.resources import ModelResource
from unfold.admin import ModelAdmin
from unfold.decorators import action

Method = TypeVar("Method", bound=Callable[..., Any])

#: A spreadsheet runs a cell that starts with one of these.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def button(**options: Any) -> Callable[[Method], Method]:
    """Unfold's `action` for a button of a page, with types."""
    return cast("Callable[[Method], Method]", action(**options))


def actor_of(request: HttpRequest) -> str:
    """Who acts, as the log writes it."""
    return f"user:{request.user.get_username()}"


def is_chinese() -> bool:
    """Whether this page is read in Chinese."""
    return (get_language() or "").startswith("zh")


def named(row: Any) -> str:
    """The name of a row in the reader's language, of a row with `name` and maybe `name_en`."""
    return str(row.name if is_chinese() else getattr(row, "name_en", "") or row.name)


class HubAdmin(ModelAdmin):
    """A list without a second count, on the full width; staff of one merchant see only its rows."""

    show_full_result_count = False
    list_per_page = 50
    list_fullwidth = True
    list_filter_submit = True
    compressed_fields = True
    warn_unsaved_form = True
    #: The way from a row to its merchant; empty for rows that belong to nobody.
    merchant_path = "merchant"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The rows this person may see."""
        rows: QuerySet[Any] = super().get_queryset(request)
        merchant_id = getattr(request.user, "merchant_id", None)
        if merchant_id is None or not self.merchant_path:
            return rows
        return rows.filter(**{f"{self.merchant_path}_id": merchant_id})

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Choices of other merchants are not offered to staff of one merchant."""
        merchant_id = getattr(request.user, "merchant_id", None)
        if merchant_id is not None and "queryset" not in kwargs:
            related = db_field.remote_field.model
            if related._meta.label == "access.Merchant":
                kwargs["queryset"] = related.objects.filter(pk=merchant_id)
            elif any(field.name == "merchant" for field in related._meta.fields):
                kwargs["queryset"] = related.objects.filter(merchant_id=merchant_id)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


class ReadOnlyAdmin(HubAdmin):
    """Rows that only the machine writes."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Never."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Never: reading needs the permission to view."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Never."""
        return False


def neutral(cell: Any) -> Any:
    """A cell that no spreadsheet takes for a formula: such a text gets a leading apostrophe."""
    if isinstance(cell, str) and cell.startswith(FORMULA_STARTS):
        return f"'{cell}"
    return cell


def plain(cell: Any) -> Any:
    """What `neutral` was given."""
    if isinstance(cell, str) and cell.startswith("'") and cell[1:].startswith(FORMULA_STARTS):
        return cell[1:]
    return cell


class SafeResource(ModelResource):
    """Export and import of a small table; texts that look like formulas are made harmless on the way out."""

    def export_field(self, field: Any, instance: Any, **kwargs: Any) -> Any:
        """One cell of the export."""
        return neutral(super().export_field(field, instance, **kwargs))

    def before_import_row(self, row: Any, **kwargs: Any) -> None:
        """Take the apostrophes away again."""
        for name in list(row):
            row[name] = plain(row[name])
        super().before_import_row(row, **kwargs)


class ToldResource(SafeResource):
    """A table whose import is told to the log once, with everything it saved, so that waiting orders are tried again."""

    def __init__(self, **kwargs: Any) -> None:
        """Nothing saved yet."""
        super().__init__(**kwargs)
        self._saved: list[Any] = []

    def tell(self, saved: list[Any], *, actor: str) -> None:
        """Tell of these rows; called in the transaction of the import."""
        raise NotImplementedError

    def after_save_instance(self, instance: Any, row: Any, **kwargs: Any) -> None:
        """Remember a row, unless the import is only tried."""
        super().after_save_instance(instance, row, **kwargs)
        if not kwargs.get("dry_run"):
            self._saved.append(instance)

    def after_import(self, dataset: Any, result: Any, **kwargs: Any) -> None:
        """Tell of all rows; a file that is refused is rolled back with what was told."""
        super().after_import(dataset, result, **kwargs)
        if self._saved:
            user = kwargs.get("user")
            self.tell(self._saved, actor=f"user:{user.get_username()}" if user else "import:file")
            self._saved = []

"""What merchants' pages take in."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from orderhub.connectors.files.dialects import COMMON_ENCODINGS, DIALECTS
from orderhub.connectors.models import ImportBatch
from orderhub.orders.models.order import Stage

MAX_ID = 2**63 - 1
DIALECT_NAMES = {
    "generic": _("Our own template"),
    "shopify": _("Shopify order export"),
    "taobao": _("Taobao order export (two files)"),
    "amazon": _("Amazon order report"),
    "skus": _("List of SKUs"),
    "stock": _("List of stock"),
}
_FOUND_OUT = ("", _("Find out by itself"))


class UploadForm(forms.Form):
    """One upload: its kind and its files."""

    kind = forms.ChoiceField(choices=ImportBatch.Kind.choices, initial=ImportBatch.Kind.ORDERS)

    @property
    def files_sent(self) -> list[UploadedFile[Any]]:
        """The files of the field `file`, however many."""
        return list(self.files.getlist("file")) if hasattr(self.files, "getlist") else []


class ImportFilter(forms.Form):
    """What the import page opens with: a kind that is marked, and the id the list of imports starts under."""

    kind = forms.ChoiceField(choices=ImportBatch.Kind.choices, required=False)
    before = forms.IntegerField(min_value=1, max_value=MAX_ID, required=False)


class ReadingForm(forms.Form):
    """How an uploaded file is to be read, where finding out went wrong."""

    encoding = forms.ChoiceField(
        label=_("Encoding"),
        choices=[_FOUND_OUT, *((name, name.upper()) for name in COMMON_ENCODINGS)],
        required=False,
    )
    dialect = forms.ChoiceField(
        label=_("Format"),
        choices=[_FOUND_OUT, *((name, DIALECT_NAMES[name]) for name in DIALECTS)],
        required=False,
    )


class OrderFilter(forms.Form):
    """What the list of orders is narrowed to; `before` is the id the page starts under."""

    q = forms.CharField(label=_("Order number"), max_length=100, required=False)
    stage = forms.ChoiceField(
        label=_("Stage"), choices=[("", _("All stages")), *Stage.choices], required=False
    )
    batch = forms.IntegerField(min_value=1, max_value=MAX_ID, required=False)
    before = forms.IntegerField(min_value=1, max_value=MAX_ID, required=False)


class StockFilter(forms.Form):
    """What the list of stock is narrowed to."""

    q = forms.CharField(label=_("SKU or name"), max_length=100, required=False)
    warehouse = forms.CharField(max_length=40, required=False)
    page = forms.IntegerField(min_value=1, max_value=100_000, required=False)

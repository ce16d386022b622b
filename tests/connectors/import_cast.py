"""A merchant with goods, people and files to upload, for the tests of imports and of merchants' pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from rest_framework.test import APIClient

from orderhub.access import services as access
from orderhub.access.models import Merchant, User
from orderhub.connectors import imports
from orderhub.connectors.models import ImportBatch
from orderhub.inventory.models import Sku, Stock, Warehouse
from orderhub.kernel import clock
from orderhub.orders.models import Order
from tests.connectors import files_cast as cast

Files = Sequence[tuple[str, bytes]]


def merchant(code: str = "acme") -> Merchant:
    """A merchant with the SKUs of the cast, one warehouse, and 100 units of each SKU."""
    found, is_new = Merchant.objects.get_or_create(code=code, defaults={"name": code})
    if is_new:
        place = Warehouse.objects.create(
            merchant=found,
            code="W1",
            name="一号仓",
            name_en="One",
            province="浙江省",
            city="杭州市",
            latitude="30.25",
            longitude="120.17",
        )
        skus = Sku.objects.bulk_create(
            Sku(merchant=found, code=sku, name=f"商品 {sku}") for sku in sorted(cast.SKUS)
        )
        Stock.objects.bulk_create(
            Stock(merchant=found, warehouse=place, sku=sku, on_hand=100) for sku in skus
        )
    return found


def person(owner: Merchant | None, name: str = "li") -> User:
    """Somebody who can log in."""
    return User.objects.create_user(name, password="a-long-password", merchant=owner)


def browser(owner: Merchant | None, name: str = "li", *, language: str = "zh-hans", **options: Any) -> Client:
    """A logged-in browser that speaks one language."""
    client = Client(headers={"Accept-Language": language}, **options)
    client.force_login(person(owner, name), backend="django.contrib.auth.backends.ModelBackend")
    return client


def caller(owner: Merchant) -> APIClient:
    """A program with a key of the merchant."""
    _row, key = access.issue_key(owner, name="test", key=f"key-of-{owner.code}")
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Api-Key {key}")
    return client


def sent(files: Files) -> list[SimpleUploadedFile]:
    """The files as a form sends them."""
    return [SimpleUploadedFile(name, content, content_type="text/csv") for name, content in files]


def files_of(sheets: list[cast.Sheet]) -> Files:
    """The sheets of the cast as named bytes."""
    return [(sheet.name, sheet.data()) for sheet in sheets]


def imported(owner: Merchant, files: Files, *, kind: str = "orders", **options: Any) -> ImportBatch:
    """The batch after its import has run."""
    batch = imports.upload(
        files, merchant=owner, kind=kind, actor="test", now=clock.now(), user=None, **options
    )
    imports.run(batch.pk)
    batch.refresh_from_db()
    return batch


def counts(batch: ImportBatch) -> tuple[str, int, int, int]:
    """State, accepted, unchanged, refused rows."""
    return batch.status, batch.accepted_orders, batch.unchanged_orders, batch.refused_rows


def numbers(owner: Merchant) -> list[str]:
    """The channel's numbers of the merchant's orders."""
    return list(
        Order.objects.filter(merchant=owner).order_by("external_id").values_list("external_id", flat=True)
    )


def many(count: int, *, first: int = 1) -> cast.Sheet:
    """A generic file with that many orders of one line, numbered from N00001 or from `first`."""
    sheet = cast.generic()[0]
    row = dict(zip(sheet.header, sheet.rows[2], strict=True))
    sheet.rows = []
    for number in range(first, first + count):
        sheet.add(row | {"order_no": f"N{number:05d}"})
    return sheet

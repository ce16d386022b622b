"""What the OpenAPI document promises, asked a few hundred times: no fault of ours, no answer it does not name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
import yaml
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from orderhub.access import services
from orderhub.inventory.models import Sku, Stock, Warehouse
from orderhub.management.commands.snapshots import openapi_document
from orderhub.orders.models import Order
from tests import make

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
EXAMPLES = 6
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@pytest.fixture
def _lasting_connection() -> Iterator[None]:
    """The test's connection outlives the requests, as with Django's own test client."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def key(_lasting_connection: None, settings: Any, tmp_path: Any) -> str:
    """The key of a merchant with a network, an order that has gone far, and no limit of calls."""
    settings.MEDIA_ROOT = tmp_path
    settings.API_RATES = {"default": 100_000, "bulk": 100_000, "promise": 100_000}
    make.network()
    make.place()
    make.run_until_idle()
    return services.issue_key(make.merchant(), name="schemathesis")[1]


def known_ids() -> dict[str, int]:
    """Something of the merchant's for each part of the API."""
    order, warehouse, sku, stock = (model.objects.first().pk for model in (Order, Warehouse, Sku, Stock))
    return {"orders": order, "warehouses": warehouse, "skus": sku, "stock": stock}


def test_the_hub_answers_as_its_document_says(key: str) -> None:
    document = schemathesis.openapi.from_dict(yaml.safe_load(openapi_document()))
    document.app = get_wsgi_application()
    ids, asked, faults = known_ids(), [0], []

    for found in document.get_all_operations():
        operation = found.ok()

        @seed(20261122)
        @settings(
            max_examples=EXAMPLES, deadline=None, database=None, phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(case=operation.as_strategy())
        def ask(case: Any) -> None:
            asked[0] += 1
            part = case.path.split("/")[3]
            if "id" in (case.path_parameters or {}) and part in ids and asked[0] % 3:
                case.path_parameters["id"] = ids[part]
            case.headers = {**(case.headers or {}), "Authorization": f"Api-Key {key}"}
            case.call_and_validate(checks=CHECKS)

        try:
            with transaction.atomic():
                ask()
                transaction.set_rollback(True)
        except BaseExceptionGroup as several:
            faults += [f"{operation.label}: {_brief(fault)}" for fault in several.exceptions]
        except (AssertionError, schemathesis.errors.SchemathesisError) as fault:
            faults.append(f"{operation.label}: {_brief(fault)}")

    assert not faults, "\n\n".join(faults)
    assert asked[0] > 100


def _brief(fault: BaseException) -> str:
    inner = getattr(fault, "exceptions", None)
    return "; ".join(_brief(one) for one in inner) if inner else f"{type(fault).__name__} {fault}"[:900]

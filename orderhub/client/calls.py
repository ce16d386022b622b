"""A method for each call of the API.

Written from the OpenAPI document by `python manage.py snapshots`; do not edit.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, cast

from orderhub.client import models as m
from orderhub.client.runtime import File, Transport


class OrderHub(Transport):
    """The API, call by call."""

    def asyncapi_retrieve(self) -> dict[str, Any]:
        """The AsyncAPI 3.0 document."""
        return cast("dict[str, Any]", self.call("GET", "/api/v1/asyncapi/"))

    def boms_list(
        self,
        *,
        component: str | None = None,
        cursor: str | None = None,
        fields: str | None = None,
        is_active: bool | None = None,
        lang: Literal["en", "zh-hans"] | None = None,
        ordering: Literal["sku", "id", "-id"] | None = None,
        page: int | None = None,
        page_size: int | None = None,
        sku: str | None = None,
    ) -> m.PaginatedBomList:
        """Bills of materials of the merchant.

        Scope: `stock:read`.
        """
        return cast(
            "m.PaginatedBomList",
            self.call(
                "GET",
                "/api/v1/boms/",
                query={
                    "component": component,
                    "cursor": cursor,
                    "fields": fields,
                    "is_active": is_active,
                    "lang": lang,
                    "ordering": ordering,
                    "page": page,
                    "page_size": page_size,
                    "sku": sku,
                },
            ),
        )

    def iter_boms(
        self,
        *,
        component: str | None = None,
        fields: str | None = None,
        is_active: bool | None = None,
        lang: Literal["en", "zh-hans"] | None = None,
        ordering: Literal["sku", "id", "-id"] | None = None,
        page_size: int | None = None,
        sku: str | None = None,
    ) -> Iterator[m.Bom]:
        """Every row of `boms_list`, page after page."""
        return self.rows(
            "/api/v1/boms/",
            {
                "component": component,
                "fields": fields,
                "is_active": is_active,
                "lang": lang,
                "ordering": ordering,
                "page_size": page_size,
                "sku": sku,
            },
        )

    def boms_retrieve(
        self,
        id: int,
        *,
        if_none_match: str | None = None,
        fields: str | None = None,
        lang: Literal["en", "zh-hans"] | None = None,
    ) -> m.Bom | None:
        """One of them, with its ETag; 304 when `If-None-Match` names it.

        Scope: `stock:read`.
        """
        return cast(
            "m.Bom | None",
            self.call(
                "GET",
                f"/api/v1/boms/{id}/",
                query={"fields": fields, "lang": lang},
                headers={"If-None-Match": if_none_match},
            ),
        )

    def boms_needs_retrieve(
        self, id: int, *, lang: Literal["en", "zh-hans"] | None = None, units: int | None = None
    ) -> m.NeedsOut:
        """What so many units of the article need at the lowest level today, by the bills in force.

        Scope: `stock:read`.
        """
        return cast(
            "m.NeedsOut", self.call("GET", f"/api/v1/boms/{id}/needs/", query={"lang": lang, "units": units})
        )

    def carbon_activities_create(
        self, body: m.ActivitiesInRequest, *, lang: Literal["en", "zh-hans"] | None = None
    ) -> m.ActivitiesOut:
        """Take up to 500 facts; each is accepted, known already, or refused with the reason.

        Scope: `carbon:write`.
        """
        return cast(
            "m.ActivitiesOut",
            self.call("POST", "/api/v1/carbon/activities/", query={"lang": lang}, body=body),
        )

    def channels_list(
        self,
        *,
        code: str | None = None,
        cursor: str | None = None,
        fields: str | None = None,
        is_active: bool | None = None,
        lang: Literal["en", "zh-hans"] | None = None,
        ordering: Literal["code", "-code"] | None = None,
        page: int | None = None,
        page_size: int | None = None,
    ) -> m.PaginatedChannelList:
        """Channels of the merchant; they are made in the admin.

        Scope: `channels:read`.
        """
        return cast(
            "m.PaginatedChannelList",
            self.call(
                "GET",
                "/api/v1/channels/",
                query={
                    "code": code,
                    "cursor": cursor,
                    "fields": fields,
                    "is_active": is_active,
                    "lang": lang,
                    "ordering": ordering,
                    "page": page,
                    "page_size": page_size,
                },
            ),
        )

    def iter_channels(
        self,
        *,
        code: str | None = None,
        fields: str | None = None,
        is_active: bool | None = None,
        lang: Literal["en", "zh-hans"] | None = None,
        ordering: Literal["code", "-code"] | None = None,
        page_size: int | None = None,
    ) -> Iterator[m.Channel]:
        """Every row of `channels_list`, page after page."""
        return self.rows(
            "/api/v1/channels/",
            {
                "code": code,
                "fields": fields,
                "is_active": is_active,
                "lang": lang,
                "ordering": ordering,
                "page_size": page_size,
            },
        )

    def channels_retrieve(
        self,
        id: int,
        *,
        if_none_match: str | None = None,
        fields: str | None = None,
        lang: Literal["en", "zh-hans"] | None = None,
    ) -> m.Channel | None:
        """One of them, with its ETag; 304 when `If-None-Match` names it.

        Scope: `channels:read`.
        """
        return cast(
            "m.Channel | None",
            self.call(
                "GET",
                f"/api/v1/channels/{id}/",
                query={"fields": fields, "lang": lang},
                headers={"If-None-Match": if_none_match},
            ),
        )

    def epcis_capture(
        self, body: dict[str, Any] | None = None, *, lang: Literal["en", "zh-hans"] | None = None
    ) -> m.CaptureOut:
        """An EPCISDocument or one event. 202: kept; each event says whether it was applied or waits for its order.

        Scope: `orders:write`.
        """
        return cast(
            "m.CaptureOut", self.call("POST", "/api/v1/epcis/capture/", query={"lang": lang}, body=body)
        )

    def events_list(
        self,
        *,
        after: str | None = None,
        kind: str | None = None,
        lang: Literal["en", "zh-hans"] | None = None,
        limit: int | None = None,
        milestone: str | None = None,
        order: int | None = None,
    ) -> m.EventPage:
        """The next events. An empty list with `has_more` means: go on at once; without, ask again later.

        Scope: `orders:read`.
        """
        return cast(
            "m.EventPage",
            self.call(
                "GET",
                "/api/v1/events/",
                query={
                    "after": after,
                    "kind": kind,
                    "lang": lang,
                    "limit": limit,
                    "milestone": milestone,
                    "order": order,
                },
            ),
        )

    def fields_list(
        self,
        *,
        code: str | None = None,
        cursor: str | None = None,
        fields: str | None = None,
        is_active: bool | None = None,
        lang: Literal["en", "zh-hans"] | None = None,
        ordering: Literal["id", "-id"] | None = None,
        page: int | None = None,
        page_size: int | None = None,
        target: Literal["order", "line", "sku", "warehouse", "parcel"] | None = None,
    ) -> m.PaginatedFieldList:
        """Custom fields that the merchant's records may carry.

        Scope: `fields:read`.
        """
        return cast(
            "m.PaginatedFieldList",
            self.call(
                "GET",
                "/api/v1/fields/",
                query={
                    "code": code,
                    "cursor": cursor,
                    "fields": fields,
                    "is_active": is_active,
                    "lang": lang,
                    "ordering": ordering,
                    "page": page,
                    "page_size": page_size,
                    "target": target,
                },
            ),
        )

    def iter_fields(
        self,
        *,
        code: str | None = None,
        fields: str | None = None,
        is_active: bool | None = None,
        lang: Literal["en", "zh-hans"] | None = None,
        ordering: Literal["id", "-id"] | None = None,
        page_size: int | None = None,
        target: Literal["order", "line", "sku", "warehouse", "parcel"] | None = None,
    ) -> Iterator[m.Field]:
        """Every row of `fields_list`, page after page."""
        return self.rows(
            "/api/v1/fields/",
            {
                "code": code,
                "fields": fields,
                "is_active": is_active,
                "lang": lang,
                "ordering": ordering,
                "page_size": page_size,
                "target": target,
            },
        )

    def fields_create(self, body: m.FieldRequest, *, lang: Literal["en", "zh-hans"] | None = None) -> m.Field:
        """Add a field of the merchant's own; it counts at once.

        Scope: `fields:write`.
        """
        return cast("m.Field", self.call("POST", "/api/v1/fields/", query={"lang": lang}, body=body))

    def fields_retrieve(
        self,
        id: int,
        *,
        if_none_match: str | None = None,
        fields: str | None = None,
        lang: Literal["en", "zh-hans"] | None = None,
    ) -> m.Field | None:
        """One of them, with its ETag; 304 when `If-None-Match` names it.

        Scope: `fields:read`.
        """
        return cast(
            "m.Field | None",
            self.call(
                "GET",
                f"/api/v1/fields/{id}/",
                query={"fields": fields, "lang": lang},
                headers={"If-None-Match": if_none_match},
            ),
        )

    def fields_partial_update(
        self,
        id: int,
        body: m.PatchedFieldRequest | None = None,
        *,
        if_match: str | None = None,
        lang: Literal["en", "zh-hans"] | None = None,
    ) -> m.Field:
        """Change a field of the merchant's own. Another `kind` converts the values, all of them or none.

        Scope: `fields:write`.
        """
        return cast(
            "m.Field",
            self.call(
                "PATCH",
                f"/api/v1/fields/{id}/",
                query={"lang": lang},
                body=body,
                headers={"If-Match": if_match},
            ),
        )

    def fields_destroy(self, id: int, *, lang: Literal["en", "zh-hans"] | None = None) -> m.Field:
        """Remove a field of the merchant's own: its values stay. 409 while a rule in force names it.

        Scope: `fields:write`.
        """
        return cast("m.Field", self.call("DELETE", f"/api/v1/fields/{id}/", query={"lang": lang}))

    def fields_restore_create(
        self, id: int, *, if_match: str | None = None, lang: Literal["en", "zh-hans"] | None = None
    ) -> m.Field:
        """Bring a removed field back, with the values it had.

        Scope: `fields:write`.
        """
        return cast(
            "m.Field",
            self.call(
                "POST", f"/api/v1/fields/{id}/restore/", query={"lang": lang}, headers={"If-Match": if_match}
            ),
        )

    def fields_uses_retrieve(self, id: int, *, lang: Literal["en", "zh-hans"] | None = None) -> m.Uses:
        """Where the field is used.

        Scope: `fields:read`.
        """
        return cast("m.Uses", self.call("GET", f"/api/v1/fields/{id}/uses/", query={"lang": lang}))

    def imports_list(
        self,
        *,
        cursor: str | None = None,
        fields: str | None = None,
        kind: Literal["orders", "skus", "stock"] | None = None,
        lang: Literal["en", "zh-hans"] | None = None,
        ordering: Literal["-id", "id"] | None = None,
        page: int | None = None,
        page_size: int | None = None,
        status: Literal["queued", "running", "paused", "done", "failed"] | None = None,
    ) -> m.PaginatedImportOutList:
        """Merchant files.

        Scope: `imports:read`.
        """
        return cast(
            "m.PaginatedImportOutList",
            self.call(
                "GET",
                "/api/v1/imports/",
                query={
                    "cursor": cursor,
                    "fields": fields,
                    "kind": kind,
                    "lang": lang,
                    "ordering": ordering,
                    "page": page,
                    "page_size": page_size,
                    "status": status,
                },
            ),
        )

    def iter_imports(
        self,
        *,
        fields: str | None = None,
        kind: Literal["orders", "skus", "stock"] | None = None,
        lang: Literal["en", "zh-hans"] | None = None,
        ordering: Literal["-id", "id"] | None = None,
        page_size: int | None = None,
        status: Literal["queued", "running", "paused", "done", "failed"] | None = None,
    ) -> Iterator[m.ImportOut]:
        """Every row of `imports_list`, page after page."""
        return self.rows(
            "/api/v1/imports/",
            {
                "fields": fields,
                "kind": kind,
                "lang": lang,
                "ordering": ordering,
                "page_size": page_size,
                "status": status,
            },
        )

    def imports_create(
        self,
        files: list[File],
        fields: dict[str, str] | None = None,
        *,
        lang: Literal["en", "zh-hans"] | None = None,
    ) -> m.ImportOut:
        """Upload and queue: 202 with the import's id; ask `GET /imports/{id}/` for its progress.

        Scope: `imports:write`.
        """
        return cast(
            "m.ImportOut",
            self.call(
                "POST",
                "/api/v1/imports/",
                query={"lang": lang},
                body=fields,
                files=[("file", one) for one in files],
            ),
        )

    def imports_retrieve(
        self,
        id: int,
        *,
        if_none_match: str | None = None,
        fields: str | None = None,
        lang: Literal["en", "zh-hans"] | None = None,
    ) -> m.ImportOut | None:
        """One of them, with its ETag; 304 when `If-None-Match` names it.

        Scope: `imports:read`.
        """
        return cast(
            "m.ImportOut | None",
            self.call(
                "GET",
                f"/api/v1/imports/{id}/",
                query={"fields": fields, "lang": lang},
                headers={"If-None-Match": if_none_match},
            ),
        )

    def imports_errors_retrieve(self, id: int, *, lang: Literal["en", "zh-hans"] | None = None) -> str:
        """Every refused row: file,row,order_no,column,kind,value,reason.

        Scope: `imports:read`.
        """
        return cast("str", self.call("GET", f"/api/v1/imports/{id}/errors/", query={"lang": lang}))

    def intake_orders_create(
        self,
        files: list[File],
        fields: dict[str, str] | None = None,
        *,
        idempotency_key: str | None = None,
        lang: Literal["en", "zh-hans"] | None = None,
    ) -> m.IntakeOut:
        """Accept an order unread: 202 with the address of its result; it is placed moments later.

        Scope: `orders:write`.
        """
        return cast(
            "m.IntakeOut",
            self.call(
                "POST",
                "/api/v1/intake/orders/",
                query={"lang": lang},
                body=fields,
                files=[("file", one) for one in files],
                headers={"Idempotency-Key": idempotency_key},
                once=True,
            ),
        )

    def intake_orders_retrieve(
        self, public_id: str, *, lang: Literal["en", "zh-hans"] | None = None
    ) -> m.IntakeOut:
        """How it stands: received, placed (with its order), refused or unreadable (with the problem).

        Scope: `orders:read`.
        """
        return cast(
            "m.IntakeOut", self.call("GET", f"/api/v1/intake/orders/{public_id}/", query={"lang": lang})
        )

    def keys_list(
        self,
        *,
        cursor: str | None = None,
        lang: Literal["en", "zh-hans"] | None = None,
        ordering: Literal["-id", "id"] | None = None,
        page: int | None = None,
        page_size: int | None = None,
    ) -> m.PaginatedKeyList:
        """Keys of the merchant; they are issued and revoked in the admin.

        Scope: `keys:read`.
        """
        return cast(
            "m.PaginatedKeyList",
            self.call(
                "GET",
                "/api/v1/keys/",
                query={
                    "cursor": cursor,
                    "lang": lang,
                    "ordering": ordering,
                    "page": page,
                    "page_size": page_size,
                },
            ),
        )

    def iter_keys(
        self,
        *,
        lang: Literal["en", "zh-hans"] | None = None,
        ordering: Literal["-id", "id"] | None = None,
        page_size: int | None = None,
    ) -> Iterator[m.Key]:
        """Every row of `keys_list`, page after page."""
        return self.rows("/api/v1/keys/", {"lang": lang, "ordering": ordering, "page_size": page_size})

    def keys_retrieve(self, id: int, *, lang: Literal["en", "zh-hans"] | None = None) -> m.Key:
        """Keys of the merchant; they are issued and revoked in the admin.

        Scope: `keys:read`.
        """
        return cast("m.Key", self.call("GET", f"/api/v1/keys/{id}/", query={"lang": lang}))

    def keys_rotate_create(
        self, body: m.RotateInRequest | None = None, *, lang: Literal["en", "zh-hans"] | None = None
    ) -> m.NewKey:
        """Issue the successor of the very key that calls; the old one works for `grace_hours` more.

        Scope: `keys:write`.
        """
        return cast("m.NewKey", self.call("POST", "/api/v1/keys/rotate/", query={"lang": lang}, body=body))

    def orders_list(
        self,
        *,
        channel: str | None = None,
        cursor: str | None = None,
        external_id: str | None = None,
        fields: str | None = None,
        import_: int | None = None,
        lang: Literal["en", "zh-hans"] | None = None,
        ordering: Literal["-id", "id", "updated_at", "-updated_at"] | None = None,
        page: int | None = None,
        page_size: int | None = None,
        placed_from: str | None = None,
        placed_to: str | None = None,
        stage: Literal[
            "received",
            "reviewing",
            "routed",
            "backordered",
            "released",
            "partially_shipped",
            "shipped",
            "partially_delivered",
            "delivered",
            "completed",
            "partially_returned",
            "returned",
            "cancelled",
            "merged",
        ]
        | None = None,
        updated_from: str | None = None,
        updated_to: str | None = None,
        waiting_for: str | None = None,
    ) -> m.PaginatedOrderBriefList:
        """Orders of the merchant: place, read, pay, hold, release, re-route, cancel.

        Scope: `orders:read`.
        """
        return cast(
            "m.PaginatedOrderBriefList",
            self.call(
                "GET",
                "/api/v1/orders/",
                query={
                    "channel": channel,
                    "cursor": cursor,
                    "external_id": external_id,
                    "fields": fields,
                    "import": import_,
                    "lang": lang,
                    "ordering": ordering,
                    "page": page,
                    "page_size": page_size,
                    "placed_from": placed_from,
                    "placed_to": placed_to,
                    "stage": stage,
                    "updated_from": updated_from,
                    "updated_to": updated_to,
                    "waiting_for": waiting_for,
                },
            ),
        )

    def iter_orders(
        self,
        *,
        channel: str | None = None,
        external_id: str | None = None,
        fields: str | None = None,
        import_: int | None = None,
        lang: Literal["en", "zh-hans"] | None = None,
        ordering: Literal["-id", "id", "updated_at", "-updated_at"] | None = None,
        page_size: int | None = None,
        placed_from: str | None = None,
        placed_to: str | None = None,
        stage: Literal[
            "received",
            "reviewing",
            "routed",
            "backordered",
            "released",
            "partially_shipped",
            "shipped",
            "partially_delivered",
            "delivered",
            "completed",
            "partially_returned",
            "returned",
            "cancelled",
            "merged",
        ]
        | None = None,
        updated_from: str | None = None,
        updated_to: str | None = None,
        waiting_for: str | None = None,
    ) -> Iterator[m.OrderBrief]:
        """Every row of `orders_list`, page after page."""
        return self.rows(
            "/api/v1/orders/",
            {
                "channel": channel,
                "external_id": external_id,
                "fields": fields,
                "import": import_,
                "lang": lang,
                "ordering": ordering,
                "page_size": page_size,
                "placed_from": placed_from,
                "placed_to": placed_to,
                "stage": stage,
                "updated_from": updated_from,
                "updated_to": updated_to,
                "waiting_for": waiting_for,
            },
        )

    def orders_create(
        self,
        body: m.OrderInRequest,
        *,
        idempotency_key: str | None = None,
        lang: Literal["en", "zh-hans"] | None = None,
    ) -> m.OrderOut:
        """Place an order: 201; the same key and body again gives the same answer, another body 409.

        Scope: `orders:write`.
        """
        return cast(
            "m.OrderOut",
            self.call(
                "POST",
                "/api/v1/orders/",
                query={"lang": lang},
                body=body,
                headers={"Idempotency-Key": idempotency_key},
                once=True,
            ),
        )

    def orders_retrieve(
        self,
        id: int,
        *,
        if_none_match: str | None = None,
        fields: str | None = None,
        lang: Literal["en", "zh-hans"] | None = None,
    ) -> m.OrderOut | None:
        """One of them, with its ETag; 304 when `If-None-Match` names it.

        Scope: `orders:read`.
        """
        return cast(
            "m.OrderOut | None",
            self.call(
                "GET",
                f"/api/v1/orders/{id}/",
                query={"fields": fields, "lang": lang},
                headers={"If-None-Match": if_none_match},
            ),
        )

    def orders_acknowledgments_retrieve(
        self, id: int, *, lang: Literal["en", "zh-hans"] | None = None
    ) -> m.AcknowledgmentsOut:
        """Every message to another system about this order: sent when, answered how, tried again when.

        Scope: `orders:read`.
        """
        return cast(
            "m.AcknowledgmentsOut",
            self.call("GET", f"/api/v1/orders/{id}/acknowledgments/", query={"lang": lang}),
        )

    def orders_address_changes_list(
        self, id: int, *, lang: Literal["en", "zh-hans"] | None = None
    ) -> m.AddressChangeOutRows:
        """Changes of the address, newest first; POST asks for one: 201, or 200 if it was asked for already.

        Scope: `orders:read`.
        """
        return cast(
            "m.AddressChangeOutRows",
            self.call("GET", f"/api/v1/orders/{id}/address-changes/", query={"lang": lang}),
        )

    def orders_address_changes_create(
        self,
        id: int,
        body: m.AddressChangeInRequest,
        *,
        if_match: str | None = None,
        lang: Literal["en", "zh-hans"] | None = None,
    ) -> m.AddressChangeOut:
        """Changes of the address, newest first; POST asks for one: 201, or 200 if it was asked for already.

        Scope: `orders:write`.
        """
        return cast(
            "m.AddressChangeOut",
            self.call(
                "POST",
                f"/api/v1/orders/{id}/address-changes/",
                query={"lang": lang},
                body=body,
                headers={"If-Match": if_match},
            ),
        )

    def orders_cancel_create(
        self,
        id: int,
        body: m.ReasonInRequest | None = None,
        *,
        if_match: str | None = None,
        lang: Literal["en", "zh-hans"] | None = None,
    ) -> m.OrderOut:
        """Cancel what has not left; warehouses that work on it are asked to stop.

        Scope: `orders:write`.
        """
        return cast(
            "m.OrderOut",
            self.call(
                "POST",
                f"/api/v1/orders/{id}/cancel/",
                query={"lang": lang},
                body=body,
                headers={"If-Match": if_match},
            ),
        )

    def orders_cancel_units_create(
        self,
        id: int,
        body: m.CancelUnitsInRequest,
        *,
        if_match: str | None = None,
        lang: Literal["en", "zh-hans"] | None = None,
    ) -> m.OrderOut:
        """Cancel some units; only warehouses that have them are asked, and what is left ships.

        Scope: `orders:write`.
        """
        return cast(
            "m.OrderOut",
            self.call(
                "POST",
                f"/api/v1/orders/{id}/cancel-units/",
                query={"lang": lang},
                body=body,
                headers={"If-Match": if_match},
            ),
        )

    def orders_carbon_retrieve(
        self, id: int, *, lang: Literal["en", "zh-hans"] | None = None
    ) -> m.OrderCarbon:
        """Estimate and actual figures by line, stage and element; 404 before the order has been routed.

        Scope: `orders:read`.
        """
        return cast("m.OrderCarbon", self.call("GET", f"/api/v1/orders/{id}/carbon/", query={"lang": lang}))

    def orders_custom_update(
        self,
        id: int,
        body: m.PatchedOrderCustomInRequest | None = None,
        *,
        lang: Literal["en", "zh-hans"] | None = None,
    ) -> m.OrderOut:
        """Fill custom fields of an order and its lines. `If-Match` guards against lost updates.

        Scope: `orders:write`.
        """
        return cast(
            "m.OrderOut", self.call("PATCH", f"/api/v1/orders/{id}/custom/", query={"lang": lang}, body=body)
        )

    def orders_decision_retrieve(
        self, id: int, *, lang: Literal["en", "zh-hans"] | None = None
    ) -> dict[str, Any]:
        """The current decision: winner and runner-up term by term in ¥, alternatives, what was removed and why.

        Scope: `orders:read`.
        """
        return cast(
            "dict[str, Any]", self.call("GET", f"/api/v1/orders/{id}/decision/", query={"lang": lang})
        )

    def orders_epcis_retrieve(
        self, id: int, *, lang: Literal["en", "zh-hans"] | None = None
    ) -> dict[str, Any]:
        """The EPCISDocument (EPCIS 2.0, JSON-LD); asked again it has the same event ids.

        Scope: `orders:read`.
        """
        return cast("dict[str, Any]", self.call("GET", f"/api/v1/orders/{id}/epcis/", query={"lang": lang}))

    def orders_events_list(self, id: int, *, lang: Literal["en", "zh-hans"] | None = None) -> m.EventOutRows:
        """The order's log, oldest first.

        Scope: `orders:read`.
        """
        return cast("m.EventOutRows", self.call("GET", f"/api/v1/orders/{id}/events/", query={"lang": lang}))

    def orders_exchange_create(
        self,
        id: int,
        body: m.ExchangeInRequest,
        *,
        idempotency_key: str | None = None,
        if_match: str | None = None,
        lang: Literal["en", "zh-hans"] | None = None,
    ) -> m.OrderOut:
        """Send other goods for units that have left; the new order (201), which waits for a difference to be paid.

        Scope: `orders:write`.
        """
        return cast(
            "m.OrderOut",
            self.call(
                "POST",
                f"/api/v1/orders/{id}/exchange/",
                query={"lang": lang},
                body=body,
                headers={"Idempotency-Key": idempotency_key, "If-Match": if_match},
                once=True,
            ),
        )

    def orders_flow_retrieve(
        self, id: int, *, lang: Literal["en", "zh-hans"] | None = None
    ) -> m.OrderFlowOut:
        """Where the order stands in its flow, and the nodes it left, oldest first, each decision with its reason.

        Scope: `orders:read`.
        """
        return cast("m.OrderFlowOut", self.call("GET", f"/api/v1/orders/{id}/flow/", query={"lang": lang}))

    def orders_hold_create(
        self,
        id: int,
        body: m.HoldInRequest | None = None,
        *,
        if_match: str | None = None,
        lang: Literal["en", "zh-hans"] | None = None,
    ) -> m.OrderOut:
        """Stop the order before it goes to a warehouse.

        Scope: `orders:write`.
        """
        return cast(
            "m.OrderOut",
            self.call(
                "POST",
                f"/api/v1/orders/{id}/hold/",
                query={"lang": lang},
                body=body,
                headers={"If-Match": if_match},
            ),
        )

    def orders_media_list(self, id: int, *, lang: Literal["en", "zh-hans"] | None = None) -> list[m.MediaOut]:
        """What there is, newest first.

        Scope: `orders:read`.
        """
        return cast("list[m.MediaOut]", self.call("GET", f"/api/v1/orders/{id}/media/", query={"lang": lang}))

    def orders_media_create(
        self,
        id: int,
        files: list[File],
        fields: dict[str, str] | None = None,
        *,
        lang: Literal["en", "zh-hans"] | None = None,
    ) -> m.MediaOut:
        """Add a file; the same file for the same step is kept once.

        Scope: `orders:write`.
        """
        return cast(
            "m.MediaOut",
            self.call(
                "POST",
                f"/api/v1/orders/{id}/media/",
                query={"lang": lang},
                body=fields,
                files=[("file", one) for one in files],
            ),
        )

    def orders_merge_create(
        self,
        id: int,
        body: m.MergeInRequest,
        *,
        if_match: str | None = None,
        lang: Literal["en", "zh-hans"] | None = None,
    ) -> m.OrderOut:
        """Bring this order and others to the same receiver together; the order that ships, the oldest of them.

        Scope: `orders:write`.
        """
        return cast(
            "m.OrderOut",
            self.call(
                "POST",
                f"/api/v1/orders/{id}/merge/",
                query={"lang": lang},
                body=body,
                headers={"If-Match": if_match},
            ),
        )

    def orders_move_create(
        self,
        id: int,
        body: m.MoveInRequest,
        *,
        if_match: str | None = None,
        lang: Literal["en", "zh-hans"] | None = None,
    ) -> m.OrderOut:
        """Ship what has not left from this warehouse and no other; others are asked to give it back first.

        Scope: `orders:write`.
        """
        return cast(
            "m.OrderOut",
            self.call(
                "POST",
                f"/api/v1/orders/{id}/move/",
                query={"lang": lang},
                body=body,
                headers={"If-Match": if_match},
            ),
        )

    def orders_pay_create(
        self,
        id: int,
        body: m.ReasonInRequest | None = None,
        *,
        if_match: str | None = None,
        lang: Literal["en", "zh-hans"] | None = None,
    ) -> m.OrderOut:
        """Payment arrived.

        Scope: `orders:write`.
        """
        return cast(
            "m.OrderOut",
            self.call(
                "POST",
                f"/api/v1/orders/{id}/pay/",
                query={"lang": lang},
                body=body,
                headers={"If-Match": if_match},
            ),
        )

    def orders_preview_create(
        self,
        id: int,
        body: m.PreviewInRequest,
        *,
        if_match: str | None = None,
        lang: Literal["en", "zh-hans"] | None = None,
    ) -> m.PreviewOut:
        """What a verb would do and which systems would be told, as the verb itself would do it now; nothing is done.

        Scope: `orders:write`.
        """
        return cast(
            "m.PreviewOut",
            self.call(
                "POST",
                f"/api/v1/orders/{id}/preview/",
                query={"lang": lang},
                body=body,
                headers={"If-Match": if_match},
            ),
        )

    def orders_pricing_retrieve(
        self, id: int, *, lang: Literal["en", "zh-hans"] | None = None
    ) -> m.OrderPricingOut:
        """What each promotion took off which line, by which version of its set, and why others did not count.

        A part of an order that was split tells of the order it was priced with (`order`).

        Scope: `orders:read`.
        """
        return cast(
            "m.OrderPricingOut", self.call("GET", f"/api/v1/orders/{id}/pricing/", query={"lang": lang})
        )

    def orders_release_create(
        self,
        id: int,
        body: m.ReasonInRequest | None = None,
        *,
        if_match: str | None = None,
        lang: Literal["en", "zh-hans"] | None = None,
    ) -> m.OrderOut:
        """Release every active hold; the order goes on where it stopped.

        Scope: `orders:write`.
        """
        return cast(
            "m.OrderOut",
            self.call(
                "POST",
                f"/api/v1/orders/{id}/release/",
                query={"lang": lang},
                body=body,
                headers={"If-Match": if_match},
            ),
        )

    def orders_reroute_create(
        self,
        id: int,
        body: m.ReasonInRequest | None = None,
        *,
        if_match: str | None = None,
        lang: Literal["en", "zh-hans"] | None = None,
    ) -> m.OrderOut:
        """Decide again where it ships from.

        Scope: `orders:write`.
        """
        return cast(
            "m.OrderOut",
            self.call(
                "POST",
                f"/api/v1/orders/{id}/reroute/",
                query={"lang": lang},
                body=body,
                headers={"If-Match": if_match},
            ),
        )

    def orders_resend_create(
        self,
        id: int,
        body: m.ResendInRequest,
        *,
        idempotency_key: str | None = None,
        if_match: str | None = None,
        lang: Literal["en", "zh-hans"] | None = None,
    ) -> m.OrderOut:
        """Send units that have left once more, at no charge; the new order (201).

        Scope: `orders:write`.
        """
        return cast(
            "m.OrderOut",
            self.call(
                "POST",
                f"/api/v1/orders/{id}/resend/",
                query={"lang": lang},
                body=body,
                headers={"Idempotency-Key": idempotency_key, "If-Match": if_match},
                once=True,
            ),
        )

    def orders_split_create(
        self,
        id: int,
        body: m.SplitInRequest,
        *,
        idempotency_key: str | None = None,
        if_match: str | None = None,
        lang: Literal["en", "zh-hans"] | None = None,
    ) -> m.OrderOut:
        """Move units into an order of their own, before any warehouse has the order; the new order (201).

        Scope: `orders:write`.
        """
        return cast(
            "m.OrderOut",
            self.call(
                "POST",
                f"/api/v1/orders/{id}/split/",
                query={"lang": lang},
                body=body,
                headers={"Idempotency-Key": idempotency_key, "If-Match": if_match},
                once=True,
            ),
        )

    def orders_undo_create(
        self,
        id: int,
        body: m.UndoInRequest | None = None,
        *,
        if_match: str | None = None,
        lang: Literal["en", "zh-hans"] | None = None,
    ) -> m.OrderOut:
        """Undo what was last done to the order, while nothing of it has left.

        Scope: `orders:write`.
        """
        return cast(
            "m.OrderOut",
            self.call(
                "POST",
                f"/api/v1/orders/{id}/undo/",
                query={"lang": lang},
                body=body,
                headers={"If-Match": if_match},
            ),
        )

    def orders_bulk_create(
        self,
        body: m.BulkInRequest,
        *,
        idempotency_key: str | None = None,
        lang: Literal["en", "zh-hans"] | None = None,
    ) -> m.BulkOut:
        """Place up to 1,000 orders: 200 with a result for each; what is wrong with one does not touch the others.

        Scope: `orders:write`.
        """
        return cast(
            "m.BulkOut",
            self.call(
                "POST",
                "/api/v1/orders/bulk/",
                query={"lang": lang},
                body=body,
                headers={"Idempotency-Key": idempotency_key},
                once=True,
            ),
        )

    def parcels_list(
        self,
        *,
        carrier: str | None = None,
        cursor: str | None = None,
        external_id: str | None = None,
        fields: str | None = None,
        lang: Literal["en", "zh-hans"] | None = None,
        order: int | None = None,
        ordering: Literal["-id", "id"] | None = None,
        page: int | None = None,
        page_size: int | None = None,
        status: Literal[
            "pending",
            "picked_up",
            "in_transit",
            "out_for_delivery",
            "ready_for_pickup",
            "delivered",
            "delivery_failed",
            "delivery_delayed",
            "on_hold",
            "return_to_sender",
            "cancelled",
            "unknown",
        ]
        | None = None,
        tracking_number: str | None = None,
    ) -> m.PaginatedParcelList:
        """Parcels of the merchant, newest first.

        Scope: `orders:read`.
        """
        return cast(
            "m.PaginatedParcelList",
            self.call(
                "GET",
                "/api/v1/parcels/",
                query={
                    "carrier": carrier,
                    "cursor": cursor,
                    "external_id": external_id,
                    "fields": fields,
                    "lang": lang,
                    "order": order,
                    "ordering": ordering,
                    "page": page,
                    "page_size": page_size,
                    "status": status,
                    "tracking_number": tracking_number,
                },
            ),
        )

    def iter_parcels(
        self,
        *,
        carrier: str | None = None,
        external_id: str | None = None,
        fields: str | None = None,
        lang: Literal["en", "zh-hans"] | None = None,
        order: int | None = None,
        ordering: Literal["-id", "id"] | None = None,
        page_size: int | None = None,
        status: Literal[
            "pending",
            "picked_up",
            "in_transit",
            "out_for_delivery",
            "ready_for_pickup",
            "delivered",
            "delivery_failed",
            "delivery_delayed",
            "on_hold",
            "return_to_sender",
            "cancelled",
            "unknown",
        ]
        | None = None,
        tracking_number: str | None = None,
    ) -> Iterator[m.Parcel]:
        """Every row of `parcels_list`, page after page."""
        return self.rows(
            "/api/v1/parcels/",
            {
                "carrier": carrier,
                "external_id": external_id,
                "fields": fields,
                "lang": lang,
                "order": order,
                "ordering": ordering,
                "page_size": page_size,
                "status": status,
                "tracking_number": tracking_number,
            },
        )

    def parcels_retrieve(
        self,
        id: int,
        *,
        if_none_match: str | None = None,
        fields: str | None = None,
        lang: Literal["en", "zh-hans"] | None = None,
    ) -> m.Parcel | None:
        """One of them, with its ETag; 304 when `If-None-Match` names it.

        Scope: `orders:read`.
        """
        return cast(
            "m.Parcel | None",
            self.call(
                "GET",
                f"/api/v1/parcels/{id}/",
                query={"fields": fields, "lang": lang},
                headers={"If-None-Match": if_none_match},
            ),
        )

    def parcels_custom_update(
        self,
        id: int,
        body: m.PatchedParcelCustomInRequest | None = None,
        *,
        lang: Literal["en", "zh-hans"] | None = None,
    ) -> m.Parcel:
        """Fill custom fields of a parcel.

        Scope: `orders:write`.
        """
        return cast(
            "m.Parcel", self.call("PATCH", f"/api/v1/parcels/{id}/custom/", query={"lang": lang}, body=body)
        )

    def promotions_try_create(
        self, body: m.TryCartInRequest, *, lang: Literal["en", "zh-hans"] | None = None
    ) -> m.TryCartOut:
        """What promotions make of a cart.

        Scope: `promotions:read`.
        """
        return cast(
            "m.TryCartOut", self.call("POST", "/api/v1/promotions/try/", query={"lang": lang}, body=body)
        )

    def rate_cards_list(
        self,
        *,
        carrier: str | None = None,
        code: str | None = None,
        cursor: str | None = None,
        fields: str | None = None,
        lang: Literal["en", "zh-hans"] | None = None,
        ordering: Literal["code", "-code"] | None = None,
        page: int | None = None,
        page_size: int | None = None,
        service: str | None = None,
    ) -> m.PaginatedRateCardList:
        """Rate cards of the merchant; they are kept in the admin.

        Scope: `rates:read`.
        """
        return cast(
            "m.PaginatedRateCardList",
            self.call(
                "GET",
                "/api/v1/rate-cards/",
                query={
                    "carrier": carrier,
                    "code": code,
                    "cursor": cursor,
                    "fields": fields,
                    "lang": lang,
                    "ordering": ordering,
                    "page": page,
                    "page_size": page_size,
                    "service": service,
                },
            ),
        )

    def iter_rate_cards(
        self,
        *,
        carrier: str | None = None,
        code: str | None = None,
        fields: str | None = None,
        lang: Literal["en", "zh-hans"] | None = None,
        ordering: Literal["code", "-code"] | None = None,
        page_size: int | None = None,
        service: str | None = None,
    ) -> Iterator[m.RateCard]:
        """Every row of `rate_cards_list`, page after page."""
        return self.rows(
            "/api/v1/rate-cards/",
            {
                "carrier": carrier,
                "code": code,
                "fields": fields,
                "lang": lang,
                "ordering": ordering,
                "page_size": page_size,
                "service": service,
            },
        )

    def rate_cards_retrieve(
        self,
        id: int,
        *,
        if_none_match: str | None = None,
        fields: str | None = None,
        lang: Literal["en", "zh-hans"] | None = None,
    ) -> m.RateCard | None:
        """One of them, with its ETag; 304 when `If-None-Match` names it.

        Scope: `rates:read`.
        """
        return cast(
            "m.RateCard | None",
            self.call(
                "GET",
                f"/api/v1/rate-cards/{id}/",
                query={"fields": fields, "lang": lang},
                headers={"If-None-Match": if_none_match},
            ),
        )

    def routing_promise_create(
        self, body: m.PromiseInRequest, *, lang: Literal["en", "zh-hans"] | None = None
    ) -> m.PromiseOut:
        """What a checkout may promise.

        Scope: `promises:read`.
        """
        return cast(
            "m.PromiseOut", self.call("POST", "/api/v1/routing/promise/", query={"lang": lang}, body=body)
        )

    def shoppers_events_create(
        self,
        body: m.ShopperEventsInRequest,
        *,
        idempotency_key: str | None = None,
        lang: Literal["en", "zh-hans"] | None = None,
    ) -> m.ShopperEventsOut:
        """Events that the risk signals count.

        Scope: `shoppers:write`.
        """
        return cast(
            "m.ShopperEventsOut",
            self.call(
                "POST",
                "/api/v1/shoppers/events/",
                query={"lang": lang},
                body=body,
                headers={"Idempotency-Key": idempotency_key},
                once=True,
            ),
        )

    def skus_list(
        self,
        *,
        category: str | None = None,
        code: str | None = None,
        cursor: str | None = None,
        fields: str | None = None,
        is_active: bool | None = None,
        lang: Literal["en", "zh-hans"] | None = None,
        ordering: Literal["code", "-code", "id", "-id"] | None = None,
        page: int | None = None,
        page_size: int | None = None,
        sku: str | None = None,
    ) -> m.PaginatedSkuList:
        """SKUs of the merchant.

        Scope: `stock:read`.
        """
        return cast(
            "m.PaginatedSkuList",
            self.call(
                "GET",
                "/api/v1/skus/",
                query={
                    "category": category,
                    "code": code,
                    "cursor": cursor,
                    "fields": fields,
                    "is_active": is_active,
                    "lang": lang,
                    "ordering": ordering,
                    "page": page,
                    "page_size": page_size,
                    "sku": sku,
                },
            ),
        )

    def iter_skus(
        self,
        *,
        category: str | None = None,
        code: str | None = None,
        fields: str | None = None,
        is_active: bool | None = None,
        lang: Literal["en", "zh-hans"] | None = None,
        ordering: Literal["code", "-code", "id", "-id"] | None = None,
        page_size: int | None = None,
        sku: str | None = None,
    ) -> Iterator[m.Sku]:
        """Every row of `skus_list`, page after page."""
        return self.rows(
            "/api/v1/skus/",
            {
                "category": category,
                "code": code,
                "fields": fields,
                "is_active": is_active,
                "lang": lang,
                "ordering": ordering,
                "page_size": page_size,
                "sku": sku,
            },
        )

    def skus_create(self, body: m.SkuRequest, *, lang: Literal["en", "zh-hans"] | None = None) -> m.Sku:
        """A new SKU; a code that exists is an error of the field `sku`.

        Scope: `stock:write`.
        """
        return cast("m.Sku", self.call("POST", "/api/v1/skus/", query={"lang": lang}, body=body))

    def skus_retrieve(
        self,
        id: int,
        *,
        if_none_match: str | None = None,
        fields: str | None = None,
        lang: Literal["en", "zh-hans"] | None = None,
    ) -> m.Sku | None:
        """One of them, with its ETag; 304 when `If-None-Match` names it.

        Scope: `stock:read`.
        """
        return cast(
            "m.Sku | None",
            self.call(
                "GET",
                f"/api/v1/skus/{id}/",
                query={"fields": fields, "lang": lang},
                headers={"If-None-Match": if_none_match},
            ),
        )

    def skus_partial_update(
        self,
        id: int,
        body: m.PatchedSkuRequest | None = None,
        *,
        if_match: str | None = None,
        lang: Literal["en", "zh-hans"] | None = None,
    ) -> m.Sku:
        """Change what is sent; `is_active: false` switches it off. `If-Match` guards against lost updates.

        Scope: `stock:write`.
        """
        return cast(
            "m.Sku",
            self.call(
                "PATCH",
                f"/api/v1/skus/{id}/",
                query={"lang": lang},
                body=body,
                headers={"If-Match": if_match},
            ),
        )

    def stock_list(
        self,
        *,
        cursor: str | None = None,
        fields: str | None = None,
        lang: Literal["en", "zh-hans"] | None = None,
        ordering: Literal["sku", "updated_at", "-updated_at"] | None = None,
        page: int | None = None,
        page_size: int | None = None,
        sku: str | None = None,
        sku__code: str | None = None,
        updated_from: str | None = None,
        warehouse: str | None = None,
        warehouse__code: str | None = None,
    ) -> m.PaginatedStockList:
        """Stock per SKU and warehouse; `available` is what can still be promised.

        Scope: `stock:read`.
        """
        return cast(
            "m.PaginatedStockList",
            self.call(
                "GET",
                "/api/v1/stock/",
                query={
                    "cursor": cursor,
                    "fields": fields,
                    "lang": lang,
                    "ordering": ordering,
                    "page": page,
                    "page_size": page_size,
                    "sku": sku,
                    "sku__code": sku__code,
                    "updated_from": updated_from,
                    "warehouse": warehouse,
                    "warehouse__code": warehouse__code,
                },
            ),
        )

    def iter_stock(
        self,
        *,
        fields: str | None = None,
        lang: Literal["en", "zh-hans"] | None = None,
        ordering: Literal["sku", "updated_at", "-updated_at"] | None = None,
        page_size: int | None = None,
        sku: str | None = None,
        sku__code: str | None = None,
        updated_from: str | None = None,
        warehouse: str | None = None,
        warehouse__code: str | None = None,
    ) -> Iterator[m.Stock]:
        """Every row of `stock_list`, page after page."""
        return self.rows(
            "/api/v1/stock/",
            {
                "fields": fields,
                "lang": lang,
                "ordering": ordering,
                "page_size": page_size,
                "sku": sku,
                "sku__code": sku__code,
                "updated_from": updated_from,
                "warehouse": warehouse,
                "warehouse__code": warehouse__code,
            },
        )

    def stock_retrieve(
        self,
        id: int,
        *,
        if_none_match: str | None = None,
        fields: str | None = None,
        lang: Literal["en", "zh-hans"] | None = None,
    ) -> m.Stock | None:
        """One of them, with its ETag; 304 when `If-None-Match` names it.

        Scope: `stock:read`.
        """
        return cast(
            "m.Stock | None",
            self.call(
                "GET",
                f"/api/v1/stock/{id}/",
                query={"fields": fields, "lang": lang},
                headers={"If-None-Match": if_none_match},
            ),
        )

    def stock_atp_list(
        self,
        *,
        cursor: str | None = None,
        lang: Literal["en", "zh-hans"] | None = None,
        page: int | None = None,
        page_size: int | None = None,
        province: str | None = None,
        sku: list[str] | None = None,
    ) -> m.PaginatedPromisableList:
        """Units that can be promised, by SKU.

        Scope: `stock:read`.
        """
        return cast(
            "m.PaginatedPromisableList",
            self.call(
                "GET",
                "/api/v1/stock/atp/",
                query={
                    "cursor": cursor,
                    "lang": lang,
                    "page": page,
                    "page_size": page_size,
                    "province": province,
                    "sku": sku,
                },
            ),
        )

    def iter_stock_atp(
        self,
        *,
        lang: Literal["en", "zh-hans"] | None = None,
        page_size: int | None = None,
        province: str | None = None,
        sku: list[str] | None = None,
    ) -> Iterator[m.Promisable]:
        """Every row of `stock_atp_list`, page after page."""
        return self.rows(
            "/api/v1/stock/atp/", {"lang": lang, "page_size": page_size, "province": province, "sku": sku}
        )

    def stock_counts_create(
        self, body: m.CountsInRequest, *, lang: Literal["en", "zh-hans"] | None = None
    ) -> m.CountsOut:
        """Set what was counted on the shelf, up to 500 places at once: all of them, or none when a code is unknown.

        Never below what orders reserve: such a place is set to that and `limited` says so.

        Scope: `stock:write`.
        """
        return cast(
            "m.CountsOut", self.call("POST", "/api/v1/stock/counts/", query={"lang": lang}, body=body)
        )

    def stock_reservations_list(
        self,
        *,
        cursor: str | None = None,
        lang: Literal["en", "zh-hans"] | None = None,
        page: int | None = None,
        page_size: int | None = None,
    ) -> m.PaginatedReservationList:
        """Units kept for carts and unpaid orders for up to an hour, all lines or none.

        Scope: `stock:read`.
        """
        return cast(
            "m.PaginatedReservationList",
            self.call(
                "GET",
                "/api/v1/stock/reservations/",
                query={"cursor": cursor, "lang": lang, "page": page, "page_size": page_size},
            ),
        )

    def iter_stock_reservations(
        self, *, lang: Literal["en", "zh-hans"] | None = None, page_size: int | None = None
    ) -> Iterator[m.Reservation]:
        """Every row of `stock_reservations_list`, page after page."""
        return self.rows("/api/v1/stock/reservations/", {"lang": lang, "page_size": page_size})

    def stock_reservations_create(
        self,
        body: m.ReservationInRequest,
        *,
        idempotency_key: str | None = None,
        lang: Literal["en", "zh-hans"] | None = None,
    ) -> m.Reservation:
        """Keep units: 201, or 409 `stock_short` and nothing is kept.

        Scope: `stock:write`.
        """
        return cast(
            "m.Reservation",
            self.call(
                "POST",
                "/api/v1/stock/reservations/",
                query={"lang": lang},
                body=body,
                headers={"Idempotency-Key": idempotency_key},
                once=True,
            ),
        )

    def stock_reservations_retrieve(
        self, id: str, *, lang: Literal["en", "zh-hans"] | None = None
    ) -> m.Reservation:
        """Units kept for carts and unpaid orders for up to an hour, all lines or none.

        Scope: `stock:read`.
        """
        return cast(
            "m.Reservation", self.call("GET", f"/api/v1/stock/reservations/{id}/", query={"lang": lang})
        )

    def stock_reservations_destroy(self, id: str, *, lang: Literal["en", "zh-hans"] | None = None) -> None:
        """Give the units back before the time; again, or after it expired, this does nothing.

        Scope: `stock:write`.
        """
        self.call("DELETE", f"/api/v1/stock/reservations/{id}/", query={"lang": lang})

    def tracking_retrieve(
        self,
        token: str,
        *,
        datum: Literal["gcj02", "wgs84"] | None = None,
        lang: Literal["en", "zh-hans"] | None = None,
    ) -> m.TrackingPage | None:
        """The page as data, with an ETag (send it back in If-None-Match); unknown and expired links are 404
        alike.
        """
        return cast(
            "m.TrackingPage | None",
            self.call("GET", f"/api/v1/tracking/{token}/", query={"datum": datum, "lang": lang}),
        )

    def warehouses_list(
        self,
        *,
        code: str | None = None,
        cursor: str | None = None,
        fields: str | None = None,
        is_active: bool | None = None,
        kind: Literal["warehouse", "forward", "store", "factory", "dropship"] | None = None,
        lang: Literal["en", "zh-hans"] | None = None,
        ordering: Literal["code", "-code", "id", "-id"] | None = None,
        page: int | None = None,
        page_size: int | None = None,
    ) -> m.PaginatedWarehouseList:
        """Warehouses of the merchant.

        Scope: `stock:read`.
        """
        return cast(
            "m.PaginatedWarehouseList",
            self.call(
                "GET",
                "/api/v1/warehouses/",
                query={
                    "code": code,
                    "cursor": cursor,
                    "fields": fields,
                    "is_active": is_active,
                    "kind": kind,
                    "lang": lang,
                    "ordering": ordering,
                    "page": page,
                    "page_size": page_size,
                },
            ),
        )

    def iter_warehouses(
        self,
        *,
        code: str | None = None,
        fields: str | None = None,
        is_active: bool | None = None,
        kind: Literal["warehouse", "forward", "store", "factory", "dropship"] | None = None,
        lang: Literal["en", "zh-hans"] | None = None,
        ordering: Literal["code", "-code", "id", "-id"] | None = None,
        page_size: int | None = None,
    ) -> Iterator[m.Warehouse]:
        """Every row of `warehouses_list`, page after page."""
        return self.rows(
            "/api/v1/warehouses/",
            {
                "code": code,
                "fields": fields,
                "is_active": is_active,
                "kind": kind,
                "lang": lang,
                "ordering": ordering,
                "page_size": page_size,
            },
        )

    def warehouses_create(
        self, body: m.WarehouseRequest, *, lang: Literal["en", "zh-hans"] | None = None
    ) -> m.Warehouse:
        """A new warehouse; a code that exists is an error of the field `code`.

        Scope: `stock:write`.
        """
        return cast("m.Warehouse", self.call("POST", "/api/v1/warehouses/", query={"lang": lang}, body=body))

    def warehouses_retrieve(
        self,
        id: int,
        *,
        if_none_match: str | None = None,
        fields: str | None = None,
        lang: Literal["en", "zh-hans"] | None = None,
    ) -> m.Warehouse | None:
        """One of them, with its ETag; 304 when `If-None-Match` names it.

        Scope: `stock:read`.
        """
        return cast(
            "m.Warehouse | None",
            self.call(
                "GET",
                f"/api/v1/warehouses/{id}/",
                query={"fields": fields, "lang": lang},
                headers={"If-None-Match": if_none_match},
            ),
        )

    def warehouses_partial_update(
        self,
        id: int,
        body: m.PatchedWarehouseRequest | None = None,
        *,
        if_match: str | None = None,
        lang: Literal["en", "zh-hans"] | None = None,
    ) -> m.Warehouse:
        """Change what is sent; `is_active: false` switches it off. `If-Match` guards against lost updates.

        Scope: `stock:write`.
        """
        return cast(
            "m.Warehouse",
            self.call(
                "PATCH",
                f"/api/v1/warehouses/{id}/",
                query={"lang": lang},
                body=body,
                headers={"If-Match": if_match},
            ),
        )

"""The composition root of URLs; upper layers are reached by name only."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.urls import include, path
from django.utils.module_loading import import_string
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.routers import DefaultRouter


def _view(dotted: str) -> Any:
    return import_string(dotted)


router = DefaultRouter()
router.include_root_view = False
router.register("orders", _view("orderhub.fulfillment.api.OrderViewSet"), basename="order")
router.register("skus", _view("orderhub.inventory.api_catalog.SkuViewSet"), basename="sku")
router.register("warehouses", _view("orderhub.inventory.api_catalog.WarehouseViewSet"), basename="warehouse")
router.register("boms", _view("orderhub.inventory.api_boms.BomViewSet"), basename="bom")
router.register("stock/atp", _view("orderhub.inventory.api.PromisableViewSet"), basename="promisable")
router.register(
    "stock/reservations", _view("orderhub.inventory.api.ReservationViewSet"), basename="reservation"
)
router.register("stock", _view("orderhub.inventory.api.StockViewSet"), basename="stock")
router.register("imports", _view("orderhub.connectors.api.ImportViewSet"), basename="import")
router.register("channels", _view("orderhub.orders.api.ChannelViewSet"), basename="channel")
router.register(
    "rate-cards", _view("orderhub.fulfillment.api_shipping.RateCardViewSet"), basename="rate-card"
)
router.register("parcels", _view("orderhub.fulfillment.api_shipping.ParcelViewSet"), basename="parcel")
router.register(
    "intake/orders", _view("orderhub.fulfillment.api_accepting.IntakeViewSet"), basename="intake-order"
)
router.register("fields", _view("orderhub.fields.api.FieldViewSet"), basename="field")
router.register("keys", _view("orderhub.access.api.KeyViewSet"), basename="key")

api = [
    path(
        "orders/<int:pk>/pricing/",
        _view("orderhub.fulfillment.api_promotions.OrderPricingView").as_view(),
        name="order-pricing",
    ),
    path(
        "orders/<int:pk>/flow/",
        _view("orderhub.fulfillment.api_flow.OrderFlowView").as_view(),
        name="order-flow",
    ),
    path(
        "orders/<int:pk>/acknowledgments/",
        _view("orderhub.connectors.api_matrix.OrderAcknowledgmentsView").as_view(),
        name="order-acknowledgments",
    ),
    path("orders/<int:pk>/decision/", _view("routing.api.DecisionView").as_view(), name="order-decision"),
    path(
        "orders/<int:pk>/custom/",
        _view("orderhub.fulfillment.api_custom.OrderCustomView").as_view(),
        name="order-custom",
    ),
    path(
        "parcels/<int:pk>/custom/",
        _view("orderhub.fulfillment.api_custom.ParcelCustomView").as_view(),
        name="parcel-custom",
    ),
    path("orders/<int:pk>/carbon/", _view("carbon.api.OrderCarbonView").as_view(), name="order-carbon"),
    path(
        "promotions/try/",
        _view("orderhub.fulfillment.api_promotions.TryCartView").as_view(),
        name="promotions-try",
    ),
    path(
        "shoppers/events/",
        _view("orderhub.fulfillment.api_shoppers.ShopperEventsView").as_view(),
        name="shopper-events",
    ),
    path("routing/promise/", _view("routing.promise.api.PromiseView").as_view(), name="promise"),
    path("tracking/<str:token>/", _view("tracking.api.TrackingView").as_view(), name="tracking"),
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    *router.urls,
]

urlpatterns = [
    path("api/v1/", include((api, "api"))),
    path("api/docs/", SpectacularSwaggerSplitView.as_view(url_name="api:schema"), name="api-docs"),
    path("api/problems/", _view("orderhub.access.views.problems"), name="api-problems"),
    path("t/<str:token>/", _view("tracking.views.page"), name="tracking-page"),
    path("in/<str:key>/", _view("orderhub.connectors.doorway.enter"), name="door"),
    path("merchant/", include("orderhub.connectors.urls")),
    path("login/", _view("orderhub.access.views.LoginView").as_view(), name="login"),
    path("logout/", _view("orderhub.access.views.LogoutView").as_view(), name="logout"),
    path("i18n/", include("django.conf.urls.i18n")),
    path("healthz", _view("orderhub.health.healthz"), name="healthz"),
    path("metrics", _view("orderhub.observe.views.metrics"), name="metrics"),
    path("readyz", _view("orderhub.health.readyz"), name="readyz"),
    path("admin/routing/board/", include("routing.board.urls")),
    path("admin/library/", include("rules.library.urls")),
    path("admin/flows/", include("orderhub.orders.flows.urls")),
    path("admin/", admin.site.urls),
    path("", _view("orderhub.health.home"), name="home"),
]

handler404 = "orderhub.health.missing"
handler500 = "orderhub.health.broken"

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
    path(
        "carbon/activities/",
        _view("carbon.activity.api.ActivitiesView").as_view(),
        name="carbon-activities",
    ),
    path("orders/<int:pk>/media/", _view("tracking.media.api.OrderMediaView").as_view(), name="order-media"),
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
    path("events/", _view("tracking.partners.api.EventFeedView").as_view(), name="event-feed"),
    path(
        "orders/<int:pk>/epcis/", _view("tracking.partners.api.OrderEpcisView").as_view(), name="order-epcis"
    ),
    path("epcis/capture/", _view("tracking.partners.api.EpcisCaptureView").as_view(), name="epcis-capture"),
    path("asyncapi/", _view("tracking.partners.api.AsyncApiView").as_view(), name="asyncapi"),
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    *router.urls,
]

#: Merchants' pages stand in several apps under one name.
merchants = [*_view("orderhub.connectors.urls.urlpatterns"), *_view("carbon.reports.urls.merchants")]

urlpatterns = [
    path("api/v1/", include((api, "api"))),
    path("api/docs/", SpectacularSwaggerSplitView.as_view(url_name="api:schema"), name="api-docs"),
    path("api/problems/", _view("orderhub.access.views.problems"), name="api-problems"),
    path("t/", _view("tracking.everywhere.views.find"), name="tracking-find"),
    path("t/<str:token>/", _view("tracking.views.page"), name="tracking-page"),
    path("t/<str:token>/qr.svg", _view("tracking.everywhere.views.code"), name="tracking-code"),
    path("t/<str:token>/notices/", _view("tracking.everywhere.board_views.notices"), name="tracking-notices"),
    path("t/<str:token>/ask/<slug:kind>/", _view("tracking.everywhere.views.ask"), name="tracking-ask"),
    path("e/<str:token>/", _view("tracking.everywhere.views.embedded"), name="tracking-embedded"),
    path("e/theme/<slug:code>.css", _view("tracking.everywhere.views.theme"), name="tracking-theme"),
    path("embed.js", _view("tracking.everywhere.views.tag"), name="tracking-tag"),
    path("b/<str:token>/", _view("tracking.everywhere.board_views.board"), name="tracking-board"),
    path("m/<str:token>/", _view("tracking.media.views.show"), name="tracking-media"),
    path("positions/", _view("tracking.live_position.doors.report"), name="positions"),
    path("positions/<str:key>/", _view("tracking.live_position.doors.report"), name="positions-key"),
    path("t/<str:token>/green/", _view("tracking.green.choose"), name="tracking-green"),
    path("in/<str:key>/", _view("orderhub.connectors.doorway.enter"), name="door"),
    path("merchant/", include((merchants, "merchant"))),
    path("login/", _view("orderhub.access.views.LoginView").as_view(), name="login"),
    path("logout/", _view("orderhub.access.views.LogoutView").as_view(), name="logout"),
    path("i18n/", include("django.conf.urls.i18n")),
    path("healthz", _view("orderhub.health.healthz"), name="healthz"),
    path("metrics", _view("orderhub.observe.views.metrics"), name="metrics"),
    path("readyz", _view("orderhub.health.readyz"), name="readyz"),
    path("admin/routing/board/", include("routing.board.urls")),
    path("admin/routing/reports/", include("routing.reports.urls")),
    path("admin/carbon/", include("carbon.reports.urls")),
    path("admin/library/", include("rules.library.urls")),
    path("admin/flows/", include("orderhub.orders.flows.urls")),
    path("admin/", admin.site.urls),
    path("", include("carbon.interfaces.urls")),
    path("", _view("orderhub.health.home"), name="home"),
]

handler404 = "orderhub.health.missing"
handler500 = "orderhub.health.broken"

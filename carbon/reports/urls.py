"""The carbon pages beneath the admin."""

from __future__ import annotations

from django.urls import path

from carbon.green import views as green
from carbon.reports import views

app_name = "carbon"
urlpatterns = [
    path("reports/", views.page, name="reports"),
    path("reports/orders/<int:pk>/", views.order_page, name="order"),
    path("reports/orders/<int:pk>/statement.pdf", views.order_pdf, name="order-pdf"),
    path("reports/files/<slug:name>/", views.file, name="file"),
    path("green/", green.page, name="green"),
]

#: The same for merchants, who are led to them by the menu of their own pages.
merchants = [
    path("carbon/", views.merchants_page, name="carbon"),
    path("carbon/orders/<int:pk>/", views.merchants_order, name="carbon-order"),
    path("carbon/orders/<int:pk>/statement.pdf", views.merchants_pdf, name="carbon-order-pdf"),
    path("carbon/files/<slug:name>/", views.merchants_file, name="carbon-file"),
]

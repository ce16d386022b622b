"""The pages of merchants, included under /merchant/."""

from __future__ import annotations

from django.urls import path

from orderhub.connectors import views

app_name = "merchant"
urlpatterns = [
    path("", views.home, name="home"),
    path("import/", views.import_page, name="import"),
    path("import/sample/<str:kind>.csv", views.sample_file, name="import-sample"),
    path("import/<int:pk>/", views.import_detail, name="import-detail"),
    path("import/<int:pk>/start/", views.import_start, name="import-start"),
    path("import/<int:pk>/reading/", views.import_reading, name="import-reading"),
    path("import/<int:pk>/cancel/", views.import_cancel, name="import-cancel"),
    path("import/<int:pk>/status.json", views.import_status, name="import-status"),
    path("import/<int:pk>/errors.csv", views.import_errors, name="import-errors"),
    path("orders/", views.orders_page, name="orders"),
    path("stock/", views.stock_page, name="stock"),
]
